/* A source must be an address of the router, else the answers would go elsewhere. */
#include "cli/exec/source.h"

#include <stdio.h>
#include <string.h>

static bool own_address(const struct cfg *cfg, uint32_t ip)
{
	for (size_t i = 0; i < cfg->ninterfaces; i++) {
		const struct cfg_interface *f = &cfg->interfaces[i];

		if (f->ip.mask != 0 && f->ip.addr == ip)
			return true;
		for (size_t k = 0; k < f->nsecondary; k++)
			if (f->secondary[k].addr == ip)
				return true;
	}
	return false;
}

bool source_find(struct exec_call *c, const char *interface, const char *address, char out[ADDR_TEXT])
{
	const struct cfg_interface *f;
	struct addr a = { 0 };
	struct cfg *cfg;

	out[0] = '\0';
	if (interface == NULL && address == NULL)
		return true;
	cfg = exec_cfg(c);
	if (cfg == NULL)
		return false;
	f = interface == NULL ? NULL : cfg_interface(cfg, interface);
	if (f != NULL && f->ip.mask != 0)
		a = addr_v4(f->ip.addr);
	else if (address != NULL && addr_parse(&a, address) == ERR_OK && !own_address(cfg, addr_to_v4(a)))
		a.family = AF_UNSPEC;
	cfg_free(cfg);
	if (!addr_is_set(a)) {
		out_printf(c->out, "%% Invalid source %s- address not usable\n", interface != NULL ? "interface " : "");
		return false;
	}
	addr_print(out, a);
	return true;
}
