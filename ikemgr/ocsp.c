/* See ocsp.h. */
#include "ikemgr/ocsp.h"

#include <openssl/err.h>
#include <openssl/ocsp.h>
#include <openssl/x509v3.h>
#include <stdio.h>

#define SKEW_S   300         /* between the responder's clock and ours */
#define OLDEST_S (24 * 3600) /* of an answer without nextUpdate */

bool ocsp_url(char *url, size_t size, X509 *cert)
{
	AUTHORITY_INFO_ACCESS *list = X509_get_ext_d2i(cert, NID_info_access, NULL, NULL);
	bool found = false;

	for (int i = 0; !found && i < sk_ACCESS_DESCRIPTION_num(list); i++) {
		const ACCESS_DESCRIPTION *a = sk_ACCESS_DESCRIPTION_value(list, i);

		found = OBJ_obj2nid(a->method) == NID_ad_OCSP && a->location->type == GEN_URI &&
			url_take(url, size, a->location->d.uniformResourceIdentifier);
	}
	AUTHORITY_INFO_ACCESS_free(list);
	return found;
}

size_t ocsp_request(uint8_t **out, const struct ocsp_question *q)
{
	OCSP_REQUEST *r = OCSP_REQUEST_new();
	OCSP_CERTID *id = OCSP_cert_to_id(NULL, q->cert, q->issuer);
	int len = 0;

	*out = NULL;
	if (r != NULL && id != NULL && OCSP_request_add0_id(r, id) != NULL) {
		id = NULL; /* the request's now */
		if (q->nonce.len == 0 || OCSP_request_add1_nonce(r, (unsigned char *)q->nonce.data, (int)q->nonce.len) == 1)
			len = i2d_OCSP_REQUEST(r, out);
	}
	OCSP_CERTID_free(id);
	OCSP_REQUEST_free(r);
	ERR_clear_error();
	return len > 0 ? (size_t)len : 0;
}

/* ---- The answer ---- */

static const char *nonce_fault(const struct ocsp_question *q, OCSP_BASICRESP *basic)
{
	OCSP_REQUEST *r;
	int same = -1;

	if (q->nonce.len == 0)
		return NULL;
	/* OpenSSL compares with a request: one that has our nonce. */
	r = OCSP_REQUEST_new();
	if (r != NULL && OCSP_request_add1_nonce(r, (unsigned char *)q->nonce.data, (int)q->nonce.len) == 1)
		same = OCSP_check_nonce(r, basic);
	OCSP_REQUEST_free(r);
	return same == 1 ? NULL : same == 0 ? "it has another nonce than the request" : "it has no nonce: see ocsp disable-nonce";
}

static bool old_digest(const OCSP_BASICRESP *basic)
{
	int digest = NID_undef;

	OBJ_find_sigid_algs(OBJ_obj2nid(OCSP_resp_get0_tbs_sigalg(basic)->algorithm), &digest, NULL);
	return digest_old(digest);
}

/* The issuer is the only anchor: the signer is it, or has a certificate from it. OpenSSL looks at the certificate's use and time.
 */
static bool signed_well(OCSP_BASICRESP *basic, X509 *issuer, time_t now, char why[OCSP_WHY])
{
	X509_STORE *store = X509_STORE_new();
	STACK_OF(X509) *known = sk_X509_new_null();
	const char *reason = "out of memory";
	bool ok = false;

	if (old_digest(basic)) {
		reason = "its signature is one with MD5 or SHA-1";
	} else if (store != NULL && known != NULL && sk_X509_push(known, issuer) > 0 && X509_STORE_add_cert(store, issuer) == 1 &&
		   X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN) == 1) {
		X509_VERIFY_PARAM_set_time(X509_STORE_get0_param(store), now);
		X509_VERIFY_PARAM_set_auth_level(X509_STORE_get0_param(store), 1);
		ERR_clear_error();
		ok = OCSP_basic_verify(basic, known, store, 0) == 1;
		reason = ok ? NULL : ERR_reason_error_string(ERR_peek_error());
	}
	if (!ok)
		snprintf(why, OCSP_WHY, "it is signed neither by the CA nor by a responder that it has delegated (%s)",
			reason != NULL ? reason : "unknown error");
	sk_X509_free(known);
	X509_STORE_free(store);
	return ok;
}

/* thisUpdate and nextUpdate (RFC 6960 4.2.2.1), by our clock. */
static const char *time_fault(const ASN1_GENERALIZEDTIME *from, const ASN1_GENERALIZEDTIME *to, time_t now)
{
	time_t late = now - SKEW_S, early = now + SKEW_S, oldest = now - OLDEST_S;

	if (from == NULL || X509_cmp_time(from, &early) >= 0)
		return "it is of a time that is yet to come";
	if (to != NULL ? X509_cmp_time(to, &late) <= 0 : X509_cmp_time(from, &oldest) <= 0)
		return "it is out of date";
	return NULL;
}

static enum revoked status_of(OCSP_BASICRESP *basic, const struct ocsp_question *q, time_t now, char why[OCSP_WHY])
{
	ASN1_GENERALIZEDTIME *this_update = NULL, *next_update = NULL;
	OCSP_CERTID *id = OCSP_cert_to_id(NULL, q->cert, q->issuer);
	int status = V_OCSP_CERTSTATUS_UNKNOWN, reason;
	bool found = id != NULL && OCSP_resp_find_status(basic, id, &status, &reason, NULL, &this_update, &next_update) == 1;
	const char *fault = found ? time_fault(this_update, next_update, now) : "it says nothing of this certificate";

	OCSP_CERTID_free(id);
	if (fault == NULL && status == V_OCSP_CERTSTATUS_UNKNOWN)
		fault = "the responder does not know the certificate";
	if (fault != NULL) {
		snprintf(why, OCSP_WHY, "%s", fault);
		return REVOKED_UNKNOWN;
	}
	return status == V_OCSP_CERTSTATUS_GOOD ? REVOKED_NOT : REVOKED_YES;
}

static enum revoked basic_says(OCSP_BASICRESP *basic, const struct ocsp_question *q, time_t now, char why[OCSP_WHY])
{
	const char *fault = NULL;

	if (!signed_well(basic, q->issuer, now, why))
		return REVOKED_UNKNOWN;
	fault = nonce_fault(q, basic);
	if (fault != NULL) {
		snprintf(why, OCSP_WHY, "%s", fault);
		return REVOKED_UNKNOWN;
	}
	return status_of(basic, q, now, why);
}

enum revoked ocsp_says(struct span bytes, const struct ocsp_question *q, time_t now, char why[OCSP_WHY])
{
	const uint8_t *at = bytes.data;
	OCSP_RESPONSE *r = bytes.len == 0 ? NULL : d2i_OCSP_RESPONSE(NULL, &at, (long)bytes.len);
	OCSP_BASICRESP *basic = NULL;
	enum revoked says = REVOKED_UNKNOWN;

	snprintf(why, OCSP_WHY, "it is no OCSP response");
	if (r != NULL && OCSP_response_status(r) == OCSP_RESPONSE_STATUS_SUCCESSFUL)
		basic = OCSP_response_get1_basic(r);
	else if (r != NULL)
		snprintf(why, OCSP_WHY, "the responder says %s", OCSP_response_status_str(OCSP_response_status(r)));
	if (basic != NULL)
		says = basic_says(basic, q, now, why);
	OCSP_BASICRESP_free(basic);
	OCSP_RESPONSE_free(r);
	ERR_clear_error();
	return says;
}
