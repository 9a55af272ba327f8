/* Random lists and random packets: the layers of boxes find the line that a walk from the top finds. */
#include "datapath/filter/box.h"
#include "datapath/engine/policy.h"
#include "tests/unit/filter/build.h"

#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct packet {
	uint8_t protocol, tos, flags, type, code;
	uint32_t src, dst;
	uint16_t sport, dport;
	bool later_fragment;
};

static bool port_ok(const struct cfg_port *p, uint16_t port)
{
	bool in = false;

	for (int i = 0; i < p->nvalues; i++)
		in |= p->values[i] == port;
	switch (p->op) {
	case PORT_ANY:
		return true;
	case PORT_EQ:
		return in;
	case PORT_NEQ:
		return !in;
	case PORT_LT:
		return port < p->values[0];
	case PORT_GT:
		return port > p->values[0];
	case PORT_RANGE:
		return port >= p->values[0] && port <= p->values[1];
	}
	return false;
}

/* IOS's rules, line by line, written without a look at the generator. */
static bool matches(const struct cfg_ace *a, const struct packet *p)
{
	bool ports = a->src_port.op != PORT_ANY || a->dst_port.op != PORT_ANY;
	bool flags = a->established || a->tcp_flags_set || a->tcp_flags_clear;
	bool deeper = ports || flags || a->icmp_type >= 0;

	if (a->remark || ((p->src ^ a->src) & ~a->src_wild) || ((p->dst ^ a->dst) & ~a->dst_wild))
		return false;
	if (a->protocol >= 0 && a->protocol != p->protocol)
		return false;
	if ((a->dscp >= 0 && p->tos >> 2 != a->dscp) || (a->precedence >= 0 && p->tos >> 5 != a->precedence) ||
		(a->tos >= 0 && (p->tos >> 1 & 15) != a->tos))
		return false;
	if (p->later_fragment)
		return a->fragments || !deeper || a->permit;
	if (a->fragments)
		return false;
	if (ports && (!port_ok(&a->src_port, p->sport) || !port_ok(&a->dst_port, p->dport)))
		return false;
	if (a->icmp_type >= 0 && (p->type != a->icmp_type || (a->icmp_code >= 0 && p->code != a->icmp_code)))
		return false;
	if (a->established)
		return p->flags & 0x14;
	return !flags || (p->flags & a->tcp_flags_set) || (~p->flags & a->tcp_flags_clear);
}

static enum packet_class class_of(const struct cfg_acl *acl, const struct packet *p)
{
	if (!acl_needs_classes(acl))
		return CLASS_ALL;
	if (p->later_fragment)
		return CLASS_FRAG;
	switch (p->protocol) {
	case IPPROTO_TCP:
		return CLASS_TCP;
	case IPPROTO_UDP:
		return CLASS_UDP;
	case IPPROTO_ICMP:
		return CLASS_ICMP;
	default:
		return CLASS_OTHER;
	}
}

static bool guard_ok(const struct guard *g, const struct packet *p)
{
	if ((p->tos & g->tos_mask) != g->tos || (p->src & g->src_mask) != g->src || (p->dst & g->dst_mask) != g->dst)
		return false;
	if (g->established)
		return p->flags & 0x14;
	return (!g->flags_set && !g->flags_clear) || (p->flags & g->flags_set) || (~p->flags & g->flags_clear);
}

static bool box_ok(const struct box *b, enum packet_class class, const struct packet *p)
{
	uint32_t v[FIELD_COUNT] = { p->protocol, p->src, p->dst, p->sport, p->dport };

	if (class == CLASS_ICMP)
		v[FIELD_A] = p->type, v[FIELD_B] = p->code;
	for (int f = 0; f < FIELD_COUNT; f++)
		if (!box_field_full(b, class, f) && (v[f] < b->from[f] || v[f] > b->to[f]))
			return false;
	return true;
}

/* What the kernel does: layer by layer; in a layer at most one element may match. */
static const struct cfg_ace *lookup(const struct box_list *l, unsigned layers, enum packet_class class, const struct packet *p)
{
	for (unsigned y = 0; y < layers; y++) {
		const struct cfg_ace *hit = NULL;

		for (size_t i = 0; i < l->n; i++) {
			const struct box_item *item = &l->items[i];

			if (item->layer != y || !box_ok(&item->box, class, p))
				continue;
			if (hit)
				fail_msg("two elements of one set match");
			if (guard_ok(&item->guard, p))
				hit = item->ace;
		}
		if (hit)
			return hit;
	}
	return NULL;
}

static unsigned pick(unsigned n)
{
	return (unsigned)rand() % n;
}

/* Small worlds, so that much overlaps. */
static uint32_t some_ip(void)
{
	return 0x0a000000u | pick(4) << 8 | pick(8);
}

static uint32_t some_wild(void)
{
	static const uint32_t wilds[] = { 0, 0, 1, 3, 7, 0xff, 0xffff, 0xffffffffu, 0x0302, 0x100 };

	return wilds[pick(10)];
}

static void some_port(struct cfg_port *p)
{
	p->op = pick(3) ? PORT_ANY : (enum cfg_port_op)(PORT_EQ + pick(5));
	p->values[0] = (uint16_t)pick(6);
	p->nvalues = p->op != PORT_ANY;
	if (p->op == PORT_RANGE)
		p->values[p->nvalues++] = (uint16_t)(p->values[0] + pick(4));
	for (; (p->op == PORT_EQ || p->op == PORT_NEQ) && p->nvalues < 3 && pick(2); p->nvalues++)
		p->values[p->nvalues] = (uint16_t)(p->values[0] + p->nvalues);
}

static void some_line(struct cfg_ace *a, bool simple)
{
	static const int16_t protocols[] = { -1, 6, 17, 1, 50 };

	*a = (struct cfg_ace){ .icmp_type = -1, .icmp_code = -1, .dscp = -1, .precedence = -1, .tos = -1, .permit = pick(2) };
	a->protocol = protocols[pick(5)];
	a->src_wild = some_wild(), a->src = some_ip() & ~a->src_wild;
	a->dst_wild = some_wild(), a->dst = some_ip() & ~a->dst_wild;
	if (simple)
		return;
	if (a->protocol == 6 || a->protocol == 17) {
		some_port(&a->src_port);
		some_port(&a->dst_port);
	}
	if (a->protocol == 6 && !pick(4))
		a->established = true;
	else if (a->protocol == 6 && !pick(4))
		a->tcp_flags_set = 2, a->tcp_flags_clear = pick(2) ? 16 : 0;
	if (a->protocol == 1 && pick(2))
		a->icmp_type = (int16_t)pick(3), a->icmp_code = pick(2) ? (int16_t)pick(2) : -1;
	if (!pick(6))
		a->dscp = (int16_t)(pick(2) * 46);
	if (!pick(8) && a->src_port.op == PORT_ANY && a->dst_port.op == PORT_ANY && !a->established && !a->tcp_flags_set &&
		a->icmp_type < 0)
		a->fragments = true;
}

static struct packet some_packet(void)
{
	static const uint8_t protocols[] = { 6, 17, 1, 50, 47 };
	struct packet p = { .protocol = protocols[pick(5)], .src = some_ip(), .dst = some_ip(), .tos = pick(3) ? 0 : 46 << 2 };

	p.sport = (uint16_t)pick(8), p.dport = (uint16_t)pick(8);
	p.flags = (uint8_t)(pick(2) * 2 + pick(2) * 16 + pick(2) * 4);
	p.type = (uint8_t)pick(4), p.code = (uint8_t)pick(3);
	p.later_fragment = !pick(5);
	return p;
}

/* The engine's own reading of a line, from the packet's bytes. */
static bool engine_matches(const struct cfg_ace *a, const struct packet *p)
{
	uint8_t b[40] = { 0x45, p->tos, 0, 40, 0, 1, 0, p->later_fragment ? 8 : 0, 64, p->protocol };
	struct inner in;

	for (int i = 0; i < 4; i++) {
		b[12 + i] = (uint8_t)(p->src >> (24 - 8 * i));
		b[16 + i] = (uint8_t)(p->dst >> (24 - 8 * i));
	}
	if (p->protocol == 1) {
		b[20] = p->type, b[21] = p->code;
	} else {
		b[20] = (uint8_t)(p->sport >> 8), b[21] = (uint8_t)p->sport;
		b[22] = (uint8_t)(p->dport >> 8), b[23] = (uint8_t)p->dport;
	}
	if (p->protocol == 6)
		b[32] = 0x50, b[33] = p->flags;
	assert_true(inner_parse(&in, span_of(b, sizeof(b))));
	return ace_matches(a, &in);
}

static void check_list(const struct cfg_acl *acl)
{
	struct box_list lists[CLASS_COUNT] = { 0 };
	unsigned layers[CLASS_COUNT];

	for (int class = 0; class < CLASS_COUNT; class ++) {
		box_project(&lists[class], acl, class, false);
		layers[class] = box_layers(&lists[class]);
		assert_false(lists[class].failed);
	}
	for (int n = 0; n < 300; n++) {
		struct packet p = some_packet();
		enum packet_class class = class_of(acl, &p);
		const struct cfg_ace *want = NULL;

		for (size_t i = 0; i < acl->nentries && !want; i++) {
			bool hit = matches(&acl->entries[i], &p);

			if (hit != engine_matches(&acl->entries[i], &p))
				fail_msg("the engine reads line %zu otherwise (later fragment %d)", i, p.later_fragment);
			if (hit)
				want = &acl->entries[i];
		}
		assert_ptr_equal(lookup(&lists[class], layers[class], class, &p), want);
	}
	for (int class = 0; class < CLASS_COUNT; class ++)
		box_list_free(&lists[class]);
}

static void first_match_wins(void **state)
{
	struct cfg_ace lines[12];
	struct cfg_acl acl = { .extended = true, .entries = lines };

	(void)state;
	srand(20);
	for (int n = 0; n < 3000; n++) {
		acl.nentries = 1 + pick(12);
		for (size_t i = 0; i < acl.nentries; i++)
			some_line(&lines[i], n & 1);
		check_list(&acl);
	}
}

/* Mirrored, a list says of the way back what it says of the way there. */
static void mirror(void **state)
{
	struct cfg *c = build_cfg("list X extended\n permit tcp 10.0.0.0 0.0.0.255 eq 80 10.9.0.0 0.0.255.255 range 5 9\n");
	struct box_list l = { 0 };

	(void)state;
	box_project(&l, &c->acls[0], CLASS_TCP, true);
	assert_int_equal(l.n, 1);
	assert_int_equal(l.items[0].box.from[FIELD_SRC], 0x0a090000);
	assert_int_equal(l.items[0].box.to[FIELD_DST], 0x0a0000ff);
	assert_int_equal(l.items[0].box.from[FIELD_A], 5);
	assert_int_equal(l.items[0].box.to[FIELD_A], 9);
	assert_int_equal(l.items[0].box.from[FIELD_B], 80);
	box_list_free(&l);
	build_free(c);
}

/* A thousand hosts and a line behind them are two sets; what an earlier line hides is in none. */
static void long_lists_are_few_sets(void **state)
{
	static struct cfg_ace lines[1002];
	struct cfg_acl acl = { .extended = true, .entries = lines, .nentries = 1002 };
	struct box_list l = { 0 };

	(void)state;
	for (unsigned i = 0; i < 1000; i++)
		lines[i] = (struct cfg_ace){ .permit = i % 3,
			.protocol = -1,
			.src = 0x0a000000 + i,
			.dst_wild = ~0u,
			.icmp_type = -1,
			.dscp = -1,
			.precedence = -1,
			.tos = -1 };
	lines[1000] = lines[1001] = lines[0];
	lines[1000].src_wild = ~0u;
	box_project(&l, &acl, CLASS_ALL, false);
	assert_int_equal(l.n, 1002);
	assert_int_equal(box_layers(&l), 2);
	assert_int_equal(l.n, 1001);
	box_list_free(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(first_match_wins),
		cmocka_unit_test(mirror),
		cmocka_unit_test(long_lists_are_few_sets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
