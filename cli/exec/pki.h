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
/* PEM, or its base64 alone. NULL: no certificate. */
X509 *pki_pasted_certificate(const char *text);

void show_mypubkey_format(struct out *o, const struct keypair *keys, size_t n);
/* `name` null: all. */
void show_certificates_format(struct out *o, const struct cfg *cfg, const char *name, bool verbose);
void show_crls_format(struct out *o, const struct ikem_crl *rows, size_t n);
void show_trustpoints_format(struct out *o, const struct cfg *cfg, const char *name, bool status);

#endif
