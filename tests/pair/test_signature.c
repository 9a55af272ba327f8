/* Main mode with certificates between two cores.
 *
 *     A 203.0.113.1 CN=A ---- B 198.51.100.2 CN=B        both trust one CA
 */
#include "rig_pki.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const struct cert_want of_a = { .subject = "/O=Acme/CN=A", .alt = "IP:203.0.113.1" };
static const struct cert_want of_b = { .subject = "/O=Acme/CN=B", .alt = "IP:198.51.100.2", .usage = "digitalSignature" };

struct site {
	struct rig *r;
	struct authority *ca;
	struct cfg_trustpoint *a, *b;
};

static struct site site_new(const struct cert_want *a, const struct cert_want *b)
{
	struct site s = { rig_new(7, 2), authority_new("/O=Acme/CN=Root"), NULL, NULL };

	s.a = rig_enroll(&s.r->n[0], s.ca, a);
	s.b = rig_enroll(&s.r->n[1], s.ca, b);
	return s;
}

static void site_free(struct site *s)
{
	rig_free(s->r);
	authority_free(s->ca);
}

static bool up(struct site *s)
{
	rig_acquire(&s->r->n[0], 10, 10);
	return rig_until(s->r, rig_up, SECONDS(20));
}

/* It does not come up, and this stands in the newest failure of the node. */
static void fails(struct site *s, int node, const char *why)
{
	assert_false(up(s));
	if (strstr(rig_failure(&s->r->n[node]), why) == NULL)
		fail_msg("\"%s\" is not in \"%s\"", why, rig_failure(&s->r->n[node]));
	assert_int_equal(rig_pairs(&s->r->n[0]), 0);
	assert_int_equal(rig_pairs(&s->r->n[1]), 0);
}

static void rsa_and_ecdsa(void **state)
{
	struct cert_want a = of_a, b = of_b;
	struct site s = site_new(&a, &b);

	(void)state;
	assert_true(up(&s));
	assert_int_equal(s.r->n[0].sent, 5);
	site_free(&s);
	a.rsa_bits = b.rsa_bits = 2048;
	s = site_new(&a, &b);
	assert_true(up(&s));
	assert_int_equal(rig_ike_state(&s.r->n[1]), QM_IDLE);
	site_free(&s);
}

/* The router's own name goes where the address does not stand in the certificate. */
static void distinguished_names(void **state)
{
	struct cert_want a = { .subject = "/O=Acme/CN=A" }, b = { .subject = "/O=Acme/CN=B" };
	struct site s = site_new(&a, &b);

	(void)state;
	assert_true(up(&s));
	site_free(&s);
}

static void wrong_authority(void **state)
{
	struct site s = { rig_new(7, 2), authority_new("/O=Acme/CN=Root"), NULL, NULL };
	struct authority *other = authority_new("/O=Acme/CN=Root");

	(void)state;
	rig_enroll(&s.r->n[0], other, &of_a);
	rig_enroll(&s.r->n[1], s.ca, &of_b);
	fails(&s, 1, "no authenticated trustpoint has issued");
	assert_true(rig_log_has(s.r, "%CRYPTO-5-IKMP_INVAL_CERT: Certificate received from 203.0.113.1 is bad"));
	assert_true(rig_stat(&s.r->n[1], STAT_BAD_CERT) > 0);
	authority_free(other);
	site_free(&s);
}

/* The responder has taken us, and we do not take it: it is told, and keeps no SA. */
static void refused_by_the_initiator(void **state)
{
	struct site s = { rig_new(7, 2), authority_new("/O=Acme/CN=Root"), NULL, NULL };
	struct authority *other = authority_new("/O=Other/CN=Root");

	(void)state;
	rig_enroll(&s.r->n[0], s.ca, &of_a);
	rig_enroll(&s.r->n[1], other, &of_b);
	rig_trust(&s.r->n[1], "TRUSTED", s.ca);
	rig_config(&s.r->n[1]);
	fails(&s, 0, "no authenticated trustpoint has issued");
	assert_int_equal(rig_ike_count(&s.r->n[1], QM_IDLE), 0);
	authority_free(other);
	site_free(&s);
}

static void expired_and_early(void **state)
{
	struct cert_want a = of_a;
	struct site s;

	(void)state;
	a.to_s = 999000;
	s = site_new(&a, &of_b);
	fails(&s, 1, "has expired");
	site_free(&s);
	a = of_a;
	a.from_s = 2000000;
	s = site_new(&a, &of_b);
	fails(&s, 1, "is not valid before");
	site_free(&s);
}

/* The certificate says another name than the peer. */
static void wrong_name(void **state)
{
	struct cert_want a = of_a;
	struct site s;

	(void)state;
	a.alt = "DNS:b.example.com";
	s = site_new(&a, &of_b);
	s.r->n[0].cfg->isakmp.identity = CFG_ID_HOST;
	snprintf(s.r->n[0].cfg->system.hostname, CFG_NAME, "a.example.com");
	rig_config(&s.r->n[0]);
	fails(&s, 1, "does not stand in certificate");
	site_free(&s);
}

static void weak(void **state)
{
	struct cert_want a = of_a;
	struct site s;

	(void)state;
	a.md = EVP_sha1();
	s = site_new(&a, &of_b);
	fails(&s, 1, "certificate cn=A");
	site_free(&s);
	a = of_a;
	a.usage = "keyAgreement";
	s = site_new(&a, &of_b);
	fails(&s, 1, "does not permit signatures");
	site_free(&s);
}

/* One who has a certificate of another key of the CA's, and signs with his own. */
static void stolen_certificate(void **state)
{
	struct site s = site_new(&of_a, &of_b);
	struct cfg_cert *own = &s.a->certs[1];
	EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
	X509 *x = authority_sign(s.ca, &of_a, key);
	uint8_t *at;

	(void)state;
	own->len = (uint16_t)i2d_X509(x, NULL);
	own->der = at = realloc(own->der, own->len);
	i2d_X509(x, &at);
	rig_config(&s.r->n[0]);
	fails(&s, 1, "is not one of its certificate's key");
	X509_free(x);
	EVP_PKEY_free(key);
	site_free(&s);
}

/* ---- Revocation ---- */

static uint8_t crl[4096];
static size_t crl_len;

static enum err crl_give(struct node *n, const char *url, struct span body, uint8_t *out, size_t size, size_t *len)
{
	(void)n;
	(void)size;
	assert_string_equal(url, "http://192.0.2.1/root.crl");
	assert_int_equal(body.len, 0);
	memcpy(out, crl, crl_len);
	*len = crl_len;
	return ERR_OK;
}

static void revoked(void **state)
{
	struct cert_want a = of_a;
	struct site s;
	const uint8_t *at;
	X509 *x;

	(void)state;
	a.crl = "http://192.0.2.1/root.crl";
	s = site_new(&a, &of_b);
	s.b->revocation[0] = REVOCATION_CRL;
	s.r->n[1].fetched = crl_give;
	crl_len = authority_crl(s.ca, NULL, 0, crl, sizeof(crl));
	assert_true(up(&s));
	assert_int_equal(s.r->n[1].fetches, 1);
	/* A second one finds the CRL there. */
	ike_clear(s.r->n[0].k, &(struct ikem_clear){ .what = IKE_CLEAR_SESSION });
	rig_run(s.r, SECONDS(2));
	assert_true(up(&s));
	assert_int_equal(s.r->n[1].fetches, 1);
	site_free(&s);

	s = site_new(&a, &of_b);
	s.b->revocation[0] = REVOCATION_CRL;
	s.r->n[1].fetched = crl_give;
	at = s.a->certs[1].der;
	x = d2i_X509(NULL, &at, s.a->certs[1].len);
	crl_len = authority_crl(s.ca, (X509 *const[]){ x }, 1, crl, sizeof(crl));
	fails(&s, 1, "has been revoked");
	X509_free(x);
	site_free(&s);
}

static void no_crl(void **state)
{
	struct cert_want a = of_a;
	struct site s;

	(void)state;
	a.crl = "http://192.0.2.1/root.crl";
	s = site_new(&a, &of_b);
	s.b->revocation[0] = REVOCATION_CRL;
	fails(&s, 1, "nothing could be learned");
	assert_true(s.r->n[1].fetches > 0);
	site_free(&s);
	/* `revocation-check crl none` lets it pass. */
	s = site_new(&a, &of_b);
	s.b->revocation[0] = REVOCATION_CRL;
	s.b->revocation[1] = REVOCATION_NONE;
	s.b->nrevocation = 2;
	assert_true(up(&s));
	site_free(&s);
}

/* Nothing is fetched for a chain that is not trusted, nor for a signature that is wrong (CVE-2022-40617). */
static void nothing_fetched_for_a_stranger(void **state)
{
	struct site s = { rig_new(7, 2), authority_new("/O=Acme/CN=Root"), NULL, NULL };
	struct authority *other = authority_new("/O=Acme/CN=Root");
	struct cert_want a = of_a;

	(void)state;
	a.crl = "http://192.0.2.1/root.crl";
	rig_enroll(&s.r->n[0], other, &a);
	rig_enroll(&s.r->n[1], s.ca, &of_b)->revocation[0] = REVOCATION_CRL;
	fails(&s, 1, "no authenticated trustpoint has issued");
	assert_int_equal(s.r->n[1].fetches, 0);
	authority_free(other);
	site_free(&s);
}

/* ---- Profiles and maps ---- */

static void certificate_maps(void **state)
{
	struct site s = site_new(&of_a, &of_b);
	struct cfg *b = s.r->n[1].cfg;
	struct cfg_isakmp_profile *p = cfg_profile_add(b, "P");

	(void)state;
	snprintf(b->maps[0].profile, CFG_NAME, "P");
	cfg_profile_match(p, CFG_ID_CERT_MAP, "M");
	b->cert_maps = calloc(1, sizeof(*b->cert_maps));
	b->ncert_maps = 1;
	snprintf(b->cert_maps[0].name, CFG_NAME, "M");
	b->cert_maps[0].nrules = 1;
	b->cert_maps[0].rules[0] = (struct cfg_cert_rule){ CERT_SUBJECT, CERT_CO, "CN = A , o=acme" };
	rig_config(&s.r->n[1]);
	assert_true(up(&s));
	site_free(&s);
}

static void profile_of_another_trustpoint(void **state)
{
	struct site s = site_new(&of_a, &of_b);
	struct authority *other = authority_new("/O=Other/CN=Root");
	struct cfg_isakmp_profile *p = cfg_profile_add(s.r->n[1].cfg, "P");

	(void)state;
	cfg_profile_match(p, CFG_ID_ADDRESS, "203.0.113.1");
	rig_trust(&s.r->n[1], "OTHER", other);
	snprintf(p->trustpoints[p->ntrustpoints++], CFG_NAME, "OTHER");
	rig_config(&s.r->n[1]);
	fails(&s, 1, "is not one of ISAKMP profile P");
	authority_free(other);
	site_free(&s);
}

/* Pre-shared keys and certificates beside each other: the responder's order decides. */
static void both_methods(void **state)
{
	struct site s = site_new(&of_a, &of_b);

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct node *n = &s.r->n[i];

		cfg_policy_add(n->cfg, 20, CIPHER_AES128, HASH_SHA1, GROUP_2, 86400);
		n->psk[0][0] = '\0';
		cfg_key_add(n, i == 0 ? "198.51.100.2" : "203.0.113.1", "a key");
		rig_config(n);
	}
	assert_true(up(&s));
	assert_int_equal(OWNER(s.r->n[0].k->sas.next, struct ike_sa, all)->st.terms.auth, AUTH_ECDSA_256);
	/* Without the certificate the keys are left. */
	s.r->n[0].cfg->trustpoints[0].certs[1].key_id = 0;
	rig_config(&s.r->n[0]);
	ike_clear(s.r->n[0].k, &(struct ikem_clear){ .what = IKE_CLEAR_SESSION });
	rig_run(s.r, SECONDS(2));
	assert_true(up(&s));
	assert_int_equal(OWNER(s.r->n[0].k->sas.next, struct ike_sa, all)->st.terms.auth, AUTH_PRE_SHARED);
	site_free(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rsa_and_ecdsa),
		cmocka_unit_test(distinguished_names),
		cmocka_unit_test(wrong_authority),
		cmocka_unit_test(refused_by_the_initiator),
		cmocka_unit_test(expired_and_early),
		cmocka_unit_test(wrong_name),
		cmocka_unit_test(weak),
		cmocka_unit_test(stolen_certificate),
		cmocka_unit_test(revoked),
		cmocka_unit_test(no_crl),
		cmocka_unit_test(nothing_fetched_for_a_stranger),
		cmocka_unit_test(certificate_maps),
		cmocka_unit_test(profile_of_another_trustpoint),
		cmocka_unit_test(both_methods),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
