/* Aggressive mode and strangers: the hash that can be attacked offline and the names that it gives away (CVE-2018-5389,
 * CVE-2002-1623); a refused proposal that leaves something behind (CVE-2023-30570).
 */
#include "ike_forge.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* A's first message, given again to B; B's answers. */
static uint8_t first[4096];
static size_t first_len, answers, answer_len;
static uint8_t answer[4096];

static bool catch_first(struct rig *r, struct packet *p)
{
	(void)r;
	if (p->from == 0 && first_len == 0) {
		memcpy(first, p->bytes, p->len);
		first_len = p->len;
		return false;
	}
	if (p->from == 1) {
		answers++;
		memcpy(answer, p->bytes, p->len);
		answer_len = p->len;
	}
	return p->from == 1;
}

/* B with a key by name, or without one; A asks with `name`, once, and then is silent. */
static struct rig *asked(const char *name, const char *known, bool proposal_fits)
{
	struct rig *r = rig_new(1, 2);

	first_len = answers = answer_len = 0;
	cfg_isakmp_peer_add(r->n[0].cfg, "198.51.100.2", CFG_ID_HOST, name);
	if (known != NULL)
		cfg_key_named_add(&r->n[1], "", known, "secret");
	if (!proposal_fits)
		r->n[1].cfg->policies[0].hash = HASH_SHA512;
	rig_config(&r->n[0]);
	rig_config(&r->n[1]);
	r->edit = catch_first;
	r->n[0].deaf = true;
	rig_acquire(&r->n[0], 10, 10);
	rig_run(r, 10);
	assert_true(first_len > 0);
	forge_give(r, first, first_len);
	rig_run(r, 900000);
	return r;
}

static unsigned times(struct rig *r, const char *text)
{
	unsigned n = 0;

	for (const char *at = r->log; (at = strstr(at, text)) != NULL; at++)
		n++;
	return n;
}

/* Off unless configured; where it is configured, one warning, however often the configuration changes. */
static void off_and_warned(void **state)
{
	struct rig *r = asked("a.example.org", NULL, true);

	(void)state;
	assert_int_equal(answers, 0);
	assert_int_equal(r->n[1].k->half_open, 0);
	assert_int_equal(times(r, "IKMP_AGGRESSIVE_PSK"), 1); /* A's own */
	rig_free(r);
	r = asked("a.example.org", "a.example.org", true);
	assert_int_equal(answers, 1);
	rig_config(&r->n[1]);
	rig_config(&r->n[1]);
	assert_int_equal(times(r, "IKMP_AGGRESSIVE_PSK"), 2);
	rig_free(r);
}

/* A name that is known and one that is not: the same number of answers, of the same length and form, after the same time, and
 * the same again when the first message comes once more. */
static void known_and_unknown(void **state)
{
	size_t length[2], count[2];
	uint8_t head[2][4];

	(void)state;
	for (int known = 0; known < 2; known++) {
		struct rig *r = asked(known ? "a.example.org" : "b.example.org", "a.example.org", true);

		forge_give(r, first, first_len);
		rig_run(r, 900000);
		length[known] = answer_len;
		count[known] = answers;
		memcpy(head[known], answer + 16, 4);
		assert_int_equal(rig_ike_state(&r->n[1]), AG_INIT_EXCH);
		rig_free(r);
	}
	assert_int_equal(length[0], length[1]);
	assert_int_equal(count[0], 2);
	assert_int_equal(count[0], count[1]);
	assert_memory_equal(head[0], head[1], 4);
}

/* What goes out for a first message with a forged source: one answer, longer than what came by its hash at most. */
static void little_amplified(void **state)
{
	struct rig *r = asked("a.example.org", "a.example.org", true);

	(void)state;
	rig_run(r, SECONDS(100));
	assert_int_equal(answers, 1);
	assert_true(answer_len <= first_len + 2 * (4 + 20) + 4 + 20);
	rig_free(r);
}

/* A refused proposal: no SA stays, and the refusal has no cookie of ours that could be used. A message with the cookie of the
 * refusal finds nothing. */
static void refused_leaves_nothing(void **state)
{
	struct rig *r = asked("a.example.org", "a.example.org", false);
	struct isakmp_header h;
	uint8_t again[4096];

	(void)state;
	assert_int_equal(answers, 1);
	assert_int_equal(header_decode(&h, span_of(answer, answer_len)), ERR_OK);
	assert_int_equal(h.exchange, EXCH_INFORMATIONAL);
	assert_int_equal(h.cookie_r, 0);
	assert_true(answer_len <= first_len);
	assert_int_equal(r->n[1].k->half_open, 0);
	memcpy(again, first, first_len);
	memset(again + 8, 0x5a, 8);
	forge_give(r, again, first_len);
	again[19] |= FLAG_ENCRYPTED;
	forge_give(r, again, first_len);
	rig_run(r, SECONDS(1));
	assert_int_equal(r->n[1].k->half_open, 0);
	assert_int_equal(rig_stat(&r->n[1], STAT_PHASE1_OK), 0);
	rig_free(r);
}

/* The state of one that was refused is not there for the next one with the same cookie. */
static void refused_then_good(void **state)
{
	struct rig *r = asked("a.example.org", "a.example.org", false);

	(void)state;
	r->n[1].cfg->policies[0].hash = HASH_SHA1;
	rig_config(&r->n[1]);
	forge_give(r, first, first_len);
	rig_run(r, 900000);
	assert_int_equal(answers, 2);
	assert_int_equal(answer[18], EXCH_AGGRESSIVE);
	rig_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(off_and_warned),
		cmocka_unit_test(known_and_unknown),
		cmocka_unit_test(little_amplified),
		cmocka_unit_test(refused_leaves_nothing),
		cmocka_unit_test(refused_then_good),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
