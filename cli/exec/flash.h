/* Files in flash:, one folder below the data directory. */
#ifndef POSTERN_CLI_FLASH_H
#define POSTERN_CLI_FLASH_H

#include "cli/exec.h"

#include <stdbool.h>
#include <stddef.h>

/* The file behind "flash:NAME", "flash:/NAME" or "NAME": one name in the flash folder, nothing else. False: no such name. */
bool flash_path(const struct shell *sh, const char *name, char *path, size_t size);
/* A whole file of at most 4 MB; caller frees. NULL: errno says why. */
char *flash_read(const char *path, size_t *len);
/* IOS's words for errno. */
void flash_fault(struct out *o, const char *name);

#endif
