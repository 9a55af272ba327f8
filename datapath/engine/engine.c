/* The engine as a backend: opening and closing, ticks, and notes from the workers. */
#include "datapath/engine/engine.h"

#include "datapath/engine/control.h"
#include "platform/base/log.h"
#include "platform/base/mem.h"

#include <linux/if_packet.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define TICK_US 500000

static void note_read(struct backend *b, struct note *n)
{
	struct backend_event ev = { .kind = BACKEND_PASSED_IKE };

	switch (n->kind) {
	case NOTE_EVENT:
		b->args.event(b->args.ctx, &n->event);
		break;
	case NOTE_PASSED_IKE:
		ev.passed_ike.packet = &n->packet;
		ev.passed_ike.len = n->len;
		b->args.event(b->args.ctx, &ev);
		break;
	case NOTE_TOO_BIG:
		icmp_send_too_big(b, n);
		break;
	default:
		break;
	}
}

static void notes_ready(void *ctx, int fd, int what)
{
	struct worker *w = ctx;

	(void)fd;
	(void)what;
	note_clear(&w->up);
	for (struct note *n; (n = note_next(&w->up)) != NULL; note_done(&w->up))
		note_read(w->engine, n);
}

static void tick(void *ctx)
{
	struct backend *b = ctx;
	uint64_t now = engine_now();

	sa_tick(b, now);
	hops_tick(&b->hops, now);
	policy_sweep(&b->policies, b->set);
	loop_timer_set(b->tick, TICK_US);
}

static enum err open_tables(struct backend *b)
{
	static const struct backend_policies none;

	b->rings = mem_zalloc(sizeof(*b->rings));
	if (!b->rings)
		return ERR_NOMEM;
	return policy_set_new(&b->set, &b->policies, &none);
}

static enum err open_workers(struct backend *b)
{
	bool mb = getenv("POSTERN_NO_IPSEC_MB") == NULL;
	enum err e = worker_open(&b->out_worker, b, mb);

	if (e == ERR_OK)
		e = worker_open(&b->in_worker, b, mb);
	if (e == ERR_OK)
		e = out_open(&b->out, b);
	if (e == ERR_OK)
		e = in_open(&b->in, b);
	return e;
}

static enum err watch(struct backend *b)
{
	b->out_worker.watch = loop_fd_add(b->args.loop, b->out_worker.up.fd, LOOP_READ, notes_ready, &b->out_worker);
	b->in_worker.watch = loop_fd_add(b->args.loop, b->in_worker.up.fd, LOOP_READ, notes_ready, &b->in_worker);
	b->icmp = loop_fd_add(b->args.loop, b->sockets.icmp, LOOP_READ, icmp_readable, b);
	b->tick = loop_timer_new(b->args.loop, tick, b);
	if (!b->out_worker.watch || !b->in_worker.watch || !b->icmp || !b->tick)
		return ERR_NOMEM;
	loop_timer_set(b->tick, TICK_US);
	return ERR_OK;
}

static void describe(struct backend *b)
{
	snprintf(b->detail, sizeof(b->detail), "user-space ESP and AH: TAP%s%s, AF_PACKET rings, UDP%s; crypto: %s",
		b->tap.tso ? " TSO" : "", b->tap.uso ? " USO" : "", b->sockets.udp_gso ? " GSO" : "",
		cipher_batch_name(b->out_worker.cipher));
}

static enum err open_all(struct backend *b)
{
	enum err e = open_tables(b);

	if (e == ERR_OK)
		e = tap_open(&b->tap, BACKEND_TAP, getenv("POSTERN_NO_TAP_GSO") == NULL);
	if (e == ERR_OK)
		e = sockets_open(&b->sockets);
	if (e == ERR_OK)
		e = hops_open(&b->hops, b->args.loop, &b->rcu);
	if (e == ERR_OK)
		e = open_workers(b);
	if (e == ERR_OK)
		e = watch(b);
	if (e == ERR_OK)
		e = worker_start(&b->out_worker, out_run, b->out);
	if (e == ERR_OK)
		e = worker_start(&b->in_worker, in_run, b->in);
	return e;
}

static void engine_close(struct backend *b)
{
	if (!b)
		return;
	worker_stop(&b->out_worker);
	worker_stop(&b->in_worker);
	sa_drop_all(b);
	loop_fd_del(b->icmp);
	loop_timer_free(b->tick);
	worker_close(&b->out_worker);
	worker_close(&b->in_worker);
	out_close(b->out);
	in_close(b->in);
	hops_close(&b->hops);
	for (size_t i = 0; b->rings && i < b->rings->n; i++)
		ring_free(b->rings->rings[i]);
	mem_free(b->rings);
	policy_set_free(b->set);
	policy_table_free(&b->policies);
	sockets_close(&b->sockets);
	tap_close(&b->tap);
	mem_free(b);
}

static enum err engine_open(struct backend **out, const struct backend_args *args)
{
	struct backend *b = mem_zalloc(sizeof(*b));
	enum err e;

	if (!b)
		return ERR_NOMEM;
	b->args = *args;
	b->tap.fd = -1;
	b->sockets = SOCKETS_NONE;
	rcu_init(&b->rcu);
	b->sas.rcu = &b->rcu;
	e = open_all(b);
	if (e != ERR_OK) {
		engine_close(b);
		return e == ERR_SYS ? ERR_UNSUPPORTED : e;
	}
	describe(b);
	*out = b;
	return ERR_OK;
}

static enum err engine_ike_sockets(struct backend *b, int *udp500, int *udp4500)
{
	*udp500 = b->sockets.ike500;
	*udp4500 = b->sockets.ike4500;
	return ERR_OK;
}

static enum err engine_pass_packet(struct backend *b, const struct dpm_packet *p, size_t len)
{
	struct note *n = len <= NOTE_BYTES ? note_take(&b->in_worker.down) : NULL;

	if (!n)
		return ERR_LIMIT;
	n->kind = NOTE_ESP;
	n->packet = *p;
	n->len = (uint16_t)len;
	memcpy(n->packet.bytes, p->bytes, len);
	note_put(&b->in_worker.down);
	return ERR_OK;
}

#ifndef UDP_GRO
#define UDP_GRO 104
#endif

/* Packet sockets see nothing of what goes past the queueing discipline, and kernels before 6.2 do not tell them how a UDP
 * super-packet is cut. */
static void engine_be_seen(struct backend *b, bool on)
{
	const int past = !on;

	(void)setsockopt(b->sockets.packet, SOL_PACKET, PACKET_QDISC_BYPASS, &past, sizeof(past));
	(void)setsockopt(b->sockets.udp, SOL_UDP, UDP_GRO, &past, sizeof(past));
	FLAG_SET(b->seen, on);
}

const struct backend_ops engine_backend = {
	.name = "engine",
	.open = engine_open,
	.close = engine_close,
	.ike_sockets = engine_ike_sockets,
	.spi_alloc = engine_spi_alloc,
	.sa_put = engine_sa_put,
	.sa_del = engine_sa_del,
	.sa_move = engine_sa_move,
	.flush = engine_flush,
	.policy_replace = engine_policy_replace,
	.policy_state = engine_policy_state,
	.pass_packet = engine_pass_packet,
	.sa_dump = engine_sa_dump,
	.policy_dump = engine_policy_dump,
	.line_dump = engine_line_dump,
	.drops = engine_drops,
	.info = engine_info,
	.clear_counters = engine_clear_counters,
	.clear_line_counts = engine_clear_line_counts,
	.be_seen = engine_be_seen,
};
