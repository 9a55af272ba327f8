#include "tests/unit/cli/screen.h"

#include "platform/base/mem.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void capture_begin(struct captured *c)
{
	stage_text_init(&c->stage);
	out_init(&c->out, &c->stage.stage);
}

const char *capture_end(struct captured *c)
{
	out_end(&c->out);
	return c->stage.text == NULL ? "" : c->stage.text;
}

void capture_free(struct captured *c)
{
	mem_free(c->stage.text);
	c->stage.text = NULL;
}

void assert_golden(struct captured *c, const char *name)
{
	const char *got = capture_end(c), *mode = getenv("POSTERN_GOLDEN");
	char path[256], wanted[16384];
	FILE *f;
	size_t n;

	snprintf(path, sizeof(path), "tests/unit/cli/golden/%s.txt", name);
	f = fopen(path, mode != NULL ? "w" : "r");
	if (f == NULL)
		fail_msg("%s is not there", path);
	if (mode != NULL) {
		fputs(got, f);
		fclose(f);
	} else {
		n = fread(wanted, 1, sizeof(wanted) - 1, f);
		fclose(f);
		wanted[n] = '\0';
		assert_string_equal(got, wanted);
	}
	capture_free(c);
}
