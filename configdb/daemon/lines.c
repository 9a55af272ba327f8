/* Lines of configuration, the configurations as text, and copies between them. */
#include "configd.h"

#include "apply.h"
#include "inventory.h"
#include "platform/base/log.h"
#include "platform/base/mem.h"
#include "platform/base/secret.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define NVRAM_BYTES 262144
#define TEXT_CHUNK  (32 * 1024)
#define FILE_MAX    (8 << 20)

static void status_only(struct client *c, const struct msg *m, enum err e)
{
	msg_reply(c->conn, m, e, 0, span_of(NULL, 0));
}

void line_commit(struct client *c, struct msg *m)
{
	struct cfgm_line in = { 0 };
	struct cfgm_result out = { 0 };
	struct store_who who;
	unsigned tables = 0;

	memcpy(&in, m->body.data, m->body.len);
	if (m->body.data[m->body.len - 1] != '\0' || !memchr(in.at.context, '\0', sizeof(in.at.context)) ||
		in.at.mode <= MODE_EXEC || in.at.mode >= MODE_COUNT) {
		status_only(c, m, ERR_INVALID);
		goto out;
	}
	session_store_who(c, &who);
	store_line(c->d->store, c->s.privilege, &in, &who, &out, &tables);
	c->changed |= out.changed || tables;
	/* Subscribers hear of it before the answer is sent: what the console asks next finds them told. */
	configd_changed(c->d, tables);
	msg_reply(c->conn, m, ERR_OK, 0, span_of(&out, sizeof(out)));
out:
	wipe(&in, sizeof(in));
}

void line_log_configured(struct client *c)
{
	char who[256];

	if (!c->changed)
		return;
	c->changed = false;
	session_who(c, who);
	log_msg("SYS", LOG_SEV_NOTICE, "CONFIG_I", "Configured from console by %s", who);
}

void line_config_end(struct client *c, struct msg *m)
{
	line_log_configured(c);
	status_only(c, m, ERR_OK);
}

/* ---- Texts ---- */

/* "! Last configuration change at 19:09:32 UTC Mon Nov 23 2026 by admin", or nothing. */
static void last_change(struct store *s, char *out, size_t size)
{
	struct store_change change;
	struct tm tm;
	time_t t;
	char when[64];

	out[0] = '\0';
	if (store_last_change(s, &change) != ERR_OK || !change.wall_us)
		return;
	t = (time_t)(change.wall_us / 1000000);
	gmtime_r(&t, &tm);
	strftime(when, sizeof(when), "%H:%M:%S UTC %a %b %e %Y", &tm);
	snprintf(out, size, "!\n! Last configuration change at %s%s%s\n", when, change.user[0] ? " by " : "", change.user);
}

static enum err send_text(struct client *c, const struct msg *m, const char *text)
{
	size_t left = strlen(text);
	enum err e = ERR_OK;

	while (left && e == ERR_OK) {
		size_t n = left < TEXT_CHUNK ? left : TEXT_CHUNK;

		e = msg_answer(c->conn, m, ERR_OK, MSG_FLAG_MORE, span_of(text, n));
		text += n;
		left -= n;
	}
	return e;
}

/* What stands above the text, and the text. */
static enum err print_store(struct client *c, const struct msg *m, struct store *s, const struct cfgm_text *q)
{
	bool whole = !q->interface[0];
	char change[256] = "", head[512];
	char *text = NULL;
	const char *body;
	size_t bytes;
	enum err e = store_text(s, q->all, whole ? NULL : q->interface, &text);

	if (e != ERR_OK)
		return e;
	if (whole)
		last_change(s, change, sizeof(change));
	/* One "!" between head and body, whoever wrote it. */
	body = strncmp(text, "!\n", 2) == 0 ? text + 2 : text;
	bytes = strlen(change) + 2 + strlen(body);
	if (q->what == CFGM_STARTUP)
		snprintf(head, sizeof(head), "Using %zu out of %d bytes\n%s!\n", bytes, NVRAM_BYTES, change);
	else
		snprintf(
			head, sizeof(head), "Building configuration...\n\nCurrent configuration : %zu bytes\n%s!\n", bytes, change);
	e = send_text(c, m, head);
	if (e == ERR_OK)
		e = send_text(c, m, body);
	mem_free(text);
	return e;
}

void line_text(struct client *c, struct msg *m)
{
	struct configd *d = c->d;
	struct store *copy;
	struct cfgm_text q;
	enum err e;

	memcpy(&q, m->body.data, sizeof(q));
	if (q.what > CFGM_STARTUP || !memchr(q.interface, '\0', sizeof(q.interface))) {
		status_only(c, m, ERR_INVALID);
		return;
	}
	if (q.what == CFGM_RUNNING) {
		status_only(c, m, print_store(c, m, d->store, &q));
		return;
	}
	e = startup_load(&d->startup, d->secrets, &copy);
	if (e == ERR_NOT_FOUND) {
		e = send_text(c, m, "startup-config is not present\n");
	} else if (e == ERR_OK) {
		e = print_store(c, m, copy, &q);
		store_close(copy);
	}
	status_only(c, m, e);
}

/* ---- Copies ---- */

struct copying {
	struct client *c;
	const struct msg *m;
};

static void send_bad_line(void *ctx, const struct cfgm_file_error *e)
{
	struct copying *k = ctx;
	enum err sent = msg_answer(k->c->conn, k->m, ERR_OK, MSG_FLAG_MORE, span_of(e, sizeof(*e)));

	(void)sent; /* an asker who does not read his answers learns the status at least, or loses the connection */
}

static enum err merge(struct client *c, const struct msg *m, const char *text, size_t len, bool atomic, const char *from)
{
	struct store_who who;
	struct copying k = { c, m };
	struct apply a = { .store = c->d->store, .who = &who, .bad = send_bad_line, .ctx = &k };
	char by[256];
	enum err e;

	session_store_who(c, &who);
	e = apply_text(&a, text, len, atomic);
	if (!a.tables)
		return e;
	session_who(c, by);
	log_msg("SYS", LOG_SEV_NOTICE, "CONFIG_I", "Configured from %s by %s", from, by);
	configd_changed(c->d, a.tables);
	return e;
}

static enum err startup_to_running(struct client *c, const struct msg *m)
{
	struct store *copy;
	char *text = NULL;
	enum err e = startup_load(&c->d->startup, c->d->secrets, &copy);

	if (e != ERR_OK)
		return e;
	e = store_text(copy, false, NULL, &text);
	store_close(copy);
	if (e != ERR_OK)
		return e;
	/* A card may be missing: its lines are kept for when it is back. */
	store_ask_box(c->d->store, NULL, NULL);
	e = merge(c, m, text, strlen(text), false, "memory");
	store_ask_box(c->d->store, inventory_has, c->d->run_dir);
	mem_free_secret(text, strlen(text));
	return e;
}

/* The text of a descriptor that came with the message. Only of a regular file: nothing else may make the loop wait. */
static enum err file_to_running(struct client *c, const struct msg *m, int fd, bool atomic)
{
	struct stat st;
	char *text;
	size_t len = 0;
	ssize_t n = 1;
	enum err e;

	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return ERR_INVALID;
	if (st.st_size > FILE_MAX)
		return ERR_LIMIT;
	text = mem_zalloc((size_t)st.st_size + 1);
	if (!text)
		return ERR_NOMEM;
	while (len < (size_t)st.st_size && (n = pread(fd, text + len, (size_t)st.st_size - len, (off_t)len)) > 0)
		len += (size_t)n;
	e = n < 0 ? ERR_SYS : merge(c, m, text, len, atomic, "file");
	mem_free_secret(text, (size_t)st.st_size);
	return e;
}

void line_copy(struct client *c, struct msg *m)
{
	struct cfgm_copy head;
	const char *text = (const char *)m->body.data + sizeof(head);
	size_t len = m->body.len - sizeof(head);
	enum err e;

	memcpy(&head, m->body.data, sizeof(head));
	switch (head.kind) {
	case CFGM_RUN_TO_START:
		e = startup_save(&c->d->startup, c->d->store);
		break;
	case CFGM_START_TO_RUN:
		e = startup_to_running(c, m);
		break;
	case CFGM_TEXT_TO_RUN:
		if (m->nfds)
			e = file_to_running(c, m, m->fds[0], head.atomic);
		else
			e = merge(c, m, text, strnlen(text, len), head.atomic, "file");
		break;
	default:
		e = ERR_INVALID;
	}
	if (e == ERR_SYS)
		log_msg("SYS", LOG_SEV_ERROR, "NV_WRITE", "The configuration was not copied: %m");
	status_only(c, m, e);
}

void line_write_erase(struct client *c, struct msg *m)
{
	enum err e = startup_erase(&c->d->startup);

	if (e == ERR_OK)
		log_msg("SYS", LOG_SEV_DEBUG, "NV_BLOCK_INIT", "Initialized the geometry of nvram");
	status_only(c, m, e == ERR_NOT_FOUND ? ERR_OK : e);
}

/* Compared as text: what the running configuration says, against what a reload would bring. */
static enum err differs_from_startup(struct configd *d, bool *differs)
{
	struct store *copy = NULL;
	char *a = NULL, *b = NULL;
	enum err e = startup_load(&d->startup, d->secrets, &copy);

	if (e == ERR_NOT_FOUND)
		e = store_open(&copy, NULL, d->secrets);
	if (e == ERR_OK)
		e = store_text(copy, false, NULL, &a);
	if (e == ERR_OK)
		e = store_text(d->store, false, NULL, &b);
	if (e == ERR_OK)
		*differs = strcmp(a, b) != 0;
	mem_free(a);
	mem_free(b);
	store_close(copy);
	return e;
}

void line_dirty(struct client *c, struct msg *m)
{
	bool differs = true;
	enum err e = differs_from_startup(c->d, &differs);
	uint32_t answer = differs;

	msg_reply(c->conn, m, e, 0, e == ERR_OK ? span_of(&answer, sizeof(answer)) : span_of(NULL, 0));
}

/* The dialogue of `key config-key`; as a line of configuration it is model/master_key.c's. */
void line_master_key(struct client *c, struct msg *m)
{
	struct secrets *keys = c->d->secrets;
	struct cfgm_master_key q;
	enum err e;

	memcpy(&q, m->body.data, sizeof(q));
	if (!memchr(q.old, '\0', sizeof(q.old)) || !memchr(q.passphrase, '\0', sizeof(q.passphrase))) {
		e = ERR_INVALID;
	} else if (!q.passphrase[0]) {
		e = secrets_master_known(keys) ? ERR_OK : ERR_NOT_FOUND;
	} else {
		e = secrets_master_is(keys, span_of(q.old, strlen(q.old)));
		if (e == ERR_OK || e == ERR_NOT_FOUND)
			e = secrets_master_set(keys, span_of(q.passphrase, strlen(q.passphrase)));
	}
	wipe(&q, sizeof(q));
	status_only(c, m, e);
}
