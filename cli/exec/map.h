/* show crypto map. */
#ifndef POSTERN_CLI_EXEC_MAP_H
#define POSTERN_CLI_EXEC_MAP_H

#include "cli/exec/ipsec.h"

/* `r` tells the current peers; with no policies and SAs they are the first configured ones. `map` null: all. */
void show_map_format(struct out *o, const struct ipsec_rows *r, const char *map, const char *interface);

#endif
