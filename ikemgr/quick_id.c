/* Identities of quick mode: selectors as ID payloads and back (RFC 2407 4.6.2). */
#include "ikemgr/core.h"

#include <stdio.h>
#include <string.h>

void selector_to_id(struct id_body *out, const struct dp_selector *s, uint8_t protocol)
{
	uint32_t from = addr_to_v4(s->from), to = addr_to_v4(s->to), wild = from ^ to;
	bool subnet = (wild & (wild + 1)) == 0 && (from & wild) == 0;
	uint8_t bytes[8];
	struct writer d = writer_of(bytes, sizeof(bytes)), w = writer_of(out->bytes, sizeof(out->bytes));
	union payload_value v = { .id = { .protocol = protocol } };

	v.id.type = from == to ? ID_IPV4_ADDR : subnet ? ID_IPV4_SUBNET : ID_IPV4_RANGE;
	v.id.port = s->port_from == s->port_to ? s->port_from : 0;
	writer_u32(&d, from);
	if (from != to)
		writer_u32(&d, subnet ? ~wild : to);
	v.id.data = writer_span(&d);
	payload_encode(&w, payload_def(PAYLOAD_ID), &v);
	out->len = (uint16_t)writer_len(&w);
}

static bool addresses_from_id(const struct payload_id *id, uint32_t *from, uint32_t *to)
{
	struct reader r = reader_of(id->data);
	uint32_t a, b;

	if (id->data.len != (id->type == ID_IPV4_ADDR ? 4 : 8))
		return false;
	a = reader_u32(&r);
	b = id->type == ID_IPV4_ADDR ? a : reader_u32(&r);
	if (id->type == ID_IPV4_SUBNET) {
		if (!ip4_mask_valid(b))
			return false;
		a &= b;
		b = a | ~b;
	}
	*from = a;
	*to = b;
	return !r.failed && a <= b;
}

bool selector_from_id(struct dp_selector *s, uint8_t *protocol, const struct payload_id *id)
{
	uint32_t from, to;

	if (id->type != ID_IPV4_ADDR && id->type != ID_IPV4_SUBNET && id->type != ID_IPV4_RANGE)
		return false;
	if (!addresses_from_id(id, &from, &to))
		return false;
	s->from = addr_v4(from);
	s->to = addr_v4(to);
	s->port_from = id->port;
	s->port_to = id->port == 0 ? 65535 : id->port;
	*protocol = id->protocol;
	return true;
}

static void selector_print(char *out, size_t size, const struct dp_selector *s)
{
	uint32_t from = addr_to_v4(s->from), to = addr_to_v4(s->to), wild = from ^ to;
	char a[16], b[16], port[12] = "";

	if (s->port_from == s->port_to)
		snprintf(port, sizeof(port), " port %u", s->port_from);
	ip4_print(a, from);
	if (from == to)
		snprintf(out, size, "%s%s", a, port);
	else if ((wild & (wild + 1)) == 0 && (from & wild) == 0)
		snprintf(out, size, "%s/%s%s", a, ip4_print(b, ~wild), port);
	else
		snprintf(out, size, "%s-%s%s", a, ip4_print(b, to), port);
}

void selectors_print(char *out, size_t size, const struct dp_selectors *s)
{
	char l[64], r[64], p[16] = "";

	selector_print(l, sizeof(l), &s->local);
	selector_print(r, sizeof(r), &s->remote);
	if (s->protocol != 0)
		snprintf(p, sizeof(p), "protocol %u ", s->protocol);
	snprintf(out, size, "%s%s <-> %s", p, l, r);
}
