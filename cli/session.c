/* Questions to configd. Each is asked once; a lost connection is made anew at the next prompt, not under a command, since
 * a line may have been committed before the answer was lost. */
#include "cli/session.h"

#include "platform/base/mem.h"
#include "platform/base/secret.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define CALL_TIMEOUT_MS 20000

void session_init(struct session *s, const char *run_dir, const char *user, const char *tty, const char *from, bool interactive)
{
	*s = (struct session){ .run_dir = run_dir, .conn = { .fd = -1 } };
	snprintf(s->who.user, sizeof(s->who.user), "%s", user);
	snprintf(s->who.tty, sizeof(s->who.tty), "%s", tty);
	snprintf(s->who.from, sizeof(s->who.from), "%s", from);
	s->who.interactive = interactive;
	s->info.privilege = 1;
	snprintf(s->info.hostname, sizeof(s->info.hostname), "Router");
}

void session_close(struct session *s)
{
	msg_sync_close(&s->conn);
	if (s->source != NULL)
		cfg_source_close(s->source);
	s->source = NULL;
}

/* A question whose answer is the session as it is now. */
static enum err call_session(struct session *s, uint32_t type, struct span body)
{
	struct cfgm_session info;
	size_t len = 0;
	enum err e = msg_sync_call(&s->conn, type, body, &info, sizeof(info), &len);

	if (e != ERR_OK)
		return e;
	if (len != sizeof(info))
		return ERR_INVALID;
	info.hostname[sizeof(info.hostname) - 1] = '\0';
	s->info = info;
	return ERR_OK;
}

static enum err try_open(struct session *s)
{
	char path[108];
	enum err e;

	if (!msg_path(path, s->run_dir, CONFIGD_SOCKET))
		return ERR_RANGE;
	e = msg_sync_open(&s->conn, path, CALL_TIMEOUT_MS);
	if (e != ERR_OK)
		return e;
	e = call_session(s, CFGM_SESSION_OPEN, span_of(&s->who, sizeof(s->who)));
	if (e != ERR_OK)
		msg_sync_close(&s->conn);
	return e;
}

enum err config_session_open(struct session *s, int wait_ms)
{
	const struct timespec pause = { 0, 100 * 1000000 };

	for (;;) {
		enum err e = try_open(s);

		if (e != ERR_CLOSED || wait_ms <= 0)
			return e;
		nanosleep(&pause, NULL);
		wait_ms -= 100;
	}
}

/* The new session begins as any other; what needed no password before needs none now. */
static enum err reopen(struct session *s)
{
	uint8_t privilege = s->info.privilege;
	enum err e = config_session_open(s, 0);

	if (e != ERR_OK)
		return e;
	s->reopened = true;
	if (privilege > s->info.privilege)
		e = config_session_enable(s, privilege, "");
	return e == ERR_CLOSED ? e : ERR_OK;
}

enum err session_refresh(struct session *s)
{
	struct cfgm_enable same = { .level = s->info.privilege };
	enum err e = call_session(s, CFGM_DISABLE, span_of(&same, sizeof(same)));

	if (e == ERR_CLOSED || s->conn.fd < 0)
		return reopen(s);
	return e;
}

enum err config_session_enable(struct session *s, uint8_t level, const char *password)
{
	struct cfgm_enable ask = { .level = level };
	enum err e;

	snprintf(ask.password, sizeof(ask.password), "%s", password);
	e = call_session(s, CFGM_ENABLE, span_of(&ask, sizeof(ask)));
	wipe(&ask, sizeof(ask));
	return e;
}

enum err config_session_disable(struct session *s, uint8_t level)
{
	struct cfgm_enable ask = { .level = level };

	return call_session(s, CFGM_DISABLE, span_of(&ask, sizeof(ask)));
}

enum err session_line(struct session *s, const struct cfg_mode_ctx *at, const char *line, struct cfgm_result *result)
{
	struct cfgm_line ask = { .at = *at };
	size_t len = strlen(line), got = 0;
	enum err e;

	if (len >= sizeof(ask.line))
		return ERR_RANGE;
	memcpy(ask.line, line, len + 1);
	e = msg_sync_call(
		&s->conn, CFGM_LINE, span_of(&ask, offsetof(struct cfgm_line, line) + len + 1), result, sizeof(*result), &got);
	wipe(&ask, sizeof(ask)); /* a line may hold a key */
	if (e == ERR_OK && got != sizeof(*result))
		return ERR_INVALID;
	result->prompt[sizeof(result->prompt) - 1] = result->text[sizeof(result->text) - 1] = '\0';
	return e;
}

enum err session_config_end(struct session *s)
{
	return msg_sync_call(&s->conn, CFGM_CONFIG_END, span_of(NULL, 0), NULL, 0, NULL);
}

struct gather {
	char *bytes;
	size_t len;
	bool failed;
};

static bool gather_bytes(void *ctx, struct span body)
{
	struct gather *g = ctx;
	char *p = mem_realloc_array(g->bytes, g->len + body.len + 1, 1);

	if (p == NULL) {
		g->failed = true;
		return false;
	}
	memcpy(p + g->len, body.data, body.len);
	g->bytes = p;
	g->len += body.len;
	p[g->len] = '\0';
	return true;
}

static enum err gathered(struct gather *g, enum err e)
{
	if (g->failed)
		e = ERR_NOMEM;
	if (e != ERR_OK) {
		mem_free(g->bytes);
		g->bytes = NULL;
	}
	return e;
}

enum err session_text(struct session *s, const struct cfgm_text *what, char **text)
{
	struct gather g = { 0 };
	enum err e = msg_sync_dump(&s->conn, CFGM_TEXT, span_of(what, sizeof(*what)), gather_bytes, &g);

	e = gathered(&g, e);
	if (e != ERR_OK)
		return e;
	*text = g.bytes != NULL ? g.bytes : mem_strdup("");
	return *text != NULL ? ERR_OK : ERR_NOMEM;
}

struct file_errors {
	void (*each)(void *ctx, const struct cfgm_file_error *e);
	void *ctx;
};

static bool file_error(void *ctx, struct span body)
{
	struct file_errors *f = ctx;
	struct cfgm_file_error e;

	if (body.len != sizeof(e))
		return true;
	memcpy(&e, body.data, sizeof(e));
	e.line[sizeof(e.line) - 1] = e.text[sizeof(e.text) - 1] = '\0';
	f->each(f->ctx, &e);
	return true;
}

/* A text too long for a message travels as a descriptor. */
static int text_fd(const char *text, size_t len)
{
	int fd = memfd_create("postern-copy", MFD_CLOEXEC);

	if (fd < 0)
		return -1;
	if (write(fd, text, len) == (ssize_t)len && lseek(fd, 0, SEEK_SET) == 0)
		return fd;
	close(fd);
	return -1;
}

enum err session_copy(struct session *s, enum cfgm_copy_kind kind, const char *text,
	void (*each)(void *ctx, const struct cfgm_file_error *e), void *ctx)
{
	struct file_errors f = { each, ctx };
	size_t len = text == NULL ? 0 : strlen(text);
	bool inside = len > 0 && len < MSG_BODY_MAX / 2;
	size_t size = sizeof(struct cfgm_copy) + (inside ? len + 1 : 0);
	struct cfgm_copy *ask = mem_zalloc(size);
	int fd = len > 0 && !inside ? text_fd(text, len) : -1;
	enum err e = ERR_NOMEM;

	if (ask != NULL) {
		ask->kind = (uint8_t)kind;
		if (inside)
			memcpy(ask->text, text, len + 1);
		e = msg_sync_dump_fd(&s->conn, CFGM_COPY, span_of(ask, size), fd, file_error, &f);
	}
	if (fd >= 0)
		close(fd);
	mem_free_secret(ask, size);
	return e;
}

enum err session_erase(struct session *s)
{
	return msg_sync_call(&s->conn, CFGM_WRITE_ERASE, span_of(NULL, 0), NULL, 0, NULL);
}

enum err session_dirty(struct session *s, bool *dirty)
{
	uint32_t answer = 0;
	enum err e = msg_sync_call(&s->conn, CFGM_DIRTY, span_of(NULL, 0), &answer, sizeof(answer), NULL);

	if (e == ERR_OK)
		*dirty = answer != 0;
	return e;
}

enum err session_list(struct session *s, struct cfgm_session **rows, size_t *n)
{
	struct gather g = { 0 };
	enum err e = gathered(&g, msg_sync_dump(&s->conn, CFGM_SESSIONS, span_of(NULL, 0), gather_bytes, &g));

	if (e != ERR_OK)
		return e;
	*rows = (struct cfgm_session *)(void *)g.bytes;
	*n = g.len / sizeof(**rows);
	return ERR_OK;
}

enum err session_master_key(struct session *s, const struct cfgm_master_key *q)
{
	return msg_sync_call(&s->conn, CFGM_MASTER_KEY, span_of(q, sizeof(*q)), NULL, 0, NULL);
}

enum err session_pki(struct session *s, enum configd_msg type, const struct cfgm_pki *q, char **text, size_t *len)
{
	struct gather g = { 0 };
	size_t used = offsetof(struct cfgm_pki, text) + strlen(q->text) + 1;
	enum err e = gathered(&g, msg_sync_dump(&s->conn, type, span_of(q, used), gather_bytes, &g));

	if (e != ERR_OK)
		return e;
	if (len)
		*len = g.len;
	if (text)
		*text = g.bytes;
	else
		mem_free(g.bytes);
	return ERR_OK;
}

enum err session_cfg(struct session *s, struct cfg **cfg)
{
	enum err e;

	if (s->source == NULL && (e = cfg_source_open(&s->source, s->run_dir)) != ERR_OK)
		return e;
	e = cfg_load(s->source, cfg);
	if (e != ERR_OK) { /* the database may have been made anew */
		cfg_source_close(s->source);
		s->source = NULL;
	}
	return e;
}
