/* See scep.h. Serial numbers of SCEP have the highest bit set: the core's never get there. */
#include "ikemgr/proc/scep.h"

#include "configdb/configdb.h"
#include "ikemgr/scep/scep.h"
#include "platform/base/env.h"
#include "platform/base/mem.h"

#include <openssl/bio.h>
#include <openssl/pem.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#define OURS       (UINT64_C(1) << 63)
#define CONSOLES   8
#define INSTALLS   8
#define INSTALL_US 10000000

/* A console that waits for a CA's certificates. */
struct waiting {
	uint64_t id; /* 0: free */
	struct msg_conn *conn;
	struct msg_head asked;
};

/* A certificate on its way into the configuration. */
struct install {
	struct scep_host_side *side;
	uint64_t serial; /* 0: free */
	struct msg_conn *conn;
	struct loop_timer *end; /* told from the loop, or after INSTALL_US */
	enum err e;
};

struct scep_host_side {
	struct loop *loop;
	char path[108];
	struct keys_client *const *keys;
	struct fetch_client *const *fetch;
	struct scep *scep;
	struct loop_timer *timer;
	struct waiting consoles[CONSOLES];
	struct install installs[INSTALLS];
	uint64_t last_id;
};

static void tick(void *ctx)
{
	struct scep_host_side *s = ctx;
	uint64_t next = scep_tick(s->scep), now = env_system.now_us(env_system.ctx);

	if (next == UINT64_MAX)
		loop_timer_stop(s->timer);
	else
		loop_timer_set(s->timer, next > now ? next - now : 0);
}

/* ---- What SCEP asks for ---- */

static enum err host_fetch(void *ctx, uint64_t serial, enum fetch_how how, const char *url, struct span body)
{
	struct scep_host_side *s = ctx;

	return *s->fetch ? fetch_ask_how(*s->fetch, serial | OURS, how, url, body) : ERR_CLOSED;
}

static enum err host_sign(void *ctx, uint64_t serial, const struct ike_sign_request *request)
{
	struct scep_host_side *s = ctx;

	return *s->keys ? keys_ask_sign(*s->keys, serial | OURS, request) : ERR_CLOSED;
}

static enum err host_unwrap(void *ctx, uint64_t serial, uint64_t key_id, struct span wrapped)
{
	struct scep_host_side *s = ctx;

	return *s->keys ? keys_ask_unwrap(*s->keys, serial | OURS, key_id, wrapped) : ERR_CLOSED;
}

/* ---- configd ---- */

static void install_end(void *ctx)
{
	struct install *i = ctx;
	struct scep_host_side *s = i->side;
	uint64_t serial = i->serial;
	enum err e = i->e;

	msg_close(i->conn);
	loop_timer_free(i->end);
	*i = (struct install){ 0 };
	scep_done_install(s->scep, serial, e);
	tick(s);
}

static void on_stored(void *ctx, struct msg_conn *c, struct msg *m)
{
	struct install *i = ctx;

	(void)c;
	if (m->head.type != CFGM_PKI_GRANTED)
		return;
	i->e = (enum err)m->head.status;
	loop_timer_set(i->end, 0);
}

static void on_configd_closed(void *ctx, struct msg_conn *c)
{
	struct install *i = ctx;

	(void)c;
	i->conn = NULL; /* it is freed after this call */
	i->e = ERR_CLOSED;
	loop_timer_set(i->end, 0);
}

static enum err install_send(struct install *i, const char *trustpoint, X509 *x)
{
	static const struct msg_handlers handlers = { .message = on_stored, .closed = on_configd_closed };
	struct cfgm_pki *q = mem_zalloc(sizeof(*q));
	BIO *pem = BIO_new(BIO_s_mem());
	enum err e = ERR_NOMEM;
	int len = -1;

	if (q && pem && PEM_write_bio_X509(pem, x) == 1)
		len = BIO_read(pem, q->text, sizeof(q->text) - 1);
	if (len > 0) {
		snprintf(q->name, sizeof(q->name), "%s", trustpoint);
		i->conn = msg_connect(i->side->loop, i->side->path, &handlers, i);
		e = i->conn ? msg_send(i->conn, CFGM_PKI_GRANTED, 1, ERR_OK, 0,
				      span_of(q, offsetof(struct cfgm_pki, text) + (size_t)len + 1))
			    : ERR_CLOSED;
	}
	BIO_free(pem);
	mem_free(q);
	return e;
}

static enum err host_install(void *ctx, uint64_t serial, const char *trustpoint, X509 *x)
{
	struct scep_host_side *s = ctx;
	struct install *i = NULL;

	for (size_t n = 0; n < INSTALLS && !i; n++)
		i = s->installs[n].serial == 0 ? &s->installs[n] : NULL;
	if (!i)
		return ERR_LIMIT;
	*i = (struct install){ .side = s, .serial = serial, .e = ERR_TIMEOUT };
	i->end = loop_timer_new(s->loop, install_end, i);
	if (!i->end) {
		i->serial = 0;
		return ERR_NOMEM;
	}
	/* An answer comes from the loop in any case, so that the caller is done by then. */
	i->e = install_send(i, trustpoint, x);
	loop_timer_set(i->end, i->e == ERR_OK ? INSTALL_US : 0);
	if (i->e == ERR_OK)
		i->e = ERR_TIMEOUT;
	return ERR_OK;
}

/* ---- Consoles ---- */

static void certificate_row(struct waiting *w, enum ike_scep_kind kind, X509 *x)
{
	struct msg m = { .head = w->asked };
	struct ikem_scep_cert row = { .kind = (uint8_t)kind };
	uint8_t *at = row.der;
	int len = x ? i2d_X509(x, NULL) : 0;

	if (len <= 0 || len > (int)sizeof(row.der))
		return;
	row.len = (uint16_t)i2d_X509(x, &at);
	msg_reply(w->conn, &m, ERR_OK, MSG_FLAG_MORE, span_of(&row, sizeof(row)));
}

static void host_authenticated(void *ctx, uint64_t asker, const char *why, const struct scep_ca *ca)
{
	struct scep_host_side *s = ctx;
	struct ikem_scep_cert row = { .kind = IKE_SCEP_WHY };

	for (size_t i = 0; i < CONSOLES; i++) {
		struct waiting w = s->consoles[i];
		struct msg m = { .head = w.asked };

		if (w.id != asker)
			continue;
		s->consoles[i] = (struct waiting){ 0 };
		if (ca) {
			certificate_row(&w, IKE_SCEP_CA, ca->ca);
			certificate_row(&w, IKE_SCEP_RA_SIGN, ca->sign);
			certificate_row(&w, IKE_SCEP_RA_ENCRYPT, ca->encrypt);
		} else {
			row.len = (uint16_t)snprintf((char *)row.der, 256, "%s", why);
			msg_reply(w.conn, &m, ERR_OK, MSG_FLAG_MORE, span_of(&row, sizeof(row)));
		}
		msg_reply(w.conn, &m, ERR_OK, 0, span_of(NULL, 0));
		return;
	}
}

void scep_side_authenticate(struct scep_host_side *s, struct msg_conn *c, const struct msg *m)
{
	struct ikem_scep_ca q;
	struct waiting *w = NULL;
	enum err e = ERR_LIMIT;

	memcpy(&q, m->body.data, sizeof(q));
	q.trustpoint[sizeof(q.trustpoint) - 1] = '\0';
	for (size_t i = 0; s && i < CONSOLES && !w; i++)
		w = s->consoles[i].id == 0 ? &s->consoles[i] : NULL;
	if (w) {
		*w = (struct waiting){ .id = ++s->last_id, .conn = c, .asked = m->head };
		e = scep_authenticate(s->scep, q.trustpoint, w->id);
		if (e != ERR_OK)
			w->id = 0;
	}
	if (e != ERR_OK)
		msg_reply(c, m, e, 0, span_of(NULL, 0));
}

enum err scep_side_enroll(struct scep_host_side *s, const struct ikem_scep_enroll *request)
{
	enum err e;

	if (!s || !memchr(request->trustpoint, '\0', sizeof(request->trustpoint)))
		return ERR_INVALID;
	e = scep_enroll(s->scep, request);
	tick(s);
	return e;
}

enum err scep_side_cancel(struct scep_host_side *s, const struct ikem_scep_ca *what)
{
	if (!s || !memchr(what->trustpoint, '\0', sizeof(what->trustpoint)))
		return ERR_INVALID;
	return scep_cancel(s->scep, what->trustpoint);
}

void scep_side_each(struct scep_host_side *s, void (*each)(void *ctx, const struct ikem_scep *row), void *ctx)
{
	if (s)
		scep_each(s->scep, each, ctx);
}

void scep_side_closed(struct scep_host_side *s, struct msg_conn *c)
{
	for (size_t i = 0; s && i < CONSOLES; i++)
		if (s->consoles[i].id && s->consoles[i].conn == c) {
			scep_forget(s->scep, s->consoles[i].id);
			s->consoles[i] = (struct waiting){ 0 };
		}
}

/* ---- Answers ---- */

bool scep_side_fetched(struct scep_host_side *s, uint64_t serial, enum err e, struct span bytes)
{
	if (!(serial & OURS))
		return false;
	if (s) {
		scep_done_fetch(s->scep, serial & ~OURS, e, bytes);
		tick(s);
	}
	return true;
}

bool scep_side_signed(struct scep_host_side *s, uint64_t serial, enum err e, struct span signature)
{
	if (!(serial & OURS))
		return false;
	if (s) {
		scep_done_sign(s->scep, serial & ~OURS, e, signature);
		tick(s);
	}
	return true;
}

void scep_side_unwrapped(struct scep_host_side *s, uint64_t serial, enum err e, struct span key)
{
	if (s) {
		scep_done_unwrap(s->scep, serial & ~OURS, e, key);
		tick(s);
	}
}

/* ---- All of it ---- */

struct scep_host_side *scep_side_new(
	struct loop *l, const char *run_dir, struct keys_client *const *keys, struct fetch_client *const *fetch)
{
	struct scep_host_side *s = mem_zalloc(sizeof(*s));
	struct scep_host host = { .env = &env_system,
		.fetch = host_fetch,
		.sign = host_sign,
		.unwrap = host_unwrap,
		.install = host_install,
		.authenticated = host_authenticated };

	if (!s)
		return NULL;
	host.ctx = s;
	s->loop = l;
	s->keys = keys;
	s->fetch = fetch;
	s->scep = scep_new(&host);
	s->timer = loop_timer_new(l, tick, s);
	if (s->scep && s->timer && msg_path(s->path, run_dir, CONFIGD_SOCKET))
		return s;
	scep_side_free(s);
	return NULL;
}

void scep_side_free(struct scep_host_side *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < INSTALLS; i++) {
		if (!s->installs[i].serial)
			continue;
		msg_close(s->installs[i].conn);
		loop_timer_free(s->installs[i].end);
	}
	scep_free(s->scep);
	if (s->timer)
		loop_timer_free(s->timer);
	mem_free(s);
}

void scep_side_config(struct scep_host_side *s, const struct cfg *now)
{
	if (!s)
		return;
	scep_config(s->scep, now);
	tick(s);
}
