/* Certificates as IOS writes them: hexadecimal text of running-config, names, serial numbers, fingerprints. OpenSSL parses.
 *
 * Nothing here decides about trust: that is ikemgr/x509.h.
 */
#ifndef POSTERN_CONFIGDB_CERT_H
#define POSTERN_CONFIGDB_CERT_H

#include "platform/base/bytes.h"
#include "platform/base/err.h"

#include <openssl/x509.h>
#include <stdbool.h>
#include <stddef.h>

#define CERT_DER_MAX 5800 /* of one certificate that the router keeps */
#define CERT_SERIAL  48   /* RFC 5280 4.1.2.2: 20 bytes; with its NUL */
#define CERT_NAME    1024

/* One certificate, and nothing behind it. NULL: malformed, or longer than CERT_DER_MAX. The caller frees with X509_free. */
X509 *cert_of_der(struct span der);
/* Hexadecimal digits in pairs, blanks between them anywhere. -1: malformed or more than `size`. */
int cert_hex_parse(uint8_t *out, size_t size, const char *text);

/* "0A1B": upper case, whole bytes, as in `certificate ca 0A1B`. */
bool cert_serial(char out[CERT_SERIAL], const X509 *x);
/* The attributes of a name, the most specific first as IOS writes them: "cn=R1", "o=Acme". Calls `each` for one relative name
 * at a time; several values in it are joined with '+'. Only printable characters. */
void cert_name_each(const X509_NAME *name, void (*each)(void *ctx, const char *text), void *ctx);
/* The same as one line: "cn=R1,o=Acme". */
char *cert_name_print(char out[CERT_NAME], const X509_NAME *name);
/* "0A1B2C3D 4E5F6071 …" */
void cert_fingerprint(char *out, size_t size, const X509 *x, const char *digest);
/* "12:40:18 UTC Nov 25 2026" */
void cert_time_print(char *out, size_t size, const ASN1_TIME *t);
/* Does it claim to be a CA's (basicConstraints, or version 1 and self-signed)? */
bool cert_is_ca(X509 *x);
bool cert_is_self_signed(X509 *x);

/* "cn=R1, ou=PKI,o=Acme" (the most specific first, RFC 4514's escapes) into a name. NULL: not understood. */
X509_NAME *cert_name_parse(const char *text);

#endif
