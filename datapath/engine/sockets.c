/* Making the sockets. */
#include "datapath/engine/sockets.h"

#include "datapath/backend.h"
#include "platform/base/log.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/icmp.h>
#include <net/ethernet.h>
#include <linux/if_packet.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#ifndef UDP_GRO
#define UDP_GRO 104
#endif

#define BUFFER_BYTES (8 * 1024 * 1024)
#define SEND_WAIT_US 10000

static bool set(int fd, int level, int name, int value)
{
	return setsockopt(fd, level, name, &value, sizeof(value)) == 0;
}

/* A send waits for room (that is the back-pressure to the TAP), but never long: the control thread waits for workers. */
static void set_buffers(int fd)
{
	struct timeval wait = { 0, SEND_WAIT_US };

	if (!set(fd, SOL_SOCKET, SO_RCVBUFFORCE, BUFFER_BYTES))
		set(fd, SOL_SOCKET, SO_RCVBUF, BUFFER_BYTES);
	if (!set(fd, SOL_SOCKET, SO_SNDBUFFORCE, BUFFER_BYTES))
		set(fd, SOL_SOCKET, SO_SNDBUF, BUFFER_BYTES);
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait));
}

static int udp_socket(int port, int discover, bool shared)
{
	struct sockaddr_in any = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	if ((shared && !set(fd, SOL_SOCKET, SO_REUSEPORT, 1)) || !set(fd, IPPROTO_IP, IP_PKTINFO, 1) ||
		!set(fd, IPPROTO_IP, IP_MTU_DISCOVER, discover) || bind(fd, (struct sockaddr *)&any, sizeof(any)) != 0) {
		int keep = errno;

		close(fd);
		errno = keep;
		return -1;
	}
	return fd;
}

static bool attach_choice(int fd)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0), /* too short: the program ends with 0 */
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, 0),
		BPF_STMT(BPF_RET | BPF_K, 1),
	};
	struct sock_fprog prog = { sizeof(code) / sizeof(code[0]), code };

	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, &prog, sizeof(prog)) == 0;
}

static bool receive_nothing(int fd)
{
	struct sock_filter code[] = { BPF_STMT(BPF_RET | BPF_K, 0) };
	struct sock_fprog prog = { 1, code };

	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &prog, sizeof(prog)) == 0;
}

static const char *open_udp(struct sockets *s)
{
	s->ike500 = udp_socket(PORT_IKE, IP_PMTUDISC_DONT, false);
	if (s->ike500 < 0)
		return "UDP 500";
	/* The order of binding is the index in the group. */
	s->ike4500 = udp_socket(PORT_NATT, IP_PMTUDISC_DONT, true);
	s->udp = udp_socket(PORT_NATT, IP_PMTUDISC_DONT, true);
	s->udp_df = udp_socket(PORT_NATT, IP_PMTUDISC_PROBE, true);
	if (s->ike4500 < 0 || s->udp < 0 || s->udp_df < 0 || !attach_choice(s->udp))
		return "UDP 4500";
	if (!receive_nothing(s->udp_df))
		return "UDP 4500 filter";
	set(s->udp, IPPROTO_IP, IP_RECVTOS, 1);
	set(s->udp, SOL_UDP, UDP_GRO, 1);
	set(s->udp, SOL_SOCKET, SO_MARK, (int)BACKEND_SOCKET_MARK);
	set(s->udp_df, SOL_SOCKET, SO_MARK, (int)BACKEND_SOCKET_MARK);
	set_buffers(s->udp);
	set_buffers(s->udp_df);
	s->udp_gso = set(s->udp, SOL_UDP, UDP_SEGMENT, 0);
	return NULL;
}

static const char *open_raw(struct sockets *s)
{
	struct icmp_filter only = { ~(1u << ICMP_DEST_UNREACH) };

	s->raw = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_ESP);
	s->raw_df = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_ESP);
	if (s->raw < 0 || s->raw_df < 0 || !receive_nothing(s->raw_df))
		return "raw ESP";
	set(s->raw, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DONT);
	set(s->raw_df, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_PROBE);
	set_buffers(s->raw);
	set_buffers(s->raw_df);
	s->icmp = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_ICMP);
	if (s->icmp < 0 || setsockopt(s->icmp, SOL_RAW, ICMP_FILTER, &only, sizeof(only)) != 0)
		return "raw ICMP";
	s->ip = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_RAW);
	if (s->ip < 0)
		return "raw IP";
	s->raw_ah = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_AH);
	s->header = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW);
	if (s->raw_ah < 0 || s->header < 0)
		return "raw AH";
	set_buffers(s->raw_ah);
	set_buffers(s->header);
	s->packet = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	if (s->packet < 0)
		return "AF_PACKET";
	set(s->packet, SOL_PACKET, PACKET_QDISC_BYPASS, 1);
	set_buffers(s->packet);
	return NULL;
}

enum err sockets_open(struct sockets *s)
{
	const char *failed;

	*s = SOCKETS_NONE;
	failed = open_udp(s);
	if (!failed)
		failed = open_raw(s);
	if (!failed)
		return ERR_OK;
	log_msg("CRYPTO", LOG_SEV_ERROR, "SOCKET", "%s: %s", failed, strerror(errno));
	sockets_close(s);
	return ERR_SYS;
}

void sockets_close(struct sockets *s)
{
	int *all[] = { &s->ike500, &s->ike4500, &s->udp, &s->udp_df, &s->raw, &s->raw_df, &s->packet, &s->icmp, &s->ip, &s->raw_ah,
		&s->header };

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		if (*all[i] >= 0)
			close(*all[i]);
		*all[i] = -1;
	}
}
