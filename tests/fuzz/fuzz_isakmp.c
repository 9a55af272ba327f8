/* Anything to a router that has SAs of both phases with the sender.
 *
 * The first byte of the input says what the rest is: a datagram as it is, under the cookies of the SA or not; or a chain of
 * payloads that goes out encrypted under the right keys, with a right HASH, so that the rows and handlers behind it are met.
 */
#include "../pair/rig.c"
#include "../pair/rig_host.c"
#include "../pair/rig_cfg.c"
#include "../cve/ike_forge.c"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { AS_IT_IS, WITH_COOKIES, HALF_OPEN, INFORMATIONAL_SEALED, QUICK_SEALED, KINDS };

static struct rig *r;
static unsigned runs;

static void fresh(void)
{
	if (r != NULL && runs++ % 500 != 0 && rig_up(r) && ike_only(&r->n[0]) != NULL && ike_only(&r->n[1]) != NULL)
		return;
	if (r != NULL)
		rig_free(r);
	r = rig_established(1);
	ike_debug(r->n[1].k, true, true);
	/* Pieces of messages are taken, and every first message is answered. */
	r->n[1].cfg->isakmp.fragmentation = true;
	ike_only(&r->n[1])->st.peer_fragments = true;
	cfg_key_named_add(&r->n[1], "", "a.example.org", "a key");
	rig_config(&r->n[1]);
}

static void with_cookies(uint8_t *packet, size_t len)
{
	struct sa_state *s = &ike_only(&r->n[1])->st;
	struct writer w = writer_of(packet, len);

	writer_u64(&w, s->cookie_i);
	writer_u64(&w, s->cookie_r);
}

/* `body` is a chain of payloads; its first number stands in front. */
static void sealed(uint8_t exchange, const uint8_t *body, size_t len)
{
	static uint8_t packet[8192];
	struct sa_state *s = &ike_only(&r->n[0])->st;
	struct isakmp_header h = {
		.cookie_i = s->cookie_i, .cookie_r = s->cookie_r, .version = 0x10, .exchange = exchange, .message_id = 1000 + runs
	};
	uint8_t zero[20] = { 0 }, iv[CIPHER_BLOCK_MAX];
	struct secret digest;
	struct span out, hash;
	struct build b;

	if (len < 1 || message_iv(s, h.message_id, iv) != ERR_OK)
		return;
	build_start(&b, packet, sizeof(packet), &h);
	hash = build_data(&b, PAYLOAD_HASH, span_of(zero, sizeof(zero)));
	*b.next = body[0];
	writer_bytes(&b.w, body + 1, len - 1);
	if (keys_hash_phase2(s, h.message_id, SPANS(span_of(body + 1, len - 1)), &digest) != ERR_OK)
		return;
	memcpy(hash.data + 4, digest.bytes, 20);
	if (message_seal(&b, s, iv, &out) == ERR_OK)
		forge_give(r, out.data, out.len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t packet[8192];

	if (size < 1 || size > 4096)
		return 0;
	fresh();
	memcpy(packet, data + 1, size - 1);
	switch (data[0] % KINDS) {
	case WITH_COOKIES:
		if (size > 28)
			with_cookies(packet, 16);
		forge_give(r, packet, size - 1);
		break;
	case INFORMATIONAL_SEALED:
		sealed(EXCH_INFORMATIONAL, data + 1, size - 1);
		break;
	case QUICK_SEALED:
		sealed(EXCH_QUICK, data + 1, size - 1);
		break;
	default:
		forge_give(r, packet, size - 1);
	}
	rig_run(r, 1000);
	return 0;
}
