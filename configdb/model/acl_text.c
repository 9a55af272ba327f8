/* Entries of access-lists between columns and variables, and as text. */
#include "configdb/model/acl.h"
#include "configdb/grammar/arg.h"
#include "platform/base/addr.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const columns[] = { "action", "remark", "protocol", "src", "src_wild", "src_op", "src_ports", "dst", "dst_wild",
	"dst_op", "dst_ports", "icmp_type", "icmp_code", "established", "flags", "dscp", "precedence", "tos", "fragments", "log" };

void acl_column_names(const char *const **names, size_t *n)
{
	*names = columns;
	*n = sizeof columns / sizeof *columns;
}

/* One end of an entry: names of its variables. */
struct side {
	const char *addr, *wild, *any, *host, *op, *ports, *port2;
};
static const struct side sides[] = {
	{ "src", "src_wild", "src_any", "src_host", "src_op", "src_ports", "src_port2" },
	{ "dst", "dst_wild", "dst_any", "dst_host", "dst_op", "dst_ports", "dst_port2" },
};

static void side_to_columns(struct values *v, const struct side *s)
{
	char text[16], ports[64];
	uint32_t addr = ip_of(value_get(v, s->addr)), wild = ip_of(value_or(v, s->wild, "0.0.0.0"));
	if (value_get(v, s->host))
		addr = ip_of(value_get(v, s->host));
	if (value_get(v, s->any))
		wild = UINT32_MAX;
	value_set(v, s->addr, ip4_print(text, addr & ~wild));
	value_set(v, s->wild, ip4_print(text, wild));
	if (value_get(v, s->port2)) {
		int low = atoi(value_or(v, s->ports, "0")), high = atoi(value_get(v, s->port2));
		snprintf(ports, sizeof ports, "%d %d", low < high ? low : high, low < high ? high : low);
		value_set(v, s->ports, ports);
	}
}

static void protocol_to_columns(struct values *v)
{
	static const char *const numbers[][2] = { { "ip", NULL }, { "icmp", "1" }, { "tcp", "6" }, { "udp", "17" } };
	const char *kind = value_get(v, "kind"), *number = value_get(v, "protocol");
	for (size_t i = 0; kind && i < sizeof numbers / sizeof *numbers; i++)
		if (!strcmp(kind, numbers[i][0]))
			value_set(v, "protocol", numbers[i][1]);
	if (!kind && number && !strcmp(number, "0"))
		value_set(v, "protocol", NULL);
}

static const char *const flag_names[] = { "ack", "fin", "psh", "rst", "syn", "urg" };
#define NFLAGS (sizeof flag_names / sizeof *flag_names)

/* `ack syn` and `match-any +ack +syn` say the same: "+ack +syn", in this order. */
static void flags_to_columns(struct values *v)
{
	const char *typed = value_or(v, "flags", "");
	char text[64] = "", word[8];
	for (size_t i = 0; i < NFLAGS * 2; i++) {
		const char *name = flag_names[i / 2];
		snprintf(word, sizeof word, "%c%s", i & 1 ? '-' : '+', name);
		if (!strstr(typed, word) && (i & 1 || !value_get(v, name)))
			continue;
		size_t n = strlen(text);
		snprintf(text + n, sizeof text - n, "%s%s", n ? " " : "", word);
	}
	value_set(v, "flags", text[0] ? text : NULL);
}

static void flags_to_vars(struct values *v)
{
	const char *flags = value_get(v, "flags");
	if (!flags || strchr(flags, '-'))
		return;
	for (size_t i = 0; i < NFLAGS; i++)
		value_set(v, flag_names[i], strstr(flags, flag_names[i]) ? flag_names[i] : NULL);
	value_set(v, "flags", NULL);
}

void ace_to_columns(struct values *v, bool extended)
{
	const char *icmp = value_get(v, "icmp");
	if (value_get(v, "remark")) {
		value_set(v, "action", "remark");
		return;
	}
	side_to_columns(v, &sides[0]);
	if (!extended)
		return;
	side_to_columns(v, &sides[1]);
	protocol_to_columns(v);
	flags_to_columns(v);
	if (icmp) {
		const char *code = strchr(icmp, '/');
		value_setf(v, "icmp_type", "%d", atoi(icmp));
		if (code)
			value_set(v, "icmp_code", code + 1);
	}
}

static void side_to_vars(struct values *v, const struct side *s, bool standard)
{
	const char *addr = value_get(v, s->addr), *ports = value_get(v, s->ports);
	uint32_t wild = ip_of(value_get(v, s->wild));
	if (!wild && !standard) {
		value_set(v, s->host, addr);
		value_set(v, s->addr, NULL);
		value_set(v, s->wild, NULL);
	} else if (!wild) {
		value_set(v, s->wild, NULL);
	} else if (wild == UINT32_MAX) {
		value_set(v, s->any, "any");
		value_set(v, s->addr, NULL);
		value_set(v, s->wild, NULL);
	}
	if (ports && !strcmp(value_or(v, s->op, ""), "range")) {
		value_set(v, s->port2, strchr(ports, ' ') + 1);
		value_setf(v, s->ports, "%d", atoi(ports));
	}
}

static void protocol_to_vars(struct values *v)
{
	const char *number = value_get(v, "protocol");
	const char *type = value_get(v, "icmp_type"), *code = value_get(v, "icmp_code");
	int n = number ? atoi(number) : -1;
	value_set(v, "kind", n < 0 ? "ip" : n == 1 ? "icmp" : n == 6 ? "tcp" : n == 17 ? "udp" : NULL);
	if (value_get(v, "kind"))
		value_set(v, "protocol", NULL);
	if (type) {
		value_setf(v, "icmp", code ? "%s/%s" : "%s", type, code);
		if (!names_word(names_icmp, value_get(v, "icmp")))
			value_set(v, "icmp", NULL);
		else
			value_set(v, "icmp_type", NULL), value_set(v, "icmp_code", NULL);
	}
}

void ace_to_vars(struct values *v, bool extended)
{
	if (!strcmp(value_or(v, "action", ""), "remark"))
		return;
	side_to_vars(v, &sides[0], !extended);
	if (extended) {
		side_to_vars(v, &sides[1], false);
		protocol_to_vars(v);
		flags_to_vars(v);
	}
}

void ace_text(struct values *v, bool extended, bool for_show, char *out, size_t size)
{
	char line[CFG_LINE_MAX];
	bool remark = !strcmp(value_or(v, "action", ""), "remark");
	out[0] = 0;
	ace_to_vars(v, extended);
	value_set(v, "seq", NULL);
	if (grammar_print(ace_row(extended, remark), values_lookup, v, line, sizeof line) != ERR_OK)
		return;
	bool pad = !strncmp(line, "deny ", 5) && (!for_show || !extended);
	const char *wild = for_show && !extended ? value_get(v, "src_wild") : NULL;
	if (wild)
		snprintf(out, size, "%s %s%s, wildcard bits %s%s", value_get(v, "action"), pad ? "  " : "", value_get(v, "src"),
			wild, value_get(v, "log") ? " log" : "");
	else if (pad)
		snprintf(out, size, "deny   %s", line + 5);
	else
		snprintf(out, size, "%s", line);
}
