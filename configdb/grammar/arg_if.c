/* Interface names: "gi0/1", "GigabitEthernet0/1", "lo0" as one word; the slot and port after "GigabitEthernet ". */
#include "configdb/grammar/arg.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define PORT_MAX 255

static bool number(const char *s, size_t n, uint64_t max, unsigned long *v)
{
	*v = 0;
	if (!n || n > 10)
		return false;
	for (size_t i = 0; i < n; i++) {
		if (!isdigit((unsigned char)s[i]))
			return false;
		*v = *v * 10 + (unsigned long)(s[i] - '0');
	}
	return *v <= max;
}

static bool slot_parse(const struct arg_range *r, const char *text, size_t n, char *value, size_t size, size_t *good)
{
	unsigned long port;
	(void)r;
	*good = n && text[0] == '0' ? 1 : 0;
	if (n < 3 || text[0] != '0' || text[1] != '/')
		return false;
	*good = 2 + strspn(text + 2, "0123456789");
	if (*good > n)
		*good = n;
	if (!number(text + 2, *good - 2, PORT_MAX, &port))
		*good = 2;
	if (!number(text + 2, n - 2, PORT_MAX, &port))
		return false;
	snprintf(value, size, "0/%lu", port);
	return true;
}

static bool joined_parse(const struct arg_range *r, const char *text, size_t n, char *value, size_t size, size_t *good)
{
	size_t letters = 0;
	unsigned long v;
	char slot[16];
	while (letters < n && isalpha((unsigned char)text[letters]))
		letters++;
	*good = 0;
	if (!letters || letters == n)
		return false;
	size_t rest = n - letters;
	if (letters <= 15 && !strncasecmp(text, "GigabitEthernet", letters)) {
		bool ok = slot_parse(NULL, text + letters, rest, slot, sizeof slot, good);
		*good += letters;
		if (ok)
			snprintf(value, size, "GigabitEthernet%s", slot);
		return ok;
	}
	if (letters <= 8 && !strncasecmp(text, "Loopback", letters)) {
		*good = letters;
		if (!number(text + letters, rest, 2147483647, &v))
			return false;
		snprintf(value, size, "Loopback%lu", v);
		return true;
	}
	if (r->high && letters <= 4 && !strncasecmp(text, "Null", letters) && rest == 1 && text[letters] == '0') {
		snprintf(value, size, "Null0");
		return true;
	}
	return false;
}

static void joined_sample(const struct arg_range *r, unsigned k, char *out, size_t size)
{
	(void)r;
	snprintf(out, size, k & 1 ? "Loopback%u" : "GigabitEthernet0/%u", k % 7);
}

static void slot_sample(const struct arg_range *r, unsigned k, char *out, size_t size)
{
	(void)r;
	snprintf(out, size, "0/%u", k % 7);
}

const struct arg_type arg_if_joined = { "IFNAME", NULL, ARG_TYPED, NULL, joined_parse, joined_sample, NULL };
const struct arg_type arg_if_slot = { "SLOT", "<0-0>/<0-255>", ARG_TYPED, NULL, slot_parse, slot_sample, NULL };
