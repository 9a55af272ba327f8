/* `crypto pki authenticate`: the CA's certificates, for an engineer to look at (RFC 8894 4.2). Nothing is kept. */
#include "ikemgr/scep/job.h"

#include <stdio.h>

const char *scep_fetch_text(enum err e)
{
	switch (e) {
	case ERR_NOT_FOUND:
		return "the name of the server has no address";
	case ERR_CLOSED:
		return "the server cannot be reached, or closed the connection";
	case ERR_TIMEOUT:
		return "the server did not answer in time";
	case ERR_INVALID:
		return "the server knows no such URL (its answer is not 200 OK)";
	default:
		return err_text(e);
	}
}

static enum err ask(struct scep *s, struct ca_ask *a)
{
	const struct cfg_trustpoint *t = s->cfg ? cfg_trustpoint(s->cfg, a->name) : NULL;
	char url[FETCH_URL];
	enum err e = ERR_NOT_FOUND;

	if (t && t->url[0])
		e = scep_url(url, t->url, a->plain, "GetCACert", t->name) ? ERR_OK : ERR_RANGE;
	a->serial = ++s->last_serial;
	if (e == ERR_OK)
		e = s->host.fetch(s->host.ctx, a->serial, FETCH_PLAIN, url, span_of(NULL, 0));
	if (e != ERR_OK)
		a->serial = 0;
	return e;
}

enum err scep_authenticate(struct scep *s, const char *trustpoint, uint64_t asker)
{
	struct ca_ask *a = NULL;

	for (size_t i = 0; i < SCEP_ASKS && !a; i++)
		a = s->asks[i].serial == 0 ? &s->asks[i] : NULL;
	if (!a)
		return ERR_LIMIT;
	*a = (struct ca_ask){ .asker = asker };
	snprintf(a->name, sizeof(a->name), "%s", trustpoint);
	return ask(s, a);
}

void scep_forget(struct scep *s, uint64_t asker)
{
	for (size_t i = 0; i < SCEP_ASKS; i++)
		if (s->asks[i].asker == asker)
			s->asks[i].asker = 0;
}

static const char *answer_text(enum err e)
{
	return e == ERR_AUTH    ? "the certificate of its RA was not issued by the CA whose certificate came with it"
	       : e == ERR_LIMIT ? "too many certificates, or too long ones"
				: "the answer holds no certificate of a certification authority";
}

void scep_done_ca(struct scep *s, uint64_t serial, enum err e, struct span bytes)
{
	struct scep_ca ca = { 0 };
	const char *why = NULL;
	uint64_t asker = 0;

	for (size_t i = 0; i < SCEP_ASKS && serial; i++)
		if (s->asks[i].serial == serial) {
			/* A server that knows no pkiclient.exe: the URL's own path. */
			if (e == ERR_INVALID && !s->asks[i].plain) {
				s->asks[i].plain = true;
				if (ask(s, &s->asks[i]) == ERR_OK)
					return;
			}
			asker = s->asks[i].asker;
			s->asks[i] = (struct ca_ask){ 0 };
		}
	if (!asker)
		return;
	if (e != ERR_OK) {
		why = scep_fetch_text(e);
	} else {
		e = scep_ca_read(bytes, &ca);
		why = e == ERR_OK ? NULL : answer_text(e);
	}
	s->host.authenticated(s->host.ctx, asker, why, why ? NULL : &ca);
	scep_ca_free(&ca);
}
