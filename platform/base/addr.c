/* IP addresses: text, sockets, masks. */
#include "platform/base/addr.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

struct addr addr_v4(uint32_t host_order)
{
	struct addr a = { .family = AF_INET };

	for (int i = 0; i < 4; i++)
		a.bytes[i] = (uint8_t)(host_order >> (24 - 8 * i));
	return a;
}

uint32_t addr_to_v4(struct addr a)
{
	if (a.family != AF_INET)
		return 0;
	return (uint32_t)a.bytes[0] << 24 | (uint32_t)a.bytes[1] << 16 | (uint32_t)a.bytes[2] << 8 | a.bytes[3];
}

int addr_cmp(struct addr a, struct addr b)
{
	if (a.family != b.family)
		return a.family < b.family ? -1 : 1;
	if (a.family == AF_UNSPEC)
		return 0;
	return memcmp(a.bytes, b.bytes, a.family == AF_INET ? 4 : 16);
}

bool addr_equal(struct addr a, struct addr b)
{
	return addr_cmp(a, b) == 0;
}

bool addr_is_set(struct addr a)
{
	return a.family != AF_UNSPEC;
}

char *addr_print(char out[ADDR_TEXT], struct addr a)
{
	if (!addr_is_set(a) || inet_ntop(a.family, a.bytes, out, ADDR_TEXT) == NULL)
		snprintf(out, ADDR_TEXT, "-");
	return out;
}

enum err addr_parse(struct addr *a, const char *text)
{
	struct addr got = { .family = AF_INET6 };
	uint32_t ip;

	if (ip4_parse(&ip, text) == ERR_OK) {
		*a = addr_v4(ip);
		return ERR_OK;
	}
	if (inet_pton(AF_INET6, text, got.bytes) != 1)
		return ERR_INVALID;
	*a = got;
	return ERR_OK;
}

socklen_t addr_to_sockaddr(struct sockaddr_storage *ss, struct addr a, uint16_t port)
{
	memset(ss, 0, sizeof(*ss));
	if (a.family == AF_INET6) {
		struct sockaddr_in6 *s6 = (struct sockaddr_in6 *)ss;

		s6->sin6_family = AF_INET6;
		s6->sin6_port = htons(port);
		memcpy(&s6->sin6_addr, a.bytes, 16);
		return sizeof(*s6);
	}
	/* Unset: the wildcard of IPv4. */
	struct sockaddr_in *s4 = (struct sockaddr_in *)ss;

	s4->sin_family = AF_INET;
	s4->sin_port = htons(port);
	memcpy(&s4->sin_addr, a.bytes, 4);
	return sizeof(*s4);
}

enum err addr_from_sockaddr(struct addr *a, uint16_t *port, const struct sockaddr_storage *ss)
{
	struct addr got = { 0 };

	if (ss->ss_family == AF_INET) {
		const struct sockaddr_in *s4 = (const struct sockaddr_in *)ss;

		got.family = AF_INET;
		memcpy(got.bytes, &s4->sin_addr, 4);
		if (port != NULL)
			*port = ntohs(s4->sin_port);
	} else if (ss->ss_family == AF_INET6) {
		const struct sockaddr_in6 *s6 = (const struct sockaddr_in6 *)ss;

		got.family = AF_INET6;
		memcpy(got.bytes, &s6->sin6_addr, 16);
		if (port != NULL)
			*port = ntohs(s6->sin6_port);
	} else {
		return ERR_UNSUPPORTED;
	}
	*a = got;
	return ERR_OK;
}

char *ip4_print(char out[16], uint32_t ip)
{
	snprintf(out, 16, "%u.%u.%u.%u", ip >> 24, ip >> 16 & 255, ip >> 8 & 255, ip & 255);
	return out;
}

/* One octet without a leading zero; returns the character after it, or NULL. */
static const char *octet(const char *p, uint32_t *value)
{
	uint32_t v = 0;
	int digits = 0;

	for (; *p >= '0' && *p <= '9'; p++) {
		if (digits > 0 && v == 0)
			return NULL;
		v = v * 10 + (uint32_t)(*p - '0');
		if (++digits > 3 || v > 255)
			return NULL;
	}
	*value = v;
	return digits > 0 ? p : NULL;
}

enum err ip4_parse(uint32_t *ip, const char *text)
{
	uint32_t whole = 0, part = 0;

	for (int i = 0; i < 4; i++) {
		text = octet(text, &part);
		if (text == NULL || *text != (i < 3 ? '.' : '\0'))
			return ERR_INVALID;
		whole = whole << 8 | part;
		text++;
	}
	*ip = whole;
	return ERR_OK;
}

bool ip4_mask_valid(uint32_t mask)
{
	uint32_t zeros = ~mask;

	return (zeros & (zeros + 1)) == 0;
}

int ip4_mask_len(uint32_t mask)
{
	return __builtin_popcount(mask);
}

uint32_t ip4_mask_of(int len)
{
	if (len <= 0)
		return 0;
	return len >= 32 ? UINT32_MAX : UINT32_MAX << (32 - len);
}
