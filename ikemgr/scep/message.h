/* SCEP's messages (RFC 8894): what we ask a CA, and what it answers. Pure functions over bytes; OpenSSL reads and writes PKCS #7.
 *
 *   SignedData { signed attributes: messageType, transactionID, senderNonce …
 *     EnvelopedData for the CA (or its RA) {
 *       PKCS #10 request  |  issuer and subject } }
 *
 * No private key is here: a message is built up to the hash that is to be signed, and finished with the signature; an answer is
 * opened down to the encrypted content key, and read with that key.
 */
#ifndef POSTERN_IKEMGR_SCEP_MESSAGE_H
#define POSTERN_IKEMGR_SCEP_MESSAGE_H

#include "platform/base/bytes.h"
#include "platform/base/err.h"

#include <openssl/pkcs7.h>
#include <openssl/x509.h>
#include <stdbool.h>
#include <stdint.h>

#define SCEP_NONCE        16
#define SCEP_TRANSACTION  41 /* 40 digits, with its NUL */
#define SCEP_HASH_MAX     64
#define SCEP_CERTS_MAX    16 /* of a CA's answer */
#define SCEP_FAILURE_TEXT 256

/* ---- What the CA says of itself ---- */

/* 3.5.2. All false: an old CA, of the draft's time. */
struct scep_caps {
	bool aes, sha256, post, renewal;
};
struct scep_caps scep_caps_read(struct span text);

/* 4.2.1. The certificates are the caller's, freed with scep_ca_free. */
struct scep_ca {
	X509 *ca;
	X509 *sign, *encrypt; /* of its RA; NULL: the CA does it itself */
};
/* One certificate, or a degenerate PKCS #7 of the CA's and its RA's. ERR_INVALID: neither, or no CA's among them;
 * ERR_AUTH: the RA's is not issued by the CA; ERR_LIMIT: too many, or too long. */
enum err scep_ca_read(struct span bytes, struct scep_ca *out) MUST_CHECK;
void scep_ca_free(struct scep_ca *ca);

/* ---- Requests ---- */

/* 3.2.1.2 */
enum scep_type { SCEP_CERT_REP = 3, SCEP_RENEWAL_REQ = 17, SCEP_PKCS_REQ = 19, SCEP_CERT_POLL = 20 };

struct scep_ask {
	enum scep_type type;
	char transaction[SCEP_TRANSACTION];
	uint8_t nonce[SCEP_NONCE];
	X509 *signer;    /* ours: self-signed, or the present certificate */
	X509 *recipient; /* the CA's or RA's, with an RSA key */
	bool aes, sha256;
};

struct scep_message; /* a request that waits for its signature */
/* `content`: the request, or what scep_poll_content made. `hash` gets what RSA has to sign: a DigestInfo. NULL: OpenSSL refused
 * (a recipient without an RSA key, say). */
struct scep_message *scep_message_build(const struct scep_ask *ask, struct span content, uint8_t hash[SCEP_HASH_MAX], uint8_t *len);
/* The whole message, DER, into *out (freed with OPENSSL_free). Its length, 0: failed. */
size_t scep_message_finish(struct scep_message *m, struct span signature, uint8_t **out);
void scep_message_free(struct scep_message *m);

/* IssuerAndSubject (3.3.3), DER, freed with OPENSSL_free. 0: failed. */
size_t scep_poll_content(uint8_t **out, const X509 *ca, const X509_REQ *request);
/* A name for the transaction: the request's SHA-256, 20 bytes of it. The same request is the same transaction. */
bool scep_transaction(char out[SCEP_TRANSACTION], struct span request);

/* ---- Answers ---- */

/* 3.2.1.3 */
enum scep_status { SCEP_SUCCESS = 0, SCEP_FAILURE = 2, SCEP_PENDING = 3 };

struct scep_answer {
	enum scep_status status;
	int fail_info;                     /* 3.2.1.4; -1: none was said */
	char fail_text[SCEP_FAILURE_TEXT]; /* printable */
	PKCS7 *envelope;                   /* of SCEP_SUCCESS */
	struct span wrapped;               /* the content key in it, encrypted for us */
};
/* Reads and checks an answer to `ask`: signed by the CA, or its RA, and by nobody else; with SHA-1 or better; to this transaction
 * and this nonce. `why` (of SCEP_FAILURE_TEXT bytes) says what was wrong. The caller frees with scep_answer_free. */
enum err scep_answer_read(
	struct span bytes, const struct scep_ask *ask, const struct scep_ca *ca, struct scep_answer *out, char *why) MUST_CHECK;
void scep_answer_free(struct scep_answer *a);
/* The certificate in it that has `key`, and that the CA issued. NULL, with `why`: none. */
X509 *scep_answer_certificate(const struct scep_answer *a, struct span content_key, const EVP_PKEY *key, X509 *ca, char *why);
/* Its two inner layers: the envelope, of which `wrapped` points to the content key for `us`; and the certificates that were in it. */
enum err scep_envelope_read(struct span bytes, const X509 *us, struct scep_answer *out, char *why) MUST_CHECK;
X509 *scep_certificate_read(struct span plain, const EVP_PKEY *key, X509 *ca, char *why);
/* "badRequest: transaction not permitted or supported" */
const char *scep_fail_text(int fail_info);

/* attributes.c: OpenSSL's numbers for SCEP's attributes; 0: out of memory. */
enum scep_attribute {
	SCEP_MESSAGE_TYPE,
	SCEP_PKI_STATUS,
	SCEP_FAIL_INFO,
	SCEP_SENDER_NONCE,
	SCEP_RECIPIENT_NONCE,
	SCEP_TRANS_ID,
	SCEP_FAIL_TEXT,
	SCEP_ATTRIBUTES
};
int scep_nid(enum scep_attribute a);

#endif
