/* Certificates as IOS writes them. See cert.h. */
#include "configdb/cert.h"

#include <ctype.h>
#include <openssl/evp.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

X509 *cert_of_der(struct span der)
{
	const uint8_t *at = der.data;
	X509 *x;

	if (der.len == 0 || der.len > CERT_DER_MAX)
		return NULL;
	x = d2i_X509(NULL, &at, (long)der.len);
	if (x && at != der.data + der.len) {
		X509_free(x);
		return NULL;
	}
	return x;
}

static int digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

int cert_hex_parse(uint8_t *out, size_t size, const char *text)
{
	size_t n = 0;

	for (;;) {
		text += strspn(text, " \t\r\n");
		if (!*text)
			return (int)n;
		if (digit(text[0]) < 0 || digit(text[1]) < 0 || n == size)
			return -1;
		out[n++] = (uint8_t)(digit(text[0]) << 4 | digit(text[1]));
		text += 2;
	}
}

bool cert_serial(char out[CERT_SERIAL], const X509 *x)
{
	const ASN1_INTEGER *s = X509_get0_serialNumber(x);
	const uint8_t *bytes = ASN1_STRING_get0_data(s);
	int len = ASN1_STRING_length(s);

	/* RFC 5280 4.1.2.2: positive; but who is negative is somebody's certificate all the same. */
	if (len < 1 || len > (CERT_SERIAL - 2) / 2)
		return false;
	for (int i = 0; i < len; i++)
		snprintf(out + 2 * i, 3, "%02X", bytes[i]);
	return true;
}

/* IOS's words for attributes; for others OpenSSL's. */
static const struct {
	int nid;
	const char *word;
} attributes[] = {
	{ NID_commonName, "cn" },
	{ NID_organizationalUnitName, "ou" },
	{ NID_organizationName, "o" },
	{ NID_localityName, "l" },
	{ NID_stateOrProvinceName, "st" },
	{ NID_countryName, "c" },
	{ NID_pkcs9_emailAddress, "e" },
	{ NID_domainComponent, "dc" },
	{ NID_pkcs9_unstructuredName, "hostname" },
	{ NID_serialNumber, "serialNumber" },
	{ NID_pkcs9_unstructuredAddress, "ipaddress" },
};

static const char *word_of(const ASN1_OBJECT *o, char text[80])
{
	int nid = OBJ_obj2nid(o);

	for (size_t i = 0; i < sizeof(attributes) / sizeof(attributes[0]); i++)
		if (attributes[i].nid == nid)
			return attributes[i].word;
	if (nid != NID_undef)
		return OBJ_nid2sn(nid);
	OBJ_obj2txt(text, 80, o, 1);
	return text;
}

static void entry_add(char *out, size_t size, const X509_NAME_ENTRY *e)
{
	unsigned char *utf8 = NULL;
	char oid[80];
	size_t at = strlen(out);
	int len = ASN1_STRING_to_UTF8(&utf8, X509_NAME_ENTRY_get_data(e));

	at += (size_t)snprintf(out + at, size - at, "%s%s=", at ? "+" : "", word_of(X509_NAME_ENTRY_get_object(e), oid));
	for (int i = 0; i < len && at + 1 < size; i++, at++) {
		out[at] = utf8[i] >= 0x20 && utf8[i] < 0x7f ? (char)utf8[i] : '.';
		out[at + 1] = '\0';
	}
	OPENSSL_free(utf8);
}

void cert_name_each(const X509_NAME *name, void (*each)(void *ctx, const char *text), void *ctx)
{
	char text[300] = "";
	int set = -1;

	for (int i = X509_NAME_entry_count(name) - 1; i >= 0; i--) {
		const X509_NAME_ENTRY *e = X509_NAME_get_entry(name, i);

		if (text[0] && X509_NAME_ENTRY_set(e) != set) {
			each(ctx, text);
			text[0] = '\0';
		}
		set = X509_NAME_ENTRY_set(e);
		entry_add(text, sizeof(text), e);
	}
	if (text[0])
		each(ctx, text);
}

static void name_add(void *ctx, const char *text)
{
	char *out = ctx;
	size_t at = strlen(out);

	snprintf(out + at, CERT_NAME - at, "%s%s", at ? "," : "", text);
}

char *cert_name_print(char out[CERT_NAME], const X509_NAME *name)
{
	out[0] = '\0';
	cert_name_each(name, name_add, out);
	return out;
}

void cert_fingerprint(char *out, size_t size, const X509 *x, const char *digest)
{
	unsigned char md[EVP_MAX_MD_SIZE];
	const EVP_MD *alg = EVP_get_digestbyname(digest);
	unsigned len = 0;
	size_t at = 0;

	if (!alg || X509_digest(x, alg, md, &len) != 1)
		len = 0;
	*out = '\0';
	for (unsigned i = 0; i < len && at < size; i++)
		at += (size_t)snprintf(out + at, size - at, "%s%02X", i && i % 4 == 0 ? " " : "", md[i]);
}

void cert_time_print(char *out, size_t size, const ASN1_TIME *t)
{
	struct tm tm;

	if (t == NULL || ASN1_TIME_to_tm(t, &tm) != 1)
		snprintf(out, size, "unknown");
	else
		strftime(out, size, "%H:%M:%S UTC %b %-d %Y", &tm);
}

bool cert_is_self_signed(X509 *x)
{
	return X509_NAME_cmp(X509_get_subject_name(x), X509_get_issuer_name(x)) == 0;
}

bool cert_is_ca(X509 *x)
{
	return X509_check_ca(x) != 0;
}

/* ---- A name from text ---- */

static int nid_of(const char *word)
{
	for (size_t i = 0; i < sizeof(attributes) / sizeof(attributes[0]); i++)
		if (strcasecmp(attributes[i].word, word) == 0)
			return attributes[i].nid;
	if (strcasecmp(word, "email") == 0 || strcasecmp(word, "emailAddress") == 0)
		return NID_pkcs9_emailAddress;
	if (strcasecmp(word, "s") == 0)
		return NID_stateOrProvinceName;
	return OBJ_txt2nid(word);
}

/* Takes "word=value" up to a comma; a backslash makes the next character mean itself. Returns what follows, NULL: malformed. */
static const char *pair_parse(const char *text, char *word, size_t word_size, char *value, size_t value_size)
{
	size_t n = 0;
	const char *eq = strpbrk(text, "=,");

	text += strspn(text, " ");
	if (eq == NULL || *eq != '=' || (size_t)(eq - text) >= word_size || eq == text)
		return NULL;
	snprintf(word, word_size, "%.*s", (int)(eq - text), text);
	while (word[0] && word[strlen(word) - 1] == ' ')
		word[strlen(word) - 1] = '\0';
	for (text = eq + 1 + strspn(eq + 1, " "); *text && *text != ','; text++) {
		if (*text == '\\' && text[1])
			text++;
		if (n + 1 >= value_size)
			return NULL;
		value[n++] = *text;
	}
	while (n > 0 && value[n - 1] == ' ')
		n--;
	value[n] = '\0';
	return n == 0 ? NULL : text;
}

X509_NAME *cert_name_parse(const char *text)
{
	X509_NAME *name = X509_NAME_new();
	char word[64], value[256];

	while (name && *text) {
		text = pair_parse(text, word, sizeof(word), value, sizeof(value));
		/* At place 0: what was typed first is the most specific and stands last on the wire. */
		if (!text || nid_of(word) == NID_undef ||
			X509_NAME_add_entry_by_NID(name, nid_of(word), MBSTRING_UTF8, (unsigned char *)value, -1, 0, 0) != 1) {
			X509_NAME_free(name);
			return NULL;
		}
		if (*text == ',')
			text++;
	}
	if (name && X509_NAME_entry_count(name) == 0) {
		X509_NAME_free(name);
		return NULL;
	}
	return name;
}
