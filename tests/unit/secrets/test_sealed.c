/* Keys at rest. Whoever has the databases, with all that SQLite puts beside them, and not machine.key, finds no secret in them:
 * neither one that was put there, nor one that stood in a database of the version that had them in clear. And the master key is
 * changed wholly or not at all, whenever one is killed.
 */
#include "configdb/keypairs.h"
#include "configdb/secrets_impl.h"

#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

static char dir[64], path[96];

static struct span text(const char *s)
{
	return span_of(s, strlen(s));
}

/* In which file of the folder these bytes are, or NULL. */
static const char *found_in(struct span bytes)
{
	static char name[256];
	static uint8_t file[1 << 20];
	DIR *d = opendir(dir);
	const char *where = NULL;

	assert_non_null(d);
	for (struct dirent *f; !where && (f = readdir(d));) {
		char full[512];
		int fd;
		ssize_t n;

		if (f->d_name[0] == '.' || !strcmp(f->d_name, "machine.key"))
			continue;
		snprintf(full, sizeof(full), "%s/%s", dir, f->d_name);
		fd = open(full, O_RDONLY);
		n = read(fd, file, sizeof(file));
		close(fd);
		assert_in_range(n, 0, sizeof(file) - 1);
		snprintf(name, sizeof(name), "%s", f->d_name);
		if (memmem(file, (size_t)n, bytes.data, bytes.len))
			where = name;
	}
	closedir(d);
	return where;
}

#define NOWHERE(bytes_)                                                                                                            \
	do {                                                                                                                       \
		const char *where_ = found_in(bytes_);                                                                             \
		if (where_)                                                                                                        \
			fail_msg("a secret is in %s", where_);                                                                     \
	} while (0)

static const char psk[] = "one pre-shared key", session[] = "\x01\xfe session key", hash[] = "$1$mERr$hx5rVt7rPNoS4wqbXKX7m0";

struct made {
	uint64_t psk, session, hash;
	struct keypair pair;
	uint8_t der[2048];
	size_t der_len;
};

static void put_all(struct secrets *s, struct made *m)
{
	EVP_PKEY *key = keypair_make(KEYPAIR_EC, 256);
	uint8_t *at = m->der;

	assert_int_equal(secrets_put(s, SECRET_SHARED, text(psk), &m->psk), ERR_OK);
	assert_int_equal(secrets_put(s, SECRET_SESSION, text(session), &m->session), ERR_OK);
	assert_int_equal(secrets_put(s, SECRET_HASH, text(hash), &m->hash), ERR_OK);
	m->pair = (struct keypair){ .label = "R1" };
	assert_int_equal(keypair_put(s, &m->pair, key), ERR_OK);
	m->der_len = (size_t)i2d_PrivateKey(key, &at);
	EVP_PKEY_free(key);
}

static void is(struct secrets *s, uint64_t id, const char *want)
{
	struct secret v;

	assert_int_equal(secrets_get(s, id, &v), ERR_OK);
	assert_int_equal(v.len, strlen(want));
	assert_memory_equal(v.bytes, want, v.len);
}

static void all_there(struct secrets *s, const struct made *m)
{
	EVP_PKEY *key = NULL;

	is(s, m->psk, psk);
	is(s, m->session, session);
	is(s, m->hash, hash);
	assert_int_equal(keypair_private(s, m->pair.id, &key), ERR_OK);
	EVP_PKEY_free(key);
}

static void files_tell_nothing(const struct made *m, struct span machine)
{
	NOWHERE(text(psk));
	NOWHERE(text(session));
	NOWHERE(text(hash + 3));
	NOWHERE(span_of(m->der + 7, 32)); /* SEC 1: the private number stands there */
	NOWHERE(machine);
}

static void nothing_is_in_clear(void **state)
{
	struct secrets *s;
	struct made m;
	struct span machine;
	uint8_t master[SEAL_KEY_LEN];

	(void)state;
	assert_int_equal(secrets_open(&s, path, false), ERR_OK);
	machine = span_of(s->machine, sizeof(s->machine));
	put_all(s, &m);
	all_there(s, &m);
	files_tell_nothing(&m, machine);
	assert_int_equal(master_key(s, master), ERR_OK);
	NOWHERE(span_of(master, sizeof(master)));
	assert_int_equal(secrets_master_set(s, text("a passphrase")), ERR_OK);
	all_there(s, &m);
	files_tell_nothing(&m, machine);
	assert_int_equal(master_key(s, master), ERR_OK);
	NOWHERE(span_of(master, sizeof(master)));
	NOWHERE(text("a passphrase"));
	/* Nor does a journal tell, in the middle of a change. */
	assert_int_equal(keysdb_begin(s), ERR_OK);
	assert_int_equal(keysdb_run(s, "DELETE FROM secret", NO_BINDS), ERR_OK);
	sqlite3_db_cacheflush(s->db);
	snprintf(path + strlen(path), 16, "-journal");
	assert_int_equal(access(path, R_OK), 0);
	path[strlen(path) - 8] = '\0';
	files_tell_nothing(&m, machine);
	assert_int_equal(keysdb_end(s, ERR_INVALID), ERR_INVALID);
	all_there(s, &m);
	secrets_close(s);
}

static void another_machine_key_opens_nothing(void **state)
{
	struct secrets *s;
	struct made m;
	char key[96];
	int fd;

	(void)state;
	assert_int_equal(secrets_open(&s, path, false), ERR_OK);
	put_all(s, &m);
	secrets_close(s);
	snprintf(key, sizeof(key), "%s/machine.key", dir);
	assert_int_equal(unlink(key), 0);
	assert_int_equal(secrets_open(&s, path, false), ERR_AUTH);
	assert_int_equal(access(key, F_OK), -1); /* no new one is made for it */
	fd = open(key, O_WRONLY | O_CREAT, 0600);
	assert_int_equal(write(fd, m.der, SEAL_KEY_LEN), SEAL_KEY_LEN);
	close(fd);
	assert_int_equal(secrets_open(&s, path, false), ERR_AUTH);
	assert_int_equal(truncate(key, 10), 0);
	assert_int_equal(secrets_open(&s, path, false), ERR_INVALID);
}

/* As version 1 wrote it; returns the private key's DER. */
static void version_1(struct made *m, uint8_t master[SEAL_KEY_LEN])
{
	EVP_PKEY *key = keypair_make(KEYPAIR_EC, 256);
	uint8_t *at = m->der, sealed[2048 + SEAL_EXTRA];
	struct secrets s = { 0 };

	m->der_len = (size_t)i2d_PrivateKey(key, &at);
	memset(master, 7, SEAL_KEY_LEN);
	assert_int_equal(seal(master, span_of(m->der, m->der_len), sealed), ERR_OK);
	assert_int_equal(sqlite3_open(path, &s.db), SQLITE_OK);
	assert_int_equal(
		sqlite3_exec(s.db,
			"CREATE TABLE secret(id INTEGER PRIMARY KEY AUTOINCREMENT, value BLOB NOT NULL, "
			"session INTEGER NOT NULL DEFAULT 0 CHECK(session IN (0, 1)), UNIQUE(value, session)) STRICT;"
			"CREATE TABLE keypair(id INTEGER PRIMARY KEY AUTOINCREMENT, label TEXT NOT NULL,"
			" type INTEGER NOT NULL CHECK(type IN (1, 2)), exportable INTEGER NOT NULL, bits INTEGER NOT NULL,"
			" made_us INTEGER NOT NULL, public BLOB NOT NULL, private BLOB NOT NULL, UNIQUE(label, type)) STRICT;"
			"CREATE TABLE master(id INTEGER PRIMARY KEY CHECK(id = 1), key BLOB NOT NULL) STRICT;"
			"PRAGMA user_version = 1",
			NULL, NULL, NULL),
		SQLITE_OK);
	assert_int_equal(keysdb_run(&s, "INSERT INTO master VALUES(1, ?)", BINDS(BYTES(span_of(master, SEAL_KEY_LEN)))), ERR_OK);
	assert_int_equal(keysdb_run(&s, "INSERT INTO secret VALUES(3, ?, 0), (4, ?, 1), (5, ?, 0), (9, ?, 0)",
				 BINDS(BYTES(text(psk)), BYTES(text(session)), BYTES(text(hash)), BYTES(text("gone")))),
		ERR_OK);
	assert_int_equal(keysdb_run(&s, "DELETE FROM secret WHERE id = 9", NO_BINDS), ERR_OK);
	assert_int_equal(keysdb_run(&s, "INSERT INTO keypair VALUES(2, 'R1', 2, 0, 256, 5, x'00', ?)",
				 BINDS(BYTES(span_of(sealed, m->der_len + SEAL_EXTRA)))),
		ERR_OK);
	sqlite3_close(s.db);
	m->psk = 3;
	m->session = 4;
	m->hash = 5;
	m->pair.id = 2;
	EVP_PKEY_free(key);
}

static void an_old_database_is_sealed(void **state)
{
	uint8_t master[SEAL_KEY_LEN], now[SEAL_KEY_LEN];
	struct secrets *s;
	struct made m = { 0 };
	struct secret v;
	uint64_t id;

	(void)state;
	version_1(&m, master);
	assert_non_null(found_in(text(psk)));
	assert_int_equal(secrets_open(&s, path, true), ERR_BUSY);
	assert_int_equal(secrets_open(&s, path, false), ERR_OK);
	all_there(s, &m);
	files_tell_nothing(&m, span_of(s->machine, sizeof(s->machine)));
	NOWHERE(span_of(master, sizeof(master)));
	/* Type 6 texts stay true, kinds are known, ids go on. */
	assert_int_equal(master_key(s, now), ERR_OK);
	assert_memory_equal(now, master, sizeof(now));
	assert_int_equal(secrets_get_session(s, m.session, &v), ERR_OK);
	assert_int_equal(secrets_get_session(s, m.psk, &v), ERR_NOT_FOUND);
	assert_int_equal(secrets_put(s, SECRET_HASH, text(hash), &id), ERR_OK);
	assert_true(id == m.hash);
	assert_int_equal(secrets_put(s, SECRET_SHARED, text("new"), &id), ERR_OK);
	assert_true(id == 10);
	secrets_close(s);
	assert_int_equal(secrets_open(&s, path, false), ERR_OK);
	all_there(s, &m);
	secrets_close(s);
}

static const char *const passphrases[] = { "first passphrase", "second passphrase" };

#define MANY   1000 /* secrets to be sealed anew */
#define KILLED 12

static void put_many(struct secrets *s)
{
	enum err e = keysdb_begin(s);

	for (int i = 0; e == ERR_OK && i < MANY; i++) {
		char name[32];
		uint64_t id;

		snprintf(name, sizeof(name), "key %d", i);
		e = secrets_put(s, SECRET_SHARED, text(name), &id);
	}
	assert_int_equal(keysdb_end(s, e), ERR_OK);
}

/* Changes the master key for ever; says so when it has begun. */
static void change_for_ever(int said)
{
	struct secrets *s;

	if (secrets_open(&s, path, false) != ERR_OK || write(said, "", 1) != 1)
		_exit(1);
	for (int k = 1;; k = !k)
		if (secrets_master_set(s, text(passphrases[k])) != ERR_OK)
			_exit(2);
}

/* Waits until a change has begun to write. */
static void writing(const char *journal)
{
	for (int i = 0; access(journal, F_OK) != 0; i++) {
		assert_in_range(i, 0, 600000); /* a minute at least */
		usleep(100);
	}
}

/* Every second one is killed within a transaction, the others anywhere. True: it was within. */
static bool kill_one(bool within)
{
	char journal[112], byte;
	int said[2], status;
	pid_t pid;

	snprintf(journal, sizeof(journal), "%s-journal", path);
	assert_int_equal(pipe(said), 0);
	pid = fork();
	if (pid == 0)
		change_for_ever(said[1]);
	close(said[1]);
	assert_int_equal(read(said[0], &byte, 1), 1);
	close(said[0]);
	if (within)
		writing(journal);
	usleep((useconds_t)(random() % (within ? 3000 : 100000)));
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	return access(journal, F_OK) == 0;
}

/* Which of the two it is now. Every secret opens, of which each `step`th is tried. */
static int master_now(const struct made *m, unsigned step)
{
	struct secrets *s;
	struct secret v;
	int which;

	assert_int_equal(secrets_open(&s, path, false), ERR_OK);
	all_there(s, m);
	for (uint64_t id = m->hash + 1; id <= m->hash + MANY; id += step)
		assert_int_equal(secrets_get(s, id, &v), ERR_OK);
	which = secrets_master_is(s, text(passphrases[0])) == ERR_OK ? 0 : 1;
	assert_int_equal(secrets_master_is(s, text(passphrases[which])), ERR_OK);
	secrets_close(s);
	return which;
}

static void killed_while_the_master_key_changes(void **state)
{
	struct secrets *s;
	struct made m;
	unsigned seen[2] = { 0 }, within = 0;

	(void)state;
	assert_int_equal(secrets_open(&s, path, false), ERR_OK);
	put_all(s, &m);
	put_many(s);
	assert_int_equal(secrets_master_set(s, text(passphrases[0])), ERR_OK);
	secrets_close(s);
	srandom(7);
	for (int i = 0; i < KILLED || (within == 0 && i < 20 * KILLED); i++) {
		bool hit = kill_one(i % 2 != 0);

		within += hit;
		seen[master_now(&m, hit ? 1 : 100)]++;
	}
	print_message("killed %u times, %u within a change: %u and %u\n", seen[0] + seen[1], within, seen[0], seen[1]);
	assert_true(within > 0);
}

static int setup(void **state)
{
	(void)state;
	snprintf(dir, sizeof(dir), "%s/postern-sealed-XXXXXX", access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	if (!mkdtemp(dir))
		return -1;
	snprintf(path, sizeof(path), "%s/keys.db", dir);
	return 0;
}

static int teardown(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	return system(command);
}

#define IN_A_FOLDER(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_A_FOLDER(nothing_is_in_clear),
		IN_A_FOLDER(another_machine_key_opens_nothing),
		IN_A_FOLDER(an_old_database_is_sealed),
		IN_A_FOLDER(killed_while_the_master_key_changes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
