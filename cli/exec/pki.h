/* Certificates and keys on the screen, and pasted into it. */
#ifndef POSTERN_CLI_EXEC_PKI_H
#define POSTERN_CLI_EXEC_PKI_H

#include "cli/exec.h"
#include "configdb/keypairs.h"
#include "ikemgr/ike_api.h"

#include <openssl/x509.h>

/* "% question? [yes/no]: " until one of the two comes. False: no, or broken off. */
bool pki_yes(struct shell *sh, const char *question);
/* Lines up to `quit` (with `blank_ends`: or a blank one), into `text`. False: broken off, or too long (said). */
bool pki_paste(struct shell *sh, char *text, size_t size, bool blank_ends);
/* Shows a CA certificate's fingerprints; compares them with the trustpoint's `fingerprint`, or asks; stores it. */
bool pki_accept_ca(struct exec_call *c, const struct cfg_trustpoint *t, X509 *x);
/* As lines of `crypto pki certificate chain`; `kind` is "", "ca", "ra-sign" or "ra-encrypt". False: said. */
bool pki_store_certificate(struct exec_call *c, const char *name, const char *kind, X509 *x);
void pki_say_subject(struct exec_call *c, const struct cfg_trustpoint *t, const struct cfg *cfg);
const char *pki_enroll_fault(enum err e);

/* pki_scep.c: of a trustpoint with `enrollment url`. */
bool pki_scep_authenticate(struct exec_call *c, const struct cfg_trustpoint *t);
bool pki_scep_enroll(struct exec_call *c, const struct cfg_trustpoint *t, const struct cfg *cfg);
bool pki_scep_cancel(struct exec_call *c);
/* A line of configuration that removes a trustpoint with certificates is asked about. True: go on. */
bool pki_removal_confirmed(struct shell *sh, const char *line);

/* PEM, or its base64 alone. NULL: no certificate. */
X509 *pki_pasted_certificate(const char *text);

void show_mypubkey_format(struct out *o, const struct keypair *keys, size_t n);
/* `name` null: all. */
void show_certificates_format(struct out *o, const struct cfg *cfg, const char *name, bool verbose);
void show_crls_format(struct out *o, const struct ikem_crl *rows, size_t n);
void show_trustpoints_format(struct out *o, const struct cfg *cfg, const char *name);
void show_status_format(struct out *o, const struct cfg *cfg, const char *name, const struct ikem_scep *rows, size_t n);
void show_pending_format(struct out *o, const struct ikem_scep *row);

#endif
