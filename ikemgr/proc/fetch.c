/* See fetch.h. Each fetch has a thread of its own: a resolver or a server that is slow holds up nobody else. */
#include "ikemgr/proc/fetch.h"

#include "platform/base/mem.h"

#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

struct job {
	struct fetch *f;
	struct fetch_question q;
	enum err e;
	int fd; /* memfd; -1: none */
};

struct fetch {
	struct loop *loop;
	struct msg_conn *conn;
	unsigned jobs;
};

/* On the loop. */
static void deliver(void *ctx)
{
	struct job *j = ctx;
	struct fetch *f = j->f;
	struct fetch_answer a = { .serial = j->q.serial };
	enum err sent = ERR_CLOSED;

	f->jobs--;
	if (f->conn)
		sent = msg_send_fds(f->conn, FETCH_GET, 1, j->e, span_of(&a, sizeof(a)), &j->fd, j->fd >= 0 ? 1 : 0);
	if (j->fd >= 0)
		close(j->fd);
	mem_free(j);
	if (sent != ERR_OK)
		loop_stop(f->loop, 1);
}

static void *work(void *arg)
{
	const struct timespec rest = { 0, 10000000 };
	struct job *j = arg;
	uint8_t *bytes = NULL;
	size_t len = 0;

	j->e = http_fetch((enum fetch_how)j->q.how, j->q.url, span_of(j->q.body, j->q.body_len), &bytes, &len);
	if (j->e == ERR_OK) {
		j->fd = memfd_create("postern-fetch", MFD_CLOEXEC);
		if (j->fd < 0 || write(j->fd, bytes, len) != (ssize_t)len)
			j->e = ERR_SYS;
	}
	mem_free(bytes);
	while (!loop_post(j->f->loop, deliver, j))
		nanosleep(&rest, NULL);
	return NULL;
}

static enum err job_start(struct fetch *f, const struct fetch_question *q)
{
	struct job *j;
	pthread_t thread;

	if (!memchr(q->url, '\0', sizeof(q->url)) || q->body_len > sizeof(q->body) || q->how > FETCH_SCEP_GET)
		return ERR_INVALID;
	if (f->jobs == FETCH_JOBS)
		return ERR_LIMIT;
	j = mem_zalloc(sizeof(*j));
	if (!j)
		return ERR_NOMEM;
	j->f = f;
	j->q = *q;
	j->fd = -1;
	if (pthread_create(&thread, NULL, work, j) != 0) {
		mem_free(j);
		return ERR_SYS;
	}
	pthread_detach(thread);
	f->jobs++;
	return ERR_OK;
}

static void on_question(void *ctx, struct msg_conn *c, struct msg *m)
{
	struct fetch *f = ctx;
	struct fetch_question q;
	struct fetch_answer a;
	enum err e;

	if (m->head.type != FETCH_GET || m->body.len != sizeof(q))
		return;
	memcpy(&q, m->body.data, sizeof(q));
	e = job_start(f, &q);
	a.serial = q.serial;
	if (e != ERR_OK && msg_send(c, FETCH_GET, 1, e, 0, span_of(&a, sizeof(a))) != ERR_OK)
		loop_stop(f->loop, 1);
}

static void on_closed(void *ctx, struct msg_conn *c)
{
	struct fetch *f = ctx;

	(void)c;
	f->conn = NULL;
	loop_stop(f->loop, 0);
}

static void on_life(void *ctx, int fd, int what)
{
	struct fetch *f = ctx;

	(void)fd;
	(void)what;
	loop_stop(f->loop, 0);
}

int fetch_serve(int fd, int life)
{
	static const struct msg_handlers handlers = { .message = on_question, .closed = on_closed };
	struct fetch f = { .loop = loop_new() };
	struct loop_fd *watch = f.loop ? loop_fd_add(f.loop, life, LOOP_READ, on_life, &f) : NULL;
	int status = 1;

	if (watch)
		f.conn = msg_adopt(f.loop, fd, &handlers, &f);
	if (f.conn && loop_signals(f.loop, NULL, NULL) == ERR_OK)
		status = loop_run(f.loop);
	/* Threads may still run: the process ends with them, and nothing is torn down under their feet. */
	_exit(status);
}

/* ---- The proto process's end ---- */

struct fetch_client {
	struct msg_conn *conn;
	void (*answer)(void *ctx, uint64_t serial, enum err e, struct span bytes);
	void *ctx;
};

static void bytes_give(struct fetch_client *c, uint64_t serial, int fd)
{
	off_t len = lseek(fd, 0, SEEK_END);
	uint8_t *bytes = len > 0 && len <= FETCH_BYTES_MAX ? mem_zalloc((size_t)len) : NULL;

	if (bytes && pread(fd, bytes, (size_t)len, 0) == (ssize_t)len)
		c->answer(c->ctx, serial, ERR_OK, span_of(bytes, (size_t)len));
	else
		c->answer(c->ctx, serial, ERR_RANGE, (struct span){ 0 });
	mem_free(bytes);
}

static void on_answer(void *ctx, struct msg_conn *conn, struct msg *m)
{
	struct fetch_client *c = ctx;
	struct fetch_answer a;
	enum err e = (enum err)m->head.status;

	(void)conn;
	if (m->head.type != FETCH_GET || m->body.len != sizeof(a))
		return;
	memcpy(&a, m->body.data, sizeof(a));
	if (e == ERR_OK && m->nfds == 1)
		bytes_give(c, a.serial, m->fds[0]);
	else
		c->answer(c->ctx, a.serial, e == ERR_OK ? ERR_INVALID : e, (struct span){ 0 });
}

/* ikemgrd's parent ends the family when one of it has ended. */
static void on_lost(void *ctx, struct msg_conn *conn)
{
	struct fetch_client *c = ctx;

	(void)conn;
	c->conn = NULL;
}

struct fetch_client *fetch_client_new(
	struct loop *l, int fd, void (*answer)(void *ctx, uint64_t serial, enum err e, struct span bytes), void *ctx)
{
	static const struct msg_handlers handlers = { .message = on_answer, .closed = on_lost };
	struct fetch_client *c = mem_zalloc(sizeof(*c));

	if (!c)
		return NULL;
	c->answer = answer;
	c->ctx = ctx;
	c->conn = msg_adopt(l, fd, &handlers, c);
	if (!c->conn) {
		mem_free(c);
		return NULL;
	}
	return c;
}

void fetch_client_free(struct fetch_client *c)
{
	if (!c)
		return;
	msg_close(c->conn);
	mem_free(c);
}

enum err fetch_ask(struct fetch_client *c, uint64_t serial, const char *url, struct span body)
{
	return fetch_ask_how(c, serial, body.len ? FETCH_OCSP : FETCH_PLAIN, url, body);
}

enum err fetch_ask_how(struct fetch_client *c, uint64_t serial, enum fetch_how how, const char *url, struct span body)
{
	struct fetch_question q = { .serial = serial, .how = (uint8_t)how, .body_len = (uint16_t)body.len };

	if (strlen(url) >= sizeof(q.url) || body.len > sizeof(q.body))
		return ERR_RANGE;
	memcpy(q.url, url, strlen(url));
	if (body.len)
		memcpy(q.body, body.data, body.len);
	return c && c->conn ? msg_send(c->conn, FETCH_GET, 1, ERR_OK, 0, span_of(&q, sizeof(q))) : ERR_CLOSED;
}
