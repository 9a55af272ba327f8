/* See ip_pool.h. An address is in use when an IKE SA of a client has it. */
#include "cli/exec/ip_pool.h"

#include "platform/base/mem.h"

#include <stdio.h>
#include <string.h>

#define LISTED_MAX 256 /* free addresses of a pool that are listed one by one */

static const struct ikem_sa *holder(const struct ikem_sa *sas, size_t n, uint32_t address)
{
	for (size_t i = 0; i < n; i++)
		if (!sas[i].deleted && addr_is_set(sas[i].assigned) && addr_to_v4(sas[i].assigned) == address)
			return &sas[i];
	return NULL;
}

static uint32_t in_use(const struct cfg_pool *p, const struct ikem_sa *sas, size_t n)
{
	uint32_t count = 0;

	for (size_t i = 0; i < n; i++) {
		uint32_t a = sas[i].deleted || !addr_is_set(sas[i].assigned) ? 0 : addr_to_v4(sas[i].assigned);

		/* One that is being renewed has two. */
		count += a >= p->low && a <= p->high && holder(sas, n, a) == &sas[i];
	}
	return count;
}

static void one_range(struct out *o, const struct cfg_pool *p, const char *name, const struct ikem_sa *sas, size_t n)
{
	char low[16], high[16];
	uint32_t used = in_use(p, sas, n);

	out_printf(o, " %-24s %-15s %-15s %5u %7u\n", name, ip4_print(low, p->low), ip4_print(high, p->high),
		p->high - p->low + 1 - used, used);
}

static void addresses(struct out *o, const struct cfg_pool *p, const struct ikem_sa *sas, size_t n, bool used)
{
	char ip[16];
	unsigned listed = 0;

	for (uint32_t a = p->low; a <= p->high && listed < LISTED_MAX; a++) {
		const struct ikem_sa *sa = holder(sas, n, a);

		if ((sa != NULL) != used)
			continue;
		listed++;
		if (sa != NULL)
			out_printf(o, "  %-18s %s\n", ip4_print(ip, a), sa->user);
		else
			out_printf(o, "  %s\n", ip4_print(ip, a));
	}
}

bool show_pool_format(struct out *o, const struct cfg *cfg, const struct ikem_sa *sas, size_t n, const char *name)
{
	const char *last = "";
	bool found = false;

	for (size_t i = 0; i < cfg->npools; i++) {
		const struct cfg_pool *p = &cfg->pools[i];

		if (name != NULL && strcmp(p->name, name) != 0)
			continue;
		if (!found)
			out_printf(o, " Pool                     Begin           End              Free  In use\n");
		one_range(o, p, strcmp(p->name, last) == 0 ? "" : p->name, sas, n);
		last = p->name;
		found = true;
	}
	for (int used = 0; name != NULL && found && used < 2; used++) {
		out_printf(o, used ? "Inuse addresses:\n" : "Available addresses:\n");
		for (size_t i = 0; i < cfg->npools; i++)
			if (strcmp(cfg->pools[i].name, name) == 0)
				addresses(o, &cfg->pools[i], sas, n, used != 0);
	}
	return found;
}

static bool show_pool(struct exec_call *c)
{
	struct cfg *cfg = exec_cfg(c);
	const char *name = exec_arg(c, "name");
	struct ikem_sa *sas = NULL;
	size_t n = 0;
	bool ok = cfg != NULL && exec_rows_of(c, DAEMON_IKE, IKEM_SA_DUMP, span_of(NULL, 0), sizeof(*sas), (void **)&sas, &n);

	if (ok && !show_pool_format(c->out, cfg, sas, n, name) && name != NULL) {
		out_printf(c->out, "%% Pool %s not found\n", name);
		ok = false;
	}
	mem_free(sas);
	cfg_free(cfg);
	return ok;
}

const struct exec_row exec_rows_ip_pool[] = {
	{ "show ip local pool [TAG$name]",
		EXEC_HELP("Show running system information", "IP information", "IP local options", "Configured local pools",
			"Pool name"),
		0, EXEC_PIPE, show_pool, 0 },
	{ NULL, NULL, 0, 0, NULL, 0 },
};
