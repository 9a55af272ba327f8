/* Trustpoints and certificate maps. The certificates themselves are in pki_cert.c. `crypto ca …` is IOS's older spelling. */
#include "configdb/model/psk.h"

#include "configdb/cert.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PKI_HELP "Encryption module", "Public Key components", "Certification authority"
#define URL_MAX 200
#define TP       .mode = MODE_TRUSTPOINT, .tables = CFG_PKI, .shape = SHAPE_SCALAR
#define MAP_MODE .mode = MODE_CERT_MAP, .tables = CFG_PKI

static enum grammar_result check_subject(struct change *c)
{
	X509_NAME *name;

	if (c->remove)
		return GR_OK;
	name = cert_name_parse(var(c, "subject"));
	X509_NAME_free(name);
	return name ? GR_OK : refuse(c, "%% Invalid subject name: write it as \"CN=R1,OU=VPN,O=Acme,C=DE\"");
}

/* http://HOST[:PORT][/PATH]: SCEP protects its messages itself (RFC 8894 7), and IOS speaks no other scheme either. */
static enum grammar_result check_enrollment(struct change *c)
{
	const char *url = var(c, "url"), *host;
	size_t n, port;

	if (c->remove || !url)
		return GR_OK;
	if (strncmp(url, "http://", 7) != 0)
		return refuse(c, "%% Enrollment is over HTTP: write the URL as http://HOST[:PORT][/PATH]");
	host = url + 7;
	n = strcspn(host, ":/?#@");
	if (n == 0 || strpbrk(host, "?#@") || strlen(url) > URL_MAX)
		return refuse(c, "%% Invalid URL: write it as http://HOST[:PORT][/PATH], %d characters at most", URL_MAX);
	if (host[n] != ':')
		return GR_OK;
	port = strspn(host + n + 1, "0123456789");
	if (port == 0 || port > 5 || atoi(host + n + 1) > 65535 || atoi(host + n + 1) == 0 ||
		(host[n + 1 + port] != '/' && host[n + 1 + port]))
		return refuse(c, "%% Invalid URL: the port is a number from 1 to 65535");
	return GR_OK;
}

static enum grammar_result password_apply(struct change *c)
{
	char id[24];
	enum grammar_result r = c->remove ? GR_OK : psk_put(c, id);

	if (r == GR_OK)
		db_run(c->db,
			"UPDATE pki_trustpoint SET password = CAST(?2 AS INTEGER) WHERE name = ?1 AND password IS NOT CAST(?2 AS "
			"INTEGER)",
			P(c->key[0], c->remove ? NULL : id));
	return r;
}

static void password_render(struct render *r, const struct stmt *st)
{
	sqlite3_stmt *q =
		db_query(r->db, "SELECT password FROM pki_trustpoint WHERE name = ?1 AND password IS NOT NULL", P(r->key[0]));
	struct values v;

	values_init(&v);
	if (db_step(r->db, &q)) {
		values_from_row(&v, q);
		psk_encrypt(r, &v, "password");
		emit_values(r, st, &v);
	}
	db_done(r->db, q);
}

/* Digits alone, upper case: MD5, SHA-1, or (IOS has no such) SHA-256. */
static enum grammar_result fingerprint_apply(struct change *c)
{
	char digits[65] = "";
	size_t n = 0;

	for (const char *p = c->remove ? "" : var(c, "fingerprint"); *p; p++) {
		if (isspace((unsigned char)*p))
			continue;
		if (n + 1 == sizeof digits || !isxdigit((unsigned char)*p))
			return refuse(c, "%% A fingerprint has 32 (MD5), 40 (SHA1) or 64 (SHA256) hexadecimal digits");
		digits[n++] = (char)toupper((unsigned char)*p);
	}
	if (!c->remove && n != 32 && n != 40 && n != 64)
		return refuse(c, "%% A fingerprint has 32 (MD5), 40 (SHA1) or 64 (SHA256) hexadecimal digits");
	db_run(c->db, "UPDATE pki_trustpoint SET fingerprint = ?2 WHERE name = ?1 AND fingerprint IS NOT ?2",
		P(c->key[0], c->remove ? NULL : digits));
	return GR_OK;
}

static enum grammar_result check_auto_enroll(struct change *c)
{
	return c->remove ? GR_OK
			 : refuse(c,
				   "%% Automatic enrollment is not supported: the log warns 30 days before a certificate ends, and "
				   "crypto pki enroll renews it");
}

static enum grammar_result check_ocsp_url(struct change *c)
{
	const char *url = var(c, "ocsp_url");

	if (c->remove || !url)
		return GR_OK;
	if (strncmp(url, "http://", 7) != 0 || url[7] == '\0' || url[7] == '/' || strlen(url) >= CFG_URL)
		return refuse(c, "%% OCSP goes over http:// only: ocsp url http://HOST[:PORT][/PATH], %d characters at most",
			CFG_URL - 1);
	return GR_OK;
}

static bool has_root(struct change *c)
{
	char hex[2 * CERT_DER_MAX + 1];
	uint8_t der[CERT_DER_MAX];
	int len = -1;
	X509 *x;
	bool root;

	if (db_get(c->db, hex, sizeof hex, "SELECT data FROM pki_cert WHERE trustpoint = ?1 AND kind = 'ca'", P(c->key[0])))
		len = cert_hex_parse(der, sizeof der, hex);
	x = len > 0 ? cert_of_der(span_of(der, (size_t)len)) : NULL;
	root = x && cert_is_self_signed(x);
	X509_free(x);
	return root;
}

/* What `stop` says is the default; `continue` names the trustpoint that must vouch for this one's CA. */
static enum grammar_result chain_apply(struct change *c)
{
	const char *parent = c->remove ? NULL : var(c, "chain_parent");

	if (parent && !strcmp(parent, c->key[0]))
		return refuse(c, "%% A trustpoint cannot be its own parent");
	if (parent && has_root(c))
		return refuse(
			c, "%% The CA of trustpoint %s is a root: nobody is above it, its chain-validation is stop", c->key[0]);
	db_run(c->db, "UPDATE pki_trustpoint SET chain_parent = ?2 WHERE name = ?1 AND chain_parent IS NOT ?2",
		P(c->key[0], parent));
	return GR_OK;
}

/* `no revocation-check` is IOS's default again: a CRL, and nothing else will do. */
static enum grammar_result revocation_apply(struct change *c)
{
	const char *one = c->remove ? "crl" : var(c, "rev1"), *two = var(c, "rev2"), *three = var(c, "rev3");

	if (c->remove)
		two = three = NULL;
	if ((two && (!strcmp(one, two) || !strcmp(one, "none"))) ||
		(three && (!strcmp(three, one) || !strcmp(three, two) || !strcmp(two, "none"))))
		return refuse(c, "%% Each method at most once, and nothing after none");
	db_run(c->db,
		"UPDATE pki_trustpoint SET rev1 = ?2, rev2 = ?3, rev3 = ?4 WHERE name = ?1 AND (rev1 IS NOT ?2 OR rev2 IS NOT ?3 "
		"OR "
		"rev3 IS NOT ?4)",
		P(c->key[0], one, two, three));
	return GR_OK;
}

static enum grammar_result rule_apply(struct change *c)
{
	const char *const *row = (const char *const[]){ c->key[0], c->key[1], var(c, "field"), var(c, "op"), var(c, "value") };

	if (!c->remove)
		db_run(c->db,
			"INSERT INTO pki_map_rule(map, seq, field, op, value) SELECT ?1, ?2, ?3, ?4, ?5 WHERE NOT EXISTS "
			"(SELECT 1 FROM pki_map_rule WHERE map = ?1 AND seq = CAST(?2 AS INTEGER) AND field = ?3 AND op = ?4 AND "
			"value "
			"= ?5)",
			row, 5);
	else
		db_run(c->db,
			"DELETE FROM pki_map_rule WHERE map = ?1 AND seq = CAST(?2 AS INTEGER) AND field = ?3 AND (?4 IS NULL OR "
			"op = ?4) "
			"AND (?5 IS NULL OR value = ?5)",
			row, 5);
	return GR_OK;
}

static void rule_render(struct render *r, const struct stmt *st)
{
	struct values v;
	sqlite3_stmt *q = db_query(r->db,
		"SELECT field, op, value FROM pki_map_rule WHERE map = ?1 AND seq = CAST(?2 AS INTEGER) ORDER BY id", r->key, 2);

	while (db_step(r->db, &q)) {
		values_init(&v);
		values_from_row(&v, q);
		emit_values(r, st, &v);
	}
}

static const struct stmt rows[] = {
	{ .syntax = "crypto <pki|ca> trustpoint TAG$name",
		.help = HELP(PKI_HELP, "Define a CA trustpoint", "CA Server Name"),
		.mode = MODE_CONFIG,
		.no_words = NO_WHOLE,
		.tables = CFG_PKI,
		.enters = MODE_TRUSTPOINT,
		.shape = SHAPE_OBJECT,
		.table = "pki_trustpoint",
		.key = "name",
		.order = "name" },
	{ .syntax = "enrollment <terminal$terminal [pem$pem]|selfsigned$selfsigned|pkcs12$pkcs12|url URL$url>",
		.help = HELP("Enrollment parameters", "Enroll via the terminal (cut-and-paste)",
			"Include PEM encapsulation boundaries", "Generate self-signed certificate",
			"Keys and certificates come as a PKCS12 file", "CA server enrollment URL", "URL of the CA: http://HOST[:PORT][/PATH]"),
		TP,
		.no_words = 1,
		.columns = "terminal pem selfsigned pkcs12 url",
		.check = check_enrollment },
	{ .syntax = "enrollment retry count <1-100>$retry_count",
		.help = HELP("Enrollment parameters", "Polling parameters", "How many times to poll CA for our certificate",
			"number of retries"),
		TP,
		.no_words = 3,
		.columns = "retry_count",
		.defaults = "retry_count=10" },
	{ .syntax = "enrollment retry period <1-60>$retry_period",
		.help = HELP("Enrollment parameters", "Polling parameters", "How long to wait between requests to CA for our certificate",
			"minutes"),
		TP,
		.no_words = 3,
		.columns = "retry_period",
		.defaults = "retry_period=1" },
	{ .syntax = "serial-number none$serial_none",
		.help = HELP("Include serial number", "Do not include serial number in the request"),
		TP,
		.no_words = 1,
		.columns = "serial_none" },
	{ .syntax = "fqdn <none$fqdn_none|HOSTNAME$fqdn>",
		.help = HELP("Include fully-qualified domain name", "Do not include it", "Fully-qualified domain name"),
		TP,
		.no_words = 1,
		.columns = "fqdn_none fqdn" },
	{ .syntax = "ip-address <none$ip_none|A.B.C.D$ip|INTERFACE$ip_interface>",
		.help = HELP("Include ip address", "Do not include it", "IP address", "Interface whose address it is"),
		TP,
		.no_words = 1,
		.columns = "ip_none ip ip_interface" },
	{ .syntax = "subject-name DN$subject",
		.help = HELP("Subject Name", "LDAP/X.500 Distinguished Name, for example CN=R1,O=Acme"),
		TP,
		.no_words = 1,
		.columns = "subject",
		.check = check_subject },
	{ .syntax = "chain-validation <continue TAG$chain_parent|stop>",
		.help = HELP("Specify certificate path validation behavior",
			"Validate the CA of this trustpoint, too", "Trustpoint that validates it", "Stop at the CA of this trustpoint (default)"),
		TP,
		.no_words = 1,
		.columns = "chain_parent",
		.apply = chain_apply },
	{ .syntax = "ocsp url WORD$ocsp_url",
		.help = HELP("OCSP parameters", "OCSP server URL, in place of the one that a certificate names",
			"http://HOST[:PORT][/PATH]"),
		TP,
		.no_words = 2,
		.columns = "ocsp_url",
		.check = check_ocsp_url },
	{ .syntax = "ocsp disable-nonce$no_nonce",
		.help = HELP("OCSP parameters", "Disable OCSP Nonce Extension"),
		TP,
		.no_words = 2,
		.columns = "no_nonce" },
	{ .syntax = "fingerprint FINGERPRINT$fingerprint",
		.help = HELP("Fingerprint of the CA certificate, which is then accepted without a question",
			"Hexadecimal digits: 32 of MD5, 40 of SHA1, 64 of SHA256"),
		TP,
		.no_words = 1,
		.columns = "fingerprint",
		.apply = fingerprint_apply },
	{ .syntax = "password [<0|6>$type] WORD$value",
		.help = HELP("Challenge password of requests", "Specifies an UNENCRYPTED password will follow",
			"Specifies an ENCRYPTED password will follow", "Password"),
		TP,
		.no_words = 1,
		.secret = "value",
		.apply = password_apply,
		.render = password_render },
	{ .syntax = "revocation-check <crl|ocsp|none>$rev1 [<crl|ocsp|none>$rev2 [<crl|ocsp|none>$rev3]]",
		.help = HELP("Revocation checking options", "Revocation check by CRL", "Revocation check by OCSP",
			"Ignore revocation check"),
		TP,
		.no_words = 1,
		.columns = "rev1 rev2 rev3",
		.apply = revocation_apply },
	{ .syntax = "rsakeypair TAG$rsa_label [<512-4096>$rsa_bits]",
		.help = HELP("Specify rsakeypair for this identity", "RSA keypair label", "RSA key modulus size"),
		TP,
		.no_words = 1,
		.columns = "rsa_label rsa_bits" },
	{ .syntax = "eckeypair TAG$ec_label",
		.help = HELP("Specify eckeypair for this identity", "EC keypair label"),
		TP,
		.no_words = 1,
		.columns = "ec_label" },
	{ .syntax = "hash <sha1|sha256|sha384|sha512>$hash",
		.help = HELP(
			"The hash function used in certificate enrollment", "use SHA1", "use SHA256", "use SHA384", "use SHA512"),
		TP,
		.no_words = 1,
		.columns = "hash",
		.defaults = "hash=sha256" },
	{ .syntax = "auto-enroll [<1-100>$percent] [regenerate$regenerate]",
		.help = HELP("Automatically enroll this router identity (not supported)", "Renewal Percentage", "Regenerate keys on re-enrollment"),
		.mode = MODE_TRUSTPOINT,
		.tables = CFG_PKI,
		.no_words = 1,
		.apply = check_auto_enroll },
	{ .syntax = "usage ike$usage",
		.help = HELP("Certificate usage", "To be used for IKE"),
		TP,
		.no_words = 1,
		.columns = "usage" },

	{ .syntax = "crypto <pki|ca> certificate map TAG$name <1-65535>$seq",
		.help = HELP(PKI_HELP, "Actions on certificates", "Define certificate attributes map", "certificate map tag",
			"Sequence to insert into"),
		.mode = MODE_CONFIG,
		.no_words = NO_WHOLE,
		.tables = CFG_PKI,
		.enters = MODE_CERT_MAP,
		.shape = SHAPE_OBJECT,
		.table = "pki_map",
		.key = "name seq",
		.order = "name, seq" },
	{ .syntax = "<subject-name|issuer-name|alt-subject-name|unstructured-subject-name|name|serial-number>$field "
		    "<co|eq|nc|ne>$op LINE$value",
		.help = HELP("Subject name", "Issuer name", "Alternate subject name", "Unstructured subject name", "Name",
			"Serial number", "contains", "equal", "does not contain", "not equal", "text to compare with"),
		MAP_MODE,
		.no_words = 3,
		.apply = rule_apply,
		.render = rule_render },
};
const struct block block_pki = { rows, sizeof rows / sizeof *rows, true };
