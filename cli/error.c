/* The texts are a contract with management programs: they look for these very words. */
#include "cli/error.h"

#include <ctype.h>
#include <string.h>

void error_invalid(struct out *o, size_t prompt_len, size_t column)
{
	out_printf(o, "%*s^\n%% Invalid input detected at '^' marker.\n\n", (int)(prompt_len + column), "");
}

void error_incomplete(struct out *o)
{
	out_printf(o, "%% Incomplete command.\n\n");
}

void error_ambiguous(struct out *o, const char *line)
{
	size_t len = strlen(line);

	while (len > 0 && isspace((unsigned char)line[len - 1]))
		len--;
	while (len > 0 && isspace((unsigned char)*line)) {
		line++;
		len--;
	}
	out_printf(o, "%% Ambiguous command:  \"%.*s\"\n", (int)len, line);
}

void error_unknown(struct out *o)
{
	out_printf(o, "%% Unknown command or computer name, or unable to find computer address\n");
}

void error_match(struct out *o, enum grammar_result result, size_t prompt_len, size_t column, const char *line)
{
	if (result == GR_INVALID)
		error_invalid(o, prompt_len, column);
	else if (result == GR_INCOMPLETE)
		error_incomplete(o);
	else if (result == GR_AMBIGUOUS)
		error_ambiguous(o, line);
}
