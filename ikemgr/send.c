/* Messages on their way out and in: sealing, opening, and the repetition of what got no answer.
 *
 * A message that waits for an answer is repeated after 1, 2, 4, 8, 8, 8 s and given up 8 s later: seven times in 39 s.
 * `limit` cuts that short where another peer is there to be tried.
 */
#include "ikemgr/core.h"

#include "platform/base/mem.h"

#include <string.h>

enum err message_seal(struct build *b, const struct sa_state *s, uint8_t *iv, struct span *packet)
{
	size_t block = iv == NULL ? 1 : cipher_block(s->terms.cipher);
	uint8_t chain[CIPHER_BLOCK_MAX];
	struct span body;
	enum err e;

	if (block == 0)
		return ERR_UNSUPPORTED;
	/* RFC 2409 appendix B: padded with zero bytes to whole blocks. */
	while (iv != NULL && !b->w.failed && (writer_len(&b->w) - ISAKMP_HEADER_LEN) % block != 0)
		writer_u8(&b->w, 0);
	*packet = build_end(b);
	if (packet->len == 0)
		return ERR_RANGE;
	if (iv == NULL)
		return ERR_OK;
	packet->data[19] |= FLAG_ENCRYPTED;
	memcpy(chain, iv, sizeof(chain));
	body = span_of(packet->data + ISAKMP_HEADER_LEN, packet->len - ISAKMP_HEADER_LEN);
	e = cipher_encrypt(s->terms.cipher, secret_span(&s->key), chain, body);
	if (e == ERR_OK)
		memcpy(iv, chain, sizeof(chain));
	return e;
}

enum err message_open(struct ike *k, const struct sa_state *s, uint8_t *iv, struct span packet, struct span *plain)
{
	size_t len = packet.len - ISAKMP_HEADER_LEN;

	if (len == 0 || len > sizeof(k->plain))
		return ERR_INVALID;
	memcpy(k->plain, packet.data + ISAKMP_HEADER_LEN, len);
	*plain = span_of(k->plain, len);
	return cipher_decrypt(s->terms.cipher, secret_span(&s->key), iv, *plain);
}

enum err message_iv(const struct sa_state *s, uint32_t message_id, uint8_t iv[CIPHER_BLOCK_MAX])
{
	uint8_t id[4];
	struct writer w = writer_of(id, sizeof(id));
	struct secret digest;
	enum err e;

	writer_u32(&w, message_id);
	e = prf_hash(s->terms.hash, SPANS(span_of(s->iv, cipher_block(s->terms.cipher)), writer_span(&w)), &digest);
	if (e == ERR_OK)
		memcpy(iv, digest.bytes, CIPHER_BLOCK_MAX);
	return e;
}

void packet_send(struct ike *k, const struct ike_path *path, struct span packet)
{
	count(k, STAT_SENT);
	trace_packet(k, "sending packet to", path, packet);
	k->host.send(k->host.ctx, path, packet);
}

uint64_t tx_wait_us(unsigned tries)
{
	return SECOND << (tries < 3 ? tries : 3);
}

#define TX_LIMIT 7

void tx_send(struct ike *k, struct tx *tx, const struct ike_path *path, uint8_t *packet, size_t len, bool repeat)
{
	timer_stop(&k->timers, &tx->timer);
	mem_free(tx->packet);
	tx->packet = packet;
	tx->len = len;
	tx->path = *path;
	tx->tries = 1;
	tx->answered = 0;
	if (tx->limit == 0)
		tx->limit = TX_LIMIT;
	packet_send(k, path, span_of(packet, len));
	if (repeat)
		timer_set(&k->timers, &tx->timer, now_us(k) + tx_wait_us(0));
}

void tx_repeat(struct ike *k, struct tx *tx, const struct sa_state *s)
{
	if (tx->packet != NULL && fragments_can(k, s) && fragments_send(k, &tx->path, span_of(tx->packet, tx->len)))
		return;
	if (tx->packet != NULL)
		packet_send(k, &tx->path, span_of(tx->packet, tx->len));
}

void tx_stop(struct ike *k, struct tx *tx)
{
	timer_stop(&k->timers, &tx->timer);
}

void tx_free(struct ike *k, struct tx *tx)
{
	timer_stop(&k->timers, &tx->timer);
	mem_free(tx->packet);
	tx->packet = NULL;
}

bool message_id_used(const struct ike_sa *sa, uint32_t id)
{
	for (size_t i = 0; i < sa->nmessage_ids; i++)
		if (sa->message_ids[i] == id)
			return true;
	return false;
}

uint32_t message_id_new(struct ike_sa *sa)
{
	uint32_t id;

	do {
		random_bytes(sa->k, &id, sizeof(id));
	} while (id == 0 || message_id_used(sa, id));
	return id;
}
