/* crypto pki authenticate, enroll, import, export: dialogues in front of lines of configuration. A certificate that was pasted
 * becomes the lines of `crypto pki certificate chain`, so there is one door for it. */
#include "cli/exec/pki.h"

#include "cli/exec/flash.h"
#include "configdb/cert.h"
#include "platform/base/mem.h"
#include "platform/base/secret.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

#define PASTE_MAX (16 * 1024)

X509 *pki_pasted_certificate(const char *text)
{
	BIO *in = BIO_new(BIO_s_mem());
	bool headed = strstr(text, "-----BEGIN") != NULL;
	X509 *x;

	BIO_printf(in, "%s", headed ? "" : "-----BEGIN CERTIFICATE-----\n");
	BIO_puts(in, text);
	BIO_printf(in, "%s", headed ? "" : "-----END CERTIFICATE-----\n");
	x = PEM_read_bio_X509(in, NULL, NULL, NULL);
	BIO_free(in);
	ERR_clear_error();
	return x;
}

/* The trustpoint of a command, in a snapshot that the caller frees. NULL: said. */
static const struct cfg_trustpoint *trustpoint(struct exec_call *c, struct cfg **cfg)
{
	const char *name = exec_arg(c, "name");
	const struct cfg_trustpoint *t;

	*cfg = NULL;
	if (session_cfg(&c->sh->session, cfg) != ERR_OK) {
		term_printf(c->sh->term, "%% configd is not answering\n");
		return NULL;
	}
	t = cfg_trustpoint(*cfg, name);
	if (!t)
		term_printf(c->sh->term, "%% Trustpoint %s is not configured.\n", name);
	return t;
}

static const struct cfg_cert *cert_of(const struct cfg_trustpoint *t, bool ca)
{
	for (size_t i = 0; i < t->ncerts; i++)
		if (t->certs[i].ca == ca && !t->certs[i].ra)
			return &t->certs[i];
	return NULL;
}

/* Feeds `crypto pki certificate chain`; what configd says of the last line is told. */
static bool store_lines(struct exec_call *c, const char *text)
{
	struct cfg_mode_ctx at = { .mode = MODE_CONFIG };
	struct cfgm_result r = { 0 };
	char line[256];

	while (*text) {
		size_t n = strcspn(text, "\n");

		snprintf(line, sizeof(line), "%.*s", (int)n, text);
		text += n + (text[n] == '\n');
		if (session_line(&c->sh->session, &at, line, &r) != ERR_OK) {
			term_printf(c->sh->term, "%% configd is not answering\n");
			return false;
		}
		if (r.code != GR_OK || strcmp(line, "quit") == 0)
			term_printf(c->sh->term, "%s", r.text);
		if (r.code != GR_OK)
			return false;
		at = r.next;
	}
	return true;
}

bool pki_store_certificate(struct exec_call *c, const char *name, const char *kind, X509 *x)
{
	char serial[CERT_SERIAL], *text = NULL;
	unsigned char *der = NULL;
	BIO *out = BIO_new(BIO_s_mem());
	int len = i2d_X509(x, &der);
	bool ok = false;

	if (out && len > 0 && len <= CERT_DER_MAX && cert_serial(serial, x)) {
		BIO_printf(out, "crypto pki certificate chain %s\ncertificate %s %s\n", name, kind, serial);
		for (int i = 0; i < len; i++)
			BIO_printf(out, "%02X%s", der[i], i % 32 == 31 || i + 1 == len ? "\n" : "");
		BIO_write(out, "quit", 5);
		BIO_get_mem_data(out, &text);
		ok = store_lines(c, text);
	} else {
		term_printf(c->sh->term, "%% The certificate is too long\n");
	}
	OPENSSL_free(der);
	BIO_free(out);
	return ok;
}

/* ---- authenticate ---- */

static X509 *paste_certificate(struct exec_call *c, const char *what)
{
	char *text = mem_zalloc(PASTE_MAX);
	X509 *x = NULL;

	if (!text)
		return NULL;
	term_printf(c->sh->term,
		"\nEnter the base 64 encoded %scertificate.\nEnd with a blank line or the word \"quit\" on a line by itself\n\n",
		what);
	if (pki_paste(c->sh, text, PASTE_MAX, true)) {
		x = pki_pasted_certificate(text);
		if (!x)
			term_printf(c->sh->term, "%% Error in reading the certificate: not base 64 of an X.509 certificate\n");
	}
	mem_free(text);
	return x;
}

/* Who compares a fingerprint with a wrong clock will be puzzled later: so it is said now. */
static void check_clock(struct exec_call *c, X509 *x)
{
	char when[80];

	if (X509_cmp_current_time(X509_get0_notBefore(x)) > 0) {
		cert_time_print(when, sizeof(when), X509_get0_notBefore(x));
		term_printf(c->sh->term,
			"%% By this router's clock the certificate is not valid yet: it begins at %s. Check show clock.\n", when);
	} else if (X509_cmp_current_time(X509_get0_notAfter(x)) < 0) {
		cert_time_print(when, sizeof(when), X509_get0_notAfter(x));
		term_printf(c->sh->term, "%% By this router's clock the certificate has expired: it ended at %s. Check show clock.\n",
			when);
	}
}

/* As many digits as the configured one has: 32 of MD5, 40 of SHA-1, 64 of SHA-256. */
static bool fingerprint_matches(struct exec_call *c, const char *want, X509 *x)
{
	size_t n = strlen(want);
	char text[200], digits[65] = "", *at = digits;

	cert_fingerprint(text, sizeof(text), x, n == 32 ? "MD5" : n == 40 ? "SHA1" : "SHA256");
	for (const char *p = text; *p && at < digits + 64; p++)
		if (*p != ' ')
			*at++ = *p;
	*at = '\0';
	term_printf(c->sh->term, "Trustpoint Fingerprint: ");
	for (size_t i = 0; i < n; i += 8)
		term_printf(c->sh->term, "%.8s ", want + i);
	if (strcmp(digits, want) == 0) {
		term_printf(c->sh->term, "\nCertificate validated - fingerprints matched.\n");
		return true;
	}
	term_printf(c->sh->term, "\nCertificate rejected - fingerprints did not match.\n");
	return false;
}

bool pki_accept_ca(struct exec_call *c, const struct cfg_trustpoint *t, X509 *x)
{
	char md5[120], sha1[120];

	if (!cert_is_ca(x)) {
		term_printf(c->sh->term, "%% Error in saving certificate: it is not one of a certification authority\n");
		return false;
	}
	cert_fingerprint(md5, sizeof(md5), x, "MD5");
	cert_fingerprint(sha1, sizeof(sha1), x, "SHA1");
	term_printf(c->sh->term,
		"Certificate has the following attributes:\n       Fingerprint MD5: %s\n      Fingerprint SHA1: %s\n\n", md5, sha1);
	check_clock(c, x);
	if (t->fingerprint[0] ? !fingerprint_matches(c, t->fingerprint, x)
			      : !pki_yes(c->sh, "% Do you accept this certificate? [yes/no]: "))
		return false;
	if (!pki_store_certificate(c, t->name, "ca", x))
		return false;
	term_printf(c->sh->term, "Trustpoint CA certificate accepted.\n");
	return true;
}

static bool authenticate(struct exec_call *c)
{
	struct cfg *cfg;
	const struct cfg_trustpoint *t = trustpoint(c, &cfg);
	X509 *x = NULL;
	bool ok = false;

	if (t && cert_of(t, true))
		term_printf(c->sh->term,
			"%% Please delete your existing CA certificate first.\n"
			"%% You must use 'no crypto pki trustpoint <trustpoint-name>' to delete the CA certificate.\n");
	else if (t && t->selfsigned)
		term_printf(c->sh->term, "%% A trustpoint with enrollment selfsigned has no CA\n");
	else if (t && t->url[0])
		ok = pki_scep_authenticate(c, t);
	else if (t)
		x = paste_certificate(c, "CA ");
	if (x)
		ok = pki_accept_ca(c, t, x);
	if (x && ok)
		term_printf(c->sh->term, "%% Certificate successfully imported\n");
	X509_free(x);
	cfg_free(cfg);
	return ok;
}

/* ---- import ---- */

static bool import_certificate(struct exec_call *c)
{
	struct cfg *cfg;
	const struct cfg_trustpoint *t = trustpoint(c, &cfg);
	const struct cfg_cert *ca = t ? cert_of(t, true) : NULL;
	X509 *x = NULL, *issuer = NULL;
	bool ok = false;

	if (t && !ca)
		term_printf(c->sh->term,
			"%% You must authenticate the Certificate Authority before you can import the router's certificate.\n");
	else if (t)
		x = paste_certificate(c, "");
	if (x)
		issuer = cert_of_der(span_of(ca->der, ca->len));
	if (x && (!issuer || X509_check_issued(issuer, x) != X509_V_OK || X509_verify(x, X509_get0_pubkey(issuer)) != 1))
		term_printf(c->sh->term,
			"%% Failed to parse or verify imported certificate: trustpoint %s's CA has not issued it\n", t->name);
	else if (x)
		ok = pki_store_certificate(c, t->name, "", x);
	if (ok)
		term_printf(c->sh->term, "%% Router Certificate successfully imported\n");
	ERR_clear_error();
	X509_free(issuer);
	X509_free(x);
	cfg_free(cfg);
	return ok;
}

/* A file's bytes as base64, or what is pasted. */
static bool pkcs12_text(struct exec_call *c, struct cfgm_pki *q)
{
	const char *file = exec_arg(c, "file");
	char path[512], *bytes;
	size_t len = 0, encoded;
	bool fits;

	if (!file) {
		term_printf(c->sh->term,
			"\nEnter the base 64 encoded pkcs12.\nEnd with a blank line or the word \"quit\" on a line by itself:\n\n");
		return pki_paste(c->sh, q->text, sizeof(q->text), true);
	}
	bytes = flash_path(c->sh, file, path, sizeof(path)) ? flash_read(path, &len) : NULL;
	if (!bytes) {
		term_printf(c->sh->term, "%%Error opening %s (No such file or directory)\n", file);
		return false;
	}
	encoded = (len + 2) / 3 * 4;
	fits = encoded + encoded / 64 + 2 < sizeof(q->text);
	if (fits) {
		BIO *b64 = BIO_new(BIO_f_base64()), *out = BIO_push(b64, BIO_new(BIO_s_mem()));
		char *text;
		long n;

		BIO_write(out, bytes, (int)len);
		(void)BIO_flush(out);
		n = BIO_get_mem_data(BIO_next(b64), &text);
		memcpy(q->text, text, (size_t)n);
		BIO_free_all(out);
	} else {
		term_printf(c->sh->term, "%% The file is too long\n");
	}
	mem_free_secret(bytes, len);
	return fits;
}

static bool import_pkcs12(struct exec_call *c)
{
	struct cfgm_pki *q = mem_zalloc(sizeof(*q));
	struct term *t = c->sh->term;
	enum err e = ERR_INVALID;

	if (!q)
		return false;
	q->exportable = true; /* as on IOS: it was exported before */
	snprintf(q->name, sizeof(q->name), "%s", exec_arg(c, "name"));
	snprintf(q->passphrase, sizeof(q->passphrase), "%s", exec_arg(c, "passphrase"));
	if (pkcs12_text(c, q)) {
		term_printf(t, "%% Importing pkcs12...\n");
		e = session_pki(&c->sh->session, CFGM_PKCS12_IMPORT, q, NULL, NULL);
		if (e == ERR_OK)
			term_printf(t, "CRYPTO_PKI: Imported PKCS12 file successfully.\n");
		else
			term_printf(t, "%% PKCS12 import failed: %s\n",
				e == ERR_AUTH         ? "wrong password"
				: e == ERR_INVALID    ? "not a PKCS12 file"
				: e == ERR_INCOMPLETE ? "it must have a key and its certificate"
						      : err_text(e));
	}
	mem_free_secret(q, sizeof(*q));
	return e == ERR_OK;
}

/* ---- export ---- */

static void pem_print(struct exec_call *c, const char *title, const struct cfg_cert *cert)
{
	X509 *x = cert_of_der(span_of(cert->der, cert->len));
	BIO *out = BIO_new(BIO_s_mem());
	char *text = NULL;

	if (x && out && PEM_write_bio_X509(out, x) == 1 && BIO_write(out, "", 1) == 1) {
		BIO_get_mem_data(out, &text);
		term_printf(c->sh->term, "%% %s:\n%s\n", title, text);
	}
	BIO_free(out);
	X509_free(x);
}

static bool export_pem(struct exec_call *c)
{
	struct cfg *cfg;
	const struct cfg_trustpoint *t = trustpoint(c, &cfg);
	const struct cfg_cert *ca = t ? cert_of(t, true) : NULL, *own = t ? cert_of(t, false) : NULL;

	if (ca)
		pem_print(c, "CA certificate", ca);
	if (own)
		pem_print(c, "General Purpose Certificate", own);
	if (t && !ca && !own)
		term_printf(c->sh->term, "%% Trustpoint %s has no certificates\n", t->name);
	cfg_free(cfg);
	return ca || own;
}

static bool export_pkcs12(struct exec_call *c)
{
	struct cfgm_pki *q = mem_zalloc(sizeof(*q));
	struct term *t = c->sh->term;
	char *text = NULL;
	enum err e;

	if (!q)
		return false;
	snprintf(q->name, sizeof(q->name), "%s", exec_arg(c, "name"));
	snprintf(q->passphrase, sizeof(q->passphrase), "%s", exec_arg(c, "passphrase"));
	e = session_pki(&c->sh->session, CFGM_PKCS12_EXPORT, q, &text, NULL);
	if (e == ERR_OK && text)
		term_printf(t,
			"Exported pkcs12 follows:\n%s\n---End - This line not part of the pkcs12---\n\nCRYPTO_PKI: Exported PKCS12 "
			"file successfully.\n",
			text);
	else
		term_printf(t, "%% PKCS12 export failed: %s\n",
			e == ERR_DENIED      ? "the key is not exportable"
			: e == ERR_RANGE     ? "the password must have at least 8 characters"
			: e == ERR_NOT_FOUND ? "there is no key or no certificate"
			: e == ERR_INVALID   ? "no such trustpoint"
					     : err_text(e));
	if (text)
		mem_free_secret(text, strlen(text));
	mem_free_secret(q, sizeof(*q));
	return e == ERR_OK;
}

/* ---- enroll ---- */

void pki_say_subject(struct exec_call *c, const struct cfg_trustpoint *t, const struct cfg *cfg)
{
	struct term *out = c->sh->term;
	const char *fqdn = t->fqdn[0] ? t->fqdn : cfg->system.hostname;

	if (t->subject[0])
		term_printf(out, "%% The subject name in the certificate will include: %s\n", t->subject);
	if (!t->fqdn_none)
		term_printf(out, "%% The subject name in the certificate will include: %s\n", fqdn);
}

static bool enroll_terminal(struct exec_call *c, const struct cfg_trustpoint *t, const char *request)
{
	struct term *out = c->sh->term;
	const char *begin = strchr(request, '\n'), *end = strstr(request, "-----END");

	if (!pki_yes(c->sh, "Display Certificate Request to terminal? [yes/no]: "))
		return true;
	do {
		if (t->pem || !begin || !end)
			term_printf(out, "Certificate Request follows:\n\n%s\n", request);
		else
			term_printf(out, "Certificate Request follows:\n\n%.*s\n", (int)(end - begin - 1), begin + 1);
		term_printf(out, "---End - This line not part of the certificate request---\n\n");
	} while (pki_yes(c->sh, "Redisplay enrollment request? [yes/no]: "));
	return true;
}

const char *pki_enroll_fault(enum err e)
{
	return e == ERR_UNSUPPORTED  ? "SCEP needs an RSA key pair (rsakeypair): an EC key cannot decrypt the CA's answer"
	       : e == ERR_NOT_FOUND  ? "the router has no key pair of that name: crypto key generate makes one"
	       : e == ERR_INCOMPLETE ? "neither subject-name nor fqdn tells who the router is"
				     : err_text(e);
}

static bool enroll_run(struct exec_call *c, const struct cfg_trustpoint *t, const struct cfg *cfg)
{
	struct cfgm_pki *q = mem_zalloc(sizeof(*q));
	struct term *out = c->sh->term;
	char *text = NULL;
	bool ok = false;
	enum err e;

	if (!q)
		return false;
	snprintf(q->name, sizeof(q->name), "%s", t->name);
	if (!t->selfsigned)
		term_printf(out, "%% Start certificate enrollment ..\n\n");
	pki_say_subject(c, t, cfg);
	if (t->selfsigned && !pki_yes(c->sh, "Generate Self Signed Router Certificate? [yes/no]: "))
		goto out;
	e = session_pki(&c->sh->session, CFGM_PKI_ENROLL, q, &text, NULL);
	if (e != ERR_OK)
		term_printf(out, "%% Enrollment failed: %s\n", pki_enroll_fault(e));
	else if (t->selfsigned)
		term_printf(out, "\nRouter Self Signed Certificate successfully created\n");
	ok = e == ERR_OK && (t->selfsigned || !text || enroll_terminal(c, t, text));
	mem_free(text);
out:
	mem_free(q);
	return ok;
}

/* As on IOS who has a certificate is asked whether another one is wanted. */
static bool may_replace(struct exec_call *c, const struct cfg_trustpoint *t)
{
	if (t->selfsigned || !cert_of(t, false))
		return true;
	term_printf(c->sh->term,
		"Trustpoint %s has already enrolled and has a router cert issued to it.\n"
		"If you successfully re-enroll this trustpoint,the existing certificate will be replaced.\n\n",
		t->name);
	return pki_yes(c->sh, "Do you want to continue with re-enrollment? [yes/no]: ");
}

static bool enroll(struct exec_call *c)
{
	struct cfg *cfg;
	const struct cfg_trustpoint *t = trustpoint(c, &cfg);
	bool ok = false;

	if (t && t->pkcs12)
		term_printf(c->sh->term, "%% This trustpoint gets its certificate by crypto pki import %s pkcs12\n", t->name);
	else if (t && !t->selfsigned && !cert_of(t, true))
		term_printf(c->sh->term, "%% You must authenticate the Certificate Authority before you can enroll with it.\n");
	else if (t && may_replace(c, t))
		ok = t->url[0] ? pki_scep_enroll(c, t, cfg) : enroll_run(c, t, cfg);
	cfg_free(cfg);
	return ok;
}

#define PKI "Encryption module", "Public Key components", "Certification authority"

const struct exec_row exec_rows_pki_certs[] = {
	{ "crypto <pki|ca> authenticate TAG$name", EXEC_HELP(PKI, "Get the CA certificate", "CA Server Name"), 15, 0, authenticate,
		MODE_CONFIG },
	{ "crypto <pki|ca> enroll TAG$name", EXEC_HELP(PKI, "Request a certificate from a CA", "CA Server Name"), 15, 0, enroll,
		MODE_CONFIG },
	{ "no crypto <pki|ca> enroll TAG$name", EXEC_HELP("Negate a command or set its defaults", PKI, "Delete an enrollment request", "CA Server Name"), 15, 0,
		pki_scep_cancel, MODE_CONFIG },
	{ "crypto <pki|ca> import TAG$name certificate",
		EXEC_HELP(PKI, "Import certificate or keypair", "CA Server Name", "Import a certificate from a cut-and-paste"), 15,
		0, import_certificate, MODE_CONFIG },
	{ "crypto <pki|ca> import TAG$name pkcs12 <terminal|WORD$file> password WORD$passphrase",
		EXEC_HELP(PKI, "Import certificate or keypair", "CA Server Name", "Import from PKCS12 file", "by cut-and-paste",
			"from flash: file system", "Passphrase that protects it", "Passphrase"),
		15, 0, import_pkcs12, MODE_CONFIG },
	{ "crypto <pki|ca> export TAG$name pem terminal",
		EXEC_HELP(PKI, "Export certificate or keypair", "CA Server Name", "Export certificates in PEM format",
			"to the terminal"),
		15, 0, export_pem, MODE_CONFIG },
	{ "crypto <pki|ca> export TAG$name pkcs12 terminal password WORD$passphrase",
		EXEC_HELP(PKI, "Export certificate or keypair", "CA Server Name", "Export as PKCS12", "to the terminal",
			"Passphrase that protects it", "Passphrase of at least 8 characters"),
		15, 0, export_pkcs12, MODE_CONFIG },
	{ NULL, NULL, 0, 0, NULL, 0 },
};
