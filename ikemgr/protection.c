/* What a transform-set asks for: its two parts, ESP and AH, and whether it can be had from this peer. */
#include "ikemgr/core.h"

#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

bool part_used(const struct protection *p, enum part part)
{
	return part == PART_AH ? p->ah != HASH_NONE : p->cipher != CIPHER_NONE;
}

uint8_t part_protocol(enum part part)
{
	return part == PART_AH ? PROTO_AH : PROTO_ESP;
}

uint8_t part_ip(enum part part)
{
	return part == PART_AH ? IPPROTO_AH : IPPROTO_ESP;
}

enum part part_of(uint8_t protocol)
{
	return protocol == PROTO_ESP ? PART_ESP : protocol == PROTO_AH ? PART_AH : PARTS;
}

struct protection protection_of(const struct cfg_transform_set *s)
{
	return (struct protection){ s->cipher, s->auth, s->ah, s->transport, s->esn };
}

/* AH covers the addresses that a NAT changes, and has no place in UDP: RFC 3715 2.1, RFC 3948 1. */
static const char *ah_fault(const struct ike *k, const struct sa_state *s)
{
	if (!natt_used(s))
		return NULL;
	if (!k->host.native_esp)
		return "the data path can carry ESP in UDP only, and AH has no place there";
	return s->nat_local ? "AH cannot pass the NAT in front of us, which translates an address that AH covers"
			    : "AH cannot pass the NAT in front of the peer, which translates an address that AH covers";
}

const char *protection_fault(const struct ike *k, const struct sa_state *s, const struct protection *p)
{
	const struct cfg_transform_set set = { .cipher = p->cipher, .auth = p->auth, .ah = p->ah };
	const char *why = cfg_set_ikev1_fault(&set);

	if (why != NULL)
		return why;
	if (!part_used(p, PART_ESP) && !part_used(p, PART_AH))
		return "it protects nothing";
	for (enum part i = PART_ESP; i < PARTS; i++)
		if (part_used(p, i) && keymat_len(p, i) == 0)
			return "it has no key";
	if (part_used(p, PART_ESP) && cipher_needs_auth(cipher_find(p->cipher)) && p->auth == HASH_NONE)
		return "its ESP is not authenticated";
	return p->ah != HASH_NONE ? ah_fault(k, s) : NULL;
}

void protection_print(char *out, size_t size, const struct protection *p)
{
	const struct cipher_alg *c = cipher_find(p->cipher);
	const struct hash_alg *h = hash_find(p->auth), *a = hash_find(p->ah);
	const char *words[] = { a == NULL ? NULL : a->ios_ah, c == NULL ? NULL : c->ios_show, h == NULL ? NULL : h->ios_esp,
		p->esn ? "esn" : NULL };
	size_t n = 0;

	out[0] = '\0';
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]) && n < size; i++)
		if (words[i] != NULL)
			n += (size_t)snprintf(out + n, size - n, "%s%s", n == 0 ? "" : " ", words[i]);
}

static bool is_end(const struct dp_selector *s, struct addr a)
{
	return addr_equal(s->from, a) && addr_equal(s->to, a);
}

bool selectors_are_ends(const struct dp_selectors *s, const struct ike_path *path)
{
	return is_end(&s->local, path->local) && is_end(&s->remote, path->remote);
}
