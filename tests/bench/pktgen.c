/* UDP packets at a given rate, and a counter of what arrives.
 *
 *   pktgen send ADDRESS PORT SIZE PPS MS     prints how many were sent
 *   pktgen recv PORT MS                      prints "ready", counts until MS after the first packet, prints how many came
 *
 * SIZE is the whole IP packet's. The sender needs a default route by a gateway. Both sides use as few system calls as there are
 * batches.
 */
#include <arpa/inet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <netinet/in.h>
#include <netpacket/packet.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define BATCH    256
#define HEADERS  28
#define SLEEP_US 100

static struct mmsghdr msgs[BATCH];
static struct iovec iovs[BATCH];
static uint8_t room[BATCH][2048];

static uint64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

static void prepare(size_t len)
{
	for (size_t i = 0; i < BATCH; i++) {
		iovs[i] = (struct iovec){ room[i], len };
		msgs[i].msg_hdr.msg_iov = &iovs[i];
		msgs[i].msg_hdr.msg_iovlen = 1;
	}
}

static int udp(void)
{
	int fd = socket(AF_INET, SOCK_DGRAM, 0), big = 16 << 20;

	if (fd < 0) {
		perror("socket");
		exit(1);
	}
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &big, sizeof(big));
	setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &big, sizeof(big));
	return fd;
}

/* One's complement sum of `n` bytes, an even number or with a zero behind. */
static uint32_t sum16(uint32_t sum, const uint8_t *at, size_t n)
{
	for (size_t i = 0; i < n; i += 2)
		sum += (uint32_t)at[i] << 8 | (i + 1 < n ? at[i + 1] : 0);
	return sum;
}

static uint16_t fold(uint32_t sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

static void put16(uint8_t *at, uint16_t v)
{
	at[0] = (uint8_t)(v >> 8);
	at[1] = (uint8_t)v;
}

/* Of the default route. */
static bool gateway(char dev[IFNAMSIZ], struct in_addr *at)
{
	FILE *f = fopen("/proc/net/route", "r");
	char line[256];
	unsigned dest = 1, gw;
	bool found = false;

	while (!found && f != NULL && fgets(line, sizeof(line), f) != NULL)
		found = sscanf(line, "%15s %x %x", dev, &dest, &gw) == 3 && dest == 0;
	if (f != NULL)
		fclose(f);
	at->s_addr = found ? gw : 0;
	return found;
}

/* Asks the kernel once for all that a frame needs: a first packet by the usual way resolves the next hop. */
static bool way(struct sockaddr_in *to, struct sockaddr_in *from, uint8_t frame[14], int *index)
{
	struct sockaddr_in next = { .sin_family = AF_INET };
	struct arpreq arp = { 0 };
	struct ifreq ask = { 0 };
	socklen_t len = sizeof(*from);
	int fd = udp();
	bool good = gateway(ask.ifr_name, &next.sin_addr) && connect(fd, (struct sockaddr *)to, sizeof(*to)) == 0 &&
		    getsockname(fd, (struct sockaddr *)from, &len) == 0 && send(fd, "", 1, 0) == 1;

	usleep(50000);
	memcpy(arp.arp_dev, ask.ifr_name, sizeof(arp.arp_dev));
	memcpy(&arp.arp_pa, &next, sizeof(next));
	good = good && ioctl(fd, SIOCGARP, &arp) == 0;
	memcpy(frame, arp.arp_ha.sa_data, 6);
	good = good && ioctl(fd, SIOCGIFHWADDR, &ask) == 0;
	memcpy(frame + 6, ask.ifr_hwaddr.sa_data, 6);
	good = good && ioctl(fd, SIOCGIFINDEX, &ask) == 0;
	*index = ask.ifr_ifindex;
	put16(frame + 12, ETH_P_IP);
	close(fd);
	return good;
}

/* The frames of a batch: all the same but for the identification, which next_ids sets. */
static void frames(const uint8_t ethernet[14], const struct sockaddr_in *from, const struct sockaddr_in *to, size_t size)
{
	uint8_t pseudo[12] = { 0 }, *ip = room[0] + 14;
	uint16_t check;

	memcpy(room[0], ethernet, 14);
	ip[0] = 0x45;
	put16(ip + 2, (uint16_t)size);
	put16(ip + 6, 0x4000);
	ip[8] = 64;
	ip[9] = IPPROTO_UDP;
	memcpy(ip + 12, &from->sin_addr, 4);
	memcpy(ip + 16, &to->sin_addr, 4);
	memcpy(ip + 20, &from->sin_port, 2);
	memcpy(ip + 22, &to->sin_port, 2);
	put16(ip + 24, (uint16_t)(size - 20));
	memcpy(pseudo, ip + 12, 8);
	pseudo[9] = IPPROTO_UDP;
	put16(pseudo + 10, (uint16_t)(size - 20));
	check = fold(sum16(sum16(0, pseudo, sizeof(pseudo)), ip + 20, size - 20));
	put16(ip + 26, check ? check : 0xffff);
	for (size_t i = 1; i < BATCH; i++)
		memcpy(room[i], room[0], 14 + size);
}

static void next_ids(uint16_t *id, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		uint8_t *ip = room[i] + 14;

		put16(ip + 4, (*id)++);
		put16(ip + 10, 0);
		put16(ip + 10, fold(sum16(0, ip, 20)));
	}
}

/* By a packet socket past the queueing discipline, so that little of the machine goes into making packets. */
static int send_packets(char **arg)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(arg[1])) }, from;
	size_t size = (size_t)atoi(arg[2]);
	uint64_t pps = strtoull(arg[3], NULL, 10), ms = strtoull(arg[4], NULL, 10), sent = 0, start, end;
	struct sockaddr_ll link = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_IP) };
	uint8_t ethernet[14];
	uint16_t id = 0;
	int fd = socket(AF_PACKET, SOCK_RAW, 0), one = 1, big = 16 << 20;

	if (inet_pton(AF_INET, arg[0], &to.sin_addr) != 1 || size < HEADERS || size + 14 > sizeof(room[0]) || fd < 0 ||
		!way(&to, &from, ethernet, &link.sll_ifindex) || bind(fd, (struct sockaddr *)&link, sizeof(link)) != 0)
		return 2;
	setsockopt(fd, SOL_PACKET, PACKET_QDISC_BYPASS, &one, sizeof(one));
	setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &big, sizeof(big));
	frames(ethernet, &from, &to, size);
	prepare(14 + size);
	start = now_us();
	end = start + ms * 1000;
	for (uint64_t now = start; now < end; now = now_us()) {
		uint64_t due = (now - start) * pps / 1000000;
		unsigned want = due - sent < BATCH ? (unsigned)(due - sent) : BATCH;
		int n;

		if (due <= sent) {
			usleep(SLEEP_US);
			continue;
		}
		next_ids(&id, want);
		n = sendmmsg(fd, msgs, want, 0);
		if (n > 0)
			sent += (uint64_t)n;
	}
	printf("%lu\n", sent);
	return 0;
}

static int receive_packets(char **arg)
{
	struct sockaddr_in any = { .sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(arg[0])) };
	uint64_t ms = strtoull(arg[1], NULL, 10), got = 0, end = 0;
	int fd = udp();
	struct pollfd p = { .fd = fd, .events = POLLIN };

	if (bind(fd, (struct sockaddr *)&any, sizeof(any)) != 0) {
		perror("bind");
		return 1;
	}
	prepare(sizeof(room[0]));
	printf("ready\n");
	fflush(stdout);
	while (end == 0 || now_us() < end) {
		int n;

		if (end == 0 && poll(&p, 1, 3000) == 0)
			break;
		n = recvmmsg(fd, msgs, BATCH, MSG_DONTWAIT, NULL);
		/* Not woken for each packet: on a virtual machine that costs more than to forward it. */
		if (n < BATCH)
			usleep(SLEEP_US * 5);
		if (n > 0 && end == 0)
			end = now_us() + ms * 1000;
		got += n > 0 ? (uint64_t)n : 0;
	}
	printf("%lu\n", got);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 7 && strcmp(argv[1], "send") == 0)
		return send_packets(argv + 2);
	if (argc == 4 && strcmp(argv[1], "recv") == 0)
		return receive_packets(argv + 2);
	fprintf(stderr, "usage: pktgen send ADDRESS PORT SIZE PPS MS | recv PORT MS\n");
	return 2;
}
