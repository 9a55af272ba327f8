/* The snapshot's part about the box: system, users, lines, interfaces, routes. */
#include "configdb/snapshot_impl.h"

#include "platform/base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void system_row(struct loader *l, struct values *v)
{
	struct cfg_system *s = &l->cfg->system;
	if (value_get(v, "hostname"))
		load_text(s->hostname, sizeof s->hostname, v, "hostname");
	const char *banner = value_get(v, "banner");
	if (banner && !(s->banner_motd = mem_strdup(banner)))
		l->failed = true;
	s->enable_secret = value_get(v, "enable_secret") != NULL;
	s->logging_buffered = !value_get(v, "buffered_off");
	s->logging_buffer_bytes = load_number(v, "buffered_bytes", s->logging_buffer_bytes);
	s->logging_buffer_level = (uint8_t)load_number(v, "buffered_level", 7);
	s->logging_console = !value_get(v, "console_off");
	s->logging_console_level = (uint8_t)load_number(v, "console_level", 7);
	s->logging_monitor = !value_get(v, "monitor_off");
	s->logging_monitor_level = (uint8_t)load_number(v, "monitor_level", 7);
}

static void stamp_row(struct loader *l, struct values *v)
{
	struct cfg_stamps *s = !strcmp(value_or(v, "what", ""), "debug") ? &l->cfg->system.stamp_debug : &l->cfg->system.stamp_log;
	s->kind = !strcmp(value_or(v, "stamp", ""), "uptime") ? STAMP_UPTIME : STAMP_DATETIME;
	s->msec = value_get(v, "msec") != NULL;
	s->localtime = value_get(v, "localtime") != NULL;
	s->show_timezone = value_get(v, "show_timezone") != NULL;
	s->year = value_get(v, "year") != NULL;
}

static void user_row(struct loader *l, struct values *v)
{
	struct cfg_user *u = LOAD_MORE(l, l->cfg->users, l->cfg->nusers);
	if (!u)
		return;
	load_text(u->name, sizeof u->name, v, "name");
	u->privilege = (uint8_t)load_number(v, "privilege", 1);
}

static void line_row(struct loader *l, struct values *v)
{
	struct cfg_line *line = LOAD_MORE(l, l->cfg->lines, l->cfg->nlines);
	if (!line)
		return;
	const char *login = value_get(v, "login"), *transport = value_get(v, "transport");
	line->vty = !strcmp(value_or(v, "kind", ""), "vty");
	line->first = line->last = (uint16_t)load_number(v, "number", 0);
	line->exec_timeout_s = load_number(v, "minutes", 10) * 60 + load_number(v, "seconds", 0);
	line->logging_synchronous = value_get(v, "synchronous") != NULL;
	line->login_local = login && !strcmp(login, "local");
	line->login = login ? !strcmp(login, "line") : line->vty;
	line->length = (uint16_t)load_number(v, "length", 24);
	line->width = (uint16_t)load_number(v, "width", 80);
	line->history_size = (uint16_t)load_number(v, "history_size", 20);
	line->transport_ssh = line->vty && (!transport || strcmp(transport, "none") != 0);
}

void load_system(struct loader *l)
{
	l->cfg->system.stamp_debug.kind = l->cfg->system.stamp_log.kind = STAMP_NONE;
	load_rows(l, "SELECT * FROM system", NOPARAMS, system_row);
	load_rows(l, "SELECT * FROM timestamps", NOPARAMS, stamp_row);
	load_rows(l, "SELECT * FROM user ORDER BY name", NOPARAMS, user_row);
	load_rows(l, "SELECT * FROM line ORDER BY kind, number", NOPARAMS, line_row);
}

static void interface_row(struct loader *l, struct values *v)
{
	struct cfg_interface *i = LOAD_MORE(l, l->cfg->interfaces, l->cfg->ninterfaces);
	if (!i)
		return;
	load_text(i->name, sizeof i->name, v, "name");
	i->loopback = !strncmp(i->name, "Loopback", 8);
	const char *digits = i->name + strcspn(i->name, "0123456789"), *slash = strchr(digits, '/');
	i->number = (unsigned)strtoul(slash ? slash + 1 : digits, NULL, 10);
	snprintf(i->ifname, sizeof i->ifname, i->loopback ? "loop%u" : "gi0-%u", i->number);
	load_text(i->description, sizeof i->description, v, "description");
	i->shutdown = value_get(v, "shutdown") != NULL;
	i->ip = (struct cfg_ip){ load_ip(v, "addr", 0), load_ip(v, "mask", 0) };
	i->mtu = (uint16_t)load_number(v, "mtu", 0);
	i->ip_mtu = (uint16_t)load_number(v, "ip_mtu", 0);
	i->adjust_mss = (uint16_t)load_number(v, "adjust_mss", 0);
	load_text(i->acl_in, sizeof i->acl_in, v, "acl_in");
	load_text(i->acl_out, sizeof i->acl_out, v, "acl_out");
	load_text(i->crypto_map, sizeof i->crypto_map, v, "crypto_map");
}

static void secondary_row(struct loader *l, struct values *v)
{
	const char *name = value_or(v, "interface", "");
	for (size_t k = 0; k < l->cfg->ninterfaces; k++) {
		struct cfg_interface *i = &l->cfg->interfaces[k];
		if (strcmp(i->name, name) != 0)
			continue;
		struct cfg_ip *ip = LOAD_MORE(l, i->secondary, i->nsecondary);
		if (ip)
			*ip = (struct cfg_ip){ load_ip(v, "addr", 0), load_ip(v, "mask", 0) };
	}
}

static int by_kind_and_number(const void *a, const void *b)
{
	const struct cfg_interface *x = a, *y = b;
	if (x->loopback != y->loopback)
		return x->loopback ? -1 : 1;
	return x->number < y->number ? -1 : x->number > y->number;
}

static void route_row(struct loader *l, struct values *v)
{
	struct cfg_route *r = LOAD_MORE(l, l->cfg->routes, l->cfg->nroutes);
	if (!r)
		return;
	r->prefix = load_ip(v, "prefix", 0);
	r->mask = load_ip(v, "mask", 0);
	r->next_hop = load_ip(v, "next_hop", 0);
	load_text(r->interface, sizeof r->interface, v, "interface");
	r->distance = (uint8_t)load_number(v, "distance", 1);
	load_text(r->name, sizeof r->name, v, "name");
}

static int by_prefix(const void *a, const void *b)
{
	const struct cfg_route *x = a, *y = b;
	if (x->prefix != y->prefix)
		return x->prefix < y->prefix ? -1 : 1;
	if (x->mask != y->mask)
		return x->mask < y->mask ? -1 : 1;
	return (int)x->distance - (int)y->distance;
}

void load_interfaces(struct loader *l)
{
	load_rows(l, "SELECT * FROM interface", NOPARAMS, interface_row);
	if (l->cfg->ninterfaces)
		qsort(l->cfg->interfaces, l->cfg->ninterfaces, sizeof *l->cfg->interfaces, by_kind_and_number);
	load_rows(l, "SELECT * FROM interface_secondary ORDER BY interface, addr", NOPARAMS, secondary_row);
	load_rows(l, "SELECT * FROM route ORDER BY id", NOPARAMS, route_row);
	if (l->cfg->nroutes)
		qsort(l->cfg->routes, l->cfg->nroutes, sizeof *l->cfg->routes, by_prefix);
}
