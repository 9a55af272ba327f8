/* The settings, in two tables. */
#include "platform/daemon/sysctl.h"

#include "platform/base/log.h"
#include "platform/daemon/box.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct setting {
	const char *name, *value; /* %s: the interface */
};

static const struct setting router[] = {
	/* Of `all` and the interface's own, the kernel takes the greater one, or both together. */
	{ "net/ipv4/conf/all/rp_filter", "0" },
	{ "net/ipv4/conf/default/rp_filter", "0" },
	{ "net/ipv4/conf/all/send_redirects", "0" },
	{ "net/ipv4/conf/default/send_redirects", "0" },
	{ "net/ipv4/conf/all/accept_redirects", "0" },
	{ "net/ipv4/conf/default/accept_redirects", "0" },
	{ "net/ipv4/conf/all/accept_source_route", "0" },
	/* Time exceeded comes from the interface that the packet entered, as traceroute through IOS shows. */
	{ "net/ipv4/icmp_errors_use_inbound_ifaddr", "1" },
	/* An ICMP error has the mark of the packet that it is about: the filter knows which came out of a tunnel. */
	{ "net/ipv4/fwmark_reflect", "1" },
	/* The console pings without privileges. */
	{ "net/ipv4/ping_group_range", "0\t2147483647" },
	/* IPv4 only: no router solicitations, no neighbour discovery. */
	{ "net/ipv6/conf/default/disable_ipv6", "1" },
	/* Bursts of log lines: how many datagrams may wait at a socket. */
	{ "net/unix/max_dgram_qlen", "2048" },
};

static const struct setting interface[] = {
	{ "net/ipv6/conf/%s/disable_ipv6", "1" },
	{ "net/ipv4/conf/%s/rp_filter", "0" },
	{ "net/ipv4/conf/%s/send_redirects", "0" },
	{ "net/ipv4/conf/%s/accept_redirects", "0" },
	/* ARP is answered for the addresses of this interface only, and asked with one of them. */
	{ "net/ipv4/conf/%s/arp_ignore", "1" },
	{ "net/ipv4/conf/%s/arp_announce", "2" },
	/* Removing the primary address keeps the others. */
	{ "net/ipv4/conf/%s/promote_secondaries", "1" },
};

/* As on IOS, a network whose line is down is no route. A loopback has no line. */
static const struct setting wired = { "net/ipv4/conf/%s/ignore_routes_with_linkdown", "1" };

static void put(const char *name, const char *value)
{
	char path[160], now[64];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/sys/%s", name);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0) {
		/* A kernel without IPv6 needs no setting for it. */
		if (errno != ENOENT)
			log_msg("PLATFORM", LOG_SEV_WARNING, "SYSCTL", "%s cannot be set: %s", name, strerror(errno));
		return;
	}
	n = read(fd, now, sizeof(now) - 1);
	now[n > 0 ? n : 0] = '\0';
	now[strcspn(now, "\n")] = '\0';
	if (strcmp(now, value) != 0 && pwrite(fd, value, strlen(value), 0) < 0)
		log_msg("PLATFORM", LOG_SEV_WARNING, "SYSCTL", "%s cannot be set to %s: %s", name, value, strerror(errno));
	close(fd);
}

void sysctl_router(void)
{
	for (size_t i = 0; i < sizeof(router) / sizeof(router[0]); i++)
		put(router[i].name, router[i].value);
}

void sysctl_forward(void)
{
	put("net/ipv4/ip_forward", "1");
}

static void put_for(const struct setting *s, const char *ifname)
{
	char name[128];
	const char *at = strstr(s->name, "%s");

	snprintf(name, sizeof(name), "%.*s%s%s", (int)(at - s->name), s->name, ifname, at + 2);
	put(name, s->value);
}

void sysctl_interface(const char *ifname)
{
	for (size_t i = 0; i < sizeof(interface) / sizeof(interface[0]); i++)
		put_for(&interface[i], ifname);
	if (!box_name_is_loopback(ifname))
		put_for(&wired, ifname);
}
