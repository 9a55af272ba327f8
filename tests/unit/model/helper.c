/* See helper.h. */
#include "helper.h"
#include "configdb/grammar/arg.h"
#include "platform/base/mem.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void open_at(struct box *b, const char *path)
{
	assert_int_equal(secrets_open(&b->secrets, NULL, false), ERR_OK);
	assert_int_equal(store_open(&b->store, path, b->secrets), ERR_OK);
	b->at = (struct cfg_mode_ctx){ .mode = MODE_CONFIG };
}

void box_open(struct box *b)
{
	memset(b, 0, sizeof *b);
	open_at(b, NULL);
}

void box_open_file(struct box *b)
{
	char path[96];
	memset(b, 0, sizeof *b);
	snprintf(b->dir, sizeof b->dir, "/tmp/postern-model-XXXXXX");
	assert_non_null(mkdtemp(b->dir));
	snprintf(path, sizeof path, "%s/running.db", b->dir);
	open_at(b, path);
}

void box_close(struct box *b)
{
	store_close(b->store);
	secrets_close(b->secrets);
	if (!b->dir[0])
		return;
	DIR *d = opendir(b->dir);
	for (struct dirent *e; d && (e = readdir(d));) {
		char path[400];
		snprintf(path, sizeof path, "%s/%s", b->dir, e->d_name);
		unlink(path);
	}
	closedir(d);
	rmdir(b->dir);
}

int type(struct box *b, const char *line)
{
	static struct cfgm_line in;
	struct store_who who = { "admin", "con 0", "", 1 };
	in.at = b->at;
	snprintf(in.line, sizeof in.line, "%s", line);
	store_line(b->store, 15, &in, &who, &b->out, &b->tables);
	b->at = b->out.next;
	return b->out.code;
}

void feed(struct box *b, const char *text)
{
	char line[CFG_LINE_MAX];
	size_t n = 0;
	if (b->at.mode == MODE_EXEC)
		b->at = (struct cfg_mode_ctx){ .mode = MODE_CONFIG };
	for (; *text; text++) {
		line[n++] = *text;
		line[n] = 0;
		assert_true(n + 1 < sizeof line);
		if (*text != '\n')
			continue;
		line[n - 1] = 0;
		if (banner_open(line)) {
			line[n - 1] = '\n';
			continue;
		}
		n = 0;
		int code = type(b, line);
		if (code != GR_OK && code != GR_EMPTY)
			fail_msg("line \"%s\": result %d column %u %s", line, code, b->out.column, b->out.text);
	}
}

char *running(struct box *b)
{
	char *text = NULL;
	assert_int_equal(store_text(b->store, false, NULL, &text), ERR_OK);
	return text;
}

bool shows(struct box *b, const char *part)
{
	char *text = running(b);
	bool found = strstr(text, part) != NULL;
	mem_free(text);
	return found;
}

char *file_read(const char *path)
{
	FILE *f = fopen(path, "r");
	if (!f)
		fail_msg("cannot open %s", path);
	char *text = calloc(1, 65536);
	size_t n = fread(text, 1, 65535, f);
	text[n] = 0;
	fclose(f);
	return text;
}

struct cfg *snapshot(struct box *b)
{
	struct cfg_source *source;
	struct cfg *c;
	assert_int_equal(cfg_source_open(&source, b->dir), ERR_OK);
	assert_int_equal(cfg_load(source, &c), ERR_OK);
	cfg_source_close(source);
	return c;
}
