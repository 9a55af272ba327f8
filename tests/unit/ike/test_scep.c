/* SCEP without a network: a CA made of OpenSSL's PKCS #7 answers by hand, on a clock of the test's own.
 *
 *   GetCACaps --> PKCSReq --> PENDING --(a minute)--> CertPoll --> SUCCESS --> unwrap --> install
 */
#include "configdb/alg.h"
#include "configdb/cert.h"
#include "configdb/keypairs.h"
#include "ikemgr/scep/scep.h"

#include <setjmp.h>
#include <stdarg.h>

#include <openssl/err.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MINUTE UINT64_C(60000000)

static uint64_t clock_us;

static uint64_t now_us(void *ctx)
{
	(void)ctx;
	return clock_us;
}

static uint64_t wall_us(void *ctx)
{
	(void)ctx;
	return UINT64_C(1800000000000000) + clock_us;
}

static void random_bytes(void *ctx, void *out, size_t n)
{
	static uint8_t next;

	(void)ctx;
	memset(out, ++next, n);
}

static const struct env env = { now_us, wall_us, random_bytes, NULL };

/* The last wish of each kind. */
static struct {
	uint64_t fetch, sign, unwrap, install, asker;
	enum fetch_how how;
	char url[FETCH_URL];
	uint8_t body[FETCH_BODY_MAX];
	size_t body_len;
	struct ike_sign_request to_sign;
	uint8_t wrapped[512];
	size_t wrapped_len;
	X509 *installed;
	char why[SCEP_FAILURE_TEXT];
	unsigned fetches;
} host;

static enum err host_fetch(void *ctx, uint64_t serial, enum fetch_how how, const char *url, struct span body)
{
	(void)ctx;
	host.fetch = serial;
	host.fetches++;
	host.how = how;
	snprintf(host.url, sizeof(host.url), "%s", url);
	if (body.len)
		memcpy(host.body, body.data, body.len);
	host.body_len = body.len;
	return ERR_OK;
}

static enum err host_sign(void *ctx, uint64_t serial, const struct ike_sign_request *request)
{
	(void)ctx;
	host.sign = serial;
	host.to_sign = *request;
	return ERR_OK;
}

static enum err host_unwrap(void *ctx, uint64_t serial, uint64_t key_id, struct span wrapped)
{
	(void)ctx;
	assert_int_equal(key_id, 7);
	host.unwrap = serial;
	memcpy(host.wrapped, wrapped.data, wrapped.len);
	host.wrapped_len = wrapped.len;
	return ERR_OK;
}

static enum err host_install(void *ctx, uint64_t serial, const char *trustpoint, X509 *x)
{
	(void)ctx;
	assert_string_equal(trustpoint, "T");
	host.install = serial;
	X509_free(host.installed);
	host.installed = X509_dup(x);
	return ERR_OK;
}

static void host_authenticated(void *ctx, uint64_t asker, const char *why, const struct scep_ca *ca)
{
	(void)ctx;
	host.asker = asker;
	snprintf(host.why, sizeof(host.why), "%s", why ? why : "");
	assert_true(!why == (ca != NULL));
}

/* ---- The CA, and the router ---- */

static EVP_PKEY *ca_key, *evil_key, *our_key;
static X509 *ca_cert, *evil_cert, *self_cert;
static struct cfg_cert anchor;
static struct cfg_trustpoint tp;
static struct cfg cfg;
static struct ikem_scep_enroll request;
static struct scep *scep;

static X509 *certificate(EVP_PKEY *key, const char *subject, EVP_PKEY *signer, X509 *issuer, bool is_ca)
{
	static int serial;
	X509 *x = X509_new();
	X509_NAME *name = cert_name_parse(subject);

	X509_set_version(x, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(x), ++serial);
	X509_set_subject_name(x, name);
	X509_set_issuer_name(x, issuer ? X509_get_subject_name(issuer) : name);
	ASN1_TIME_set(X509_getm_notBefore(x), 1);
	ASN1_TIME_set(X509_getm_notAfter(x), 4000000000);
	X509_set_pubkey(x, key);
	if (is_ca) {
		X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, NULL, NID_basic_constraints, "critical,CA:TRUE");

		X509_add_ext(x, e, -1);
		X509_EXTENSION_free(e);
	}
	X509_sign(x, signer, EVP_sha256());
	X509_NAME_free(name);
	return x;
}

static int setup(void **state)
{
	X509_REQ *r = X509_REQ_new();
	X509_NAME *name = cert_name_parse("CN=R1");
	uint8_t *at;

	(void)state;
	alg_init();
	ca_key = keypair_make(KEYPAIR_RSA, 2048);
	evil_key = keypair_make(KEYPAIR_RSA, 2048);
	our_key = keypair_make(KEYPAIR_RSA, 2048);
	ca_cert = certificate(ca_key, "CN=Root", ca_key, NULL, true);
	evil_cert = certificate(evil_key, "CN=Root", evil_key, NULL, true);
	self_cert = certificate(our_key, "CN=R1", our_key, NULL, false);
	anchor.ca = true;
	anchor.len = (uint16_t)i2d_X509(ca_cert, &anchor.der);
	snprintf(tp.name, sizeof(tp.name), "T");
	snprintf(tp.url, sizeof(tp.url), "http://ca");
	tp.retry_count = 3;
	tp.retry_period_m = 1;
	tp.certs = &anchor;
	tp.ncerts = 1;
	cfg.trustpoints = &tp;
	cfg.ntrustpoints = 1;
	X509_REQ_set_subject_name(r, name);
	X509_REQ_set_pubkey(r, our_key);
	X509_REQ_sign(r, our_key, EVP_sha256());
	snprintf(request.trustpoint, sizeof(request.trustpoint), "T");
	request.key_id = 7;
	at = request.request;
	request.request_len = (uint16_t)i2d_X509_REQ(r, &at);
	at = request.signer;
	request.signer_len = (uint16_t)i2d_X509(self_cert, &at);
	X509_NAME_free(name);
	X509_REQ_free(r);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	EVP_PKEY_free(ca_key);
	EVP_PKEY_free(evil_key);
	EVP_PKEY_free(our_key);
	X509_free(ca_cert);
	X509_free(evil_cert);
	X509_free(self_cert);
	X509_free(host.installed);
	OPENSSL_free(anchor.der);
	return 0;
}

static int begin(void **state)
{
	const struct scep_host h = { NULL, &env, host_fetch, host_sign, host_unwrap, host_install, host_authenticated };

	(void)state;
	X509_free(host.installed);
	memset(&host, 0, sizeof(host));
	clock_us = 1;
	scep = scep_new(&h);
	scep_config(scep, &cfg);
	return 0;
}

static int end(void **state)
{
	(void)state;
	scep_free(scep);
	return 0;
}

static struct ikem_scep seen;

static void see(void *ctx, const struct ikem_scep *row)
{
	(void)ctx;
	seen = *row;
}

static int state_of(void)
{
	seen = (struct ikem_scep){ .state = 99 };
	scep_each(scep, see, NULL);
	return seen.state;
}

/* The keys process: RSA as it is. */
static void sign_now(void)
{
	EVP_PKEY_CTX *c = EVP_PKEY_CTX_new(our_key, NULL);
	uint8_t out[512];
	size_t n = sizeof(out);

	assert_int_equal(host.to_sign.key_id, 7);
	EVP_PKEY_sign_init(c);
	EVP_PKEY_CTX_set_rsa_padding(c, RSA_PKCS1_PADDING);
	assert_int_equal(EVP_PKEY_sign(c, out, &n, host.to_sign.hash, host.to_sign.hash_len), 1);
	EVP_PKEY_CTX_free(c);
	scep_done_sign(scep, host.sign, ERR_OK, span_of(out, n));
}

static void unwrap_now(void)
{
	EVP_PKEY_CTX *c = EVP_PKEY_CTX_new(our_key, NULL);
	uint8_t out[512];
	size_t n = sizeof(out);

	EVP_PKEY_decrypt_init(c);
	EVP_PKEY_CTX_set_rsa_padding(c, RSA_PKCS1_PADDING);
	assert_int_equal(EVP_PKEY_decrypt(c, out, &n, host.wrapped, host.wrapped_len), 1);
	EVP_PKEY_CTX_free(c);
	scep_done_unwrap(scep, host.unwrap, ERR_OK, span_of(out, n));
}

/* What we sent, as a CA reads it: checked and decrypted by OpenSSL. */
struct heard {
	char type[4], transaction[SCEP_TRANSACTION];
	uint8_t nonce[SCEP_NONCE];
	uint8_t content[4096];
	int len;
};

static const ASN1_STRING *attribute_of(PKCS7_SIGNER_INFO *si, enum scep_attribute a)
{
	const ASN1_TYPE *t = PKCS7_get_signed_attribute(si, scep_nid(a));

	assert_non_null(t);
	return t->value.asn1_string;
}

static void hear(struct heard *h)
{
	const uint8_t *at = host.body;
	PKCS7 *p = d2i_PKCS7(NULL, &at, (long)host.body_len), *inner;
	BIO *content = BIO_new(BIO_s_mem()), *plain = BIO_new(BIO_s_mem());
	PKCS7_SIGNER_INFO *si;

	assert_non_null(p);
	assert_int_equal(PKCS7_verify(p, NULL, NULL, NULL, content, PKCS7_NOVERIFY | PKCS7_BINARY), 1);
	si = sk_PKCS7_SIGNER_INFO_value(PKCS7_get_signer_info(p), 0);
	snprintf(h->type, sizeof(h->type), "%s", (const char *)ASN1_STRING_get0_data(attribute_of(si, SCEP_MESSAGE_TYPE)));
	snprintf(
		h->transaction, sizeof(h->transaction), "%s", (const char *)ASN1_STRING_get0_data(attribute_of(si, SCEP_TRANS_ID)));
	memcpy(h->nonce, ASN1_STRING_get0_data(attribute_of(si, SCEP_SENDER_NONCE)), SCEP_NONCE);
	inner = d2i_PKCS7_bio(content, NULL);
	assert_non_null(inner);
	assert_int_equal(PKCS7_decrypt(inner, ca_key, ca_cert, plain, PKCS7_BINARY), 1);
	h->len = BIO_read(plain, h->content, sizeof(h->content));
	PKCS7_free(inner);
	PKCS7_free(p);
	BIO_free(content);
	BIO_free(plain);
}

/* ---- Answers ---- */

struct reply {
	const char *status, *fail, *transaction;
	const uint8_t *nonce;
	X509 *signer;
	EVP_PKEY *key;
	const EVP_MD *md;
	X509 *granted; /* in the envelope; NULL: no content */
};

static void put(PKCS7_SIGNER_INFO *si, enum scep_attribute a, int type, const void *data, int len)
{
	ASN1_STRING *s = ASN1_STRING_type_new(type);

	ASN1_STRING_set(s, data, len);
	assert_int_equal(PKCS7_add_signed_attribute(si, scep_nid(a), type, s), 1);
}

static int envelope_of(X509 *x, uint8_t **der)
{
	PKCS7 *bag = PKCS7_new(), *sealed;
	STACK_OF(X509) *to = sk_X509_new_null();
	BIO *in = BIO_new(BIO_s_mem());
	int n;

	PKCS7_set_type(bag, NID_pkcs7_signed);
	PKCS7_content_new(bag, NID_pkcs7_data);
	PKCS7_add_certificate(bag, x);
	i2d_PKCS7_bio(in, bag);
	sk_X509_push(to, self_cert);
	sealed = PKCS7_encrypt(to, in, EVP_aes_256_cbc(), PKCS7_BINARY);
	*der = NULL;
	n = i2d_PKCS7(sealed, der);
	PKCS7_free(sealed);
	PKCS7_free(bag);
	sk_X509_free(to);
	BIO_free(in);
	return n;
}

static void reply(const struct reply *r)
{
	PKCS7 *p = PKCS7_sign(NULL, NULL, NULL, NULL, PKCS7_PARTIAL | PKCS7_BINARY | (r->granted ? 0 : PKCS7_DETACHED));
	PKCS7_SIGNER_INFO *si = PKCS7_sign_add_signer(p, r->signer, r->key, r->md, PKCS7_PARTIAL | PKCS7_BINARY | PKCS7_NOSMIMECAP);
	uint8_t *content = NULL, *der = NULL;
	int len = r->granted ? envelope_of(r->granted, &content) : 0;
	BIO *in = BIO_new_mem_buf(content ? (char *)content : "", len);

	put(si, SCEP_MESSAGE_TYPE, V_ASN1_PRINTABLESTRING, "3", 1);
	put(si, SCEP_PKI_STATUS, V_ASN1_PRINTABLESTRING, r->status, (int)strlen(r->status));
	if (r->fail)
		put(si, SCEP_FAIL_INFO, V_ASN1_PRINTABLESTRING, r->fail, (int)strlen(r->fail));
	put(si, SCEP_TRANS_ID, V_ASN1_PRINTABLESTRING, r->transaction, (int)strlen(r->transaction));
	put(si, SCEP_RECIPIENT_NONCE, V_ASN1_OCTET_STRING, r->nonce, SCEP_NONCE);
	assert_int_equal(PKCS7_final(p, in, PKCS7_BINARY | (r->granted ? 0 : PKCS7_DETACHED)), 1);
	len = i2d_PKCS7(p, &der);
	scep_done_fetch(scep, host.fetch, ERR_OK, span_of(der, (size_t)len));
	OPENSSL_free(der);
	OPENSSL_free(content);
	BIO_free(in);
	PKCS7_free(p);
}

/* Up to a message that waits for its answer. */
static void ask_until_sent(const char *caps, struct heard *h)
{
	if (caps)
		scep_done_fetch(scep, host.fetch, ERR_OK, span_of(caps, strlen(caps)));
	else
		scep_done_fetch(scep, host.fetch, ERR_INVALID, span_of(NULL, 0));
	sign_now();
	hear(h);
}

static struct reply good(const struct heard *h, const char *status)
{
	return (struct reply){ .status = status,
		.transaction = h->transaction,
		.nonce = h->nonce,
		.signer = ca_cert,
		.key = ca_key,
		.md = EVP_sha256() };
}

/* ---- The tests ---- */

static void pending_then_granted(void **state)
{
	X509 *x = certificate(our_key, "CN=R1", ca_key, ca_cert, false);
	struct heard h = { 0 }, poll = { 0 };
	struct reply r;

	(void)state;
	assert_int_equal(scep_enroll(scep, &request), ERR_OK);
	assert_string_equal(host.url, "http://ca/cgi-bin/pkiclient.exe?operation=GetCACaps&message=T");
	assert_int_equal(scep_enroll(scep, &request), ERR_BUSY);
	ask_until_sent("POSTPKIOperation\r\nSHA-256\nAES\n", &h);
	assert_int_equal(host.how, FETCH_SCEP_POST);
	assert_string_equal(h.type, "19");
	assert_int_equal(h.len, request.request_len);
	assert_memory_equal(h.content, request.request, request.request_len);
	r = good(&h, "3");
	reply(&r);
	assert_int_equal(state_of(), IKE_SCEP_PENDING);
	assert_int_equal(scep_tick(scep), 1 + MINUTE);
	clock_us += MINUTE;
	scep_tick(scep);
	ask_until_sent("SCEPStandard", &poll);
	assert_string_equal(poll.type, "20");
	assert_string_equal(poll.transaction, h.transaction);
	assert_memory_not_equal(poll.nonce, h.nonce, SCEP_NONCE);
	r = good(&poll, "0");
	r.granted = x;
	reply(&r);
	unwrap_now();
	assert_non_null(host.installed);
	assert_int_equal(X509_cmp(host.installed, x), 0);
	scep_done_install(scep, host.install, ERR_OK);
	assert_int_equal(state_of(), IKE_SCEP_GRANTED);
	assert_int_equal(scep_tick(scep), UINT64_MAX);
	X509_free(x);
}

static void old_ca_gets_what_it_knows(void **state)
{
	struct heard h = { 0 };

	(void)state;
	assert_int_equal(scep_enroll(scep, &request), ERR_OK);
	ask_until_sent(NULL, &h);
	assert_int_equal(host.how, FETCH_SCEP_GET);
	assert_int_equal(host.to_sign.hash_len, 35); /* DigestInfo of SHA-1 */
	assert_string_equal(host.url, "http://ca/cgi-bin/pkiclient.exe?operation=PKIOperation");
}

static void gives_up_in_the_end(void **state)
{
	(void)state;
	assert_int_equal(scep_enroll(scep, &request), ERR_OK);
	for (int i = 0; i < 4; i++) {
		assert_int_equal(host.fetches, i + 1);
		assert_int_equal(state_of(), IKE_SCEP_REQUESTING);
		scep_done_fetch(scep, host.fetch, ERR_CLOSED, span_of(NULL, 0));
		clock_us += MINUTE;
		scep_tick(scep);
	}
	assert_int_equal(host.fetches, 4);
	assert_int_equal(state_of(), IKE_SCEP_FAILED);
	assert_non_null(strstr(seen.why, "given up after 4 tries"));
	assert_int_equal(scep_enroll(scep, &request), ERR_OK); /* and may be asked again */
}

static void rejected_says_why(void **state)
{
	struct heard h = { 0 };
	struct reply r;

	(void)state;
	assert_int_equal(scep_enroll(scep, &request), ERR_OK);
	ask_until_sent("AES", &h);
	r = good(&h, "2");
	r.fail = "3";
	reply(&r);
	assert_int_equal(state_of(), IKE_SCEP_REJECTED);
	assert_non_null(strstr(seen.why, "badTime"));
}

/* One thing wrong at a time: no answer at all, and the request is repeated. */
static void not_believed(void **state)
{
	static const uint8_t other_nonce[SCEP_NONCE] = { 0xee };
	static const char *const reasons[] = { "not signed by", "not signed by", "recipientNonce", "another transaction",
		"pkiStatus", "SHA-1 or better" };
	struct heard h;
	struct reply r;

	(void)state;
	for (size_t i = 0; i < 6; i++) {
		h = (struct heard){ 0 };
		assert_int_equal(scep_enroll(scep, &request), ERR_OK);
		ask_until_sent("AES\nSHA-256", &h);
		r = good(&h, i == 4 ? "7" : "3");
		if (i == 0)
			r.key = evil_key, r.signer = evil_cert;
		else if (i == 1) /* we ourselves, who stand in no trustpoint */
			r.key = our_key, r.signer = self_cert;
		else if (i == 2)
			r.nonce = other_nonce;
		else if (i == 3)
			r.transaction = "ABCDEF";
		else if (i == 5)
			r.md = EVP_md5();
		reply(&r);
		assert_int_equal(state_of(), IKE_SCEP_REQUESTING);
		if (!strstr(seen.why, reasons[i]))
			fail_msg("%zu: %s", i, seen.why);
		assert_int_equal(seen.tries, 0);
		assert_true(seen.next_wall_us != 0);
		assert_int_equal(scep_cancel(scep, "T"), ERR_OK);
	}
}

static void a_certificate_of_another(void **state)
{
	X509 *theirs = certificate(evil_key, "CN=R1", ca_key, ca_cert, false);
	X509 *forged = certificate(our_key, "CN=R1", evil_key, evil_cert, false);
	struct heard h = { 0 };
	struct reply r;

	(void)state;
	for (int i = 0; i < 2; i++) {
		assert_int_equal(scep_enroll(scep, &request), ERR_OK);
		ask_until_sent("AES\nSHA-256", &h);
		r = good(&h, "0");
		r.granted = i ? forged : theirs;
		reply(&r);
		unwrap_now();
		assert_null(host.installed);
		assert_int_equal(state_of(), IKE_SCEP_FAILED);
		assert_non_null(strstr(seen.why, i ? "not issued by" : "this router's key"));
	}
	X509_free(theirs);
	X509_free(forged);
}

static void late_answers_find_nobody(void **state)
{
	struct heard h = { 0 };
	struct reply r;

	(void)state;
	assert_int_equal(scep_enroll(scep, &request), ERR_OK);
	ask_until_sent("AES\nSHA-256", &h);
	assert_int_equal(scep_cancel(scep, "T"), ERR_OK);
	r = good(&h, "3");
	reply(&r);
	assert_int_equal(state_of(), 99);
	assert_int_equal(scep_enroll(scep, &request), ERR_OK);
	cfg.ntrustpoints = 0;
	scep_config(scep, &cfg);
	assert_int_equal(state_of(), 99);
	scep_done_fetch(scep, host.fetch, ERR_OK, span_of("AES", 3));
	assert_int_equal(scep_enroll(scep, &request), ERR_NOT_FOUND);
	cfg.ntrustpoints = 1;
}

static void the_certificate_of_the_ca(void **state)
{
	uint8_t *der = NULL;
	int len = i2d_X509(ca_cert, &der), own;

	(void)state;
	assert_int_equal(scep_authenticate(scep, "T", 5), ERR_OK);
	assert_string_equal(host.url, "http://ca/cgi-bin/pkiclient.exe?operation=GetCACert&message=T");
	scep_done_fetch(scep, host.fetch, ERR_OK, span_of(der, (size_t)len));
	assert_int_equal(host.asker, 5);
	assert_string_equal(host.why, "");
	OPENSSL_free(der);
	der = NULL;
	own = i2d_X509(self_cert, &der);
	assert_int_equal(scep_authenticate(scep, "T", 6), ERR_OK);
	scep_done_fetch(scep, host.fetch, ERR_OK, span_of(der, (size_t)own));
	assert_int_equal(host.asker, 6);
	assert_non_null(strstr(host.why, "no certificate of a certification authority"));
	OPENSSL_free(der);
	/* Who asked is gone. */
	assert_int_equal(scep_authenticate(scep, "T", 7), ERR_OK);
	scep_forget(scep, 7);
	scep_done_fetch(scep, host.fetch, ERR_CLOSED, span_of(NULL, 0));
	assert_int_equal(host.asker, 6);
	assert_int_equal(scep_authenticate(scep, "X", 8), ERR_NOT_FOUND);
}

static void urls(void **state)
{
	char out[FETCH_URL], longer[FETCH_URL];

	(void)state;
	assert_true(scep_url(out, "http://ca:80/", false, "GetCACert", "a b"));
	assert_string_equal(out, "http://ca:80/cgi-bin/pkiclient.exe?operation=GetCACert&message=a%20b");
	assert_true(scep_url(out, "http://ca/certsrv/mscep/mscep.dll", false, "GetCACaps", NULL));
	assert_string_equal(out, "http://ca/certsrv/mscep/mscep.dll/pkiclient.exe?operation=GetCACaps");
	assert_true(scep_url(out, "http://ca/x/pkiclient.exe", false, "PKIOperation", NULL));
	assert_string_equal(out, "http://ca/x/pkiclient.exe?operation=PKIOperation");
	assert_true(scep_url(out, "http://ca/scep/", true, "PKIOperation", NULL));
	assert_string_equal(out, "http://ca/scep?operation=PKIOperation");
	assert_false(scep_url(out, "http://ca", true, "PKIOperation", NULL));
	memset(longer, 'a', sizeof(longer));
	longer[sizeof(longer) - 1] = '\0';
	assert_false(scep_url(out, "http://ca", false, "GetCACert", longer));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(pending_then_granted, begin, end),
		cmocka_unit_test_setup_teardown(old_ca_gets_what_it_knows, begin, end),
		cmocka_unit_test_setup_teardown(gives_up_in_the_end, begin, end),
		cmocka_unit_test_setup_teardown(rejected_says_why, begin, end),
		cmocka_unit_test_setup_teardown(not_believed, begin, end),
		cmocka_unit_test_setup_teardown(a_certificate_of_another, begin, end),
		cmocka_unit_test_setup_teardown(late_answers_find_nobody, begin, end),
		cmocka_unit_test_setup_teardown(the_certificate_of_the_ca, begin, end),
		cmocka_unit_test(urls),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
