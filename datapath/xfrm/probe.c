/* Asking the kernel for ESP: the netlink family may be there without the protocol, so an SA is tried. */
#include "datapath/xfrm/probe.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netlink.h>
#include <linux/xfrm.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define TEST_NET 0xc0000201u /* 192.0.2.1, for documentation: nobody's (RFC 5737) */
#define TEST_SPI 0x00000101u

struct request {
	struct nlmsghdr head;
	union {
		struct xfrm_usersa_info sa;
		struct xfrm_usersa_id id;
	};
	struct nlattr attribute;
	struct xfrm_algo cipher;
};

static size_t new_sa(struct request *r)
{
	memset(r, 0, sizeof(*r));
	r->head.nlmsg_len = sizeof(*r);
	r->head.nlmsg_type = XFRM_MSG_NEWSA;
	r->head.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL;
	r->sa.family = AF_INET;
	r->sa.saddr.a4 = r->sa.id.daddr.a4 = htonl(TEST_NET);
	r->sa.id.spi = htonl(TEST_SPI);
	r->sa.id.proto = IPPROTO_ESP;
	r->sa.mode = XFRM_MODE_TUNNEL;
	r->sa.lft.soft_byte_limit = r->sa.lft.hard_byte_limit = XFRM_INF;
	r->sa.lft.soft_packet_limit = r->sa.lft.hard_packet_limit = XFRM_INF;
	r->attribute.nla_type = XFRMA_ALG_CRYPT;
	r->attribute.nla_len = sizeof(r->attribute) + sizeof(r->cipher);
	snprintf(r->cipher.alg_name, sizeof(r->cipher.alg_name), "ecb(cipher_null)");
	return r->head.nlmsg_len;
}

static size_t del_sa(struct request *r)
{
	memset(r, 0, sizeof(*r));
	r->head.nlmsg_len = NLMSG_LENGTH(sizeof(r->id));
	r->head.nlmsg_type = XFRM_MSG_DELSA;
	r->head.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	r->id.daddr.a4 = htonl(TEST_NET);
	r->id.spi = htonl(TEST_SPI);
	r->id.family = AF_INET;
	r->id.proto = IPPROTO_ESP;
	return r->head.nlmsg_len;
}

/* The kernel's errno as a positive number, 0 for success, -1 if it did not answer. */
static int ask(int fd, const struct request *r, size_t len)
{
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	struct {
		struct nlmsghdr head;
		struct nlmsgerr error;
		char more[512];
	} answer;

	if (sendto(fd, r, len, 0, (struct sockaddr *)&kernel, sizeof(kernel)) != (ssize_t)len)
		return -1;
	if (recv(fd, &answer, sizeof(answer), 0) < (ssize_t)(sizeof(answer.head) + sizeof(answer.error)) ||
		answer.head.nlmsg_type != NLMSG_ERROR)
		return -1;
	return -answer.error.error;
}

enum xfrm_ability xfrm_probe(void)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_XFRM);
	struct timeval patience = { .tv_sec = 1 };
	struct request r;
	int error = -1;

	if (fd < 0)
		return errno == EPROTONOSUPPORT ? XFRM_ABSENT : XFRM_UNKNOWN;
	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) == 0)
		error = ask(fd, &r, new_sa(&r));
	if (error == 0)
		(void)ask(fd, &r, del_sa(&r));
	close(fd);
	if (error == 0 || error == EEXIST)
		return XFRM_ESP;
	return error < 0 || error == EPERM ? XFRM_UNKNOWN : XFRM_ABSENT;
}

const char *xfrm_ability_text(enum xfrm_ability a)
{
	switch (a) {
	case XFRM_ESP:
		return "has ESP of its own";
	case XFRM_ABSENT:
		return "has no ESP of its own";
	default:
		return "was not asked for ESP of its own";
	}
}
