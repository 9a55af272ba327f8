/* `set isakmp-profile` in an entry of a crypto map: whom it serves as responder, and what it means when we begin.
 *
 *     A 203.0.113.1 ---- B 198.51.100.2, which has the profiles: HERS is A's, OTHERS somebody else's
 */
#include "rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define RING_KEY "a key that only the ring has"

/* B's entries are `first` for 10 and, where given, `second` for 20: the same peer and the same list. */
static struct rig *make(uint64_t seed, const char *first, const char *second)
{
	struct rig *r = rig_new(seed, 2);
	struct cfg *b = r->n[1].cfg;

	cfg_profile_match(cfg_profile_add(b, "HERS"), CFG_ID_ADDRESS, "203.0.113.1");
	cfg_profile_match(cfg_profile_add(b, "OTHERS"), CFG_ID_ADDRESS, "203.0.113.77");
	if (second != NULL)
		snprintf(cfg_map_add(b, 20, "203.0.113.1", "T", "101")->profile, CFG_NAME, "%s", second);
	snprintf(b->maps[0].profile, CFG_NAME, "%s", first);
	rig_config(&r->n[1]);
	return r;
}

static bool asked(struct rig *r, int node)
{
	rig_acquire(&r->n[node], 10, 10);
	return rig_until(r, rig_up, SECONDS(5));
}

static const char *matched(struct rig *r)
{
	return OWNER(r->n[1].k->sas.next, struct ike_sa, all)->st.profile;
}

static void serves_its_own(void **state)
{
	struct rig *r = make(1, "HERS", NULL);

	(void)state;
	assert_true(asked(r, 0));
	assert_string_equal(matched(r), "HERS");
	rig_free(r);
}

/* Phase 1 stands, the traffic is the list's, and the entry is another profile's. */
static void serves_nobody_else(void **state)
{
	struct rig *r = make(2, "OTHERS", NULL);

	(void)state;
	assert_false(asked(r, 0));
	assert_int_equal(rig_ike_state(&r->n[1]), QM_IDLE);
	assert_int_equal(rig_pairs(&r->n[1]), 0);
	assert_non_null(strstr(rig_failure(&r->n[1]),
		"crypto map M 10 is for peers of ISAKMP profile OTHERS, and 203.0.113.1 is of profile HERS"));
	/* Said anew, it serves. */
	snprintf(rig_map(&r->n[1], 0)->profile, CFG_NAME, "HERS");
	rig_config(&r->n[1]);
	assert_true(asked(r, 0));
	rig_free(r);
}

static void peer_of_no_profile(void **state)
{
	struct rig *r = make(3, "OTHERS", NULL);

	(void)state;
	r->n[1].cfg->profiles[0].nmatch = 0;
	rig_config(&r->n[1]);
	assert_false(asked(r, 0));
	assert_non_null(strstr(rig_failure(&r->n[1]), "of ISAKMP profile OTHERS, and 203.0.113.1 is of none"));
	rig_free(r);
}

/* The entries are tried in order; another profile's is passed over, one without a profile serves all. */
static void next_entry(void **state)
{
	static const char *const second[] = { "HERS", "" };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct rig *r = make(4 + i, "OTHERS", second[i]);

		assert_true(asked(r, 0));
		assert_int_equal(rig_sa(&r->n[1], true, 0)->policy.map_seq, 20);
		rig_free(r);
	}
}

/* A's only key is the one of the ring that HERS names, and the identity it wants is the profile's. */
static void begun_with_it(void **state)
{
	struct rig *r = make(6, "HERS", NULL);
	struct cfg_isakmp_profile *p = &r->n[1].cfg->profiles[0];
	struct ikem_clear c = { .what = IKE_CLEAR_IPSEC };

	(void)state;
	snprintf(p->keyrings[p->nkeyrings++], CFG_NAME, "RING");
	cfg_keyring_add(r->n[1].cfg, "RING");
	cfg_key_add(&r->n[1], "203.0.113.1", RING_KEY);
	snprintf(r->n[1].cfg->keys[r->n[1].cfg->nkeys - 1].keyring, CFG_NAME, "RING");
	strcpy(r->n[0].psk[0], RING_KEY);
	rig_config(&r->n[1]);
	assert_true(asked(r, 1));
	rig_run(r, SECONDS(1));
	assert_string_equal(matched(r), "HERS");
	/* What A asks for under the IKE SA that B has made is served by the same entry. */
	ike_clear(r->n[0].k, &c);
	rig_run(r, SECONDS(1));
	assert_int_equal(rig_pairs(&r->n[1]), 0);
	assert_true(asked(r, 0));
	assert_int_equal(rig_ike_count(&r->n[1], QM_IDLE), 1);
	rig_free(r);
}

/* An entry that names a profile takes no other identity than the profile does. */
static void begun_with_another(void **state)
{
	struct rig *r = make(7, "OTHERS", NULL);

	(void)state;
	assert_false(asked(r, 1));
	assert_int_equal(rig_pairs(&r->n[1]), 0);
	assert_non_null(strstr(rig_failure(&r->n[1]), "OTHERS"));
	rig_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(serves_its_own),
		cmocka_unit_test(serves_nobody_else),
		cmocka_unit_test(peer_of_no_profile),
		cmocka_unit_test(next_entry),
		cmocka_unit_test(begun_with_it),
		cmocka_unit_test(begun_with_another),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
