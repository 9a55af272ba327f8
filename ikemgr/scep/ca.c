/* What a CA says of itself: GetCACaps (RFC 8894 3.5.2) and GetCACert (4.2). Nothing of it is signed: the engineer compares the
 * fingerprint, and capabilities only choose between what is good enough. */
#include "ikemgr/scep/message.h"

#include "configdb/cert.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <string.h>
#include <strings.h>

struct scep_caps scep_caps_read(struct span text)
{
	const char *at = (const char *)text.data, *end = at + text.len;
	struct scep_caps c = { 0 };

	while (at < end) {
		const char *stop = memchr(at, '\n', (size_t)(end - at));
		size_t n = (size_t)((stop ? stop : end) - at);
		size_t len = n;

		while (len && (at[len - 1] == '\r' || at[len - 1] == ' '))
			len--;
#define IS(word) (len == sizeof(word) - 1 && strncasecmp(at, word, len) == 0)
		/* SCEPStandard stands for AES, POSTPKIOperation and SHA-256. */
		c.aes |= IS("AES") || IS("SCEPStandard");
		c.sha256 |= IS("SHA-256") || IS("SHA-512") || IS("SCEPStandard");
		c.post |= IS("POSTPKIOperation") || IS("SCEPStandard");
		c.renewal |= IS("Renewal");
#undef IS
		at += n + (stop != NULL);
	}
	return c;
}

void scep_ca_free(struct scep_ca *ca)
{
	X509_free(ca->ca);
	X509_free(ca->sign);
	X509_free(ca->encrypt);
	*ca = (struct scep_ca){ 0 };
}

static X509 *kept(X509 *x)
{
	return x && X509_up_ref(x) == 1 ? x : NULL;
}

/* Of several CAs the one that issued the RA's certificate, else the one that issued none of the others. */
static X509 *choose_ca(const STACK_OF(X509) * certs)
{
	X509 *best = NULL;

	for (int i = 0; i < sk_X509_num(certs); i++) {
		X509 *x = sk_X509_value(certs, i);
		bool issues_ra = false, issues_ca = false;

		if (!cert_is_ca(x))
			continue;
		for (int k = 0; k < sk_X509_num(certs); k++) {
			X509 *other = sk_X509_value(certs, k);

			if (k == i || X509_check_issued(x, other) != X509_V_OK)
				continue;
			*(cert_is_ca(other) ? &issues_ca : &issues_ra) = true;
		}
		if (issues_ra)
			return x;
		if (!best || !issues_ca)
			best = x;
	}
	return best;
}

static bool issued(X509 *ca, X509 *x)
{
	return X509_check_issued(ca, x) == X509_V_OK && X509_verify(x, X509_get0_pubkey(ca)) == 1;
}

static enum err choose(const STACK_OF(X509) * certs, struct scep_ca *out)
{
	X509 *ca = choose_ca(certs), *sign = NULL, *encrypt = NULL;

	if (!ca)
		return ERR_INVALID;
	for (int i = 0; i < sk_X509_num(certs); i++) {
		X509 *x = sk_X509_value(certs, i);
		uint32_t usage = X509_get_key_usage(x); /* all ones without the extension */

		if (cert_is_ca(x))
			continue;
		if (!issued(ca, x))
			return ERR_AUTH;
		if ((usage & KU_DIGITAL_SIGNATURE) && !sign)
			sign = x;
		if ((usage & KU_KEY_ENCIPHERMENT) && !encrypt)
			encrypt = x;
	}
	*out = (struct scep_ca){ .ca = kept(ca), .sign = kept(sign), .encrypt = kept(encrypt) };
	return ERR_OK;
}

static enum err bag_read(struct span bytes, struct scep_ca *out)
{
	const uint8_t *at = bytes.data;
	PKCS7 *p = d2i_PKCS7(NULL, &at, (long)bytes.len);
	const STACK_OF(X509) *certs = p && PKCS7_type_is_signed(p) && p->d.sign ? p->d.sign->cert : NULL;
	enum err e = ERR_INVALID;

	if (certs)
		e = sk_X509_num(certs) > SCEP_CERTS_MAX ? ERR_LIMIT : choose(certs, out);
	PKCS7_free(p);
	return e;
}

static bool fits(X509 *x)
{
	return !x || (i2d_X509(x, NULL) <= CERT_DER_MAX && X509_get0_pubkey(x));
}

enum err scep_ca_read(struct span bytes, struct scep_ca *out)
{
	X509 *x = cert_of_der(bytes);
	enum err e = ERR_OK;

	*out = (struct scep_ca){ 0 };
	if (x && cert_is_ca(x)) {
		out->ca = x;
	} else {
		X509_free(x);
		e = bag_read(bytes, out);
	}
	if (e == ERR_OK && (!fits(out->ca) || !fits(out->sign) || !fits(out->encrypt)))
		e = ERR_LIMIT;
	if (e != ERR_OK)
		scep_ca_free(out);
	ERR_clear_error();
	return e;
}
