/* Access-list lines as boxes. */
#include "datapath/filter/box.h"

#include "platform/base/mem.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#define PORTS 65535u

struct range {
	uint32_t from, to;
};

uint32_t box_field_max(enum packet_class class, enum box_field f)
{
	switch (f) {
	case FIELD_PROTOCOL:
		return 255;
	case FIELD_SRC:
	case FIELD_DST:
		return 0xffffffffu;
	default:
		return class == CLASS_ICMP ? 255 : PORTS;
	}
}

bool box_field_full(const struct box *b, enum packet_class class, enum box_field f)
{
	return b->from[f] == 0 && b->to[f] == box_field_max(class, f);
}

static bool has_ports(const struct cfg_ace *a)
{
	return a->src_port.op != PORT_ANY || a->dst_port.op != PORT_ANY;
}

static bool has_flags(const struct cfg_ace *a)
{
	return a->established || a->tcp_flags_set || a->tcp_flags_clear;
}

/* Does the line look behind the IP header? */
static bool looks_deeper(const struct cfg_ace *a)
{
	return has_ports(a) || has_flags(a) || a->icmp_type >= 0;
}

bool acl_needs_classes(const struct cfg_acl *acl)
{
	for (size_t i = 0; acl->extended && i < acl->nentries; i++)
		if (!acl->entries[i].remark && (looks_deeper(&acl->entries[i]) || acl->entries[i].fragments))
			return true;
	return false;
}

static int by_value(const void *a, const void *b)
{
	return (int)*(const uint16_t *)a - (int)*(const uint16_t *)b;
}

/* `neq`: what lies between the values. */
static size_t complement(struct range out[11], const struct cfg_port *p)
{
	uint16_t v[10];
	size_t n = 0;
	uint32_t next = 0;

	memcpy(v, p->values, sizeof(v));
	qsort(v, p->nvalues, sizeof(v[0]), by_value);
	for (size_t i = 0; i < p->nvalues; i++) {
		if (v[i] > next)
			out[n++] = (struct range){ next, v[i] - 1u };
		next = v[i] + 1u;
	}
	if (next <= PORTS)
		out[n++] = (struct range){ next, PORTS };
	return n;
}

static size_t port_ranges(struct range out[11], const struct cfg_port *p)
{
	size_t n = 0;

	switch (p->op) {
	case PORT_ANY:
		out[n++] = (struct range){ 0, PORTS };
		break;
	case PORT_EQ:
		for (size_t i = 0; i < p->nvalues; i++)
			out[n++] = (struct range){ p->values[i], p->values[i] };
		break;
	case PORT_NEQ:
		return complement(out, p);
	case PORT_LT:
		if (p->values[0] > 0)
			out[n++] = (struct range){ 0, p->values[0] - 1u };
		break;
	case PORT_GT:
		if (p->values[0] < PORTS)
			out[n++] = (struct range){ p->values[0] + 1u, PORTS };
		break;
	case PORT_RANGE:
		out[n++] = (struct range){ p->values[0], p->values[1] };
		break;
	}
	return n;
}

/* False when packets of the class cannot match the line at all. The rule for fragments: what looks deeper
 * and permits is taken by its addresses alone; what looks deeper and denies passes them on to the next line. */
static bool applies(const struct cfg_ace *a, enum packet_class class)
{
	static const uint8_t protocols[CLASS_COUNT] = {
		[CLASS_TCP] = IPPROTO_TCP, [CLASS_UDP] = IPPROTO_UDP, [CLASS_ICMP] = IPPROTO_ICMP
	};

	if (class == CLASS_ALL)
		return true;
	if (class == CLASS_FRAG)
		return a->fragments || a->permit || !looks_deeper(a);
	if (a->fragments)
		return false;
	if (class == CLASS_OTHER)
		return a->protocol != IPPROTO_TCP && a->protocol != IPPROTO_UDP && a->protocol != IPPROTO_ICMP;
	return a->protocol < 0 || a->protocol == protocols[class];
}

/* One address and its wildcard: a range, or everything and a guard. */
static struct range address(uint32_t addr, uint32_t wild, uint32_t *guard_mask, uint32_t *guard_value)
{
	if ((wild & (wild + 1)) == 0)
		return (struct range){ addr & ~wild, addr | wild };
	*guard_mask = ~wild;
	*guard_value = addr & ~wild;
	return (struct range){ 0, 0xffffffffu };
}

static void tos_guard(struct guard *g, const struct cfg_ace *a)
{
	if (a->dscp >= 0) {
		g->tos_mask |= 0xfc;
		g->tos |= (uint8_t)(a->dscp << 2);
	}
	if (a->precedence >= 0) {
		g->tos_mask |= 0xe0;
		g->tos |= (uint8_t)(a->precedence << 5);
	}
	if (a->tos >= 0) {
		g->tos_mask |= 0x1e;
		g->tos |= (uint8_t)(a->tos << 1);
	}
}

static void append(struct box_list *l, const struct box_item *item)
{
	if (l->n == l->room) {
		size_t room = l->room ? 2 * l->room : 64;
		struct box_item *grown = mem_realloc_array(l->items, room, sizeof(*grown));

		if (!grown) {
			l->failed = true;
			return;
		}
		l->items = grown;
		l->room = room;
	}
	l->items[l->n++] = *item;
}

static void set_field(struct box *b, enum box_field f, struct range r)
{
	b->from[f] = r.from;
	b->to[f] = r.to;
}

/* All combinations of what the line says of the two deeper fields. */
static void append_deep(struct box_list *l, struct box_item *item, enum packet_class class, const struct cfg_port *sport,
	const struct cfg_port *dport)
{
	const struct cfg_ace *a = item->ace;
	struct range ra[11] = { { 0, box_field_max(class, FIELD_A) } }, rb[11] = { { 0, box_field_max(class, FIELD_B) } };
	size_t na = 1, nb = 1;

	if (class == CLASS_TCP || class == CLASS_UDP) {
		na = port_ranges(ra, sport);
		nb = port_ranges(rb, dport);
	} else if (class == CLASS_ICMP && a->icmp_type >= 0) {
		ra[0] = (struct range){ (uint32_t)a->icmp_type, (uint32_t)a->icmp_type };
		if (a->icmp_code >= 0)
			rb[0] = (struct range){ (uint32_t)a->icmp_code, (uint32_t)a->icmp_code };
	}
	for (size_t i = 0; i < na; i++)
		for (size_t k = 0; k < nb; k++) {
			set_field(&item->box, FIELD_A, ra[i]);
			set_field(&item->box, FIELD_B, rb[k]);
			append(l, item);
		}
}

static void project_line(struct box_list *l, const struct cfg_ace *a, bool extended, enum packet_class class, bool mirror)
{
	struct box_item item = { .ace = a };
	struct guard *g = &item.guard;
	struct range src = address(a->src, a->src_wild, &g->src_mask, &g->src);
	struct range dst = { 0, 0xffffffffu };
	bool by_protocol = class != CLASS_TCP && class != CLASS_UDP && class != CLASS_ICMP;

	if (extended) {
		dst = address(a->dst, a->dst_wild, &g->dst_mask, &g->dst);
		tos_guard(g, a);
		if (class == CLASS_TCP && a->protocol == IPPROTO_TCP) {
			g->established = a->established;
			g->flags_set = a->tcp_flags_set;
			g->flags_clear = a->tcp_flags_clear;
		}
	}
	if (mirror) {
		struct guard was = *g;

		g->src_mask = was.dst_mask, g->src = was.dst;
		g->dst_mask = was.src_mask, g->dst = was.src;
	}
	set_field(&item.box, FIELD_SRC, mirror ? dst : src);
	set_field(&item.box, FIELD_DST, mirror ? src : dst);
	set_field(&item.box, FIELD_PROTOCOL, (struct range){ 0, 255 });
	if (by_protocol && extended && a->protocol >= 0)
		set_field(&item.box, FIELD_PROTOCOL, (struct range){ (uint32_t)a->protocol, (uint32_t)a->protocol });
	append_deep(l, &item, class, mirror ? &a->dst_port : &a->src_port, mirror ? &a->src_port : &a->dst_port);
}

void box_project(struct box_list *out, const struct cfg_acl *acl, enum packet_class class, bool mirror)
{
	for (size_t i = 0; i < acl->nentries; i++) {
		const struct cfg_ace *a = &acl->entries[i];

		if (!a->remark && (!acl->extended || applies(a, class)))
			project_line(out, a, acl->extended, class, mirror);
	}
}

void box_list_free(struct box_list *l)
{
	mem_free(l->items);
	*l = (struct box_list){ 0 };
}
