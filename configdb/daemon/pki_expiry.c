/* Certificates that end soon are told in the log: at start, when certificates change, and twice a day. */
#include "pki.h"

#include "configdb/cert.h"
#include "platform/base/log.h"

#include <time.h>

#define WARN_DAYS   30
#define EVERY_US    (12 * 3600 * UINT64_C(1000000))
#define DAY_SECONDS 86400

static void say(const struct cfg_trustpoint *t, const struct cfg_cert *c, long left_s)
{
	const char *what = c->ca ? "CA" : "ID";

	if (left_s <= 0)
		log_msg("PKI", LOG_SEV_ERROR, "CERT_EXPIRED", "%s Certificate belonging to trustpoint %s has expired", what,
			t->name);
	else
		log_msg("PKI", LOG_SEV_WARNING, "CERT_EXPIRY_WARNING",
			"%s Certificate belonging to trustpoint %s will expire in %ld Days %ld hours %ld mins %ld secs", what,
			t->name, left_s / DAY_SECONDS, left_s / 3600 % 24, left_s / 60 % 60, left_s % 60);
}

static void check(const struct cfg_trustpoint *t, const struct cfg_cert *c, time_t now)
{
	X509 *x = cert_of_der(span_of(c->der, c->len));
	ASN1_TIME *today = ASN1_TIME_set(NULL, now);
	int days = 0, seconds = 0;

	if (x != NULL && today != NULL && ASN1_TIME_diff(&days, &seconds, today, X509_get0_notAfter(x)) == 1 && days < WARN_DAYS)
		say(t, c, (long)days * DAY_SECONDS + seconds);
	ASN1_TIME_free(today);
	X509_free(x);
}

void pki_expiry(void *ctx)
{
	struct configd *d = ctx;
	time_t now = (time_t)(d->env->wall_us(d->env->ctx) / 1000000);

	for (size_t i = 0; d->now && i < d->now->ntrustpoints; i++)
		for (size_t k = 0; k < d->now->trustpoints[i].ncerts; k++)
			check(&d->now->trustpoints[i], &d->now->trustpoints[i].certs[k], now);
	loop_timer_set(d->expiry, EVERY_US);
}
