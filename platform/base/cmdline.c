/* Rows become getopt's: its value is the row's number, behind the characters that short options have. */
#include "platform/base/cmdline.h"

#include <assert.h>
#include <getopt.h>
#include <stdio.h>

enum { HELP = 256, VERSION, FIRST };

static void prepare(const struct cmdline *c, struct option *longs, char *shorts)
{
	int n = 0;

	for (const struct cmdline_option *o = c->options; o->name != NULL; o++, n++) {
		int argument = o->text != NULL ? required_argument : no_argument;

		assert(n < CMDLINE_OPTIONS_MAX);
		longs[n] = (struct option){ o->name, argument, NULL, FIRST + n };
		if (o->name[1] == '\0') {
			*shorts++ = o->name[0];
			*shorts = argument == required_argument ? ':' : '\0';
			shorts += *shorts != '\0';
		}
	}
	*shorts = '\0';
	longs[n++] = (struct option){ "help", no_argument, NULL, HELP };
	longs[n++] = (struct option){ "version", no_argument, NULL, VERSION };
	longs[n] = (struct option){ 0 };
}

static const struct cmdline_option *row_of(const struct cmdline *c, int value)
{
	const struct cmdline_option *o = c->options;

	if (value >= FIRST)
		return o + (value - FIRST);
	while (o->name != NULL && (o->name[1] != '\0' || o->name[0] != value))
		o++;
	return o->name != NULL ? o : NULL;
}

static int mistake(const struct cmdline *c)
{
	fputs(c->usage, stderr);
	return 2;
}

int cmdline_parse(const struct cmdline *c, int argc, char **argv)
{
	struct option longs[CMDLINE_OPTIONS_MAX + 3];
	char shorts[2 * CMDLINE_OPTIONS_MAX + 1];
	int value;

	prepare(c, longs, shorts);
	while ((value = getopt_long(argc, argv, shorts, longs, NULL)) != -1) {
		const struct cmdline_option *o;

		if (value == HELP || value == VERSION) {
			printf(value == HELP ? "%s" : "%s\n", value == HELP ? c->usage : c->version);
			return 0;
		}
		o = row_of(c, value);
		if (o == NULL)
			return mistake(c);
		if (o->text != NULL)
			*o->text = optarg;
		else if (o->flag != NULL)
			*o->flag = true;
	}
	return optind < argc ? mistake(c) : -1;
}
