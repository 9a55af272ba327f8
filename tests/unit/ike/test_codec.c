/* The codec: encode and decode are inverse by every field table; lists, chains, attributes, vendor IDs, identities. */
#include "ikemgr/codec/fields.h"

#include "platform/base/env.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* A body that fits the table: every byte another one, sizes that agree. */
static size_t body_make(const struct payload_def *def, uint8_t *body)
{
	struct writer w = writer_of(body, 200);
	uint8_t n = 1;

	for (const struct field *f = def->fields; f->kind != FIELD_END; f++) {
		bool size = false, count = false;

		for (const struct field *g = def->fields; g->kind != FIELD_END; g++) {
			size = size ||
			       ((g->kind == FIELD_SIZED || g->kind == FIELD_ARRAY) && f->kind == FIELD_U8 && g->size_at == f->at);
			count = count || (g->kind == FIELD_ARRAY && f->kind == FIELD_U16 && g->count_at == f->at);
		}
		switch ((enum field_kind)f->kind) {
		case FIELD_U8:
			writer_u8(&w, size ? 4 : n++);
			break;
		case FIELD_U16:
			writer_u16(&w, count ? 3 : (uint16_t)(n << 8 | 1));
			n++;
			break;
		case FIELD_U32:
			writer_u32(&w, (uint32_t)n++ << 24 | 5);
			break;
		case FIELD_RESERVED:
			writer_zero(&w, f->arg);
			break;
		case FIELD_SIZED:
			writer_bytes(&w, "spi!", 4);
			break;
		case FIELD_ARRAY:
			writer_bytes(&w, "spi1spi2spi3", 12);
			break;
		case FIELD_REST:
			writer_bytes(&w, "the rest", 8);
			break;
		case FIELD_END:
			break;
		}
	}
	return writer_len(&w);
}

static void every_table_inverse(void **state)
{
	uint8_t body[200], again[200];
	union payload_value v;
	struct writer w;

	(void)state;
	for (const struct payload_def *d = payload_table + 1; d->kind != PAYLOAD_UNKNOWN; d++) {
		size_t len = body_make(d, body);

		assert_int_equal(payload_decode(&v, d, span_of(body, len)), ERR_OK);
		w = writer_of(again, sizeof(again));
		payload_encode(&w, d, &v);
		assert_int_equal(writer_len(&w), len);
		assert_memory_equal(again, body, len);
	}
}

/* Shorter than the fixed part: refused. Every field of the fixed part is needed. */
static void every_table_truncated(void **state)
{
	uint8_t body[200];
	union payload_value v;

	(void)state;
	for (const struct payload_def *d = payload_table + 1; d->kind != PAYLOAD_UNKNOWN; d++) {
		size_t len = body_make(d, body), fixed = 0;

		for (const struct field *f = d->fields; f->kind != FIELD_END; f++)
			fixed += f->kind == FIELD_U8         ? 1
				 : f->kind == FIELD_U16      ? 2
				 : f->kind == FIELD_U32      ? 4
				 : f->kind == FIELD_RESERVED ? f->arg
				 : f->kind == FIELD_SIZED    ? 4
				 : f->kind == FIELD_ARRAY    ? 12
							     : 0;
		for (size_t n = 0; n < len; n++)
			assert_int_equal(payload_decode(&v, d, span_of(body, n)), n < fixed ? ERR_TRUNCATED : ERR_OK);
	}
}

/* Sizes that disagree with their spans are not written. */
static void sizes_must_agree(void **state)
{
	union payload_value v = { .notify = { .spi_size = 4, .spi = span_of("abc", 3) } };
	uint8_t buf[64];
	struct writer w = writer_of(buf, sizeof(buf));

	(void)state;
	payload_encode(&w, payload_def(PAYLOAD_NOTIFY), &v);
	assert_true(w.failed);
	v = (union payload_value){ .del = { .spi_size = 4, .count = 2, .spis = span_of("abcd", 4) } };
	w = writer_of(buf, sizeof(buf));
	payload_encode(&w, payload_def(PAYLOAD_DELETE), &v);
	assert_true(w.failed);
}

struct lines {
	char text[4096];
};

static void line_add(void *ctx, const char *text)
{
	struct lines *l = ctx;

	strncat(l->text, text, sizeof(l->text) - strlen(l->text) - 2);
	strcat(l->text, "\n");
}

/* Every label of every table occurs in the debug text of its payload. */
static void every_label_printed(void **state)
{
	uint8_t body[200];

	(void)state;
	for (const struct payload_def *d = payload_table + 1; d->kind != PAYLOAD_UNKNOWN; d++) {
		struct payload p = { .kind = d->kind, .number = d->number, .def = d };
		struct lines l = { "" };

		p.body = span_of(body, body_make(d, body));
		assert_int_equal(payload_decode(&p.v, d, p.body), ERR_OK);
		payload_print(&p, line_add, &l);
		assert_non_null(strstr(l.text, d->name));
		for (const struct field *f = d->fields; f->kind != FIELD_END; f++)
			if (f->label != NULL)
				assert_non_null(strstr(l.text, f->label));
	}
}

static size_t message_make(uint8_t *buf, size_t size)
{
	struct isakmp_header h = {
		.cookie_i = 0x0102030405060708, .cookie_r = 9, .version = 0x10, .exchange = EXCH_MAIN, .message_id = 0
	};
	union payload_value id = { .id = { .type = ID_FQDN, .protocol = 17, .port = 500, .data = span_of("r1.example", 10) } };
	struct build b;

	build_start(&b, buf, size, &h);
	build_data(&b, PAYLOAD_KE, span_of("0123456789", 10));
	build_payload(&b, PAYLOAD_ID, &id);
	build_payload(&b, PAYLOAD_ID_SECOND, &id);
	build_data(&b, PAYLOAD_VID, vendor_id(VENDOR_DPD));
	return build_end(&b).len;
}

static void message_round(void **state)
{
	uint8_t buf[512];
	size_t len = message_make(buf, sizeof(buf));
	static struct message m;
	const char *why;

	(void)state;
	assert_int_equal(header_decode(&m.head, span_of(buf, len)), ERR_OK);
	assert_int_equal(m.head.length, len);
	assert_true(m.head.cookie_i == 0x0102030405060708);
	assert_int_equal(message_decode(&m, 1, m.head.next, span_of(buf + 28, len - 28), false, &why), ERR_OK);
	assert_int_equal(m.npayloads, 4);
	assert_true(m.set == (P(KE) | P(ID) | P(ID_SECOND) | P(VID)));
	assert_int_equal(message_find(&m, PAYLOAD_ID_SECOND, 0)->v.id.port, 500);
	assert_null(message_find(&m, PAYLOAD_ID, 1));
	/* Padding is only for what was encrypted. */
	assert_int_equal(message_decode(&m, 1, m.head.next, span_of(buf + 28, len - 28 + 3), true, &why), ERR_OK);
	assert_int_equal(message_decode(&m, 1, m.head.next, span_of(buf + 28, len - 28 + 3), false, &why), ERR_INVALID);
	for (size_t n = 0; n < len; n++)
		assert_int_equal(header_decode(&m.head, span_of(buf, n)), ERR_TRUNCATED);
	for (size_t n = 0; n < len - 28; n++)
		assert_int_not_equal(message_decode(&m, 1, 4, span_of(buf + 28, n), true, &why), ERR_OK);
}

static void too_many(void **state)
{
	static uint8_t buf[16384];
	static struct message m;
	struct writer w = writer_of(buf, sizeof(buf));
	const char *why;

	(void)state;
	for (int i = 0; i < 65; i++) {
		writer_u8(&w, i == 64 ? 0 : 250);
		writer_u8(&w, 0);
		writer_u16(&w, 4);
	}
	assert_int_equal(message_decode(&m, 1, 250, writer_span(&w), false, &why), ERR_LIMIT);
	buf[63 * 4] = 0;
	assert_int_equal(message_decode(&m, 1, 250, span_of(buf, 256), false, &why), ERR_OK);
	assert_true(m.set == P(UNKNOWN));
	/* A second nonce has no place; a member of a chain is no payload. */
	memset(buf, 0, 64);
	memcpy(buf, "\12\0\0\10aaaa\0\0\0\10bbbb", 16);
	assert_int_equal(message_decode(&m, 1, 10, span_of(buf, 16), false, &why), ERR_LIMIT);
	memcpy(buf, "\0\0\0\14\1\1\0\1\0\0\0\0", 12);
	assert_int_equal(message_decode(&m, 1, 2, span_of(buf, 12), false, &why), ERR_LIMIT);
	/* The reserved byte, IKEv1; the critical bit, IKEv2. */
	memcpy(buf, "\0\200\0\10aaaa", 8);
	assert_int_equal(message_decode(&m, 1, 10, span_of(buf, 8), false, &why), ERR_INVALID);
	assert_int_equal(message_decode(&m, 2, 40, span_of(buf, 8), false, &why), ERR_OK);
	assert_true(m.payloads[0].critical);
}

/* Up to three zeros that make a multiple of four of a message in clear are no bytes behind it: libreswan. */
static void filled_to_four(void **state)
{
	uint8_t nonce[24] = { 0, 0, 0, 13, 1, 2, 3, 4, 5, 6, 7, 8, 9 };
	struct message m;
	const char *why;

	(void)state;
	for (size_t n = 13; n <= sizeof(nonce); n++)
		assert_int_equal(message_decode(&m, 1, 10, span_of(nonce, n), false, &why), n == 13 || n == 16 ? ERR_OK : ERR_INVALID);
	assert_int_equal(message_decode(&m, 2, 40, span_of(nonce, 16), false, &why), ERR_INVALID);
	nonce[15] = 1;
	assert_int_equal(message_decode(&m, 1, 10, span_of(nonce, 16), false, &why), ERR_INVALID);
}

static void attributes(void **state)
{
	static const uint32_t values[] = { 0, 1, 65535, 65536, 86400, 0xffffffff };
	uint8_t buf[64];

	(void)state;
	for (size_t i = 0; i < 6; i++) {
		struct writer w = writer_of(buf, sizeof(buf));
		struct reader r;
		struct attribute a;

		attribute_encode(&w, 12, values[i]);
		assert_int_equal(writer_len(&w), values[i] <= 65535 ? 4 : 8);
		r = reader_of(writer_span(&w));
		assert_true(attribute_next(&r, &a));
		assert_int_equal(a.type, 12);
		assert_true(a.number == values[i]);
		assert_false(attribute_next(&r, &a));
		assert_false(r.failed);
		r = reader_of(span_of(buf, writer_len(&w) - 1));
		assert_false(attribute_next(&r, &a));
		assert_true(r.failed);
	}
}

/* A chain with a wrong count, a wrong next number, bytes behind it, or no members is not well-formed. */
static void trees(void **state)
{
	static const uint8_t good[] = { 0, 0, 0, 28, 1, 1, 0, 2, 3, 0, 0, 8, 1, 1, 0, 0, 0, 0, 0, 12, 2, 1, 0, 0, 0x80, 1, 0, 7 };
	uint8_t bad[sizeof(good) + 4];

	(void)state;
	assert_true(sa_tree_valid(span_of(good, sizeof(good)), 1));
	assert_true(sa_tree_valid(span_of(good, sizeof(good)), 2));
	for (size_t n = 0; n < sizeof(good); n++)
		assert_false(sa_tree_valid(span_of(good, n), 1));
	static const struct {
		uint8_t at, value;
	} edits[] = { { 0, 2 }, { 0, 3 }, { 3, 24 }, { 7, 1 }, { 7, 3 }, { 8, 0 }, { 8, 2 }, { 11, 3 }, { 11, 12 }, { 1, 1 },
		{ 24, 0 } };
	for (size_t i = 0; i < sizeof(edits) / sizeof(edits[0]); i++) {
		memcpy(bad, good, sizeof(good));
		bad[edits[i].at] = edits[i].value;
		assert_false(sa_tree_valid(span_of(bad, sizeof(good)), 1));
	}
	memcpy(bad, good, sizeof(good));
	memset(bad + sizeof(good), 0, 4);
	assert_false(sa_tree_valid(span_of(bad, sizeof(bad)), 1));
}

static void vendors(void **state)
{
	uint8_t id[16];

	(void)state;
	for (int v = 0; v < VENDOR_COUNT; v++)
		assert_int_equal(vendor_find(vendor_id((enum vendor)v)), v);
	/* DPD's last two bytes are a version. */
	memcpy(id, vendor_id(VENDOR_DPD).data, 16);
	id[15] = 9;
	assert_int_equal(vendor_find(span_of(id, 16)), VENDOR_DPD);
	id[0] ^= 1;
	assert_int_equal(vendor_find(span_of(id, 16)), VENDOR_COUNT);
	assert_int_equal(vendor_find(span_of(id, 0)), VENDOR_COUNT);
}

static void identities(void **state)
{
	static const struct {
		uint8_t type;
		const char *data;
		size_t len;
		const char *text;
	} cases[] = {
		{ ID_IPV4_ADDR, "\12\0\0\1", 4, "10.0.0.1" },
		{ ID_IPV4_SUBNET, "\12\0\0\0\377\0\0\0", 8, "10.0.0.0/255.0.0.0" },
		{ ID_IPV4_RANGE, "\12\0\0\1\12\0\0\11", 8, "10.0.0.1-10.0.0.9" },
		{ ID_FQDN, "vpn.example", 11, "vpn.example" },
		{ ID_FQDN, "a\nb\033[2J", 7, "a.b.[2J" },
		{ ID_IPV4_ADDR, "\12\0\0", 3, "id type 1 0a0000" },
		{ ID_KEY_ID, "\1\2", 2, "id type 11 0102" },
		{ ID_KEY_ID, "STAFF", 5, "STAFF" },
	};
	char out[128];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct payload_id id = { .type = cases[i].type, .data = span_of(cases[i].data, cases[i].len) };

		id_print(out, sizeof(out), &id);
		assert_string_equal(out, cases[i].text);
	}
}

/* Random bytes: decode, and what decodes encodes to the same bytes but for reserved ones. Printing never fails. */
static void random_bytes_round(void **state)
{
	static struct message m;
	uint8_t buf[256], again[256];
	struct lines l = { "" };
	const char *why;

	(void)state;
	srand(7);
	for (int n = 0; n < 200000; n++) {
		size_t len = (size_t)rand() % 64;

		for (size_t i = 0; i < len; i++)
			buf[i] = rand() % 4 ? (uint8_t)(rand() % 16) : (uint8_t)rand();
		if (message_decode(&m, 1 + n % 2, (uint8_t)(n % 2 ? 33 + rand() % 14 : 1 + rand() % 21), span_of(buf, len),
			    n % 3 == 0, &why) != ERR_OK)
			continue;
		for (size_t i = 0; i < m.npayloads; i++) {
			struct writer w = writer_of(again, sizeof(again));

			l.text[0] = '\0';
			payload_print(&m.payloads[i], line_add, &l);
			if (m.payloads[i].def == NULL)
				continue;
			payload_encode(&w, m.payloads[i].def, &m.payloads[i].v);
			assert_int_equal(writer_len(&w), m.payloads[i].body.len);
		}
	}
}

static void config_line(void *ctx, const char *text)
{
	char *all = ctx;

	snprintf(all + strlen(all), 1024 - strlen(all), "%s\n", text);
}

/* What a client says in a transaction, as debug shows it: the name, and never the password. */
static void config_text(void **state)
{
	uint8_t attributes[128], buf[256];
	struct writer a = writer_of(attributes, sizeof(attributes));
	struct isakmp_header h = { .cookie_i = 1, .cookie_r = 2, .version = 0x10, .exchange = EXCH_TRANSACTION, .message_id = 7 };
	union payload_value v = { .config = { .type = CONFIG_REPLY, .id = 0x1234 } };
	static struct message m;
	const char *why;
	char text[1024] = "";
	struct build b;
	struct span packet;

	(void)state;
	attribute_encode(&a, ATTRC_XAUTH_TYPE, 0);
	attribute_put(&a, ATTRC_XAUTH_USER_NAME, span_of("alice", 5));
	attribute_put(&a, ATTRC_XAUTH_USER_PASSWORD, span_of("hidden", 6));
	v.config.attributes = writer_span(&a);
	build_start(&b, buf, sizeof(buf), &h);
	build_payload(&b, PAYLOAD_CONFIG, &v);
	packet = build_end(&b);
	assert_int_equal(header_decode(&h, packet), ERR_OK);
	assert_int_equal(message_decode(&m, 1, h.next, span_of(packet.data + 28, packet.len - 28), false, &why), ERR_OK);
	assert_true(m.payloads[0].v.config.type == CONFIG_REPLY && m.payloads[0].v.config.id == 0x1234);
	payload_print(&m.payloads[0], config_line, text);
	assert_non_null(strstr(text, "XAUTH_USER_NAME_V2 alice"));
	assert_non_null(strstr(text, "XAUTH_USER_PASSWORD_V2 (not shown)"));
	assert_null(strstr(text, "hidden"));
	assert_null(strstr(text, "68696464")); /* nor in hexadecimal */
	/* An attribute that is longer than the payload. */
	packet.data[packet.len - 7] = 0xff;
	assert_int_not_equal(message_decode(&m, 1, h.next, span_of(packet.data + 28, packet.len - 28), false, &why), ERR_OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_table_inverse),
		cmocka_unit_test(every_table_truncated),
		cmocka_unit_test(sizes_must_agree),
		cmocka_unit_test(every_label_printed),
		cmocka_unit_test(message_round),
		cmocka_unit_test(too_many),
		cmocka_unit_test(filled_to_four),
		cmocka_unit_test(attributes),
		cmocka_unit_test(trees),
		cmocka_unit_test(vendors),
		cmocka_unit_test(identities),
		cmocka_unit_test(random_bytes_round),
		cmocka_unit_test(config_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
