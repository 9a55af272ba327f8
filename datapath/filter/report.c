/* IOS's lines for reported packets. */
#include "datapath/filter/report.h"

#include "datapath/filter/filter.h"
#include "datapath/filter/list.h"
#include "datapath/filter/nflog.h"

#include "platform/base/addr.h"
#include "platform/base/log.h"
#include "platform/base/mem.h"

#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#define FLOWS      1024
#define SUMMARY_US (300 * 1000000ull)
#define CLEAR_US   (30 * 1000000ull)

struct flow {
	char acl[CFG_NAME]; /* empty: clear text */
	bool permit, standard, used;
	char input[64]; /* " (GigabitEthernet0/0 aabb.cc00.0100)" of `log-input`, or empty */
	uint32_t src, dst;
	uint16_t a, b; /* ports, or ICMP type and code */
	uint8_t protocol;
	uint64_t since_us, packets; /* last line, packets since */
};

struct report {
	const struct env *env;
	report_name_fn name;
	void *ctx;
	struct nflog *log;
	struct loop_timer *timer;
	struct flow flows[FLOWS];
};

static uint64_t now(const struct report *r)
{
	return r->env->now_us(r->env->ctx);
}

/* The ports are there unless it is a later fragment or was cut. */
static bool packet_parse(struct flow *f, struct span packet)
{
	struct reader r = reader_of(packet);
	uint8_t first = reader_u8(&r);
	uint16_t fragment;

	reader_skip(&r, 5);
	fragment = reader_u16(&r);
	reader_skip(&r, 1);
	f->protocol = reader_u8(&r);
	reader_skip(&r, 2);
	f->src = reader_u32(&r);
	f->dst = reader_u32(&r);
	if (r.failed || first >> 4 != 4 || (first & 15) < 5)
		return false;
	reader_skip(&r, (size_t)(first & 15) * 4 - 20);
	if ((fragment & 0x1fff) || reader_left(&r) < 4)
		return true;
	if (f->protocol == IPPROTO_TCP || f->protocol == IPPROTO_UDP) {
		f->a = reader_u16(&r);
		f->b = reader_u16(&r);
	} else if (f->protocol == IPPROTO_ICMP) {
		f->a = reader_u8(&r);
		f->b = reader_u8(&r);
	}
	return true;
}

static bool same_flow(const struct flow *x, const struct flow *y)
{
	return x->src == y->src && x->dst == y->dst && x->a == y->a && x->b == y->b && x->protocol == y->protocol &&
	       x->permit == y->permit && strcmp(x->acl, y->acl) == 0;
}

/* The flow's slot: its own, a free one, or that of the flow that was silent longest. */
static struct flow *slot(struct report *r, const struct flow *f, bool *fresh)
{
	struct flow *best = &r->flows[0];

	*fresh = true;
	for (size_t i = 0; i < FLOWS; i++) {
		struct flow *at = &r->flows[i];

		if (at->used && same_flow(at, f)) {
			*fresh = false;
			return at;
		}
		if (best->used && (!at->used || at->since_us < best->since_us))
			best = at;
	}
	return best;
}

static void line(const struct flow *f, uint64_t packets)
{
	const char *did = f->permit ? "permitted" : "denied", *s = packets == 1 ? "" : "s";
	unsigned long long n = packets;
	char src[16], dst[16];

	ip4_print(src, f->src);
	ip4_print(dst, f->dst);
	if (f->standard)
		log_msg("SEC", LOG_SEV_INFO, "IPACCESSLOGS", "list %s %s %s%s %llu packet%s", f->acl, did, src, f->input, n, s);
	else if (f->protocol == IPPROTO_TCP || f->protocol == IPPROTO_UDP)
		log_msg("SEC", LOG_SEV_INFO, "IPACCESSLOGP", "list %s %s %s %s(%u)%s -> %s(%u), %llu packet%s", f->acl, did,
			f->protocol == IPPROTO_TCP ? "tcp" : "udp", src, f->a, f->input, dst, f->b, n, s);
	else if (f->protocol == IPPROTO_ICMP)
		log_msg("SEC", LOG_SEV_INFO, "IPACCESSLOGDP", "list %s %s icmp %s%s -> %s (%u/%u), %llu packet%s", f->acl, did, src,
			f->input, dst, f->a, f->b, n, s);
	else
		log_msg("SEC", LOG_SEV_INFO, "IPACCESSLOGNP", "list %s %s %u %s%s -> %s, %llu packet%s", f->acl, did, f->protocol,
			src, f->input, dst, n, s);
}

static void clear_line(const struct flow *f)
{
	char src[16], dst[16];

	log_msg("CRYPTO", LOG_SEV_WARNING, "RECVD_PKT_NOT_IPSEC",
		"Rec'd packet not an IPSEC packet. (ip) vrf/dest_addr= /%s, src_addr= %s, prot= %u", ip4_print(dst, f->dst),
		ip4_print(src, f->src), f->protocol);
}

static void clear_text(struct report *r, struct flow f)
{
	bool fresh;
	struct flow *at;

	f.a = f.b = 0;
	at = slot(r, &f, &fresh);
	if (!fresh && now(r) - at->since_us < CLEAR_US)
		return;
	*at = f;
	at->used = true;
	at->since_us = now(r);
	clear_line(at);
}

static void list_line(struct report *r, const struct flow *f)
{
	bool fresh;
	struct flow *at = slot(r, f, &fresh);

	if (!fresh) {
		at->packets++;
		return;
	}
	if (at->used && at->packets)
		line(at, at->packets);
	*at = *f;
	at->used = true;
	at->since_us = now(r);
	line(at, 1);
}

static void input_print(const struct report *r, struct flow *f, const struct nflog_packet *p)
{
	const char *name = r->name(r->ctx, p->ifindex);
	const uint8_t *m = p->mac;

	if (!name)
		return;
	if (p->has_mac)
		snprintf(f->input, sizeof(f->input), " (%.30s %02x%02x.%02x%02x.%02x%02x)", name, m[0], m[1], m[2], m[3], m[4],
			m[5]);
	else
		snprintf(f->input, sizeof(f->input), " (%.30s )", name);
}

void report_message(struct report *r, struct span message)
{
	struct nflog_packet p;
	struct flow f = { 0 };
	const size_t head = strlen(LIST_LOG_PREFIX);

	if (!nflog_parse(&p, message) || !packet_parse(&f, p.packet))
		return;
	if (strcmp(p.prefix, FILTER_CLEAR_PREFIX) == 0) {
		clear_text(r, f);
		return;
	}
	if (strncmp(p.prefix, LIST_LOG_PREFIX, head) != 0 || strlen(p.prefix) < head + 5 || p.prefix[head + 3] != ' ')
		return;
	f.permit = p.prefix[head] == 'p';
	f.standard = p.prefix[head + 1] == 's';
	if (p.prefix[head + 2] == 'i')
		input_print(r, &f, &p);
	list_unescape(p.prefix + head + 4);
	snprintf(f.acl, sizeof(f.acl), "%s", p.prefix + head + 4);
	list_line(r, &f);
}

void report_summaries(struct report *r)
{
	for (size_t i = 0; i < FLOWS; i++) {
		struct flow *f = &r->flows[i];

		if (!f->used || now(r) - f->since_us < SUMMARY_US)
			continue;
		if (!f->packets) {
			f->used = false;
			continue;
		}
		line(f, f->packets);
		f->packets = 0;
		f->since_us = now(r);
	}
}

static void on_timer(void *ctx)
{
	struct report *r = ctx;

	report_summaries(r);
	loop_timer_set(r->timer, 1000000);
}

static void on_message(void *ctx, struct span message)
{
	report_message(ctx, message);
}

struct report *report_new(const struct env *env, report_name_fn name, void *ctx)
{
	struct report *r = mem_zalloc(sizeof(*r));

	if (!r)
		return NULL;
	r->env = env;
	r->name = name;
	r->ctx = ctx;
	return r;
}

struct report *report_open(struct loop *l, const struct env *env, report_name_fn name, void *ctx)
{
	struct report *r = report_new(env, name, ctx);

	if (!r)
		return NULL;
	r->log = nflog_open(l, LIST_LOG_GROUP, on_message, r);
	r->timer = loop_timer_new(l, on_timer, r);
	if (!r->log || !r->timer) {
		report_close(r);
		return NULL;
	}
	loop_timer_set(r->timer, 1000000);
	return r;
}

void report_close(struct report *r)
{
	if (!r)
		return;
	nflog_close(r->log);
	loop_timer_free(r->timer);
	mem_free(r);
}
