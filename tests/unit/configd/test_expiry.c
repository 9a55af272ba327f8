/* When a certificate's end is told, on a clock of our own. */
#include "configdb/cert.h"
#include "configdb/daemon/configd.h"
#include "configdb/daemon/pki.h"
#include "configdb/keypairs.h"
#include "platform/base/log.h"
#include "platform/base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#define DAY   UINT64_C(86400)
#define BEGIN UINT64_C(1800000000)

static uint64_t clock_s;
static char last[2048];
static enum log_severity last_severity;
static unsigned lines;

static uint64_t wall(void *ctx)
{
	(void)ctx;
	return clock_s * 1000000;
}

static void sink(void *ctx, enum log_severity severity, const char *line)
{
	(void)ctx;
	lines++;
	last_severity = severity;
	snprintf(last, sizeof(last), "%s", line);
}

static X509 *cert_until(uint64_t end_s)
{
	EVP_PKEY *key = keypair_make(KEYPAIR_EC, 256);
	X509_NAME *name = cert_name_parse("CN=R1,O=Acme");
	X509 *x = X509_new();

	ASN1_INTEGER_set(X509_get_serialNumber(x), 10);
	X509_set_subject_name(x, name);
	X509_set_issuer_name(x, name);
	ASN1_TIME_set(X509_getm_notBefore(x), 1);
	ASN1_TIME_set(X509_getm_notAfter(x), (time_t)end_s);
	X509_set_pubkey(x, key);
	X509_sign(x, key, EVP_sha256());
	X509_NAME_free(name);
	EVP_PKEY_free(key);
	return x;
}

/* How many lines the days from `from` to `to` bring, looked at each hour. */
static unsigned told(struct configd *d, uint64_t from, uint64_t to)
{
	lines = 0;
	for (clock_s = BEGIN + from * DAY; clock_s < BEGIN + to * DAY; clock_s += 3600)
		pki_expiry(d);
	return lines;
}

static void sixty_days(void **state)
{
	const struct env env = { .wall_us = wall };
	struct loop *l = loop_new();
	struct configd d = { .env = &env, .expiry = loop_timer_new(l, pki_expiry, &d) };
	X509 *x = cert_until(BEGIN + 100 * DAY);
	struct cfg_cert c = { .serial = "0A", .len = (uint16_t)i2d_X509(x, &c.der) };
	struct cfg_trustpoint t = { .name = "TP", .certs = &c, .ncerts = 1 };
	struct cfg cfg = { .trustpoints = &t, .ntrustpoints = 1 };

	(void)state;
	d.now = &cfg;
	log_capture(sink, NULL);
	assert_int_equal(told(&d, 0, 40), 0);
	assert_int_equal(told(&d, 40, 41), 1);
	assert_int_equal(last_severity, LOG_SEV_WARNING);
	assert_non_null(
		strstr(last, "%PKI-4-CERT_EXPIRY_WARNING: ID Certificate belonging to trustpoint TP will expire in 59 Days"));
	assert_non_null(strstr(last, "Issuer-name cn=R1,o=Acme Subject-name cn=R1,o=Acme Serial-number 0A"));
	/* Each week, then each day. */
	assert_int_equal(told(&d, 41, 93), 7);
	assert_non_null(strstr(last, "CERT_EXPIRY_WARNING"));
	assert_int_equal(told(&d, 93, 100), 7);
	assert_int_equal(last_severity, LOG_SEV_ALERT);
	assert_non_null(
		strstr(last, "%PKI-1-CERT_EXPIRY_ALERT: ID Certificate belonging to trustpoint TP will expire in 1 Days 0 hours"));
	assert_int_equal(told(&d, 100, 102), 2);
	assert_non_null(strstr(last, "%PKI-3-CERT_EXPIRED: ID Certificate belonging to trustpoint TP has expired"));
	clock_s -= 3600;
	/* A changed configuration repeats nothing; a new certificate is another matter. */
	lines = 0;
	pki_expiry(&d);
	assert_int_equal(lines, 0);
	snprintf(c.serial, sizeof(c.serial), "0B");
	pki_expiry(&d);
	assert_int_equal(lines, 1);
	log_capture(NULL, NULL);
	mem_free(d.said);
	loop_timer_free(d.expiry);
	loop_free(l);
	OPENSSL_free(c.der);
	X509_free(x);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(sixty_days) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
