/* Groups against published numbers, and what a peer must not send (RFC 6989). */
#include "dh_vectors.h"
#include "hex.h"
#include "ikemgr/crypto/dh.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static struct dh *pair_of(enum alg_group group, const char *private_hex)
{
	struct dh *d = NULL;

	assert_int_equal(dh_new_from(&d, group, unhex(private_hex)), ERR_OK);
	assert_int_equal(dh_group(d), group);
	return d;
}

/* Both sides of the exchange give `shared`. */
static void exchange(enum alg_group group, const char *a, const char *b, const char *shared, const char *public_a)
{
	struct dh *i = pair_of(group, a), *r = pair_of(group, b);
	struct dh_value pub_i, pub_r, s;

	assert_int_equal(dh_public(i, &pub_i), ERR_OK);
	assert_int_equal(dh_public(r, &pub_r), ERR_OK);
	if (public_a)
		assert_hex(span_of(pub_i.bytes, strlen(public_a) / 2), public_a);
	assert_int_equal(dh_derive(i, dh_span(&pub_r), &s), ERR_OK);
	assert_hex(dh_span(&s), shared);
	assert_int_equal(dh_derive(r, dh_span(&pub_i), &s), ERR_OK);
	assert_hex(dh_span(&s), shared);
	dh_free(i);
	dh_free(r);
}

static void modp_exchange(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(modp_vectors); i++)
		exchange(modp_vectors[i].group, EXPONENT_A, EXPONENT_B, modp_vectors[i].shared, NULL);
}

static void published_exchange(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(exchange_vectors); i++) {
		const struct exchange_vector *v = &exchange_vectors[i];
		exchange(v->group, v->i, v->r, v->shared, v->public_i);
	}
}

/* Every group of the list works with fresh pairs, and its values have the lengths that the list says. */
static void every_group(void **state)
{
	const struct group_alg *g;
	size_t i;

	(void)state;
	for (i = 0; (g = group_at(i)) != NULL; i++) {
		struct dh *a = NULL, *b = NULL;
		struct dh_value pub_a, pub_b, s_a, s_b;
		assert_int_equal(dh_new(&a, g->id), ERR_OK);
		assert_int_equal(dh_new(&b, g->id), ERR_OK);
		assert_int_equal(dh_public(a, &pub_a), ERR_OK);
		assert_int_equal(dh_public(b, &pub_b), ERR_OK);
		assert_int_equal(pub_a.len, g->public_len);
		assert_false(span_equal(dh_span(&pub_a), dh_span(&pub_b)));
		assert_int_equal(dh_derive(a, dh_span(&pub_b), &s_a), ERR_OK);
		assert_int_equal(dh_derive(b, dh_span(&pub_a), &s_b), ERR_OK);
		assert_int_equal(s_a.len, g->shared_len);
		assert_true(span_equal(dh_span(&s_a), dh_span(&s_b)));
		dh_free(a);
		dh_free(b);
	}
	assert_int_equal(i, 16);
}

/* p, p - 1, p + 1, 0 and 1 are refused; p - 2 and 2 are in the range. The primes all end in ff, so single bytes do. */
static void modp_range(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(modp_vectors); i++) {
		enum alg_group g = modp_vectors[i].group;
		struct span v = unhex(modp_vectors[i].p);
		assert_int_equal(dh_check(g, v), ERR_RANGE);
		v.data[v.len - 1] = 0xfe;
		assert_int_equal(dh_check(g, v), ERR_RANGE);
		v.data[v.len - 1] = 0xfd;
		assert_int_equal(dh_check(g, v), ERR_OK);
		memset(v.data, 0xff, v.len);
		assert_int_equal(dh_check(g, v), ERR_RANGE);
		memset(v.data, 0, v.len);
		assert_int_equal(dh_check(g, v), ERR_RANGE);
		v.data[v.len - 1] = 1;
		assert_int_equal(dh_check(g, v), ERR_RANGE);
		v.data[v.len - 1] = 2;
		assert_int_equal(dh_check(g, v), ERR_OK);
	}
}

static void wrong_lengths(void **state)
{
	const struct group_alg *g;
	static uint8_t zero[DH_MAX + 8];

	(void)state;
	for (size_t i = 0; (g = group_at(i)) != NULL; i++) {
		struct dh *d = NULL;
		struct dh_value shared = { .len = 3 };
		assert_int_equal(dh_new(&d, g->id), ERR_OK);
		assert_int_equal(dh_check(g->id, span_of(zero, 0)), ERR_INVALID);
		assert_int_equal(dh_check(g->id, span_of(zero, g->public_len - 1u)), ERR_INVALID);
		assert_int_equal(dh_check(g->id, span_of(zero, g->public_len + 1u)), ERR_INVALID);
		assert_int_equal(dh_derive(d, span_of(zero, g->public_len - 1u), &shared), ERR_INVALID);
		assert_int_equal(dh_derive(d, span_of(zero, g->public_len), &shared), ERR_RANGE);
		assert_int_equal(shared.len, 3);
		dh_free(d);
	}
}

/* Group 24's subgroup is small: 2 is in the range but not of order q (RFC 6989, 2.3). */
static void small_subgroup(void **state)
{
	uint8_t two[256] = { [255] = 2 };

	(void)state;
	assert_int_equal(dh_check(GROUP_24, span_of(two, sizeof(two))), ERR_RANGE);
}

static void off_curve(void **state)
{
	static const enum alg_group curves[] = { GROUP_19, GROUP_20, GROUP_21, GROUP_28, GROUP_29, GROUP_30 };

	(void)state;
	for (size_t i = 0; i < COUNT(curves); i++) {
		struct dh *d = NULL;
		struct dh_value v, s;
		assert_int_equal(dh_new(&d, curves[i]), ERR_OK);
		assert_int_equal(dh_public(d, &v), ERR_OK);
		assert_int_equal(dh_check(curves[i], dh_span(&v)), ERR_OK);
		v.bytes[v.len - 1] ^= 1;
		assert_int_equal(dh_check(curves[i], dh_span(&v)), ERR_RANGE);
		assert_int_equal(dh_derive(d, dh_span(&v), &s), ERR_RANGE);
		memset(v.bytes, 0xff, v.len / 2); /* x above the field */
		assert_int_equal(dh_check(curves[i], dh_span(&v)), ERR_RANGE);
		dh_free(d);
	}
}

/* A point of small order leads to a secret that everybody knows (RFC 7748, 6.1; RFC 8031, 2.2): zero, one and p - 1. */
static void small_order(void **state)
{
	static const struct {
		enum alg_group group;
		const char *u;
	} bad[] = {
		{ GROUP_31, "0100000000000000000000000000000000000000000000000000000000000000" },
		{ GROUP_31, "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f" },
		{ GROUP_31, "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800" },
		{ GROUP_32, "0100000000000000000000000000000000000000000000000000000000000000"
			    "000000000000000000000000000000000000000000000000" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct dh *d = NULL;
		struct dh_value s = { .len = 3 };
		assert_int_equal(dh_new(&d, bad[i].group), ERR_OK);
		assert_int_equal(dh_derive(d, unhex(bad[i].u), &s), ERR_CRYPTO);
		assert_int_equal(s.len, 3);
		dh_free(d);
	}
}

/* Only the groups of the list exist, whatever number a peer names. */
static void unknown_groups(void **state)
{
	struct dh *d = NULL;

	(void)state;
	for (unsigned g = 0; g < 65536; g++) {
		if (group_find(g))
			continue;
		assert_int_equal(dh_new(&d, (enum alg_group)g), ERR_UNSUPPORTED);
		assert_int_equal(dh_check((enum alg_group)g, (struct span){ 0 }), ERR_UNSUPPORTED);
	}
	assert_null(d);
}

static void bad_private(void **state)
{
	struct dh *d = NULL;

	(void)state;
	assert_int_equal(dh_new_from(&d, GROUP_14, unhex("00")), ERR_RANGE);
	assert_int_equal(dh_new_from(&d, GROUP_14, unhex("01")), ERR_RANGE);
	assert_int_equal(
		dh_new_from(&d, GROUP_19, unhex("ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff")), ERR_RANGE);
	assert_int_equal(dh_new_from(&d, GROUP_31, unhex("02")), ERR_RANGE);
	assert_null(d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(modp_exchange),
		cmocka_unit_test(published_exchange),
		cmocka_unit_test(every_group),
		cmocka_unit_test(modp_range),
		cmocka_unit_test(wrong_lengths),
		cmocka_unit_test(small_subgroup),
		cmocka_unit_test(off_curve),
		cmocka_unit_test(small_order),
		cmocka_unit_test(unknown_groups),
		cmocka_unit_test(bad_private),
	};

	alg_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
