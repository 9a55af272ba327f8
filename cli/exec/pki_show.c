/* show crypto pki certificates, trustpoints: from the snapshot of the configuration; crls, from ikemgrd. */
#include "cli/exec/pki.h"

#include "configdb/cert.h"

#include <openssl/objects.h>
#include <openssl/x509v3.h>
#include "platform/base/mem.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

struct lines {
	struct out *o;
	const char *indent;
};

static void name_line(void *ctx, const char *text)
{
	const struct lines *l = ctx;

	out_printf(l->o, "%s%s\n", l->indent, text);
}

static void name_lines(struct out *o, const char *indent, const X509_NAME *name)
{
	cert_name_each(name, name_line, &(struct lines){ o, indent });
}

/* "Name:" of a subject: what the router is called, its common name else. */
static void subject_lines(struct out *o, X509 *x, bool ca)
{
	const X509_NAME *subject = X509_get_subject_name(x);
	char name[256] = "";

	if (X509_NAME_get_text_by_NID((X509_NAME *)subject, NID_pkcs9_unstructuredName, name, sizeof(name)) < 0)
		X509_NAME_get_text_by_NID((X509_NAME *)subject, NID_commonName, name, sizeof(name));
	out_printf(o, "  Subject:%s\n", ca ? " " : "");
	if (!ca && name[0])
		out_printf(o, "    Name: %s\n", name);
	name_lines(o, "    ", subject);
}

static void crl_lines(struct out *o, X509 *x)
{
	CRL_DIST_POINTS *points = X509_get_ext_d2i(x, NID_crl_distribution_points, NULL, NULL);
	bool any = false;

	for (int i = 0; i < sk_DIST_POINT_num(points); i++) {
		const DIST_POINT *p = sk_DIST_POINT_value(points, i);

		for (int k = 0; p->distpoint && p->distpoint->type == 0 && k < sk_GENERAL_NAME_num(p->distpoint->name.fullname);
			k++) {
			const GENERAL_NAME *g = sk_GENERAL_NAME_value(p->distpoint->name.fullname, k);

			if (g->type != GEN_URI)
				continue;
			if (!any)
				out_printf(o, "  CRL Distribution Points: \n");
			any = true;
			out_printf(o, "    %.*s\n", ASN1_STRING_length(g->d.uniformResourceIdentifier),
				(const char *)ASN1_STRING_get0_data(g->d.uniformResourceIdentifier));
		}
	}
	CRL_DIST_POINTS_free(points);
}

static void validity_lines(struct out *o, const X509 *x)
{
	char when[80];

	out_printf(o, "  Validity Date: \n");
	cert_time_print(when, sizeof(when), X509_get0_notBefore(x));
	out_printf(o, "    start date: %s\n", when);
	cert_time_print(when, sizeof(when), X509_get0_notAfter(x));
	out_printf(o, "    end   date: %s\n", when);
}

static void usage_lines(struct out *o, X509 *x)
{
	static const struct {
		uint32_t bit;
		const char *text;
	} usages[] = { { KU_DIGITAL_SIGNATURE, "Digital Signature" }, { KU_NON_REPUDIATION, "Non Repudiation" },
		{ KU_KEY_ENCIPHERMENT, "Key Encipherment" }, { KU_DATA_ENCIPHERMENT, "Data Encipherment" },
		{ KU_KEY_AGREEMENT, "Key Agreement" }, { KU_KEY_CERT_SIGN, "Key Cert Sign" }, { KU_CRL_SIGN, "CRL Signature" } };
	uint32_t usage = X509_get_key_usage(x);

	if (usage == UINT32_MAX)
		return;
	out_printf(o, "    X509v3 Key Usage: %02X000000\n", usage & 0xff);
	for (size_t i = 0; i < sizeof(usages) / sizeof(usages[0]); i++)
		if (usage & usages[i].bit)
			out_printf(o, "      %s\n", usages[i].text);
}

static void id_line(struct out *o, const char *what, const ASN1_OCTET_STRING *id)
{
	out_printf(o, "    X509v3 %s: ", what);
	for (int i = 0; i < ASN1_STRING_length(id); i++)
		out_printf(o, "%02X%s", ASN1_STRING_get0_data(id)[i], i % 4 == 3 ? " " : "");
	out_printf(o, "\n");
}

static void ocsp_lines(struct out *o, X509 *x)
{
	AUTHORITY_INFO_ACCESS *list = X509_get_ext_d2i(x, NID_info_access, NULL, NULL);

	for (int i = 0; i < sk_ACCESS_DESCRIPTION_num(list); i++) {
		const ACCESS_DESCRIPTION *a = sk_ACCESS_DESCRIPTION_value(list, i);

		if (OBJ_obj2nid(a->method) == NID_ad_OCSP && a->location->type == GEN_URI)
			out_printf(o, "        OCSP URL: %.*s\n", ASN1_STRING_length(a->location->d.uniformResourceIdentifier),
				(const char *)ASN1_STRING_get0_data(a->location->d.uniformResourceIdentifier));
	}
	AUTHORITY_INFO_ACCESS_free(list);
}

static void verbose_lines(struct out *o, X509 *x)
{
	const EVP_PKEY *key = X509_get0_pubkey(x);
	char md5[120], sha1[120];
	bool rsa = key && EVP_PKEY_is_a(key, "RSA");
	int bits = key ? EVP_PKEY_get_bits(key) : 0;
	const char *alg = OBJ_nid2ln(X509_get_signature_nid(x));

	cert_fingerprint(md5, sizeof(md5), x, "MD5");
	cert_fingerprint(sha1, sizeof(sha1), x, "SHA1");
	out_printf(o, "  Subject Key Info:\n    Public Key Algorithm: %s\n    %s Public Key: (%d bit)\n",
		rsa ? "rsaEncryption" : "ecEncryption", rsa ? "RSA" : "EC", bits);
	out_printf(o, "  Signature Algorithm: %s\n  Fingerprint MD5: %s \n  Fingerprint SHA1: %s \n", alg ? alg : "unknown", md5,
		sha1);
	out_printf(o, "  X509v3 extensions:\n");
	usage_lines(o, x);
	if (X509_get0_subject_key_id(x))
		id_line(o, "Subject Key ID", X509_get0_subject_key_id(x));
	if (X509_get_extension_flags(x) & EXFLAG_BCONS)
		out_printf(o, "    X509v3 Basic Constraints:\n        CA: %s\n", X509_check_ca(x) ? "TRUE" : "FALSE");
	if (X509_get0_authority_key_id(x))
		id_line(o, "Authority Key ID", X509_get0_authority_key_id(x));
	out_printf(o, "    Authority Info Access:\n");
	ocsp_lines(o, x);
}

static void certificate_format(struct out *o, const struct cfg_trustpoint *t, const struct cfg_cert *c, bool verbose)
{
	X509 *x = cert_of_der(span_of(c->der, c->len));

	if (!x)
		return;
	out_printf(o, "%s\n  Status: Available\n",
		c->ca            ? "CA Certificate"
		: c->ra == CERT_RA_SIGN    ? "RA Signature Certificate"
		: c->ra == CERT_RA_ENCRYPT ? "RA KeyEncipher Certificate"
		: c->self_signed ? "Router Self-Signed Certificate"
				 : "Certificate");
	if (verbose)
		out_printf(o, "  Version: %ld\n", X509_get_version(x) + 1);
	out_printf(o, "  Certificate Serial Number (hex): %s\n  Certificate Usage: %s\n  Issuer: \n", c->serial,
		c->ca || c->ra == CERT_RA_SIGN ? "Signature" : c->ra ? "Encryption" : "General Purpose");
	name_lines(o, "    ", X509_get_issuer_name(x));
	subject_lines(o, x, c->ca);
	crl_lines(o, x);
	validity_lines(o, x);
	if (verbose)
		verbose_lines(o, x);
	out_printf(o, "  Associated Trustpoints: %s \n", t->name);
	if (verbose && !c->ca && c->key_id)
		out_printf(o, "  Key Label: %s\n", t->ec_label[0] ? t->ec_label : t->rsa_label[0] ? t->rsa_label : t->name);
	out_printf(o, "\n");
	X509_free(x);
}

void show_certificates_format(struct out *o, const struct cfg *cfg, const char *name, bool verbose)
{
	for (size_t i = 0; i < cfg->ntrustpoints; i++)
		for (size_t k = 0; (!name || strcmp(name, cfg->trustpoints[i].name) == 0) && k < cfg->trustpoints[i].ncerts; k++)
			certificate_format(o, &cfg->trustpoints[i], &cfg->trustpoints[i].certs[k], verbose);
}

/* "cn=R1,o=Acme": a line for each attribute. */
static void subject_each(const char *subject, struct lines *l)
{
	char line[512];

	while (*subject) {
		size_t n = 0;

		while (subject[n] && !(subject[n] == ',' && (n == 0 || subject[n - 1] != '\\')))
			n++;
		snprintf(line, sizeof(line), "%.*s", (int)n, subject);
		name_line(l, line);
		subject += n + (subject[n] == ',');
	}
}

void show_pending_format(struct out *o, const struct ikem_scep *row)
{
	struct lines l = { o, "    " };

	out_printf(o, "Certificate\n  Subject:\n");
	subject_each(row->subject, &l);
	out_printf(o, "   Status: Pending\n   Key Usage: General Purpose\n   Certificate Request Fingerprint MD5: %s\n"
		      "   Certificate Request Fingerprint SHA1: %s\n   Associated Trustpoint: %s\n\n",
		row->md5, row->sha1, row->trustpoint);
}

static void fingerprints(struct out *o, X509 *x)
{
	char md5[120], sha1[120];

	cert_fingerprint(md5, sizeof(md5), x, "MD5");
	cert_fingerprint(sha1, sizeof(sha1), x, "SHA1");
	out_printf(o, "    Fingerprint MD5: %s \n    Fingerprint SHA1: %s \n", md5, sha1);
}

static void status_certificate(struct out *o, const char *title, const struct cfg_cert *c)
{
	X509 *x = c ? cert_of_der(span_of(c->der, c->len)) : NULL;

	if (!x)
		return;
	out_printf(o, "  %s:\n    Subject Name:\n", title);
	name_lines(o, "     ", X509_get_subject_name(x));
	fingerprints(o, x);
	X509_free(x);
}

static void status_enrollment(struct out *o, const struct ikem_scep *e)
{
	static const char *const states[] = { "Requesting", "Pending", "Granted", "Rejected", "Failed" };
	time_t next = (time_t)(e->next_wall_us / 1000000);
	char when[80];
	struct tm tm;

	out_printf(o, "  Last enrollment status: %s\n", e->state < 5 ? states[e->state] : "Unknown");
	if (e->why[0])
		out_printf(o, "    Reason: %s\n", e->why);
	if (!next)
		return;
	gmtime_r(&next, &tm);
	strftime(when, sizeof(when), "%H:%M:%S UTC %b %-d %Y", &tm);
	out_printf(o, "  Next enrollment attempt:\n    %s (try %u of %u)\n", when, e->tries + 1u, e->retry_count);
}

/* `enrollment`: the last one over SCEP; NULL: none. */
static void status_format(struct out *o, const struct cfg_trustpoint *t, const struct ikem_scep *enrollment)
{
	const struct cfg_cert *ca = NULL, *own = NULL;

	for (size_t i = 0; i < t->ncerts; i++)
		if (!t->certs[i].ra)
			*(t->certs[i].ca ? &ca : &own) = &t->certs[i];
	out_printf(o, "Trustpoint %s:\n", t->name);
	status_certificate(o, "Issuing CA certificate configured", ca);
	status_certificate(o,
		own && own->self_signed ? "Router Self-Signed certificate configured" : "Router General Purpose certificate configured",
		own);
	if (enrollment)
		status_enrollment(o, enrollment);
	out_printf(o,
		"  State:\n    Keys generated ............. %s\n    Issuing CA authenticated ....... %s\n"
		"    Certificate request(s) ..... %s\n\n",
		(own && own->key_id) || enrollment ? "Yes (General Purpose)" : "Unknown", ca ? "Yes" : "No",
		enrollment && enrollment->state == IKE_SCEP_PENDING ? "Pending" : own ? "Yes" : "None");
}

static void trustpoint_format(struct out *o, const struct cfg_trustpoint *t)
{
	const struct cfg_cert *ca = NULL, *own = NULL;
	X509 *x;

	for (size_t i = 0; i < t->ncerts; i++)
		if (!t->certs[i].ra)
			*(t->certs[i].ca ? &ca : &own) = &t->certs[i];
	out_printf(o, "Trustpoint %s:\n", t->name);
	x = ca || own ? cert_of_der(ca ? span_of(ca->der, ca->len) : span_of(own->der, own->len)) : NULL;
	if (x) {
		out_printf(o, "    Subject Name:\n");
		name_lines(o, "    ", X509_get_subject_name(x));
		out_printf(o, "          Serial Number (hex): %s\n", ca ? ca->serial : own->serial);
	}
	if (own && own->self_signed)
		out_printf(o, "    Persistent self-signed certificate trust point\n    Using key label %s\n",
			t->ec_label[0] ? t->ec_label : t->rsa_label);
	else if (x)
		out_printf(o, "    Certificate configured.\n");
	if (t->url[0])
		out_printf(o, "    SCEP URL: %s\n", t->url);
	out_printf(o, "\n\n");
	X509_free(x);
}

void show_trustpoints_format(struct out *o, const struct cfg *cfg, const char *name)
{
	for (size_t i = 0; i < cfg->ntrustpoints; i++)
		if (!name || strcmp(name, cfg->trustpoints[i].name) == 0)
			trustpoint_format(o, &cfg->trustpoints[i]);
}

void show_status_format(struct out *o, const struct cfg *cfg, const char *name, const struct ikem_scep *rows, size_t n)
{
	for (size_t i = 0; i < cfg->ntrustpoints; i++) {
		const struct cfg_trustpoint *t = &cfg->trustpoints[i];
		const struct ikem_scep *mine = NULL;

		for (size_t k = 0; k < n; k++)
			if (strcmp(rows[k].trustpoint, t->name) == 0)
				mine = &rows[k];
		if (!name || strcmp(name, t->name) == 0)
			status_format(o, t, mine);
	}
}

/* Enrollments; none where ikemgrd does not answer: certificates are shown all the same. */
static struct ikem_scep *enrollments(struct exec_call *c, size_t *n)
{
	struct ikem_scep *rows = NULL;

	*n = 0;
	if (daemon_rows(c->sh->options.run_dir, DAEMON_IKE, IKEM_SCEP_DUMP, span_of(NULL, 0), sizeof(*rows), (void **)&rows, n) !=
		ERR_OK)
		*n = 0;
	return rows;
}

static bool show_certificates(struct exec_call *c)
{
	const char *name = exec_arg(c, "name");
	struct cfg *cfg = exec_cfg(c);
	struct ikem_scep *rows;
	size_t n;

	if (!cfg)
		return false;
	show_certificates_format(c->out, cfg, name, exec_arg(c, "verbose") != NULL);
	rows = enrollments(c, &n);
	for (size_t i = 0; i < n; i++)
		if (rows[i].state <= IKE_SCEP_PENDING && (!name || strcmp(name, rows[i].trustpoint) == 0))
			show_pending_format(c->out, &rows[i]);
	mem_free(rows);
	cfg_free(cfg);
	return true;
}

static bool show_trustpoints(struct exec_call *c)
{
	struct cfg *cfg = exec_cfg(c);
	struct ikem_scep *rows;
	size_t n;

	if (!cfg)
		return false;
	if (exec_arg(c, "status")) {
		rows = enrollments(c, &n);
		show_status_format(c->out, cfg, exec_arg(c, "name"), rows, n);
		mem_free(rows);
	} else {
		show_trustpoints_format(c->out, cfg, exec_arg(c, "name"));
	}
	cfg_free(cfg);
	return true;
}

static void crl_issuer(struct out *o, const char *issuer)
{
	while (*issuer) {
		size_t n = strcspn(issuer, ",");

		out_printf(o, "%s%.*s%s", "", (int)n, issuer, issuer[n] ? " " : "\n");
		issuer += n + (issuer[n] == ',');
	}
}

void show_crls_format(struct out *o, const struct ikem_crl *rows, size_t n)
{
	char when[80];
	uint64_t bytes = 0;

	for (size_t i = 0; i < n; i++) {
		time_t t = (time_t)(rows[i].fetched_us / 1000000);
		struct tm tm;

		gmtime_r(&t, &tm);
		strftime(when, sizeof(when), "%H:%M:%S UTC %b %-d %Y", &tm);
		bytes += rows[i].bytes;
		out_printf(o, "CRL Issuer Name:\n    ");
		crl_issuer(o, rows[i].issuer);
		out_printf(o, "    LastUpdate: %s\n    NextUpdate: %s\n\n    CRL downloaded at: %s\n\n", rows[i].last, rows[i].next,
			when);
		out_printf(o, "    Retrieved from CRL Distribution Point:\n      %s\n\n CRL DER is %u bytes\n", rows[i].url,
			rows[i].bytes);
		out_printf(o, " CRL is stored in parsed CRL cache\n\n");
	}
	out_printf(o, "\nParsed CRL cache current size is %llu bytes\n", (unsigned long long)bytes);
}

static bool show_crls(struct exec_call *c)
{
	struct ikem_crl *rows = NULL;
	size_t n = 0;

	if (!exec_rows_of(c, DAEMON_IKE, IKEM_CRL_DUMP, span_of(NULL, 0), sizeof(*rows), (void **)&rows, &n))
		return false;
	show_crls_format(c->out, rows, n);
	mem_free(rows);
	return true;
}

static bool crl_request(struct exec_call *c)
{
	struct ikem_crl_request ask = { 0 };
	struct ikem_crl_requested done = { 0 };
	enum err e;

	snprintf(ask.trustpoint, sizeof(ask.trustpoint), "%s", exec_arg(c, "name"));
	e = daemon_call(
		c->sh->options.run_dir, DAEMON_IKE, IKEM_CRL_REQUEST, span_of(&ask, sizeof(ask)), &done, sizeof(done), NULL);
	if (e != ERR_OK)
		return exec_failed(c, "ikemgrd", e);
	done.why[sizeof(done.why) - 1] = '\0';
	if (done.lists == 0)
		out_printf(c->out, "%% CRL request failed: %s\n", done.why);
	return done.lists != 0;
}

#define SHOW_PKI "Show running system information", "Encryption module", "Show PKI", "Show PKI"

const struct exec_row exec_rows_pki_show[] = {
	{ "show crypto <pki|ca> certificates [verbose$verbose] [TAG$name]",
		EXEC_HELP(SHOW_PKI, "Show certificates", "Display in verbose mode", "Trustpoint Name"), 1, EXEC_PIPE,
		show_certificates, 0 },
	{ "show crypto <pki|ca> trustpoints [status$status] [TAG$name]",
		EXEC_HELP(SHOW_PKI, "Show trustpoints", "Show trustpoint status", "Trustpoint Name"), 1, EXEC_PIPE,
		show_trustpoints, 0 },
	{ "show crypto <pki|ca> crls", EXEC_HELP(SHOW_PKI, "Show Certificate Revocation Lists"), 1, EXEC_PIPE, show_crls, 0 },
	{ "crypto <pki|ca> crl request TAG$name",
		EXEC_HELP("Encryption module", "Public Key components", "Certification authority", "CRL", "Request a CRL now",
			"CA Server Name"),
		15, 0, crl_request, MODE_CONFIG },
	{ NULL, NULL, 0, 0, NULL, 0 },
};
