/* Diffie-Hellman on worker threads: every answer comes from the loop, once, or never when it was dropped. */
#include "fake.h"
#include "ikemgr/proc/dh_pool.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

struct seen {
	bool generated, derived;
	unsigned ngenerated, nderived;
	bool refused; /* by the limit */
	uint64_t refused_serial;
	uint64_t serial;
	enum err e;
	struct dh_value value;
};

static void keep(struct seen *s, uint64_t serial, enum err e, struct span v)
{
	s->serial = serial;
	s->e = e;
	s->value.len = (uint16_t)v.len;
	if (v.len)
		memcpy(s->value.bytes, v.data, v.len);
}

static void on_generated(void *ctx, uint64_t serial, enum err e, struct span v)
{
	struct seen *s = ctx;

	keep(s, serial, e, v);
	if (e == ERR_LIMIT) {
		s->refused = true;
		s->refused_serial = serial;
	}
	s->generated = true;
	s->ngenerated++;
}

static void on_derived(void *ctx, uint64_t serial, enum err e, struct span v)
{
	struct seen *s = ctx;

	keep(s, serial, e, v);
	s->derived = true;
	s->nderived++;
}

static const struct dh_pool_handlers handlers = { on_generated, on_derived };

struct fixture {
	struct loop *loop;
	struct seen a, b;
	struct dh_pool *pool_a, *pool_b;
};

static int setup(void **state)
{
	static struct fixture f;

	f = (struct fixture){ .loop = loop_new() };
	f.pool_a = dh_pool_new(f.loop, 2, &handlers, &f.a);
	f.pool_b = dh_pool_new(f.loop, 1, &handlers, &f.b);
	*state = &f;
	return f.pool_a && f.pool_b ? 0 : -1;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	dh_pool_free(f->pool_a);
	dh_pool_free(f->pool_b);
	loop_free(f->loop);
	return 0;
}

static void both_ends_agree(void **state)
{
	struct fixture *f = *state;

	dh_pool_generate(f->pool_a, 7, GROUP_14);
	dh_pool_generate(f->pool_b, 8, GROUP_14);
	assert_false(f->a.generated); /* never from inside the call */
	loop_until(f->loop, &f->a.generated);
	loop_until(f->loop, &f->b.generated);
	assert_int_equal(f->a.serial, 7);
	assert_int_equal(f->a.value.len, 256);
	struct dh_value public_a = f->a.value, public_b = f->b.value;
	dh_pool_derive(f->pool_a, 7, dh_span(&public_b));
	dh_pool_derive(f->pool_b, 8, dh_span(&public_a));
	loop_until(f->loop, &f->a.derived);
	loop_until(f->loop, &f->b.derived);
	assert_int_equal(f->a.e, ERR_OK);
	assert_true(span_equal(dh_span(&f->a.value), dh_span(&f->b.value)));
	/* The pair is used up. */
	dh_pool_derive(f->pool_a, 7, dh_span(&public_b));
	f->a.derived = false;
	loop_until(f->loop, &f->a.derived);
	assert_int_equal(f->a.e, ERR_NOT_FOUND);
}

static void derive_before_generated(void **state)
{
	struct fixture *f = *state;

	dh_pool_generate(f->pool_b, 1, GROUP_19);
	loop_until(f->loop, &f->b.generated);
	dh_pool_generate(f->pool_a, 1, GROUP_19);
	dh_pool_derive(f->pool_a, 1, dh_span(&f->b.value));
	loop_until(f->loop, &f->a.derived);
	assert_int_equal(f->a.ngenerated, 1);
	assert_int_equal(f->a.e, ERR_OK);
	assert_int_equal(f->a.value.len, 32);
}

static void dropped_is_silent(void **state)
{
	struct fixture *f = *state;

	dh_pool_generate(f->pool_a, 1, GROUP_16);
	dh_pool_drop(f->pool_a, 1);
	dh_pool_generate(f->pool_a, 2, GROUP_19);
	loop_until(f->loop, &f->a.generated);
	dh_pool_derive(f->pool_a, 2, dh_span(&f->a.value));
	dh_pool_drop(f->pool_a, 2);
	loop_for(f->loop, 200000);
	assert_int_equal(f->a.ngenerated, 1);
	assert_int_equal(f->a.serial, 2);
	assert_int_equal(f->a.nderived, 0);
}

static void bad_values(void **state)
{
	struct fixture *f = *state;
	uint8_t zero[DH_MAX + 1] = { 0 };

	dh_pool_generate(f->pool_a, 1, (enum alg_group)1025);
	loop_until(f->loop, &f->a.generated);
	assert_int_equal(f->a.e, ERR_UNSUPPORTED);
	dh_pool_generate(f->pool_a, 2, GROUP_2);
	dh_pool_derive(f->pool_a, 2, span_of(zero, 128));
	loop_until(f->loop, &f->a.derived);
	assert_int_equal(f->a.e, ERR_RANGE);
	assert_int_equal(f->a.value.len, 0);
	dh_pool_generate(f->pool_a, 3, GROUP_2);
	dh_pool_derive(f->pool_a, 3, span_of(zero, sizeof(zero)));
	f->a.derived = false;
	loop_until(f->loop, &f->a.derived);
	assert_int_equal(f->a.e, ERR_INVALID);
}

static void bounded(void **state)
{
	struct fixture *f = *state;

	for (uint64_t i = 0; i < DH_POOL_PAIRS; i++)
		dh_pool_generate(f->pool_b, i, GROUP_19);
	dh_pool_generate(f->pool_b, 9999, GROUP_19);
	loop_until(f->loop, &f->b.refused);
	assert_int_equal(f->b.refused_serial, 9999);
	loop_until(f->loop, &f->b.generated);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(both_ends_agree, setup, teardown),
		cmocka_unit_test_setup_teardown(derive_before_generated, setup, teardown),
		cmocka_unit_test_setup_teardown(dropped_is_silent, setup, teardown),
		cmocka_unit_test_setup_teardown(bad_values, setup, teardown),
		cmocka_unit_test_setup_teardown(bounded, setup, teardown),
	};

	alg_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
