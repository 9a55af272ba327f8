/* UDP packets at a given rate, and a counter of what arrives.
 *
 *   pktgen send ADDRESS PORT SIZE PPS MS     prints how many were sent
 *   pktgen recv PORT MS                      prints "ready", counts until MS after the first packet, prints how many came
 *
 * SIZE is the whole IP packet's. Both sides use as few system calls as there are batches.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define BATCH    64
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

static int send_packets(char **arg)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(arg[1])) };
	size_t size = (size_t)atoi(arg[2]);
	uint64_t pps = strtoull(arg[3], NULL, 10), ms = strtoull(arg[4], NULL, 10), sent = 0, start, end;
	int fd = udp();

	if (inet_pton(AF_INET, arg[0], &to.sin_addr) != 1 || size < HEADERS || size > sizeof(room[0]) ||
		connect(fd, (struct sockaddr *)&to, sizeof(to)) != 0)
		return 2;
	prepare(size - HEADERS);
	start = now_us();
	end = start + ms * 1000;
	for (uint64_t now = start; now < end; now = now_us()) {
		uint64_t due = (now - start) * pps / 1000000;
		int n;

		if (due <= sent) {
			usleep(SLEEP_US);
			continue;
		}
		n = sendmmsg(fd, msgs, due - sent < BATCH ? (unsigned)(due - sent) : BATCH, 0);
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

		if (poll(&p, 1, end ? 100 : 3000) == 0 && end == 0)
			break;
		n = recvmmsg(fd, msgs, BATCH, MSG_DONTWAIT, NULL);
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
