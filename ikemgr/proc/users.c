/* See users.h. The password stands in one message, which the sender and configd wipe. */
#include "ikemgr/proc/users.h"

#include "configdb/configdb.h"
#include "platform/base/mem.h"
#include "platform/base/secret.h"

#include <stdio.h>
#include <string.h>

struct question {
	struct question *next;
	struct users *users;
	uint64_t serial;
	struct msg_conn *conn; /* NULL: it could not be asked, or was answered */
	struct loop_timer *end;
	enum err e;
};

struct users {
	struct loop *loop;
	char path[108];
	users_answer answer;
	void *ctx;
	struct question *open;
	unsigned n;
};

static void question_free(struct question *q)
{
	struct question **at = &q->users->open;

	while (*at != q)
		at = &(*at)->next;
	*at = q->next;
	q->users->n--;
	msg_close(q->conn);
	loop_timer_free(q->end);
	mem_free(q);
}

/* On the loop: the answer, whatever it was. */
static void question_end(void *ctx)
{
	struct question *q = ctx;
	struct users *u = q->users;
	uint64_t serial = q->serial;
	enum err e = q->e;

	question_free(q);
	u->answer(u->ctx, serial, e);
}

static void on_message(void *ctx, struct msg_conn *c, struct msg *m)
{
	struct question *q = ctx;

	(void)c;
	if (m->head.type != CFGM_CHECK_SECRET)
		return;
	q->e = (enum err)m->head.status;
	loop_timer_set(q->end, 0);
}

static void on_closed(void *ctx, struct msg_conn *c)
{
	struct question *q = ctx;

	(void)c;
	q->conn = NULL; /* it is freed after this call */
	loop_timer_set(q->end, 0);
}

static enum err ask(struct question *q, const char *user, const char *password)
{
	static const struct msg_handlers handlers = { .message = on_message, .closed = on_closed };
	struct cfgm_login login = { 0 };
	enum err e;

	if (strlen(user) >= sizeof(login.user) || strlen(password) >= sizeof(login.password))
		return ERR_AUTH;
	q->conn = msg_connect(q->users->loop, q->users->path, &handlers, q);
	if (!q->conn)
		return ERR_CLOSED;
	snprintf(login.user, sizeof(login.user), "%s", user);
	snprintf(login.password, sizeof(login.password), "%s", password);
	e = msg_send(q->conn, CFGM_CHECK_SECRET, 1, ERR_OK, 0, span_of(&login, sizeof(login)));
	wipe(&login, sizeof(login));
	return e;
}

void users_check(struct users *u, uint64_t serial, const char *user, const char *password)
{
	struct question *q = mem_zalloc(sizeof(*q));

	/* Without memory there is no answer: the negotiation's own timer ends it. */
	if (!q)
		return;
	*q = (struct question){ .users = u, .serial = serial, .e = ERR_CLOSED };
	q->end = loop_timer_new(u->loop, question_end, q);
	if (!q->end) {
		mem_free(q);
		return;
	}
	q->next = u->open;
	u->open = q;
	u->n++;
	q->e = u->n > USERS_MAX ? ERR_LIMIT : ask(q, user, password);
	if (q->e != ERR_OK)
		loop_timer_set(q->end, 0);
	else
		q->e = ERR_CLOSED; /* until it answers */
}

struct users *users_new(struct loop *l, const char *run_dir, users_answer answer, void *ctx)
{
	struct users *u = mem_zalloc(sizeof(*u));

	if (!u || !msg_path(u->path, run_dir, CONFIGD_SOCKET)) {
		mem_free(u);
		return NULL;
	}
	u->loop = l;
	u->answer = answer;
	u->ctx = ctx;
	return u;
}

void users_free(struct users *u)
{
	if (!u)
		return;
	while (u->open)
		question_free(u->open);
	mem_free(u);
}
