/* Layers: how a list of overlapping boxes becomes a few sets without overlap. */
#include "datapath/filter/box.h"

#include "platform/base/mem.h"

bool guard_equal(const struct guard *a, const struct guard *b)
{
	return a->established == b->established && a->flags_set == b->flags_set && a->flags_clear == b->flags_clear &&
	       a->tos_mask == b->tos_mask && a->tos == b->tos && a->src_mask == b->src_mask && a->src == b->src &&
	       a->dst_mask == b->dst_mask && a->dst == b->dst;
}

static bool guard_empty(const struct guard *g)
{
	return guard_equal(g, &(struct guard){ 0 });
}

static bool overlap(const struct box *a, const struct box *b)
{
	for (int f = 0; f < FIELD_COUNT; f++)
		if (a->from[f] > b->to[f] || b->from[f] > a->to[f])
			return false;
	return true;
}

static bool within(const struct box *in, const struct box *out)
{
	for (int f = 0; f < FIELD_COUNT; f++)
		if (in->from[f] < out->from[f] || in->to[f] > out->to[f])
			return false;
	return true;
}

/* An earlier item takes every packet of this one. */
static bool hidden(const struct box_item *by, const struct box_item *item)
{
	return within(&item->box, &by->box) && (guard_empty(&by->guard) || guard_equal(&by->guard, &item->guard));
}

/* The first layer that item `at` may stand in, by the `n` kept items before it; -1 if it is hidden. */
static long first_layer(const struct box_list *l, size_t n, const struct box_item *at)
{
	long layer = 0;

	for (size_t i = 0; i < n; i++) {
		const struct box_item *before = &l->items[i];

		if (!overlap(&before->box, &at->box))
			continue;
		if (hidden(before, at))
			return -1;
		if ((long)before->layer >= layer)
			layer = (long)before->layer + 1;
	}
	return layer;
}

unsigned box_layers(struct box_list *l)
{
	const struct guard **guards = mem_calloc(l->n + 1, sizeof(*guards));
	unsigned layers = 0;
	size_t kept = 0;

	if (!guards) {
		l->failed = true;
		return 0;
	}
	for (size_t i = 0; i < l->n; i++) {
		struct box_item item = l->items[i];
		long at = first_layer(l, kept, &item);

		if (at < 0)
			continue;
		while (at < layers && !guard_equal(guards[at], &item.guard))
			at++;
		item.layer = (unsigned)at;
		l->items[kept] = item;
		if (at == layers)
			guards[layers++] = &l->items[kept].guard;
		kept++;
	}
	l->n = kept;
	mem_free(guards);
	return layers;
}
