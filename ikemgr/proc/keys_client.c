/* The proto process's end of the conversation with the keys process. */
#include "ikemgr/proc/keys.h"

#include "platform/base/mem.h"
#include "platform/base/secret.h"

#include <string.h>

struct keys_client {
	struct msg_conn *conn;
	keys_answer answer;
	keys_answer signature;
	keys_answer unwrapped;
	keys_session_answer session;
	void (*lost)(void *ctx);
	void *ctx;
};

static void on_session(struct keys_client *c, struct msg *m)
{
	struct keys_session a;
	enum err e = (enum err)m->head.status;

	if (!c->session || m->body.len != sizeof(a))
		return;
	memcpy(&a, m->body.data, sizeof(a));
	if (e == ERR_OK && (a.keys.cipher_len > sizeof(a.keys.cipher) || a.keys.auth_len > sizeof(a.keys.auth)))
		e = ERR_INVALID;
	c->session(c->ctx, a.serial, e, e == ERR_OK ? &a.keys : NULL);
	wipe(&a, sizeof(a));
}

static void on_signature(struct keys_client *c, struct msg *m)
{
	struct keys_signature a;
	enum err e = (enum err)m->head.status;

	if (!c->signature || m->body.len != sizeof(a))
		return;
	memcpy(&a, m->body.data, sizeof(a));
	if (e == ERR_OK && a.len > sizeof(a.bytes))
		e = ERR_INVALID;
	c->signature(c->ctx, a.serial, e, e == ERR_OK ? span_of(a.bytes, a.len) : (struct span){ 0 });
}

static void on_unwrapped(struct keys_client *c, struct msg *m)
{
	struct keys_unwrapped a;
	enum err e = (enum err)m->head.status;

	if (!c->unwrapped || m->body.len != sizeof(a))
		return;
	memcpy(&a, m->body.data, sizeof(a));
	if (e == ERR_OK && a.len > sizeof(a.key))
		e = ERR_INVALID;
	c->unwrapped(c->ctx, a.serial, e, e == ERR_OK ? span_of(a.key, a.len) : (struct span){ 0 });
	wipe(&a, sizeof(a));
}

static void on_answer(void *ctx, struct msg_conn *conn, struct msg *m)
{
	struct keys_client *c = ctx;
	struct keys_skeyid a;
	enum err e = (enum err)m->head.status;

	(void)conn;
	if (m->head.type == KEYS_SIGN)
		on_signature(c, m);
	if (m->head.type == KEYS_UNWRAP)
		on_unwrapped(c, m);
	if (m->head.type == KEYS_SESSION)
		on_session(c, m);
	if (m->head.type != KEYS_SKEYID || m->body.len != sizeof(a))
		return;
	memcpy(&a, m->body.data, sizeof(a));
	if (e == ERR_OK && a.len > sizeof(a.bytes))
		e = ERR_INVALID;
	c->answer(c->ctx, a.serial, e, e == ERR_OK ? span_of(a.bytes, a.len) : (struct span){ 0 });
	wipe(&a, sizeof(a));
}

static void on_lost(void *ctx, struct msg_conn *conn)
{
	struct keys_client *c = ctx;

	(void)conn;
	c->conn = NULL;
	c->lost(c->ctx);
}

struct keys_client *keys_client_new(struct loop *l, int fd, keys_answer answer, void (*lost)(void *ctx), void *ctx)
{
	static const struct msg_handlers handlers = { .message = on_answer, .closed = on_lost };
	struct keys_client *c = mem_zalloc(sizeof(*c));

	if (!c)
		return NULL;
	*c = (struct keys_client){ .answer = answer, .lost = lost, .ctx = ctx };
	c->conn = msg_adopt(l, fd, &handlers, c);
	if (!c->conn) {
		mem_free(c);
		return NULL;
	}
	return c;
}

void keys_client_free(struct keys_client *c)
{
	if (!c)
		return;
	msg_close(c->conn);
	mem_free(c);
}

enum err keys_ask(struct keys_client *c, uint64_t serial, const struct ike_skeyid_request *request)
{
	struct keys_question q = { .serial = serial, .request = *request };

	return c->conn ? msg_send(c->conn, KEYS_SKEYID, 1, ERR_OK, 0, span_of(&q, sizeof(q))) : ERR_CLOSED;
}

void keys_client_sessions(struct keys_client *c, keys_session_answer answer)
{
	c->session = answer;
}

enum err keys_ask_session(struct keys_client *c, uint64_t serial, const struct ike_session_request *request)
{
	struct keys_session_question q = { .serial = serial, .request = *request };

	return c->conn ? msg_send(c->conn, KEYS_SESSION, 1, ERR_OK, 0, span_of(&q, sizeof(q))) : ERR_CLOSED;
}

void keys_client_unwrapped(struct keys_client *c, keys_answer answer)
{
	c->unwrapped = answer;
}

enum err keys_ask_unwrap(struct keys_client *c, uint64_t serial, uint64_t key_id, struct span wrapped)
{
	struct keys_unwrap_question q = { .serial = serial, .key_id = key_id, .len = (uint16_t)wrapped.len };

	if (wrapped.len > sizeof(q.wrapped))
		return ERR_RANGE;
	memcpy(q.wrapped, wrapped.data, wrapped.len);
	return c->conn && c->unwrapped ? msg_send(c->conn, KEYS_UNWRAP, 1, ERR_OK, 0, span_of(&q, sizeof(q))) : ERR_CLOSED;
}

void keys_client_signatures(struct keys_client *c, keys_answer answer)
{
	c->signature = answer;
}

enum err keys_ask_sign(struct keys_client *c, uint64_t serial, const struct ike_sign_request *request)
{
	struct keys_sign_question q = { .serial = serial, .request = *request };

	return c->conn && c->signature ? msg_send(c->conn, KEYS_SIGN, 1, ERR_OK, 0, span_of(&q, sizeof(q))) : ERR_CLOSED;
}
