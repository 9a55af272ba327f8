/* keys.db is opened at the first question: configd may not have made it yet when we start, and may put it away and make a
 * new one (write erase). So an id that is not found is looked for once more in a fresh handle. */
#include "ikemgr/proc/keys.h"

#include "configdb/secrets.h"
#include "platform/base/env.h"
#include "platform/base/log.h"
#include "platform/base/secret.h"

#include <stdio.h>
#include <string.h>

struct keys {
	struct loop *loop;
	char path[256];
	struct secrets *db;
	struct msg_conn *conn;
	uint8_t nobody[32]; /* the key of identities that are not known */
};

typedef enum err (*secret_get)(struct secrets *s, uint64_t id, struct secret *out);

static enum err secret_of(struct keys *k, secret_get get, uint64_t id, struct secret *out)
{
	enum err e = ERR_NOT_FOUND;

	for (int attempt = 0; attempt < 2; attempt++) {
		if (!k->db) {
			e = secrets_open(&k->db, k->path, true);
			if (e != ERR_OK)
				return e;
		}
		e = get(k->db, id, out);
		if (e == ERR_OK)
			return e;
		secrets_close(k->db);
		k->db = NULL;
	}
	return e;
}

/* Id 0 takes the same way through the database as a key that is there, so that the time tells nothing. */
static enum err secret_or_nobody(struct keys *k, uint64_t id, struct secret *out)
{
	if (id != 0)
		return secret_of(k, secrets_get, id, out);
	if (k->db && secrets_get(k->db, id, out) == ERR_OK)
		secret_wipe(out);
	return secret_set(out, span_of(k->nobody, sizeof(k->nobody)));
}

static enum err skeyid(struct keys *k, const struct ike_skeyid_request *q, struct keys_skeyid *out)
{
	struct secret psk, mac;
	enum err e;

	if (q->ni_len > sizeof(q->ni) || q->nr_len > sizeof(q->nr))
		return ERR_INVALID;
	e = secret_or_nobody(k, q->secret_id, &psk);
	if (e != ERR_OK)
		return e;
	e = prf_hmac(q->prf, secret_span(&psk), SPANS(span_of(q->ni, q->ni_len), span_of(q->nr, q->nr_len)), &mac);
	secret_wipe(&psk);
	if (e != ERR_OK)
		return e;
	if (mac.len <= sizeof(out->bytes)) {
		memcpy(out->bytes, mac.bytes, mac.len);
		out->len = (uint8_t)mac.len;
	} else {
		e = ERR_CRYPTO;
	}
	secret_wipe(&mac);
	return e;
}

/* Keys of IPsec SAs that were set by hand, and nothing else: an id of a pre-shared key is not found. */
static enum err session_key(struct keys *k, uint64_t id, uint8_t out[DP_KEY_MAX], uint8_t *len)
{
	struct secret key;
	enum err e = id ? secret_of(k, secrets_get_session, id, &key) : ERR_OK;

	if (!id || e != ERR_OK)
		return e;
	if (key.len <= DP_KEY_MAX) {
		memcpy(out, key.bytes, key.len);
		*len = (uint8_t)key.len;
	} else {
		e = ERR_RANGE;
	}
	secret_wipe(&key);
	return e;
}

static void on_session(struct keys *k, struct msg_conn *c, struct msg *m)
{
	struct keys_session_question q;
	struct keys_session a = { 0 };
	enum err e = ERR_INVALID;

	if (m->body.len == sizeof(q)) {
		memcpy(&q, m->body.data, sizeof(q));
		a.serial = q.serial;
		e = session_key(k, q.request.cipher_id, a.keys.cipher, &a.keys.cipher_len);
		if (e == ERR_OK)
			e = session_key(k, q.request.auth_id, a.keys.auth, &a.keys.auth_len);
	}
	if (e != ERR_OK)
		wipe(&a.keys, sizeof(a.keys));
	if (msg_answer(c, m, e, 0, span_of(&a, sizeof(a))) != ERR_OK)
		loop_stop(k->loop, 1);
	wipe(&a, sizeof(a));
}

/* What is done with a key pair of keys.db. */
typedef enum err (*pair_use)(struct secrets *db, const void *question, void *answer);

static enum err use_sign(struct secrets *db, const void *question, void *answer)
{
	struct keys_signature *out = answer;

	return keys_sign(db, question, out->bytes, &out->len);
}

static enum err use_unwrap(struct secrets *db, const void *question, void *answer)
{
	struct keys_unwrapped *out = answer;

	return keys_unwrap(db, question, out->key, &out->len);
}

/* Twice, as with the secrets: the first handle may be one of a file that was put away. */
static enum err with_pair(struct keys *k, pair_use use, const void *question, void *answer)
{
	enum err e = ERR_NOT_FOUND;

	for (int attempt = 0; attempt < 2; attempt++) {
		if (!k->db) {
			e = secrets_open(&k->db, k->path, true);
			if (e != ERR_OK)
				return e;
		}
		e = use(k->db, question, answer);
		if (e == ERR_OK)
			return e;
		secrets_close(k->db);
		k->db = NULL;
	}
	return e;
}

static void on_sign(struct keys *k, struct msg_conn *c, struct msg *m)
{
	struct keys_sign_question q;
	struct keys_signature a = { 0 };
	enum err e = ERR_INVALID;

	if (m->body.len == sizeof(q)) {
		memcpy(&q, m->body.data, sizeof(q));
		a.serial = q.serial;
		e = with_pair(k, use_sign, &q.request, &a);
	}
	if (e != ERR_OK)
		log_msg("CRYPTO", LOG_SEV_ERROR, "KEYSTORE", "A private key could not be used: %s", err_text(e));
	if (msg_answer(c, m, e, 0, span_of(&a, sizeof(a))) != ERR_OK)
		loop_stop(k->loop, 1);
}

static void on_unwrap(struct keys *k, struct msg_conn *c, struct msg *m)
{
	struct keys_unwrap_question q;
	struct keys_unwrapped a = { 0 };
	enum err e = ERR_INVALID;

	if (m->body.len == sizeof(q)) {
		memcpy(&q, m->body.data, sizeof(q));
		a.serial = q.serial;
		e = with_pair(k, use_unwrap, &q, &a);
	}
	if (msg_answer(c, m, e, 0, span_of(&a, sizeof(a))) != ERR_OK)
		loop_stop(k->loop, 1);
	wipe(&a, sizeof(a));
}

static void on_question(void *ctx, struct msg_conn *c, struct msg *m)
{
	struct keys *k = ctx;
	struct keys_question q;
	struct keys_skeyid a = { 0 };
	enum err e = ERR_INVALID;

	if (m->head.type == KEYS_SIGN) {
		on_sign(k, c, m);
		return;
	}
	if (m->head.type == KEYS_UNWRAP) {
		on_unwrap(k, c, m);
		return;
	}
	if (m->head.type == KEYS_SESSION) {
		on_session(k, c, m);
		return;
	}
	if (m->head.type == KEYS_SKEYID && m->body.len == sizeof(q)) {
		memcpy(&q, m->body.data, sizeof(q));
		a.serial = q.serial;
		e = skeyid(k, &q.request, &a);
	}
	if (e == ERR_AUTH)
		log_msg("CRYPTO", LOG_SEV_ERROR, "KEYSTORE",
			"A pre-shared key is encrypted with a master key that was deleted: set it again, or the key");
	else if (e != ERR_OK && e != ERR_NOT_FOUND)
		log_msg("CRYPTO", LOG_SEV_ERROR, "KEYSTORE", "The store of pre-shared keys gave no key: %s", err_text(e));
	if (msg_answer(c, m, e, 0, span_of(&a, sizeof(a))) != ERR_OK)
		loop_stop(k->loop, 1);
	wipe(&a, sizeof(a));
}

static void on_closed(void *ctx, struct msg_conn *c)
{
	struct keys *k = ctx;

	(void)c;
	k->conn = NULL; /* it is freed after this call */
	loop_stop(k->loop, 0);
}

static void on_life(void *ctx, int fd, int what)
{
	struct keys *k = ctx;

	(void)fd;
	(void)what;
	loop_stop(k->loop, 0);
}

int keys_serve(int fd, int life, const char *data_dir)
{
	static const struct msg_handlers handlers = { .message = on_question, .closed = on_closed };
	struct keys k = { .loop = loop_new() };
	struct loop_fd *watch = NULL;
	int status = 1;

	env_system.random(env_system.ctx, k.nobody, sizeof(k.nobody));
	if ((size_t)snprintf(k.path, sizeof(k.path), "%s/keys.db", data_dir) >= sizeof(k.path) || !k.loop)
		goto out;
	watch = loop_fd_add(k.loop, life, LOOP_READ, on_life, &k);
	k.conn = msg_adopt(k.loop, fd, &handlers, &k);
	if (watch && k.conn && loop_signals(k.loop, NULL, NULL) == ERR_OK)
		status = loop_run(k.loop);
out:
	msg_close(k.conn);
	loop_fd_del(watch);
	secrets_close(k.db);
	wipe(k.nobody, sizeof(k.nobody));
	loop_free(k.loop);
	return status;
}
