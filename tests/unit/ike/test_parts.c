/* Parts of the core alone: timers, selectors and identities, derivations by the RFC's own formulas, KEYMAT of every size. */
#include "ikemgr/core.h"
#include "ikemgr/quick_offer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Set, moved and stopped in any order, they fire in the order of their times. */
static void timers_in_order(void **state)
{
	struct timers t = { 0 };
	static struct timer m[500];
	uint64_t last = 0;
	struct timer *due;
	size_t n = 0;

	(void)state;
	srand(3);
	memset(m, 0, sizeof(m));
	for (size_t i = 0; i < 500; i++)
		assert_int_equal(timer_reserve(&t, 1), ERR_OK);
	for (int i = 0; i < 5000; i++)
		timer_set(&t, &m[rand() % 500], (uint64_t)(rand() % 100000));
	for (size_t i = 0; i < 500; i += 3)
		timer_stop(&t, &m[i]);
	while ((due = timer_due(&t, 1000000)) != NULL) {
		assert_true(due->at >= last);
		assert_true((size_t)(due - m) % 3 != 0);
		last = due->at;
		n++;
	}
	assert_true(n > 300);
	assert_true(timer_next(&t) == TIMER_NEVER);
	timers_free(&t);
}

static struct dp_selector selector(uint32_t from, uint32_t to, uint16_t pf, uint16_t pt)
{
	return (struct dp_selector){ addr_v4(from), addr_v4(to), pf, pt };
}

static void selectors_and_ids(void **state)
{
	static const struct {
		uint32_t from, to;
		uint16_t port;
		uint8_t type;
	} cases[] = {
		{ 0x0a000001, 0x0a000001, 0, ID_IPV4_ADDR },
		{ 0x0a000000, 0x0affffff, 0, ID_IPV4_SUBNET },
		{ 0, 0xffffffff, 0, ID_IPV4_SUBNET },
		{ 0x0a000001, 0x0a000009, 0, ID_IPV4_RANGE },
		{ 0x0a000001, 0x0a000001, 443, ID_IPV4_ADDR },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct dp_selector s = selector(cases[i].from, cases[i].to, cases[i].port, cases[i].port ? cases[i].port : 65535),
				   back;
		union payload_value v;
		struct id_body id;
		uint8_t protocol;

		memset(&back, 0, sizeof(back));
		selector_to_id(&id, &s, 6);
		assert_int_equal(payload_decode(&v, payload_def(PAYLOAD_ID), id_span(&id)), ERR_OK);
		assert_int_equal(v.id.type, cases[i].type);
		assert_true(selector_from_id(&back, &protocol, &v.id));
		assert_int_equal(protocol, 6);
		assert_true(addr_equal(back.from, s.from) && addr_equal(back.to, s.to));
		assert_int_equal(back.port_from, s.port_from);
		assert_int_equal(back.port_to, s.port_to);
	}
}

static void bad_ids(void **state)
{
	static const struct {
		uint8_t type;
		const char *data;
		size_t len;
	} cases[] = {
		{ ID_IPV4_ADDR, "\12\0\0", 3 },
		{ ID_IPV4_SUBNET, "\12\0\0\0\377\0\377\0", 8 },
		{ ID_IPV4_SUBNET, "\12\0\0\0", 4 },
		{ ID_IPV4_RANGE, "\12\0\0\11\12\0\0\1", 8 },
		{ ID_FQDN, "\12\0\0\1", 4 },
		{ ID_IPV6_ADDR, "0123456789abcdef", 16 },
	};
	struct dp_selector s;
	uint8_t protocol;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct payload_id id = { .type = cases[i].type, .data = span_of(cases[i].data, cases[i].len) };

		assert_false(selector_from_id(&s, &protocol, &id));
	}
}

static void inside(void **state)
{
	struct dp_selectors outer = { selector(0x0a000000, 0x0affffff, 0, 65535), selector(0, 0xffffffff, 0, 65535), 0 },
			    inner = outer;

	(void)state;
	assert_true(selectors_within(&inner, &outer));
	inner.protocol = 6;
	inner.local = selector(0x0a000001, 0x0a000001, 80, 80);
	assert_true(selectors_within(&inner, &outer));
	assert_false(selectors_within(&outer, &inner));
	inner.local = selector(0x09ffffff, 0x0a000001, 0, 65535);
	assert_false(selectors_within(&inner, &outer));
	inner = outer;
	outer.protocol = 17;
	assert_false(selectors_within(&inner, &outer));
}

static void entries(void **state)
{
	struct cfg_ace e = { .permit = true, .protocol = -1, .src = 0x0a010000, .src_wild = 0xffff, .dst_wild = 0xffffffff };
	struct dp_selectors s;

	(void)state;
	assert_true(ace_selectors(&e, &s));
	assert_true(addr_to_v4(s.local.from) == 0x0a010000 && addr_to_v4(s.local.to) == 0x0a01ffff);
	assert_true(addr_to_v4(s.remote.from) == 0 && addr_to_v4(s.remote.to) == 0xffffffff);
	assert_int_equal(s.protocol, 0);
	/* Wildcard bits with holes cannot be said in an ID payload. */
	e.src_wild = 0xff00ff;
	assert_false(ace_selectors(&e, &s));
	e.src_wild = 0;
	e.protocol = 17;
	e.dst_port = (struct cfg_port){ PORT_RANGE, { 10, 20 }, 2 };
	assert_true(ace_selectors(&e, &s));
	assert_int_equal(s.remote.port_from, 0);
	assert_int_equal(s.remote.port_to, 65535);
	e.remark = true;
	assert_false(ace_selectors(&e, &s));
}

/* Both ends derive the same, and what RFC 2409 5 and appendix B say: computed here once more, straight from the formulas. */
static void phase1_keys(void **state)
{
	struct sa_state i = { .initiator = true,
		.cookie_i = 1,
		.cookie_r = 2,
		.terms = { .cipher = CIPHER_AES256, .hash = HASH_MD5 } },
			r;
	struct handshake hi = { .skeyid = { 4, "seed" }, .ours = { 3, "gxi" }, .theirs = { 4, "gxr!" }, .shared = { 5, "gxy.." } },
			 hr = hi;
	struct secret d, a, e, k1, k2, iv;
	const uint8_t ck[16] = { 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 2 };

	(void)state;
	r = i;
	r.initiator = false;
	hr.ours = hi.theirs;
	hr.theirs = hi.ours;
	assert_int_equal(keys_phase1(&i, &hi), ERR_OK);
	assert_int_equal(keys_phase1(&r, &hr), ERR_OK);
	assert_memory_equal(&i.key, &r.key, sizeof(i.key.len) + i.key.len);
	assert_memory_equal(i.iv, r.iv, 16);
	assert_int_equal(
		prf_hmac(HASH_MD5, span_of("seed", 4), SPANS(span_of("gxy..", 5), span_of(ck, 16), span_of("\0", 1)), &d), ERR_OK);
	assert_int_equal(prf_hmac(HASH_MD5, span_of("seed", 4),
				 SPANS(secret_span(&d), span_of("gxy..", 5), span_of(ck, 16), span_of("\1", 1)), &a),
		ERR_OK);
	assert_int_equal(prf_hmac(HASH_MD5, span_of("seed", 4),
				 SPANS(secret_span(&a), span_of("gxy..", 5), span_of(ck, 16), span_of("\2", 1)), &e),
		ERR_OK);
	assert_memory_equal(i.skeyid_d.bytes, d.bytes, 16);
	assert_memory_equal(i.skeyid_a.bytes, a.bytes, 16);
	assert_memory_equal(i.skeyid_e.bytes, e.bytes, 16);
	/* SKEYID_e of MD5 is too short for AES-256: it is stretched. */
	assert_int_equal(prf_hmac(HASH_MD5, secret_span(&e), SPANS(span_of("\0", 1)), &k1), ERR_OK);
	assert_int_equal(prf_hmac(HASH_MD5, secret_span(&e), SPANS(secret_span(&k1)), &k2), ERR_OK);
	assert_int_equal(i.key.len, 32);
	assert_memory_equal(i.key.bytes, k1.bytes, 16);
	assert_memory_equal(i.key.bytes + 16, k2.bytes, 16);
	assert_int_equal(prf_hash(HASH_MD5, SPANS(span_of("gxigxr!", 7)), &iv), ERR_OK);
	assert_memory_equal(i.iv, iv.bytes, 16);
	hi.shared.len = 0;
	assert_int_equal(keys_phase1(&i, &hi), ERR_CRYPTO);
}

/* KEYMAT for every cipher and hash: lengths, and K1 | K2 of the formula; the two directions differ by the SPI alone. */
static void keymat(void **state)
{
	struct sa_state s = { .terms = { .hash = HASH_SHA1 }, .skeyid_d = { 20, "01234567890123456789" } };

	(void)state;
	for (size_t c = 0; cipher_at(c) != NULL; c++)
		for (int h = 0; h < HASH_COUNT; h++) {
			struct quick_state q = { .terms = { .is = { .cipher = cipher_at(c)->id, .auth = (enum alg_hash)h },
							 .spi_in = { 0x1000 },
							 .spi_out = { 0x2000 } },
				.ni = { 8, "nonce_i_" },
				.nr = { 8, "nonce_r_" } };
			const struct hash_alg *hash = hash_find((enum alg_hash)h);
			size_t want = (size_t)cipher_at(c)->key_len + cipher_at(c)->salt_len + (hash == NULL ? 0 : hash->key_len);
			struct secret k1;

			assert_int_equal(keymat_len(&q.terms.is, PART_ESP), want);
			assert_int_equal(keys_child(&s, &q), want == 0 ? ERR_INVALID : ERR_OK);
			if (want == 0)
				continue;
			assert_int_equal(q.keymat_in[PART_ESP].len, want);
			assert_memory_not_equal(q.keymat_in[PART_ESP].bytes, q.keymat_out[PART_ESP].bytes, want);
			assert_int_equal(prf_hmac(HASH_SHA1, secret_span(&s.skeyid_d),
						 SPANS(span_of("\3\0\0\20\0nonce_i_nonce_r_", 21)), &k1),
				ERR_OK);
			assert_memory_equal(q.keymat_in[PART_ESP].bytes, k1.bytes, want < 20 ? want : 20);
			/* With PFS and no shared value there is no key. */
			q.terms.group = GROUP_2;
			assert_int_equal(keys_child(&s, &q), ERR_CRYPTO);
		}
}

/* AH has keys of its own, by its protocol and SPI; with ESP of no key beside it there is nothing. */
static void keymat_ah(void **state)
{
	struct sa_state s = { .terms = { .hash = HASH_SHA1 }, .skeyid_d = { 20, "01234567890123456789" } };
	struct quick_state q = { .terms = { .is = { .ah = HASH_SHA1 }, .spi_in = { 0, 0x3000 }, .spi_out = { 0, 0x4000 } },
		.ni = { 8, "nonce_i_" },
		.nr = { 8, "nonce_r_" } };
	struct secret k1;

	(void)state;
	assert_int_equal(keys_child(&s, &q), ERR_OK);
	assert_int_equal(q.keymat_in[PART_AH].len, 20);
	assert_int_equal(q.keymat_in[PART_ESP].len, 0);
	assert_int_equal(
		prf_hmac(HASH_SHA1, secret_span(&s.skeyid_d), SPANS(span_of("\2\0\0\60\0nonce_i_nonce_r_", 21)), &k1), ERR_OK);
	assert_memory_equal(q.keymat_in[PART_AH].bytes, k1.bytes, 20);
	q.terms.is.cipher = CIPHER_NULL;
	assert_int_equal(keys_child(&s, &q), ERR_INVALID);
}

/* Proposals by number, protocol and SPI, each with one transform. */
static struct span proposals_make(uint8_t *buf, size_t size, const uint32_t (*list)[3], size_t n)
{
	struct writer w = writer_of(buf, size);

	for (size_t i = 0; i < n; i++) {
		uint8_t inner[64], spi[4];
		struct writer t = writer_of(inner, sizeof(inner)), s = writer_of(spi, sizeof(spi));
		union payload_value transform = { .transform = { .number = 1, .id = 3 } };
		union payload_value p = { .proposal = { .number = (uint8_t)list[i][0],
						  .protocol = (uint8_t)list[i][1],
						  .spi_size = 4,
						  .ntransforms = 1 } };

		chain_put(&t, PAYLOAD_TRANSFORM, false, &transform);
		writer_u32(&s, list[i][2]);
		p.proposal.spi = writer_span(&s);
		p.proposal.transforms = writer_span(&t);
		chain_put(&w, PAYLOAD_PROPOSAL, i + 1 < n, &p);
	}
	return writer_span(&w);
}

/* RFC 2408 4.2: what has one number is wanted together; twice the same, compression, or an SPI that cannot be one: not to be had.
 */
static void bundles(void **state)
{
	static const struct {
		uint32_t list[3][3];
		size_t n;
		bool good, esp, ah, ah_first;
	} cases[] = {
		{ { { 1, PROTO_ESP, 256 } }, 1, true, true, false, false },
		{ { { 1, PROTO_AH, 256 } }, 1, true, false, true, true },
		{ { { 1, PROTO_AH, 300 }, { 1, PROTO_ESP, 400 } }, 2, true, true, true, true },
		{ { { 1, PROTO_ESP, 300 }, { 1, PROTO_AH, 400 } }, 2, true, true, true, false },
		{ { { 2, PROTO_AH, 300 }, { 1, PROTO_ESP, 400 } }, 2, true, true, false, false },
		{ { { 1, PROTO_ESP, 300 }, { 2, PROTO_ESP, 400 }, { 1, PROTO_AH, 500 } }, 3, true, true, true, false },
		{ { { 1, PROTO_ESP, 300 }, { 1, PROTO_ESP, 400 } }, 2, false, false, false, false },
		{ { { 1, PROTO_AH, 300 }, { 1, PROTO_ESP, 400 }, { 1, PROTO_AH, 500 } }, 3, false, false, false, false },
		{ { { 1, PROTO_ESP, 300 }, { 1, PROTO_IPCOMP, 400 } }, 2, false, false, false, false },
		{ { { 1, PROTO_ESP, 255 } }, 1, false, false, false, false },
		{ { { 1, PROTO_ESP, 300 }, { 1, PROTO_AH, 0 } }, 2, false, false, false, false },
		{ { { 1, 0, 300 } }, 1, false, false, false, false },
		{ { { 1, 255, 300 } }, 1, false, false, false, false },
		{ { { 2, PROTO_ESP, 300 } }, 1, false, false, false, false },
	};
	uint8_t buf[256];
	struct bundle b;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct span s = proposals_make(buf, sizeof(buf), cases[i].list, cases[i].n);

		assert_true(s.len > 0);
		assert_int_equal(bundle_read(s, 1, &b), cases[i].good);
		if (cases[i].good)
			assert_true(b.has[PART_ESP] == cases[i].esp && b.has[PART_AH] == cases[i].ah &&
				    b.ah_first == cases[i].ah_first);
		/* Cut off anywhere it ends, and reads nothing behind its end. */
		for (size_t cut = 0; cut < s.len; cut++) {
			uint8_t *copy = malloc(cut + 1);

			memcpy(copy, s.data, cut);
			(void)bundle_read(span_of(copy, cut), 1, &b);
			free(copy);
		}
	}
}

static void strengths(void **state)
{
	(void)state;
	assert_true(group_strength(GROUP_14) > group_strength(GROUP_5));
	assert_true(group_strength(GROUP_19) > group_strength(GROUP_14));
	assert_true(group_strength(GROUP_21) > group_strength(GROUP_16));
	assert_true(group_strength(GROUP_1) > group_strength(GROUP_NONE));
}

/* 1, 2, 4, 8, 8, 8, 8 seconds: 39 in all. */
static void back_off(void **state)
{
	uint64_t sum = 0;

	(void)state;
	for (unsigned i = 0; i < 7; i++)
		sum += tx_wait_us(i);
	assert_int_equal(sum, 39 * SECOND);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(timers_in_order),
		cmocka_unit_test(selectors_and_ids),
		cmocka_unit_test(bad_ids),
		cmocka_unit_test(inside),
		cmocka_unit_test(entries),
		cmocka_unit_test(phase1_keys),
		cmocka_unit_test(keymat),
		cmocka_unit_test(keymat_ah),
		cmocka_unit_test(bundles),
		cmocka_unit_test(strengths),
		cmocka_unit_test(back_off),
	};

	alg_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
