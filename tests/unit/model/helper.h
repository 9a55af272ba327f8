/* A store in memory and a console that types into it. */
#ifndef TEST_MODEL_HELPER_H
#define TEST_MODEL_HELPER_H

#include "configdb/store.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

struct box {
	struct secrets *secrets;
	struct store *store;
	struct cfg_mode_ctx at;
	struct cfgm_result out; /* of the last line */
	unsigned tables;
	char dir[64]; /* with a file: where running.db is */
};

void box_open(struct box *b);
void box_open_file(struct box *b);
void box_close(struct box *b);
/* Types one line where the console stands; moves it. Returns the result code. */
int type(struct box *b, const char *line);
/* Types lines, each ending in '\n'; banners are collected; all must be accepted. */
void feed(struct box *b, const char *text);
char *running(struct box *b);                /* caller frees */
bool shows(struct box *b, const char *part); /* running-config contains it */
char *file_read(const char *path);           /* caller frees */
struct cfg *snapshot(struct box *b);         /* needs box_open_file; caller frees with cfg_free */

#endif
