/* Addresses: text both ways, strictness, masks, socket addresses; and texts of errors, secrets, memory. */
#include "platform/base/addr.h"
#include "platform/base/env.h"
#include "platform/base/mem.h"
#include "platform/base/secret.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void ipv4_is_strict(void **state)
{
	static const char *const bad[] = { "", "1", "1.2.3", "1.2.3.4.5", "1.2.3.", ".1.2.3", "01.2.3.4", "1.2.3.256", "1.2.3.-4",
		"1.2.3.4 ", " 1.2.3.4", "0x1.2.3.4", "1..2.3", "1.2.3.0004", "a.b.c.d", "00.0.0.0", "1.2.3.4/8" };
	uint32_t ip = 7;
	char out[16];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(ip4_parse(&ip, bad[i]), ERR_INVALID);
	assert_int_equal(ip, 7);
	assert_int_equal(ip4_parse(&ip, "203.0.113.1"), ERR_OK);
	assert_int_equal(ip, 0xcb007101);
	assert_string_equal(ip4_print(out, ip), "203.0.113.1");
	assert_int_equal(ip4_parse(&ip, "0.0.0.0"), ERR_OK);
	assert_int_equal(ip, 0);
	assert_int_equal(ip4_parse(&ip, "255.255.255.255"), ERR_OK);
	assert_int_equal(ip, UINT32_MAX);
}

static void both_families_print_and_parse(void **state)
{
	struct addr a, b;
	char out[ADDR_TEXT];

	(void)state;
	assert_int_equal(addr_parse(&a, "10.0.0.1"), ERR_OK);
	assert_true(addr_equal(a, addr_v4(0x0a000001)));
	assert_int_equal(addr_to_v4(a), 0x0a000001);
	assert_int_equal(addr_parse(&b, "2001:db8::1"), ERR_OK);
	assert_string_equal(addr_print(out, b), "2001:db8::1");
	assert_int_equal(addr_to_v4(b), 0);
	assert_true(addr_cmp(a, b) < 0);
	assert_int_equal(addr_parse(&b, "fe80::z"), ERR_INVALID);
	assert_string_equal(addr_print(out, (struct addr){ 0 }), "-");
	assert_false(addr_is_set((struct addr){ 0 }));
	assert_true(addr_cmp(addr_v4(0x0a000001), addr_v4(0xc0000001)) < 0);
}

static void sockaddr_both_ways(void **state)
{
	struct sockaddr_storage ss;
	struct addr a, back;
	uint16_t port = 0;

	(void)state;
	addr_to_sockaddr(&ss, addr_v4(0x01020304), 500);
	assert_int_equal(addr_from_sockaddr(&back, &port, &ss), ERR_OK);
	assert_true(addr_equal(back, addr_v4(0x01020304)));
	assert_int_equal(port, 500);
	assert_int_equal(addr_parse(&a, "::1"), ERR_OK);
	addr_to_sockaddr(&ss, a, 4500);
	assert_int_equal(addr_from_sockaddr(&back, &port, &ss), ERR_OK);
	assert_true(addr_equal(a, back));
	assert_int_equal(port, 4500);
	ss.ss_family = AF_UNIX;
	assert_int_equal(addr_from_sockaddr(&back, &port, &ss), ERR_UNSUPPORTED);
}

static void masks(void **state)
{
	(void)state;
	for (int len = 0; len <= 32; len++) {
		assert_true(ip4_mask_valid(ip4_mask_of(len)));
		assert_int_equal(ip4_mask_len(ip4_mask_of(len)), len);
	}
	assert_int_equal(ip4_mask_of(24), 0xffffff00);
	assert_false(ip4_mask_valid(0x00ffffff));
	assert_false(ip4_mask_valid(0xff00ff00));
	assert_false(ip4_mask_valid(1));
}

static void errors_have_texts(void **state)
{
	(void)state;
	assert_string_equal(err_text(ERR_OK), "ok");
	assert_string_equal(err_text(ERR_CONFLICT), "conflicts with what is there");
	assert_string_equal(err_text((enum err) - 1), "unknown error");
	assert_string_equal(err_text(ERR_COUNT), "unknown error");
}

static void secrets_are_bounded_and_wiped(void **state)
{
	struct secret s = { 0 };
	const struct secret zero = { 0 };
	uint8_t big[SECRET_MAX + 1] = { 1 };

	(void)state;
	assert_int_equal(secret_set(&s, span_of("long secret", 11)), ERR_OK);
	assert_int_equal(secret_set(&s, span_of("key", 3)), ERR_OK);
	assert_true(span_equal(secret_span(&s), span_of("key", 3)));
	/* Nothing of the longer one stays behind. */
	assert_memory_equal(s.bytes + 3, zero.bytes, SECRET_MAX - 3);
	assert_int_equal(secret_set(&s, span_of(big, sizeof(big))), ERR_RANGE);
	assert_int_equal(s.len, 3);
	secret_wipe(&s);
	assert_memory_equal(&s, &zero, sizeof(s));
}

static void memory_checks_products(void **state)
{
	char *p;

	(void)state;
	assert_null(mem_calloc(SIZE_MAX / 2, 4));
	assert_null(mem_realloc_array(NULL, SIZE_MAX / 2, 4));
	p = mem_zalloc(0);
	assert_non_null(p);
	mem_free(p);
	p = mem_strdup("abc");
	assert_string_equal(p, "abc");
	mem_free_secret(p, 4);
	mem_free_secret(NULL, 4);
#ifdef POSTERN_FAULTS
	mem_fail_at(2);
	p = mem_zalloc(1);
	assert_non_null(p);
	mem_free(p);
	assert_null(mem_zalloc(1));
	p = mem_zalloc(1);
	assert_non_null(p);
	mem_free(p);
#endif
}

static void machine_clock_and_chance(void **state)
{
	uint8_t a[32] = { 0 }, b[32] = { 0 };
	uint64_t t = env_system.now_us(env_system.ctx);

	(void)state;
	env_system.random(env_system.ctx, a, sizeof(a));
	env_system.random(env_system.ctx, b, sizeof(b));
	assert_memory_not_equal(a, b, sizeof(a));
	assert_true(env_system.now_us(env_system.ctx) >= t);
	assert_true(env_system.wall_us(env_system.ctx) > 1600000000ULL * 1000000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ipv4_is_strict),
		cmocka_unit_test(both_families_print_and_parse),
		cmocka_unit_test(sockaddr_both_ways),
		cmocka_unit_test(masks),
		cmocka_unit_test(errors_have_texts),
		cmocka_unit_test(secrets_are_bounded_and_wiped),
		cmocka_unit_test(memory_checks_products),
		cmocka_unit_test(machine_clock_and_chance),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
