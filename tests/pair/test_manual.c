/* SAs that are keyed by hand.
 *
 *     A 192.168.1.0/24 ---- SPI 1000 --->  B 192.168.2.0/24
 *                      <--- SPI 2000 ----
 */
#include "rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { CIPHER_KEY = 2, AUTH_KEY, OTHER_KEY }; /* ids; 1 is the pre-shared key */

static void keys_set(struct node *n, uint32_t in, uint32_t out)
{
	struct cfg_map_entry *e = rig_map(n, 0);
	const struct cfg_session_keys k = {
		.cipher_key_id = CIPHER_KEY, .auth_key_id = AUTH_KEY, .cipher_len = 16, .auth_len = 24
	};

	snprintf(n->psk[CIPHER_KEY - 1], 64, "0123456789abcdef");
	snprintf(n->psk[AUTH_KEY - 1], 64, "0123456789abcdefghijABCD"); /* more than HMAC-SHA1 takes */
	snprintf(n->psk[OTHER_KEY - 1], 64, "fedcba9876543210");
	e->kind = MAP_MANUAL;
	e->keys_in = e->keys_out = k;
	e->keys_in.esp_spi = in;
	e->keys_out.esp_spi = out;
	rig_config(n);
}

static int setup(void **state)
{
	struct rig *r = rig_new(3, 2);

	keys_set(&r->n[0], 2000, 1000);
	keys_set(&r->n[1], 1000, 2000);
	rig_run(r, SECONDS(1));
	*state = r;
	return 0;
}

static int teardown(void **state)
{
	rig_free(*state);
	return 0;
}

static void both_stand(struct rig *r)
{
	for (int i = 0; i < 2; i++) {
		const struct dpm_sa *in = rig_sa(&r->n[i], true, 0), *out = rig_sa(&r->n[!i], false, 0);

		assert_int_equal(r->n[i].nsas, 2);
		assert_true(in->key.spi == out->key.spi && in->cipher_key_len == 16 && in->auth_key_len == 20);
		assert_memory_equal(in->cipher_key, out->cipher_key, 16);
		assert_memory_equal(in->auth_key, out->auth_key, 20);
		assert_true(in->replay_window == 0 && in->hard_at_us == 0 && in->hard_bytes == 0 && in->idle_s == 0 && !in->esn);
		assert_int_equal(in->peer_spi, rig_sa(&r->n[i], false, 0)->key.spi);
	}
}

/* They stand as soon as the entry is complete, and nobody says a word. */
static void stand_without_a_word(void **state)
{
	struct rig *r = *state;

	both_stand(r);
	rig_acquire(&r->n[0], 10, 10);
	rig_run(r, SECONDS(100000));
	both_stand(r);
	assert_int_equal(r->n[0].sent + r->n[1].sent, 0);
	assert_int_equal(r->n[0].put_count, 2);
}

static void changes(void **state)
{
	struct rig *r = *state;
	struct node *a = &r->n[0];
	struct cfg_map_entry *e = rig_map(a, 0);

	/* What touches no key or place leaves them alone. */
	a->cfg->ipsec.lifetime_s = 600;
	rig_config(a);
	rig_run(r, SECONDS(1));
	assert_int_equal(a->put_count, 2);
	e->keys_in.cipher_key_id = OTHER_KEY;
	rig_config(a);
	rig_run(r, SECONDS(1));
	assert_true(a->put_count == 3 && a->del_count == 1 && a->nsas == 2);
	assert_memory_equal(rig_sa(a, true, 0)->cipher_key, "fedcba9876543210", 16);
	e->keys_in.esp_spi = 3000;
	rig_config(a);
	rig_run(r, SECONDS(1));
	/* The outbound one names the inbound one, so both are new. */
	assert_true(a->put_count == 5 && a->del_count == 3 && a->nsas == 2 && rig_sa(a, true, 0)->key.spi == 3000);
	a->cfg->interfaces[0].shutdown = true;
	rig_config(a);
	assert_int_equal(a->nsas, 0);
	a->cfg->interfaces[0].shutdown = false;
	rig_config(a);
	rig_run(r, SECONDS(1));
	assert_int_equal(a->nsas, 2);
	e->keys_out.auth_key_id = 0; /* incomplete */
	rig_config(a);
	assert_int_equal(a->nsas, 0);
}

static void survive(void **state)
{
	struct rig *r = *state;
	struct node *a = &r->n[0];
	struct dpm_sa_info kept = { .key = a->sas[0].key, .policy = a->sas[0].policy, .remote = a->sas[0].remote };
	struct ikem_clear all = { .what = IKE_CLEAR_IPSEC };
	struct dpm_expire e = { .key = a->sas[1].key, .why = DP_EXPIRE_SEQUENCE };

	rig_restart(a);
	ike_adopt(a->k, &kept);
	rig_run(r, SECONDS(1));
	both_stand(r);
	assert_int_equal(a->del_count, 0);
	/* One that the configuration does not have any more goes. */
	kept.key.spi = 4711;
	a->sas[a->nsas++] = (struct dpm_sa){ .key = kept.key };
	ike_adopt(a->k, &kept);
	both_stand(r);
	a->nsas = 0;
	ike_datapath_reset(a->k);
	rig_run(r, SECONDS(1));
	both_stand(r);
	assert_int_equal(ike_clear(a->k, &all), 2);
	assert_int_equal(a->nsas, 0);
	rig_run(r, SECONDS(1));
	both_stand(r);
	ike_expire(a->k, &e);
	assert_int_equal(a->nsas, 1);
	rig_run(r, SECONDS(1));
	both_stand(r);
}

/* The data path says no: said once, and tried until it says yes. */
static void refused(void **state)
{
	struct rig *r = *state;
	struct node *a = &r->n[0];

	a->nsas = 0;
	a->refuse_put = true;
	ike_datapath_reset(a->k);
	rig_run(r, SECONDS(60));
	assert_int_equal(a->nsas, 0);
	assert_true(rig_log_has(
		r, "outbound SA 0x3E8 with 198.51.100.2 that is keyed by hand cannot be used: the data path refused it"));
	a->refuse_put = false;
	rig_run(r, SECONDS(6));
	both_stand(r);
}

/* AH around ESP: each names the other. */
static void bundle(void **state)
{
	struct rig *r = *state;
	struct node *a = &r->n[0];
	struct cfg_map_entry *e = rig_map(a, 0);

	a->cfg->sets[0].ah = HASH_SHA1;
	e->keys_in.ah_spi = 5000;
	e->keys_out.ah_spi = 6000;
	e->keys_in.ah_key_id = e->keys_out.ah_key_id = AUTH_KEY;
	e->keys_in.ah_len = e->keys_out.ah_len = 24;
	rig_config(a);
	rig_run(r, SECONDS(1));
	assert_int_equal(a->nsas, 4);
	for (size_t i = 0; i < 4; i++) {
		const struct dpm_sa *s = &a->sas[i];
		bool ah = s->key.protocol == 51;

		assert_int_equal(s->bundle_spi, ah ? (s->key.inbound ? 2000 : 1000) : (s->key.inbound ? 5000 : 6000));
		assert_true(s->transport == ah && (s->cipher == CIPHER_NONE) == ah && s->auth_key_len == 20);
	}
}

/* IKE has no part in such an entry. */
static void not_negotiated(void **state)
{
	struct rig *r = *state;
	struct dp_selectors sel;
	struct policy p;
	struct sa_state s = { .path = { .local = r->n[0].address, .remote = r->n[1].address } };
	char why[200];

	assert_true(ace_selectors(&r->n[0].cfg->acls[0].entries[0], &sel));
	assert_false(policy_match(r->n[0].k, &s, &sel, &p, why, sizeof(why)));
	assert_false(peer_configured(r->n[0].k, r->n[0].address, r->n[1].address));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(stand_without_a_word),
		TEST(changes),
		TEST(survive),
		TEST(refused),
		TEST(bundle),
		TEST(not_negotiated),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
