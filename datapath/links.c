/* Devices that come and go: the kernel's link messages say that something changed; what, is asked anew. */
#include "datapath/links.h"

#include "platform/base/mem.h"

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct links {
	int fd;
	struct loop_fd *event;
	void (*changed)(void *ctx);
	void *ctx;
};

static void on_read(void *ctx, int fd, int what)
{
	struct links *k = ctx;
	char buf[16384];

	(void)what;
	/* An overrun (ENOBUFS) is a change too. */
	while (recv(fd, buf, sizeof(buf), MSG_DONTWAIT) > 0)
		;
	k->changed(k->ctx);
}

struct links *links_open(struct loop *l, void (*changed)(void *ctx), void *ctx)
{
	struct links *k = mem_zalloc(sizeof(*k));
	struct sockaddr_nl a = { .nl_family = AF_NETLINK, .nl_groups = RTMGRP_LINK };

	if (!k)
		return NULL;
	k->changed = changed;
	k->ctx = ctx;
	k->fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
	if (k->fd >= 0 && bind(k->fd, (struct sockaddr *)&a, sizeof(a)) == 0)
		k->event = loop_fd_add(l, k->fd, LOOP_READ, on_read, k);
	if (!k->event) {
		links_close(k);
		return NULL;
	}
	return k;
}

void links_close(struct links *k)
{
	if (!k)
		return;
	loop_fd_del(k->event);
	if (k->fd >= 0)
		close(k->fd);
	mem_free(k);
}

int links_index(void *ctx, const char *ifname)
{
	(void)ctx;
	return (int)if_nametoindex(ifname);
}
