/* A configd in a child process, and one connection to it. */
#ifndef TEST_CONFIGD_HARNESS_H
#define TEST_CONFIGD_HARNESS_H

#include "configdb/configdb.h"

#include <sys/types.h>

/* Printable known hash of "cisco". */
#define CISCO9 "$9$nhEmQVczB7dqsO$X.HsgL6x1il0RxkOSSvyQYwucySCt7qFm4v7pqCxkKM"

struct rig {
	char dir[64], run[80], data[80];
	pid_t pid;
	int log; /* the socket that platformd would have; 0: none, lines go to standard error */
};

/* A fresh pair of folders. */
void rig_make(struct rig *r);
/* Starts configd with an optional file of initial configuration, and waits for its socket. */
void rig_start(struct rig *r, const char *initial);
void rig_kill(struct rig *r, int signal);
/* From the next start on, log lines can be read. */
void rig_listen(struct rig *r);
/* The next log line as "FACILITY-5-MNEMONIC: text"; false if none comes in time. */
bool rig_logged(struct rig *r, char *out, size_t size, int timeout_ms);
/* Kills it and removes the folders. */
void rig_remove(struct rig *r);

struct msg_sync rig_connect(struct rig *r);
/* Connects, opens a session on this line ("con 0", "vty 0"), without enabling. */
struct msg_sync rig_session(struct rig *r, const char *user, const char *tty, struct cfgm_session *s);
enum err enable(struct msg_sync *c, const char *password, struct cfgm_session *s);
/* A console session with privilege 15. */
struct msg_sync rig_console(struct rig *r);
/* One line; follows the mode in *at. */
enum err type_line(struct msg_sync *c, struct cfg_mode_ctx *at, const char *line, struct cfgm_result *out);
/* The same in global configuration; must be taken. */
void config(struct msg_sync *c, const char *line);
/* Caller frees. */
char *config_text(struct msg_sync *c, enum cfgm_source what, enum err *status);
/* The text from its first line of configuration on: without what tells time and size. */
const char *config_body(const char *text);

struct bad_lines {
	struct cfgm_file_error e[8];
	size_t count;
};
enum err copy(struct msg_sync *c, enum cfgm_copy_kind kind, bool atomic, const char *text, int fd, struct bad_lines *bad);
bool dirty(struct msg_sync *c);
double now_s(void);

#endif
