/* IKEv1 fragmentation: both ends say that they can; what is long goes in pieces when it has to be repeated; limits of call
 * admission; recovery from SPIs that nobody knows.
 */
#include "rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define SMALL 200 /* so that messages with keys of phase 1 are long */

static struct rig *fragmenting(uint64_t seed)
{
	struct rig *r = rig_new(seed, 2);

	for (int i = 0; i < 2; i++) {
		r->n[i].cfg->isakmp.fragmentation = true;
		r->n[i].k->frag_size = SMALL;
		rig_config(&r->n[i]);
	}
	return r;
}

/* A path that loses what is longer than SMALL, but the first messages, which are before anything is known. */
static unsigned pieces;
static bool narrow(struct rig *r, struct packet *p)
{
	(void)r;
	pieces += p->bytes[16] == PAYLOAD_FRAGMENT;
	return p->len <= SMALL || p->bytes[16] == PAYLOAD_SA;
}

static void long_messages_arrive(void **state)
{
	(void)state;
	for (int aggressive = 0; aggressive < 2; aggressive++) {
		struct rig *r = fragmenting(1);

		if (aggressive) {
			cfg_isakmp_peer_add(r->n[0].cfg, "198.51.100.2", CFG_ID_HOST, "a.example.org");
			cfg_key_named_add(&r->n[1], "", "a.example.org", "a key of the two sites");
			rig_config(&r->n[0]);
			rig_config(&r->n[1]);
		}
		rig_map(&r->n[0], 0)->pfs = rig_map(&r->n[1], 0)->pfs = GROUP_14;
		pieces = 0;
		r->edit = narrow;
		rig_acquire(&r->n[0], 10, 10);
		assert_true(rig_until(r, rig_up, SECONDS(30)));
		assert_true(pieces >= 4);
		assert_int_equal(r->n[0].k->frag_count + r->n[1].k->frag_count, 0);
		assert_int_equal(r->n[0].k->frag_bytes + r->n[1].k->frag_bytes, 0);
		rig_free(r);
	}
}

/* Not before a repetition, and not unless both can. */
static void only_when_needed(void **state)
{
	(void)state;
	for (int deaf = 0; deaf < 2; deaf++) {
		struct rig *r = fragmenting(2);

		if (deaf) {
			r->n[1].cfg->isakmp.fragmentation = false;
			rig_config(&r->n[1]);
		}
		pieces = 0;
		r->edit = deaf ? narrow : NULL;
		rig_acquire(&r->n[0], 10, 10);
		assert_int_equal(rig_until(r, rig_up, SECONDS(30)), !deaf);
		assert_int_equal(rig_stat(&r->n[0], STAT_FRAGMENTED), 0);
		assert_int_equal(pieces, 0);
		rig_free(r);
	}
}

/* Pieces lost, doubled, and in any order. */
static void bad_wire(void **state)
{
	(void)state;
	for (uint64_t seed = 20; seed < 40; seed++) {
		struct rig *r = fragmenting(seed);

		r->loss = 10;
		r->duplicate = 30;
		r->jitter_us = 100000;
		r->edit = narrow;
		rig_acquire(&r->n[0], 10, 10);
		assert_true(rig_until(r, rig_up, SECONDS(200)));
		rig_free(r);
	}
}

static void admission_in_negotiation(void **state)
{
	struct rig *r = rig_new(3, 3);
	struct ikem_admission a;

	(void)state;
	/* One SA stands, a second is not let in; the first may be renewed by nobody then, but works. */
	r->n[0].cfg->isakmp.admission_sa = 1;
	cfg_key_add(&r->n[0], "198.51.100.3", "a key of the two sites");
	rig_config(&r->n[0]);
	rig_acquire(&r->n[1], 10, 10);
	assert_true(rig_until(r, rig_up, SECONDS(5)));
	rig_acquire(&r->n[2], 10, 10);
	rig_run(r, SECONDS(3));
	assert_true(rig_log_has(r,
		"%CRYPTO-4-IKE_DENY_SA_REQ: IKE denied an INCOMING SA request from 198.51.100.3 to 203.0.113.1 due to "
		"IKE SA LIMIT REACHED"));
	ike_admission(r->n[0].k, &a);
	assert_int_equal(a.sas, 1);
	assert_int_equal(a.max_sas, 1);
	assert_int_equal(a.max_negotiating, 1000);
	assert_int_equal(a.rejected_active, a.incoming_rejected);
	assert_true(a.incoming_rejected >= 1);
	assert_int_equal(a.incoming, a.incoming_rejected + 1);
	assert_int_equal(a.children, 1);
	r->n[0].cfg->isakmp.admission_sa = 0;
	rig_config(&r->n[0]);
	rig_run(r, SECONDS(10));
	ike_admission(r->n[0].k, &a);
	assert_int_equal(a.sas, 2);
	rig_free(r);
}

static void admission_outgoing(void **state)
{
	struct rig *r = rig_new(4, 2);
	struct ikem_admission a;

	(void)state;
	r->n[0].cfg->isakmp.admission_negotiation = 10;
	r->n[0].k->half_open = 10;
	rig_config(&r->n[0]);
	rig_acquire(&r->n[0], 10, 10);
	rig_run(r, SECONDS(1));
	assert_int_equal(r->n[0].sent, 0);
	assert_int_equal(r->n[0].failed_count, 1);
	assert_true(rig_log_has(
		r, "IKE denied an OUTGOING SA request from 203.0.113.1 to 198.51.100.2 due to IN-NEGOTIATION SA LIMIT"));
	ike_admission(r->n[0].k, &a);
	assert_int_equal(a.rejected_negotiating, 1);
	r->n[0].k->half_open = 0;
	rig_acquire(&r->n[0], 10, 10);
	assert_true(rig_until(r, rig_up, SECONDS(5)));
	rig_free(r);
}

/* ESP of an SA that we do not have, no IKE SA to tell it: soon after our start always, later only when it is configured. */
static void invalid_spi(void **state)
{
	struct dpm_invalid_spi i = { .spi = 0x12345678, .protocol = 50 };

	(void)state;
	for (int how = 0; how < 3; how++) {
		struct rig *r = rig_new(5, 2);

		i.local = r->n[0].address;
		i.remote = r->n[1].address;
		r->n[0].cfg->isakmp.invalid_spi_recovery = how == 2;
		rig_config(&r->n[0]);
		rig_run(r, how == 0 ? SECONDS(1) : SECONDS(3600));
		ike_invalid_spi(r->n[0].k, &i);
		rig_run(r, SECONDS(2));
		assert_int_equal(rig_ike_count(&r->n[0], QM_IDLE), how != 1);
		rig_free(r);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(long_messages_arrive),
		cmocka_unit_test(only_when_needed),
		cmocka_unit_test(bad_wire),
		cmocka_unit_test(admission_in_negotiation),
		cmocka_unit_test(admission_outgoing),
		cmocka_unit_test(invalid_spi),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
