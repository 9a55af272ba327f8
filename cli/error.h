/* IOS's words for a line that it does not take. */
#ifndef POSTERN_CLI_ERROR_H
#define POSTERN_CLI_ERROR_H

#include "cli/out.h"
#include "configdb/grammar.h"

#include <stddef.h>

/* The caret stands under column `column` of the line, behind a prompt of `prompt_len` characters. */
void error_invalid(struct out *o, size_t prompt_len, size_t column);
void error_incomplete(struct out *o);
/* `line` as it was typed. */
void error_ambiguous(struct out *o, const char *line);
/* An EXEC line whose only word is no command. */
void error_unknown(struct out *o);
/* By a match's result. GR_OK and GR_EMPTY write nothing. */
void error_match(struct out *o, enum grammar_result result, size_t prompt_len, size_t column, const char *line);

#endif
