/* ISAKMP from outside. The first byte chooses:
 *
 *   even   the rest is one message: header, payload chain, SA trees, attributes, and their debug text, for both versions
 *   odd    two cores talk, and the rest of the input spoils what is on the wire, with all debug output on:
 *          records of  packet number, action, position, value;  after action INJECT  length, bytes
 *
 * So the second kind comes behind the encryption, too: edits are made to the clear text of what was sent last, and to ciphertext.
 */
/* The two cores, their wire and their clock are those of the pair tests. */
#include "tests/pair/rig.c"
#include "tests/pair/rig_host.c"
#include "tests/pair/rig_cfg.c"

#include "ikemgr/codec/codec.h"
#include "platform/base/log.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t printed;

static void line(void *ctx, const char *text)
{
	(void)ctx;
	printed += strlen(text);
}

static void silent(void *ctx, enum log_severity severity, const char *text)
{
	(void)ctx;
	(void)severity;
	printed += strlen(text);
}

static void decode(struct span datagram)
{
	struct isakmp_header h;
	static struct message m;
	const char *why = NULL;

	if (header_decode(&h, datagram) != ERR_OK)
		return;
	header_print(&h, line, NULL);
	struct span body = span_of(datagram.data + 28, h.length - 28);
	for (unsigned version = 1; version <= 2; version++) {
		for (int padded = 0; padded < 2; padded++) {
			if (message_decode(&m, version, h.next, body, padded, &why) != ERR_OK) {
				printed += why ? strlen(why) : 0;
				continue;
			}
			for (size_t i = 0; i < m.npayloads; i++) {
				struct payload *p = &m.payloads[i];
				payload_print(p, line, NULL);
				if (p->kind == PAYLOAD_SA)
					printed += sa_tree_valid(p->v.sa.proposals, version);
				else if (p->kind == PAYLOAD_ID) {
					char text[256];
					id_print(text, sizeof(text), &p->v.id);
				}
			}
		}
	}
	attributes_print(body, true, line, NULL);
	attributes_print(body, false, line, NULL);
}

enum { FLIP, SET, CUT, DROP, TWICE, SWAP_NEXT, INJECT, ACTIONS };

struct plan {
	struct rig *r;
	struct reader in;
	unsigned sent; /* packets so far */
	bool have;
	uint8_t at, action, value;
	uint16_t position;
	/* What is injected arrives from the loop, as packets do, and never inside a send. */
	struct waiting {
		int from;
		size_t len;
		uint8_t bytes[2048];
	} queue[16];
	size_t nqueue;
};

static void deliver(struct rig *r)
{
	struct plan *plan = r->edit_ctx;

	while (plan->nqueue > 0) {
		struct waiting w = plan->queue[--plan->nqueue];
		rig_inject(r, w.from, !w.from, w.bytes, w.len, 500);
	}
}

static void later(struct plan *plan, int from, struct span a, struct span b)
{
	if (plan->nqueue == 16 || a.len + b.len > sizeof(plan->queue[0].bytes))
		return;
	struct waiting *w = &plan->queue[plan->nqueue++];
	struct writer out = writer_of(w->bytes, sizeof(w->bytes));
	writer_span_put(&out, a);
	writer_span_put(&out, b);
	w->from = from;
	w->len = writer_len(&out);
	rig_later(plan->r, 10, deliver);
}

static void next_record(struct plan *plan)
{
	plan->have = reader_left(&plan->in) >= 5;
	plan->at = reader_u8(&plan->in);
	plan->action = reader_u8(&plan->in) % ACTIONS;
	plan->position = reader_u16(&plan->in);
	plan->value = reader_u8(&plan->in);
}

static void inject(struct plan *plan, const struct packet *p)
{
	struct span bytes = reader_bytes(&plan->in, plan->value);

	/* The cookies of the packet in front, so that it finds its SA. */
	later(plan, p->from, span_of(p->bytes, p->len < 16 ? p->len : 16), bytes);
}

static bool spoil(struct rig *r, struct packet *p)
{
	struct plan *plan = r->edit_ctx;
	bool keep = true;

	for (plan->sent++; plan->have && plan->at % 16 <= plan->sent; next_record(plan)) {
		size_t at = p->len ? plan->position % p->len : 0;
		switch (plan->action) {
		case FLIP:
			p->bytes[at] ^= (uint8_t)(1u << (plan->value & 7));
			break;
		case SET:
			p->bytes[at] = plan->value;
			break;
		case CUT:
			p->len = at;
			break;
		case DROP:
			keep = false;
			break;
		case TWICE:
			later(plan, p->from, span_of(p->bytes, p->len), (struct span){ 0 });
			break;
		case SWAP_NEXT:
			if (p->len > 28)
				p->bytes[16] = plan->value;
			break;
		default:
			inject(plan, p);
			break;
		}
	}
	return keep;
}

static void talk(const uint8_t *data, size_t size)
{
	struct rig *r = rig_new(1, 2);
	static struct plan plan;

	plan = (struct plan){ .r = r, .in = reader_of(span_of(data, size)) };

	log_capture(silent, NULL);
	next_record(&plan);
	r->edit = spoil;
	r->edit_ctx = &plan;
	ike_debug(r->n[0].k, true, false);
	ike_debug(r->n[1].k, true, false);
	rig_acquire(&r->n[0], 10, 10);
	rig_run(r, SECONDS(40));
	rig_free(r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static bool ready;

	if (!ready) {
		alg_init();
		log_capture(silent, NULL);
		ready = true;
	}
	if (size < 1)
		return 0;
	if (data[0] & 1)
		talk(data + 1, size - 1);
	else
		decode(span_of(data + 1, size - 1));
	return 0;
}
