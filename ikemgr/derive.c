/* Keys and hashes of IKEv1 with pre-shared keys, RFC 2409 5 and 5.5:
 *
 *   SKEYID   = prf(pre-shared-key, Ni_b | Nr_b)                        (made by the process that has the key)
 *   SKEYID_d = prf(SKEYID, g^xy | CKY-I | CKY-R | 0)
 *   SKEYID_a = prf(SKEYID, SKEYID_d | g^xy | CKY-I | CKY-R | 1)
 *   SKEYID_e = prf(SKEYID, SKEYID_a | g^xy | CKY-I | CKY-R | 2)
 *   HASH_I   = prf(SKEYID, g^xi | g^xr | CKY-I | CKY-R | SAi_b | IDii_b)
 *   HASH_R   = prf(SKEYID, g^xr | g^xi | CKY-R | CKY-I | SAi_b | IDir_b)
 *   KEYMAT   = prf(SKEYID_d, [ g(qm)^xy | ] protocol | SPI | Ni_b | Nr_b)
 */
#include "ikemgr/core.h"

#include <string.h>

struct cookies {
	uint8_t i[8], r[8];
};

static struct cookies cookies_of(const struct sa_state *s)
{
	struct cookies c = { 0 };
	struct writer i = writer_of(c.i, sizeof(c.i)), r = writer_of(c.r, sizeof(c.r));

	writer_u64(&i, s->cookie_i);
	writer_u64(&r, s->cookie_r);
	return c;
}

/* SKEYID_d, _a or _e; `before` is the one in front of it. */
static enum err skeyid_x(const struct sa_state *s, const struct handshake *h, struct span before, uint8_t n, struct secret *out)
{
	struct cookies c = cookies_of(s);

	return prf_hmac(s->terms.hash, secret_span(&h->skeyid),
		SPANS(before, dh_span(&h->shared), span_of(c.i, 8), span_of(c.r, 8), span_of(&n, 1)), out);
}

enum err keys_phase1(struct sa_state *s, const struct handshake *h)
{
	const struct dh_value *gi = s->initiator ? &h->ours : &h->theirs, *gr = s->initiator ? &h->theirs : &h->ours;
	struct secret iv;
	enum err e;

	if (h->skeyid.len == 0 || h->shared.len == 0)
		return ERR_CRYPTO;
	e = skeyid_x(s, h, (struct span){ 0 }, 0, &s->skeyid_d);
	if (e == ERR_OK)
		e = skeyid_x(s, h, secret_span(&s->skeyid_d), 1, &s->skeyid_a);
	if (e == ERR_OK)
		e = skeyid_x(s, h, secret_span(&s->skeyid_a), 2, &s->skeyid_e);
	if (e == ERR_OK)
		e = prf_phase1_key(s->terms.hash, secret_span(&s->skeyid_e), cipher_key_len(s->terms.cipher), &s->key);
	/* Appendix B: the first IV is hash(g^xi | g^xr). */
	if (e == ERR_OK)
		e = prf_hash(s->terms.hash, SPANS(dh_span(gi), dh_span(gr)), &iv);
	if (e == ERR_OK)
		memcpy(s->iv, iv.bytes, sizeof(s->iv));
	return e;
}

enum err keys_hash_auth(const struct sa_state *s, const struct handshake *h, bool of_initiator, struct secret *out)
{
	struct cookies c = cookies_of(s);
	struct span gi = dh_span(s->initiator ? &h->ours : &h->theirs), gr = dh_span(s->initiator ? &h->theirs : &h->ours);
	struct span sa = span_of(h->sa_body, h->sa_len), ci = span_of(c.i, 8), cr = span_of(c.r, 8);

	if (of_initiator)
		return prf_hmac(s->terms.hash, secret_span(&h->skeyid), SPANS(gi, gr, ci, cr, sa, id_span(&h->id_i)), out);
	return prf_hmac(s->terms.hash, secret_span(&h->skeyid), SPANS(gr, gi, cr, ci, sa, id_span(&h->id_r)), out);
}

enum err keys_hash_phase2(const struct sa_state *s, uint32_t message_id, const struct span *parts, size_t n, struct secret *out)
{
	struct span all[5];
	uint8_t id[4];
	struct writer w = writer_of(id, sizeof(id));

	if (n > 4)
		return ERR_RANGE;
	writer_u32(&w, message_id);
	all[0] = span_of(id, sizeof(id));
	memcpy(all + 1, parts, n * sizeof(*parts));
	return prf_hmac(s->terms.hash, secret_span(&s->skeyid_a), all, n + 1, out);
}

/* HASH(3) = prf(SKEYID_a, 0 | M-ID | Ni_b | Nr_b) */
enum err keys_hash_3(const struct sa_state *s, const struct quick_state *q, struct secret *out)
{
	uint8_t head[5];
	struct writer w = writer_of(head, sizeof(head));

	writer_u8(&w, 0);
	writer_u32(&w, q->message_id);
	return prf_hmac(
		s->terms.hash, secret_span(&s->skeyid_a), SPANS(writer_span(&w), nonce_span(&q->ni), nonce_span(&q->nr)), out);
}

size_t keymat_len(const struct protection *p, enum part part)
{
	const struct cipher_alg *c = cipher_find(p->cipher);
	const struct hash_alg *h = hash_find(part == PART_AH ? p->ah : p->auth);

	if (part == PART_AH)
		return h == NULL ? 0 : h->key_len;
	return (c == NULL ? 0 : (size_t)c->key_len + c->salt_len) + (h == NULL ? 0 : h->key_len);
}

static enum err keymat(const struct sa_state *s, const struct quick_state *q, enum part part, uint32_t spi, struct secret *out)
{
	uint8_t head[5];
	struct writer w = writer_of(head, sizeof(head));
	struct span shared = dh_span(&q->shared);
	size_t len = keymat_len(&q->terms.is, part);

	/* An SA without any key would protect nothing. */
	if (len == 0)
		return ERR_INVALID;
	if (q->terms.group != GROUP_NONE && shared.len == 0)
		return ERR_CRYPTO;
	if (q->terms.group == GROUP_NONE)
		shared.len = 0;
	writer_u8(&w, part_protocol(part));
	writer_u32(&w, spi);
	return prf_keymat(s->terms.hash, secret_span(&s->skeyid_d),
		SPANS(shared, writer_span(&w), nonce_span(&q->ni), nonce_span(&q->nr)), len, out);
}

enum err keys_child(const struct sa_state *s, struct quick_state *q)
{
	enum err e = ERR_INVALID;

	for (enum part p = PART_ESP; p < PARTS; p++) {
		if (!part_used(&q->terms.is, p))
			continue;
		e = keymat(s, q, p, q->terms.spi_in[p], &q->keymat_in[p]);
		if (e == ERR_OK)
			e = keymat(s, q, p, q->terms.spi_out[p], &q->keymat_out[p]);
		if (e != ERR_OK)
			return e;
	}
	return e;
}
