/* The machine that runs rows over words: shared by matching, help and completion. */
#ifndef POSTERN_GRAMMAR_RUN_H
#define POSTERN_GRAMMAR_RUN_H

#include "configdb/grammar/row.h"

#define NO_CELL UINT32_MAX

/* One word that a thread has passed: what it was and what it bound. Threads share their past. */
struct cell {
	uint32_t prev;
	const struct token *token; /* NULL: "no" or "default" */
	uint32_t value;            /* offset of the canonical value in `text` */
};

struct thread {
	const struct grammar_row *row;
	uint16_t pc;    /* at a TOKEN or at MATCH */
	uint16_t words; /* passed, without `no` */
	uint32_t used;  /* bits of ONCE */
	uint32_t past;  /* last cell */
};

struct run {
	const struct grammar *g;
	enum mode mode;
	uint8_t privilege;
	const char *line;
	struct thread *threads, *next;
	size_t nthreads, nnext, capacity;
	struct cell *cells;
	size_t ncells, cells_max;
	char *text;
	size_t ntext, text_max;
	bool negated, defaulted, at_start, in_line;
	bool nomem;
	enum grammar_result result; /* GR_OK while words fit */
	size_t column;
};

/* Starts before the first word. False: out of memory. */
bool run_start(struct run *r, const struct grammar *g, enum mode mode, uint8_t privilege, const char *line);
/* Passes the word at line[at..at+n). False: r->result and r->column say why not. */
bool run_word(struct run *r, size_t at, size_t n);
/* The thread that may end here, or NULL (incomplete). */
const struct thread *run_end(const struct run *r);
void run_free(struct run *r);

/* The next word at or after *at; returns its length, 0 at the end of the line. */
size_t next_word(const char *line, size_t *at);
bool keyword_prefix(const char *word, const char *text, size_t n);
/* The rows' first words include `no` and `default` here? */
bool run_may_negate(const struct run *r);

#endif
