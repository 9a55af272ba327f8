/* NAT traversal, RFC 3947 and drafts.
 *
 *     A ---- NAT 192.0.2.1 (ports + 10000) ---- B
 */
#include "rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct rig *behind_nat(uint64_t seed)
{
	struct rig *r = rig_new(seed, 2);

	r->nat = addr_v4(0xc0000201);
	cfg_key_add(&r->n[1], "192.0.2.1", "a key of the two sites");
	rig_map(&r->n[1], 0)->peers[0].addr = 0xc0000201;
	rig_config(&r->n[1]);
	return r;
}

/* Found, floated to 4500, encapsulated to the port that the NAT gave, and kept open by us alone. */
static void detected(void **state)
{
	struct rig *r = behind_nat(1);
	const struct dpm_sa *sa;

	(void)state;
	rig_acquire(&r->n[0], 10, 10);
	assert_true(rig_until(r, rig_up, SECONDS(5)));
	sa = rig_sa(&r->n[1], false, 0);
	assert_true(sa->udp_encap);
	assert_int_equal(sa->remote_port, 14500);
	assert_int_equal(sa->local_port, 4500);
	assert_true(rig_sa(&r->n[0], true, 0)->udp_encap);
	assert_int_equal(rig_sa(&r->n[0], true, 0)->local_port, 4500);
	rig_run(r, SECONDS(61));
	assert_int_equal(r->n[0].keepalives, 3);
	assert_int_equal(r->n[1].keepalives, 0);
	assert_true(rig_log_has(r, "Peer 192.0.2.1:14500       Id: 203.0.113.1"));
	rig_free(r);
}

static void none_without(void **state)
{
	struct rig *r = rig_new(2, 2);

	(void)state;
	rig_acquire(&r->n[0], 10, 10);
	assert_true(rig_until(r, rig_up, SECONDS(5)));
	assert_false(rig_sa(&r->n[0], true, 0)->udp_encap);
	rig_free(r);
}

/* One side cannot carry native ESP: both encapsulate, whoever begins. */
static void forced(void **state)
{
	(void)state;
	for (int who = 0; who < 4; who++) {
		struct rig *r = rig_new(3, 2);

		r->n[who / 2].k->host.native_esp = false;
		rig_acquire(&r->n[who % 2], 10, 10);
		assert_true(rig_until(r, rig_up, SECONDS(5)));
		for (int i = 0; i < 2; i++) {
			assert_true(rig_sa(&r->n[i], true, 0)->udp_encap);
			assert_true(rig_sa(&r->n[i], false, 0)->udp_encap);
			assert_int_equal(rig_sa(&r->n[i], false, 0)->remote_port, 4500);
		}
		rig_free(r);
	}
}

/* Only one vendor ID of the drafts gets through: their numbers are used. */
static enum vendor only;
static bool keep_only(struct rig *r, struct packet *p)
{
	struct span s = vendor_id(VENDOR_NATT_RFC);

	(void)r;
	for (int v = VENDOR_NATT_RFC; v <= VENDOR_NATT_02; v++) {
		s = vendor_id((enum vendor)v);
		for (size_t i = 28; (enum vendor)v != only && i + s.len <= p->len; i++)
			if (memcmp(p->bytes + i, s.data, s.len) == 0)
				p->bytes[i] ^= 0xff;
	}
	return true;
}

static void drafts(void **state)
{
	static const enum vendor vendors[] = { VENDOR_NATT_03, VENDOR_NATT_02N };

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct rig *r = behind_nat(4);

		only = vendors[i];
		r->edit = keep_only;
		r->keep = true;
		rig_acquire(&r->n[0], 10, 10);
		assert_true(rig_until(r, rig_up, SECONDS(5)));
		assert_true(rig_sa(&r->n[0], true, 0)->udp_encap);
		/* The third message has the drafts' NAT-D behind KE and nonce. */
		assert_int_equal(r->kept[2].bytes[28 + 4 + 128], 130);
		rig_free(r);
	}
}

/* The RFC's vendor ID becomes another draft's, all others nobody's. */
static bool make_old(struct rig *r, struct packet *p)
{
	struct span rfc = vendor_id(VENDOR_NATT_RFC), old = vendor_id(only);

	for (size_t i = 28; i + rfc.len <= p->len; i++)
		if (memcmp(p->bytes + i, rfc.data, rfc.len) == 0)
			memcpy(p->bytes + i, old.data, old.len);
	return keep_only(r, p);
}

/* Drafts with other rules, 00, 01 and 04 to 08: said by name, and nothing of them is done. */
static void old_drafts(void **state)
{
	static const enum vendor vendors[] = { VENDOR_NATT_00, VENDOR_NATT_01, VENDOR_NATT_04, VENDOR_NATT_08, VENDOR_NATT_DRAFT };

	(void)state;
	for (size_t i = 0; i < sizeof(vendors) / sizeof(vendors[0]); i++) {
		struct rig *r = rig_new(4, 2);
		char text[64];

		only = vendors[i];
		r->edit = make_old;
		ike_debug(r->n[1].k, true, false);
		rig_acquire(&r->n[0], 10, 10);
		assert_true(rig_until(r, rig_up, SECONDS(5)));
		assert_false(rig_sa(&r->n[0], true, 0)->udp_encap);
		snprintf(text, sizeof(text), "peer has %s, which we do not have", vendor_text(only));
		assert_true(rig_log_has(r, text));
		snprintf(text, sizeof(text), "vendor ID is %s", vendor_text(only));
		assert_true(rig_log_has(r, text));
		rig_free(r);
	}
}

/* The NAT gives a new port: the data path heard authentic packets from there. */
static void rebound(void **state)
{
	struct rig *r = behind_nat(5);
	struct dpm_mapping m = { .remote_port = 23456 };

	(void)state;
	rig_acquire(&r->n[0], 10, 10);
	assert_true(rig_until(r, rig_up, SECONDS(5)));
	rig_run(r, SECONDS(1));
	m.key = rig_sa(&r->n[1], true, 0)->key;
	m.remote = r->nat;
	ike_mapping(r->n[1].k, &m);
	assert_int_equal(rig_sa(&r->n[1], false, 0)->remote_port, 23456);
	rig_free(r);
}

/* A new address: followed when the configuration knows no better, phase 1 too; not to where no entry of the map leads. */
static void new_address(void **state)
{
	(void)state;
	for (int known = 0; known < 2; known++) {
		struct rig *r = behind_nat(6);
		struct dpm_mapping m = { .remote_port = 23456 };
		struct cfg_map_entry *e = rig_map(&r->n[1], 0);

		rig_acquire(&r->n[0], 10, 10);
		assert_true(rig_until(r, rig_up, SECONDS(5)));
		rig_run(r, SECONDS(1));
		if (known) {
			e->peers[e->npeers++].addr = 0xc0000207;
			cfg_key_add(&r->n[1], "192.0.2.7", "a key of the two sites");
			rig_config(&r->n[1]);
		}
		m.key = rig_sa(&r->n[1], true, 0)->key;
		m.remote = addr_v4(0xc0000207);
		ike_mapping(r->n[1].k, &m);
		assert_int_equal(addr_to_v4(rig_sa(&r->n[1], false, 0)->remote), known ? 0xc0000207 : 0xc0000201);
		if (known) {
			r->nat = m.remote;
			/* Questions of phase 1 find the way, and so does the deletion. */
			ike_clear(r->n[1].k, &(struct ikem_clear){ .what = IKE_CLEAR_SESSION });
			rig_run(r, SECONDS(1));
			assert_int_equal(rig_pairs(&r->n[0]), 0);
		}
		rig_free(r);
	}
}

/* `crypto isakmp nat keepalive`, changed while it runs. */
static void keepalive_interval(void **state)
{
	struct rig *r = behind_nat(7);

	(void)state;
	r->n[0].cfg->isakmp.nat_keepalive_s = 5;
	rig_config(&r->n[0]);
	rig_acquire(&r->n[0], 10, 10);
	assert_true(rig_until(r, rig_up, SECONDS(5)));
	rig_run(r, SECONDS(31));
	assert_in_range(r->n[0].keepalives, 6, 7);
	r->n[0].cfg->isakmp.nat_keepalive_s = 10;
	rig_config(&r->n[0]);
	r->n[0].keepalives = 0;
	rig_run(r, SECONDS(31));
	assert_int_equal(r->n[0].keepalives, 3);
	rig_free(r);
}

/* `no crypto ipsec nat-transparency udp-encapsulation`: not said, not heard; through a NAT there is then plain ESP, or nothing. */
static void switched_off(void **state)
{
	(void)state;
	for (int who = 0; who < 2; who++) {
		struct rig *r = behind_nat(8);

		r->n[who].cfg->isakmp.nat_transparency_off = true;
		rig_config(&r->n[who]);
		r->keep = true;
		rig_acquire(&r->n[0], 10, 10);
		assert_true(rig_until(r, rig_up, SECONDS(5)));
		for (size_t i = 0; i < r->nkept; i++)
			assert_int_equal(r->kept[i].path.local_port, 500);
		assert_false(rig_sa(&r->n[1], false, 0)->udp_encap);
		rig_free(r);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(detected),
		cmocka_unit_test(none_without),
		cmocka_unit_test(forced),
		cmocka_unit_test(drafts),
		cmocka_unit_test(old_drafts),
		cmocka_unit_test(rebound),
		cmocka_unit_test(new_address),
		cmocka_unit_test(keepalive_interval),
		cmocka_unit_test(switched_off),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
