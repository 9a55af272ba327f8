/* What is typed, a character at a time: from a terminal, a pipe or a script.
 *
 * CR, LF, CR LF and CR NUL are one end of line, '\n'; a lone NUL is nothing (management clients send it to see whether
 * the session lives). While the console waits it also watches one more descriptor: the log lines of `terminal monitor`.
 */
#ifndef POSTERN_CLI_INPUT_H
#define POSTERN_CLI_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define KEY_CTRL_C       0x03
#define KEY_CTRL_V       0x16
#define KEY_CTRL_Z       0x1a
#define KEY_CTRL_SHIFT_6 0x1e /* IOS's escape sequence begins with it */

enum { INPUT_EOF = -1, INPUT_TIMEOUT = -2, INPUT_HANGUP = -3 };

struct input {
	int fd;
	unsigned char buf[4096];
	size_t at, len;
	bool after_cr, ended;
	int64_t cr_ms;              /* when the last CR was taken */
	const volatile int *hangup; /* set by SIGHUP or SIGTERM; may be null */
	uint32_t idle_s;            /* exec-timeout; 0: never */
	/* Watched while waiting. `watch_fd` tells the descriptor, -1: none now. */
	int (*watch_fd)(void *ctx);
	void (*watch_ready)(void *ctx);
	void *watch_ctx;
};

void input_init(struct input *in, int fd);
/* The next character, waiting for it; INPUT_TIMEOUT after idle_s without one. */
int input_char(struct input *in);
/* For a running command: is there a Ctrl-C or Ctrl-Shift-6? Takes it and all before it. Never waits. */
bool input_break(struct input *in);

#endif
