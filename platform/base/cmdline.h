/* The command line of a program: long options, each with a value or without. */
#ifndef POSTERN_BASE_CMDLINE_H
#define POSTERN_BASE_CMDLINE_H

#include <stdbool.h>

struct cmdline_option {
	const char *name;  /* "run-dir"; of one letter: a short option. The last row: NULL */
	const char **text; /* takes a value: borrowed from argv */
	bool *flag;        /* takes none; with neither, the option is accepted and means nothing */
};

struct cmdline {
	const char *usage;   /* the whole text: for --help, and on mistakes */
	const char *version; /* for --version: "configd (Postern) 0.1.0" */
	const struct cmdline_option *options;
};

#define CMDLINE_OPTIONS_MAX 16

/* Returns -1 to go on, else the status to exit with: 0 after --help and --version, 2 after a mistake. No arguments are taken. */
int cmdline_parse(const struct cmdline *c, int argc, char **argv);

#endif
