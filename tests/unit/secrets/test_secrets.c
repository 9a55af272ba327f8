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

static void folder_remove(const char *dir)
{
	static const char *const names[] = { "keys.db", "machine.key" };
	char path[96];

	for (size_t i = 0; i < 2; i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
		unlink(path);
	}
	assert_int_equal(rmdir(dir), 0); /* and nothing else was left in it */
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
	assert_int_equal(secrets_put(s, SECRET_SHARED, text("one"), &a), ERR_OK);
	assert_int_equal(secrets_put(s, SECRET_SHARED, text("two"), &b), ERR_OK);
	assert_int_equal(secrets_put(s, SECRET_SHARED, text("one"), &c), ERR_OK);
	assert_true(a && b && a != b);
	assert_true(a == c);
	assert_int_equal(secrets_get(s, b, &v), ERR_OK);
	assert_int_equal(v.len, 3);
	assert_memory_equal(v.bytes, "two", 3);
	assert_int_equal(secrets_get(s, 999, &v), ERR_NOT_FOUND);
	assert_int_equal(secrets_put(s, SECRET_SHARED, text(""), &a), ERR_RANGE);
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
	assert_int_equal(secrets_put(s, SECRET_SHARED, text("one"), &a), ERR_OK);
	assert_int_equal(secrets_put(s, SECRET_SHARED, text("two"), &b), ERR_OK);
	assert_int_equal(secrets_collect(s, keep_one, &a), ERR_OK);
	assert_int_equal(secrets_get(s, a, &v), ERR_OK);
	assert_int_equal(secrets_get(s, b, &v), ERR_NOT_FOUND);
	assert_int_equal(secrets_put(s, SECRET_SHARED, text("three"), &c), ERR_OK);
	assert_true(c > b);
	secrets_close(s);
}

static void type6_is_deterministic_and_authentic(void **state)
{
	struct secrets *s, *other;
	char a[SECRET_TYPE6], b[SECRET_TYPE6];
	uint64_t id, again;
	size_t len;
	struct secret v;

	(void)state;
	assert_int_equal(secrets_open(&s, NULL, false), ERR_OK);
	assert_int_equal(secrets_open(&other, NULL, false), ERR_OK);
	assert_int_equal(secrets_put(s, SECRET_SHARED, text("pre shared"), &id), ERR_OK);
	assert_int_equal(secrets_type6_print(s, id, a, sizeof(a)), ERR_OK);
	assert_int_equal(secrets_type6_print(s, id, b, sizeof(b)), ERR_OK);
	assert_string_equal(a, b);
	assert_null(strpbrk(a, " ?!"));
	assert_int_equal(secrets_type6_put(s, SECRET_SHARED, a, &again, &len), ERR_OK);
	assert_true(again == id && len == 10);
	/* Another kind is another row. */
	assert_int_equal(secrets_type6_put(s, SECRET_SESSION, a, &again, &len), ERR_OK);
	assert_true(again != id);
	assert_int_equal(secrets_get_session(s, again, &v), ERR_OK);
	assert_memory_equal(v.bytes, "pre shared", 10);

	assert_int_equal(secrets_type6_put(other, SECRET_SHARED, a, &again, &len), ERR_AUTH);
	for (size_t i = 0; a[i]; i++) {
		char was = a[i];
		enum err e;

		a[i] = was == '.' ? '/' : '.';
		e = secrets_type6_put(s, SECRET_SHARED, a, &again, &len);
		assert_true(e == ERR_AUTH || e == ERR_INVALID);
		a[i] = was;
	}
	assert_int_equal(secrets_type6_put(s, SECRET_SHARED, "short", &again, &len), ERR_INVALID);
	assert_int_equal(secrets_type6_print(s, id, a, 10), ERR_RANGE);
	assert_int_equal(secrets_put(s, SECRET_HASH, text("$9$"), &again), ERR_OK);
	assert_int_equal(secrets_type6_print(s, again, a, sizeof(a)), ERR_NOT_FOUND);
	secrets_close(s);
	secrets_close(other);
}

static void a_shared_passphrase_makes_a_shared_key(void **state)
{
	struct secrets *s, *other;
	char a[SECRET_TYPE6];
	uint64_t id;
	size_t len;
	struct secret v;

	(void)state;
	assert_int_equal(secrets_open(&s, NULL, false), ERR_OK);
	assert_int_equal(secrets_open(&other, NULL, false), ERR_OK);
	assert_int_equal(secrets_put(s, SECRET_SHARED, text("psk"), &id), ERR_OK);
	assert_int_equal(secrets_master_set(s, text("short")), ERR_RANGE);
	assert_int_equal(secrets_master_set(s, text("correct horse")), ERR_OK);
	assert_int_equal(secrets_master_set(other, text("correct horse")), ERR_OK);
	assert_int_equal(secrets_type6_print(s, id, a, sizeof(a)), ERR_OK);
	assert_int_equal(secrets_type6_put(other, SECRET_SHARED, a, &id, &len), ERR_OK);
	assert_int_equal(secrets_get(other, id, &v), ERR_OK);
	assert_memory_equal(v.bytes, "psk", 3);
	secrets_close(other);
	assert_int_equal(secrets_open(&other, NULL, false), ERR_OK);
	assert_int_equal(secrets_master_set(other, text("another passphrase")), ERR_OK);
	assert_int_equal(secrets_type6_put(other, SECRET_SHARED, a, &id, &len), ERR_AUTH);
	secrets_close(s);
	secrets_close(other);
}

/* Deleted, it takes with it what was sealed with it, and hashes stay; set again, it brings everything back. */
static void a_deleted_master_key_can_be_set_again(void **state)
{
	struct secrets *s;
	char before[SECRET_TYPE6], after[SECRET_TYPE6];
	uint64_t key, hash, later, same;
	struct secret v;

	(void)state;
	assert_int_equal(secrets_open(&s, NULL, false), ERR_OK);
	assert_false(secrets_master_known(s));
	assert_int_equal(secrets_master_delete(s), ERR_NOT_FOUND);
	assert_int_equal(secrets_master_is(s, text("first passphrase")), ERR_NOT_FOUND);
	assert_int_equal(secrets_put(s, SECRET_SHARED, text("psk"), &key), ERR_OK);
	assert_int_equal(secrets_put(s, SECRET_HASH, text("a hash"), &hash), ERR_OK);
	assert_int_equal(secrets_master_set(s, text("first passphrase")), ERR_OK);
	assert_true(secrets_master_known(s));
	assert_int_equal(secrets_master_is(s, text("first passphrase")), ERR_OK);
	assert_int_equal(secrets_master_is(s, text("First passphrase")), ERR_AUTH);
	assert_int_equal(secrets_type6_print(s, key, before, sizeof(before)), ERR_OK);

	assert_int_equal(secrets_master_delete(s), ERR_OK);
	assert_false(secrets_master_known(s));
	assert_int_equal(secrets_get(s, key, &v), ERR_AUTH);
	assert_int_equal(secrets_get(s, hash, &v), ERR_OK);
	assert_memory_equal(v.bytes, "a hash", 6);
	assert_int_equal(secrets_type6_print(s, key, after, sizeof(after)), ERR_OK);
	assert_string_equal(before, after);
	/* What is typed now is sealed with the router's own. */
	assert_int_equal(secrets_put(s, SECRET_SHARED, text("psk"), &same), ERR_OK);
	assert_int_equal(secrets_put(s, SECRET_SHARED, text("later"), &later), ERR_OK);
	assert_true(same != key && !secrets_equal(s, same, key));

	assert_int_equal(secrets_master_set(s, text("first passphrase")), ERR_OK);
	assert_int_equal(secrets_get(s, key, &v), ERR_OK);
	assert_memory_equal(v.bytes, "psk", 3);
	assert_int_equal(secrets_get(s, later, &v), ERR_OK);
	assert_memory_equal(v.bytes, "later", 5);
	assert_true(secrets_equal(s, same, key));
	secrets_close(s);
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
	assert_int_equal(secrets_put(w, SECRET_SHARED, text("later"), &id), ERR_OK);
	assert_int_equal(secrets_get(r, id, &v), ERR_OK);
	assert_memory_equal(v.bytes, "later", 5);
	assert_int_not_equal(secrets_put(r, SECRET_SHARED, text("no"), &again), ERR_OK);
	secrets_close(w);
	secrets_close(r);
	assert_int_equal(secrets_open(&w, path, false), ERR_OK);
	assert_int_equal(secrets_put(w, SECRET_SHARED, text("later"), &again), ERR_OK);
	assert_true(id == again);
	secrets_close(w);
	folder_remove(dir);
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
	folder_remove(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(c64_is_inverse),
		cmocka_unit_test(values_keep_their_ids),
		cmocka_unit_test(collect_deletes_and_never_reuses),
		cmocka_unit_test(type6_is_deterministic_and_authentic),
		cmocka_unit_test(a_shared_passphrase_makes_a_shared_key),
		cmocka_unit_test(a_deleted_master_key_can_be_set_again),
		cmocka_unit_test(a_file_outlives_its_writer),
		cmocka_unit_test(a_newer_database_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
