/* Main mode and quick mode between two cores, as the RFC's arrows have it.
 *
 *     A 203.0.113.1 ---- B 198.51.100.2
 */
#include "rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

/* Six messages and three, and the pair carries both ways. */
static void six_and_three(void **state)
{
	struct rig *r = rig_new(1, 2);

	(void)state;
	rig_acquire(&r->n[0], 10, 10);
	assert_true(rig_until(r, rig_up, SECONDS(5)));
	assert_int_equal(r->n[0].sent, 5);
	assert_int_equal(r->n[1].sent, 4);
	assert_int_equal(rig_ike_state(&r->n[0]), QM_IDLE);
	assert_int_equal(rig_ike_state(&r->n[1]), QM_IDLE);
	assert_int_equal(r->n[0].up_count, 1);
	assert_true(
		rig_log_has(r, "%CRYPTO-5-SESSION_STATUS: Crypto tunnel is UP  .  Peer 198.51.100.2:500       Id: 198.51.100.2"));
	rig_free(r);
}

static bool up(struct rig *r, unsigned map_seq, unsigned ace_seq)
{
	rig_acquire(&r->n[0], map_seq, ace_seq);
	return rig_until(r, rig_up, SECONDS(5));
}

/* Every cipher, hash and group of phase 1 that the library has. */
static void every_phase1(void **state)
{
	(void)state;
	for (size_t c = 0; cipher_at(c) != NULL; c++)
		for (size_t h = 0; hash_at(h) != NULL; h++) {
			struct rig *r = rig_new(c * 10 + h, 2);

			if (cipher_at(c)->ikev1_enc == 0 || hash_at(h)->ikev1_hash == 0) {
				rig_free(r);
				continue;
			}
			for (int i = 0; i < 2; i++) {
				r->n[i].cfg->policies[0].encryption = cipher_at(c)->id;
				r->n[i].cfg->policies[0].hash = hash_at(h)->id;
				r->n[i].cfg->policies[0].group = GROUP_19;
				rig_config(&r->n[i]);
			}
			assert_true(up(r, 10, 10));
			rig_free(r);
		}
}

static void every_group(void **state)
{
	(void)state;
	for (size_t g = 0; group_at(g) != NULL; g++) {
		struct rig *r;

		if (!group_at(g)->ikev1)
			continue;
		r = rig_new(g, 2);
		for (int i = 0; i < 2; i++) {
			r->n[i].cfg->policies[0].group = group_at(g)->id;
			rig_map(&r->n[i], 0)->pfs = group_at(g)->id;
			rig_config(&r->n[i]);
		}
		assert_true(up(r, 10, 10));
		assert_int_equal(rig_sa(&r->n[1], true, 0)->pfs_group, group_at(g)->id);
		rig_free(r);
	}
}

/* Every ESP transform; a zero-length key is never made (known failure: null without authentication). */
static void every_transform(void **state)
{
	(void)state;
	for (size_t c = 0; cipher_at(c) != NULL; c++)
		for (size_t h = 0; h < HASH_COUNT; h++) {
			const struct cipher_alg *cipher = cipher_at(c);
			const struct hash_alg *hash = hash_find((enum alg_hash)h);
			struct rig *r;
			bool keyless = cipher_needs_auth(cipher) && hash == NULL;

			if ((h != HASH_NONE && (hash == NULL || hash->ikev1_auth == 0)) || cipher->ikev1_esp == 0 ||
				(cipher->aead && hash != NULL))
				continue;
			r = rig_new(c * 10 + h, 2);
			for (int i = 0; i < 2; i++) {
				r->n[i].cfg->sets[0].cipher = cipher->id;
				r->n[i].cfg->sets[0].auth = (enum alg_hash)h;
				rig_config(&r->n[i]);
			}
			assert_int_equal(up(r, 10, 10), !keyless);
			if (!keyless) {
				const struct dpm_sa *sa = rig_sa(&r->n[0], true, 0);

				assert_int_equal(sa->cipher_key_len, cipher->key_len + cipher->salt_len);
				assert_int_equal(sa->auth_key_len, hash == NULL ? 0 : hash->key_len);
				assert_int_equal(sa->cipher, cipher->id);
			}
			rig_free(r);
		}
}

/* The responder's order decides, among what is offered. */
static void responder_priority(void **state)
{
	struct rig *r = rig_new(3, 2);

	(void)state;
	cfg_policy_add(r->n[0].cfg, 20, CIPHER_AES256, HASH_SHA256, GROUP_14, 86400);
	r->n[1].cfg->policies[0].encryption = CIPHER_3DES;
	cfg_policy_add(r->n[1].cfg, 20, CIPHER_AES256, HASH_SHA256, GROUP_14, 86400);
	cfg_policy_add(r->n[1].cfg, 30, CIPHER_AES128, HASH_SHA1, GROUP_2, 86400);
	assert_true(up(r, 10, 10));
	assert_int_equal(OWNER(r->n[0].k->sas.next, struct ike_sa, all)->st.terms.cipher, CIPHER_AES256);
	assert_int_equal(OWNER(r->n[1].k->sas.next, struct ike_sa, all)->st.terms.group, GROUP_14);
	rig_free(r);
}

static uint32_t ike_life(struct node *n)
{
	return OWNER(n->k->sas.next, struct ike_sa, all)->st.terms.lifetime_s;
}

/* The shorter lifetime counts, whoever has it, and both know it. */
static void phase1_lifetimes(void **state)
{
	(void)state;
	for (int shorter = 0; shorter < 2; shorter++) {
		struct rig *r = rig_new(4, 2);

		r->n[shorter].cfg->policies[0].lifetime_s = 600;
		assert_true(up(r, 10, 10));
		assert_int_equal(ike_life(&r->n[0]), 600);
		assert_int_equal(ike_life(&r->n[1]), 600);
		rig_free(r);
	}
}

/* A policy whose lifetime is not shorter than the offered one comes before one that is, though it stands behind it. */
static void lifetime_prefers(void **state)
{
	struct rig *r = rig_new(5, 2);

	(void)state;
	r->n[0].cfg->policies[0].lifetime_s = 1200;
	r->n[1].cfg->policies[0].lifetime_s = 600;
	cfg_policy_add(r->n[1].cfg, 20, CIPHER_AES128, HASH_SHA1, GROUP_2, 3600);
	assert_true(up(r, 10, 10));
	assert_int_equal(ike_life(&r->n[1]), 1200);
	rig_free(r);
}

static void phase2_lifetimes(void **state)
{
	(void)state;
	for (int shorter = 0; shorter < 2; shorter++) {
		struct rig *r = rig_new(6, 2);

		rig_map(&r->n[shorter], 0)->lifetime_s = 300;
		rig_map(&r->n[1 - shorter], 0)->lifetime_kb = 10000;
		assert_true(up(r, 10, 10));
		for (int i = 0; i < 2; i++) {
			assert_int_equal(rig_sa(&r->n[i], true, 0)->lifetime_s, 300);
			assert_int_equal(rig_sa(&r->n[i], true, 0)->lifetime_kb, 10000);
			assert_int_equal(rig_sa(&r->n[i], false, 0)->hard_bytes, 10000 * 1024);
			assert_int_equal(rig_sa(&r->n[i], false, 0)->soft_bytes, (10000 - 256) * 1024);
		}
		rig_free(r);
	}
}

/* A large volume is renewed a fortieth before its end: 256 KB are over before a far peer has answered. */
static void large_volume(void **state)
{
	struct rig *r = rig_new(6, 2);
	uint64_t hard = UINT64_C(4608000) * 1024;

	(void)state;
	assert_true(up(r, 10, 10));
	assert_int_equal(rig_sa(&r->n[0], false, 0)->hard_bytes, hard);
	assert_int_equal(rig_sa(&r->n[0], false, 0)->soft_bytes, hard - hard / 40);
	rig_free(r);
}

/* Sets in the responder's order, over proposals in ours. */
static void several_sets(void **state)
{
	struct rig *r = rig_new(7, 2);

	(void)state;
	for (int i = 0; i < 2; i++) {
		cfg_set_add(r->n[i].cfg, "G", CIPHER_AES256_GCM, HASH_NONE);
		cfg_set_add(r->n[i].cfg, "D", CIPHER_3DES, HASH_MD5);
	}
	strcpy(rig_map(&r->n[0], 0)->sets[1], "D");
	strcpy(rig_map(&r->n[0], 0)->sets[2], "G");
	rig_map(&r->n[0], 0)->nsets = 3;
	strcpy(rig_map(&r->n[1], 0)->sets[0], "G");
	strcpy(rig_map(&r->n[1], 0)->sets[1], "D");
	rig_map(&r->n[1], 0)->nsets = 2;
	assert_true(up(r, 10, 10));
	assert_int_equal(rig_sa(&r->n[0], true, 0)->cipher, CIPHER_AES256_GCM);
	rig_free(r);
}

/* Two quick modes under one IKE SA; the peer's request finds its entry in the order of the numbers. */
static void several_quick_modes(void **state)
{
	struct rig *r = rig_new(8, 2);

	(void)state;
	cfg_ace_add(r->n[0].cfg, "102", 10, true, "10.1.0.0", 16, "10.2.3.4", 32);
	cfg_ace_add(r->n[1].cfg, "102", 10, true, "10.2.3.4", 32, "10.1.0.0", 16);
	cfg_map_add(r->n[0].cfg, 20, "198.51.100.2", "T", "102");
	cfg_map_add(r->n[1].cfg, 20, "203.0.113.1", "T", "102");
	rig_acquire(&r->n[0], 10, 10);
	rig_acquire(&r->n[0], 20, 10);
	rig_run(r, SECONDS(2));
	assert_int_equal(rig_pairs(&r->n[0]), 2);
	assert_int_equal(rig_pairs(&r->n[1]), 2);
	assert_int_equal(rig_ike_count(&r->n[0], QM_IDLE), 1);
	assert_int_equal(rig_sa(&r->n[1], true, 0)->policy.map_seq, 10);
	assert_int_equal(rig_sa(&r->n[1], true, 1)->policy.map_seq, 20);
	rig_free(r);
}

/* Narrower than a permit line in mirror image is accepted; wider is not. */
static void within_the_list(void **state)
{
	(void)state;
	for (int wider = 0; wider < 2; wider++) {
		struct rig *r = rig_new(9, 2);
		struct cfg_ace *e = &r->n[0].cfg->acls[0].entries[0];

		e->src_wild = wider ? 0xffff : 0xf;
		e->src &= ~e->src_wild;
		assert_int_equal(up(r, 10, 10), !wider);
		if (wider) {
			assert_true(rig_log_has(r, "INVALID-ID-INFORMATION"));
			assert_true(rig_log_has(r, "which no access-list"));
			assert_int_equal(rig_ike_state(&r->n[0]), QM_IDLE);
			assert_int_equal(r->n[0].failed_count, 1);
		} else {
			assert_int_equal(addr_to_v4(rig_sa(&r->n[1], true, 0)->sel.remote.to) & 0xff, 0xf);
		}
		rig_free(r);
	}
}

/* A deny line sends the request on to the next entry. */
static void deny_goes_on(void **state)
{
	struct rig *r = rig_new(10, 2);
	struct cfg *c = r->n[1].cfg;

	(void)state;
	c->acls[0].entries[0].permit = false;
	cfg_ace_add(c, "101", 20, true, "0.0.0.0", 0, "0.0.0.0", 0);
	cfg_ace_add(c, "102", 10, true, "192.168.0.0", 16, "192.168.0.0", 16);
	cfg_map_add(c, 20, "203.0.113.1", "T", "102");
	assert_true(up(r, 10, 10));
	assert_int_equal(rig_sa(&r->n[1], true, 0)->policy.map_seq, 20);
	rig_free(r);
}

/* Protocol and port of the entry travel in the identities. */
static void protocol_and_port(void **state)
{
	struct rig *r = rig_new(11, 2);

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct cfg_ace *e = &r->n[i].cfg->acls[0].entries[0];
		struct cfg_port *p = i == 0 ? &e->dst_port : &e->src_port;

		e->protocol = 6;
		*p = (struct cfg_port){ PORT_EQ, { 443 }, 1 };
	}
	assert_true(up(r, 10, 10));
	assert_int_equal(rig_sa(&r->n[1], true, 0)->sel.local.port_from, 443);
	assert_int_equal(rig_sa(&r->n[1], true, 0)->sel.local.port_to, 443);
	assert_int_equal(rig_sa(&r->n[1], true, 0)->sel.remote.port_to, 65535);
	assert_int_equal(rig_sa(&r->n[1], true, 0)->sel.protocol, 6);
	rig_free(r);
}

/* PFS: the responder wants at least its group; without `set pfs` it takes what comes. */
static void pfs_rules(void **state)
{
	static const struct {
		enum alg_group a, b;
		bool ok;
	} cases[] = { { GROUP_NONE, GROUP_NONE, true }, { GROUP_14, GROUP_NONE, true }, { GROUP_NONE, GROUP_2, false },
		{ GROUP_14, GROUP_2, true }, { GROUP_2, GROUP_14, false }, { GROUP_19, GROUP_19, true } };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct rig *r = rig_new(20 + i, 2);

		rig_map(&r->n[0], 0)->pfs = cases[i].a;
		rig_map(&r->n[1], 0)->pfs = cases[i].b;
		assert_int_equal(up(r, 10, 10), cases[i].ok);
		rig_free(r);
	}
}

/* The keys that an export writes are those that encrypt: 16 bytes for AES-128, by the initiator's cookie. */
static void export_keys(void **state)
{
	struct rig *r = rig_new(12, 2);

	(void)state;
	ike_key_export(r->n[0].k, true);
	assert_true(up(r, 10, 10));
	assert_int_equal(r->n[0].export_key_len, 16);
	assert_true(r->n[0].exported == OWNER(r->n[1].k->sas.next, struct ike_sa, all)->st.cookie_i);
	assert_int_equal(r->n[1].export_key_len, 0);
	rig_free(r);
}

/* A thousand permit lines asked for at once: a pair for each, under one IKE SA. */
static void a_thousand_lines(void **state)
{
	struct rig *r = rig_new(13, 2);
	char left[16], right[16];

	(void)state;
	for (uint32_t i = 0; i < 1000; i++) {
		ip4_print(left, 0x0a000000 + i * 256);
		ip4_print(right, 0x14000000 + i * 256);
		cfg_ace_add(r->n[0].cfg, "101", 20 + i, true, left, 24, right, 24);
		cfg_ace_add(r->n[1].cfg, "101", 20 + i, true, right, 24, left, 24);
	}
	rig_config(&r->n[0]);
	rig_config(&r->n[1]);
	for (uint32_t i = 0; i < 1000; i++)
		rig_acquire(&r->n[0], 10, 20 + i);
	rig_run(r, SECONDS(5));
	assert_int_equal(rig_stat(&r->n[0], STAT_PHASE1_OK), 1);
	assert_int_equal(rig_pairs(&r->n[0]), 1000);
	assert_int_equal(rig_pairs(&r->n[1]), 1000);
	rig_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(six_and_three),
		cmocka_unit_test(every_phase1),
		cmocka_unit_test(every_group),
		cmocka_unit_test(every_transform),
		cmocka_unit_test(responder_priority),
		cmocka_unit_test(phase1_lifetimes),
		cmocka_unit_test(lifetime_prefers),
		cmocka_unit_test(phase2_lifetimes),
		cmocka_unit_test(large_volume),
		cmocka_unit_test(several_sets),
		cmocka_unit_test(several_quick_modes),
		cmocka_unit_test(within_the_list),
		cmocka_unit_test(deny_goes_on),
		cmocka_unit_test(protocol_and_port),
		cmocka_unit_test(pfs_rules),
		cmocka_unit_test(export_keys),
		cmocka_unit_test(a_thousand_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
