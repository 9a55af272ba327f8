/* A compiled row: the syntax as a tree (for printing) and as a small program over words (for matching).
 *
 * Inside of the grammar; its users see grammar.h.
 */
#ifndef POSTERN_GRAMMAR_ROW_H
#define POSTERN_GRAMMAR_ROW_H

#include "configdb/grammar.h"
#include "configdb/grammar/arg.h"

struct token {
	const char *word;  /* keyword, in full; NULL: an argument */
	const char *print; /* keyword as running-config writes it ("encr") */
	const struct arg_type *type;
	struct arg_range range;
	char shown[32]; /* "<1-10000>" */
	const char *help;
	const char *name;  /* bound to, or NULL */
	const char *group; /* name of the innermost named alternatives around a keyword */
	bool join;         /* the value continues the word before it ("GigabitEthernet" "0/1") */
	bool list;         /* the value is appended to the ones before, after a blank */
};

enum node_kind { NODE_TOKEN, NODE_SEQ, NODE_ALT, NODE_OPT, NODE_SET, NODE_REP };

struct node {
	enum node_kind kind;
	struct token *token;       /* NODE_TOKEN */
	const char *name;          /* NODE_ALT */
	unsigned repeat;           /* NODE_REP: at most so many */
	struct node *first, *next; /* children; sibling */
};

enum op_kind { OP_TOKEN, OP_SPLIT, OP_JUMP, OP_ONCE, OP_NEED, OP_MATCH };

struct op {
	enum op_kind kind;
	const struct token *token;
	uint16_t x, y; /* SPLIT: both; JUMP: x */
	uint32_t bits; /* ONCE: dies if used, else marks; NEED: dies if none is used */
};

#define ROW_OPS 1400

struct chunk {
	struct chunk *next;
};

struct grammar_row {
	struct grammar_spec spec;
	struct node *tree;
	struct op *ops;
	uint16_t nops;
	struct chunk *memory; /* everything above, freed at once */
};

struct grammar {
	struct grammar_row **rows;
	size_t nrows;
};

/* row_parse.c: text to tree. row_compile.c: tree to program. Both report a programming error through *why. */
enum err row_parse(struct grammar_row *row, const char **why) MUST_CHECK;
enum err row_compile(struct grammar_row *row, const char **why) MUST_CHECK;
void row_free(struct grammar_row *row);
void *row_alloc(struct grammar_row *row, size_t n); /* zeroed; NULL: none */
char *row_text(struct grammar_row *row, const char *s, size_t n);

#endif
