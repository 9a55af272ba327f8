/* What the engineer reads: log lines, the record of failures, debug output, counters. */
#include "ikemgr/core.h"

#include "platform/base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Lines a second that strangers can cause. */
#define SAY_RATE 10

void count(struct ike *k, enum ike_stat s)
{
	k->stats[s]++;
}

bool say_allowed(struct ike *k)
{
	return token_take(k, &k->said_us, &k->said_tokens, SAY_RATE);
}

void say_failure(struct ike *k, struct addr remote, uint32_t conn_id, const char *fmt, ...)
{
	struct ikem_failure *f = &k->failures[k->nfailures++ % FAILURES];
	va_list args;

	memset(f, 0, sizeof(*f));
	f->wall_us = wall_us(k);
	f->remote = remote;
	f->conn_id = conn_id;
	va_start(args, fmt);
	vsnprintf(f->text, sizeof(f->text), fmt, args);
	va_end(args);
	trace_error(k, conn_id, "%s", f->text);
}

static void trace_line(uint32_t conn_id, const char *fmt, va_list args) __attribute__((format(printf, 2, 0)));
static void trace_line(uint32_t conn_id, const char *fmt, va_list args)
{
	char text[LOG_TEXT];

	vsnprintf(text, sizeof(text), fmt, args);
	log_debug("ISAKMP:(%u): %s", conn_id, text);
}

void trace(const struct ike *k, uint32_t conn_id, const char *fmt, ...)
{
	va_list args;

	if (!k->debug)
		return;
	va_start(args, fmt);
	trace_line(conn_id, fmt, args);
	va_end(args);
}

void trace_error(const struct ike *k, uint32_t conn_id, const char *fmt, ...)
{
	va_list args;

	if (!k->debug && !k->debug_errors)
		return;
	va_start(args, fmt);
	trace_line(conn_id, fmt, args);
	va_end(args);
}

struct trace_ctx {
	uint32_t conn_id;
};

static void trace_text(void *ctx, const char *text)
{
	struct trace_ctx *t = ctx;

	log_debug("ISAKMP:(%u): %s", t->conn_id, text);
}

void trace_message(const struct ike *k, uint32_t conn_id, const struct message *m)
{
	struct trace_ctx t = { conn_id };

	if (!k->debug)
		return;
	for (size_t i = 0; i < m->npayloads; i++)
		payload_print(&m->payloads[i], trace_text, &t);
}

void trace_packet(const struct ike *k, const char *what, const struct ike_path *path, struct span packet)
{
	struct isakmp_header h;
	char peer[ADDR_TEXT];
	struct trace_ctx t = { 0 };

	if (!k->debug)
		return;
	log_debug("ISAKMP:(0): %s %s my_port %u peer_port %u, %zu bytes", what, addr_print(peer, path->remote), path->local_port,
		path->remote_port, packet.len);
	if (header_decode(&h, packet) == ERR_OK)
		header_print(&h, trace_text, &t);
}

void say_session(struct ike *k, const struct session *s, bool up)
{
	char peer[ADDR_TEXT], id[160] = "";
	struct ike_sa *sa = sa_established(k, s->local, s->remote);

	addr_print(peer, s->remote);
	snprintf(id, sizeof(id), "%s", sa != NULL ? sa->st.identity : peer);
	log_msg("CRYPTO", LOG_SEV_NOTICE, "SESSION_STATUS", "Crypto tunnel is %s.  Peer %s:%u       Id: %s", up ? "UP  " : "DOWN",
		peer, s->remote_port, id);
}

void terms_print(char *out, size_t size, const struct ike_terms *t)
{
	const struct cipher_alg *c = cipher_find(t->cipher);
	const struct hash_alg *h = hash_find(t->hash);

	snprintf(out, size, "%s/%s/group%u", c == NULL ? "?" : c->ios_isakmp, h == NULL ? "?" : h->ios_isakmp, (unsigned)t->group);
}
