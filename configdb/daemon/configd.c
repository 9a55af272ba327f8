/* The databases, the first configuration, and telling others of revisions.
 *
 * running.db is opened first of all and kept open: a reader of another uid gets snapshots only while the writer has it open.
 */
#include "configd.h"

#include "apply.h"
#include "inventory.h"
#include "pki.h"
#include "platform/base/log.h"
#include "platform/base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Revisions that follow each other faster are told as one. */
#define NOTIFY_REST_US 30000
#define INITIAL_MAX    (4 << 20)

/* ---- Revisions ---- */

static void tell(struct configd *d)
{
	struct cfgm_revision r = { .revision = store_revision(d->store), .tables = d->notify_tables };

	d->notify_tables = 0;
	for (struct client *c = d->clients, *next; c; c = next) {
		next = c->next;
		/* Who cannot take it is too far behind: he reconnects and loads anew. */
		if (c->subscribed && msg_send(c->conn, CFGM_REVISION, 0, ERR_OK, 0, span_of(&r, sizeof(r))) != ERR_OK)
			client_drop(c);
	}
}

static void notify_again(void *ctx)
{
	struct configd *d = ctx;

	d->notify_running = d->notify_tables != 0;
	if (!d->notify_running)
		return;
	tell(d);
	loop_timer_set(d->notify, NOTIFY_REST_US);
}

static void notify(struct configd *d, unsigned tables)
{
	d->notify_tables |= tables;
	if (!d->notify_running)
		notify_again(d);
}

static bool isakmp_is_on(const struct cfg *c)
{
	for (size_t i = 0; c->isakmp_enabled && i < c->ninterfaces; i++)
		if (c->interfaces[i].crypto_map[0])
			return true;
	return false;
}

static void take_snapshot(struct configd *d)
{
	struct cfg *next;

	if (!d->source && cfg_source_open(&d->source, d->run_dir) != ERR_OK)
		return;
	if (cfg_load(d->source, &next) != ERR_OK) {
		log_msg("SYS", LOG_SEV_ERROR, "CONFIG_READ", "The configuration cannot be read back");
		return;
	}
	cfg_free(d->now);
	d->now = next;
}

static void log_isakmp(struct configd *d)
{
	bool on = d->now && isakmp_is_on(d->now);

	if (on != d->isakmp_on)
		log_msg("CRYPTO", LOG_SEV_INFO, "ISAKMP_ON_OFF", "ISAKMP is %s", on ? "ON" : "OFF");
	d->isakmp_on = on;
}

void configd_changed(struct configd *d, unsigned tables)
{
	if (!tables)
		return;
	take_snapshot(d);
	log_isakmp(d);
	if (tables & CFG_PKI)
		pki_expiry(d);
	notify(d, tables);
}

const char *configd_hostname(const struct configd *d)
{
	return d->now && d->now->system.hostname[0] ? d->now->system.hostname : "Router";
}

/* ---- The first configuration ---- */

/* Lines with a secret in them are not repeated in a log. */
static bool may_log(const char *line)
{
	static const char *const words[] = { "key", "secret", "password" };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcasestr(line, words[i]))
			return false;
	return true;
}

static void log_bad_line(void *ctx, const struct cfgm_file_error *e)
{
	const char *first = e->text + strspn(e->text, "\n ^");

	(void)ctx;
	if (may_log(e->line))
		log_msg("PARSER", LOG_SEV_ERROR, "CFGLINE", "Initial configuration, line %u, column %u: \"%s\": %s", e->line_no,
			e->column + 1, e->line, first);
	else
		log_msg("PARSER", LOG_SEV_ERROR, "CFGLINE", "Initial configuration, line %u, column %u: not accepted", e->line_no,
			e->column + 1);
}

/* A whole file; the caller frees. */
static char *read_file(const char *path, size_t *len)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	char *text = NULL;
	ssize_t n;

	*len = 0;
	if (fd < 0)
		return NULL;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size <= INITIAL_MAX)
		text = mem_zalloc((size_t)st.st_size + 1);
	while (text && *len < (size_t)st.st_size && (n = read(fd, text + *len, (size_t)st.st_size - *len)) > 0)
		*len += (size_t)n;
	close(fd);
	return text;
}

static void load_initial(struct configd *d, const char *path)
{
	struct store_who who = { .user = "", .tty = "", .from = "", .wall_us = d->env->wall_us(d->env->ctx) };
	struct apply a = { .store = d->store, .who = &who, .bad = log_bad_line };
	size_t len;
	char *text = read_file(path, &len);
	enum err e;

	if (!text) {
		log_msg("SYS", LOG_SEV_ERROR, "CONFIG_INITIAL", "%s cannot be read", path);
		return;
	}
	e = apply_text(&a, text, len, false);
	mem_free_secret(text, len);
	if (e != ERR_OK)
		log_msg("SYS", LOG_SEV_ERROR, "CONFIG_INITIAL", "%s was not applied: %s", path, err_text(e));
	else
		log_msg("SYS", LOG_SEV_NOTICE, "CONFIG_I", "Configured from memory by console");
}

struct id_list {
	uint64_t *ids;
	size_t count, room;
	bool failed;
};

static void id_add(void *ctx, uint64_t id)
{
	struct id_list *l = ctx;

	if (l->count == l->room) {
		size_t room = l->room ? l->room * 2 : 32;
		uint64_t *more = mem_realloc_array(l->ids, room, sizeof(*more));

		if (!more) {
			l->failed = true;
			return;
		}
		l->ids = more;
		l->room = room;
	}
	l->ids[l->count++] = id;
}

static bool id_listed(void *ctx, uint64_t id)
{
	const struct id_list *l = ctx;

	for (size_t i = 0; i < l->count; i++)
		if (l->ids[i] == id)
			return true;
	return false;
}

/* Deletes the secrets that neither configuration names. When one of them cannot be read, all are kept. */
static void collect_secrets(struct configd *d)
{
	struct id_list l = { 0 };
	struct store *copy = NULL;
	enum err e = store_secret_ids(d->store, id_add, &l);

	if (e == ERR_OK) {
		e = startup_load(&d->startup, d->secrets, &copy);
		if (e == ERR_OK)
			e = store_secret_ids(copy, id_add, &l);
		else if (e == ERR_NOT_FOUND)
			e = ERR_OK;
		store_close(copy);
	}
	if (e == ERR_OK && !l.failed)
		e = secrets_collect(d->secrets, id_listed, &l);
	if (e != ERR_OK)
		log_msg("SYS", LOG_SEV_WARNING, "SECRETS", "Unused secrets were not deleted: %s", err_text(e));
	mem_free(l.ids);
}

void configd_load(struct configd *d, const char *initial)
{
	if (store_revision(d->store) != 0) {
		take_snapshot(d);
		d->isakmp_on = d->now && isakmp_is_on(d->now);
	} else if (startup_exists(&d->startup)) {
		enum err e = store_restore(d->store, d->startup.path);

		if (e != ERR_OK)
			log_msg("SYS", LOG_SEV_CRITICAL, "CONFIG_STARTUP", "The startup configuration cannot be read: %s",
				err_text(e));
	} else if (initial) {
		load_initial(d, initial);
	}
	collect_secrets(d);
	pki_relink(d);
	take_snapshot(d);
	log_isakmp(d);
	pki_expiry(d);
}

/* ---- Opening and closing ---- */

/* Readable by every program, whatever the umask says; SQLite gives its log and index the permissions of the database. Only before
 * SQLite has the file open: closing another descriptor of it would drop its locks. */
static void make_readable(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);

	if (fd < 0)
		return;
	if (fchmod(fd, 0644) < 0)
		log_msg("SYS", LOG_SEV_WARNING, "CONFIG_FILE", "%s: %s", path, strerror(errno));
	close(fd);
}

/* A running configuration that cannot be opened is put aside, for whoever wants to look at it. */
static enum err open_running(struct configd *d)
{
	static const char *const tails[] = { "", "-wal", "-shm" };
	char path[128], from[140], to[140];
	enum err e;

	snprintf(path, sizeof(path), "%s/running.db", d->run_dir);
	make_readable(path);
	e = store_open(&d->store, path, d->secrets);
	if (e == ERR_OK || e == ERR_NOMEM || e == ERR_BUSY)
		return e;
	log_msg("SYS", LOG_SEV_CRITICAL, "CONFIG_RUNNING", "The running configuration cannot be opened: %s", err_text(e));
	for (size_t i = 0; i < sizeof(tails) / sizeof(tails[0]); i++) {
		snprintf(from, sizeof(from), "%s%s", path, tails[i]);
		snprintf(to, sizeof(to), "%s.bad%s", path, tails[i]);
		if (rename(from, to) < 0 && errno != ENOENT)
			return ERR_SYS;
	}
	make_readable(path);
	return store_open(&d->store, path, d->secrets);
}

enum err configd_open(struct configd *d, struct loop *l, const char *run_dir, const char *data_dir)
{
	char path[300];
	enum err e;

	*d = (struct configd){ .loop = l, .env = &env_system };
	if (snprintf(d->run_dir, sizeof(d->run_dir), "%s", run_dir) >= (int)sizeof(d->run_dir) - 20 ||
		snprintf(d->data_dir, sizeof(d->data_dir), "%s", data_dir) >= (int)sizeof(d->data_dir))
		return ERR_RANGE;
	e = startup_init(&d->startup, data_dir);
	if (e != ERR_OK)
		return e;
	d->keymaker = keymaker_new(l, pki_key_made, d);
	d->expiry = loop_timer_new(l, pki_expiry, d);
	if (!d->keymaker || !d->expiry)
		return ERR_NOMEM;
	snprintf(path, sizeof(path), "%s/keys.db", data_dir);
	e = secrets_open(&d->secrets, path, false);
	if (e == ERR_OK)
		e = open_running(d);
	if (e == ERR_OK) {
		store_ask_box(d->store, inventory_has, d->run_dir);
		d->notify = loop_timer_new(l, notify_again, d);
		e = d->notify ? ERR_OK : ERR_NOMEM;
	}
	if (e == ERR_OK &&
		(!msg_path(path, run_dir, CONFIGD_SOCKET) || !(d->server = msg_listen(l, path, 0666, &configd_handlers, d))))
		e = ERR_SYS;
	if (e != ERR_OK)
		configd_close(d);
	return e;
}

void configd_close(struct configd *d)
{
	while (d->clients)
		client_drop(d->clients);
	msg_server_free(d->server);
	verifier_free(d->verifier);
	keymaker_free(d->keymaker);
	loop_timer_free(d->notify);
	loop_timer_free(d->expiry);
	mem_free(d->said);
	cfg_free(d->now);
	cfg_source_close(d->source);
	store_close(d->store);
	secrets_close(d->secrets);
	memset(d, 0, sizeof(*d));
}
