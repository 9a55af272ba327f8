/* Sentences of a row, made up from its tree: every alternative, option and argument comes up. */
#ifndef TEST_MODEL_GEN_H
#define TEST_MODEL_GEN_H

#include "configdb/grammar/row.h"

struct gen {
	uint32_t seed;
	char words[64][1200];
	const struct token *tokens[64]; /* what each word is */
	size_t n;
};

void gen_row(struct gen *g, const struct grammar_row *row);
/* The first `n` words with blanks between. */
void gen_line(const struct gen *g, size_t n, char *out, size_t size);
uint32_t gen_random(struct gen *g, uint32_t below);

#endif
