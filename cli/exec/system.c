/* show version, clock, privilege, arp. */
#include "cli/exec/system.h"

#include "cli/exec.h"
#include "cli/exec/duration.h"
#include "platform/base/env.h"
#include "platform/base/mem.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/timex.h>
#include <time.h>

static struct tm utc(uint64_t wall_us)
{
	time_t t = (time_t)(wall_us / 1000000);
	struct tm tm;

	gmtime_r(&t, &tm);
	return tm;
}

/* The first line is a contract: discovery programs know by it which language this console speaks. */
void show_version_format(struct out *o, const struct platm_version *v, const char *hostname)
{
	struct tm started = utc(v->started_wall_us);
	char text[2 * DURATION_TEXT], when[64];

	strftime(when, sizeof(when), "%H:%M:%S UTC %a %b %e %Y", &started);
	out_printf(o,
		"Cisco IOS Software, Postern Software (POSTERN-ADVSECURITYK9-M), Version 15.2(4)M%s, RELEASE SOFTWARE (fc1)\n",
		v->version);
	out_printf(o, "Postern %s, a free IPsec router with an IOS-like console. It contains no Cisco software.\n", v->version);
	out_printf(o, "Compiled %s\n\n", v->built);
	out_printf(o, "ROM: System Bootstrap, Version %s, RELEASE SOFTWARE\n\n", v->version);
	out_printf(o, "%s uptime is %s\n", hostname, duration_long(text, v->uptime_s));
	out_printf(o, "System returned to ROM by %s\n", v->reason);
	out_printf(o, "System restarted at %s\n", when);
	out_printf(o, "System image file is \"flash:/postern-%s.bin\"\n", v->version);
	out_printf(o, "Last reload reason: %s\n\n", v->reason);
	out_printf(o, "Cisco Postern (%s) processor (revision %s) with %" PRIu64 "K/0K bytes of memory.\n", v->cpu, v->version,
		v->memory_kb);
	out_printf(o, "Processor board ID %s\n", v->serial);
	out_printf(o, "%u Gigabit Ethernet interface%s\n", v->gigabit, v->gigabit == 1 ? "" : "s");
	out_printf(o, "256K bytes of non-volatile configuration memory.\n\n");
	out_printf(o, "Configuration register is 0x2102\n\n");
}

static bool show_version(struct exec_call *c)
{
	struct platm_version v = { 0 };
	size_t len = 0;
	enum err e = daemon_call(c->sh->options.run_dir, DAEMON_PLATFORM, PLATM_VERSION, span_of(NULL, 0), &v, sizeof(v), &len);

	if (e != ERR_OK || len != sizeof(v))
		return exec_failed(c, "platformd", e != ERR_OK ? e : ERR_INVALID);
	show_version_format(c->out, &v, c->sh->session.info.hostname);
	return true;
}

void show_clock_format(struct out *o, uint64_t wall_us, bool in_sync)
{
	struct tm tm = utc(wall_us);
	char date[48];

	strftime(date, sizeof(date), "UTC %a %b %e %Y", &tm);
	out_printf(o, "%s%02d:%02d:%02d.%03u %s\n", in_sync ? "" : "*", tm.tm_hour, tm.tm_min, tm.tm_sec,
		(unsigned)(wall_us / 1000 % 1000), date);
}

static bool show_clock(struct exec_call *c)
{
	struct timex t = { 0 };
	int state = adjtimex(&t);

	show_clock_format(c->out, env_system.wall_us(env_system.ctx), state >= 0 && state != TIME_ERROR);
	return true;
}

static bool show_privilege(struct exec_call *c)
{
	out_printf(c->out, "Current privilege level is %u\n", c->sh->session.info.privilege);
	return true;
}

void show_arp_format(struct out *o, const struct platm_neighbour *rows, size_t n)
{
	out_printf(o, "Protocol  Address          Age (min)  Hardware Addr   Type   Interface\n");
	for (size_t i = 0; i < n; i++) {
		const uint8_t *m = rows[i].mac;
		char ip[ADDR_TEXT], age[16] = "-";

		if (rows[i].age_min >= 0)
			snprintf(age, sizeof(age), "%d", rows[i].age_min);
		out_printf(o, "Internet  %-15s %10s  %02x%02x.%02x%02x.%02x%02x  ARPA   %s\n", addr_print(ip, rows[i].ip), age,
			m[0], m[1], m[2], m[3], m[4], m[5], rows[i].interface);
	}
}

static bool show_arp(struct exec_call *c)
{
	struct platm_neighbour *rows;
	size_t n;

	if (!exec_rows_of(c, DAEMON_PLATFORM, PLATM_NEIGHBOUR_DUMP, span_of(NULL, 0), sizeof(*rows), (void **)&rows, &n))
		return false;
	show_arp_format(c->out, rows, n);
	mem_free(rows);
	return true;
}

#define SHOW "Show running system information"

const struct exec_row exec_rows_system[] = {
	{ "show version", EXEC_HELP(SHOW, "System hardware and software status"), 0, EXEC_PIPE, show_version, 0 },
	{ "show clock", EXEC_HELP(SHOW, "Display the system clock"), 0, EXEC_PIPE, show_clock, 0 },
	{ "show privilege", EXEC_HELP(SHOW, "Show current privilege level"), 0, EXEC_PIPE, show_privilege, 0 },
	{ "show arp", EXEC_HELP(SHOW, "ARP table"), 0, EXEC_PIPE, show_arp, 0 },
	{ "show ip arp", EXEC_HELP(SHOW, "IP information", "IP ARP table"), 0, EXEC_PIPE, show_arp, 0 },
	{ NULL, NULL, 0, 0, NULL, 0 },
};
