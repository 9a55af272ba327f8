/* One access-list as nftables text.
 *
 *   chain g3:  fragments? --> g3_frag
 *              protocol   --> g3_tcp, g3_udp, g3_icmp, else g3_other      (a list of addresses alone: one chain, no classes)
 *   chain g3_tcp:  key vmap @g3_tcp0;  key vmap @g3_tcp1;  ...  the end
 *
 * Each map is one layer (box.h) whatever the length of the list, with a counter in every element.
 */
#include "datapath/filter/list.h"

#include "datapath/filter/box.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct list_use list_use_group = {
	.tag = 'g',
	.permit = "return",
	.deny = "goto " LIST_REFUSE,
	.end = "goto " LIST_REFUSE,
	.log = true,
	.count_permit = true,
	.count_deny = true,
};
/* Permits of a crypto list are counted by the engine, which sees each segment; denied packets never get there. */
const struct list_use list_use_crypto = { .tag = 'c', .permit = "goto engine", .deny = "return", .count_deny = true };
const struct list_use list_use_mirror = { .tag = 'm', .permit = "goto clear", .deny = "return", .mirror = true };
/* Of a crypto map entry. On the way out a refused packet cannot be answered: it would leave in clear. */
const struct list_use list_use_check = {
	.tag = 'a',
	.permit = "return",
	.deny = "drop",
	.end = "drop",
	.log = true,
	.count_permit = true,
	.count_deny = true,
};
const struct list_use list_use_opened = { .tag = 't', .permit = "accept", .deny = "return", .mirror = true };

static const char *const class_names[CLASS_COUNT] = { "all", "frag", "tcp", "udp", "icmp", "other" };

struct layer {
	const struct cfg_acl *acl;
	const struct list_use *use;
	unsigned index, number;
	enum packet_class class;
	const struct box_list *boxes;
	bool fields[FIELD_COUNT]; /* those that tell its boxes apart from everything */
};

bool list_has_lines(const struct cfg_acl *acl)
{
	for (size_t i = 0; acl && i < acl->nentries; i++)
		if (!acl->entries[i].remark)
			return true;
	return false;
}

void list_escape(char out[3 * CFG_NAME], const char *name)
{
	size_t n = 0;

	for (; *name; name++)
		n += (size_t)snprintf(
			out + n, 4, isalnum((unsigned char)*name) || strchr("-_.", *name) ? "%c" : "%%%02X", (unsigned char)*name);
	out[n] = '\0';
}

void list_unescape(char *name)
{
	char *to = name;

	for (; *name; name++, to++) {
		char hex[3] = { 0 };

		*to = *name;
		if (*name == '%' && isxdigit((unsigned char)name[1]) && isxdigit((unsigned char)name[2])) {
			memcpy(hex, name + 1, 2);
			*to = (char)strtoul(hex, NULL, 16);
			name += 2;
		}
	}
	*to = '\0';
}

static const char *expression(enum packet_class class, enum box_field f)
{
	switch (f) {
	case FIELD_PROTOCOL:
		return "ip protocol";
	case FIELD_SRC:
		return "ip saddr";
	case FIELD_DST:
		return "ip daddr";
	case FIELD_A:
		return class == CLASS_ICMP ? "icmp type" : "th sport";
	default:
		return class == CLASS_ICMP ? "icmp code" : "th dport";
	}
}

static void key_emit(struct text *t, const struct layer *y)
{
	const char *dot = "";

	for (int f = 0; f < FIELD_COUNT; f++) {
		if (!y->fields[f])
			continue;
		text_put(t, "%s%s", dot, expression(y->class, f));
		dot = " . ";
	}
}

static void value_emit(struct text *t, enum box_field f, uint32_t v)
{
	char ip[16];

	if (f == FIELD_SRC || f == FIELD_DST)
		text_put(t, "%s", ip4_print(ip, v));
	else
		text_put(t, "%u", v);
}

static void box_emit(struct text *t, const struct layer *y, const struct box *b)
{
	const char *dot = "";

	for (int f = 0; f < FIELD_COUNT; f++) {
		if (!y->fields[f])
			continue;
		text_put(t, "%s", dot);
		value_emit(t, f, b->from[f]);
		if (b->to[f] != b->from[f]) {
			text_put(t, "-");
			value_emit(t, f, b->to[f]);
		}
		dot = " . ";
	}
}

/* Is the line's match count to be found again? A comment has at most 128 bytes: a name that grew too long by escaping is not. */
static bool counted(const struct layer *y, const struct cfg_ace *a, char name[3 * CFG_NAME])
{
	list_escape(name, y->acl->name);
	return (a->permit ? y->use->count_permit : y->use->count_deny) && strlen(name) < 100;
}

static void comment_emit(struct text *t, const struct layer *y, const struct cfg_ace *a)
{
	char name[3 * CFG_NAME];

	if (counted(y, a, name))
		text_put(t, " comment \"%s:%u\"", name, a->seq);
}

static void layer_name(struct text *t, const struct layer *y)
{
	text_put(t, "%c%u_%s%u", y->use->tag, y->index, class_names[y->class], y->number);
}

/* Of a rule without a set. Named: the counter of a rule would end with it, and the last matches with the counter. */
static void counter_emit(struct text *t, const struct layer *y, const struct cfg_ace *a)
{
	char name[3 * CFG_NAME];

	if (!counted(y, a, name))
		return;
	text_put(t, "\tcounter ");
	layer_name(t, y);
	text_put(t, " {\n\t\tcomment \"%s:%u\"\n\t}\n", name, a->seq);
}

static void verdict_emit(struct text *t, const struct layer *y, const struct cfg_ace *a)
{
	if (y->use->log && (a->log || a->log_input))
		text_put(t, "goto %c%u_l%c%s", y->use->tag, y->index, a->permit ? 'p' : 'd', a->log_input ? "i" : "");
	else
		text_put(t, "%s", a->permit ? y->use->permit : y->use->deny);
}

static bool counts(const struct layer *y)
{
	return y->use->count_permit || y->use->count_deny;
}

static bool has_key(const struct layer *y)
{
	for (int f = 0; f < FIELD_COUNT; f++)
		if (y->fields[f])
			return true;
	return false;
}

static void map_emit(struct text *t, const struct layer *y)
{
	text_put(t, "\tmap ");
	layer_name(t, y);
	text_put(t, " {\n\t\ttypeof ");
	key_emit(t, y);
	text_put(t, " : verdict\n\t\tflags interval\n%s\t\telements = {\n", counts(y) ? "\t\tcounter\n" : "");
	for (size_t i = 0; i < y->boxes->n; i++) {
		const struct box_item *item = &y->boxes->items[i];

		if (item->layer != y->number)
			continue;
		text_put(t, "\t\t\t");
		box_emit(t, y, &item->box);
		comment_emit(t, y, item->ace);
		text_put(t, " : ");
		verdict_emit(t, y, item->ace);
		text_put(t, ",\n");
	}
	text_put(t, "\t\t}\n\t}\n");
}

static void lookup_emit(struct text *t, const struct layer *y, const struct guard *g, const char *flags, const struct cfg_ace *only)
{
	char ip[16], mask[16], name[3 * CFG_NAME];

	text_put(t, "\t\t%s", flags);
	if (g->tos_mask)
		text_put(t, "@nh,8,8 & 0x%02x == 0x%02x ", g->tos_mask, g->tos);
	if (g->src_mask)
		text_put(t, "ip saddr & %s == %s ", ip4_print(mask, g->src_mask), ip4_print(ip, g->src));
	if (g->dst_mask)
		text_put(t, "ip daddr & %s == %s ", ip4_print(mask, g->dst_mask), ip4_print(ip, g->dst));
	if (has_key(y)) {
		key_emit(t, y);
		text_put(t, " vmap @");
		layer_name(t, y);
		text_put(t, "\n");
		return;
	}
	/* Everything in the class: no need of a set. */
	if (counted(y, only, name)) {
		text_put(t, "counter name \"");
		layer_name(t, y);
		text_put(t, "\" ");
	}
	verdict_emit(t, y, only);
	text_put(t, "\n");
}

static void rules_emit(struct text *t, const struct layer *y, const struct guard *g, const struct cfg_ace *only)
{
	char flags[64];

	if (g->established)
		lookup_emit(t, y, g, "tcp flags & 0x14 != 0x0 ", only);
	if (g->flags_set) {
		snprintf(flags, sizeof(flags), "tcp flags & 0x%x != 0x0 ", g->flags_set);
		lookup_emit(t, y, g, flags, only);
	}
	if (g->flags_clear) {
		snprintf(flags, sizeof(flags), "tcp flags & 0x%x != 0x%x ", g->flags_clear, g->flags_clear);
		lookup_emit(t, y, g, flags, only);
	}
	if (!g->established && !g->flags_set && !g->flags_clear)
		lookup_emit(t, y, g, "", only);
}

/* The chain goes to `rules`, which is appended behind the maps. */
static void layer_emit(struct text *maps, struct text *rules, struct layer *y)
{
	const struct box_item *first = NULL;

	memset(y->fields, 0, sizeof(y->fields));
	for (size_t i = 0; i < y->boxes->n; i++) {
		const struct box_item *item = &y->boxes->items[i];

		if (item->layer != y->number)
			continue;
		first = first ? first : item;
		for (int f = 0; f < FIELD_COUNT; f++)
			y->fields[f] |= !box_field_full(&item->box, y->class, f);
	}
	if (!first)
		return;
	if (has_key(y))
		map_emit(maps, y);
	else
		counter_emit(maps, y, first->ace);
	rules_emit(rules, y, &first->guard, first->ace);
}

static void class_emit(
	struct text *t, const struct cfg_acl *acl, unsigned index, const struct list_use *use, enum packet_class class)
{
	struct box_list boxes = { 0 };
	struct text rules = { 0 };
	struct layer y = { .acl = acl, .use = use, .index = index, .class = class, .boxes = &boxes };
	unsigned layers;

	box_project(&boxes, acl, class, use->mirror);
	layers = box_layers(&boxes);
	if (class == CLASS_ALL)
		text_put(&rules, "\tchain %c%u {\n", use->tag, index);
	else
		text_put(&rules, "\tchain %c%u_%s {\n", use->tag, index, class_names[class]);
	for (y.number = 0; y.number < layers; y.number++)
		layer_emit(t, &rules, &y);
	if (use->end)
		text_put(&rules, "\t\t%s\n", use->end);
	text_put(&rules, "\t}\n");
	text_bytes(t, text_of(&rules), rules.len);
	t->failed |= rules.failed || boxes.failed;
	text_free(&rules);
	box_list_free(&boxes);
}

/* Where a line with `log` goes: the report is bounded, the verdict is not. */
static void log_emit(struct text *t, const struct cfg_acl *acl, unsigned index, const struct list_use *use, bool permit, bool input)
{
	const char action = permit ? 'p' : 'd';
	char name[3 * CFG_NAME];
	bool wanted = false;

	for (size_t i = 0; use->log && i < acl->nentries; i++) {
		const struct cfg_ace *a = &acl->entries[i];

		wanted |= !a->remark && a->permit == permit && (a->log || a->log_input) && a->log_input == input;
	}
	if (!wanted)
		return;
	list_escape(name, acl->name);
	name[100] = '\0'; /* a prefix has at most 127 bytes */
	text_put(t, "\tchain %c%u_l%c%s {\n", use->tag, index, action, input ? "i" : "");
	text_put(t, "\t\tlimit rate 50/second burst 50 packets log prefix \"" LIST_LOG_PREFIX "%c%c%c %s\" group %d snaplen %d\n",
		action, acl->extended ? 'e' : 's', input ? 'i' : '-', name, LIST_LOG_GROUP, LIST_LOG_SNAPLEN);
	text_put(t, "\t\t%s\n\t}\n", permit ? use->permit : use->deny);
}

void list_emit(struct text *t, const struct cfg_acl *acl, unsigned index, const struct list_use *use)
{
	for (int i = 0; i < 4; i++)
		log_emit(t, acl, index, use, i & 1, i & 2);
	if (!acl_needs_classes(acl)) {
		class_emit(t, acl, index, use, CLASS_ALL);
		return;
	}
	for (int class = CLASS_FRAG; class < CLASS_COUNT; class ++)
		class_emit(t, acl, index, use, class);
	text_put(t, "\tchain %c%u {\n", use->tag, index);
	text_put(t, "\t\tip frag-off & 0x1fff != 0x0 goto %c%u_frag\n", use->tag, index);
	text_put(t, "\t\tip protocol vmap { 1 : goto %c%u_icmp, 6 : goto %c%u_tcp, 17 : goto %c%u_udp }\n", use->tag, index,
		use->tag, index, use->tag, index);
	text_put(t, "\t\tgoto %c%u_other\n\t}\n", use->tag, index);
}
