/* Aggressive mode with pre-shared keys (RFC 2409 5.4): who begins it, who answers it, and what a stranger learns.
 *
 *     A  crypto isakmp peer address B               B  crypto isakmp key … hostname a.example.org
 *         set aggressive-mode client-endpoint fqdn a.example.org
 */
#include "rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define KEY "a key of the two sites"

static struct rig *aggressive(uint64_t seed)
{
	struct rig *r = rig_new(seed, 2);

	cfg_isakmp_peer_add(r->n[0].cfg, "198.51.100.2", CFG_ID_HOST, "a.example.org");
	/* By address B has another key: the name decides. */
	strcpy(r->n[1].psk[0], "not this one");
	cfg_key_named_add(&r->n[1], "", "A.example.org", KEY);
	rig_config(&r->n[0]);
	rig_config(&r->n[1]);
	return r;
}

static uint8_t exchange_of(const struct packet *p)
{
	return p->bytes[18];
}

/* A packet of the wire as payloads. */
static struct message *read_packet(const struct packet *p)
{
	static struct message m;
	const char *why;

	memset(&m, 0, sizeof(m));
	assert_int_equal(header_decode(&m.head, span_of(p->bytes, p->len)), ERR_OK);
	assert_int_equal(message_decode(&m, 1, m.head.next, span_of(p->bytes + 28, p->len - 28), false, &why), ERR_OK);
	return &m;
}

static void three_messages(void **state)
{
	struct rig *r = aggressive(1);
	const struct payload *id;

	(void)state;
	r->keep = true;
	rig_acquire(&r->n[0], 10, 10);
	assert_true(rig_until(r, rig_up, SECONDS(5)));
	for (int i = 0; i < 3; i++)
		assert_int_equal(exchange_of(&r->kept[i]), EXCH_AGGRESSIVE);
	assert_int_equal(exchange_of(&r->kept[3]), EXCH_QUICK);
	id = message_find(read_packet(&r->kept[0]), PAYLOAD_ID, 0);
	assert_int_equal(id->v.id.type, ID_FQDN);
	assert_memory_equal(id->v.id.data.data, "a.example.org", 13);
	assert_true(r->kept[2].bytes[19] & FLAG_ENCRYPTED);
	rig_run(r, SECONDS(1));
	assert_true(rig_log_has(r, "Id: a.example.org"));
	assert_true(rig_log_has(r, "%CRYPTO-4-IKMP_AGGRESSIVE_PSK"));
	assert_int_equal(rig_ike_state(&r->n[0]), QM_IDLE);
	assert_int_equal(rig_ike_state(&r->n[1]), QM_IDLE);
	rig_free(r);
}

/* Each of the three is lost once, or twice. */
static int lose, seen;
static bool lose_one(struct rig *r, struct packet *p)
{
	(void)r;
	return exchange_of(p) != EXCH_AGGRESSIVE || seen++ != lose;
}

static void each_lost(void **state)
{
	(void)state;
	for (lose = 0; lose < 3; lose++) {
		struct rig *r = aggressive(2);

		seen = 0;
		r->edit = lose_one;
		rig_acquire(&r->n[0], 10, 10);
		assert_true(rig_until(r, rig_up, SECONDS(5)));
		assert_int_equal(rig_ike_count(&r->n[0], QM_IDLE), 1);
		assert_int_equal(rig_ike_count(&r->n[1], QM_IDLE), 1);
		rig_free(r);
	}
}

static void bad_wire(void **state)
{
	(void)state;
	for (uint64_t seed = 10; seed < 40; seed++) {
		struct rig *r = aggressive(seed);

		r->loss = 20;
		r->duplicate = 30;
		r->jitter_us = 300000;
		rig_acquire(&r->n[0], 10, 10);
		assert_true(rig_until(r, rig_up, SECONDS(120)));
		rig_free(r);
	}
}

/* Nothing is configured that wants it: no answer at all, and the engineer of each side reads why. */
static void off_by_default(void **state)
{
	struct rig *r = rig_new(3, 2);

	(void)state;
	cfg_isakmp_peer_add(r->n[0].cfg, "198.51.100.2", CFG_ID_ADDRESS, "");
	rig_config(&r->n[0]);
	rig_acquire(&r->n[0], 10, 10);
	rig_run(r, SECONDS(60));
	assert_int_equal(r->n[1].sent, 0);
	assert_non_null(strstr(rig_failure(&r->n[1]), "aggressive mode asked for by 203.0.113.1, but no ISAKMP profile"));
	assert_true(rig_log_has(
		r, "Processing of Aggressive mode failed with peer at 198.51.100.2: the peer does not answer, or takes no part"));
	rig_free(r);
}

/* `crypto isakmp aggressive-mode disable`: no answer; and who would begin it begins main mode. */
static void disabled(void **state)
{
	struct rig *r = aggressive(4);

	(void)state;
	r->n[1].cfg->isakmp.aggressive_disable = true;
	rig_config(&r->n[1]);
	rig_acquire(&r->n[0], 10, 10);
	rig_run(r, SECONDS(60));
	assert_int_equal(r->n[1].sent, 0);
	assert_non_null(strstr(rig_failure(&r->n[1]), "but it is disabled"));
	strcpy(r->n[1].psk[0], KEY);
	r->n[0].cfg->isakmp.aggressive_disable = true;
	rig_config(&r->n[0]);
	rig_acquire(&r->n[0], 10, 10);
	assert_true(rig_until(r, rig_up, SECONDS(5)));
	rig_free(r);
}

/* A wrong key shows at the initiator, which sees the proof first. */
static void wrong_key(void **state)
{
	struct rig *r = aggressive(5);

	(void)state;
	strcpy(r->n[1].psk[1], "another");
	rig_acquire(&r->n[0], 10, 10);
	rig_run(r, SECONDS(2));
	assert_true(rig_log_has(r, "198.51.100.2 did not prove that it has the pre-shared key"));
	assert_int_equal(rig_pairs(&r->n[0]), 0);
	rig_run(r, SECONDS(61));
	assert_int_equal(r->n[1].k->half_open, 0);
	rig_free(r);
}

/* Payload by payload, a known and an unknown identity are answered alike; the second cannot go on. */
static void unknown_identity(void **state)
{
	struct message answers[2];
	size_t lengths[2];

	(void)state;
	for (int known = 0; known < 2; known++) {
		struct rig *r = aggressive(6);

		if (!known)
			snprintf(r->n[0].cfg->isakmp_peers[0].endpoint.text, CFG_NAME, "x.example.org");
		r->keep = true;
		rig_acquire(&r->n[0], 10, 10);
		rig_run(r, SECONDS(1));
		assert_int_equal(r->kept[1].from, 1);
		answers[known] = *read_packet(&r->kept[1]);
		lengths[known] = r->kept[1].len;
		assert_int_equal(rig_up(r), known);
		rig_free(r);
	}
	assert_int_equal(lengths[0], lengths[1]);
	assert_int_equal(answers[0].npayloads, answers[1].npayloads);
	for (size_t i = 0; i < answers[0].npayloads; i++) {
		assert_int_equal(answers[0].payloads[i].kind, answers[1].payloads[i].kind);
		assert_int_equal(answers[0].payloads[i].whole.len, answers[1].payloads[i].whole.len);
	}
}

/* The key by address is not for everybody who asks: only with an entry for that peer. */
static void address_key_guarded(void **state)
{
	struct rig *r = rig_new(7, 2);

	(void)state;
	cfg_isakmp_peer_add(r->n[0].cfg, "198.51.100.2", CFG_ID_ADDRESS, "");
	cfg_key_named_add(&r->n[1], "", "somebody.example.org", "x");
	rig_config(&r->n[0]);
	rig_config(&r->n[1]);
	rig_acquire(&r->n[0], 10, 10);
	rig_run(r, SECONDS(3));
	assert_true(rig_log_has(r, "did not prove"));
	cfg_isakmp_peer_add(r->n[1].cfg, "203.0.113.1", CFG_ID_ADDRESS, "");
	rig_config(&r->n[1]);
	rig_acquire(&r->n[0], 10, 10);
	assert_true(rig_until(r, rig_up, SECONDS(5)));
	rig_free(r);
}

/* `set aggressive-mode password` is the key, at either end; a profile asks for aggressive mode too. */
static void password_and_profile(void **state)
{
	struct rig *r = rig_new(8, 2);
	struct cfg_isakmp_profile *p;

	(void)state;
	strcpy(r->n[0].psk[0], "x");
	strcpy(r->n[0].psk[1], KEY);
	strcpy(r->n[1].psk[0], "y");
	strcpy(r->n[1].psk[1], KEY);
	cfg_isakmp_peer_add(r->n[0].cfg, "198.51.100.2", CFG_ID_USER, "joe@example.org")->password_id = 2;
	p = cfg_profile_add(r->n[1].cfg, "ROAD");
	cfg_profile_match(p, CFG_ID_USER_DOMAIN, "example.org");
	snprintf(p->keyrings[p->nkeyrings++], CFG_NAME, "RING");
	cfg_keyring_add(r->n[1].cfg, "RING");
	cfg_key_named_add(&r->n[1], "RING", "joe@example.org", KEY);
	rig_config(&r->n[0]);
	rig_config(&r->n[1]);
	rig_acquire(&r->n[0], 10, 10);
	assert_true(rig_until(r, rig_up, SECONDS(5)));
	rig_run(r, SECONDS(1));
	assert_true(rig_log_has(r, "Id: joe@example.org"));
	assert_string_equal(OWNER(r->n[1].k->sas.next, struct ike_sa, all)->st.profile, "ROAD");
	rig_free(r);
	r = rig_new(9, 2);
	for (int i = 0; i < 2; i++) {
		p = cfg_profile_add(r->n[i].cfg, "P");
		cfg_profile_match(p, CFG_ID_ADDRESS, i == 0 ? "198.51.100.2" : "203.0.113.1");
		p->initiate_aggressive = true;
		rig_config(&r->n[i]);
	}
	r->keep = true;
	rig_acquire(&r->n[1], 10, 10);
	assert_true(rig_until(r, rig_up, SECONDS(5)));
	assert_int_equal(exchange_of(&r->kept[0]), EXCH_AGGRESSIVE);
	rig_free(r);
}

/* The third message in clear is as good as an encrypted one; one byte of its hash wrong, and it has not come. */
static bool forge;
static bool clear_third(struct rig *r, struct packet *p)
{
	struct ike_sa *sa = OWNER(r->n[1].k->sas.next, struct ike_sa, all);
	uint8_t iv[CIPHER_BLOCK_MAX];
	size_t len;

	if (exchange_of(p) != EXCH_AGGRESSIVE || !(p->bytes[19] & FLAG_ENCRYPTED))
		return true;
	memcpy(iv, sa->st.iv, sizeof(iv));
	assert_int_equal(
		cipher_decrypt(sa->st.terms.cipher, secret_span(&sa->st.key), iv, span_of(p->bytes + 28, p->len - 28)), ERR_OK);
	/* HASH alone. */
	len = 28 + (size_t)(p->bytes[30] << 8 | p->bytes[31]);
	p->bytes[28] = 0;
	p->bytes[19] = 0;
	p->bytes[26] = (uint8_t)(len >> 8);
	p->bytes[27] = (uint8_t)len;
	p->len = len;
	if (forge)
		p->bytes[40] ^= 1;
	return true;
}

static void third_in_clear(void **state)
{
	(void)state;
	for (int bad = 0; bad < 2; bad++) {
		struct rig *r = aggressive(11);

		forge = bad != 0;
		r->edit = clear_third;
		rig_acquire(&r->n[0], 10, 10);
		rig_run(r, 500000);
		assert_int_equal(rig_ike_state(&r->n[1]), bad ? AG_INIT_EXCH : QM_IDLE);
		rig_free(r);
	}
}

/* Behind a NAT: the address says nothing, the name says who. The third message is the first on port 4500. */
static void behind_nat(void **state)
{
	struct rig *r = aggressive(12);

	(void)state;
	r->nat = addr_v4(0xc0000201);
	rig_map(&r->n[1], 0)->peers[0].addr = 0xc0000201;
	rig_config(&r->n[1]);
	r->keep = true;
	rig_acquire(&r->n[0], 10, 10);
	assert_true(rig_until(r, rig_up, SECONDS(5)));
	assert_int_equal(r->kept[0].path.local_port, 500);
	assert_int_equal(r->kept[2].path.local_port, 4500);
	assert_int_equal(rig_sa(&r->n[1], false, 0)->remote_port, 14500);
	assert_true(rig_sa(&r->n[0], true, 0)->udp_encap);
	rig_free(r);
}

static void no_proposal(void **state)
{
	struct rig *r = aggressive(13);

	(void)state;
	r->n[1].cfg->policies[0].hash = HASH_SHA256;
	rig_config(&r->n[1]);
	rig_acquire(&r->n[0], 10, 10);
	rig_run(r, SECONDS(1));
	assert_true(rig_log_has(r, "Aggressive mode failed with peer at 198.51.100.2: the peer says NO-PROPOSAL-CHOSEN"));
	assert_int_equal(r->n[1].k->half_open, 0);
	rig_free(r);
}

/* A shorter lifetime at the responder: told when the SA stands, since nothing before that is protected. */
static void shorter_lifetime(void **state)
{
	struct rig *r = aggressive(14);

	(void)state;
	r->n[1].cfg->policies[0].lifetime_s = 600;
	rig_config(&r->n[1]);
	rig_acquire(&r->n[0], 10, 10);
	assert_true(rig_until(r, rig_up, SECONDS(5)));
	rig_run(r, SECONDS(1));
	for (int i = 0; i < 2; i++)
		assert_int_equal(OWNER(r->n[i].k->sas.next, struct ike_sa, all)->st.terms.lifetime_s, 600);
	rig_run(r, SECONDS(1300));
	assert_true(rig_ike_count(&r->n[0], QM_IDLE) >= 1);
	rig_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(three_messages),
		cmocka_unit_test(each_lost),
		cmocka_unit_test(bad_wire),
		cmocka_unit_test(off_by_default),
		cmocka_unit_test(disabled),
		cmocka_unit_test(wrong_key),
		cmocka_unit_test(unknown_identity),
		cmocka_unit_test(address_key_guarded),
		cmocka_unit_test(password_and_profile),
		cmocka_unit_test(third_in_clear),
		cmocka_unit_test(behind_nat),
		cmocka_unit_test(no_proposal),
		cmocka_unit_test(shorter_lifetime),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
