/* Which policy a packet falls under: the lists are walked once per flow, the answer is kept. */
#include "datapath/engine/out.h"

static uint32_t hash(const struct flow *k)
{
	uint64_t h = ((uint64_t)k->src << 32 | k->dst) * 0x9e3779b97f4a7c15ull;

	h ^= ((uint64_t)k->src_port << 48 | (uint64_t)k->dst_port << 32 | (uint64_t)k->protocol << 24 | (uint64_t)k->tos << 16 |
		     (uint64_t)k->flags << 8 | k->icmp) *
	     0xc2b2ae3d27d4eb4full;
	h ^= h >> 29;
	return (uint32_t)((h * 0xbf58476d1ce4e5b9ull) >> 52);
}

static bool same(const struct flow *a, const struct flow *b)
{
	return a->generation == b->generation && a->src == b->src && a->dst == b->dst && a->src_port == b->src_port &&
	       a->dst_port == b->dst_port && a->protocol == b->protocol && a->tos == b->tos && a->flags == b->flags &&
	       a->icmp == b->icmp && a->ifindex == b->ifindex;
}

struct verdict flow_classify(struct out *o, const struct inner *in, int ifindex)
{
	const struct policy_set *set = RCU_GET(o->b->set);
	struct flow key = {
		.generation = set->generation,
		.src = in->src,
		.dst = in->dst,
		.src_port = in->src_port,
		.dst_port = in->dst_port,
		.protocol = in->protocol,
		.tos = set->by_tos ? in->tos : 0,
		.flags = (uint8_t)((set->by_flags ? in->tcp_flags & 0x3f : 0) | (in->later ? 0x80 : 0) | (in->upper ? 0x40 : 0)),
		.icmp = in->icmp_type,
		.ifindex = ifindex,
	};
	struct flow *f;

	if (in->icmp_code)
		return policy_classify(set, ifindex, in); /* rare: an error message */
	f = &o->flows[hash(&key) % FLOWS];
	if (!same(f, &key)) {
		key.verdict = policy_classify(set, ifindex, in);
		*f = key;
	}
	return f->verdict;
}
