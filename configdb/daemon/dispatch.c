/* Every request of the socket, in one table: how long its body may be, what it needs, who answers it.
 *
 * A request that is in no row, or whose length or privilege does not fit its row, is refused here and reaches no handler.
 */
#include "configd.h"

#include "pki.h"
#include "platform/base/mem.h"
#include "platform/base/secret.h"

#include <stddef.h>
#include <unistd.h>

static void subscribe(struct client *c, struct msg *m)
{
	struct cfgm_revision r = { .revision = store_revision(c->d->store) };

	c->subscribed = true;
	msg_reply(c->conn, m, ERR_OK, 0, span_of(&r, sizeof(r)));
}

#define PKI_BODY offsetof(struct cfgm_pki, text) + 1, sizeof(struct cfgm_pki)

static const struct request {
	uint32_t type;
	size_t min, max; /* of the body */
	bool session;    /* needs one, with at least this */
	uint8_t privilege;
	void (*run)(struct client *c, struct msg *m);
} requests[] = {
	{ CFGM_SESSION_OPEN, sizeof(struct cfgm_open), sizeof(struct cfgm_open), false, 0, session_open },
	{ CFGM_ENABLE, sizeof(struct cfgm_enable), sizeof(struct cfgm_enable), true, 0, session_enable },
	{ CFGM_DISABLE, sizeof(struct cfgm_enable), sizeof(struct cfgm_enable), true, 0, session_disable },
	{ CFGM_LINE, offsetof(struct cfgm_line, line) + 1, sizeof(struct cfgm_line), true, 15, line_commit },
	{ CFGM_CONFIG_END, 0, 0, true, 0, line_config_end },
	{ CFGM_TEXT, sizeof(struct cfgm_text), sizeof(struct cfgm_text), true, 15, line_text },
	{ CFGM_COPY, sizeof(struct cfgm_copy), MSG_BODY_MAX, true, 15, line_copy },
	{ CFGM_WRITE_ERASE, 0, 0, true, 15, line_write_erase },
	{ CFGM_CHECK_SECRET, sizeof(struct cfgm_login), sizeof(struct cfgm_login), false, 0, session_check_secret },
	{ CFGM_SESSIONS, 0, 0, false, 0, session_dump },
	{ CFGM_MASTER_KEY, sizeof(struct cfgm_master_key), sizeof(struct cfgm_master_key), true, 15, line_master_key },
	{ CFGM_KEY_GENERATE, PKI_BODY, true, 15, pki_key_generate },
	{ CFGM_KEY_ZEROIZE, PKI_BODY, true, 15, pki_key_zeroize },
	{ CFGM_KEYS, PKI_BODY, true, 1, pki_keys },
	{ CFGM_KEY_EXPORT, PKI_BODY, true, 15, pki_key_export },
	{ CFGM_KEY_IMPORT, PKI_BODY, true, 15, pki_key_import },
	{ CFGM_PKI_ENROLL, PKI_BODY, true, 15, pki_enroll },
	{ CFGM_PKCS12_IMPORT, PKI_BODY, true, 15, pki_pkcs12_import },
	{ CFGM_PKCS12_EXPORT, PKI_BODY, true, 15, pki_pkcs12_export },
	{ CFGM_PKI_GRANTED, PKI_BODY, false, 0, pki_granted },
	{ CFGM_SUBSCRIBE, 0, 0, false, 0, subscribe },
	{ CFGM_SESSION_PRIV, sizeof(struct cfgm_session_query), sizeof(struct cfgm_session_query), false, 0, session_query },
	{ CFGM_DIRTY, 0, 0, true, 0, line_dirty },
};

static enum err admit(const struct client *c, const struct request *r, const struct msg *m)
{
	if (m->body.len < r->min || m->body.len > r->max)
		return ERR_INVALID;
	if (r->session && (!c->open || c->s.privilege < r->privilege))
		return ERR_DENIED;
	return ERR_OK;
}

void configd_dispatch(struct configd *d, struct client *c, struct msg *m)
{
	enum err e = ERR_UNSUPPORTED;

	c->active_us = d->env->now_us(d->env->ctx);
	for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
		if (requests[i].type != m->head.type)
			continue;
		e = admit(c, &requests[i], m);
		if (e == ERR_OK) {
			requests[i].run(c, m);
			/* The body may have held a password. */
			wipe(m->body.data, m->body.len);
			return;
		}
	}
	wipe(m->body.data, m->body.len);
	msg_reply(c->conn, m, e, 0, span_of(NULL, 0));
}

static bool opened(void *ctx, struct msg_conn *conn)
{
	struct configd *d = ctx;
	struct client *c = mem_zalloc(sizeof(*c));

	if (!c)
		return false;
	c->d = d;
	c->conn = conn;
	c->trusted = msg_peer_uid(conn) == 0 || msg_peer_uid(conn) == geteuid();
	c->next = d->clients;
	d->clients = c;
	msg_set_user(conn, c);
	return true;
}

static void client_free(struct client *c)
{
	struct client **at = &c->d->clients;

	while (*at != c)
		at = &(*at)->next;
	*at = c->next;
	line_log_configured(c);
	loop_timer_free(c->penalty);
	mem_free(c);
}

void client_drop(struct client *c)
{
	struct msg_conn *conn = c->conn;

	client_free(c);
	msg_close(conn);
}

static void closed(void *ctx, struct msg_conn *conn)
{
	struct client *c = msg_user(conn);

	(void)ctx;
	if (c)
		client_free(c);
}

static void message(void *ctx, struct msg_conn *conn, struct msg *m)
{
	struct client *c = msg_user(conn);

	if (c)
		configd_dispatch(ctx, c, m);
}

const struct msg_handlers configd_handlers = { .opened = opened, .message = message, .closed = closed };
