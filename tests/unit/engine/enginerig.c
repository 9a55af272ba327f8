#include "enginerig.h"

#include "datapath/engine/csum.h"
#include "platform/base/mem.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HEAD (sizeof(struct virtio_net_hdr) + TAP_ETHERNET)

static void must(bool ok, const char *what)
{
	if (!ok) {
		perror(what);
		abort();
	}
}

static int loopback(uint16_t *port)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(a);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), big = 4 << 20;

	must(fd >= 0 && bind(fd, (struct sockaddr *)&a, len) == 0 && getsockname(fd, (struct sockaddr *)&a, &len) == 0, "loopback");
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &big, sizeof(big));
	*port = ntohs(a.sin_port);
	return fd;
}

static void event(void *ctx, const struct backend_event *ev)
{
	struct erig *r = ctx;

	if (r->nevents < sizeof(r->events) / sizeof(r->events[0]))
		r->events[r->nevents++] = *ev;
}

void erig_open(struct erig *r, bool mb)
{
	struct backend *b = &r->b;
	static const struct backend_policies none;
	int pair[2], big = 4 << 20;
	uint16_t port;

	memset(r, 0, sizeof(*r));
	b->args = (struct backend_args){ loop_new(), &env_system, event, r };
	rcu_init(&b->rcu);
	b->sas.rcu = &b->rcu;
	must(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) == 0, "socketpair");
	setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, &big, sizeof(big));
	b->tap = (struct tap){ .fd = pair[0], .tso = true, .uso = true };
	r->tap = pair[1];
	b->sockets = SOCKETS_NONE;
	b->sockets.udp_gso = true;
	b->sockets.udp = loopback(&port);
	b->sockets.udp_df = loopback(&port);
	b->sockets.header = loopback(&port);
	r->wire = loopback(&r->wire_port);
	must(hops_open(&b->hops, b->args.loop, &b->rcu) == ERR_OK, "hops");
	b->rings = mem_zalloc(sizeof(*b->rings));
	must(policy_set_new(&b->set, &b->policies, &none) == ERR_OK, "set");
	must(worker_open(&b->out_worker, b, mb) == ERR_OK && worker_open(&b->in_worker, b, mb) == ERR_OK, "workers");
	must(out_open(&b->out, b) == ERR_OK && in_open(&b->in, b) == ERR_OK, "out, in");
	b->out_worker.now_us = b->in_worker.now_us = engine_now();
}

void erig_close(struct erig *r)
{
	struct backend *b = &r->b;

	sa_drop_all(b);
	worker_close(&b->out_worker);
	worker_close(&b->in_worker);
	out_close(b->out);
	in_close(b->in);
	hops_close(&b->hops);
	mem_free(b->rings);
	policy_set_free(b->set);
	policy_table_free(&b->policies);
	sockets_close(&b->sockets);
	tap_close(&b->tap);
	close(r->tap);
	close(r->wire);
	loop_free(b->args.loop);
}

struct dp_policy_id erig_id(uint16_t map_seq, uint32_t ace_seq)
{
	return (struct dp_policy_id){ "GigabitEthernet0/0", "VPN", map_seq, ace_seq };
}

struct cfg_ace erig_ace(uint32_t src, uint32_t src_wild, uint32_t dst, uint32_t dst_wild)
{
	return (struct cfg_ace){ .seq = 10,
		.permit = true,
		.protocol = -1,
		.src = src,
		.src_wild = src_wild,
		.dst = dst,
		.dst_wild = dst_wild,
		.icmp_type = -1,
		.icmp_code = -1,
		.dscp = -1,
		.precedence = -1,
		.tos = -1 };
}

struct dp_selectors erig_selectors(void)
{
	return (struct dp_selectors){ { addr_v4(RIG_LOCAL), addr_v4(RIG_LOCAL + 255), 0, 65535 },
		{ addr_v4(RIG_REMOTE), addr_v4(RIG_REMOTE + 255), 0, 65535 }, 0 };
}

static void policy(struct erig *r, struct cfg_ace ace)
{
	struct backend_interface f = { .name = "GigabitEthernet0/0", .ifname = "lo", .ifindex = 1, .addr = INADDR_LOOPBACK };
	struct backend_policy p = {
		.id = erig_id(10, 10), .interface = "GigabitEthernet0/0", .acl = "101", .ace = ace, .sel = erig_selectors()
	};
	struct policy_set *old = r->b.set;
	const struct backend_policies set = { &f, 1, &p, 1 };

	must(policy_set_new(&r->b.set, &r->b.policies, &set) == ERR_OK, "policy");
	policy_set_free(old);
	policy_sweep(&r->b.policies, r->b.set);
}

void erig_policy(struct erig *r)
{
	policy(r, erig_ace(RIG_LOCAL, 255, RIG_REMOTE, 255));
}

void erig_policy_hosts(struct erig *r, uint32_t src, uint32_t dst)
{
	policy(r, erig_ace(src, 0, dst, 0));
}

struct dpm_sa erig_ah(struct erig *r, bool inbound)
{
	struct dpm_sa sa = erig_sa(r, inbound);

	sa.key.protocol = 51;
	sa.udp_encap = 0;
	sa.cipher = CIPHER_NONE;
	sa.cipher_key_len = 0;
	sa.auth = HASH_SHA256;
	sa.auth_key_len = 32;
	memset(sa.auth_key, 0x33, 32);
	return sa;
}

struct dpm_sa erig_sa(struct erig *r, bool inbound)
{
	struct dpm_sa sa = {
		.key = { RIG_SPI, 50, inbound, addr_v4(INADDR_LOOPBACK) },
		.local = addr_v4(INADDR_LOOPBACK),
		.remote = addr_v4(INADDR_LOOPBACK),
		.policy = erig_id(10, 10),
		.sel = erig_selectors(),
		.udp_encap = 1,
		.remote_port = r->wire_port,
		.cipher = CIPHER_AES128_GCM,
		.replay_window = 64,
		.cipher_key_len = 20,
		.conn_id = 1,
	};

	memset(sa.cipher_key, 0x5a, 20);
	if (inbound) {
		/* What the mirrored peer sends is from our remote to our local network. */
		struct dp_selector swap = sa.sel.local;

		sa.sel.local = sa.sel.remote;
		sa.sel.remote = swap;
	}
	return sa;
}

struct sa *erig_find(struct erig *r, bool inbound)
{
	struct sa *sa = r->b.sas.all;

	while (sa && sa->conf.key.inbound != inbound)
		sa = sa->all_next;
	return sa;
}

void erig_mtu(struct erig *r, uint16_t mtu)
{
	erig_find(r, false)->hop->data->mtu = mtu;
}

uint8_t *erig_ip(uint8_t *frame)
{
	return frame + HEAD;
}

static uint8_t *start(uint8_t *frame, uint16_t len, uint8_t protocol, bool df)
{
	uint8_t *ip = erig_ip(frame);

	memset(frame, 0, HEAD);
	frame[HEAD - 2] = 0x08;
	memset(ip, 0, 20);
	ip[0] = 0x45;
	put16(ip + 2, len);
	put16(ip + 4, 0x1111);
	put16(ip + 6, df ? IP4_DF : 0);
	ip[8] = 63;
	ip[9] = protocol;
	put32(ip + 12, RIG_LOCAL + 10);
	put32(ip + 16, RIG_REMOTE + 10);
	ip4_checksum(ip, 20);
	return ip + 20;
}

static void upper_checksum(uint8_t *l4, uint16_t len, uint8_t protocol, size_t at)
{
	uint16_t sum;

	l4[at] = l4[at + 1] = 0;
	sum = csum_finish(csum_add(csum_pseudo(get32(l4 - 8), get32(l4 - 4), protocol, len), l4, len));
	memcpy(l4 + at, &sum, 2);
}

uint32_t erig_own(uint8_t *frame, uint16_t payload)
{
	uint32_t n = erig_udp(frame, payload, false);
	uint8_t *ip = erig_ip(frame);

	put32(ip + 12, INADDR_LOOPBACK);
	put32(ip + 16, INADDR_LOOPBACK);
	ip4_checksum(ip, 20);
	upper_checksum(ip + 20, (uint16_t)(8 + payload), IPPROTO_UDP, 6);
	return n;
}

uint32_t erig_udp(uint8_t *frame, uint16_t payload, bool df)
{
	uint8_t *udp = start(frame, (uint16_t)(28 + payload), IPPROTO_UDP, df);

	put16(udp, 1000);
	put16(udp + 2, 2000);
	put16(udp + 4, (uint16_t)(8 + payload));
	for (uint16_t i = 0; i < payload; i++)
		udp[8 + i] = (uint8_t)(i * 7);
	upper_checksum(udp, (uint16_t)(8 + payload), IPPROTO_UDP, 6);
	return HEAD + 28u + payload;
}

uint32_t erig_tcp(uint8_t *frame, uint32_t payload, uint16_t gso_size, bool df)
{
	uint8_t *tcp = start(frame, (uint16_t)(40 + payload), IPPROTO_TCP, df);
	struct virtio_net_hdr *v = (struct virtio_net_hdr *)(void *)frame;
	uint16_t sum;

	memset(tcp, 0, 20);
	put16(tcp, 1000);
	put16(tcp + 2, 2000);
	put32(tcp + 4, 0xfffffff0);
	put32(tcp + 8, 77);
	tcp[12] = 0x50;
	tcp[13] = 0x18; /* PSH, ACK */
	put16(tcp + 14, 500);
	for (uint32_t i = 0; i < payload; i++)
		tcp[20 + i] = (uint8_t)(i * 13 + (i >> 8));
	/* Unfinished: the field has the pseudo header's sum. */
	sum = csum_fold(csum_pseudo(RIG_LOCAL + 10, RIG_REMOTE + 10, IPPROTO_TCP, (uint16_t)(20 + payload)));
	memcpy(tcp + 16, &sum, 2);
	*v = (struct virtio_net_hdr){ .flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
		.csum_start = TAP_ETHERNET + 20,
		.csum_offset = 16,
		.hdr_len = TAP_ETHERNET + 40,
		.gso_size = gso_size };
	v->gso_type = gso_size ? VIRTIO_NET_HDR_GSO_TCPV4 : VIRTIO_NET_HDR_GSO_NONE;
	return HEAD + 40 + payload;
}

void erig_out(struct erig *r, uint8_t *frame, uint32_t len)
{
	out_frame(r->b.out, frame, len, 1, 0);
	seal_flush(r->b.out);
}

uint32_t erig_wire(struct erig *r, uint8_t *esp, size_t size)
{
	ssize_t n = recv(r->wire, esp, size, MSG_DONTWAIT);

	return n > 0 ? (uint32_t)n : 0;
}

void erig_in(struct erig *r, const uint8_t *esp, uint32_t len, uint8_t outer_tos)
{
	static uint8_t copy[8][65536];
	static unsigned at;
	uint8_t *to = copy[at++ % 8];
	struct outer o = { .local = INADDR_LOOPBACK,
		.remote = INADDR_LOOPBACK,
		.local_port = 4500,
		.remote_port = r->wire_port,
		.tos = outer_tos };

	memcpy(to, esp, len);
	open_add(r->b.in, span_of(to, len), &o);
	open_batch(r->b.in);
}

void erig_native(struct erig *r, const uint8_t *packet, uint32_t len)
{
	static uint8_t copy[65536];

	memcpy(copy, packet, len);
	receive_native(r->b.in, span_of(copy, len), 0);
	open_batch(r->b.in);
}

uint32_t erig_tap(struct erig *r, uint8_t *frame, size_t size)
{
	ssize_t n = recv(r->tap, frame, size, MSG_DONTWAIT);

	return n > 0 ? (uint32_t)n : 0;
}

static void take(struct erig *r, struct worker *w)
{
	for (struct note *n; (n = note_next(&w->up)) != NULL; note_done(&w->up)) {
		if (n->kind == NOTE_EVENT)
			event(r, &n->event);
		else if (n->kind == NOTE_PASSED_IKE)
			event(r, &(struct backend_event){ .kind = BACKEND_PASSED_IKE });
		else if (n->kind == NOTE_TOO_BIG) /* told apart by the reason that no event has */
			event(r, &(struct backend_event){ .kind = BACKEND_DROP, .drop = { .reason = 255, .count = n->mtu } });
	}
}

void erig_notes(struct erig *r)
{
	take(r, &r->b.out_worker);
	take(r, &r->b.in_worker);
}

size_t erig_events(const struct erig *r, enum backend_event_kind kind)
{
	size_t n = 0;

	for (size_t i = 0; i < r->nevents; i++)
		n += r->events[i].kind == kind;
	return n;
}

uint64_t erig_drops(struct erig *r, enum dp_drop reason)
{
	uint64_t all[DP_DROP_COUNT];

	engine_drops(&r->b, all);
	return all[reason];
}
