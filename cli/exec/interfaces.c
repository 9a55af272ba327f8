/* show interfaces, show ip interface [brief]. */
#include "cli/exec/interfaces.h"

#include "cli/exec.h"
#include "cli/exec/duration.h"
#include "platform/base/mem.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *status_of(const struct platm_interface *i)
{
	return i->present && !i->admin_up ? "administratively down" : i->line_up ? "up" : "down";
}

static const char *protocol_of(const struct platm_interface *i)
{
	return i->admin_up && i->line_up ? "up" : "down";
}

static bool is_loopback(const struct platm_interface *i)
{
	return strncmp(i->name, "Loopback", 8) == 0;
}

/* The load of a gigabit link in 255ths, at least 1. */
static unsigned load(uint64_t bps)
{
	uint64_t n = bps * 255 / 1000000000;

	return n == 0 ? 1 : n > 255 ? 255 : (unsigned)n;
}

static char *ago(char out[DURATION_TEXT], uint64_t seconds)
{
	if (seconds == UINT64_MAX)
		snprintf(out, DURATION_TEXT, "never");
	else
		duration_short(out, seconds);
	return out;
}

static void hardware(struct out *o, const struct platm_interface *i)
{
	const uint8_t *m = i->mac;

	if (is_loopback(i)) {
		out_printf(o, "  Hardware is Loopback\n");
		return;
	}
	out_printf(o, "  Hardware is Gigabit Ethernet, address is %02x%02x.%02x%02x.%02x%02x (bia %02x%02x.%02x%02x.%02x%02x)\n",
		m[0], m[1], m[2], m[3], m[4], m[5], m[0], m[1], m[2], m[3], m[4], m[5]);
}

static void link_lines(struct out *o, const struct platm_interface *i)
{
	bool loop = is_loopback(i);

	out_printf(o, "  MTU %u bytes, BW %u Kbit/sec, DLY %u usec, \n", i->mtu, loop ? 8000000 : 1000000, loop ? 5000 : 10);
	out_printf(o, "     reliability %u/255, txload %u/255, rxload %u/255\n", i->reliability, load(i->tx_bps), load(i->rx_bps));
	out_printf(o, "  Encapsulation %s, loopback not set\n", loop ? "LOOPBACK" : "ARPA");
	if (!loop)
		out_printf(o, "  Keepalive not supported \n  ARP type: ARPA, ARP Timeout 04:00:00\n");
}

/* IOS's lines, with what the kernel counts: broadcasts and unknown protocols it does not, so those lines are not here. Frames of a
 * wrong length it does not tell apart; they are giants. Nothing throttles a receiver, and nothing resets an interface by itself. */
static void received(struct out *o, const struct platm_counters *n)
{
	out_printf(o, "     %" PRIu64 " packets input, %" PRIu64 " bytes, %" PRIu64 " no buffer\n", n->rx_packets, n->rx_bytes,
		n->rx_missed);
	out_printf(o, "     0 runts, %" PRIu64 " giants, 0 throttles \n", n->rx_length);
	out_printf(o,
		"     %" PRIu64 " input errors, %" PRIu64 " CRC, %" PRIu64 " frame, %" PRIu64 " overrun, %" PRIu64 " ignored\n",
		n->rx_errors, n->rx_crc, n->rx_frame, n->rx_over, n->rx_fifo);
	out_printf(o, "     %" PRIu64 " multicast\n", n->rx_multicast);
}

static void sent(struct out *o, const struct platm_counters *n)
{
	out_printf(o, "     %" PRIu64 " packets output, %" PRIu64 " bytes, %" PRIu64 " underruns\n", n->tx_packets, n->tx_bytes,
		n->tx_fifo);
	out_printf(o, "     %" PRIu64 " output errors, %" PRIu64 " collisions, 0 interface resets\n", n->tx_errors, n->collisions);
	out_printf(o, "     %" PRIu64 " lost carrier\n     %" PRIu64 " carrier transitions\n", n->tx_carrier, n->carrier_changes);
}

static void counters(struct out *o, const struct platm_interface *i)
{
	char in[DURATION_TEXT], out[DURATION_TEXT];

	out_printf(o, "  Last input %s, output %s, output hang never\n", ago(in, i->last_input_s), ago(out, i->last_output_s));
	out_printf(o, "  Last clearing of \"show interface\" counters never\n");
	out_printf(o, "  Input queue: 0/75/%" PRIu64 "/0 (size/max/drops/flushes); Total output drops: %" PRIu64 "\n",
		i->count.rx_dropped, i->count.tx_dropped);
	out_printf(o, "  Queueing strategy: fifo\n  Output queue: 0/40 (size/max)\n");
	out_printf(o, "  5 minute input rate %" PRIu64 " bits/sec, %" PRIu64 " packets/sec\n", i->rx_bps, i->rx_pps);
	out_printf(o, "  5 minute output rate %" PRIu64 " bits/sec, %" PRIu64 " packets/sec\n", i->tx_bps, i->tx_pps);
	received(o, &i->count);
	sent(o, &i->count);
}

void show_interfaces_format(struct out *o, const struct cfg *cfg, const struct platm_interface *rows, size_t n, const char *name)
{
	for (size_t k = 0; k < n && !o->stopped; k++) {
		const struct platm_interface *i = &rows[k];
		const struct cfg_interface *c = cfg_interface(cfg, i->name);
		char ip[ADDR_TEXT];

		if (name != NULL && strcmp(name, i->name) != 0)
			continue;
		out_printf(o, "%s is %s, line protocol is %s \n", i->name, status_of(i), protocol_of(i));
		hardware(o, i);
		if (c != NULL && c->description[0] != '\0')
			out_printf(o, "  Description: %s\n", c->description);
		if (addr_is_set(i->ip))
			out_printf(o, "  Internet address is %s/%u\n", addr_print(ip, i->ip), i->prefix_len);
		link_lines(o, i);
		if (i->fault[0] != '\0')
			out_printf(o, "  Fault: %s\n", i->fault);
		counters(o, i);
	}
}

char *interface_short(char out[INTERFACE_SHORT], const char *name)
{
	snprintf(out, INTERFACE_SHORT, "%.2s%s", name, name + strcspn(name, "0123456789"));
	return out;
}

void show_interfaces_description_format(
	struct out *o, const struct cfg *cfg, const struct platm_interface *rows, size_t n, const char *name)
{
	out_printf(o, "%-30s %-14s %-8s %s\n", "Interface", "Status", "Protocol", "Description");
	for (size_t k = 0; k < n && !o->stopped; k++) {
		const struct platm_interface *i = &rows[k];
		const struct cfg_interface *c = cfg_interface(cfg, i->name);
		char text[INTERFACE_SHORT];

		if (name == NULL || strcmp(name, i->name) == 0)
			out_printf(o, "%-30s %-14s %-8s %s\n", interface_short(text, i->name),
				i->present && !i->admin_up ? "admin down" : status_of(i), protocol_of(i),
				c == NULL ? "" : c->description);
	}
}

/* ---- IP ---- */

static void ip_access(struct out *o, const char *which, const char *acl)
{
	if (acl == NULL || acl[0] == '\0')
		out_printf(o, "  %s access list is not set\n", which);
	else
		out_printf(o, "  %s access list is %s\n", which, acl);
}

static void ip_details(struct out *o, const struct cfg_interface *c, const struct platm_interface *i)
{
	char a[ADDR_TEXT];

	out_printf(o, "  Internet address is %s/%u\n", addr_print(a, i->ip), i->prefix_len);
	out_printf(o, "  Broadcast address is 255.255.255.255\n  Address determined by setup command\n");
	out_printf(o, "  MTU is %u bytes\n  Helper address is not set\n  Directed broadcast forwarding is disabled\n",
		i->ip_mtu > 0 ? i->ip_mtu : i->mtu);
	for (size_t k = 0; c != NULL && k < c->nsecondary; k++)
		out_printf(
			o, "  Secondary address %s/%d\n", ip4_print(a, c->secondary[k].addr), ip4_mask_len(c->secondary[k].mask));
	ip_access(o, "Outgoing", c == NULL ? NULL : c->acl_out);
	ip_access(o, "Inbound ", c == NULL ? NULL : c->acl_in);
	out_printf(o, "  Proxy ARP is disabled\n  ICMP redirects are never sent\n  ICMP unreachables are always sent\n"
		      "  ICMP mask replies are never sent\n");
	out_printf(o, "  Policy routing is disabled\n  Network address translation is disabled\n");
}

void show_ip_interface_format(struct out *o, const struct cfg *cfg, const struct platm_interface *rows, size_t n, const char *name)
{
	for (size_t k = 0; k < n && !o->stopped; k++) {
		const struct platm_interface *i = &rows[k];

		if (name != NULL && strcmp(name, i->name) != 0)
			continue;
		out_printf(o, "%s is %s, line protocol is %s\n", i->name, status_of(i), protocol_of(i));
		if (addr_is_set(i->ip))
			ip_details(o, cfg_interface(cfg, i->name), i);
		else
			out_printf(o, "  Internet protocol processing disabled\n");
	}
}

void show_ip_interface_brief_format(struct out *o, const struct platm_interface *rows, size_t n, const char *name)
{
	out_printf(o, "Interface                  IP-Address      OK? Method Status                Protocol\n");
	for (size_t k = 0; k < n && !o->stopped; k++) {
		const struct platm_interface *i = &rows[k];
		bool set = addr_is_set(i->ip);
		char ip[ADDR_TEXT];

		if (name == NULL || strcmp(name, i->name) == 0)
			out_printf(o, "%-26s %-15s YES %-6s %-21s %s\n", i->name, set ? addr_print(ip, i->ip) : "unassigned",
				set ? "manual" : "unset", status_of(i), protocol_of(i));
	}
}

/* ---- Commands ---- */

/* Loopbacks last, else by number: the kernel lists them as they were made. */
static int by_place(const void *a, const void *b)
{
	const struct platm_interface *x = a, *y = b;
	bool x_loop = is_loopback(x), y_loop = is_loopback(y);
	size_t x_len = strlen(x->name), y_len = strlen(y->name);

	return x_loop != y_loop ? (int)x_loop - y_loop : x_len != y_len ? (x_len < y_len ? -1 : 1) : strcmp(x->name, y->name);
}

static bool gather(struct exec_call *c, struct cfg **cfg, struct platm_interface **rows, size_t *n)
{
	*cfg = exec_cfg(c);
	if (*cfg != NULL &&
		exec_rows_of(c, DAEMON_PLATFORM, PLATM_INTERFACE_DUMP, span_of(NULL, 0), sizeof(**rows), (void **)rows, n)) {
		if (*n > 0)
			qsort(*rows, *n, sizeof(**rows), by_place);
		return true;
	}
	cfg_free(*cfg);
	return false;
}

/* An interface that is not there is IOS's "Invalid input" to the grammar; here its number may be unknown. */
static bool known(struct exec_call *c, const struct platm_interface *rows, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (name != NULL && strcmp(rows[i].name, name) == 0)
			return true;
	if (name != NULL)
		out_printf(c->out, "%% There is no interface %s\n", name);
	return name == NULL;
}

static bool show(struct exec_call *c)
{
	const char *name = exec_arg(c, "interface");
	struct platm_interface *rows;
	struct cfg *cfg;
	size_t n;
	bool ok;

	if (!gather(c, &cfg, &rows, &n))
		return false;
	ok = known(c, rows, n, name);
	if (ok && exec_arg(c, "description") != NULL)
		show_interfaces_description_format(c->out, cfg, rows, n, name);
	else if (ok && exec_arg(c, "ip") == NULL)
		show_interfaces_format(c->out, cfg, rows, n, name);
	else if (ok && exec_arg(c, "brief") == NULL)
		show_ip_interface_format(c->out, cfg, rows, n, name);
	else if (ok)
		show_ip_interface_brief_format(c->out, rows, n, name);
	cfg_free(cfg);
	mem_free(rows);
	return ok;
}

#define SHOW        "Show running system information"
#define IP          "IP information"
#define DESCRIPTION "Show interface description"
#define STATUS      "IP interface status and configuration"

const struct exec_row exec_rows_interfaces[] = {
	{ "show interfaces [INTERFACE$interface]", EXEC_HELP(SHOW, "Interface status and configuration", "Interface"), 0, EXEC_PIPE,
		show, 0 },
	{ "show interfaces description$description", EXEC_HELP(SHOW, "Interface status and configuration", DESCRIPTION), 0,
		EXEC_PIPE, show, 0 },
	{ "show interfaces INTERFACE$interface description$description",
		EXEC_HELP(SHOW, "Interface status and configuration", "Interface", DESCRIPTION), 0, EXEC_PIPE, show, 0 },
	{ "show ip$ip interface [brief$brief]", EXEC_HELP(SHOW, IP, STATUS, "Brief summary of IP status and configuration"), 0,
		EXEC_PIPE, show, 0 },
	{ "show ip$ip interface INTERFACE$interface", EXEC_HELP(SHOW, IP, STATUS, "Interface"), 0, EXEC_PIPE, show, 0 },
	{ "show ip$ip interface brief$brief INTERFACE$interface",
		EXEC_HELP(SHOW, IP, STATUS, "Brief summary of IP status and configuration", "Interface"), 0, EXEC_PIPE, show, 0 },
	{ NULL, NULL, 0, 0, NULL, 0 },
};
