/* Facts about the box, formatted. */
#ifndef POSTERN_CLI_EXEC_SYSTEM_H
#define POSTERN_CLI_EXEC_SYSTEM_H

#include "cli/out.h"
#include "platform/daemon/platform_api.h"

void show_version_format(struct out *o, const struct platm_version *v, const char *hostname);
/* "*18:57:38.347 UTC Mon Oct 19 2015"; the star when no source of time is in charge. */
void show_clock_format(struct out *o, uint64_t wall_us, bool in_sync);
void show_arp_format(struct out *o, const struct platm_neighbour *rows, size_t n);

#endif
