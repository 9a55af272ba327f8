/* `debug crypto keys`: has ikemgrd and datapathd keep the keys of new SAs for an export of a capture. */
#ifndef POSTERN_CLI_KEYS_H
#define POSTERN_CLI_KEYS_H

#include "cli/exec.h"

/* Switches both programs. One that does not answer is named when `aloud`, for a caller that has not asked it already. */
bool keys_switch(struct exec_call *c, bool on, bool aloud);
/* Does any of them keep keys? One that does not answer keeps none. */
bool keys_on(struct exec_call *c);

/* The lines (cli/capture/keyline.h) of the keys that the packets of this capture need; with an error said and false when there
 * is none. The caller frees *lines with mem_free_secret. */
struct key_lines {
	char *text; /* NUL-terminated */
	size_t len, room;
	unsigned n;
	bool failed;
};
bool keys_of_capture(struct exec_call *c, const char *capture, struct key_lines *lines);

#endif
