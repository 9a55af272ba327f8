/* keys.db: values keep their ids, type 6 is deterministic and authentic, a second process reads what the first wrote. */
#include "configdb/secrets.h"
#include "configdb/c64.h"

#include <stdarg.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

static struct span text(const char *s)
{
	return span_of(s, strlen(s));
}

static void c64_is_inverse(void **state)
{
	uint8_t in[40], out[40];
	char printed[64];

	(void)state;
	for (size_t n = 0; n < sizeof(in); n++) {
		for (size_t i = 0; i < n; i++)
			in[i] = (uint8_t)(i * 37 + n * 11);
		c64_print(printed, span_of(in, n));
		assert_int_equal(strlen(printed), c64_len(n));
		assert_int_equal(c64_parse(out, sizeof(out), printed), (int)n);
		assert_memory_equal(in, out, n);
	}
	assert_int_equal(c64_parse(out, sizeof(out), "."), -1);
	assert_int_equal(c64_parse(out, sizeof(out), "./"), -1); /* bits left over */
	assert_int_equal(c64_parse(out, sizeof(out), "a b"), -1);
	assert_int_equal(c64_parse(out, 2, "...."), -1);
}

static void values_keep_their_ids(void **state)
{
	struct secrets *s;
	uint64_t a, b, c;
	struct secret v;

	(void)state;
	assert_int_equal(secrets_open(&s, NULL, false), ERR_OK);
	assert_int_equal(secrets_put(s, text("one"), &a), ERR_OK);
	assert_int_equal(secrets_put(s, text("two"), &b), ERR_OK);
	assert_int_equal(secrets_put(s, text("one"), &c), ERR_OK);
	assert_true(a && b && a != b);
	assert_true(a == c);
	assert_int_equal(secrets_get(s, b, &v), ERR_OK);
	assert_int_equal(v.len, 3);
	assert_memory_equal(v.bytes, "two", 3);
	assert_int_equal(secrets_get(s, 999, &v), ERR_NOT_FOUND);
	assert_int_equal(secrets_put(s, text(""), &a), ERR_RANGE);
	secrets_close(s);
}

static bool keep_one(void *ctx, uint64_t id)
{
	return id == *(uint64_t *)ctx;
}

static void collect_deletes_and_never_reuses(void **state)
{
	struct secrets *s;
	uint64_t a, b, c;
	struct secret v;

	(void)state;
	assert_int_equal(secrets_open(&s, NULL, false), ERR_OK);
	assert_int_equal(secrets_put(s, text("one"), &a), ERR_OK);
	assert_int_equal(secrets_put(s, text("two"), &b), ERR_OK);
	assert_int_equal(secrets_collect(s, keep_one, &a), ERR_OK);
	assert_int_equal(secrets_get(s, a, &v), ERR_OK);
	assert_int_equal(secrets_get(s, b, &v), ERR_NOT_FOUND);
	assert_int_equal(secrets_put(s, text("three"), &c), ERR_OK);
	assert_true(c > b);
	secrets_close(s);
}

static void type6_is_deterministic_and_authentic(void **state)
{
	struct secrets *s, *other;
	char a[400], b[400];
	struct secret v;

	(void)state;
	assert_int_equal(secrets_open(&s, NULL, false), ERR_OK);
	assert_int_equal(secrets_open(&other, NULL, false), ERR_OK);
	assert_int_equal(secrets_type6_print(s, text("pre shared"), a, sizeof(a)), ERR_OK);
	assert_int_equal(secrets_type6_print(s, text("pre shared"), b, sizeof(b)), ERR_OK);
	assert_string_equal(a, b);
	assert_null(strpbrk(a, " ?!"));
	assert_int_equal(secrets_type6_parse(s, a, &v), ERR_OK);
	assert_int_equal(v.len, 10);
	assert_memory_equal(v.bytes, "pre shared", 10);

	assert_int_equal(secrets_type6_parse(other, a, &v), ERR_AUTH);
	for (size_t i = 0; a[i]; i++) {
		char was = a[i];
		enum err e;

		a[i] = was == '.' ? '/' : '.';
		e = secrets_type6_parse(s, a, &v);
		assert_true(e == ERR_AUTH || e == ERR_INVALID);
		a[i] = was;
	}
	assert_int_equal(secrets_type6_parse(s, "short", &v), ERR_INVALID);
	assert_int_equal(secrets_type6_print(s, text("x"), a, 10), ERR_RANGE);
	secrets_close(s);
	secrets_close(other);
}

static void a_shared_passphrase_makes_a_shared_key(void **state)
{
	struct secrets *s, *other;
	char a[400];
	struct secret v;

	(void)state;
	assert_int_equal(secrets_open(&s, NULL, false), ERR_OK);
	assert_int_equal(secrets_open(&other, NULL, false), ERR_OK);
	assert_int_equal(secrets_master(s, text("short")), ERR_RANGE);
	assert_int_equal(secrets_master(s, text("correct horse")), ERR_OK);
	assert_int_equal(secrets_master(other, text("correct horse")), ERR_OK);
	assert_int_equal(secrets_type6_print(s, text("psk"), a, sizeof(a)), ERR_OK);
	assert_int_equal(secrets_type6_parse(other, a, &v), ERR_OK);
	assert_memory_equal(v.bytes, "psk", 3);
	assert_int_equal(secrets_master(other, text("another passphrase")), ERR_OK);
	assert_int_equal(secrets_type6_parse(other, a, &v), ERR_AUTH);
	secrets_close(s);
	secrets_close(other);
}

static void a_file_outlives_its_writer(void **state)
{
	char dir[] = "/tmp/postern-secrets-XXXXXX", path[64];
	struct secrets *w, *r;
	uint64_t id, again;
	struct secret v;
	struct stat st;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/keys.db", dir);
	assert_int_equal(secrets_open(&r, path, true), ERR_BUSY);
	assert_int_equal(secrets_open(&w, path, false), ERR_OK);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(secrets_open(&r, path, true), ERR_OK);
	assert_int_equal(secrets_put(w, text("later"), &id), ERR_OK);
	assert_int_equal(secrets_get(r, id, &v), ERR_OK);
	assert_memory_equal(v.bytes, "later", 5);
	assert_int_not_equal(secrets_put(r, text("no"), &again), ERR_OK);
	secrets_close(w);
	secrets_close(r);
	assert_int_equal(secrets_open(&w, path, false), ERR_OK);
	assert_int_equal(secrets_put(w, text("later"), &again), ERR_OK);
	assert_true(id == again);
	secrets_close(w);
	unlink(path);
	rmdir(dir);
}

static void a_newer_database_is_refused(void **state)
{
	char dir[] = "/tmp/postern-secrets-XXXXXX", path[64];
	struct secrets *s;
	sqlite3 *db;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/keys.db", dir);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "PRAGMA user_version = 99", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
	assert_int_equal(secrets_open(&s, path, false), ERR_UNSUPPORTED);
	unlink(path);
	rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(c64_is_inverse),
		cmocka_unit_test(values_keep_their_ids),
		cmocka_unit_test(collect_deletes_and_never_reuses),
		cmocka_unit_test(type6_is_deterministic_and_authentic),
		cmocka_unit_test(a_shared_passphrase_makes_a_shared_key),
		cmocka_unit_test(a_file_outlives_its_writer),
		cmocka_unit_test(a_newer_database_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
