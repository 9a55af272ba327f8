/* An access-list line as boxes: ranges in the fields that a set can look up at once.
 *
 * A list is projected onto classes of packets, since a port exists only in TCP and UDP and nowhere in a fragment but the first:
 * in each class every line is zero, one or several boxes of the same fields. What is no range (flags, bits of TOS, a wildcard
 * that is not a mask) stays outside as a guard.
 */
#ifndef POSTERN_DATAPATH_FILTER_BOX_H
#define POSTERN_DATAPATH_FILTER_BOX_H

#include "configdb/cfg.h"

enum packet_class {
	CLASS_ALL,  /* lists that look at addresses and protocol only */
	CLASS_FRAG, /* fragments but the first: no ports */
	CLASS_TCP,
	CLASS_UDP,
	CLASS_ICMP,
	CLASS_OTHER, /* any other protocol */
	CLASS_COUNT
};

/* A is the source port or the ICMP type, B the destination port or the ICMP code. */
enum box_field { FIELD_PROTOCOL, FIELD_SRC, FIELD_DST, FIELD_A, FIELD_B, FIELD_COUNT };

struct box {
	uint32_t from[FIELD_COUNT], to[FIELD_COUNT];
};

/* Everything in it must hold, beside the box. */
struct guard {
	bool established;                      /* ACK or RST */
	uint8_t flags_set, flags_clear;        /* any of these set, or any of those clear; both 0: do not matter */
	uint8_t tos_mask, tos;                 /* bits of the TOS byte */
	uint32_t src_mask, src, dst_mask, dst; /* wildcards that are not masks; mask 0: none */
};

struct box_item {
	struct box box;
	struct guard guard;
	const struct cfg_ace *ace;
	unsigned layer;
};

struct box_list {
	struct box_item *items;
	size_t n, room;
	bool failed; /* out of memory */
};

/* Largest value of a field in a class; a box that reaches from 0 to it says nothing about the field. */
uint32_t box_field_max(enum packet_class class, enum box_field f);
bool box_field_full(const struct box *b, enum packet_class class, enum box_field f);

/* The classes that must be told apart for this list. */
bool acl_needs_classes(const struct cfg_acl *acl);
/* Appends the lines of `acl` as they apply to `class`, in order. `mirror` swaps source and destination. */
void box_project(struct box_list *out, const struct cfg_acl *acl, enum packet_class class, bool mirror);
void box_list_free(struct box_list *l);

/* Gives each item the layer it is looked up in and drops items that an earlier one hides.
 *
 * Layers are looked up in order and the first match wins. Within a layer no two boxes overlap and all have the same guard, so
 * a layer is one set, and the match counts of the lines stay true. A later line lies in a later layer than all earlier ones
 * that it overlaps. Returns the number of layers. */
unsigned box_layers(struct box_list *l);

bool guard_equal(const struct guard *a, const struct guard *b);

#endif
