/* Path MTU: ICMP errors that come about our ESP and AH packets (RFC 4301, 8.2), and those that we send about clear ones. */
#include "datapath/engine/control.h"

#include "datapath/engine/csum.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#define ICMP_UNREACHABLE 3
#define ICMP_NEEDED      4

static struct sa *sa_of_error(struct backend *b, uint8_t protocol, uint32_t spi, uint32_t local, uint32_t remote)
{
	for (struct sa *sa = b->sas.all; sa; sa = sa->all_next)
		if (!sa->conf.key.inbound && sa->conf.key.spi == spi && sa->conf.key.protocol == protocol && sa->local == local &&
			place_address(sa->remote) == remote)
			return sa;
	return NULL;
}

/* Routers of the first generation give no MTU: the next lower usual one (RFC 1191, 7.1). */
static uint16_t plateau(uint16_t len)
{
	static const uint16_t usual[] = { 32000, 17914, 8166, 4352, 2002, 1492, 1006, 576 };

	for (size_t i = 0; i < sizeof(usual) / sizeof(usual[0]); i++)
		if (usual[i] < len)
			return usual[i];
	return 576;
}

bool icmp_take_error(struct backend *b, struct span error)
{
	struct reader r = reader_of(error);
	uint8_t type = reader_u8(&r), code = reader_u8(&r), header, protocol;
	uint16_t mtu, len;
	uint32_t local, remote, spi;
	struct sa *sa;

	reader_skip(&r, 4);
	mtu = reader_u16(&r);
	header = (uint8_t)((reader_u8(&r) & 15) * 4);
	reader_skip(&r, 1);
	len = reader_u16(&r);
	reader_skip(&r, 5);
	protocol = reader_u8(&r);
	reader_skip(&r, 2);
	local = reader_u32(&r);
	remote = reader_u32(&r);
	if (r.failed || type != ICMP_UNREACHABLE || code != ICMP_NEEDED || header < 20)
		return false;
	reader_skip(&r, header - 20u);
	if (protocol == IPPROTO_UDP)
		reader_skip(&r, 8);
	else if (protocol == IPPROTO_AH)
		reader_skip(&r, 4);
	else if (protocol != IPPROTO_ESP)
		return false;
	spi = reader_u32(&r);
	sa = r.failed ? NULL : sa_of_error(b, protocol == IPPROTO_AH ? IPPROTO_AH : IPPROTO_ESP, spi, local, remote);
	if (!sa || sa->conf.udp_encap != (protocol == IPPROTO_UDP))
		return false;
	return hop_learn_mtu(&b->hops, sa->hop, mtu ? mtu : plateau(len), engine_now());
}

void icmp_readable(void *ctx, int fd, int what)
{
	struct backend *b = ctx;
	uint8_t buf[1024];
	ssize_t n;

	(void)what;
	for (int i = 0; i < 64 && (n = recv(fd, buf, sizeof(buf), MSG_DONTWAIT)) > 0; i++) {
		size_t header = (buf[0] & 15u) * 4u;

		if ((size_t)n > header)
			icmp_take_error(b, span_of(buf + header, (size_t)n - header));
	}
}

void icmp_send_too_big(struct backend *b, const struct note *note)
{
	const uint8_t *clear = note->packet.bytes;
	uint8_t buf[28 + 548] = { 0 }, *icmp = buf + 20;
	uint16_t sum;
	struct sockaddr_in to = { .sin_family = AF_INET };

	memcpy(&to.sin_addr, clear + 12, 4);
	buf[0] = 0x45;
	buf[1] = 0xc0; /* internetwork control */
	buf[8] = 64;
	buf[9] = IPPROTO_ICMP;
	/* The source stays zero: the kernel puts the address of the interface towards the sender. */
	memcpy(buf + 16, clear + 12, 4);
	icmp[0] = ICMP_UNREACHABLE;
	icmp[1] = ICMP_NEEDED;
	put16(icmp + 6, note->mtu);
	memcpy(icmp + 8, clear, note->len);
	sum = csum_finish(csum_add(0, icmp, 8u + note->len));
	memcpy(icmp + 2, &sum, 2);
	(void)!sendto(b->sockets.ip, buf, 28u + note->len, MSG_DONTWAIT, (struct sockaddr *)&to, sizeof(to));
}
