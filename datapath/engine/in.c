/* The in worker: from the wire to the TAP. */
#include "datapath/engine/in.h"

#include "platform/base/mem.h"

#include <poll.h>

enum { FD_NOTES, FD_UDP, FD_RAW, FD_RAW_AH, FD_RINGS };

/* `fds`: what the last poll said; rings are looked at anyway, without a system call. */
static bool drain(struct in *in, const struct ring_set *rings, const struct pollfd *fds)
{
	bool more = fds[FD_UDP].revents && receive_udp(in);

	if (fds[FD_RAW].revents)
		more |= receive_raw(in, in->b->sockets.raw);
	if (fds[FD_RAW_AH].revents)
		more |= receive_raw(in, in->b->sockets.raw_ah);
	for (size_t i = 0; i < rings->n; i++)
		more |= receive_ring(in, rings->rings[i]);
	return more;
}

static nfds_t poll_set(struct in *in, const struct ring_set *rings, struct pollfd *fds)
{
	nfds_t n = FD_RINGS;

	fds[FD_NOTES] = (struct pollfd){ .fd = in->w->down.fd, .events = POLLIN };
	fds[FD_UDP] = (struct pollfd){ .fd = in->b->sockets.udp, .events = POLLIN };
	fds[FD_RAW] = (struct pollfd){ .fd = in->b->sockets.raw, .events = POLLIN };
	fds[FD_RAW_AH] = (struct pollfd){ .fd = in->b->sockets.raw_ah, .events = POLLIN };
	for (size_t i = 0; i < rings->n; i++)
		fds[n++] = (struct pollfd){ .fd = rings->rings[i]->fd, .events = POLLIN };
	return n;
}

void *in_run(void *arg)
{
	struct in *in = arg;
	struct pollfd fds[FD_RINGS + RINGS_MAX] = { 0 };

	while (!FLAG_GET(in->w->stop)) {
		const struct ring_set *rings;
		nfds_t n;
		bool more;

		rcu_online(&in->b->rcu, &in->w->rcu);
		in->w->now_us = engine_now();
		rings = RCU_GET(in->b->rings);
		receive_passed(in);
		more = drain(in, rings, fds);
		n = poll_set(in, rings, fds);
		rcu_offline(&in->w->rcu);
		more = more || worker_lingers(in->w);
		/* A new set of rings wakes us through the notes' descriptor. */
		if (poll(fds, n, more ? 0 : -1) > 0 && (fds[FD_NOTES].revents & POLLIN))
			note_clear(&in->w->down);
	}
	return NULL;
}

enum err in_open(struct in **out, struct backend *b)
{
	struct in *in = mem_zalloc(sizeof(*in));

	if (!in)
		return ERR_NOMEM;
	*out = in;
	in->w = &b->in_worker;
	in->b = b;
	join_init(&in->join, &b->tap);
	in->arena = mem_zalloc(IN_ARENA);
	if (!in->arena)
		return ERR_NOMEM;
	for (size_t i = 0; i < IN_MESSAGES; i++) {
		in->buffers[i] = mem_zalloc(IN_BUFFER);
		if (!in->buffers[i])
			return ERR_NOMEM;
	}
	return ERR_OK;
}

void in_close(struct in *in)
{
	if (!in)
		return;
	for (size_t i = 0; i < IN_MESSAGES; i++)
		mem_free(in->buffers[i]);
	mem_free(in->arena);
	mem_free(in);
}
