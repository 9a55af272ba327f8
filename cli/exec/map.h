/* show crypto map, show crypto dynamic-map. */
#ifndef POSTERN_CLI_EXEC_MAP_H
#define POSTERN_CLI_EXEC_MAP_H

#include "cli/exec/ipsec.h"

/* `r` tells the current peers; with no policies and SAs they are the first configured ones. `map` null: all. */
void show_map_format(struct out *o, const struct ipsec_rows *r, const char *map, const char *interface);
/* The entries of the crypto dynamic-maps. */
void show_dynamic_map_format(struct out *o, const struct cfg *cfg, const char *map);

#endif
