/* Argument types: what may stand in a syntax where the engineer writes a value.
 *
 * A type parses a word into a value (the canonical text that is bound and stored), prints a value as IOS prints it, and
 * names what `?` shows. Print and parse are inverse. Types with names (ports, ICMP messages, DSCP) are keywords as well:
 * their names may be abbreviated, and the value is the number, so that tables hold numbers.
 *
 *   WORD            one word                      LINE            the rest of the line
 *   NAME            a word that is no number      HOSTNAME        a host's name (letters first)
 *   A.B.C.D         address                       MASK  WILDCARD  written like an address
 *   <1-10>          number                        HEX             hexadecimal digits
 *   INTERFACE       GigabitEthernet0/N, LoopbackN in any spelling, one word or two; EGRESS: Null0 too
 *   ACL             list number or name           STDACL EXTACL   of one kind
 *   TCPPORT UDPPORT PROTOCOL ICMP DSCP PRECEDENCE TOS SEVERITY TCPFLAG
 *   DN              rest of the line, an X.500 name
 *   SECRET          rest of the line, a password  BANNER          <delimiter>text<delimiter>
 *
 * `no` and no_words: a negated line may end once `no_words` words of the row were matched (0: anywhere, if one row only is
 * left); what follows is parsed by the same syntax, so both `no description` and `no description foo` are accepted.
 */
#ifndef POSTERN_GRAMMAR_ARG_H
#define POSTERN_GRAMMAR_ARG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How strongly a word claims to be this argument, when several things could stand there: an exact keyword beats a typed
 * argument, that beats an abbreviated keyword, then a free word, then the rest of the line. */
enum arg_class { ARG_TYPED, ARG_WORD, ARG_LINE };

struct arg_name {
	const char *word;
	const char *value;
	const char *help;
};

struct arg_range {
	uint64_t low, high;
};

struct arg_type {
	const char *name;  /* in a syntax */
	const char *shown; /* by `?`; NULL: only its names, if any */
	enum arg_class cls;
	const struct arg_name *names; /* ends in a null word; the first of equal values is printed */
	/* Parses text[0..n) whole into a value. On failure *good tells how many characters were still right. */
	bool (*parse)(const struct arg_range *r, const char *text, size_t n, char *value, size_t size, size_t *good);
	/* A valid example for tests: the `k`-th text. */
	void (*sample)(const struct arg_range *r, unsigned k, char *out, size_t size);
	/* Prints a value; NULL: the value is the text (or its name). */
	void (*print)(const char *value, char *out, size_t size);
};

const struct arg_type *arg_find(const char *name, size_t n); /* NULL: a keyword */
extern const struct arg_type arg_number;                     /* for <low-high> */
extern const struct arg_type arg_if_joined, arg_if_slot;     /* parts of INTERFACE */

/* Value to text: its name if it has one. */
void arg_print(const struct arg_type *t, const char *value, char *out, size_t size);

bool arg_is_interface(const struct arg_type *t, bool *with_null);

/* Tables that the model shares. */
extern const struct arg_name names_tcp[], names_udp[], names_protocol[], names_icmp[], names_dscp[], names_precedence[],
	names_tos[], names_severity[];
const char *names_word(const struct arg_name *names, const char *value); /* NULL: no name */

/* Does the collected text of `banner motd ...` (from the delimiter on) contain its end? *text and *len: what is between. */
bool banner_parse(const char *arg, size_t n, const char **text, size_t *len);
/* Is `line` the first line of a banner whose text goes on in the next lines? Then the caller joins lines with '\n' until not. */
bool banner_open(const char *line);

#endif
