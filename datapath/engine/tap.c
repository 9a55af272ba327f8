/* The TAP: /dev/net/tun, its offloads, and the few settings of its interface. */
#include "datapath/engine/tap.h"

#include "platform/base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#ifndef TUN_F_USO4
#define TUN_F_USO4 0x20 /* kernel 6.2 */
#define TUN_F_USO6 0x40
#endif

#define TAP_QUEUE 4000

/* A container may have made the file read-only: then what is there must do. */
static void set_sysctl(const char *name, const char *what, const char *value)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "/proc/sys/net/%s/%s/%s", strchr(what, '6') ? "ipv6/conf" : "ipv4/conf", name, what);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	if (write(fd, value, strlen(value)) < 0)
		log_msg("CRYPTO", LOG_SEV_WARNING, "TAP", "%s stays as it is: %s", path, strerror(errno));
	close(fd);
}

/* Decrypted packets come from networks whose route points elsewhere. The kernel takes the stricter of this value and `all`, so
 * where that asks for the strict check the loose one is set, which is the one that overrides it. */
static const char *source_check(void)
{
	char c = '0';
	int fd = open("/proc/sys/net/ipv4/conf/all/rp_filter", O_RDONLY | O_CLOEXEC);

	if (fd >= 0) {
		if (read(fd, &c, 1) != 1)
			c = '0';
		close(fd);
	}
	return c == '1' ? "2" : "0";
}

static void probe_offloads(struct tap *t, bool gso)
{
	unsigned tso = TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO_ECN, uso = tso | TUN_F_USO4 | TUN_F_USO6;

	t->uso = gso && ioctl(t->fd, TUNSETOFFLOAD, uso) == 0;
	t->tso = t->uso || (gso && ioctl(t->fd, TUNSETOFFLOAD, tso) == 0);
	if (!t->tso)
		(void)!ioctl(t->fd, TUNSETOFFLOAD, TUN_F_CSUM);
}

static bool bring_up(struct tap *t, int s, const char *name)
{
	struct ifreq r = { 0 };

	snprintf(r.ifr_name, sizeof(r.ifr_name), "%s", name);
	if (ioctl(s, SIOCGIFHWADDR, &r) != 0)
		return false;
	memcpy(t->mac, r.ifr_hwaddr.sa_data, 6);
	r.ifr_qlen = TAP_QUEUE;
	(void)!ioctl(s, SIOCSIFTXQLEN, &r);
	if (ioctl(s, SIOCGIFFLAGS, &r) != 0)
		return false;
	r.ifr_flags |= IFF_UP | IFF_NOARP;
	return ioctl(s, SIOCSIFFLAGS, &r) == 0;
}

enum err tap_open(struct tap *t, const char *name, bool gso)
{
	struct ifreq r = { .ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR };
	int s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool ok;

	*t = (struct tap){ .fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC) };
	snprintf(r.ifr_name, sizeof(r.ifr_name), "%s", name);
	ok = t->fd >= 0 && s >= 0 && ioctl(t->fd, TUNSETIFF, &r) == 0 && ioctl(t->fd, TUNSETPERSIST, 1) == 0;
	if (ok) {
		probe_offloads(t, gso);
		set_sysctl(name, "disable_ipv6", "1");
		set_sysctl(name, "rp_filter", source_check());
		set_sysctl(name, "forwarding", "1");
		ok = bring_up(t, s, name);
		t->ifindex = (int)if_nametoindex(name);
	}
	if (!ok)
		log_msg("CRYPTO", LOG_SEV_ERROR, "TAP", "%s: %s", name, strerror(errno));
	if (s >= 0)
		close(s);
	if (ok)
		return ERR_OK;
	tap_close(t);
	return ERR_SYS;
}

void tap_close(struct tap *t)
{
	if (t->fd >= 0)
		close(t->fd);
	t->fd = -1;
}
