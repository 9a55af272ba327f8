/* What the console asks before the master key of type 6 is set or deleted. */
#ifndef POSTERN_CLI_MASTER_KEY_H
#define POSTERN_CLI_MASTER_KEY_H

#include "cli/shell.h"

/* `key config-key password-encrypt` without a key: asks for it and has it set. `no key config-key password-encrypt`: asks whether
 * that is meant. True: the line is dealt with, *ok says how it ended; false: it is to be sent like any other. */
bool master_key_dialogue(struct shell *sh, const char *line, bool *ok);

#endif
