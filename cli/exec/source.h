/* `source INTERFACE|A.B.C.D` of ping and traceroute. */
#ifndef POSTERN_CLI_EXEC_SOURCE_H
#define POSTERN_CLI_EXEC_SOURCE_H

#include "cli/exec.h"

/* Writes the source address, empty when neither is given. False, and says so, when it is none of the router's. */
bool source_find(struct exec_call *c, const char *interface, const char *address, char out[ADDR_TEXT]);

#endif
