/* A program that the console runs for a command (ping, traceroute): its output is read, Ctrl-C and Ctrl-Shift-6 end it. */
#ifndef POSTERN_CLI_EXEC_CHILD_H
#define POSTERN_CLI_EXEC_CHILD_H

#include "cli/shell.h"

enum child_end { CHILD_ENDED, CHILD_BROKEN_OFF, CHILD_FAILED };

/* Runs argv and gives its output, as it comes, to `text`. *status: its exit status. */
enum child_end child_run(
	struct shell *sh, char *const argv[], void (*text)(void *ctx, const char *bytes, size_t n), void *ctx, int *status);

#endif
