/* A certificate that a CA granted over SCEP. ikemgrd, which talks to networks, brings it: so it is looked at here once more, and
 * what is not issued by the trustpoint's CA for a key pair of ours does not get in. */
#include "pki.h"

#include "configdb/cert.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <string.h>

static X509 *ca_of(const struct cfg_trustpoint *t)
{
	for (size_t i = 0; i < t->ncerts; i++)
		if (t->certs[i].ca)
			return cert_of_der(span_of(t->certs[i].der, t->certs[i].len));
	return NULL;
}

static enum err check(struct configd *d, const struct cfg_trustpoint *t, X509 *x)
{
	X509 *ca = t && t->url[0] ? ca_of(t) : NULL;
	struct keypair k;
	enum err e = ERR_OK;

	if (!ca)
		return ERR_NOT_FOUND;
	if (X509_check_issued(ca, x) != X509_V_OK || X509_verify(x, X509_get0_pubkey(ca)) != 1)
		e = ERR_AUTH;
	else if (!X509_get0_pubkey(x) || keypair_of_public(d->secrets, X509_get0_pubkey(x), &k) != ERR_OK)
		e = ERR_CONFLICT;
	X509_free(ca);
	ERR_clear_error();
	return e;
}

static enum err store(struct client *c, const char *name, X509 *x)
{
	BIO *lines = BIO_new(BIO_s_mem());
	bool changed = c->changed;
	enum err e = ERR_NOMEM;

	if (lines) {
		pki_certificate_lines(lines, name, "", x);
		e = pki_apply(c, lines);
	}
	c->changed = changed; /* nobody configured anything */
	BIO_free(lines);
	return e;
}

void pki_granted(struct client *c, struct msg *m)
{
	struct cfgm_pki *q;
	BIO *pem;
	X509 *x;
	enum err e = ERR_INVALID;

	if (!c->trusted && msg_peer_uid(c->conn) != c->d->ike_uid) {
		pki_answer(c, m, ERR_DENIED);
		return;
	}
	q = pki_question(c, m);
	if (!q)
		return;
	pem = BIO_new_mem_buf(q->text, -1);
	x = pem ? PEM_read_bio_X509(pem, NULL, NULL, NULL) : NULL;
	if (x)
		e = check(c->d, c->d->now ? cfg_trustpoint(c->d->now, q->name) : NULL, x);
	if (x && e == ERR_OK)
		e = store(c, q->name, x);
	ERR_clear_error();
	X509_free(x);
	BIO_free(pem);
	pki_done(q);
	pki_answer(c, m, e);
}
