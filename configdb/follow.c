/* The follower: connect, subscribe, load, tell; and once more when the connection is lost.
 *
 *   timer --> connect --> SUBSCRIBE --> answer --> load --> fn
 *     ^                                 REVISION --^
 *     +---- closed, or no configd yet
 *
 * The snapshot is loaded after the subscription is confirmed, so no revision can fall between the two.
 */
#include "follow.h"

#include "platform/base/mem.h"

#include <stdio.h>
#include <string.h>

#define RETRY_US      200000
#define LOAD_RETRY_US 50000
#define QUESTION_MS   500 /* for the connection, and again for the answer */

struct cfg_follow {
	struct loop *loop;
	char path[108], run_dir[108];
	cfg_follow_fn fn;
	void *ctx;
	struct msg_conn *conn;
	struct loop_timer *timer;
	struct cfg_source *source;
	struct cfg *now;
	unsigned announced; /* tables of revisions that were told, and not yet loaded */
	bool confirmed;     /* the subscription was */
};

static void lost(struct cfg_follow *f)
{
	f->conn = NULL;
	f->confirmed = false;
	cfg_source_close(f->source);
	f->source = NULL;
	loop_timer_set(f->timer, RETRY_US);
}

/* Takes over `next`, tells of it, and frees what it replaces. Callees have borrowed the one before: without a call it stays. */
static void replace(struct cfg_follow *f, struct cfg *next)
{
	struct cfg *before = f->now;
	unsigned tables = cfg_diff(before, next) | f->announced;

	f->announced = 0;
	if (!tables) {
		before->revision = next->revision;
		cfg_free(next);
		return;
	}
	f->now = next;
	f->fn(f->ctx, next, tables);
	cfg_free(before);
}

static void load(struct cfg_follow *f)
{
	struct cfg *next;

	if ((!f->source && cfg_source_open(&f->source, f->run_dir) != ERR_OK) || cfg_load(f->source, &next) != ERR_OK) {
		cfg_source_close(f->source);
		f->source = NULL;
		loop_timer_set(f->timer, LOAD_RETRY_US);
		return;
	}
	loop_timer_stop(f->timer);
	replace(f, next);
}

static void on_message(void *ctx, struct msg_conn *c, struct msg *m)
{
	struct cfg_follow *f = ctx;
	struct cfgm_revision r;

	(void)c;
	if (m->head.type == CFGM_SUBSCRIBE && m->head.status == ERR_OK) {
		f->confirmed = true;
		load(f);
	} else if (m->head.type == CFGM_REVISION && m->body.len == sizeof(r)) {
		memcpy(&r, m->body.data, sizeof(r));
		f->announced |= f->now ? r.tables & CFG_ALL : 0;
		load(f);
	}
}

static void on_closed(void *ctx, struct msg_conn *c)
{
	(void)c;
	lost(ctx);
}

static const struct msg_handlers handlers = { .message = on_message, .closed = on_closed };

static void on_timer(void *ctx)
{
	struct cfg_follow *f = ctx;

	if (f->conn) {
		if (f->confirmed)
			load(f);
		return;
	}
	f->conn = msg_connect(f->loop, f->path, &handlers, f);
	if (!f->conn) {
		loop_timer_set(f->timer, RETRY_US);
		return;
	}
	if (msg_send(f->conn, CFGM_SUBSCRIBE, 1, ERR_OK, 0, span_of(NULL, 0)) != ERR_OK) {
		msg_close(f->conn);
		lost(f);
	}
}

struct cfg_follow *cfg_follow_new(struct loop *l, const char *run_dir, cfg_follow_fn fn, void *ctx)
{
	struct cfg_follow *f = mem_zalloc(sizeof(*f));

	if (!f)
		return NULL;
	f->loop = l;
	f->fn = fn;
	f->ctx = ctx;
	f->timer = loop_timer_new(l, on_timer, f);
	snprintf(f->run_dir, sizeof(f->run_dir), "%s", run_dir);
	if (!f->timer || !msg_path(f->path, run_dir, CONFIGD_SOCKET)) {
		cfg_follow_free(f);
		return NULL;
	}
	loop_timer_set(f->timer, 0);
	return f;
}

void cfg_follow_free(struct cfg_follow *f)
{
	if (!f)
		return;
	if (f->conn)
		msg_close(f->conn);
	loop_timer_free(f->timer);
	cfg_source_close(f->source);
	cfg_free(f->now);
	mem_free(f);
}

const struct cfg *cfg_follow_now(const struct cfg_follow *f)
{
	return f->now;
}

void cfg_follow_catch_up(struct cfg_follow *f)
{
	if (f->conn)
		msg_catch_up(f->conn);
	/* configd tells of lines that follow each other fast as one: the last of them may not be told yet. */
	if (f->source && f->now)
		load(f);
}

enum err cfg_follow_check_session(struct cfg_follow *f, pid_t pid, uint8_t privilege)
{
	struct cfgm_session_query q = { .pid = (uint32_t)pid, .privilege = privilege };
	struct cfgm_session answer;
	struct msg_sync s;
	size_t len;
	enum err e = msg_sync_open(&s, f->path, QUESTION_MS);

	if (e != ERR_OK)
		return e;
	e = msg_sync_call(&s, CFGM_SESSION_PRIV, span_of(&q, sizeof(q)), &answer, sizeof(answer), &len);
	msg_sync_close(&s);
	return e;
}
