/* What one packet can make us do: answers no longer than what came (CVE-2016-5361), bounded half-open SAs; a key that goes away
 * in the middle (CVE-2024-2357).
 */
#include "ike_forge.h"

#include "platform/base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* One forged first message, of every shape that A could send; then silence for ten minutes. */
static void one_in_one_out(void **state)
{
	(void)state;
	for (int shape = 0; shape < 6; shape++) {
		struct rig *r = rig_new(10 + shape, 2);
		uint8_t packet[4096];
		size_t len;

		for (int i = 0; i < shape; i++)
			cfg_policy_add(r->n[0].cfg, (uint16_t)(20 + i), CIPHER_AES256, HASH_SHA512, GROUP_16, 86400);
		if (shape == 4)
			r->n[1].cfg->policies[0].group = GROUP_5;
		/* A's own never arrives. */
		r->keep = true;
		r->loss = 100;
		rig_acquire(&r->n[0], 10, 10);
		len = r->kept[0].len;
		memcpy(packet, r->kept[0].bytes, len);
		/* Without the vendor IDs, as small as it gets. */
		if (shape == 5) {
			len = 28 + (size_t)(packet[30] << 8 | packet[31]);
			packet[28] = 0;
			packet[26] = (uint8_t)(len >> 8);
			packet[27] = (uint8_t)len;
		}
		packet[0] ^= 1;
		forge_give(r, packet, len);
		rig_run(r, SECONDS(600));
		assert_true(r->n[1].bytes_out > 0);
		assert_true(r->n[1].bytes_out <= len);
		rig_free(r);
	}
}

/* Anything at all under unknown cookies, many times: never more bytes out than in, and few. */
static void unknown_cookies(void **state)
{
	struct rig *r = rig_new(2, 2);
	uint8_t packet[128] = { 0 };

	(void)state;
	for (unsigned i = 0; i < 10000; i++) {
		struct forged f = { 8, packet, i % 60 };
		uint8_t out[256];
		size_t len = forge_plain(i + 1, i + 2, i % 2 ? EXCH_QUICK : EXCH_MAIN, i, &f, 1, out, sizeof(out));
		size_t before = r->n[1].bytes_out;

		forge_give(r, out, len);
		/* The one thing that is ours to begin: main mode with a configured peer, once in ten seconds. */
		assert_true(r->n[1].bytes_out - before <= len || r->n[1].k->half_open == 1);
	}
	assert_true(r->n[1].sent <= 25);
	rig_free(r);
}

static void half_open_bounded(void **state)
{
	struct rig *r = rig_new(3, 2);
	uint8_t packet[4096];
	struct ike_path path = { .local_port = 500, .remote_port = 500 };
	size_t len;

	(void)state;
	/* Any address may come: a wildcard key. */
	r->n[1].cfg->keys[0].addr = r->n[1].cfg->keys[0].mask = 0;
	rig_config(&r->n[1]);
	r->keep = true;
	rig_acquire(&r->n[0], 10, 10);
	len = r->kept[0].len;
	memcpy(packet, r->kept[0].bytes, len);
	r->n[1].deaf = true;
	path.local = r->n[1].address;
	for (unsigned i = 0; i < 5000; i++) {
		memcpy(packet, &i, sizeof(i));
		path.remote = addr_v4(0x0a000000 + i / 100);
		ike_receive(r->n[1].k, &path, span_of(packet, len));
	}
	assert_true(r->n[1].k->half_open <= HALF_OPEN_MAX);
	assert_int_equal(sa_half_open_of(r->n[1].k, addr_v4(0x0a000001)), HALF_OPEN_PEER_MAX);
	for (unsigned i = 0; i < 5000; i++) {
		memcpy(packet, &i, sizeof(i));
		path.remote = addr_v4(0x0b000000 + i);
		ike_receive(r->n[1].k, &path, span_of(packet, len));
	}
	assert_int_equal(r->n[1].k->half_open, HALF_OPEN_MAX);
	/* They give way to a true one, and pass by themselves. */
	r->n[1].deaf = false;
	assert_true(rig_until(r, rig_up, SECONDS(30)));
	rig_run(r, SECONDS(61));
	assert_int_equal(r->n[1].k->half_open, 0);
	rig_free(r);
}

/* The key is removed before each of the messages, at either end, and comes back: clean failure, then recovery. */
static unsigned remove_at, remove_side, message_count;
static void remove_now(struct rig *r)
{
	r->n[remove_side].cfg->nkeys = 0;
	rig_config(&r->n[remove_side]);
}

static bool remove_key(struct rig *r, struct packet *p)
{
	(void)p;
	if (++message_count == remove_at)
		rig_later(r, 0, remove_now);
	return true;
}

static void ask_again(struct rig *r)
{
	if (!rig_up(r))
		rig_acquire(&r->n[0], 10, 10);
	rig_later(r, SECONDS(2), ask_again);
}

static void key_goes_away(void **state)
{
	(void)state;
	for (remove_side = 0; remove_side < 2; remove_side++)
		for (remove_at = 1; remove_at <= 9; remove_at++) {
			struct rig *r = rig_new(remove_at, 2);

			message_count = 0;
			r->edit = remove_key;
			rig_later(r, 1, ask_again);
			rig_run(r, SECONDS(20));
			if (remove_at <= 5)
				assert_false(rig_up(r));
			r->edit = NULL;
			r->n[remove_side].cfg->nkeys = 1;
			rig_config(&r->n[remove_side]);
			assert_true(rig_until(r, rig_up, SECONDS(15)));
			rig_free(r);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_in_one_out),
		cmocka_unit_test(unknown_cookies),
		cmocka_unit_test(half_open_bounded),
		cmocka_unit_test(key_goes_away),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
