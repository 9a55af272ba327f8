/* Certificate maps: `crypto pki certificate map`. Texts are compared as IOS does it: without case and without blanks around `=`
 * and `,`, in the order that `show crypto pki certificates` has. */
#include "ikemgr/x509.h"

#include "configdb/cert.h"

#include <ctype.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

#define TEXT_MAX 2048

/* Lower case, no blanks beside '=' and ','. */
static void normalise(char *out, size_t size, const char *text)
{
	size_t n = 0;

	for (; *text && n + 1 < size; text++) {
		if (*text == ' ' && (n == 0 || strchr("=,", out[n - 1])))
			continue;
		while (strchr("=,", *text) && n > 0 && out[n - 1] == ' ')
			n--;
		out[n++] = (char)tolower((unsigned char)*text);
	}
	while (n > 0 && out[n - 1] == ' ')
		n--;
	out[n] = '\0';
}

static void text_add(char *out, const struct span s)
{
	size_t at = strlen(out);

	if (at + s.len + 2 < TEXT_MAX && memchr(s.data, '\0', s.len) == NULL)
		snprintf(out + at, TEXT_MAX - at, "%s%.*s", at ? "," : "", (int)s.len, (const char *)s.data);
}

static void address_add(char *out, struct span s)
{
	char text[32];

	if (s.len != 4)
		return;
	snprintf(text, sizeof(text), "%u.%u.%u.%u", s.data[0], s.data[1], s.data[2], s.data[3]);
	text_add(out, span_of(text, strlen(text)));
}

static void alternatives(char *out, X509 *x)
{
	GENERAL_NAMES *names = X509_get_ext_d2i(x, NID_subject_alt_name, NULL, NULL);

	for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
		const GENERAL_NAME *g = sk_GENERAL_NAME_value(names, i);
		struct span s;

		if (g->type != GEN_DNS && g->type != GEN_EMAIL && g->type != GEN_URI && g->type != GEN_IPADD)
			continue;
		s = span_of(ASN1_STRING_get0_data(g->d.ia5), (size_t)ASN1_STRING_length(g->d.ia5));
		if (g->type == GEN_IPADD)
			address_add(out, s);
		else
			text_add(out, s);
	}
	GENERAL_NAMES_free(names);
}

static void field_text(char out[TEXT_MAX], enum cfg_cert_field field, X509 *x)
{
	char name[CERT_NAME], raw[TEXT_MAX] = "", host[256] = "";

	if (field == CERT_SUBJECT || field == CERT_NAME_ANY)
		snprintf(raw, sizeof(raw), "%s", cert_name_print(name, X509_get_subject_name(x)));
	if (field == CERT_ISSUER)
		snprintf(raw, sizeof(raw), "%s", cert_name_print(name, X509_get_issuer_name(x)));
	if (field == CERT_ALT_SUBJECT || field == CERT_NAME_ANY)
		alternatives(raw, x);
	if (field == CERT_UNSTRUCTURED &&
		X509_NAME_get_text_by_NID(X509_get_subject_name(x), NID_pkcs9_unstructuredName, host, sizeof(host)) > 0)
		snprintf(raw, sizeof(raw), "%s", host);
	if (field == CERT_SERIAL_NUMBER && !cert_serial(raw, x))
		raw[0] = '\0';
	normalise(out, TEXT_MAX, raw);
}

static bool rule_holds(const struct cfg_cert_rule *r, X509 *x)
{
	char text[TEXT_MAX], value[CFG_LINE];

	field_text(text, r->field, x);
	normalise(value, sizeof(value), r->value);
	switch (r->op) {
	case CERT_CO:
		return strstr(text, value) != NULL;
	case CERT_EQ:
		return strcmp(text, value) == 0;
	case CERT_NC:
		return strstr(text, value) == NULL;
	case CERT_NE:
		return strcmp(text, value) != 0;
	}
	return false;
}

bool x509_map_matches(const struct cfg *cfg, const char *map, X509 *x)
{
	for (size_t i = 0; i < cfg->ncert_maps; i++) {
		const struct cfg_cert_map *m = &cfg->cert_maps[i];
		bool all = strcmp(m->name, map) == 0 && m->nrules > 0;

		for (size_t k = 0; all && k < m->nrules; k++)
			all = rule_holds(&m->rules[k], x);
		if (all)
			return true;
	}
	return false;
}
