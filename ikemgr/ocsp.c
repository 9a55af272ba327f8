/* See ocsp.h. */
#include "ikemgr/ocsp.h"

#include <openssl/err.h>
#include <openssl/ocsp.h>
#include <openssl/x509v3.h>

#define SKEW_S 300 /* between the responder's clock and ours */

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

size_t ocsp_request(uint8_t **out, X509 *cert, X509 *issuer)
{
	OCSP_REQUEST *r = OCSP_REQUEST_new();
	OCSP_CERTID *id = OCSP_cert_to_id(NULL, cert, issuer);
	int len = 0;

	*out = NULL;
	if (r != NULL && id != NULL && OCSP_request_add0_id(r, id) != NULL) {
		id = NULL; /* the request's now */
		len = i2d_OCSP_REQUEST(r, out);
	}
	OCSP_CERTID_free(id);
	OCSP_REQUEST_free(r);
	ERR_clear_error();
	return len > 0 ? (size_t)len : 0;
}

static bool signed_well(OCSP_BASICRESP *basic, X509 *issuer)
{
	X509_STORE *store = X509_STORE_new();
	bool ok = store != NULL && X509_STORE_add_cert(store, issuer) == 1 &&
		  X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN) == 1 && OCSP_basic_verify(basic, NULL, store, 0) == 1;

	X509_STORE_free(store);
	return ok;
}

static enum revoked status_of(OCSP_BASICRESP *basic, X509 *cert, X509 *issuer)
{
	ASN1_GENERALIZEDTIME *this_update = NULL, *next_update = NULL;
	OCSP_CERTID *id = OCSP_cert_to_id(NULL, cert, issuer);
	int status = V_OCSP_CERTSTATUS_UNKNOWN, reason;
	bool found = id != NULL && OCSP_resp_find_status(basic, id, &status, &reason, NULL, &this_update, &next_update) == 1 &&
		     OCSP_check_validity(this_update, next_update, SKEW_S, next_update == NULL ? 24 * 3600 : -1) == 1;

	OCSP_CERTID_free(id);
	if (!found)
		return REVOKED_UNKNOWN;
	return status == V_OCSP_CERTSTATUS_GOOD ? REVOKED_NOT : status == V_OCSP_CERTSTATUS_REVOKED ? REVOKED_YES : REVOKED_UNKNOWN;
}

enum revoked ocsp_says(struct span bytes, X509 *cert, X509 *issuer)
{
	const uint8_t *at = bytes.data;
	OCSP_RESPONSE *r = bytes.len == 0 ? NULL : d2i_OCSP_RESPONSE(NULL, &at, (long)bytes.len);
	OCSP_BASICRESP *basic = NULL;
	enum revoked says = REVOKED_UNKNOWN;

	if (r != NULL && OCSP_response_status(r) == OCSP_RESPONSE_STATUS_SUCCESSFUL)
		basic = OCSP_response_get1_basic(r);
	if (basic != NULL && signed_well(basic, issuer))
		says = status_of(basic, cert, issuer);
	OCSP_BASICRESP_free(basic);
	OCSP_RESPONSE_free(r);
	ERR_clear_error();
	return says;
}
