/* The snapshot's part about trustpoints, certificates and certificate maps. */
#include "configdb/snapshot_impl.h"

#include "configdb/cert.h"
#include "platform/base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static enum cfg_revocation revocation_of(const char *word)
{
	return !strcmp(word, "crl") ? REVOCATION_CRL : !strcmp(word, "ocsp") ? REVOCATION_OCSP : REVOCATION_NONE;
}

static void trustpoint_row(struct loader *l, struct values *v)
{
	static const char *const methods[CFG_REVOCATIONS] = { "rev1", "rev2", "rev3" };
	struct cfg_trustpoint *t = LOAD_MORE(l, l->cfg->trustpoints, l->cfg->ntrustpoints);

	if (!t)
		return;
	load_text(t->name, sizeof t->name, v, "name");
	for (size_t i = 0; i < CFG_REVOCATIONS; i++)
		if (value_get(v, methods[i]))
			t->revocation[t->nrevocation++] = revocation_of(value_get(v, methods[i]));
	load_text(t->ocsp_url, sizeof t->ocsp_url, v, "ocsp_url");
	t->no_nonce = value_get(v, "no_nonce") != NULL;
	load_text(t->chain_parent, sizeof t->chain_parent, v, "chain_parent");
	t->terminal = value_get(v, "terminal") != NULL;
	t->pem = value_get(v, "pem") != NULL;
	t->selfsigned = value_get(v, "selfsigned") != NULL;
	t->pkcs12 = value_get(v, "pkcs12") != NULL;
	load_text(t->subject, sizeof t->subject, v, "subject");
	load_text(t->fqdn, sizeof t->fqdn, v, "fqdn");
	t->serial_none = value_get(v, "serial_none") != NULL;
	t->ip_none = value_get(v, "ip_none") != NULL;
	t->fqdn_none = value_get(v, "fqdn_none") != NULL;
	t->ip = load_ip(v, "ip", 0);
	load_text(t->ip_interface, sizeof t->ip_interface, v, "ip_interface");
	load_text(t->rsa_label, sizeof t->rsa_label, v, "rsa_label");
	load_text(t->ec_label, sizeof t->ec_label, v, "ec_label");
	t->rsa_bits = (uint16_t)load_number(v, "rsa_bits", 0);
	load_text(t->url, sizeof t->url, v, "url");
	t->retry_count = (uint8_t)load_number(v, "retry_count", 10);
	t->retry_period_m = (uint8_t)load_number(v, "retry_period", 1);
	load_text(t->fingerprint, sizeof t->fingerprint, v, "fingerprint");
	t->password_id = strtoull(value_or(v, "password", "0"), NULL, 10);
	snprintf(t->hash, sizeof t->hash, "%s", value_or(v, "hash", "sha256"));
}

static void cert_row(struct loader *l, struct values *v)
{
	uint8_t der[CERT_DER_MAX];
	struct cfg_trustpoint *t = NULL;
	const char *kind = value_or(v, "kind", "");
	int len = cert_hex_parse(der, sizeof der, value_or(v, "data", ""));

	for (size_t i = 0; i < l->cfg->ntrustpoints && !t; i++)
		if (!strcmp(l->cfg->trustpoints[i].name, value_or(v, "trustpoint", "")))
			t = &l->cfg->trustpoints[i];
	struct cfg_cert *c = t && len > 0 ? LOAD_MORE(l, t->certs, t->ncerts) : NULL;
	if (!c)
		return;
	c->ca = !strcmp(kind, "ca");
	c->ra = !strcmp(kind, "ra-sign") ? CERT_RA_SIGN : !strcmp(kind, "ra-encrypt") ? CERT_RA_ENCRYPT : CERT_NOT_RA;
	c->self_signed = !strcmp(kind, "self-signed");
	c->key_id = strtoull(value_or(v, "key_id", "0"), NULL, 10);
	load_text(c->serial, sizeof c->serial, v, "serial");
	c->der = mem_dup(der, (size_t)len);
	if (c->der)
		c->len = (uint16_t)len;
	else
		l->failed = true;
}

static void map_row(struct loader *l, struct values *v)
{
	struct cfg_cert_map *m = LOAD_MORE(l, l->cfg->cert_maps, l->cfg->ncert_maps);

	if (!m)
		return;
	load_text(m->name, sizeof m->name, v, "name");
	m->seq = (uint16_t)load_number(v, "seq", 0);
}

static unsigned word_index(const char *const *words, size_t n, const char *word)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(words[i], word))
			return (unsigned)i;
	return 0;
}

static void rule_row(struct loader *l, struct values *v)
{
	static const char *const fields[] = { [CERT_SUBJECT] = "subject-name",
		[CERT_ISSUER] = "issuer-name",
		[CERT_ALT_SUBJECT] = "alt-subject-name",
		[CERT_UNSTRUCTURED] = "unstructured-subject-name",
		[CERT_NAME_ANY] = "name",
		[CERT_SERIAL_NUMBER] = "serial-number" };
	static const char *const ops[] = { [CERT_CO] = "co", [CERT_EQ] = "eq", [CERT_NC] = "nc", [CERT_NE] = "ne" };
	uint32_t seq = load_number(v, "seq", 0);

	for (size_t i = 0; i < l->cfg->ncert_maps; i++) {
		struct cfg_cert_map *m = &l->cfg->cert_maps[i];

		if (m->seq != seq || strcmp(m->name, value_or(v, "map", "")) != 0 || m->nrules == CFG_CERT_RULES)
			continue;
		m->rules[m->nrules].field = word_index(fields, sizeof fields / sizeof *fields, value_or(v, "field", ""));
		m->rules[m->nrules].op = word_index(ops, sizeof ops / sizeof *ops, value_or(v, "op", ""));
		load_text(m->rules[m->nrules].value, CFG_LINE, v, "value");
		m->nrules++;
	}
}

void load_pki(struct loader *l)
{
	load_rows(l, "SELECT * FROM pki_trustpoint ORDER BY name", NOPARAMS, trustpoint_row);
	load_rows(l, "SELECT * FROM pki_cert ORDER BY trustpoint, kind = 'ca', kind LIKE 'ra-%', kind, serial", NOPARAMS, cert_row);
	load_rows(l, "SELECT * FROM pki_map ORDER BY name, seq", NOPARAMS, map_row);
	load_rows(l, "SELECT * FROM pki_map_rule ORDER BY id", NOPARAMS, rule_row);
}

void pki_free(struct cfg *c)
{
	for (size_t i = 0; i < c->ntrustpoints; i++) {
		for (size_t k = 0; k < c->trustpoints[i].ncerts; k++)
			mem_free(c->trustpoints[i].certs[k].der);
		mem_free(c->trustpoints[i].certs);
	}
	mem_free(c->trustpoints);
	mem_free(c->cert_maps);
}
