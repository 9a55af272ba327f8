/* Phase 1 with signatures (RFC 2409 5.1, RFC 4945, RFC 4754); the rows are in rules.c.
 *
 *   SKEYID = prf(Ni_b | Nr_b, g^xy)           made here: there is no secret of ours in it
 *   SIG_I, SIG_R                              of HASH_I, HASH_R; ours is made by the process that has the key
 *
 * The peer's certificate is looked at before its signature, for the key is in it; both in one step, on scratch copies. Only then
 * anything is fetched for its sake, since whoever has no trusted certificate shall not make us send (CVE-2022-40617).
 */
#include "ikemgr/signature.h"

#include "configdb/cert.h"
#include "ikemgr/identity.h"
#include "ikemgr/phase1.h"
#include "ikemgr/revocation.h"
#include "ikemgr/x509.h"
#include "platform/base/log.h"

#include <stdio.h>
#include <string.h>

bool auth_is_signature(uint16_t auth)
{
	return auth == AUTH_RSA_SIG || (auth >= AUTH_ECDSA_256 && auth <= AUTH_ECDSA_521);
}

static struct x509_trust trust_of(const struct ike *k, const struct sa_state *s)
{
	const struct cfg_isakmp_profile *p = sa_profile(k, s);
	struct x509_trust t = { .cfg = k->cfg, .wall_us = k->host.env->wall_us(k->host.env->ctx) };

	if (p != NULL && p->ntrustpoints > 0) {
		t.names = p->trustpoints;
		t.n = p->ntrustpoints;
	}
	return t;
}

static bool permitted(const struct x509_trust *t, const char *trustpoint)
{
	for (size_t i = 0; i < t->n; i++)
		if (strcmp(t->names[i], trustpoint) == 0)
			return true;
	return t->n == 0;
}

static bool cert_serves(const struct cfg_cert *c, uint16_t auth)
{
	X509 *x = !c->ca && c->key_id != 0 ? cert_of_der(span_of(c->der, c->len)) : NULL;
	bool serves = x != NULL && x509_key_fits(X509_get0_pubkey(x), auth);

	X509_free(x);
	return serves;
}

const struct cfg_cert *credential(const struct ike *k, const struct sa_state *s, uint16_t auth)
{
	struct x509_trust t;

	if (k->cfg == NULL)
		return NULL;
	t = trust_of(k, s);
	for (size_t i = 0; i < k->cfg->ntrustpoints; i++) {
		const struct cfg_trustpoint *p = &k->cfg->trustpoints[i];

		for (size_t n = 0; permitted(&t, p->name) && n < p->ncerts; n++)
			if (cert_serves(&p->certs[n], auth))
				return &p->certs[n];
	}
	return NULL;
}

bool credential_any(const struct ike *k, const struct sa_state *s)
{
	for (size_t i = 0; k->cfg != NULL && i < k->cfg->npolicies; i++)
		if (auth_is_signature(k->cfg->policies[i].auth) && credential(k, s, k->cfg->policies[i].auth) != NULL)
			return true;
	return false;
}

static bool cert_equal(const struct cfg_cert *a, const struct cfg_cert *b)
{
	return a->len == b->len && memcmp(a->der, b->der, a->len) == 0;
}

/* Several trustpoints may have the same CA: it is asked for once. */
static bool asked_before(const struct x509_trust *t, const struct cfg_trustpoint *p, const struct cfg_cert *c)
{
	for (const struct cfg_trustpoint *q = t->cfg->trustpoints; q < p; q++)
		for (size_t n = 0; permitted(t, q->name) && n < q->ncerts; n++)
			if (q->certs[n].ca && cert_equal(&q->certs[n], c))
				return true;
	return false;
}

static void cert_request_put(struct build *b, const struct cfg_cert *c)
{
	X509 *x = cert_of_der(span_of(c->der, c->len));
	unsigned char *der = NULL;
	int len = x == NULL ? 0 : i2d_X509_NAME(X509_get_subject_name(x), &der);
	union payload_value v = { .typed = { .type = CERT_X509_SIG, .data = span_of(der, len > 0 ? (size_t)len : 0) } };

	if (len > 0)
		build_payload(b, PAYLOAD_CERT_REQ, &v);
	OPENSSL_free(der);
	X509_free(x);
}

/* RFC 4945 3.2: the subject of each CA that we trust. */
void cert_requests_put(const struct step *st, struct build *b)
{
	struct x509_trust t = trust_of(st->k, st->s);

	for (size_t i = 0; i < t.cfg->ntrustpoints; i++) {
		const struct cfg_trustpoint *p = &t.cfg->trustpoints[i];

		for (size_t n = 0; permitted(&t, p->name) && n < p->ncerts; n++)
			if (p->certs[n].ca && !asked_before(&t, p, &p->certs[n]))
				cert_request_put(b, &p->certs[n]);
	}
}

/* ---- Our side ---- */

enum err sig_keys(struct step *st)
{
	uint8_t nonces[2 * IKE_NONCE_MAX];
	struct writer w = writer_of(nonces, sizeof(nonces));
	enum err e;

	writer_span_put(&w, nonce_span(&st->h->ni));
	writer_span_put(&w, nonce_span(&st->h->nr));
	e = prf_hmac(st->s->terms.hash, writer_span(&w), SPANS(dh_span(&st->h->shared)), &st->h->skeyid);
	if (e == ERR_OK)
		e = keys_phase1(st->s, st->h);
	return e == ERR_OK ? e : step_refuse(st, 0, "keys could not be derived: %s", err_text(e));
}

static bool wants_dn(const struct ike *k, const struct sa_state *s)
{
	const struct cfg_isakmp_profile *p = sa_profile(k, s);

	return p != NULL && p->has_self ? p->self.kind == CFG_ID_DN : k->cfg->isakmp.identity == CFG_ID_DN;
}

/* RFC 4945 3.1: what we say must stand in our certificate, or a careful peer refuses us. So an address (IOS's default) that does
 * not stand there gives way to the certificate's own name. */
static void identity_signed(const struct step *st, X509 *x, struct id_body *out)
{
	struct writer w = writer_of(out->bytes, sizeof(out->bytes));
	union payload_value v;
	unsigned char *der = NULL;
	int len;

	identity_own(st, out);
	if (!wants_dn(st->k, st->s) && payload_decode(&v, payload_def(PAYLOAD_ID), id_span(out)) == ERR_OK &&
		(v.id.type != ID_IPV4_ADDR || x509_names(x, &v.id)))
		return;
	len = i2d_X509_NAME(X509_get_subject_name(x), &der);
	v = (union payload_value){ .id = { .type = ID_DER_ASN1_DN, .protocol = 17, .port = 500 } };
	v.id.data = span_of(der, len > 0 ? (size_t)len : 0);
	payload_encode(&w, payload_def(PAYLOAD_ID), &v);
	/* A name that is longer than the field: the address again. */
	if (len > 0 && !w.failed)
		out->len = (uint16_t)writer_len(&w);
	else
		identity_own(st, out);
	OPENSSL_free(der);
}

static enum err no_credential(struct step *st)
{
	return step_refuse(st, 0, "the router has no certificate with a key for this method any more");
}

enum err sig_identity(struct step *st)
{
	const struct cfg_cert *c = credential(st->k, st->s, st->s->terms.auth);
	X509 *x = c == NULL ? NULL : cert_of_der(span_of(c->der, c->len));

	if (x == NULL)
		return no_credential(st);
	identity_signed(st, x, st->s->initiator ? &st->h->id_i : &st->h->id_r);
	X509_free(x);
	return ERR_OK;
}

enum err sig_ask(struct step *st)
{
	const struct cfg_cert *c = credential(st->k, st->s, st->s->terms.auth);
	struct secret hash;
	enum err e;

	if (c == NULL)
		return no_credential(st);
	e = keys_hash_auth(st->s, st->h, st->s->initiator, &hash);
	if (e != ERR_OK)
		return e;
	st->h->sign = (struct ike_sign_request){ .key_id = c->key_id, .hash_len = (uint8_t)hash.len };
	memcpy(st->h->sign.hash, hash.bytes, hash.len);
	st->asks |= ASK_SIGN;
	return ERR_OK;
}

enum err sig_begin(struct step *st)
{
	enum err e = sig_identity(st);

	return e == ERR_OK ? sig_ask(st) : e;
}

static void cert_put(struct build *b, const struct cfg_cert *c)
{
	union payload_value v = { .typed = { .type = CERT_X509_SIG, .data = span_of(c->der, c->len) } };

	build_payload(b, PAYLOAD_CERT, &v);
}

static const struct cfg_trustpoint *trustpoint_with(const struct cfg *cfg, const struct cfg_cert *c)
{
	for (size_t i = 0; i < cfg->ntrustpoints; i++)
		if (c >= cfg->trustpoints[i].certs && c < cfg->trustpoints[i].certs + cfg->trustpoints[i].ncerts)
			return &cfg->trustpoints[i];
	return NULL;
}

/* The CAs between ours and the root, which the peer may not have (RFC 4945 3.3.8: a root it has or does not trust). */
static void cert_chain_put(struct build *b, const struct cfg *cfg, const struct cfg_cert *own)
{
	const struct cfg_trustpoint *t = trustpoint_with(cfg, own);

	for (size_t steps = 0; t != NULL && steps < CHAIN_LINKS; steps++) {
		for (size_t n = 0; n < t->ncerts; n++) {
			X509 *x = t->certs[n].ca ? cert_of_der(span_of(t->certs[n].der, t->certs[n].len)) : NULL;

			if (x != NULL && !cert_is_self_signed(x))
				cert_put(b, &t->certs[n]);
			X509_free(x);
		}
		t = t->chain_parent[0] != '\0' ? cfg_trustpoint(cfg, t->chain_parent) : NULL;
	}
}

void sig_put(struct step *st, struct build *b)
{
	const struct cfg_cert *c = credential(st->k, st->s, st->s->terms.auth);

	/* The configuration may have changed while the signature was made: then it is one of another key, and the peer says so. */
	if (c != NULL) {
		cert_put(b, c);
		cert_chain_put(b, st->k->cfg, c);
	}
	build_data(b, PAYLOAD_SIG, span_of(st->h->signature, st->h->signature_len));
}

/* ---- The peer's side ---- */

static size_t certs_of(const struct message *m, struct span out[X509_CERTS_MAX])
{
	const struct payload *p;
	size_t n = 0;

	for (size_t i = 0; n < X509_CERTS_MAX && (p = message_find(m, PAYLOAD_CERT, i)) != NULL; i++)
		if (p->v.typed.type == CERT_X509_SIG)
			out[n++] = p->v.typed.data;
	return n;
}

/* False: longer than we keep. */
static bool chain_keep(struct cert_chain *c, const struct x509_leaf *leaf)
{
	size_t used = 0;

	c->n = 0;
	for (size_t i = 0; i < leaf->nchain; i++) {
		uint8_t *at = c->der + used;
		int len = i2d_X509(leaf->chain[i].cert, NULL);

		if (i == CHAIN_LINKS || len <= 0 || (size_t)len > sizeof(c->der) - used)
			return false;
		c->link[i] = (struct cert_link){ .at = (uint16_t)used, .len = (uint16_t)i2d_X509(leaf->chain[i].cert, &at) };
		snprintf(c->link[i].trustpoint, CFG_NAME, "%s", leaf->chain[i].trustpoint->name);
		used += c->link[i].len;
		c->n++;
	}
	return true;
}

static enum err refuse_cert(struct step *st, uint16_t notify, const char *why)
{
	char peer[ADDR_TEXT];

	count(st->k, STAT_BAD_CERT);
	/* In clear anybody between the two can have sent it. */
	if (st->rule->on != ON_MESSAGE || st->rule->encrypted || say_allowed(st->k))
		log_msg("CRYPTO", LOG_SEV_NOTICE, "IKMP_INVAL_CERT", "Certificate received from %s is bad: %s",
			addr_print(peer, st->s->path.remote), why);
	return step_refuse(st, notify, "%s", why);
}

enum err sig_prove(struct step *st, struct span sig)
{
	X509 *x = cert_of_der(chain_cert(&st->h->chain, 0));
	struct secret hash;
	enum err e = keys_hash_auth(st->s, st->h, !st->s->initiator, &hash);
	bool good = e == ERR_OK && x != NULL && x509_proof_good(X509_get0_pubkey(x), st->s->terms.auth, secret_span(&hash), sig);

	X509_free(x);
	if (e != ERR_OK)
		return e;
	identity_keep(st);
	if (good)
		return ERR_OK;
	count(st->k, STAT_BAD_HASH);
	return step_refuse(
		st, NOTIFY_INVALID_SIGNATURE, "the signature of %s is not one of its certificate's key", st->s->identity);
}

/* The peer's identity and the profile that follows from it and the certificate. In aggressive mode it came to the responder two
 * messages before the certificate. */
static enum err leaf_profile(struct step *st, struct x509_leaf *leaf, union payload_value *id)
{
	struct id_body *keep = st->s->initiator ? &st->h->id_r : &st->h->id_i;
	bool here = message_find(st->in, PAYLOAD_ID, 0) != NULL;
	enum err e = ERR_OK;

	st->k->leaf = leaf->cert;
	if (here)
		e = id_take(st, keep);
	if (e == ERR_OK)
		e = payload_decode(id, payload_def(PAYLOAD_ID), id_span(keep));
	if (e == ERR_OK && !here)
		e = identity_profile(st, &id->id);
	st->k->leaf = NULL;
	return e;
}

/* Name and profile, once the chain is trusted. */
static enum err leaf_check(struct step *st, struct x509_leaf *leaf)
{
	char name[CERT_NAME], said[128], why[X509_WHY];
	union payload_value id;
	struct x509_trust t;
	enum err e = leaf_profile(st, leaf, &id);

	if (e != ERR_OK)
		return e;
	/* The identity may have chosen another profile, with other trustpoints. */
	t = trust_of(st->k, st->s);
	if (!permitted(&t, leaf->trustpoint->name)) {
		snprintf(why, sizeof(why), "trustpoint %s is not one of ISAKMP profile %s", leaf->trustpoint->name, st->s->profile);
		return refuse_cert(st, NOTIFY_INVALID_CERT_AUTHORITY, why);
	}
	if (!x509_names(leaf->cert, &id.id)) {
		id_print(said, sizeof(said), &id.id);
		snprintf(why, sizeof(why), "identity %.100s does not stand in certificate %.100s", said,
			cert_name_print(name, X509_get_subject_name(leaf->cert)));
		return refuse_cert(st, NOTIFY_INVALID_ID_INFORMATION, why);
	}
	return ERR_OK;
}

enum err sig_cert_take(struct step *st)
{
	struct span certs[X509_CERTS_MAX];
	size_t n = certs_of(st->in, certs);
	struct x509_trust t = trust_of(st->k, st->s);
	struct x509_leaf leaf;
	char why[X509_WHY];
	bool kept = false;
	enum err e;

	if (n == 0)
		return step_refuse(st, NOTIFY_CERTIFICATE_UNAVAILABLE, "the peer sent no certificate");
	if (x509_verify(&t, certs, n, &leaf, why)) {
		e = leaf_check(st, &leaf);
		kept = chain_keep(&st->h->chain, &leaf);
	} else {
		e = refuse_cert(st, leaf.notify, why);
	}
	x509_leaf_free(&leaf);
	if (e == ERR_OK && !kept)
		e = refuse_cert(st, NOTIFY_INVALID_CERTIFICATE, "its chain is longer than the router takes");
	return e;
}

enum err sig_take(struct step *st)
{
	enum err e = sig_cert_take(st);

	if (e == ERR_OK)
		e = sig_prove(st, message_find(st->in, PAYLOAD_SIG, 0)->v.data.data);
	if (e == ERR_OK)
		st->asks |= ASK_REVOCATION;
	return e;
}

enum err sig_revoked(struct step *st)
{
	char why[X509_WHY];

	if (st->h->revocation == REVOKED_NOT)
		return ERR_OK;
	revocation_text(st->h, why, sizeof(why));
	return refuse_cert(st, NOTIFY_INVALID_CERTIFICATE, why);
}

void sig_unit(const struct step *st, char out[CFG_NAME])
{
	X509 *x = cert_of_der(chain_cert(&st->h->chain, 0));
	const X509_NAME *name = x != NULL ? X509_get_subject_name(x) : NULL;
	int at = name != NULL ? X509_NAME_get_index_by_NID(name, NID_organizationalUnitName, -1) : -1;
	unsigned char *text = NULL;
	int n = at < 0 ? 0 : ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at)));

	out[0] = '\0';
	if (n > 0 && n < CFG_NAME && memchr(text, 0, (size_t)n) == NULL) {
		memcpy(out, text, (size_t)n);
		out[n] = '\0';
	}
	OPENSSL_free(text);
	X509_free(x);
}

/* ---- Main mode ---- */

enum err mm_sig_begin(struct step *st)
{
	enum err e = sig_keys(st);

	if (e != ERR_OK)
		return e;
	natt_float(st->s);
	return sig_begin(st);
}

enum err mm_sig_send(struct step *st)
{
	struct build *b = step_reply(st);

	id_put(b, &st->h->id_i);
	sig_put(st, b);
	if (first_contact(st))
		notify_put(st, NOTIFY_INITIAL_CONTACT, (struct span){ 0 });
	return ERR_OK;
}

enum err mm_sig_answer_ke(struct step *st)
{
	enum err e = sig_keys(st);
	struct build *b;

	if (e != ERR_OK)
		return e;
	b = step_reply(st);
	ke_put(st, b, &st->h->nr);
	cert_requests_put(st, b);
	natt_put(st, b);
	return ERR_OK;
}

enum err mm_sig_take(struct step *st)
{
	enum err e = sig_take(st);

	if (e != ERR_OK)
		return e;
	notifies_take(st);
	return st->s->initiator ? ERR_OK : sig_begin(st);
}

enum err mm_sig_finish(struct step *st)
{
	uint8_t life[16];
	struct build *b;
	enum err e = sig_revoked(st);

	if (e != ERR_OK || st->s->initiator)
		return e;
	b = step_reply(st);
	id_put(b, &st->h->id_r);
	sig_put(st, b);
	if (st->s->terms.told_lifetime_s != 0)
		notify_put(st, NOTIFY_RESPONDER_LIFETIME, span_of(life, lifetime_encode(life, st->s->terms.told_lifetime_s)));
	return ERR_OK;
}
