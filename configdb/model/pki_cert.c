/* Certificates in the configuration, as IOS prints them:
 *
 *   crypto pki certificate chain CA
 *    certificate ca 01
 *     30820201 3082016A ...
 *     	quit
 *
 * `certificate` enters a mode whose lines are hexadecimal text, gathered in pki_pending; `quit` reads it as a certificate and puts
 * it into pki_cert. What never came to its `quit` is in nobody's configuration.
 */
#include "configdb/model/stmt.h"

#include "configdb/cert.h"
#include "configdb/keypairs.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define HEX_MAX    (CERT_DER_MAX * 2)
#define LINE_BYTES 32

static enum grammar_result chain_enter(struct change *c)
{
	const char *name = var(c, "name");

	if (!db_exists(c->db, "SELECT 1 FROM pki_trustpoint WHERE name = ?1", P(name)))
		return refuse(c, "%% CA trustpoint for cert chain not known");
	if (!c->remove)
		return change_enter(c, MODE_CERT_CHAIN, name);
	db_run(c->db, "DELETE FROM pki_cert WHERE trustpoint = ?1", P(name));
	return GR_OK;
}

/* Upper case, whole bytes, no leading zero byte but a lone one's. */
static bool serial_read(char out[CERT_SERIAL], const char *text)
{
	size_t n = strlen(text), odd = n % 2;

	if (n + odd >= CERT_SERIAL)
		return false;
	snprintf(out, CERT_SERIAL, "%s%s", odd ? "0" : "", text);
	for (char *p = out; *p; p++)
		*p = (char)toupper((unsigned char)*p);
	return true;
}

static enum grammar_result certificate_begin(struct change *c)
{
	const char *kind = value_or(&c->v, "kind", "router"), *name = c->key[0];
	char serial[CERT_SERIAL], context[CFG_CONTEXT];

	if (!serial_read(serial, var(c, "serial")))
		return refuse(c, "%% A serial number has 20 bytes at most");
	if (c->remove) {
		db_run(c->db, "DELETE FROM pki_cert WHERE trustpoint = ?1 AND kind = ?2 AND serial = ?3", P(name, kind, serial));
		return GR_OK;
	}
	db_run(c->db, "DELETE FROM pki_pending WHERE trustpoint = ?1", P(name));
	db_run(c->db, "INSERT INTO pki_pending(trustpoint, kind, serial, data) VALUES(?1, ?2, ?3, '')", P(name, kind, serial));
	say(c, "Enter the certificate in hexadecimal representation....");
	snprintf(context, sizeof context, "%s %s %s", name, kind, serial);
	return change_enter(c, MODE_CERT_DATA, context);
}

static enum grammar_result data_apply(struct change *c)
{
	char text[24 * 80];
	size_t n = 0;

	for (const char *p = var(c, "data"); *p && n + 1 < sizeof text; p++)
		if (*p != ' ')
			text[n++] = (char)toupper((unsigned char)*p);
	text[n] = 0;
	if (n % 2)
		return refuse(c, "%% Hexadecimal digits come in pairs");
	if (db_run(c->db,
		    "UPDATE pki_pending SET data = data || ?4 WHERE trustpoint = ?1 AND kind = ?2 AND serial = ?3 AND length(data) "
		    "+ "
		    "length(?4) <= 11600",
		    P(c->key[0], c->key[1], c->key[2], text)) != 1)
		return refuse(c, "%% The certificate is longer than %d bytes", CERT_DER_MAX);
	return GR_OK;
}

/* What a trustpoint keeps: one CA certificate, one of the router's own, one of the RA's for each purpose. */
static enum grammar_result certificate_check(struct change *c, X509 *x, bool ca)
{
	char serial[CERT_SERIAL], hex[CERT_SERIAL];

	if (!cert_serial(serial, x))
		return refuse(c, "%% The certificate has no usable serial number");
	snprintf(hex, sizeof hex, "%s", c->key[2]);
	if (strcmp(serial, hex) != 0)
		return refuse(c, "%% The certificate's serial number is %s", serial);
	if (ca && !cert_is_ca(x))
		return refuse(c, "%% The certificate is not one of a certification authority");
	return X509_get0_pubkey(x) ? GR_OK : refuse(c, "%% The certificate's public key is not supported");
}

static enum grammar_result certificate_store(struct change *c, X509 *x, const char *hex)
{
	bool ca = !strcmp(c->key[1], "ca"), ours = !strcmp(c->key[1], "router") || !strcmp(c->key[1], "self-signed");
	char id[24] = "";
	struct keypair k;
	enum grammar_result r = certificate_check(c, x, ca);

	if (r != GR_OK)
		return r;
	if (ours && keypair_of_public(c->secrets, X509_get0_pubkey(x), &k) == ERR_OK)
		snprintf(id, sizeof id, "%llu", (unsigned long long)k.id);
	if (ours && !id[0])
		say(c, "%% The router has no key pair that belongs to this certificate: it is kept, and not used");
	db_run(c->db,
		"DELETE FROM pki_cert WHERE trustpoint = ?1 AND replace(kind, 'self-signed', 'router') = replace(?2, 'self-signed', 'router') "
		"AND (serial <> ?3 OR kind <> ?2 OR "
		"data <> "
		"?4)",
		P(c->key[0], c->key[1], c->key[2], hex));
	db_run(c->db,
		"INSERT INTO pki_cert(trustpoint, kind, serial, data, key_id) SELECT ?1, ?2, ?3, ?4, ?5 WHERE NOT EXISTS (SELECT 1 "
		"FROM "
		"pki_cert WHERE trustpoint = ?1 AND kind = ?2 AND serial = ?3)",
		P(c->key[0], c->key[1], c->key[2], hex, id[0] ? id : NULL));
	return GR_OK;
}

static enum grammar_result certificate_end(struct change *c)
{
	char hex[HEX_MAX + 1] = "";
	uint8_t der[CERT_DER_MAX];
	int len;
	X509 *x;
	enum grammar_result r;

	db_get(c->db, hex, sizeof hex, "SELECT data FROM pki_pending WHERE trustpoint = ?1 AND kind = ?2 AND serial = ?3",
		P(c->key[0], c->key[1], c->key[2]));
	len = cert_hex_parse(der, sizeof der, hex);
	x = len > 0 ? cert_of_der(span_of(der, (size_t)len)) : NULL;
	r = x ? certificate_store(c, x, hex) : refuse(c, "%% This is not a certificate");
	X509_free(x);
	if (r == GR_OK)
		db_run(c->db, "DELETE FROM pki_pending WHERE trustpoint = ?1", P(c->key[0]));
	change_enter(c, MODE_CERT_CHAIN, c->key[0]);
	return r;
}

static void data_emit(struct render *r, const char *hex)
{
	char line[LINE_BYTES * 3];

	while (*hex) {
		size_t at = 0;

		for (size_t i = 0; i < LINE_BYTES && hex[0] && hex[1]; i++, hex += 2)
			at += (size_t)snprintf(line + at, sizeof line - at, "%s%.2s", i && i % 4 == 0 ? " " : "", hex);
		emit(r, "  %s", line);
	}
	emit(r, "  \tquit");
}

static void chain_render(struct render *r, const struct stmt *st)
{
	char last[CFG_NAME] = "";
	sqlite3_stmt *q = db_query(r->db,
		"SELECT trustpoint, kind, serial, data FROM pki_cert ORDER BY trustpoint, kind = 'ca', kind LIKE 'ra-%', kind, serial", NOPARAMS);

	(void)st;
	while (db_step(r->db, &q)) {
		const char *name = db_col(q, 0), *kind = db_col(q, 1);

		if (strcmp(name, last) != 0) {
			emit_bang(r);
			emit(r, "crypto pki certificate chain %s", name);
			snprintf(last, sizeof last, "%s", name);
		}
		emit(r, " certificate %s%s%s", strcmp(kind, "router") ? kind : "", strcmp(kind, "router") ? " " : "", db_col(q, 2));
		data_emit(r, db_col(q, 3));
	}
}

static const struct stmt rows[] = {
	{ .syntax = "crypto <pki|ca> certificate chain TAG$name",
		.help = HELP("Encryption module", "Public Key components", "Certification authority", "Actions on certificates",
			"Identify certificates", "CA Server Name"),
		.mode = MODE_CONFIG,
		.no_words = NO_WHOLE,
		.tables = CFG_PKI,
		.apply = chain_enter,
		.render = chain_render },
	{ .syntax = "certificate [<ca|self-signed|ra-sign|ra-encrypt>$kind] HEX$serial",
		.help = HELP("Add certificate", "Certificate of a certification authority", "Self-signed certificate",
			"Certificate of a registration authority that signs", "Certificate of a registration authority to encrypt for",
			"Certificate Serial Number (hex)"),
		.mode = MODE_CERT_CHAIN,
		.no_words = NO_WHOLE,
		.tables = CFG_PKI,
		.apply = certificate_begin },
	{ .syntax = "HEX$data...16",
		.help = HELP("Certificate in hexadecimal representation"),
		.mode = MODE_CERT_DATA,
		.apply = data_apply },
	{ .syntax = "quit",
		.help = HELP("End of certificate data"),
		.mode = MODE_CERT_DATA,
		.tables = CFG_PKI,
		.apply = certificate_end },
};
const struct block block_pki_cert = { rows, sizeof rows / sizeof *rows, true };
