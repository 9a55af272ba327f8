/* The keys process: SKEYID, and keys that were set by hand; no pre-shared key comes out of it. */
#include "fake.h"
#include "configdb/secrets.h"
#include "ikemgr/proc/keys.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct fixture {
	struct loop *loop;
	char *folder;
	struct secrets *db;
	pthread_t thread;
	int life[2], theirs, status;
	struct keys_client *client;
	bool answered, lost;
	uint64_t serial;
	enum err e;
	struct secret skeyid;
};

static void on_answer(void *ctx, uint64_t serial, enum err e, struct span skeyid)
{
	struct fixture *f = ctx;

	f->answered = true;
	f->serial = serial;
	f->e = e;
	assert_int_equal(secret_set(&f->skeyid, skeyid), ERR_OK);
}

static void on_lost(void *ctx)
{
	struct fixture *f = ctx;

	f->lost = true;
}

static void *serve(void *ctx)
{
	struct fixture *f = ctx;

	f->status = keys_serve(f->theirs, f->life[0], f->folder);
	return NULL;
}

static int setup(void **state)
{
	static struct fixture f;
	int pair[2];
	char path[256];

	f = (struct fixture){ .loop = loop_new(), .folder = folder_make(), .status = -1 };
	snprintf(path, sizeof(path), "%s/keys.db", f.folder);
	assert_int_equal(secrets_open(&f.db, path, false), ERR_OK);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
	assert_int_equal(pipe(f.life), 0);
	f.theirs = pair[1];
	f.client = keys_client_new(f.loop, pair[0], on_answer, on_lost, &f);
	assert_non_null(f.client);
	assert_int_equal(pthread_create(&f.thread, NULL, serve, &f), 0);
	*state = &f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	close(f->life[1]);
	pthread_join(f->thread, NULL);
	assert_int_equal(f->status, 0);
	loop_until(f->loop, &f->lost);
	close(f->life[0]);
	keys_client_free(f->client);
	secrets_close(f->db);
	loop_free(f->loop);
	folder_remove(f->folder);
	return 0;
}

static void ask(struct fixture *f, uint64_t serial, uint64_t id)
{
	struct ike_skeyid_request q = { .secret_id = id, .prf = HASH_SHA256, .ni_len = 8, .nr_len = 20 };

	memset(q.ni, 'i', q.ni_len);
	memset(q.nr, 'r', q.nr_len);
	f->answered = false;
	assert_int_equal(keys_ask(f->client, serial, &q), ERR_OK);
	loop_until(f->loop, &f->answered);
	assert_int_equal(f->serial, serial);
}

static void skeyid(void **state)
{
	struct fixture *f = *state;
	struct secret want;
	uint64_t id = 0;

	assert_int_equal(secrets_put(f->db, SECRET_SHARED, span_of("a shared key", 12), &id), ERR_OK);
	ask(f, 41, id);
	assert_int_equal(f->e, ERR_OK);
	assert_int_equal(
		prf_hmac(HASH_SHA256, span_of("a shared key", 12), SPANS(span_of("iiiiiiiirrrrrrrrrrrrrrrrrrrr", 28)), &want),
		ERR_OK);
	assert_true(span_equal(secret_span(&want), secret_span(&f->skeyid)));
	/* A key of later is found, too. */
	assert_int_equal(secrets_put(f->db, SECRET_SHARED, span_of("another", 7), &id), ERR_OK);
	ask(f, 42, id);
	assert_int_equal(f->e, ERR_OK);
	assert_false(span_equal(secret_span(&want), secret_span(&f->skeyid)));
}

static enum err session_e;
static bool session_answered;
static struct ike_session_keys session_keys;

static void on_session(void *ctx, uint64_t serial, enum err e, const struct ike_session_keys *keys)
{
	(void)ctx;
	assert_int_equal(serial, 77);
	session_answered = true;
	session_e = e;
	assert_true((keys != NULL) == (e == ERR_OK));
	if (keys != NULL)
		session_keys = *keys;
}

static void ask_session(struct fixture *f, uint64_t cipher_id, uint64_t auth_id)
{
	struct ike_session_request q = { cipher_id, auth_id };

	session_answered = false;
	keys_client_sessions(f->client, on_session);
	assert_int_equal(keys_ask_session(f->client, 77, &q), ERR_OK);
	loop_until(f->loop, &session_answered);
}

/* Keys that were set by hand are given out; a pre-shared key is not, not even the same bytes. */
static void session(void **state)
{
	struct fixture *f = *state;
	uint64_t psk = 0, cipher = 0, auth = 0;

	assert_int_equal(secrets_put(f->db, SECRET_SHARED, span_of("0123456789abcdef", 16), &psk), ERR_OK);
	assert_int_equal(secrets_put(f->db, SECRET_SESSION, span_of("0123456789abcdef", 16), &cipher), ERR_OK);
	assert_int_equal(secrets_put(f->db, SECRET_SESSION, span_of("an authenticator", 16), &auth), ERR_OK);
	assert_int_not_equal(psk, cipher);
	ask_session(f, cipher, auth);
	assert_int_equal(session_e, ERR_OK);
	assert_true(session_keys.cipher_len == 16 && session_keys.auth_len == 16);
	assert_memory_equal(session_keys.auth, "an authenticator", 16);
	ask_session(f, 0, auth);
	assert_true(session_e == ERR_OK && session_keys.cipher_len == 0);
	ask_session(f, psk, 0);
	assert_int_equal(session_e, ERR_NOT_FOUND);
	ask_session(f, cipher, psk);
	assert_int_equal(session_e, ERR_NOT_FOUND);
}

static void unknown_key(void **state)
{
	struct fixture *f = *state;

	ask(f, 1, 12345);
	assert_int_equal(f->e, ERR_NOT_FOUND);
	assert_int_equal(f->skeyid.len, 0);
}

/* Id 0 is the key of who is not known: an answer like any other, the same for the same question, before and after there is a
 * database. */
static void nobodys_key(void **state)
{
	struct fixture *f = *state;
	struct secret first;
	uint64_t id = 0;

	ask(f, 1, 0);
	assert_int_equal(f->e, ERR_OK);
	assert_int_equal(f->skeyid.len, 32);
	first = f->skeyid;
	assert_int_equal(secrets_put(f->db, SECRET_SHARED, span_of("a shared key", 12), &id), ERR_OK);
	ask(f, 2, id);
	assert_false(span_equal(secret_span(&first), secret_span(&f->skeyid)));
	ask(f, 3, 0);
	assert_int_equal(f->e, ERR_OK);
	assert_true(span_equal(secret_span(&first), secret_span(&f->skeyid)));
}

static void lying_lengths(void **state)
{
	struct fixture *f = *state;
	struct ike_skeyid_request q = { .secret_id = 1, .prf = HASH_SHA1, .ni_len = IKE_NONCE_MAX + 1 };

	assert_int_equal(keys_ask(f->client, 5, &q), ERR_OK);
	loop_until(f->loop, &f->answered);
	assert_int_equal(f->e, ERR_INVALID);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(skeyid, setup, teardown),
		cmocka_unit_test_setup_teardown(session, setup, teardown),
		cmocka_unit_test_setup_teardown(unknown_key, setup, teardown),
		cmocka_unit_test_setup_teardown(nobodys_key, setup, teardown),
		cmocka_unit_test_setup_teardown(lying_lengths, setup, teardown),
	};

	alg_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
