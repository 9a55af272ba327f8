/* Which interfaces the box has, asked for when a line names one that is not configured yet. platformd keeps RUN_DIR/interfaces, a
 * name a line; no program is asked, so that configd never waits for another. */
#ifndef POSTERN_CONFIGD_INVENTORY_H
#define POSTERN_CONFIGD_INVENTORY_H

#include "configdb/configdb.h"

/* True also while there is no file: platformd has not looked yet. `run_dir`: the folder's path. */
bool inventory_has(void *run_dir, const char *interface);

#endif
