/* Sessions: a connection that says who it is, and the privilege that it holds. The privilege lives here alone; a console's
 * own idea of it decides nothing.
 *
 * What a client says of its user and line is taken from root (the console's login, sshd) and from our own uid (tests). Of any
 * other uid the user is the one of passwd, and the line is a vty: nobody becomes the console by saying so.
 */
#include "configd.h"

#include "platform/base/log.h"
#include "platform/base/secret.h"

#include <pwd.h>
#include <stdio.h>
#include <string.h>

/* A refusal is told after this long, times the failures of the connection, up to the largest. */
#define PENALTY_US     1000000
#define PENALTIES_MAX  3
#define PENALTY_CLOSES 6 /* so many failures, and the connection ends */

/* A hash that no password has: an unknown user costs the same time as a known one. */
static const char no_hash[] = "$9$..............$...........................................";

static bool text_ends(const char *s, size_t size)
{
	return memchr(s, '\0', size) != NULL;
}

static void answer(struct client *c, const struct msg *m, enum err e)
{
	c->s.idle_s = 0;
	snprintf(c->s.hostname, sizeof(c->s.hostname), "%s", configd_hostname(c->d));
	msg_reply(c->conn, m, e, 0, e == ERR_OK ? span_of(&c->s, sizeof(c->s)) : span_of(NULL, 0));
}

static bool printable(const char *s)
{
	for (; *s; s++)
		if ((unsigned char)*s < 0x20 || *s == 0x7f)
			return false;
	return true;
}

/* Whom an untrusted uid is, by passwd. */
static void name_of_uid(struct client *c)
{
	const struct passwd *p = getpwuid(msg_peer_uid(c->conn));

	snprintf(c->s.user, sizeof(c->s.user), "%s", p ? p->pw_name : "");
}

void session_open(struct client *c, struct msg *m)
{
	struct configd *d = c->d;
	struct cfgm_open o;
	char hash[128];
	uint8_t privilege;

	memcpy(&o, m->body.data, sizeof(o));
	if (!text_ends(o.user, sizeof(o.user)) || !text_ends(o.tty, sizeof(o.tty)) || !text_ends(o.from, sizeof(o.from)) ||
		!printable(o.user) || !printable(o.tty) || !printable(o.from)) {
		answer(c, m, ERR_INVALID);
		return;
	}
	/* Said a second time it is only a question: who one is does not change. */
	if (c->open) {
		answer(c, m, ERR_OK);
		return;
	}
	c->open = true;
	c->s = (struct cfgm_session){ .id = ++d->last_session, .pid = (uint32_t)msg_peer_pid(c->conn), .privilege = 1 };
	c->s.since_wall_us = d->env->wall_us(d->env->ctx);
	memcpy(c->s.user, o.user, sizeof(o.user));
	memcpy(c->s.tty, o.tty, sizeof(o.tty));
	memcpy(c->s.from, o.from, sizeof(o.from));
	if (!c->trusted) {
		name_of_uid(c);
		if (strncmp(c->s.tty, "vty ", 4) != 0)
			snprintf(c->s.tty, sizeof(c->s.tty), "vty 0");
	}
	if (c->s.user[0] && store_login(d->store, c->s.user, hash, &privilege) == ERR_OK)
		c->s.privilege = privilege;
	wipe(hash, sizeof(hash));
	answer(c, m, ERR_OK);
}

static bool on_console(const struct client *c)
{
	return strncmp(c->s.tty, "con", 3) == 0;
}

/* Has the verifier compare; session_checked() answers. */
static enum err start_check(struct client *c, const struct msg *m, const char *hash, const char *password)
{
	struct configd *d = c->d;
	enum err e;

	if (c->check || c->failures >= PENALTY_CLOSES)
		return ERR_BUSY;
	e = verifier_ask(d->verifier, d->last_check + 1, hash, span_of(password, strlen(password)));
	if (e != ERR_OK)
		return e;
	c->check = ++d->last_check;
	c->asked = m->head;
	return ERR_OK;
}

void session_enable(struct client *c, struct msg *m)
{
	struct configd *d = c->d;
	struct cfgm_enable q;
	char hash[128] = "";
	uint8_t privilege;
	enum err e;

	memcpy(&q, m->body.data, sizeof(q));
	if (!text_ends(q.password, sizeof(q.password)) || q.level > 15) {
		e = ERR_INVALID;
		goto out;
	}
	if (q.level <= c->s.privilege) {
		c->s.privilege = q.level;
		e = ERR_OK;
		goto out;
	}
	e = store_login(d->store, NULL, hash, &privilege);
	if (e == ERR_NOT_FOUND && on_console(c)) {
		c->s.privilege = q.level;
		e = ERR_OK;
	} else if (e == ERR_OK && !q.password[0]) {
		e = ERR_INCOMPLETE;
	} else if (e == ERR_OK) {
		c->asked_user[0] = '\0';
		c->asked_privilege = q.level;
		e = start_check(c, m, hash, q.password);
		if (e == ERR_OK)
			goto wait;
	}
out:
	answer(c, m, e);
wait:
	wipe(&q, sizeof(q));
	wipe(hash, sizeof(hash));
}

void session_disable(struct client *c, struct msg *m)
{
	struct cfgm_enable q;

	memcpy(&q, m->body.data, sizeof(q));
	wipe(q.password, sizeof(q.password));
	if (q.level > c->s.privilege) {
		answer(c, m, ERR_DENIED);
		return;
	}
	c->s.privilege = q.level;
	answer(c, m, ERR_OK);
}

void session_check_secret(struct client *c, struct msg *m)
{
	struct configd *d = c->d;
	struct cfgm_login q;
	char hash[128] = "";
	enum err e = ERR_INVALID;

	memcpy(&q, m->body.data, sizeof(q));
	if (text_ends(q.user, sizeof(q.user)) && text_ends(q.password, sizeof(q.password)) && q.user[0] && printable(q.user)) {
		c->asked_privilege = 1;
		e = store_login(d->store, q.user, hash, &c->asked_privilege);
		memcpy(c->asked_user, q.user, sizeof(c->asked_user));
		e = start_check(c, m, e == ERR_OK && hash[0] ? hash : no_hash, q.password);
	}
	wipe(&q, sizeof(q));
	wipe(hash, sizeof(hash));
	if (e != ERR_OK)
		msg_reply(c->conn, m, e, 0, span_of(NULL, 0));
}

/* The secret was right: the level of `enable`, or the user of a login. A login on a connection without a session only asks. */
static void granted(struct client *c, const struct msg *m)
{
	struct cfgm_session s = { .privilege = c->asked_privilege, .pid = (uint32_t)msg_peer_pid(c->conn) };

	c->failures = 0;
	if (!c->asked_user[0]) {
		c->s.privilege = c->asked_privilege;
		answer(c, m, ERR_OK);
	} else if (c->open) {
		memcpy(c->s.user, c->asked_user, sizeof(c->s.user));
		c->s.privilege = c->asked_privilege;
		answer(c, m, ERR_OK);
	} else {
		memcpy(s.user, c->asked_user, sizeof(s.user));
		snprintf(s.hostname, sizeof(s.hostname), "%s", configd_hostname(c->d));
		msg_reply(c->conn, m, ERR_OK, 0, span_of(&s, sizeof(s)));
	}
}

static void refuse(void *ctx)
{
	struct client *c = ctx;
	struct msg m = { .head = c->asked };

	c->check = 0;
	msg_reply(c->conn, &m, ERR_AUTH, 0, span_of(NULL, 0));
}

static struct client *client_of_check(struct configd *d, uint64_t serial)
{
	for (struct client *c = d->clients; c; c = c->next)
		if (c->check == serial)
			return c;
	return NULL;
}

void session_checked(void *ctx, uint64_t serial, bool right)
{
	struct client *c = client_of_check(ctx, serial);
	struct msg m;

	if (!c)
		return;
	if (right) {
		m = (struct msg){ .head = c->asked };
		c->check = 0;
		granted(c, &m);
		return;
	}
	c->failures++;
	if (!c->penalty)
		c->penalty = loop_timer_new(c->d->loop, refuse, c);
	if (c->penalty)
		loop_timer_set(c->penalty, (uint64_t)PENALTY_US * (c->failures < PENALTIES_MAX ? c->failures : PENALTIES_MAX));
	else
		client_drop(c);
}

void session_dump(struct client *c, struct msg *m)
{
	struct configd *d = c->d;
	uint64_t now = d->env->now_us(d->env->ctx);

	for (uint32_t id = 1; id <= d->last_session; id++) {
		for (const struct client *o = d->clients; o; o = o->next) {
			struct cfgm_session s = o->s;

			if (!o->open || s.id != id)
				continue;
			s.idle_s = (uint32_t)((now - o->active_us) / 1000000);
			snprintf(s.hostname, sizeof(s.hostname), "%s", configd_hostname(d));
			if (msg_answer(c->conn, m, ERR_OK, MSG_FLAG_MORE, span_of(&s, sizeof(s))) != ERR_OK)
				break;
		}
	}
	msg_reply(c->conn, m, ERR_OK, 0, span_of(NULL, 0));
}

void session_query(struct client *c, struct msg *m)
{
	struct cfgm_session_query q;
	const struct client *best = NULL;

	memcpy(&q, m->body.data, sizeof(q));
	for (const struct client *o = c->d->clients; o; o = o->next)
		if (o->open && o->s.pid == q.pid && (!best || o->s.privilege > best->s.privilege))
			best = o;
	if (!best || best->s.privilege < q.privilege)
		msg_reply(c->conn, m, ERR_DENIED, 0, span_of(NULL, 0));
	else
		msg_reply(c->conn, m, ERR_OK, 0, span_of(&best->s, sizeof(best->s)));
}

void session_who(const struct client *c, char out[256])
{
	const struct cfgm_session *s = &c->s;
	const char *number = s->tty + strcspn(s->tty, "0123456789");

	if (on_console(c) && s->user[0])
		snprintf(out, 256, "%s on console", s->user);
	else if (on_console(c))
		snprintf(out, 256, "console");
	else
		snprintf(out, 256, "%s%svty%s%s%s%s", s->user, s->user[0] ? " on " : "", number, s->from[0] ? " (" : "", s->from,
			s->from[0] ? ")" : "");
}

void session_store_who(const struct client *c, struct store_who *who)
{
	*who = (struct store_who){
		.user = c->s.user, .tty = c->s.tty, .from = c->s.from, .wall_us = c->d->env->wall_us(c->d->env->ctx)
	};
}
