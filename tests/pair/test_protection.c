/* What a transform-set can ask for: ESP, AH, both, tunnel, transport, extended sequence numbers.
 *
 *     A 203.0.113.1 ---- B 198.51.100.2
 */
#include "rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define AH  51
#define ESP 50

/* The two routers themselves: the only traffic that transport mode is for. */
static void ends_only(struct rig *r)
{
	for (int i = 0; i < 2; i++) {
		struct cfg_ace *e = &r->n[i].cfg->acls[0].entries[0];

		e->src = addr_to_v4(r->n[i].address);
		e->dst = addr_to_v4(r->n[1 - i].address);
		e->src_wild = e->dst_wild = 0;
	}
}

static void sets(struct rig *r, int node, struct cfg_transform_set s)
{
	struct cfg_transform_set *t = &r->n[node].cfg->sets[0];

	memcpy(s.name, t->name, sizeof(s.name));
	*t = s;
	rig_config(&r->n[node]);
}

static struct rig *both(uint64_t seed, struct cfg_transform_set s, bool ends)
{
	struct rig *r = rig_new(seed, 2);

	if (ends)
		ends_only(r);
	sets(r, 0, s);
	sets(r, 1, s);
	return r;
}

/* Every outbound SA of either has its twin at the other: same protocol, keys, mode, and the same partner in a bundle. */
static bool agree(struct rig *r)
{
	for (int i = 0; i < 2; i++) {
		const struct node *a = &r->n[i], *b = &r->n[1 - i];

		for (size_t n = 0; n < a->nsas; n++) {
			const struct dpm_sa *out = &a->sas[n], *twin = NULL;

			for (size_t m = 0; m < b->nsas && !out->key.inbound; m++)
				if (b->sas[m].key.inbound && b->sas[m].key.spi == out->key.spi &&
					b->sas[m].key.protocol == out->key.protocol)
					twin = &b->sas[m];
			if (!out->key.inbound &&
				(twin == NULL || twin->bundle_spi != out->bundle_spi || twin->peer_spi != out->peer_spi ||
					twin->transport != out->transport || twin->esn != out->esn || twin->cipher != out->cipher ||
					twin->auth != out->auth || twin->cipher_key_len != out->cipher_key_len ||
					twin->auth_key_len != out->auth_key_len ||
					memcmp(twin->cipher_key, out->cipher_key, out->cipher_key_len) != 0 ||
					memcmp(twin->auth_key, out->auth_key, out->auth_key_len) != 0))
				return false;
		}
	}
	return true;
}

static bool quiet(struct rig *r)
{
	return r->n[0].nsas > 0 && r->n[1].nsas > 0 && r->n[0].up_count > 0 && r->n[1].up_count > 0;
}

static bool up(struct rig *r)
{
	rig_acquire(&r->n[0], 10, 10);
	return rig_until(r, quiet, SECONDS(5)) && agree(r);
}

static const struct dpm_sa *sa_of(struct rig *r, int node, uint8_t protocol, bool inbound)
{
	for (size_t i = 0; i < r->n[node].nsas; i++)
		if (r->n[node].sas[i].key.protocol == protocol && r->n[node].sas[i].key.inbound == inbound)
			return &r->n[node].sas[i];
	return NULL;
}

static void ah_alone(void **state)
{
	(void)state;
	for (int h = HASH_NONE + 1; h < HASH_COUNT; h++) {
		struct rig *r;

		if (hash_find((enum alg_hash)h) == NULL || hash_find((enum alg_hash)h)->ikev1_ah == 0)
			continue;
		r = both((uint64_t)h, (struct cfg_transform_set){ .ah = (enum alg_hash)h }, false);
		assert_true(up(r));
		assert_int_equal(r->n[0].nsas, 2);
		assert_null(sa_of(r, 0, ESP, true));
		assert_int_equal(sa_of(r, 0, AH, true)->auth, h);
		assert_int_equal(sa_of(r, 0, AH, true)->cipher, CIPHER_NONE);
		assert_int_equal(sa_of(r, 0, AH, true)->auth_key_len, hash_find((enum alg_hash)h)->key_len);
		assert_int_equal(sa_of(r, 0, AH, false)->bundle_spi, 0);
		rig_free(r);
	}
}

/* RFC 2408 4.2: two proposals of one number; the two SAs name each other, and the AH SA is put first. */
static void ah_and_esp(void **state)
{
	static const struct cfg_transform_set wanted[] = {
		{ .ah = HASH_SHA256, .cipher = CIPHER_AES128, .auth = HASH_SHA1 },
		{ .ah = HASH_MD5, .cipher = CIPHER_AES256_GCM, .transport = true },
		{ .ah = HASH_SHA1, .cipher = CIPHER_3DES },
		{ .ah = HASH_AES_XCBC, .cipher = CIPHER_CAMELLIA192, .auth = HASH_AES_XCBC, .esn = true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
		struct rig *r = both(i, wanted[i], wanted[i].transport);

		assert_true(up(r));
		for (int n = 0; n < 2; n++) {
			assert_int_equal(r->n[n].nsas, 4);
			for (int in = 0; in < 2; in++) {
				const struct dpm_sa *ah = sa_of(r, n, AH, in), *esp = sa_of(r, n, ESP, in);

				assert_true(ah != NULL && esp != NULL && ah < esp);
				assert_true(ah->bundle_spi == esp->key.spi && esp->bundle_spi == ah->key.spi);
				assert_true(ah->transport == wanted[i].transport && esp->transport == wanted[i].transport);
				assert_true(ah->esn == wanted[i].esn && esp->esn == wanted[i].esn);
				assert_true(ah->auth == wanted[i].ah && esp->cipher == wanted[i].cipher);
			}
		}
		rig_free(r);
	}
}

/* What one side wants and the other does not is refused, and both are told what was offered and wanted. */
static void mismatched(void **state)
{
	static const struct {
		struct cfg_transform_set a, b;
		const char *text;
	} cases[] = {
		{ { .ah = HASH_SHA1 }, { .ah = HASH_SHA256 }, "they offered ah-sha-hmac; crypto map M 10 wants ah-sha256-hmac" },
		{ { .ah = HASH_SHA1 }, { .cipher = CIPHER_AES128, .auth = HASH_SHA1 }, "they offered ah-sha-hmac;" },
		{ { .ah = HASH_SHA1, .cipher = CIPHER_AES128 }, { .cipher = CIPHER_AES128 },
			"they offered ah-sha-hmac, and esp-aes; crypto map M 10 wants esp-aes" },
		{ { .cipher = CIPHER_AES128 }, { .ah = HASH_SHA1, .cipher = CIPHER_AES128 }, "wants ah-sha-hmac esp-aes" },
		{ { .cipher = CIPHER_AES128, .auth = HASH_SHA1 }, { .cipher = CIPHER_AES128, .auth = HASH_SHA1, .esn = true },
			"wants esp-aes esp-sha-hmac esn" },
		{ { .cipher = CIPHER_AES128, .auth = HASH_SHA1, .esn = true }, { .cipher = CIPHER_AES128, .auth = HASH_SHA1 },
			"they offered esp-aes esp-sha-hmac esn" },
		{ { .cipher = CIPHER_AES128, .auth = HASH_SHA1, .transport = true }, { .cipher = CIPHER_AES128, .auth = HASH_SHA1 },
			"esp-sha-hmac mode 2 (Transport)" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct rig *r = rig_new(i, 2);

		ends_only(r);
		sets(r, 0, cases[i].a);
		sets(r, 1, cases[i].b);
		rig_acquire(&r->n[0], 10, 10);
		rig_run(r, SECONDS(5));
		assert_int_equal(r->n[0].nsas, 0);
		assert_int_equal(r->n[1].nsas, 0);
		if (strstr(rig_failure(&r->n[1]), cases[i].text) == NULL)
			fail_msg("case %zu: \"%s\" is not in \"%s\"", i, cases[i].text, rig_failure(&r->n[1]));
		assert_non_null(strstr(rig_failure(&r->n[0]), "NO-PROPOSAL-CHOSEN"));
		rig_free(r);
	}
}

/* Transport mode for the two ends, tunnel mode for what lies behind them; as responder either. */
static void transport(void **state)
{
	const struct cfg_transform_set t = { .cipher = CIPHER_AES128, .auth = HASH_SHA1, .transport = true };
	struct cfg_transform_set tunnel = t;
	struct rig *r = both(1, t, true);

	(void)state;
	tunnel.transport = false;
	assert_true(up(r));
	assert_int_equal(sa_of(r, 0, ESP, true)->transport, 1);
	rig_free(r);

	r = both(2, t, false);
	assert_true(up(r));
	assert_int_equal(sa_of(r, 0, ESP, true)->transport, 0);
	rig_free(r);

	r = both(3, t, true);
	sets(r, 0, tunnel);
	assert_true(up(r));
	assert_int_equal(sa_of(r, 1, ESP, true)->transport, 0);
	rig_free(r);
}

/* A is behind a NAT: AH is not offered and not taken, and it is said why. */
static void ah_behind_nat(void **state)
{
	const struct cfg_transform_set ah = { .ah = HASH_SHA1, .cipher = CIPHER_AES128 };
	struct rig *r = both(1, ah, false);

	(void)state;
	r->nat = addr_v4(0xc0000209);
	r->n[1].cfg->maps[0].peers[0].addr = addr_to_v4(r->nat);
	r->n[1].cfg->keys[0].addr = addr_to_v4(r->nat);
	rig_config(&r->n[1]);
	rig_acquire(&r->n[0], 10, 10);
	rig_run(r, SECONDS(5));
	assert_int_equal(r->n[0].nsas, 0);
	assert_true(rig_log_has(r,
		"%CRYPTO-4-IKMP_NO_TRANSFORM: Transform set T is not offered to 198.51.100.2: AH cannot pass the NAT "
		"in front of us, which translates an address that AH covers"));
	/* The policy's traffic is told, and another set that can pass is used. */
	assert_int_equal(r->n[0].failed_count, 1);
	cfg_set_add(r->n[0].cfg, "U", CIPHER_AES128, HASH_SHA1);
	cfg_set_add(r->n[1].cfg, "U", CIPHER_AES128, HASH_SHA1);
	for (int i = 0; i < 2; i++) {
		strcpy(rig_map(&r->n[i], 0)->sets[1], "U");
		rig_map(&r->n[i], 0)->nsets = 2;
		rig_config(&r->n[i]);
	}
	assert_true(rig_until(r, quiet, SECONDS(5)));
	assert_null(sa_of(r, 0, AH, true));
	assert_int_equal(sa_of(r, 1, ESP, false)->udp_encap, 1);
	rig_free(r);
}

/* RFC 3947 5.2. A, 203.0.113.1, is seen by B as 192.0.2.9. B wants to know how A's checksums were made. */
static void original_addresses(void **state)
{
	const struct cfg_transform_set t = { .cipher = CIPHER_AES128, .auth = HASH_SHA1, .transport = true };
	struct rig *r = both(1, t, true);
	const struct dpm_sa *a, *b;

	(void)state;
	r->nat = addr_v4(0xc0000209);
	r->n[1].cfg->maps[0].peers[0].addr = addr_to_v4(r->nat);
	r->n[1].cfg->keys[0].addr = addr_to_v4(r->nat);
	r->n[1].cfg->acls[0].entries[0].dst = addr_to_v4(r->nat);
	rig_config(&r->n[1]);
	assert_true(up(r));
	a = sa_of(r, 0, ESP, true);
	b = sa_of(r, 1, ESP, true);
	assert_true(a->transport && b->transport && a->udp_encap && b->udp_encap);
	assert_true(addr_equal(b->sel.remote.from, r->nat) && addr_equal(b->sel.local.from, r->n[1].address));
	assert_true(addr_equal(b->nat_oa_remote, r->n[0].address));
	assert_false(addr_is_set(b->nat_oa_local));
	assert_true(addr_equal(a->nat_oa_local, r->nat));
	assert_false(addr_is_set(a->nat_oa_remote));
	rig_free(r);
}

static const struct cfg_transform_set bundled = { .ah = HASH_SHA1, .cipher = CIPHER_AES128, .auth = HASH_SHA1 };

/* Both SAs of a bundle end together: told by the peer, by either limit, for want of traffic, at the end of their time. */
static void bundle_ends(void **state)
{
	static const struct {
		uint8_t protocol, why;
	} cases[] = { { AH, DP_EXPIRE_HARD }, { ESP, DP_EXPIRE_HARD }, { AH, DP_EXPIRE_IDLE }, { ESP, DP_EXPIRE_IDLE } };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		for (int in = 0; in < 2; in++) {
			struct rig *r = both(i, bundled, false);
			struct dpm_expire e = { .why = cases[i].why };

			assert_true(up(r));
			e.key = sa_of(r, 0, cases[i].protocol, in)->key;
			ike_expire(r->n[0].k, &e);
			assert_int_equal(r->n[0].nsas, 0);
			rig_run(r, SECONDS(1));
			assert_int_equal(r->n[1].nsas, 0);
			/* The next packet starts again. */
			r->n[0].up_count = r->n[1].up_count = 0;
			assert_true(up(r));
			assert_int_equal(r->n[0].nsas, 4);
			rig_free(r);
		}
}

static void bundle_renewed(void **state)
{
	struct rig *r = both(1, bundled, false);

	(void)state;
	assert_true(up(r));
	rig_run(r, SECONDS(3585));
	assert_int_equal(r->n[0].nsas, 8);
	rig_run(r, SECONDS(60));
	assert_int_equal(r->n[0].nsas, 4);
	assert_int_equal(r->n[1].nsas, 4);
	assert_true(agree(r));
	rig_free(r);
}

static void info_of(struct dpm_sa_info *i, const struct dpm_sa *sa)
{
	*i = (struct dpm_sa_info){ .key = sa->key,
		.local = sa->local,
		.remote = sa->remote,
		.policy = sa->policy,
		.sel = sa->sel,
		.bundle_spi = sa->bundle_spi,
		.peer_spi = sa->peer_spi,
		.conn_id = sa->conn_id,
		.lifetime_s = sa->lifetime_s,
		.age_s = 1 };
}

/* After a restart the four SAs are one pair again, in whatever order they are listed; and are cleared as one. */
static void bundle_adopted(void **state)
{
	(void)state;
	for (unsigned order = 0; order < 24; order++) {
		struct rig *r = both(order, bundled, false);
		struct ikem_clear all = { .what = IKE_CLEAR_IPSEC };
		size_t places[4] = { 0, 1, 2, 3 }, left = 4;
		unsigned o = order;

		assert_true(up(r));
		rig_restart(&r->n[0]);
		while (left > 0) {
			struct dpm_sa_info i;
			size_t at = o % left;

			o /= (unsigned)left;
			info_of(&i, &r->n[0].sas[places[at]]);
			places[at] = places[--left];
			ike_adopt(r->n[0].k, &i);
			ike_adopt(r->n[0].k, &i);
		}
		assert_int_equal(ike_clear(r->n[0].k, &all), 1);
		assert_int_equal(r->n[0].nsas, 0);
		rig_free(r);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ah_alone),
		cmocka_unit_test(ah_and_esp),
		cmocka_unit_test(mismatched),
		cmocka_unit_test(transport),
		cmocka_unit_test(ah_behind_nat),
		cmocka_unit_test(original_addresses),
		cmocka_unit_test(bundle_ends),
		cmocka_unit_test(bundle_renewed),
		cmocka_unit_test(bundle_adopted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
