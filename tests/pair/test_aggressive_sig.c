/* Aggressive mode with certificates between two cores (RFC 2409 5.1).
 *
 *     A 203.0.113.1 CN=A ---- B 198.51.100.2 CN=B        both trust one CA
 *     crypto isakmp peer address B                       nothing: who has a certificate answers
 *      set aggressive-mode client-endpoint ipv4-address A
 */
#include "rig_pki.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const struct cert_want of_a = { .subject = "/O=Acme/CN=A", .alt = "IP:203.0.113.1" };
static const struct cert_want of_b = { .subject = "/O=Acme/CN=B", .alt = "IP:198.51.100.2" };

struct site {
	struct rig *r;
	struct authority *ca, *other;
	struct cfg_trustpoint *a, *b;
};

/* `stranger`: the node whose certificate another CA has issued, -1: none. It trusts ours. */
static struct site site_of(uint64_t seed, const struct cert_want *a, const struct cert_want *b, int stranger)
{
	struct site s = { rig_new(seed, 2), authority_new("/O=Acme/CN=Root"), authority_new("/O=Other/CN=Root"), NULL, NULL };

	s.a = rig_enroll(&s.r->n[0], stranger == 0 ? s.other : s.ca, a);
	s.b = rig_enroll(&s.r->n[1], stranger == 1 ? s.other : s.ca, b);
	if (stranger >= 0)
		rig_trust(&s.r->n[stranger], "TRUSTED", s.ca);
	cfg_isakmp_peer_add(s.r->n[0].cfg, "198.51.100.2", CFG_ID_ADDRESS, "");
	rig_config(&s.r->n[0]);
	rig_config(&s.r->n[1]);
	return s;
}

static struct site site_new(const struct cert_want *a, const struct cert_want *b)
{
	return site_of(7, a, b, -1);
}

static void site_free(struct site *s)
{
	rig_free(s->r);
	authority_free(s->ca);
	authority_free(s->other);
}

static bool up(struct site *s)
{
	rig_acquire(&s->r->n[0], 10, 10);
	return rig_until(s->r, rig_up, SECONDS(20));
}

/* It does not come up, this stands in the newest failure of the node, and neither end keeps an SA. */
static void fails(struct site *s, int node, const char *why)
{
	assert_false(up(s));
	if (strstr(rig_failure(&s->r->n[node]), why) == NULL)
		fail_msg("\"%s\" is not in \"%s\"", why, rig_failure(&s->r->n[node]));
	for (int i = 0; i < 2; i++) {
		assert_int_equal(rig_pairs(&s->r->n[i]), 0);
		assert_int_equal(rig_ike_count(&s->r->n[i], QM_IDLE), 0);
	}
}

static uint8_t exchange_of(const struct packet *p)
{
	return p->bytes[18];
}

static uint16_t auth_of(struct node *n)
{
	return OWNER(n->k->sas.next, struct ike_sa, all)->st.terms.auth;
}

static void three_messages(void **state)
{
	(void)state;
	for (int rsa = 0; rsa < 2; rsa++) {
		struct cert_want a = of_a, b = of_b;
		struct site s;

		a.rsa_bits = b.rsa_bits = rsa ? 2048 : 0;
		s = site_new(&a, &b);
		s.r->keep = true;
		assert_true(up(&s));
		for (int i = 0; i < 3; i++)
			assert_int_equal(exchange_of(&s.r->kept[i]), EXCH_AGGRESSIVE);
		assert_int_equal(exchange_of(&s.r->kept[3]), EXCH_QUICK);
		assert_true(s.r->kept[2].bytes[19] & FLAG_ENCRYPTED);
		assert_false(rig_log_has(s.r, "IKMP_AGGRESSIVE_PSK"));
		for (int i = 0; i < 2; i++) {
			assert_int_equal(auth_of(&s.r->n[i]), rsa ? AUTH_RSA_SIG : AUTH_ECDSA_256);
			assert_int_equal(rig_ike_state(&s.r->n[i]), QM_IDLE);
		}
		site_free(&s);
	}
}

/* The router's own name goes where the address does not stand in the certificate. */
static void distinguished_names(void **state)
{
	struct site s =
		site_new(&(struct cert_want){ .subject = "/O=Acme/CN=A" }, &(struct cert_want){ .subject = "/O=Acme/CN=B" });

	(void)state;
	assert_true(up(&s));
	site_free(&s);
}

/* Each of the three is lost once. */
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
		struct site s = site_new(&of_a, &of_b);

		seen = 0;
		s.r->edit = lose_one;
		assert_true(up(&s));
		assert_int_equal(rig_ike_count(&s.r->n[0], QM_IDLE), 1);
		assert_int_equal(rig_ike_count(&s.r->n[1], QM_IDLE), 1);
		site_free(&s);
	}
}

static void bad_wire(void **state)
{
	(void)state;
	for (uint64_t seed = 10; seed < 25; seed++) {
		struct site s = site_of(seed, &of_a, &of_b, -1);

		s.r->loss = 20;
		s.r->duplicate = 30;
		s.r->jitter_us = 300000;
		rig_acquire(&s.r->n[0], 10, 10);
		assert_true(rig_until(s.r, rig_up, SECONDS(120)));
		site_free(&s);
	}
}

static bool first_alone(struct rig *r, struct packet *p)
{
	(void)r;
	return p->from != 0 || seen++ == 0;
}

/* One who does not hear the answer, or whose address was forged, gets it once: nothing is repeated by timer, and nothing stays. */
static void one_answer(void **state)
{
	struct site s = site_new(&of_a, &of_b);

	(void)state;
	seen = 0;
	s.r->n[0].deaf = true;
	s.r->edit = first_alone;
	rig_acquire(&s.r->n[0], 10, 10);
	rig_run(s.r, SECONDS(30));
	assert_int_equal(s.r->n[1].sent, 1);
	rig_run(s.r, SECONDS(60));
	assert_int_equal(s.r->n[1].sent, 1);
	assert_int_equal(s.r->n[1].k->half_open, 0);
	site_free(&s);
}

/* RFC 2409 5.1 has the third message in clear. `forge`: and its signature is wrong. */
static bool forge;
static bool clear_third(struct rig *r, struct packet *p)
{
	struct ike_sa *sa = OWNER(r->n[1].k->sas.next, struct ike_sa, all);
	uint8_t iv[CIPHER_BLOCK_MAX], next = p->bytes[16];
	size_t at = 28;

	if (exchange_of(p) != EXCH_AGGRESSIVE || !(p->bytes[19] & FLAG_ENCRYPTED))
		return true;
	memcpy(iv, sa->st.iv, sizeof(iv));
	assert_int_equal(
		cipher_decrypt(sa->st.terms.cipher, secret_span(&sa->st.key), iv, span_of(p->bytes + 28, p->len - 28)), ERR_OK);
	while (next != 0) {
		if (next == 9 && forge) /* SIG */
			p->bytes[at + 8] ^= 1;
		next = p->bytes[at];
		at += (size_t)(p->bytes[at + 2] << 8 | p->bytes[at + 3]);
		assert_true(at <= p->len);
	}
	p->bytes[19] = 0;
	p->bytes[26] = (uint8_t)(at >> 8);
	p->bytes[27] = (uint8_t)at;
	p->len = at;
	return true;
}

/* A wrong one in clear is as if it had not come: anybody can have sent it. */
static void third_in_clear(void **state)
{
	(void)state;
	for (int bad = 0; bad < 2; bad++) {
		struct site s = site_new(&of_a, &of_b);

		forge = bad != 0;
		s.r->edit = clear_third;
		rig_acquire(&s.r->n[0], 10, 10);
		rig_run(s.r, 500000);
		assert_int_equal(rig_ike_state(&s.r->n[1]), bad ? AG_INIT_EXCH : QM_IDLE);
		assert_true((rig_stat(&s.r->n[1], STAT_BAD_HASH) > 0) == bad);
		site_free(&s);
	}
}

/* A bad certificate of the initiator's: it believes that it is through, and is told. */
static void refused_by_the_responder(void **state)
{
	struct site s = site_of(7, &of_a, &of_b, 0);
	struct cert_want a = of_a;

	(void)state;
	fails(&s, 1, "no authenticated trustpoint has issued");
	assert_true(rig_log_has(s.r, "%CRYPTO-5-IKMP_INVAL_CERT: Certificate received from 203.0.113.1 is bad"));
	site_free(&s);
	a.to_s = 999000;
	s = site_new(&a, &of_b);
	fails(&s, 1, "has expired");
	site_free(&s);
	a = of_a;
	a.alt = "DNS:b.example.com";
	s = site_new(&a, &of_b);
	s.r->n[0].cfg->isakmp_peers[0].endpoint.kind = CFG_ID_HOST;
	snprintf(s.r->n[0].cfg->isakmp_peers[0].endpoint.text, CFG_NAME, "a.example.com");
	/* In main mode, too, by which B asks what it does not know any more. */
	s.r->n[0].cfg->isakmp.identity = CFG_ID_HOST;
	snprintf(s.r->n[0].cfg->system.hostname, CFG_NAME, "a.example.com");
	rig_config(&s.r->n[0]);
	fails(&s, 1, "identity a.example.com does not stand in certificate");
	site_free(&s);
}

/* A bad certificate of the responder's: the initiator never sends its own, nor its signature. */
static bool third_seen;
static bool watch_third(struct rig *r, struct packet *p)
{
	(void)r;
	third_seen = third_seen || (exchange_of(p) == EXCH_AGGRESSIVE && (p->bytes[19] & FLAG_ENCRYPTED));
	return true;
}

static void refused_by_the_initiator(void **state)
{
	struct site s = site_of(7, &of_a, &of_b, 1);
	struct cert_want b = of_b;

	(void)state;
	third_seen = false;
	s.r->edit = watch_third;
	fails(&s, 0, "no authenticated trustpoint has issued");
	assert_false(third_seen);
	site_free(&s);
	b.usage = "keyAgreement";
	s = site_new(&of_a, &b);
	s.r->edit = watch_third;
	fails(&s, 0, "does not permit signatures");
	assert_false(third_seen);
	site_free(&s);
}

/* One who has a certificate of another key of the CA's, and signs with his own. */
static void stolen_certificate(void **state)
{
	(void)state;
	for (int thief = 0; thief < 2; thief++) {
		struct site s = site_new(&of_a, &of_b);
		struct cfg_cert *own = &(thief == 0 ? s.a : s.b)->certs[1];
		EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
		X509 *x = authority_sign(s.ca, thief == 0 ? &of_a : &of_b, key);
		uint8_t *at;

		own->len = (uint16_t)i2d_X509(x, NULL);
		own->der = at = realloc(own->der, own->len);
		i2d_X509(x, &at);
		rig_config(&s.r->n[thief]);
		fails(&s, 1 - thief, "is not one of its certificate's key");
		assert_true(rig_stat(&s.r->n[1 - thief], STAT_BAD_HASH) > 0);
		X509_free(x);
		EVP_PKEY_free(key);
		site_free(&s);
	}
}

/* Nothing can be learned of the revocation, at either end: not let in, and nothing was fetched for a stranger. */
static void revocation(void **state)
{
	struct cert_want a = of_a, b = of_b;
	struct site s;

	(void)state;
	a.crl = b.crl = "http://192.0.2.1/root.crl";
	for (int judge = 0; judge < 2; judge++) {
		s = site_new(&a, &b);
		(judge == 0 ? s.a : s.b)->revocation[0] = REVOCATION_CRL;
		fails(&s, judge, "nothing could be learned");
		assert_true(s.r->n[judge].fetches > 0);
		site_free(&s);
	}
	s = site_of(7, &a, &b, 0);
	s.b->revocation[0] = REVOCATION_CRL;
	fails(&s, 1, "no authenticated trustpoint has issued");
	assert_int_equal(s.r->n[1].fetches, 0);
	site_free(&s);
}

/* `crypto isakmp aggressive-mode disable`: no answer; and who would begin it begins main mode. */
static void switched_off(void **state)
{
	struct site s = site_new(&of_a, &of_b);

	(void)state;
	s.r->n[1].cfg->isakmp.aggressive_disable = true;
	rig_config(&s.r->n[1]);
	rig_acquire(&s.r->n[0], 10, 10);
	rig_run(s.r, SECONDS(60));
	assert_int_equal(s.r->n[1].sent, 0);
	s.r->n[0].cfg->isakmp.aggressive_disable = true;
	rig_config(&s.r->n[0]);
	assert_true(up(&s));
	site_free(&s);
}

/* Answering signatures opens no door to the hash of a pre-shared key. */
static void no_hash_for_strangers(void **state)
{
	struct site s = site_new(&of_a, &of_b);

	(void)state;
	cfg_policy_add(s.r->n[1].cfg, 20, CIPHER_AES128, HASH_SHA256, GROUP_2, 86400);
	cfg_key_add(&s.r->n[1], "203.0.113.1", "a key");
	rig_config(&s.r->n[1]);
	s.r->n[0].cfg->policies[0].auth = AUTH_PRE_SHARED;
	cfg_key_add(&s.r->n[0], "198.51.100.2", "a key");
	rig_config(&s.r->n[0]);
	fails(&s, 1, "no proposal matched");
	assert_false(rig_log_has(s.r, "from 203.0.113.1 is bad"));
	site_free(&s);
}

/* A profile asks for it; and its certificate map chooses the profile at the other end, where the identity alone came first. */
static void profiles_and_maps(void **state)
{
	struct site s = site_new(&of_a, &of_b);
	struct cfg *b = s.r->n[1].cfg;
	struct cfg_isakmp_profile *p = cfg_profile_add(s.r->n[0].cfg, "TO-B");

	(void)state;
	s.r->n[0].cfg->nisakmp_peers = 0;
	cfg_profile_match(p, CFG_ID_ADDRESS, "198.51.100.2");
	p->initiate_aggressive = true;
	rig_config(&s.r->n[0]);
	p = cfg_profile_add(b, "P");
	snprintf(b->maps[0].profile, CFG_NAME, "P");
	cfg_profile_match(p, CFG_ID_CERT_MAP, "M");
	b->cert_maps = calloc(1, sizeof(*b->cert_maps));
	b->ncert_maps = 1;
	snprintf(b->cert_maps[0].name, CFG_NAME, "M");
	b->cert_maps[0].nrules = 1;
	b->cert_maps[0].rules[0] = (struct cfg_cert_rule){ CERT_SUBJECT, CERT_CO, "CN = A , o=acme" };
	rig_config(&s.r->n[1]);
	s.r->keep = true;
	assert_true(up(&s));
	assert_int_equal(exchange_of(&s.r->kept[0]), EXCH_AGGRESSIVE);
	assert_string_equal(OWNER(s.r->n[1].k->sas.next, struct ike_sa, all)->st.profile, "P");
	site_free(&s);
}

/* Behind a NAT: the certificate's name says who. The third message is the first on port 4500. */
static void behind_nat(void **state)
{
	struct cert_want a = { .subject = "/O=Acme/CN=A" };
	struct site s = site_new(&a, &of_b);

	(void)state;
	s.r->nat = addr_v4(0xc0000201);
	rig_map(&s.r->n[1], 0)->peers[0].addr = 0xc0000201;
	rig_config(&s.r->n[1]);
	s.r->keep = true;
	assert_true(up(&s));
	assert_int_equal(s.r->kept[0].path.local_port, 500);
	assert_int_equal(s.r->kept[2].path.local_port, 4500);
	assert_int_equal(rig_sa(&s.r->n[1], false, 0)->remote_port, 14500);
	assert_true(rig_sa(&s.r->n[0], true, 0)->udp_encap);
	site_free(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(three_messages),
		cmocka_unit_test(distinguished_names),
		cmocka_unit_test(each_lost),
		cmocka_unit_test(bad_wire),
		cmocka_unit_test(one_answer),
		cmocka_unit_test(third_in_clear),
		cmocka_unit_test(refused_by_the_responder),
		cmocka_unit_test(refused_by_the_initiator),
		cmocka_unit_test(stolen_certificate),
		cmocka_unit_test(revocation),
		cmocka_unit_test(switched_off),
		cmocka_unit_test(no_hash_for_strangers),
		cmocka_unit_test(profiles_and_maps),
		cmocka_unit_test(behind_nat),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
