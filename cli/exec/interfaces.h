/* Interfaces: what platformd sees, beside what the configuration says. */
#ifndef POSTERN_CLI_EXEC_INTERFACES_H
#define POSTERN_CLI_EXEC_INTERFACES_H

#include "cli/out.h"
#include "configdb/cfg.h"
#include "platform/daemon/platform_api.h"

/* `name` null: all. `cfg` gives descriptions, lists and secondary addresses. */
void show_interfaces_format(struct out *o, const struct cfg *cfg, const struct platm_interface *rows, size_t n, const char *name);
void show_ip_interface_format(struct out *o, const struct cfg *cfg, const struct platm_interface *rows, size_t n, const char *name);
void show_ip_interface_brief_format(struct out *o, const struct platm_interface *rows, size_t n, const char *name);
void show_interfaces_description_format(
	struct out *o, const struct cfg *cfg, const struct platm_interface *rows, size_t n, const char *name);
#define INTERFACE_SHORT 24
/* "Gi0/1", "Lo5": two letters and the number. */
char *interface_short(char out[INTERFACE_SHORT], const char *name);
/* `kind` null: all; "connected" (C and L) or "static": those rows move to the front. */
void show_ip_route_format(struct out *o, struct platm_route *rows, size_t n, const char *kind);
/* One destination: `rows` are its next hops, at least one. */
void show_ip_route_entry_format(struct out *o, const struct platm_route *rows, size_t n);

#endif
