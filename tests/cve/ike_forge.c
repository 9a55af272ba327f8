#include "ike_forge.h"

#include <stdlib.h>
#include <string.h>

struct ike_sa *ike_only(struct node *n)
{
	return n->k->sas.next == &n->k->sas ? NULL : OWNER(n->k->sas.next, struct ike_sa, all);
}

struct rig *rig_established(uint64_t seed)
{
	struct rig *r = rig_new(seed, 2);

	rig_acquire(&r->n[0], 10, 10);
	if (!rig_until(r, rig_up, SECONDS(5)))
		abort();
	rig_run(r, SECONDS(1));
	return r;
}

static void raw_put(struct writer *w, uint8_t **next, const struct forged *f)
{
	uint8_t *start = w->at;

	**next = f->number;
	writer_u8(w, 0);
	writer_u8(w, 0);
	writer_u16(w, (uint16_t)(f->len + 4));
	writer_bytes(w, f->body, f->len);
	*next = start;
}

static size_t length_fill(struct writer *w, uint8_t *out)
{
	size_t len = writer_len(w);
	struct writer l = writer_of(out + 24, 4);

	writer_u32(&l, (uint32_t)len);
	return len;
}

size_t forge_plain(
	uint64_t ci, uint64_t cr, uint8_t exchange, uint32_t id, const struct forged *f, size_t n, uint8_t *out, size_t size)
{
	struct isakmp_header h = { .cookie_i = ci, .cookie_r = cr, .version = 0x10, .exchange = exchange, .message_id = id };
	struct writer w = writer_of(out, size);
	uint8_t *next = out + 16;

	header_encode(&w, &h);
	for (size_t i = 0; i < n; i++)
		raw_put(&w, &next, &f[i]);
	return length_fill(&w, out);
}

size_t forge_protected(
	struct rig *r, uint8_t exchange, uint32_t id, const struct forged *f, size_t n, bool hash, uint8_t *out, size_t size)
{
	struct sa_state *s = &ike_only(&r->n[0])->st;
	struct isakmp_header h = { .cookie_i = s->cookie_i,
		.cookie_r = s->cookie_r,
		.version = 0x10,
		.exchange = exchange,
		.flags = FLAG_ENCRYPTED,
		.message_id = id };
	struct forged first = { 8, NULL, 20 };
	uint8_t zero[20] = { 0 }, iv[CIPHER_BLOCK_MAX], *next = out + 16, *rest;
	struct writer w = writer_of(out, size);
	struct secret digest;
	size_t len;

	first.body = zero;
	header_encode(&w, &h);
	if (hash)
		raw_put(&w, &next, &first);
	rest = w.at;
	for (size_t i = 0; i < n; i++)
		raw_put(&w, &next, &f[i]);
	if (hash && keys_hash_phase2(s, id, SPANS(span_of(rest, (size_t)(w.at - rest))), &digest) == ERR_OK)
		memcpy(out + 28 + 4, digest.bytes, 20);
	while ((writer_len(&w) - 28) % 16 != 0)
		writer_u8(&w, 0);
	len = length_fill(&w, out);
	if (message_iv(s, id, iv) != ERR_OK ||
		cipher_encrypt(s->terms.cipher, secret_span(&s->key), iv, span_of(out + 28, len - 28)) != ERR_OK)
		abort();
	return len;
}

void forge_give(struct rig *r, const uint8_t *packet, size_t len)
{
	rig_inject(r, 0, 1, packet, len, 500);
}
