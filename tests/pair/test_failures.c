/* What goes wrong between A and B (and C, the other peer), what the engineer reads, and how it heals.
 *
 *     A ---- B
 *      \---- C
 */
#include "rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void ask_again(struct rig *r)
{
	if (!rig_up(r))
		rig_acquire(&r->n[0], 10, 10);
	rig_later(r, SECONDS(2), ask_again);
}

static void wrong_key(void **state)
{
	struct rig *r = rig_new(1, 2);

	(void)state;
	strcpy(r->n[1].psk[0], "another key");
	rig_acquire(&r->n[0], 10, 10);
	rig_run(r, SECONDS(2));
	assert_int_equal(rig_ike_state(&r->n[0]), MM_KEY_EXCH);
	assert_int_equal(rig_ike_state(&r->n[1]), MM_KEY_EXCH);
	assert_true(
		rig_log_has(r, "%CRYPTO-4-IKMP_BAD_MESSAGE: IKE message from 203.0.113.1 failed its sanity check or is malformed"));
	assert_non_null(strstr(rig_failure(&r->n[1]), "pre-shared keys differ"));
	rig_run(r, SECONDS(60));
	assert_non_null(strstr(rig_failure(&r->n[0]), "pre-shared keys differ"));
	assert_int_equal(r->n[0].failed_count, 1);
	rig_free(r);
}

/* As soon as either side's key is right, the tunnel comes: no timer of minutes is waited for. */
static void key_corrected(void **state)
{
	(void)state;
	for (int side = 0; side < 2; side++) {
		struct rig *r = rig_new(2, 2);
		struct cfg_isakmp_key *k = &r->n[side].cfg->keys[0];

		strcpy(r->n[side].psk[1], "a key of the two sites");
		strcpy(r->n[side].psk[0], "another key");
		rig_later(r, 0, ask_again);
		rig_run(r, SECONDS(50));
		assert_false(rig_up(r));
		k->secret_id = 2;
		rig_config(&r->n[side]);
		assert_true(rig_until(r, rig_up, SECONDS(10)));
		rig_free(r);
	}
}

static void no_proposal(void **state)
{
	struct rig *r = rig_new(3, 2);

	(void)state;
	r->n[1].cfg->policies[0].encryption = CIPHER_AES256;
	r->n[1].cfg->policies[0].group = GROUP_14;
	rig_later(r, 0, ask_again);
	rig_run(r, SECONDS(1));
	assert_int_equal(rig_ike_state(&r->n[0]), MM_NO_STATE);
	assert_true(rig_log_has(r,
		"Main mode failed with peer at 203.0.113.1: no proposal matched (they offered aes/sha/group2; we want aes "
		"256/sha/group14 (policy 10))"));
	assert_true(rig_log_has(r, "Main mode failed with peer at 198.51.100.2: the peer says NO-PROPOSAL-CHOSEN"));
	assert_int_equal(r->n[0].failed_count, 1);
	r->n[1].cfg->policies[0].encryption = CIPHER_AES128;
	r->n[1].cfg->policies[0].group = GROUP_2;
	rig_config(&r->n[1]);
	assert_true(rig_until(r, rig_up, SECONDS(10)));
	rig_free(r);
}

static void no_transform(void **state)
{
	struct rig *r = rig_new(4, 2);

	(void)state;
	r->n[1].cfg->sets[0].cipher = CIPHER_AES256;
	rig_later(r, 0, ask_again);
	rig_run(r, SECONDS(1));
	assert_int_equal(rig_ike_state(&r->n[0]), QM_IDLE);
	assert_true(rig_log_has(r, "Quick mode failed with peer at 203.0.113.1: no proposal matched (they offered"));
	assert_true(rig_log_has(r, "Quick mode failed with peer at 198.51.100.2: the peer says NO-PROPOSAL-CHOSEN"));
	r->n[1].cfg->sets[0].cipher = CIPHER_AES128;
	rig_config(&r->n[1]);
	assert_true(rig_until(r, rig_up, SECONDS(10)));
	assert_int_equal(rig_ike_count(&r->n[0], QM_IDLE), 1);
	rig_free(r);
}

/* The list of the other side is no mirror; it is corrected at A, where the failed flow starts again by itself. */
static void unmirrored(void **state)
{
	struct rig *r = rig_new(5, 2);

	(void)state;
	r->n[0].cfg->acls[0].entries[0].dst = 0xc0a80300;
	rig_acquire(&r->n[0], 10, 10);
	rig_run(r, SECONDS(1));
	assert_true(rig_log_has(r, "the peer says INVALID-ID-INFORMATION"));
	assert_true(rig_log_has(r, "they want 192.168.3.0/255.255.255.0 <-> 192.168.1.0/255.255.255.0, which no access-list"));
	assert_int_equal(r->n[0].failed_count, 1);
	r->n[0].cfg->acls[0].entries[0].dst = 0xc0a80200;
	rig_config(&r->n[0]);
	assert_true(rig_until(r, rig_up, SECONDS(1)));
	rig_free(r);
}

static void no_key(void **state)
{
	struct rig *r = rig_new(6, 2);

	(void)state;
	r->n[0].cfg->nkeys = 0;
	rig_acquire(&r->n[0], 10, 10);
	assert_int_equal(r->n[0].failed_count, 1);
	assert_int_equal(r->n[0].sent, 0);
	assert_non_null(strstr(rig_failure(&r->n[0]), "no pre-shared key for 198.51.100.2"));
	rig_free(r);
	r = rig_new(6, 2);
	r->n[1].cfg->nkeys = 0;
	rig_acquire(&r->n[0], 10, 10);
	rig_run(r, SECONDS(5));
	assert_int_equal(r->n[1].sent, 0);
	assert_int_equal(rig_stat(&r->n[1], STAT_NO_KEY), 3);
	assert_int_equal(r->n[1].k->half_open, 0);
	rig_free(r);
}

/* `set peer` B and C; B is silent. */
static void three(struct rig *r)
{
	struct cfg_map_entry *m = rig_map(&r->n[0], 0);

	m->peers[m->npeers++].addr = addr_to_v4(r->n[2].address);
	cfg_key_add(&r->n[0], "198.51.100.3", "a key of the two sites");
	rig_config(&r->n[0]);
}

static bool a_c_up(struct rig *r)
{
	return rig_carries(r, 0, 2) && rig_carries(r, 2, 0);
}

static void next_peer(void **state)
{
	struct rig *r = rig_new(7, 3);

	(void)state;
	three(r);
	r->n[1].deaf = true;
	rig_acquire(&r->n[0], 10, 10);
	assert_true(rig_until(r, a_c_up, SECONDS(20)));
	assert_int_equal(r->n[0].failed_count, 0);
	rig_free(r);
}

/* The one that answered last is asked first; unless another one is `default`. */
static void last_good_or_default(void **state)
{
	(void)state;
	for (int with_default = 0; with_default < 2; with_default++) {
		struct rig *r = rig_new(8, 3);
		struct ikem_clear c = { .what = IKE_CLEAR_SESSION };

		three(r);
		rig_map(&r->n[0], 0)->peers[0].is_default = with_default != 0;
		r->n[1].deaf = true;
		rig_acquire(&r->n[0], 10, 10);
		assert_true(rig_until(r, a_c_up, SECONDS(20)));
		r->n[1].deaf = false;
		rig_acquire(&r->n[0], 10, 10);
		rig_run(r, SECONDS(10));
		ike_clear(r->n[0].k, &c);
		rig_acquire(&r->n[0], 10, 10);
		rig_run(r, SECONDS(1));
		assert_int_equal(rig_up(r), with_default);
		assert_int_equal(a_c_up(r), !with_default);
		rig_free(r);
	}
}

/* Phase 1 stands but the peer is gone: the quick mode gets no answer, then main mode, then the next peer. */
static void silent_in_phase2(void **state)
{
	struct rig *r = rig_new(9, 3);
	struct ikem_clear c = { .what = IKE_CLEAR_IPSEC };

	(void)state;
	three(r);
	rig_acquire(&r->n[0], 10, 10);
	assert_true(rig_until(r, rig_up, SECONDS(5)));
	ike_clear(r->n[0].k, &c);
	r->n[1].deaf = true;
	rig_acquire(&r->n[0], 10, 10);
	assert_true(rig_until(r, a_c_up, SECONDS(60)));
	rig_free(r);
}

static bool nothing_at_a(struct rig *r)
{
	return r->n[0].nsas == 0;
}

/* A DELETE that names our SPI in place of the sender's: strongSwan's, of a pair that it could not install. */
static void delete_by_our_spi(void **state)
{
	struct rig *r = rig_new(14, 2);
	uint32_t spi;

	(void)state;
	rig_acquire(&r->n[0], 10, 10);
	assert_true(rig_until(r, rig_up, SECONDS(5)));
	spi = rig_sa(&r->n[0], true, 0)->key.spi;
	info_delete_spi(r->n[1].k, r->n[1].address, r->n[0].address, PROTO_AH, spi);
	info_delete_spi(r->n[1].k, r->n[1].address, r->n[0].address, PROTO_ESP, spi + 1);
	rig_run(r, SECONDS(1));
	assert_true(rig_up(r));
	info_delete_spi(r->n[1].k, r->n[1].address, r->n[0].address, PROTO_ESP, spi);
	assert_true(rig_until(r, nothing_at_a, SECONDS(1)));
	rig_acquire(&r->n[0], 10, 10);
	assert_true(rig_until(r, rig_up, SECONDS(5)));
	rig_free(r);
}

/* C has an IKE SA with A, and names A's SPI for B. */
static void delete_of_another_peers(void **state)
{
	struct rig *r = rig_new(15, 3);
	uint32_t spi;

	(void)state;
	three(r);
	rig_acquire(&r->n[0], 10, 10);
	assert_true(rig_until(r, rig_up, SECONDS(5)));
	spi = rig_sa(&r->n[0], true, 0)->key.spi;
	rig_acquire(&r->n[2], 10, 10);
	assert_true(rig_until(r, a_c_up, SECONDS(5)));
	assert_int_equal(rig_pairs(&r->n[0]), 2);
	info_delete_spi(r->n[2].k, r->n[2].address, r->n[0].address, PROTO_ESP, spi);
	rig_run(r, SECONDS(1));
	assert_int_equal(rig_pairs(&r->n[0]), 2);
	assert_int_equal(rig_sa(&r->n[0], true, 0)->key.spi, spi);
	rig_free(r);
}

/* B's ikemgrd was killed: its data path went on, A's next quick mode finds no SA there and makes a new one at once. */
static void peer_restarted(void **state)
{
	struct rig *r = rig_new(10, 2);
	struct ikem_clear c = { .what = IKE_CLEAR_IPSEC };

	(void)state;
	rig_acquire(&r->n[0], 10, 10);
	assert_true(rig_until(r, rig_up, SECONDS(5)));
	rig_run(r, SECONDS(10));
	rig_restart(&r->n[1]);
	r->n[1].nsas = 0;
	ike_clear(r->n[0].k, &c);
	rig_acquire(&r->n[0], 10, 10);
	assert_true(rig_until(r, rig_up, SECONDS(3)));
	/* Both ends may have begun; the one that B forgot is gone. */
	assert_true(rig_ike_count(&r->n[0], QM_IDLE) <= 2);
	assert_int_equal(rig_ike_count(&r->n[0], QM_IDLE), rig_ike_count(&r->n[1], QM_IDLE));
	rig_free(r);
}

static void info_of(struct dpm_sa_info *i, const struct dpm_sa *sa)
{
	memset(i, 0, sizeof(*i));
	i->key = sa->key;
	i->local = sa->local;
	i->remote = sa->remote;
	i->policy = sa->policy;
	i->sel = sa->sel;
	i->cipher = sa->cipher;
	i->auth = sa->auth;
	i->conn_id = sa->conn_id;
	i->peer_spi = sa->peer_spi;
	i->lifetime_s = sa->lifetime_s;
	i->age_s = 5;
}

/* Our own restart: the SAs that the data path kept are used to their end and renewed in time, without a gap. */
static void adopted(void **state)
{
	struct rig *r = rig_new(11, 2);
	struct dpm_sa_info i;

	(void)state;
	rig_map(&r->n[0], 0)->lifetime_s = 300;
	rig_acquire(&r->n[0], 10, 10);
	assert_true(rig_until(r, rig_up, SECONDS(5)));
	rig_run(r, SECONDS(5));
	rig_restart(&r->n[0]);
	for (size_t s = 0; s < 2; s++) {
		info_of(&i, &r->n[0].sas[s]);
		ike_adopt(r->n[0].k, &i);
	}
	for (int s = 0; s < 900; s++) {
		rig_run(r, SECONDS(1));
		assert_true(rig_up(r));
	}
	assert_true(rig_stat(&r->n[0], STAT_PHASE2_OK) >= 3);
	rig_free(r);
}

/* The whole router restarted; B sends on SAs that are gone. A tells B, which forgets them, and asks again. */
static void invalid_spi(void **state)
{
	struct rig *r = rig_new(12, 2);
	struct dpm_invalid_spi i = { 0 };

	(void)state;
	rig_acquire(&r->n[0], 10, 10);
	assert_true(rig_until(r, rig_up, SECONDS(5)));
	rig_restart(&r->n[0]);
	r->n[0].nsas = 0;
	i.local = r->n[0].address;
	i.remote = r->n[1].address;
	i.spi = rig_sa(&r->n[1], false, 0)->key.spi;
	i.protocol = 50;
	for (int n = 0; n < 100; n++)
		ike_invalid_spi(r->n[0].k, &i);
	rig_run(r, SECONDS(1));
	assert_int_equal(rig_ike_count(&r->n[0], QM_IDLE), 1);
	assert_int_equal(rig_pairs(&r->n[1]), 0);
	rig_acquire(&r->n[1], 10, 10);
	assert_true(rig_until(r, rig_up, SECONDS(1)));
	rig_free(r);
}

/* datapathd restarted: the peer is told what is gone, and traffic makes it anew. */
static void datapath_reset(void **state)
{
	struct rig *r = rig_new(13, 2);

	(void)state;
	rig_acquire(&r->n[0], 10, 10);
	assert_true(rig_until(r, rig_up, SECONDS(5)));
	r->n[0].nsas = 0;
	ike_datapath_reset(r->n[0].k);
	rig_run(r, SECONDS(1));
	assert_int_equal(rig_pairs(&r->n[1]), 0);
	assert_true(rig_log_has(r, "Crypto tunnel is DOWN.  Peer 203.0.113.1:500"));
	rig_acquire(&r->n[1], 10, 10);
	assert_true(rig_until(r, rig_up, SECONDS(1)));
	rig_free(r);
}

/* The map is taken off the interface: SAs of both phases go, the peer hears of it. */
static void map_removed(void **state)
{
	struct rig *r = rig_new(14, 2);

	(void)state;
	rig_acquire(&r->n[0], 10, 10);
	assert_true(rig_until(r, rig_up, SECONDS(5)));
	rig_config(&r->n[0]);
	assert_true(rig_up(r));
	r->n[0].cfg->interfaces[0].crypto_map[0] = '\0';
	rig_config(&r->n[0]);
	rig_run(r, SECONDS(1));
	for (int i = 0; i < 2; i++) {
		assert_int_equal(r->n[i].nsas, 0);
		assert_int_equal(rig_ike_count(&r->n[i], QM_IDLE), 0);
	}
	rig_free(r);
}

/* A list that no longer permits it clears the pair; the IKE SA stays. Other changes leave it. */
static void list_changed(void **state)
{
	struct rig *r = rig_new(15, 2);

	(void)state;
	rig_acquire(&r->n[0], 10, 10);
	assert_true(rig_until(r, rig_up, SECONDS(5)));
	r->n[0].cfg->sets[0].cipher = CIPHER_AES256;
	rig_config(&r->n[0]);
	assert_true(rig_up(r));
	r->n[0].cfg->acls[0].entries[0].dst_wild = 0xf;
	rig_config(&r->n[0]);
	rig_run(r, SECONDS(1));
	assert_int_equal(r->n[0].nsas + r->n[1].nsas, 0);
	assert_int_equal(rig_ike_count(&r->n[0], QM_IDLE), 1);
	rig_free(r);
}

static void cleared(void **state)
{
	static const struct {
		int what;
		unsigned n, pairs, ikes;
	} cases[] = { { IKE_CLEAR_IPSEC, 1, 0, 1 }, { IKE_CLEAR_ISAKMP, 1, 1, 0 }, { IKE_CLEAR_SESSION, 2, 0, 0 } };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct rig *r = rig_new(16, 2);
		struct ikem_clear c = { .what = cases[i].what };

		rig_acquire(&r->n[0], 10, 10);
		assert_true(rig_until(r, rig_up, SECONDS(5)));
		assert_int_equal(ike_clear(r->n[0].k, &c), cases[i].n);
		rig_run(r, SECONDS(1));
		for (int n = 0; n < 2; n++) {
			assert_int_equal(rig_pairs(&r->n[n]), cases[i].pairs);
			assert_int_equal(rig_ike_count(&r->n[n], QM_IDLE), cases[i].ikes);
		}
		rig_acquire(&r->n[0], 10, 10);
		assert_true(rig_until(r, rig_up, SECONDS(1)));
		rig_free(r);
	}
}

/* A host that fails: SPI and SA refused. Nothing half-made stays, and the next try works. */
static void host_refuses(void **state)
{
	(void)state;
	for (int side = 0; side < 2; side++)
		for (int put = 0; put < 2; put++) {
			struct rig *r = rig_new(17, 2);

			r->n[side].refuse_spi = !put;
			r->n[side].refuse_put = put != 0;
			rig_later(r, 0, ask_again);
			rig_run(r, SECONDS(5));
			assert_false(rig_up(r));
			assert_int_equal(r->n[side].nsas, 0);
			r->n[side].refuse_spi = r->n[side].refuse_put = false;
			assert_true(rig_until(r, rig_up, SECONDS(60)));
			rig_free(r);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(wrong_key),
		cmocka_unit_test(key_corrected),
		cmocka_unit_test(no_proposal),
		cmocka_unit_test(no_transform),
		cmocka_unit_test(unmirrored),
		cmocka_unit_test(no_key),
		cmocka_unit_test(next_peer),
		cmocka_unit_test(last_good_or_default),
		cmocka_unit_test(silent_in_phase2),
		cmocka_unit_test(delete_by_our_spi),
		cmocka_unit_test(delete_of_another_peers),
		cmocka_unit_test(peer_restarted),
		cmocka_unit_test(adopted),
		cmocka_unit_test(invalid_spi),
		cmocka_unit_test(datapath_reset),
		cmocka_unit_test(map_removed),
		cmocka_unit_test(list_changed),
		cmocka_unit_test(cleared),
		cmocka_unit_test(host_refuses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
