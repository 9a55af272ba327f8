/* Key pairs, and what needs a private key: requests, PKCS #12. Handlers of the socket; the body's size was checked. */
#ifndef POSTERN_CONFIGD_PKI_H
#define POSTERN_CONFIGD_PKI_H

#include "configd.h"

#include "configdb/keypairs.h"

void pki_key_generate(struct client *c, struct msg *m);
void pki_key_zeroize(struct client *c, struct msg *m);
void pki_keys(struct client *c, struct msg *m);
void pki_key_export(struct client *c, struct msg *m);
void pki_key_import(struct client *c, struct msg *m);
void pki_enroll(struct client *c, struct msg *m);
/* What a CA sent over SCEP; of ikemgrd alone. */
void pki_granted(struct client *c, struct msg *m);
void pki_pkcs12_import(struct client *c, struct msg *m);
void pki_pkcs12_export(struct client *c, struct msg *m);
/* The keymaker's answer; takes over `key`. */
void pki_key_made(void *ctx, uint64_t serial, EVP_PKEY *key);

/* Warns of certificates that end soon, and sets its timer again; ctx is the struct configd. */
void pki_expiry(void *ctx);

/* pki.c: shared by the files */
/* The question, with its texts ended; false (and answered) when it is malformed. The caller wipes it with pki_done. */
struct cfgm_pki *pki_question(struct client *c, const struct msg *m);
void pki_done(struct cfgm_pki *q);
void pki_answer(struct client *c, const struct msg *m, enum err e);
/* What stands in a memory BIO, as a dump, then the status. */
void pki_answer_text(struct client *c, const struct msg *m, BIO *text, enum err e);
enum err pki_key_add(struct configd *d, const char *label, bool exportable, EVP_PKEY *key);
/* Certificates whose key pair came or went; the snapshot follows. */
void pki_relink(struct configd *d);
/* Lines of configuration that put a certificate into a trustpoint's chain: `kind` is "", "ca" or "self-signed". */
void pki_certificate_lines(BIO *out, const char *trustpoint, const char *kind, X509 *x);
/* Applies them, all or none, and tells the subscribers. */
enum err pki_apply(struct client *c, BIO *lines);

#endif
