/* Revocation between two cores: CRLs and OCSP, of each certificate of the chain, in the order of `revocation-check`.
 *
 *     A 203.0.113.1 CN=A ---- B 198.51.100.2 CN=B, who asks
 *
 *     Root -- CN=A            one CA; or
 *     Root -- Sub -- CN=A     B trusts Root and is shown Sub, or has both as trustpoints
 */
#include "rig_pki.h"

#include "ikemgr/revocation.h"

#include <openssl/ocsp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ROOT_CRL "http://192.0.2.1/root.crl"
#define SUB_CRL  "http://192.0.2.1/sub.crl"
#define OCSP     "http://192.0.2.1:2560/"

static struct cert_want of_a, of_b;

struct site {
	struct rig *r;
	struct authority *root, *sub;
	struct cfg_trustpoint *a, *b;
};

/* What the web has. */
static struct {
	struct site *s;
	struct ocsp_want ocsp;
	bool silent; /* nobody answers OCSP */
	struct crl_want root, sub;
	unsigned ocsp_asked, root_asked, sub_asked;
} web;

static enum err serve(struct node *n, const char *url, struct span body, uint8_t *out, size_t size, size_t *len)
{
	(void)n;
	if (strcmp(url, OCSP) == 0) {
		web.ocsp_asked++;
		if (web.silent)
			return ERR_TIMEOUT;
		assert_true(body.len > 0);
		*len = authority_ocsp(web.s->sub ? web.s->sub : web.s->root, &web.ocsp, body, out, size);
		return ERR_OK;
	}
	assert_int_equal(body.len, 0);
	if (strcmp(url, ROOT_CRL) == 0) {
		web.root_asked++;
		*len = authority_crl_want(web.s->root, &web.root, out, size);
		return ERR_OK;
	}
	assert_string_equal(url, SUB_CRL);
	web.sub_asked++;
	*len = authority_crl_want(web.s->sub, &web.sub, out, size);
	return ERR_OK;
}

static long wall_of(struct site *s)
{
	return (long)(s->r->n[1].env.wall_us(s->r->n[1].env.ctx) / 1000000);
}

static void methods(
	struct cfg_trustpoint *t, enum cfg_revocation one, enum cfg_revocation two, enum cfg_revocation three, uint8_t n)
{
	t->revocation[0] = one;
	t->revocation[1] = two;
	t->revocation[2] = three;
	t->nrevocation = n;
}

/* `below`: A's certificate is from Sub. B trusts Root in both cases. */
static void site_open(struct site *s, bool below)
{
	*s = (struct site){ .r = rig_new(7, 2), .root = authority_new("/O=Acme/CN=Root") };
	s->sub = below ? authority_below(s->root, "/O=Acme/CN=Sub", ROOT_CRL) : NULL;
	memset(&web, 0, sizeof(web));
	web.s = s;
	web.ocsp = (struct ocsp_want){ .status = V_OCSP_CERTSTATUS_GOOD, .this_s = wall_of(s) - 10, .next_s = wall_of(s) + 3600 };
	rig_enroll(&s->r->n[0], below ? s->sub : s->root, &of_a);
	rig_trust(&s->r->n[0], "ROOT", s->root);
	rig_config(&s->r->n[0]);
	s->b = rig_enroll(&s->r->n[1], s->root, &of_b);
	s->r->n[1].fetched = serve;
}

static void site_close(struct site *s)
{
	rig_free(s->r);
	authority_free(s->root);
	if (s->sub)
		authority_free(s->sub);
}

static bool up(struct site *s)
{
	rig_config(&s->r->n[1]);
	rig_acquire(&s->r->n[0], 10, 10);
	return rig_until(s->r, rig_up, SECONDS(20));
}

static void again(struct site *s)
{
	ike_clear(s->r->n[0].k, &(struct ikem_clear){ .what = IKE_CLEAR_SESSION });
	rig_run(s->r, SECONDS(2));
}

static void fails(struct site *s, const char *why)
{
	assert_false(up(s));
	if (strstr(rig_failure(&s->r->n[1]), why) == NULL)
		fail_msg("\"%s\" is not in \"%s\"", why, rig_failure(&s->r->n[1]));
	assert_int_equal(rig_pairs(&s->r->n[1]), 0);
}

static void says(struct site *s, const char *text)
{
	if (!rig_log_has(s->r, text))
		fail_msg("\"%s\" is not in the log:\n%s", text, s->r->log);
}

static int begin(void **state)
{
	(void)state;
	of_a = (struct cert_want){ .subject = "/O=Acme/CN=A", .alt = "IP:203.0.113.1" };
	of_b = (struct cert_want){ .subject = "/O=Acme/CN=B", .alt = "IP:198.51.100.2" };
	return 0;
}

/* ---- OCSP ---- */

static X509 *of_node(struct node *n)
{
	const uint8_t *at = n->cfg->trustpoints[0].certs[1].der;

	return d2i_X509(NULL, &at, n->cfg->trustpoints[0].certs[1].len);
}

static void ocsp_open(struct site *s)
{
	of_a.ocsp = OCSP;
	site_open(s, false);
	methods(s->b, REVOCATION_OCSP, 0, 0, 1);
}

static void ocsp_statuses(void **state)
{
	struct site s;

	(void)state;
	ocsp_open(&s);
	assert_true(up(&s));
	assert_int_equal(web.ocsp_asked, 1);
	/* It is asked each time. */
	again(&s);
	assert_true(up(&s));
	assert_int_equal(web.ocsp_asked, 2);
	again(&s);
	web.ocsp.status = V_OCSP_CERTSTATUS_REVOKED;
	fails(&s, "certificate cn=A,o=Acme has been revoked");
	says(&s, "%PKI-3-CERTIFICATE_REVOKED: Certificate chain validation has failed.  The certificate (SN: ");
	web.ocsp.status = V_OCSP_CERTSTATUS_UNKNOWN;
	fails(&s, "nothing could be learned");
	says(&s, "%PKI-3-OCSP_FAIL: OCSP check for trustpoint CA failed. Reason : the responder does not know the certificate");
	site_close(&s);
}

/* `ocsp url` of the trustpoint comes before the certificate's; without either there is nobody to ask. */
static void ocsp_place(void **state)
{
	struct site s;

	(void)state;
	ocsp_open(&s);
	of_a.ocsp = NULL;
	site_close(&s);
	site_open(&s, false);
	methods(s.b, REVOCATION_OCSP, 0, 0, 1);
	fails(&s, "nothing could be learned");
	says(&s, "neither the trustpoint nor the certificate names a responder");
	assert_int_equal(s.r->n[1].fetches, 0);
	snprintf(s.b->ocsp_url, sizeof(s.b->ocsp_url), OCSP);
	assert_true(up(&s));
	site_close(&s);
	of_a.ocsp = "http://192.0.2.99/elsewhere";
	site_open(&s, false);
	methods(s.b, REVOCATION_OCSP, 0, 0, 1);
	snprintf(s.b->ocsp_url, sizeof(s.b->ocsp_url), OCSP);
	assert_true(up(&s));
	site_close(&s);
}

/* ocsp, crl, none in their order: the next one when nothing was learned, and only then. */
static void fall_through(void **state)
{
	struct site s;
	X509 *x;

	(void)state;
	of_a.crl = ROOT_CRL;
	ocsp_open(&s);
	web.silent = true;
	fails(&s, "nothing could be learned");
	says(&s, "OCSP_FAIL: OCSP check for trustpoint CA failed. Reason : ");
	methods(s.b, REVOCATION_OCSP, REVOCATION_CRL, 0, 2);
	assert_true(up(&s));
	assert_int_equal(web.root_asked, 1);
	again(&s);
	/* What is known is known: the next method is not asked. */
	web.silent = false;
	web.ocsp.status = V_OCSP_CERTSTATUS_REVOKED;
	methods(s.b, REVOCATION_OCSP, REVOCATION_CRL, REVOCATION_NONE, 3);
	fails(&s, "has been revoked");
	/* The CRL says so when the responder is down, and `none` does not help. */
	web.silent = true;
	x = of_node(&s.r->n[0]);
	web.root = (struct crl_want){ .revoked = (X509 *const[]){ x }, .n = 1, .last_s = 2 };
	rig_restart(&s.r->n[1]);
	fails(&s, "has been revoked");
	X509_free(x);
	assert_false(rig_log_has(s.r, "REVOCATION_NOT_CHECKED"));
	methods(s.b, REVOCATION_OCSP, REVOCATION_NONE, 0, 2);
	assert_true(up(&s));
	says(&s, "%PKI-4-REVOCATION_NOT_CHECKED: The certificate (SN: ");
	site_close(&s);
}

static void ocsp_times(void **state)
{
	struct site s;

	(void)state;
	ocsp_open(&s);
	web.ocsp.this_s = wall_of(&s) - 7200;
	web.ocsp.next_s = wall_of(&s) - 3600;
	fails(&s, "nothing could be learned");
	says(&s, "Reason : it is out of date");
	web.ocsp.next_s = 0;
	web.ocsp.this_s = wall_of(&s) - 3 * 86400;
	fails(&s, "nothing could be learned");
	web.ocsp.this_s = wall_of(&s) + 7200;
	web.ocsp.next_s = wall_of(&s) + 9000;
	fails(&s, "nothing could be learned");
	says(&s, "Reason : it is of a time that is yet to come");
	web.ocsp.this_s = wall_of(&s) - 3600;
	web.ocsp.next_s = 0;
	assert_true(up(&s));
	site_close(&s);
}

static void ocsp_signers(void **state)
{
	static const struct cert_want with = { .subject = "/CN=OCSP", .usage = "digitalSignature", .extended = "OCSPSigning" },
				      without = { .subject = "/CN=OCSP", .usage = "digitalSignature" },
				      late = { .subject = "/CN=OCSP", .extended = "OCSPSigning", .to_s = 1000 };
	struct authority *other = authority_new("/O=Acme/CN=Root");
	EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
	struct site s;

	(void)state;
	ocsp_open(&s);
	web.ocsp.key = key;
	web.ocsp.cert = authority_sign(s.root, &with, key);
	assert_true(up(&s));
	again(&s);
	X509_free(web.ocsp.cert);
	web.ocsp.cert = authority_sign(s.root, &without, key);
	fails(&s, "nothing could be learned");
	says(&s, "neither by the CA nor by a responder that it has delegated (missing ocspsigning usage)");
	X509_free(web.ocsp.cert);
	web.ocsp.cert = authority_sign(s.root, &late, key);
	fails(&s, "nothing could be learned");
	X509_free(web.ocsp.cert);
	/* Delegated by a CA of the same name and another key. */
	web.ocsp.cert = authority_sign(other, &with, key);
	fails(&s, "nothing could be learned");
	X509_free(web.ocsp.cert);
	/* The CA's name, not its key. */
	web.ocsp.cert = NULL;
	web.ocsp.key = NULL;
	s.r->nlog = 0;
	EVP_PKEY *own = s.root->key;
	X509 *shown = s.root->cert;
	s.root->key = other->key;
	s.root->cert = other->cert;
	fails(&s, "nothing could be learned");
	s.root->key = own;
	s.root->cert = shown;
	/* An old digest. */
	web.ocsp.md = EVP_sha1();
	fails(&s, "nothing could be learned");
	says(&s, "(its signature is one with MD5 or SHA-1)");
	web.ocsp.md = NULL;
	assert_true(up(&s));
	EVP_PKEY_free(key);
	authority_free(other);
	site_close(&s);
}

static void ocsp_nonces(void **state)
{
	struct site s;

	(void)state;
	ocsp_open(&s);
	web.ocsp.no_nonce = true;
	fails(&s, "nothing could be learned");
	says(&s, "Reason : it has no nonce: see ocsp disable-nonce");
	s.b->no_nonce = true;
	assert_true(up(&s));
	site_close(&s);
}

/* ---- CRLs ---- */

static void crl_open(struct site *s)
{
	of_a.crl = ROOT_CRL;
	site_open(s, false);
	methods(s->b, REVOCATION_CRL, 0, 0, 1);
}

static void crl_kinds(void **state)
{
	static const struct {
		struct crl_want w;
		const char *why;
	} bad[] = {
		{ { .delta = true }, "it is a delta CRL" },
		{ { .point = "critical,indirectCRL:TRUE" }, "it is an indirect CRL" },
		{ { .point = "critical,onlysomereasons:keyCompromise" }, "it is for some reasons of revocation only" },
		{ { .point = "critical,onlyAA:TRUE" }, "it is for attribute certificates" },
		{ { .point = "critical,onlyCA:TRUE" }, "the CRL is not for certificates of this kind" },
		{ { .last_s = 900000000 }, "it is not valid yet" },
		{ { .next_s = 2 }, "its next update is over" },
	};
	struct site s;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		crl_open(&s);
		web.root = bad[i].w;
		fails(&s, "nothing could be learned");
		says(&s, "%PKI-3-CRL_FETCH_FAIL: CRL fetch for trustpoint CA failed. Reason : ");
		says(&s, bad[i].why);
		site_close(&s);
	}
	crl_open(&s);
	web.root.md = EVP_sha1();
	fails(&s, "nothing could be learned");
	says(&s, "its signature is one with MD5 or SHA-1");
	web.root.md = NULL;
	web.root.point = "critical,onlyuser:TRUE";
	assert_true(up(&s));
	site_close(&s);
}

/* Kept to its next update, then fetched again. */
static void crl_kept(void **state)
{
	struct site s;

	(void)state;
	crl_open(&s);
	web.root.next_s = wall_of(&s) + 600;
	assert_true(up(&s));
	again(&s);
	assert_true(up(&s));
	assert_int_equal(web.root_asked, 1);
	again(&s);
	rig_run(s.r, SECONDS(700));
	web.root.next_s = wall_of(&s) + 600;
	assert_true(up(&s));
	assert_int_equal(web.root_asked, 2);
	site_close(&s);
}

static void crl_count(void *ctx, const struct ikem_crl *c)
{
	assert_string_equal(c->url, ROOT_CRL);
	++*(unsigned *)ctx;
}

static void crl_by_hand(void **state)
{
	struct ikem_crl_requested done;
	struct site s;
	unsigned n = 0;

	(void)state;
	crl_open(&s);
	ike_crl_request(s.r->n[1].k, "NONE", &done);
	assert_int_equal(done.lists, 0);
	assert_string_equal(done.why, "there is no such trustpoint");
	/* Neither its own certificate nor the CA's names one. */
	ike_crl_request(s.r->n[1].k, "CA", &done);
	assert_int_equal(done.lists, 0);
	assert_string_equal(done.why, "the certificate names no distribution point");
	site_close(&s);
	of_b.crl = ROOT_CRL;
	site_open(&s, false);
	web.root.last_s = wall_of(&s) - 100;
	ike_crl_request(s.r->n[1].k, "CA", &done);
	assert_int_equal(done.lists, 1);
	rig_run(s.r, SECONDS(1));
	ike_each_crl(s.r->n[1].k, crl_count, &n);
	assert_int_equal(n, 1);
	/* An older one does not take its place; a newer one does. */
	web.root.last_s = wall_of(&s) - 200;
	ike_crl_request(s.r->n[1].k, "CA", &done);
	rig_run(s.r, SECONDS(1));
	says(&s, "Reason : it is older than the one that is kept (" ROOT_CRL ")");
	s.r->nlog = 0;
	web.root.last_s = wall_of(&s) - 50;
	ike_crl_request(s.r->n[1].k, "CA", &done);
	rig_run(s.r, SECONDS(1));
	ike_each_crl(s.r->n[1].k, crl_count, &n);
	assert_int_equal(n, 2);
	/* Nobody serves it. */
	s.r->n[1].fetched = NULL;
	ike_crl_request(s.r->n[1].k, "CA", &done);
	rig_run(s.r, SECONDS(1));
	says(&s, "%PKI-3-CRL_FETCH_FAIL: CRL fetch for trustpoint CA failed. Reason : ");
	site_close(&s);
}

/* ---- The CAs above the certificate ---- */

static void sub_open(struct site *s)
{
	of_a.crl = SUB_CRL;
	site_open(s, true);
	methods(s->b, REVOCATION_CRL, 0, 0, 1);
}

/* B trusts Root alone; A shows Sub. Both lists are asked for, Root's first. */
static void sub_that_is_shown(void **state)
{
	struct site s;

	(void)state;
	sub_open(&s);
	assert_true(up(&s));
	assert_int_equal(web.root_asked, 1);
	assert_int_equal(web.sub_asked, 1);
	site_close(&s);

	sub_open(&s);
	web.root = (struct crl_want){ .revoked = &s.sub->cert, .n = 1 };
	fails(&s, "certificate cn=Sub,o=Acme has been revoked");
	assert_int_equal(web.sub_asked, 0);
	site_close(&s);

	sub_open(&s);
	web.root.point = "critical,onlyuser:TRUE";
	fails(&s, "revocation of certificate cn=Sub,o=Acme");
	web.root.point = "critical,onlyCA:TRUE";
	rig_restart(&s.r->n[1]);
	assert_true(up(&s));
	site_close(&s);
}

/* B has Sub as a trustpoint of its own: its CA is trusted as it is, unless `chain-validation continue` names Root's. */
static void sub_that_is_trusted(void **state)
{
	struct cfg_trustpoint *sub;
	struct site s;

	(void)state;
	sub_open(&s);
	sub = rig_trust(&s.r->n[1], "SUB", s.sub);
	methods(sub, REVOCATION_CRL, 0, 0, 1);
	s.b = &s.r->n[1].cfg->trustpoints[0];
	web.root = (struct crl_want){ .revoked = &s.sub->cert, .n = 1 };
	assert_true(up(&s));
	assert_int_equal(web.root_asked, 0);
	again(&s);
	snprintf(sub->chain_parent, sizeof(sub->chain_parent), "CA");
	fails(&s, "certificate cn=Sub,o=Acme has been revoked");
	/* By the parent's own revocation-check. */
	methods(s.b, REVOCATION_NONE, 0, 0, 1);
	assert_true(up(&s));
	again(&s);
	snprintf(sub->chain_parent, sizeof(sub->chain_parent), "NONE");
	fails(&s, "trustpoint NONE, which chain-validation of SUB names, does not exist");
	site_close(&s);
}

static void parent_of_another_root(void **state)
{
	struct authority *other = authority_new("/O=Other/CN=Root");
	struct cfg_trustpoint *sub;
	struct site s;

	(void)state;
	sub_open(&s);
	rig_trust(&s.r->n[1], "OTHER", other);
	sub = rig_trust(&s.r->n[1], "SUB", s.sub);
	snprintf(sub->chain_parent, sizeof(sub->chain_parent), "OTHER");
	fails(&s, "trustpoint OTHER does not vouch for the CA of SUB");
	/* A circle ends. */
	snprintf(sub->chain_parent, sizeof(sub->chain_parent), "SUB");
	fails(&s, "comes back to it");
	authority_free(other);
	site_close(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(ocsp_statuses, begin),
		cmocka_unit_test_setup(ocsp_place, begin),
		cmocka_unit_test_setup(fall_through, begin),
		cmocka_unit_test_setup(ocsp_times, begin),
		cmocka_unit_test_setup(ocsp_signers, begin),
		cmocka_unit_test_setup(ocsp_nonces, begin),
		cmocka_unit_test_setup(crl_kinds, begin),
		cmocka_unit_test_setup(crl_kept, begin),
		cmocka_unit_test_setup(crl_by_hand, begin),
		cmocka_unit_test_setup(sub_that_is_shown, begin),
		cmocka_unit_test_setup(sub_that_is_trusted, begin),
		cmocka_unit_test_setup(parent_of_another_root, begin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
