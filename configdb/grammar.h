/* The grammar: statements are rows, and everything else (matching, `?`, TAB, `no`, `default`, storage, running-config)
 * comes from the row.
 *
 * Syntax is FRR's notation:
 *   word                      a keyword; any unique abbreviation of it matches
 *   WORD$name LINE$name       one word; the rest of the line
 *   A.B.C.D$name              an IPv4 address
 *   <1-10000>$name            a number
 *   <a|b c|d>$name            alternatives; with a name the keyword itself is the value
 *   [optional]                may be left out
 *   {a|b}                     one or more of them, each at most once, in any order
 *   WORD$name...6             up to six of them; the value is all of them with blanks between
 *   encr(yption)              matches encryption, prints encr
 *   INTERFACE$name, ACL$name, PORT$name, SECRET$name …  argument types (arg.h of this folder)
 * A name on a keyword (`secondary$secondary`) binds the keyword: how an option of keywords alone is remembered and printed.
 * The same engine serves configuration rows (configdb/model) and exec rows (cli/exec).
 */
#ifndef POSTERN_CONFIGDB_GRAMMAR_H
#define POSTERN_CONFIGDB_GRAMMAR_H

#include "platform/base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum mode {
	MODE_EXEC = 1, /* user and privileged EXEC: the row's privilege tells */
	MODE_CONFIG,
	MODE_ISAKMP,       /* (config-isakmp) */
	MODE_TRANSFORM,    /* (cfg-crypto-trans) */
	MODE_CRYPTO_MAP,   /* (config-crypto-map) */
	MODE_IF,           /* (config-if) */
	MODE_STD_NACL,     /* (config-std-nacl) */
	MODE_EXT_NACL,     /* (config-ext-nacl) */
	MODE_LINE,         /* (config-line) */
	MODE_CLIENT_GROUP, /* (config-isakmp-group) */
	MODE_KEYRING,      /* (conf-keyring) */
	MODE_ISA_PROF,     /* (conf-isa-prof) */
	MODE_ISA_PEER,     /* (config-isakmp-peer) */
	MODE_TRUSTPOINT,   /* (ca-trustpoint) */
	MODE_CERT_MAP,     /* (ca-certificate-map) */
	MODE_CERT_CHAIN,   /* (config-cert-chain) */
	MODE_CERT_DATA,    /* (config-pubkey): hexadecimal lines of a certificate */
	MODE_COUNT
};

/* "(config-isakmp)"; "" for EXEC. */
const char *mode_prompt(enum mode m);

enum grammar_result {
	GR_OK,         /* matched */
	GR_EMPTY,      /* nothing typed, or a comment ("!") */
	GR_INVALID,    /* "% Invalid input detected at '^' marker." with the column */
	GR_INCOMPLETE, /* "% Incomplete command." */
	GR_AMBIGUOUS,  /* "% Ambiguous command:  \"...\"" */
	GR_REFUSED     /* matched, but refused: the text says why */
};

#define GRAMMAR_VARS  48
#define GRAMMAR_VALUE 1024

/* What a match bound: name -> canonical text of the value. Names are the row's, borrowed. */
struct grammar_var {
	const char *name;
	const char *value; /* in the match's own storage */
};

struct grammar_row; /* a compiled row */
struct grammar;     /* a set of compiled rows */

struct grammar_match {
	enum grammar_result result;
	size_t column; /* of the first bad character, when invalid */
	const struct grammar_row *row;
	const void *user;        /* what grammar_add was given: the declaration */
	bool negated, defaulted; /* `no …`, `default …` */
	struct grammar_var vars[GRAMMAR_VARS];
	size_t nvars;
	char canonical[GRAMMAR_VALUE * 8]; /* the line with every word in full */
	char storage[GRAMMAR_VALUE * 8];
};

struct grammar *grammar_new(void);
void grammar_free(struct grammar *g);

/* Adds a row. `help` is an array of texts, one per word of `syntax` in order of first appearance (alternatives and options
 * included), ending in NULL; a syntax error or a missing help text is a programming error and reported through *why.
 * `no_allowed`: `no` and `default` may stand in front. A row with `hidden` matches but is not shown by `?`. */
struct grammar_spec {
	const char *syntax;
	const char *const *help;
	enum mode mode;
	uint8_t privilege; /* 0, 1 or 15 */
	bool no_allowed;
	/* `no` may stop after this many words (0: the whole line or any leading part that is unique). See arg.h. */
	uint8_t no_words;
	bool hidden;
	const void *user;
	bool no_only; /* matches only behind `no` and `default` (`no 10` in a list) */
};
enum err grammar_add(struct grammar *g, const struct grammar_spec *spec, const char **why) MUST_CHECK;

/* Matches one line in one mode at one privilege. Modes fall back to MODE_CONFIG inside the caller, not here. */
void grammar_match(const struct grammar *g, enum mode mode, uint8_t privilege, const char *line, struct grammar_match *m);
/* The value of a bound name, or NULL. */
const char *match_var(const struct grammar_match *m, const char *name);

/* Help at the end of `line` (the text left of the cursor when `?` was pressed): calls `each` for every word that can
 * stand there, sorted, with its help; `<cr>` where the line could end. If the line ends inside a word, only words with that
 * prefix (IOS's `cry?`); if it ends in a blank, the next words. Returns how many; 0 with *column at the bad word if none. */
typedef void (*grammar_help_fn)(void *ctx, const char *word, const char *help);
size_t grammar_help(const struct grammar *g, enum mode mode, uint8_t privilege, const char *line, size_t *column,
	grammar_help_fn each, void *ctx);
/* TAB: the one completion of the last word into `out` (whole word), if it is unique. */
bool grammar_complete(const struct grammar *g, enum mode mode, uint8_t privilege, const char *line, char *out, size_t size);

/* Prints a row from values: the inverse of match. `value(ctx, name)` returns a value or NULL. Options and alternatives are
 * taken where a name inside them has a value. ERR_INVALID when a required value is missing. */
enum err grammar_print(const struct grammar_row *row, const char *(*value)(void *ctx, const char *name), void *ctx, char *out,
	size_t size) MUST_CHECK;

/* All rows of the configuration (configdb/model), compiled; shared, never freed. For the console's help and completion in
 * configuration modes. */
const struct grammar *config_grammar(void);

/* Every row, for the tests that walk them and for the command reference. */
size_t grammar_count(const struct grammar *g);
const struct grammar_spec *grammar_at(const struct grammar *g, size_t i, const struct grammar_row **row);

#endif
