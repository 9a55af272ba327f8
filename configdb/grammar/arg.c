/* The types of arguments: a table, and a small parser for each shape of text. */
#include "configdb/grammar/arg.h"
#include "platform/base/addr.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static bool copy(const char *text, size_t n, char *value, size_t size)
{
	if (n >= size)
		return false;
	memcpy(value, text, n);
	value[n] = 0;
	return true;
}

static bool word_parse(const struct arg_range *r, const char *text, size_t n, char *value, size_t size, size_t *good)
{
	(void)r;
	*good = 0;
	return copy(text, n, value, size);
}

static bool number_parse(const struct arg_range *r, const char *text, size_t n, char *value, size_t size, size_t *good)
{
	uint64_t v = 0;
	for (*good = 0; *good < n && isdigit((unsigned char)text[*good]); ++*good) {
		v = v * 10 + (uint64_t)(text[*good] - '0');
		if (v > UINT32_MAX * 2ull) {
			*good = 0;
			return false;
		}
	}
	if (*good < n || !n)
		return false;
	if (v < r->low || v > r->high) {
		*good = 0;
		return false;
	}
	snprintf(value, size, "%llu", (unsigned long long)v);
	return true;
}

/* A.B.C.D; *good stops at the first digit or dot that cannot be part of an address. */
static bool ip_parse(const struct arg_range *r, const char *text, size_t n, char *value, size_t size, size_t *good)
{
	unsigned octets[4] = { 0 }, k = 0, digits = 0;
	(void)r;
	for (*good = 0; *good < n; ++*good) {
		char ch = text[*good];
		if (ch == '.') {
			if (!digits || k == 3)
				return false;
			k++;
			digits = 0;
			continue;
		}
		if (!isdigit((unsigned char)ch) || digits == 3)
			return false;
		unsigned next = octets[k] * 10 + (unsigned)(ch - '0');
		if (next > 255)
			return false;
		octets[k] = next;
		digits++;
	}
	if (k != 3 || !digits)
		return false;
	snprintf(value, size, "%u.%u.%u.%u", octets[0], octets[1], octets[2], octets[3]);
	return true;
}

static bool hex_word_parse(const struct arg_range *r, const char *text, size_t n, char *value, size_t size, size_t *good)
{
	(void)r;
	for (*good = 0; *good < n && isxdigit((unsigned char)text[*good]);)
		++*good;
	return n && *good == n && copy(text, n, value, size);
}

static bool name_parse(const struct arg_range *r, const char *text, size_t n, char *value, size_t size, size_t *good)
{
	(void)r;
	*good = 0;
	return n < 80 && !isdigit((unsigned char)text[0]) && copy(text, n, value, size);
}

static bool short_word_parse(const struct arg_range *r, const char *text, size_t n, char *value, size_t size, size_t *good)
{
	(void)r;
	*good = 0;
	return n < 80 && copy(text, n, value, size);
}

enum list_kind { LIST_STANDARD = 1, LIST_EXTENDED = 2 };

static int list_kind(const char *text, size_t n)
{
	unsigned long v = 0;
	if (n > 5)
		return 0;
	for (size_t i = 0; i < n; i++) {
		if (!isdigit((unsigned char)text[i]))
			return 0;
		v = v * 10 + (unsigned long)(text[i] - '0');
	}
	if ((v >= 1 && v <= 99) || (v >= 1300 && v <= 1999))
		return LIST_STANDARD;
	return (v >= 100 && v <= 199) || (v >= 2000 && v <= 2699) ? LIST_EXTENDED : 0;
}

/* A number of the right range in its shortest form, or a name. `r->low`: kinds of numbers allowed. */
static bool list_parse(int kinds, const char *text, size_t n, char *value, size_t size, size_t *good)
{
	*good = 0;
	if (!isdigit((unsigned char)text[0]))
		return n < 80 && copy(text, n, value, size);
	if (!(list_kind(text, n) & kinds))
		return false;
	char digits[8];
	if (!copy(text, n, digits, sizeof digits))
		return false;
	snprintf(value, size, "%lu", strtoul(digits, NULL, 10));
	return true;
}

static bool acl_parse(const struct arg_range *r, const char *text, size_t n, char *value, size_t size, size_t *good)
{
	(void)r;
	return list_parse(LIST_STANDARD | LIST_EXTENDED, text, n, value, size, good);
}

static bool std_acl_parse(const struct arg_range *r, const char *text, size_t n, char *value, size_t size, size_t *good)
{
	(void)r;
	return list_parse(LIST_STANDARD, text, n, value, size, good);
}

static bool ext_acl_parse(const struct arg_range *r, const char *text, size_t n, char *value, size_t size, size_t *good)
{
	(void)r;
	return list_parse(LIST_EXTENDED, text, n, value, size, good);
}

/* "+ack", "-syn" of match-any. */
static bool flag_parse(const struct arg_range *r, const char *text, size_t n, char *value, size_t size, size_t *good)
{
	static const char *const flags[] = { "ack", "fin", "psh", "rst", "syn", "urg" };
	(void)r;
	*good = text[0] == '+' || text[0] == '-';
	for (size_t i = 0; *good && i < sizeof flags / sizeof *flags; i++)
		if (n == 4 && !strncasecmp(text + 1, flags[i], 3)) {
			snprintf(value, size, "%c%s", text[0], flags[i]);
			return true;
		}
	return false;
}

static bool never_parse(const struct arg_range *r, const char *text, size_t n, char *value, size_t size, size_t *good)
{
	(void)r, (void)text, (void)n, (void)value, (void)size;
	*good = 0;
	return false;
}

#define BOUNDED(fn, lo, hi)                                                                                                        \
	static bool fn(const struct arg_range *r, const char *text, size_t n, char *value, size_t size, size_t *good)              \
	{                                                                                                                          \
		static const struct arg_range range = { lo, hi };                                                                  \
		(void)r;                                                                                                           \
		return number_parse(&range, text, n, value, size, good);                                                           \
	}
BOUNDED(port_parse, 0, 65535)
BOUNDED(octet_parse, 0, 255)
BOUNDED(dscp_parse, 0, 63)
BOUNDED(tos_parse, 0, 15)
BOUNDED(three_bits_parse, 0, 7)

static bool banner_arg_parse(const struct arg_range *r, const char *text, size_t n, char *value, size_t size, size_t *good)
{
	const char *inner;
	size_t len;
	(void)r;
	*good = n;
	return banner_parse(text, n, &inner, &len) && copy(inner, len, value, size);
}

static void banner_print(const char *value, char *out, size_t size)
{
	snprintf(out, size, "^C%s^C", value);
}

/* Examples. */
static void number_sample(const struct arg_range *r, unsigned k, char *out, size_t size)
{
	uint64_t width = r->high - r->low + 1;
	uint64_t v = k == 0 ? r->low : k == 1 ? r->high : r->low + (k * 2654435761ull) % width;
	snprintf(out, size, "%llu", (unsigned long long)v);
}

static void words_sample(const char *const *words, size_t n, unsigned k, char *out, size_t size)
{
	snprintf(out, size, "%s", words[k % n]);
}

#define SAMPLE(fn, ...)                                                                                                            \
	static void fn(const struct arg_range *r, unsigned k, char *out, size_t size)                                              \
	{                                                                                                                          \
		static const char *const words[] = { __VA_ARGS__ };                                                                \
		(void)r;                                                                                                           \
		words_sample(words, sizeof words / sizeof *words, k, out, size);                                                   \
	}
SAMPLE(word_sample, "VPN-1", "a", "x_y.z", "Branch7", "http://192.0.2.1:81/x")
SAMPLE(name_sample, "VPN", "TS-AES", "x")
SAMPLE(host_sample, "R1", "gw-a", "Branch7")
SAMPLE(line_sample, "to the branch", "x", "a  b | c")
SAMPLE(dn_sample, "CN=R1,O=Acme", "cn = gw 7, ou=VPN+o", "C=DE")
SAMPLE(secret_sample, "s3cret pass", "x1", "Kp9")
SAMPLE(ip_sample, "10.0.0.0", "10.1.2.3", "192.168.7.77", "203.0.113.9", "198.51.100.2")
SAMPLE(mask_sample, "255.255.255.0", "255.255.255.252", "255.255.0.0")
SAMPLE(wildcard_sample, "0.0.0.255", "0.0.255.255", "0.255.0.255")
SAMPLE(hex_sample, "00ff", "a")
SAMPLE(url_sample, "http://ca.example.com", "http://192.0.2.1:8080/scep")
SAMPLE(fingerprint_sample, "00112233445566778899AABBCCDDEEFF", "00112233445566778899AABBCCDDEEFF00112233")
SAMPLE(if_sample, "GigabitEthernet0/1", "Loopback0", "Loopback2147483647", "GigabitEthernet0/12")
SAMPLE(acl_sample, "101", "VPN", "1", "2699")
SAMPLE(std_acl_sample, "1", "STD", "1999")
SAMPLE(ext_acl_sample, "100", "EXT", "2000")
SAMPLE(port_sample, "1", "443", "80", "65535", "53", "514")
SAMPLE(proto_sample, "47", "50", "77", "255")
SAMPLE(icmp_sample, "8", "0", "3/4", "11/0")
SAMPLE(dscp_sample, "46", "0", "63", "10")
SAMPLE(tos_sample, "0", "15", "8")
SAMPLE(bits_sample, "0", "7", "5")
SAMPLE(flag_sample, "+ack", "-syn", "+fin")
SAMPLE(banner_sample, "hello", "\ntwo\nlines\n")

const struct arg_type arg_number = { "<>", NULL, ARG_TYPED, NULL, number_parse, number_sample, NULL };

static const struct arg_type types[] = {
	{ "WORD", "WORD", ARG_WORD, NULL, word_parse, word_sample, NULL },
	{ "NAME", "WORD", ARG_WORD, NULL, name_parse, name_sample, NULL },
	{ "TAG", "WORD", ARG_WORD, NULL, short_word_parse, word_sample, NULL },
	{ "HOSTNAME", "WORD", ARG_WORD, NULL, short_word_parse, host_sample, NULL },
	{ "LINE", "LINE", ARG_LINE, NULL, word_parse, line_sample, NULL },
	{ "DN", "LINE", ARG_LINE, NULL, word_parse, dn_sample, NULL },
	{ "SECRET", "LINE", ARG_LINE, NULL, word_parse, secret_sample, NULL },
	{ "BANNER", "LINE", ARG_LINE, NULL, banner_arg_parse, banner_sample, banner_print },
	{ "A.B.C.D", "A.B.C.D", ARG_TYPED, NULL, ip_parse, ip_sample, NULL },
	{ "MASK", "A.B.C.D", ARG_TYPED, NULL, ip_parse, mask_sample, NULL },
	{ "WILDCARD", "A.B.C.D", ARG_TYPED, NULL, ip_parse, wildcard_sample, NULL },
	{ "URL", "WORD", ARG_WORD, NULL, word_parse, url_sample, NULL },
	{ "FINGERPRINT", "LINE", ARG_LINE, NULL, word_parse, fingerprint_sample, NULL },
	{ "HEX", "Hex-data", ARG_TYPED, NULL, hex_word_parse, hex_sample, NULL },
	{ "INTERFACE", NULL, ARG_TYPED, NULL, never_parse, if_sample, NULL },
	{ "EGRESS", NULL, ARG_TYPED, NULL, never_parse, if_sample, NULL },
	{ "ACL", "WORD", ARG_WORD, NULL, acl_parse, acl_sample, NULL },
	{ "STDACL", "WORD", ARG_WORD, NULL, std_acl_parse, std_acl_sample, NULL },
	{ "EXTACL", "WORD", ARG_WORD, NULL, ext_acl_parse, ext_acl_sample, NULL },
	{ "TCPPORT", "<0-65535>", ARG_TYPED, names_tcp, port_parse, port_sample, NULL },
	{ "UDPPORT", "<0-65535>", ARG_TYPED, names_udp, port_parse, port_sample, NULL },
	{ "PROTOCOL", "<0-255>", ARG_TYPED, names_protocol, octet_parse, proto_sample, NULL },
	{ "ICMP", NULL, ARG_TYPED, names_icmp, never_parse, icmp_sample, NULL },
	{ "DSCP", "<0-63>", ARG_TYPED, names_dscp, dscp_parse, dscp_sample, NULL },
	{ "PRECEDENCE", "<0-7>", ARG_TYPED, names_precedence, three_bits_parse, bits_sample, NULL },
	{ "TOS", "<0-15>", ARG_TYPED, names_tos, tos_parse, tos_sample, NULL },
	{ "SEVERITY", "<0-7>", ARG_TYPED, names_severity, three_bits_parse, bits_sample, NULL },
	{ "TCPFLAG", NULL, ARG_TYPED, NULL, flag_parse, flag_sample, NULL },
};

const struct arg_type *arg_find(const char *name, size_t n)
{
	for (size_t i = 0; i < sizeof types / sizeof *types; i++)
		if (strlen(types[i].name) == n && !memcmp(types[i].name, name, n))
			return &types[i];
	return NULL;
}

bool arg_is_interface(const struct arg_type *t, bool *with_null)
{
	*with_null = !strcmp(t->name, "EGRESS");
	return *with_null || !strcmp(t->name, "INTERFACE");
}

void arg_print(const struct arg_type *t, const char *value, char *out, size_t size)
{
	const char *word = names_word(t->names, value);
	if (t->print)
		t->print(value, out, size);
	else
		snprintf(out, size, "%s", word ? word : value);
}
