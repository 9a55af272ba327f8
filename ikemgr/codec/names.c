/* The texts of isakmp.h's lists, and of the few short ones that only printing needs. */
#include "ikemgr/codec/isakmp.h"

#include <stdio.h>

#define X(name, number, text) { number, text },
const struct name names_exchange[] = { EXCHANGES(X){ 0, NULL } };
const struct name names_notify[] = { NOTIFIES(X){ 0, NULL } };
const struct name names_protocol_id[] = { PROTOCOLS(X){ 0, NULL } };
const struct name names_id[] = { ID_TYPES(X){ 0, NULL } };
const struct name names_attr1[] = { ATTRS1(X){ 0, NULL } };
const struct name names_attr2[] = { ATTRS2(X){ 0, NULL } };
const struct name names_config[] = { CONFIG_TYPES(X){ 0, NULL } };
const struct name names_attr_config[] = { ATTRS_CONFIG(X){ 0, NULL } };
const struct name names_encaps[] = { ENCAPS_MODES(X){ 0, NULL } };
#undef X

const struct name names_doi[] = { { DOI_ISAKMP, "0" }, { DOI_IPSEC, "1" }, { 0, NULL } };
const struct name names_auth[] = { { 1, "pre-share" }, { 2, "DSS signatures" }, { 3, "RSA sig" }, { 4, "RSA encryption" },
	{ 5, "RSA encryption (revised)" }, { 9, "ECDSA-256" }, { 10, "ECDSA-384" }, { 11, "ECDSA-521" },
	{ 65001, "XAUTHInitPreShared" }, { 65005, "XAUTHInitRSA" }, { 0, NULL } };
const struct name names_life[] = { { LIFE_SECONDS, "seconds" }, { LIFE_KILOBYTES, "kilobytes" }, { 0, NULL } };
const struct name names_cipher1[] = { { 1, "DES-CBC" }, { 2, "IDEA-CBC" }, { 3, "Blowfish-CBC" }, { 4, "RC5-CBC" },
	{ 5, "3DES-CBC" }, { 6, "CAST-CBC" }, { 7, "AES-CBC" }, { 8, "CAMELLIA-CBC" }, { 0, NULL } };
const struct name names_hash1[] = { { 1, "MD5" }, { 2, "SHA" }, { 3, "Tiger" }, { 4, "SHA256" }, { 5, "SHA384" }, { 6, "SHA512" },
	{ 0, NULL } };
const struct name names_auth2[] = { { 1, "HMAC-MD5" }, { 2, "HMAC-SHA" }, { 3, "DES-MAC" }, { 4, "KPDK" }, { 5, "HMAC-SHA256" },
	{ 6, "HMAC-SHA384" }, { 7, "HMAC-SHA512" }, { 8, "HMAC-RIPEMD" }, { 9, "AES-XCBC-MAC" }, { 0, NULL } };
const struct name names_esp[] = { { 1, "ESP_DES_IV64" }, { 2, "ESP_DES" }, { 3, "ESP_3DES" }, { 4, "ESP_RC5" }, { 5, "ESP_IDEA" },
	{ 6, "ESP_CAST" }, { 7, "ESP_BLOWFISH" }, { 11, "ESP_NULL" }, { 12, "ESP_AES" }, { 13, "ESP_AES-CTR" },
	{ 18, "ESP_AES-GCM 8" }, { 19, "ESP_AES-GCM 12" }, { 20, "ESP_AES-GCM" }, { 22, "ESP_CAMELLIA" }, { 23, "ESP_AES-GMAC" },
	{ 0, NULL } };
const struct name names_ah[] = { { 2, "AH_MD5" }, { 3, "AH_SHA" }, { 4, "AH_DES" }, { 5, "AH_SHA2-256" }, { 6, "AH_SHA2-384" },
	{ 7, "AH_SHA2-512" }, { 8, "AH_RIPEMD" }, { 9, "AH_AES-XCBC-MAC" }, { 0, NULL } };
const struct name names_key1[] = { { TRANSFORM_KEY_IKE, "KEY_IKE" }, { 0, NULL } };

const char *name_of(const struct name *list, uint32_t number, char out[NAME_TEXT])
{
	for (; list->text != NULL; list++)
		if (list->number == number)
			return list->text;
	snprintf(out, NAME_TEXT, "Unknown (%u)", number);
	return out;
}
