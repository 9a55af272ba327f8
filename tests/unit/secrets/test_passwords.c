/* Password hashes against published vectors. */
#include "configdb/secrets.h"

#include <stdarg.h>
#include <setjmp.h>
#include <string.h>
#include <cmocka.h>

static struct span text(const char *s)
{
	return span_of(s, strlen(s));
}

static void published_hashes_verify(void **state)
{
	static const struct {
		int type;
		const char *hash, *password;
	} known[] = {
		{ 5, "$1$mERr$hx5rVt7rPNoS4wqbXKX7m0", "cisco" },
		{ 8, "$8$dsYGNam3K1SIJO$7nv/35M/qr6t.dVc7UY9zrJDWRVqncHub1PE9UlMQFs", "cisco" },
		{ 8, "$8$mTj4RZG8N9ZDOk$elY/asfm8kD3iDmkBe3hD2r4xcA/0oWS5V3os.O91u.", "cisco" },
		{ 8, "$8$TnGX/fE4KGHOVU$pEhnEvxrvaynpi8j4f.EMHr6M.FzU8xnZnBr/tJdFWk", "hashcat" },
		{ 9, "$9$nhEmQVczB7dqsO$X.HsgL6x1il0RxkOSSvyQYwucySCt7qFm4v7pqCxkKM", "cisco" },
		{ 9, "$9$2MJBozw/9R3UsU$2lFhcKvpghcyw8deP25GOfyZaagyUOGBymkryvOdfo6", "hashcat" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		assert_true(password_hash_valid(known[i].type, known[i].hash));
		assert_true(password_verify(known[i].hash, text(known[i].password)));
		assert_false(password_verify(known[i].hash, text("Cisco")));
		assert_false(password_verify(known[i].hash, text("")));
	}
}

static void made_hashes_verify(void **state)
{
	static const int types[] = { 5, 8, 9 };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		char a[128], b[128];

		assert_int_equal(password_hash(types[i], text("s3cret word"), a), ERR_OK);
		assert_int_equal(password_hash(types[i], text("s3cret word"), b), ERR_OK);
		assert_true(password_hash_valid(types[i], a));
		assert_string_not_equal(a, b);
		assert_true(password_verify(a, text("s3cret word")));
		assert_true(password_verify(b, text("s3cret word")));
		assert_false(password_verify(a, text("s3cret worD")));
	}
	assert_int_equal(password_hash(4, text("x"), (char[128]){ 0 }), ERR_UNSUPPORTED);
}

static void malformed_hashes_are_refused(void **state)
{
	static const char *const bad[] = { "", "cisco", "$9$", "$8$short$abc",
		"$9$nhEmQVczB7dqsO$X.HsgL6x1il0RxkOSSvyQYwucySCt7qFm4v7pqCxkK",
		"$9$nhEmQVczB7dqsO$X.HsgL6x1il0RxkOSSvyQYwucySCt7qFm4v7pqCxk!M", "$1$$hx5rVt7rPNoS4wqbXKX7m0", "$1$mERr$hx5r",
		"$7$abc$def" };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		for (int type = 0; type < 10; type++)
			assert_false(password_hash_valid(type, bad[i]));
		assert_false(password_verify(bad[i], text("cisco")));
	}
	/* The right form of another type. */
	assert_false(password_hash_valid(8, "$9$nhEmQVczB7dqsO$X.HsgL6x1il0RxkOSSvyQYwucySCt7qFm4v7pqCxkKM"));
	/* A password with a NUL inside cannot be what crypt() saw. */
	assert_false(password_verify("$1$mERr$hx5rVt7rPNoS4wqbXKX7m0", span_of("cisco\0x", 7)));
}

static void type7_decodes(void **state)
{
	static const char *const known[] = { "02050D480809", "094F471A1A0A", "0822455D0A16" };
	static const char *const bad[] = { "", "02", "0205f", "zz050D480809", "99050D480809", "02050D48080G" };
	struct secret s;

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(password_type7(known[i], &s), ERR_OK);
		assert_int_equal(s.len, 5);
		assert_memory_equal(s.bytes, "cisco", 5);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(password_type7(bad[i], &s), ERR_INVALID);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(published_hashes_verify),
		cmocka_unit_test(made_hashes_verify),
		cmocka_unit_test(malformed_hashes_are_refused),
		cmocka_unit_test(type7_decodes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
