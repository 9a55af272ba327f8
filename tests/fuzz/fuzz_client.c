/* A remote-access client that says anything, with the right keys: attributes of transaction exchanges come this far only from who
 * has the group's key. Input: records of
 *
 *   kind (1 byte; top bit: a transaction of the client's own)   length (2 bytes)   attributes
 *
 * The password that is right is "p", the user's name "u"; after each record half a second passes.
 */
#include "tests/pair/rig.c"
#include "tests/pair/rig_host.c"
#include "tests/pair/rig_cfg.c"

#include "platform/base/log.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define RECORDS_MAX 16

static size_t printed;

static void silent(void *ctx, enum log_severity severity, const char *text)
{
	(void)ctx;
	(void)severity;
	printed += strlen(text);
}

static struct ike_sa *server_sa(struct rig *r)
{
	struct link *first = r->n[1].k->sas.next;

	return first == &r->n[1].k->sas ? NULL : OWNER(first, struct ike_sa, all);
}

static void say(struct rig *r, uint8_t kind, struct span attributes)
{
	static uint32_t next = 0x2000;
	struct ike_sa *sa = server_sa(r);
	struct client_state *c = &sa->st.client;
	uint32_t id = kind & 0x80 ? next++ : c->message_id;
	struct isakmp_header h = { .cookie_i = sa->st.cookie_i,
		.cookie_r = sa->st.cookie_r,
		.version = 0x10,
		.exchange = EXCH_TRANSACTION,
		.message_id = id };
	uint8_t buf[4096], zero[PRF_MAX] = { 0 }, iv[CIPHER_BLOCK_MAX], generic[4];
	struct writer g = writer_of(generic, sizeof(generic));
	struct secret digest;
	struct span hash, packet;
	uint8_t *body;
	struct build b;

	memcpy(iv, c->iv, sizeof(iv));
	if ((kind & 0x80) && message_iv(&sa->st, id, iv) != ERR_OK)
		return;
	build_start(&b, buf, sizeof(buf), &h);
	hash = build_data(&b, PAYLOAD_HASH, span_of(zero, hash_find(sa->st.terms.hash)->digest_len));
	/* By hand: what is behind the identifier need be no list of attributes. */
	*b.next = 14;
	body = b.w.at;
	writer_u16(&g, 0);
	writer_u16(&g, (uint16_t)(8 + attributes.len));
	writer_span_put(&b.w, writer_span(&g));
	writer_u8(&b.w, kind & 7);
	writer_u8(&b.w, 0);
	writer_u16(&b.w, 1);
	writer_span_put(&b.w, attributes);
	if (b.w.failed || keys_hash_phase2(&sa->st, id, SPANS(span_of(body, (size_t)(b.w.at - body))), &digest) != ERR_OK)
		return;
	memcpy(hash.data + ISAKMP_GENERIC_LEN, digest.bytes, digest.len);
	if (message_seal(&b, &sa->st, iv, &packet) == ERR_OK)
		rig_inject(r, 0, 1, packet.data, packet.len, 500);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct reader in = reader_of(span_of(data, size));
	struct cfg_client_group *g;
	struct rig *r = rig_new(1, 2);

	log_capture(silent, NULL);
	g = rig_clients(&r->n[1], "10.9.0.1", "10.9.0.2");
	snprintf(g->acl, sizeof(g->acl), "101");
	snprintf(g->banner, sizeof(g->banner), "hello");
	rig_config(&r->n[1]);
	r->n[1].user = "u";
	r->n[1].password = "p";
	ike_debug(r->n[1].k, true, false);
	rig_acquire(&r->n[0], 10, 10);
	rig_run(r, SECONDS(1) / 2);
	for (int i = 0; i < RECORDS_MAX && reader_left(&in) >= 3 && server_sa(r) != NULL; i++) {
		uint8_t kind = reader_u8(&in);
		uint16_t len = reader_u16(&in);

		say(r, kind, reader_bytes(&in, len < reader_left(&in) ? len : reader_left(&in)));
		rig_run(r, SECONDS(1) / 2);
	}
	rig_free(r);
	return 0;
}
