/* A running capture: its packet socket, its limits. */
#include "datapath/capture/capture_frame.h"
#include "datapath/capture/capture_impl.h"

#include "platform/base/log.h"
#include "platform/base/mem.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define SOCKET_BYTES (8 * 1024 * 1024)
#define ROUNDS       8 /* batches before the loop has its turn */

struct batch {
	struct mmsghdr msgs[CAPTURE_BATCH];
	struct iovec iovs[CAPTURE_BATCH][2];
	struct virtio_net_hdr vnet[CAPTURE_BATCH];
	struct sockaddr_ll from[CAPTURE_BATCH];
	uint8_t control[CAPTURE_BATCH][64] __attribute__((aligned(8)));
};

/* Per interface:  its index?  the direction?  take.  Else the next, and at the end: nothing. */
static void filter_of(const struct capture *x, struct sock_filter *code, unsigned short *n)
{
	unsigned short k = 0;

	for (uint8_t i = 0; i < x->conf.ninterfaces; i++) {
		const struct dp_capture_interface *f = &x->conf.interfaces[i];

		code[k++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)(SKF_AD_OFF + SKF_AD_IFINDEX));
		code[k++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)x->ifindex[i], 0, 4);
		code[k++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)(SKF_AD_OFF + SKF_AD_PKTTYPE));
		code[k++] = (struct sock_filter)BPF_JUMP(
			BPF_JMP | BPF_JEQ | BPF_K, PACKET_OUTGOING, (uint8_t)(f->out ? 0 : 1), (uint8_t)(f->in ? 0 : 1));
		code[k++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, 0x40000);
		code[k++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, 0);
	}
	code[k++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, 0);
	*n = k;
}

static bool attach_filter(const struct capture *x)
{
	struct sock_filter code[6 * DP_CAPTURE_INTERFACES + 1];
	struct sock_fprog prog = { .filter = code };

	filter_of(x, code, &prog.len);
	return setsockopt(x->fd, SOL_SOCKET, SO_ATTACH_FILTER, &prog, sizeof(prog)) == 0;
}

void capture_find_links(struct capture *x)
{
	const struct cfg *cfg = x->d->cfg;

	for (uint8_t i = 0; i < x->conf.ninterfaces; i++) {
		const struct cfg_interface *f = cfg ? cfg_interface(cfg, x->conf.interfaces[i].name) : NULL;

		x->ifindex[i] = f ? links_index(NULL, f->ifname) : 0;
	}
	if (x->fd >= 0 && !attach_filter(x))
		log_msg("BUFCAP", LOG_SEV_ERROR, "FILTER", "Capture Point %s: %s", x->conf.name, strerror(errno));
}

static bool set(int fd, int level, int name, int value)
{
	return setsockopt(fd, level, name, &value, sizeof(value)) == 0;
}

static bool open_socket(struct capture *x)
{
	const struct sockaddr_ll all = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL) };

	x->fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (x->fd < 0)
		return false;
	capture_find_links(x);
	if (!set(x->fd, SOL_SOCKET, SO_RCVBUFFORCE, SOCKET_BYTES))
		set(x->fd, SOL_SOCKET, SO_RCVBUF, SOCKET_BYTES);
	return attach_filter(x) && set(x->fd, SOL_PACKET, PACKET_VNET_HDR, 1) && set(x->fd, SOL_SOCKET, SO_TIMESTAMPNS, 1) &&
	       bind(x->fd, (const struct sockaddr *)&all, sizeof(all)) == 0;
}

/* What the socket dropped since the last time somebody asked. */
static uint32_t drops_of(int fd)
{
	struct tpacket_stats s;
	socklen_t len = sizeof(s);

	return getsockopt(fd, SOL_PACKET, PACKET_STATISTICS, &s, &len) == 0 ? s.tp_drops : 0;
}

void capture_count(struct capture *x)
{
	if (x->fd < 0)
		return;
	x->count.dropped += drops_of(x->fd);
	x->count.duration_us = x->d->env->now_us(x->d->env->ctx) - x->started_us;
}

/* Ends by itself. */
static void ended(struct capture *x, const char *why)
{
	capture_stop(x);
	log_msg("BUFCAP", LOG_SEV_INFO, "DISABLE_ASYNC", "Capture Point %s disabled. Reason : %s", x->conf.name, why);
}

static void on_duration(void *ctx)
{
	ended(ctx, "Capture duration expired");
}

struct taken {
	struct capture *x;
	struct dp_capture_packet head;
};

static bool too_many(struct capture *x, uint64_t now_us)
{
	if (x->conf.limits[DP_LIMIT_PPS] == 0)
		return false;
	if (now_us - x->second_us >= 1000000) {
		x->second_us = now_us;
		x->in_second = 0;
	}
	return x->in_second++ >= x->conf.limits[DP_LIMIT_PPS];
}

/* One frame as on the wire. */
static void take(void *ctx, struct span frame)
{
	struct taken *t = ctx;
	struct capture *x = t->x;
	const struct dpm_capture_info *c = &x->conf;
	const struct cfg_acl *acl = c->filter == DP_CAPTURE_ACL ? cfg_acl(x->d->cfg, c->acl) : NULL;
	uint32_t most = c->limits[DP_LIMIT_LENGTH] ? c->limits[DP_LIMIT_LENGTH] : DP_CAPTURE_BYTES;

	/* A list that is gone permits nothing: never more than was asked for. */
	if (x->over || (c->filter == DP_CAPTURE_ACL && !acl) || (c->filter != DP_CAPTURE_ANY && !capture_permits(acl, frame)))
		return;
	x->count.received++;
	if (c->limits[DP_LIMIT_EVERY] && x->seen++ % c->limits[DP_LIMIT_EVERY] != 0)
		return;
	if (too_many(x, t->head.at_ns / 1000)) {
		x->count.dropped++;
		return;
	}
	t->head.wire_len = (uint32_t)frame.len;
	t->head.len = frame.len < most ? (uint32_t)frame.len : most;
	if (!capture_store_put(&x->store, &t->head, frame.data, c->circular)) {
		x->count.dropped++;
		x->over = "Capture buffer full";
		return;
	}
	x->count.oversized += t->head.len < t->head.wire_len;
	if (c->limits[DP_LIMIT_PACKETS] && x->store.next - x->store.first >= c->limits[DP_LIMIT_PACKETS])
		x->over = "Packet limit reached";
}

static uint64_t time_of(struct msghdr *h)
{
	struct timespec t;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(h); c; c = CMSG_NXTHDR(h, c))
		if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_TIMESTAMPNS) {
			memcpy(&t, CMSG_DATA(c), sizeof(t));
			return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
		}
	clock_gettime(CLOCK_REALTIME, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static void one(struct capture *x, struct batch *b, unsigned i)
{
	struct msghdr *h = &b->msgs[i].msg_hdr;
	uint32_t len = b->msgs[i].msg_len;
	struct taken t = { .x = x, .head = { .at_ns = time_of(h), .out = b->from[i].sll_pkttype == PACKET_OUTGOING } };

	for (uint8_t k = 0; k < x->conf.ninterfaces; k++)
		if (x->ifindex[k] == b->from[i].sll_ifindex)
			t.head.interface = k;
	if (len < sizeof(b->vnet[i]) || h->msg_flags & MSG_TRUNC) {
		x->count.dropped++;
		return;
	}
	capture_frame(span_of(b->iovs[i][1].iov_base, len - sizeof(b->vnet[i])), &b->vnet[i],
		x->room + (size_t)CAPTURE_BATCH * CAPTURE_FRAME, take, &t);
}

static int receive(struct capture *x, struct batch *b)
{
	for (unsigned i = 0; i < CAPTURE_BATCH; i++) {
		b->iovs[i][0] = (struct iovec){ &b->vnet[i], sizeof(b->vnet[i]) };
		b->iovs[i][1] = (struct iovec){ x->room + (size_t)i * CAPTURE_FRAME, CAPTURE_FRAME };
		b->msgs[i].msg_hdr = (struct msghdr){ .msg_name = &b->from[i],
			.msg_namelen = sizeof(b->from[i]),
			.msg_iov = b->iovs[i],
			.msg_iovlen = 2,
			.msg_control = b->control[i],
			.msg_controllen = sizeof(b->control[i]) };
	}
	return recvmmsg(x->fd, b->msgs, CAPTURE_BATCH, MSG_DONTWAIT, NULL);
}

static void on_packets(void *ctx, int fd, int what)
{
	struct capture *x = ctx;
	struct batch b;

	(void)fd;
	(void)what;
	for (int round = 0; round < ROUNDS && !x->over; round++) {
		int n = receive(x, &b);

		/* A super-packet of a kind that this kernel cannot describe is an error, and gone (EINVAL). */
		if (n < 0 && errno == EINVAL)
			x->count.dropped++;
		else if (n <= 0)
			break;
		for (int i = 0; i < n && !x->over; i++)
			one(x, &b, (unsigned)i);
	}
	if (x->over)
		ended(x, x->over);
}

bool capture_start(struct capture *x, char *why, size_t size)
{
	struct daemon *d = x->d;

	x->room = mem_calloc(CAPTURE_BATCH + 1, CAPTURE_FRAME);
	if (!x->room || (!x->store.bytes && capture_store_open(&x->store, (size_t)x->conf.buffer_mb * 1024 * 1024) != ERR_OK)) {
		snprintf(why, size, "no memory for the buffer");
		capture_stop(x);
		return false;
	}
	if (!open_socket(x) || (x->watch = loop_fd_add(d->loop, x->fd, LOOP_READ, on_packets, x)) == NULL ||
		(x->limit = loop_timer_new(d->loop, on_duration, x)) == NULL) {
		snprintf(why, size, "%s", strerror(errno));
		capture_stop(x);
		return false;
	}
	x->count = (struct dp_capture_count){ 0 };
	x->seen = 0;
	x->over = NULL;
	x->started_us = d->env->now_us(d->env->ctx);
	x->conf.running = 1;
	if (d->captures->running++ == 0)
		d->ops->be_seen(d->backend, true);
	if (x->conf.limits[DP_LIMIT_DURATION])
		loop_timer_set(x->limit, (uint64_t)x->conf.limits[DP_LIMIT_DURATION] * 1000000);
	return true;
}

void capture_stop(struct capture *x)
{
	struct daemon *d = x->d;

	capture_count(x);
	loop_fd_del(x->watch);
	x->watch = NULL;
	loop_timer_free(x->limit);
	x->limit = NULL;
	if (x->fd >= 0)
		close(x->fd);
	x->fd = -1;
	mem_free(x->room);
	x->room = NULL;
	if (x->conf.running && --d->captures->running == 0)
		d->ops->be_seen(d->backend, false);
	x->conf.running = 0;
}
