/* What kernel.c and kernel_do.c share. */
#ifndef POSTERN_PLATFORM_KERNEL_NL_H
#define POSTERN_PLATFORM_KERNEL_NL_H

#include "platform/daemon/kernel.h"

#include <netlink/errno.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>

struct kernel {
	struct nl_sock *ask;  /* questions and operations, one at a time */
	struct nl_sock *hear; /* notifications */
	struct loop_fd *watch;
	void (*changed)(void *ctx);
	void *ctx;
};

struct kernel_fill {
	struct box *box;
	enum err err;
};

enum err kernel_err(int nl);

#endif
