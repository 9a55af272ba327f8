/* RUN_DIR/interfaces: the names of the box's interfaces, for configd, which asks no other program (INVENTORY_FILE). */
#ifndef POSTERN_PLATFORM_INVENTORY_H
#define POSTERN_PLATFORM_INVENTORY_H

#include "platform/daemon/box.h"

#define INVENTORY_TEXT 8000

struct inventory {
	char text[INVENTORY_TEXT]; /* as it was written last */
};

/* Writes the file anew if the box's interfaces are others than before. */
enum err inventory_update(struct inventory *v, const struct box *b, const char *run_dir) MUST_CHECK;

#endif
