/* Receive rings. */
#include "datapath/engine/ring.h"

#include "platform/base/mem.h"

#include <arpa/inet.h>
#include <linux/filter.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#ifndef PACKET_IGNORE_OUTGOING
#define PACKET_IGNORE_OUTGOING 23
#endif

#define RING_BYTES (8u * 1024 * 1024) /* 4096 packets: as much as the TAP holds */
#define RING_BLOCK (64u * 1024)

static bool set(int fd, int name, int value)
{
	return setsockopt(fd, SOL_PACKET, name, &value, sizeof(value)) == 0;
}

static bool attach_filter(int fd)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, (uint32_t)(SKF_AD_OFF + SKF_AD_PKTTYPE)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PACKET_HOST, 0, 8),
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 12),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ETHERTYPE_IP, 0, 6),
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 23),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 50, 1, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 51, 0, 3),
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 20),
		BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 0x3fff, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, 0xffffffff),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	struct sock_fprog prog = { sizeof(code) / sizeof(code[0]), code };

	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &prog, sizeof(prog)) == 0;
}

static bool map_ring(struct ring *r, uint32_t mtu)
{
	struct tpacket_req q = { .tp_block_size = RING_BLOCK };

	for (r->frame = 2048; r->frame < mtu + 128 && r->frame < RING_BLOCK;)
		r->frame *= 2;
	r->count = RING_BYTES / r->frame;
	q.tp_frame_size = r->frame;
	q.tp_frame_nr = r->count;
	q.tp_block_nr = RING_BYTES / RING_BLOCK;
	if (!set(r->fd, PACKET_VERSION, TPACKET_V2) || setsockopt(r->fd, SOL_PACKET, PACKET_RX_RING, &q, sizeof(q)) != 0)
		return false;
	r->map_len = RING_BYTES;
	r->map = mmap(NULL, r->map_len, PROT_READ | PROT_WRITE, MAP_SHARED, r->fd, 0);
	if (r->map == MAP_FAILED)
		r->map = NULL;
	return r->map != NULL;
}

enum err ring_open(struct ring **out, int ifindex, uint32_t mtu)
{
	/* ETH_P_ALL: with ETH_P_IP the copy would be taken behind the hook that drops the kernel's own. */
	struct sockaddr_ll a = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL), .sll_ifindex = ifindex };
	struct ring *r = mem_zalloc(sizeof(*r));

	if (!r)
		return ERR_NOMEM;
	r->ifindex = ifindex;
	r->fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (r->fd < 0 || !attach_filter(r->fd) || !set(r->fd, PACKET_IGNORE_OUTGOING, 1) || !map_ring(r, mtu) ||
		bind(r->fd, (struct sockaddr *)&a, sizeof(a)) != 0) {
		ring_free(r);
		return ERR_SYS;
	}
	*out = r;
	return ERR_OK;
}

void ring_free(struct ring *r)
{
	if (r->map)
		munmap(r->map, r->map_len);
	if (r->fd >= 0)
		close(r->fd);
	mem_free(r);
}

static struct tpacket2_hdr *slot(const struct ring *r, uint32_t i)
{
	return (struct tpacket2_hdr *)(void *)(r->map + (size_t)i * r->frame);
}

bool ring_next(struct ring *r, struct span *packet)
{
	struct tpacket2_hdr *h = slot(r, r->at);

	if ((r->at + 1) % r->count == r->done)
		return false; /* all slots are ours: give some back first */
	if (!(__atomic_load_n(&h->tp_status, __ATOMIC_ACQUIRE) & TP_STATUS_USER))
		return false;
	r->at = (r->at + 1) % r->count;
	*packet = (struct span){ NULL, 0 };
	if (h->tp_snaplen == h->tp_len && h->tp_net >= h->tp_mac && (uint32_t)(h->tp_net - h->tp_mac) <= h->tp_snaplen)
		*packet = span_of((uint8_t *)h + h->tp_net, h->tp_snaplen - (uint32_t)(h->tp_net - h->tp_mac));
	return true;
}

void ring_release(struct ring *r)
{
	for (; r->done != r->at; r->done = (r->done + 1) % r->count)
		__atomic_store_n(&slot(r, r->done)->tp_status, TP_STATUS_KERNEL, __ATOMIC_RELEASE);
}
