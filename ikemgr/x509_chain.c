/* See x509.h: from the peer's certificate to the CA of a trustpoint; and on, where `chain-validation continue` wants that. */
#include "ikemgr/x509.h"

#include "configdb/cert.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define CHAIN_DEPTH 6

static bool trusted_name(const struct x509_trust *t, const char *name)
{
	for (size_t i = 0; i < t->n; i++)
		if (strcmp(t->names[i], name) == 0)
			return true;
	return t->n == 0;
}

static size_t anchors_add(const struct x509_trust *t, X509_STORE *store)
{
	size_t added = 0;

	for (size_t i = 0; i < t->cfg->ntrustpoints; i++) {
		const struct cfg_trustpoint *p = &t->cfg->trustpoints[i];

		for (size_t k = 0; trusted_name(t, p->name) && k < p->ncerts; k++) {
			X509 *x = p->certs[k].ca ? cert_of_der(span_of(p->certs[k].der, p->certs[k].len)) : NULL;

			added += x != NULL && X509_STORE_add_cert(store, x) == 1;
			X509_free(x);
		}
	}
	return added;
}

static const struct cfg_trustpoint *trustpoint_of(const struct x509_trust *t, X509 *anchor)
{
	for (size_t i = 0; i < t->cfg->ntrustpoints; i++) {
		const struct cfg_trustpoint *p = &t->cfg->trustpoints[i];

		for (size_t k = 0; trusted_name(t, p->name) && k < p->ncerts; k++) {
			X509 *x = p->certs[k].ca ? cert_of_der(span_of(p->certs[k].der, p->certs[k].len)) : NULL;
			bool same = x != NULL && X509_cmp(x, anchor) == 0;

			X509_free(x);
			if (same)
				return p;
		}
	}
	return NULL;
}

/* What the engineer reads, and what the peer is told. */
static uint16_t chain_fault(X509_STORE_CTX *ctx, char why[X509_WHY])
{
	int error = X509_STORE_CTX_get_error(ctx);
	X509 *at = X509_STORE_CTX_get_current_cert(ctx);
	char name[CERT_NAME] = "", when[80];

	if (at != NULL)
		cert_name_print(name, X509_get_subject_name(at));
	switch (error) {
	case X509_V_ERR_CERT_HAS_EXPIRED:
		cert_time_print(when, sizeof(when), X509_get0_notAfter(at));
		snprintf(why, X509_WHY, "certificate %.120s has expired (%s)", name, when);
		return NOTIFY_INVALID_CERTIFICATE;
	case X509_V_ERR_CERT_NOT_YET_VALID:
		cert_time_print(when, sizeof(when), X509_get0_notBefore(at));
		snprintf(why, X509_WHY, "certificate %.120s is not valid before %s", name, when);
		return NOTIFY_INVALID_CERTIFICATE;
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
	case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
	case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
	case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
	case X509_V_ERR_CERT_SIGNATURE_FAILURE: /* a CA of the same name */
		snprintf(why, X509_WHY, "no authenticated trustpoint has issued certificate %.160s", name);
		return NOTIFY_INVALID_CERT_AUTHORITY;
	default:
		snprintf(why, X509_WHY, "certificate %.120s: %s", name, X509_verify_cert_error_string(error));
		return NOTIFY_INVALID_CERTIFICATE;
	}
}

/* RFC 4945 5.1.3.2: a key usage that is there must permit signatures. */
static bool leaf_good(struct x509_leaf *l, char why[X509_WHY])
{
	uint32_t usage = X509_get_key_usage(l->cert);
	char detail[X509_WHY], name[CERT_NAME];

	l->notify = NOTIFY_INVALID_CERTIFICATE;
	cert_name_print(name, X509_get_subject_name(l->cert));
	if (!x509_key_good(X509_get0_pubkey(l->cert), detail)) {
		snprintf(why, X509_WHY, "certificate %.100s: %.120s", name, detail);
		return false;
	}
	if (usage != UINT32_MAX && !(usage & (KU_DIGITAL_SIGNATURE | KU_NON_REPUDIATION))) {
		snprintf(why, X509_WHY, "the key usage of certificate %.120s does not permit signatures", name);
		return false;
	}
	return true;
}

static void params_set(X509_STORE_CTX *ctx, const struct x509_trust *t)
{
	X509_VERIFY_PARAM *p = X509_STORE_CTX_get0_param(ctx);

	X509_VERIFY_PARAM_set_time(p, (time_t)(t->wall_us / 1000000));
	X509_VERIFY_PARAM_set_depth(p, CHAIN_DEPTH);
	X509_VERIFY_PARAM_set_auth_level(p, 1);
	X509_VERIFY_PARAM_set_flags(p, X509_V_FLAG_PARTIAL_CHAIN);
}

/* The chain from `cert` to one of the store's; NULL: refused. The caller frees. */
static STACK_OF(X509) * chain_find(const struct x509_trust *t, X509_STORE *store, STACK_OF(X509) * others, X509 *cert,
				uint16_t *notify, char why[X509_WHY])
{
	X509_STORE_CTX *ctx = X509_STORE_CTX_new();
	STACK_OF(X509) *chain = NULL;

	if (ctx == NULL || X509_STORE_CTX_init(ctx, store, cert, others) != 1) {
		X509_STORE_CTX_free(ctx);
		snprintf(why, X509_WHY, "out of memory");
		return NULL;
	}
	params_set(ctx, t);
	if (X509_verify_cert(ctx) == 1)
		chain = X509_STORE_CTX_get1_chain(ctx);
	else
		*notify = chain_fault(ctx, why);
	X509_STORE_CTX_free(ctx);
	return chain;
}

/* What comes after `from`, under the revocation-check of `p`. */
static bool links_add(struct x509_leaf *l, STACK_OF(X509) * chain, int from, const struct cfg_trustpoint *p, char why[X509_WHY])
{
	for (int i = from; i < sk_X509_num(chain); i++) {
		X509 *x = sk_X509_value(chain, i);

		if (l->nchain == X509_CHAIN_MAX) {
			snprintf(why, X509_WHY, "its chain has more than %d certificates", X509_CHAIN_MAX);
			return false;
		}
		X509_up_ref(x);
		l->chain[l->nchain++] = (struct x509_link){ .cert = x, .trustpoint = p };
	}
	return true;
}

/* One step of `chain-validation continue`: the chain's end, which `p` has trusted so far, must be vouched for by `parent`. */
static bool chain_extend(const struct x509_trust *t, STACK_OF(X509) * others, struct x509_leaf *l, const struct cfg_trustpoint *p,
	const struct cfg_trustpoint *parent, char why[X509_WHY])
{
	const struct x509_trust only = { .cfg = t->cfg, .names = &parent->name, .n = 1, .wall_us = t->wall_us };
	X509_STORE *store = X509_STORE_new();
	struct x509_link *last = &l->chain[l->nchain - 1];
	STACK_OF(X509) *chain = NULL;
	char detail[X509_WHY] = "it is not authenticated";
	bool ok = false;

	if (store != NULL && anchors_add(&only, store) > 0)
		chain = chain_find(&only, store, others, last->cert, &l->notify, detail);
	if (chain != NULL) {
		last->trustpoint = parent;
		ok = links_add(l, chain, 1, parent, why);
	} else {
		snprintf(
			why, X509_WHY, "trustpoint %.60s does not vouch for the CA of %.60s: %.90s", parent->name, p->name, detail);
	}
	sk_X509_pop_free(chain, X509_free);
	X509_STORE_free(store);
	return ok;
}

/* `chain-validation`: stop at the trustpoint's CA, or go on until one stops or a root is there. */
static bool chain_continue(const struct x509_trust *t, STACK_OF(X509) * others, struct x509_leaf *l, char why[X509_WHY])
{
	const struct cfg_trustpoint *p = l->trustpoint, *parent;

	for (int steps = 0; p->chain_parent[0] != '\0' && !cert_is_self_signed(l->chain[l->nchain - 1].cert); steps++, p = parent) {
		parent = cfg_trustpoint(t->cfg, p->chain_parent);
		if (parent == NULL || steps == X509_CHAIN_MAX) {
			snprintf(why, X509_WHY, "trustpoint %.80s, which chain-validation of %.80s names, %s", p->chain_parent,
				p->name, parent == NULL ? "does not exist" : "comes back to it");
			return false;
		}
		if (!chain_extend(t, others, l, p, parent, why))
			return false;
	}
	return true;
}

static bool chain_build(
	const struct x509_trust *t, X509_STORE *store, STACK_OF(X509) * others, struct x509_leaf *l, char why[X509_WHY])
{
	STACK_OF(X509) *chain = chain_find(t, store, others, l->cert, &l->notify, why);
	bool ok = false;

	if (chain != NULL) {
		l->trustpoint = trustpoint_of(t, sk_X509_value(chain, sk_X509_num(chain) - 1));
		ok = l->trustpoint != NULL && leaf_good(l, why) && links_add(l, chain, 0, l->trustpoint, why) &&
		     chain_continue(t, others, l, why);
	}
	sk_X509_pop_free(chain, X509_free);
	return ok;
}

bool x509_verify(const struct x509_trust *t, const struct span *certs, size_t n, struct x509_leaf *out, char why[X509_WHY])
{
	X509_STORE *store = X509_STORE_new();
	STACK_OF(X509) *others = sk_X509_new_null();
	bool ok = false;

	*out = (struct x509_leaf){ .notify = NOTIFY_INVALID_CERTIFICATE };
	snprintf(why, X509_WHY, "the certificate is malformed");
	if (n > 0 && store != NULL && others != NULL)
		out->cert = cert_of_der(certs[0]);
	for (size_t i = 1; out->cert != NULL && i < n && i < X509_CERTS_MAX; i++) {
		X509 *x = cert_of_der(certs[i]);

		if (x != NULL && sk_X509_push(others, x) <= 0)
			X509_free(x);
	}
	if (out->cert != NULL && anchors_add(t, store) == 0) {
		out->notify = NOTIFY_INVALID_CERT_AUTHORITY;
		snprintf(why, X509_WHY, "no trustpoint is authenticated");
	} else if (out->cert != NULL) {
		ok = chain_build(t, store, others, out, why);
	}
	sk_X509_pop_free(others, X509_free);
	X509_STORE_free(store);
	ERR_clear_error();
	return ok;
}

void x509_leaf_free(struct x509_leaf *l)
{
	X509_free(l->cert);
	for (size_t i = 0; i < l->nchain; i++)
		X509_free(l->chain[i].cert);
	*l = (struct x509_leaf){ 0 };
}
