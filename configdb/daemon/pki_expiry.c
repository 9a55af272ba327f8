/* Certificates that end soon are told in the log, as IOS does: 60 days before for the first time, then each week, and each day of
 * the last week, as an alert. Looked at each hour, at start, and when certificates change; said once for each of these times. */
#include "pki.h"

#include "configdb/cert.h"
#include "platform/base/log.h"
#include "platform/base/mem.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define WARN_S   (60 * DAY_S)
#define WEEK_S   (7 * DAY_S)
#define DAY_S    86400L
#define EVERY_US (3600 * UINT64_C(1000000))

/* What was said last of a certificate. */
struct expiry_said {
	char trustpoint[CFG_NAME], serial[CERT_SERIAL];
	bool ca;
	long stage;
};

/* Which of the times it is: it grows smaller from one to the next. */
static long stage_of(long left_s)
{
	if (left_s > WEEK_S)
		return 100 + (left_s + WEEK_S - 1) / WEEK_S;
	return left_s > 0 ? (left_s + DAY_S - 1) / DAY_S : left_s / DAY_S - 1;
}

static void say(const struct cfg_trustpoint *t, const struct cfg_cert *c, X509 *x, long left_s)
{
	const char *what = c->ca ? "CA" : "ID";
	char issuer[CERT_NAME], subject[CERT_NAME];
	bool alert = left_s <= WEEK_S;

	cert_name_print(issuer, X509_get_issuer_name(x));
	cert_name_print(subject, X509_get_subject_name(x));
	if (left_s <= 0)
		log_msg("PKI", LOG_SEV_ERROR, "CERT_EXPIRED",
			"%s Certificate belonging to trustpoint %s has expired. Issuer-name %.120s Subject-name %.120s "
			"Serial-number %s",
			what, t->name, issuer, subject, c->serial);
	else
		log_msg("PKI", alert ? LOG_SEV_ALERT : LOG_SEV_WARNING, alert ? "CERT_EXPIRY_ALERT" : "CERT_EXPIRY_WARNING",
			"%s Certificate belonging to trustpoint %s will expire in %ld Days %ld hours %ld mins %ld secs. "
			"Issuer-name %.120s Subject-name %.120s Serial-number %s",
			what, t->name, left_s / DAY_S, left_s / 3600 % 24, left_s / 60 % 60, left_s % 60, issuer, subject,
			c->serial);
}

static const struct expiry_said *said_find(const struct configd *d, const struct expiry_said *now)
{
	for (size_t i = 0; i < d->nsaid; i++)
		if (d->said[i].ca == now->ca && strcmp(d->said[i].trustpoint, now->trustpoint) == 0 &&
			strcmp(d->said[i].serial, now->serial) == 0)
			return &d->said[i];
	return NULL;
}

/* True: it ends soon, and `now` is what has been said of it. */
static bool check(
	const struct configd *d, const struct cfg_trustpoint *t, const struct cfg_cert *c, time_t today, struct expiry_said *now)
{
	X509 *x = cert_of_der(span_of(c->der, c->len));
	ASN1_TIME *from = ASN1_TIME_set(NULL, today);
	const struct expiry_said *before;
	int days = 0, seconds = 0;
	long left_s = WARN_S;

	if (x != NULL && from != NULL && ASN1_TIME_diff(&days, &seconds, from, X509_get0_notAfter(x)) == 1)
		left_s = days * DAY_S + seconds;
	if (left_s < WARN_S) {
		*now = (struct expiry_said){ .ca = c->ca, .stage = stage_of(left_s) };
		snprintf(now->trustpoint, sizeof(now->trustpoint), "%s", t->name);
		snprintf(now->serial, sizeof(now->serial), "%s", c->serial);
		before = said_find(d, now);
		if (before == NULL || before->stage != now->stage)
			say(t, c, x, left_s);
	}
	ASN1_TIME_free(from);
	X509_free(x);
	return left_s < WARN_S;
}

void pki_expiry(void *ctx)
{
	struct configd *d = ctx;
	time_t now = (time_t)(d->env->wall_us(d->env->ctx) / 1000000);
	struct expiry_said *list;
	size_t n = 0, room = 1;

	for (size_t i = 0; d->now && i < d->now->ntrustpoints; i++)
		room += d->now->trustpoints[i].ncerts;
	list = mem_zalloc(room * sizeof(*list));
	for (size_t i = 0; list && d->now && i < d->now->ntrustpoints; i++)
		for (size_t k = 0; k < d->now->trustpoints[i].ncerts; k++)
			n += check(d, &d->now->trustpoints[i], &d->now->trustpoints[i].certs[k], now, &list[n]);
	if (list) {
		mem_free(d->said);
		d->said = list;
		d->nsaid = n;
	}
	loop_timer_set(d->expiry, EVERY_US);
}
