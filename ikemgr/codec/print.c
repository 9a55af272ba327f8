/* Debug text of messages, from the same field tables. Layout as IOS's `debug crypto isakmp`:
 *
 *   ID payload
 *           type         : ID_IPV4_ADDR
 *           protocol     : 17
 */
#include "ikemgr/codec/fields.h"

#include "platform/base/addr.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define LINE_TEXT 256
/* Long values are cut to this many bytes. */
#define SHOWN_BYTES 32

void header_print(const struct isakmp_header *h, print_line line, void *ctx)
{
	char text[LINE_TEXT], name[NAME_TEXT];

	snprintf(text, sizeof(text), "cookies %016llx:%016llx, %s, flags 0x%02x%s%s, message ID 0x%08X, length %u",
		(unsigned long long)h->cookie_i, (unsigned long long)h->cookie_r, name_of(names_exchange, h->exchange, name),
		h->flags, h->flags & FLAG_ENCRYPTED ? " (encrypted)" : "", h->flags & FLAG_COMMIT ? " (commit)" : "", h->message_id,
		h->length);
	line(ctx, text);
}

static void span_text(char *out, size_t size, struct span s)
{
	char hex[2 * SHOWN_BYTES + 1];

	hex_print(hex, sizeof(hex), span_of(s.data, s.len > SHOWN_BYTES ? SHOWN_BYTES : s.len));
	snprintf(out, size, "%s%s (%zu bytes)", hex, s.len > SHOWN_BYTES ? "..." : "", s.len);
}

static uint32_t field_number(const struct field *f, const uint8_t *at)
{
	uint16_t n16;
	uint32_t n32;

	if (f->kind == FIELD_U8)
		return *at;
	if (f->kind == FIELD_U16) {
		memcpy(&n16, at, sizeof(n16));
		return n16;
	}
	memcpy(&n32, at, sizeof(n32));
	return n32;
}

static void field_print(const struct field *f, const union payload_value *v, print_line line, void *ctx)
{
	const uint8_t *at = (const uint8_t *)v + f->at;
	char text[LINE_TEXT], value[LINE_TEXT / 2], name[NAME_TEXT];
	struct span s;
	uint32_t n;

	if (f->label == NULL)
		return;
	if (f->kind >= FIELD_REST) {
		memcpy(&s, at, sizeof(s));
		if (s.len == 0)
			return;
		span_text(value, sizeof(value), s);
	} else {
		n = field_number(f, at);
		if (f->names != NULL)
			snprintf(value, sizeof(value), "%s", name_of(f->names, n, name));
		else
			snprintf(value, sizeof(value), "%u", n);
	}
	snprintf(text, sizeof(text), "\t%-12s : %s", f->label, value);
	line(ctx, text);
}

/* Attributes whose values have names. */
static const struct {
	bool phase1;
	uint16_t type;
	const struct name *names;
} value_names[] = {
	{ true, ATTR1_ENCRYPTION, names_cipher1 },
	{ true, ATTR1_HASH, names_hash1 },
	{ true, ATTR1_AUTH, names_auth },
	{ true, ATTR1_LIFE_TYPE, names_life },
	{ false, ATTR2_LIFE_TYPE, names_life },
	{ false, ATTR2_ENCAPS, names_encaps },
	{ false, ATTR2_AUTH, names_auth2 },
};

static const char *attribute_value(const struct attribute *a, bool phase1, char *out, size_t size)
{
	char name[NAME_TEXT];

	if (!a->basic && a->value.len > 8) {
		span_text(out, size, a->value);
		return out;
	}
	snprintf(out, size, "%llu", (unsigned long long)a->number);
	for (size_t i = 0; i < sizeof(value_names) / sizeof(value_names[0]) && a->number <= UINT32_MAX; i++)
		if (value_names[i].phase1 == phase1 && value_names[i].type == a->type)
			snprintf(out, size, "%s", name_of(value_names[i].names, (uint32_t)a->number, name));
	return out;
}

void attributes_print(struct span attributes, bool phase1, print_line line, void *ctx)
{
	struct reader r = reader_of(attributes);
	struct attribute a;
	char text[LINE_TEXT], value[LINE_TEXT / 2], name[NAME_TEXT];

	while (attribute_next(&r, &a)) {
		bool duration = a.type == (phase1 ? ATTR1_LIFE_DURATION : ATTR2_LIFE_DURATION);

		snprintf(text, sizeof(text), "     %s %s%s", name_of(phase1 ? names_attr1 : names_attr2, a.type, name),
			!duration ? ""
			: a.basic ? "(basic) "
				  : "(VPI) ",
			attribute_value(&a, phase1, value, sizeof(value)));
		line(ctx, text);
	}
	if (r.failed)
		line(ctx, "     attribute cut off");
}

static void transforms_print(const struct payload_proposal *p, print_line line, void *ctx)
{
	struct chain c = chain_of(p->transforms, PAYLOAD_TRANSFORM);
	bool phase1 = p->protocol == PROTO_ISAKMP;
	union payload_value v;
	char text[LINE_TEXT], name[NAME_TEXT];

	while (chain_next(&c, &v)) {
		snprintf(text, sizeof(text), "transform %u, %s", v.transform.number,
			name_of(phase1                    ? names_key1
				: p->protocol == PROTO_AH ? names_ah
							  : names_esp,
				v.transform.id, name));
		line(ctx, text);
		attributes_print(v.transform.attributes, phase1, line, ctx);
	}
}

static void proposals_print(struct span proposals, print_line line, void *ctx)
{
	struct chain c = chain_of(proposals, PAYLOAD_PROPOSAL);
	const struct payload_def *def = payload_def(PAYLOAD_PROPOSAL);
	union payload_value v;

	while (chain_next(&c, &v)) {
		line(ctx, "Proposal");
		for (const struct field *f = def->fields; f->kind != FIELD_END; f++)
			field_print(f, &v, line, ctx);
		transforms_print(&v.proposal, line, ctx);
	}
}

/* Only what a log line can show as it is. */
static void text_safe(char *out, size_t size, struct span s)
{
	size_t n = s.len < size - 1 ? s.len : size - 1;

	for (size_t i = 0; i < n; i++)
		out[i] = isprint(s.data[i]) ? (char)s.data[i] : '.';
	out[n] = '\0';
}

/* Text is text, addresses are addresses; what a user typed is nobody's business, and a password least of all. */
static void config_value(char *out, size_t size, const struct attribute *a)
{
	char ip[16];

	if (a->type == ATTRC_XAUTH_USER_PASSWORD || a->type == ATTRC_XAUTH_PASSCODE || a->type == ATTRC_XAUTH_NEXT_PIN ||
		a->type == ATTRC_XAUTH_ANSWER)
		snprintf(out, size, "(not shown)");
	else if (a->basic)
		snprintf(out, size, "%llu", (unsigned long long)a->number);
	else if (a->type <= ATTRC_IP4_NBNS && a->value.len == 4)
		snprintf(out, size, "%s", ip4_print(ip, (uint32_t)a->number));
	else if (a->type == ATTRC_XAUTH_USER_NAME || a->type == ATTRC_APPLICATION_VERSION || a->type == ATTRC_DEF_DOMAIN)
		text_safe(out, size, a->value);
	else
		span_text(out, size, a->value);
}

static void config_print(struct span attributes, print_line line, void *ctx)
{
	struct reader r = reader_of(attributes);
	struct attribute a;
	char text[LINE_TEXT], value[LINE_TEXT / 2], name[NAME_TEXT];

	while (attribute_next(&r, &a)) {
		config_value(value, sizeof(value), &a);
		snprintf(text, sizeof(text), "     %s %s", name_of(names_attr_config, a.type, name),
			a.basic || a.value.len ? value : "");
		line(ctx, text);
	}
	if (r.failed)
		line(ctx, "     attribute cut off");
}

static void vendor_print(struct span id, print_line line, void *ctx)
{
	enum vendor v = vendor_find(id);
	char text[LINE_TEXT];

	if (v == VENDOR_COUNT)
		return;
	snprintf(text, sizeof(text), "vendor ID is %s", vendor_text(v));
	line(ctx, text);
}

void payload_print(const struct payload *p, print_line line, void *ctx)
{
	char text[LINE_TEXT], id[LINE_TEXT / 2];

	if (p->def == NULL) {
		snprintf(text, sizeof(text), "payload of unknown type %u, %zu bytes", p->number, p->body.len);
		line(ctx, text);
		return;
	}
	snprintf(text, sizeof(text), "%s payload", payload_name(p->def));
	line(ctx, text);
	for (const struct field *f = p->def->fields; f->kind != FIELD_END; f++)
		field_print(f, &p->v, line, ctx);
	if (p->kind == PAYLOAD_SA) {
		proposals_print(p->v.sa.proposals, line, ctx);
	} else if (p->kind == PAYLOAD_CONFIG) {
		config_print(p->v.config.attributes, line, ctx);
	} else if (p->kind == PAYLOAD_VID || p->kind == PAYLOAD_VID2) {
		vendor_print(p->v.data.data, line, ctx);
	} else if (p->kind == PAYLOAD_ID || p->kind == PAYLOAD_ID_SECOND || p->kind == PAYLOAD_IDI2 || p->kind == PAYLOAD_IDR2) {
		id_print(id, sizeof(id), &p->v.id);
		snprintf(text, sizeof(text), "\t%-12s : %s", "identity", id);
		line(ctx, text);
	}
}

/* A key id that can be read is the name of a group. */
static bool all_print(struct span s)
{
	for (size_t i = 0; i < s.len; i++)
		if (!isgraph(s.data[i]))
			return false;
	return s.len > 0;
}

void id_print(char *out, size_t size, const struct payload_id *id)
{
	struct reader r = reader_of(id->data);
	char a[16], b[16], hex[2 * SHOWN_BYTES + 1];
	bool two = id->type == ID_IPV4_SUBNET || id->type == ID_IPV4_RANGE;

	if ((id->type == ID_IPV4_ADDR && id->data.len == 4) || (two && id->data.len == 8)) {
		ip4_print(a, reader_u32(&r));
		ip4_print(b, two ? reader_u32(&r) : 0);
		if (two)
			snprintf(out, size, "%s%c%s", a, id->type == ID_IPV4_RANGE ? '-' : '/', b);
		else
			snprintf(out, size, "%s", a);
	} else if (id->type == ID_FQDN || id->type == ID_USER_FQDN || (id->type == ID_KEY_ID && all_print(id->data))) {
		text_safe(out, size, id->data);
	} else {
		hex_print(hex, sizeof(hex), span_of(id->data.data, id->data.len > SHOWN_BYTES ? SHOWN_BYTES : id->data.len));
		snprintf(out, size, "id type %u %s", id->type, hex);
	}
}
