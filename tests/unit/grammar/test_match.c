/* The grammar engine over rows of its own. */
#include "configdb/grammar.h"
#include "configdb/grammar/arg.h"
#include "platform/base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct grammar *g;
static struct grammar_match m;

static void add(const char *syntax, const char *const *help, uint8_t no_words)
{
	const char *why = NULL;
	struct grammar_spec spec = { .syntax = syntax,
		.help = help,
		.mode = MODE_CONFIG,
		.privilege = 1,
		.no_allowed = no_words > 0,
		.no_words = no_words,
		.user = syntax };
	if (grammar_add(g, &spec, &why) != ERR_OK)
		fail_msg("%s: %s", syntax, why);
}
#define HELP(...)                                                                                                                  \
	(const char *const[])                                                                                                      \
	{                                                                                                                          \
		__VA_ARGS__, NULL                                                                                                  \
	}

static int setup(void **state)
{
	(void)state;
	g = grammar_new();
	add("show version", HELP("Show", "Version"), 0);
	add("show ver long", HELP("Show", "Ver", "Long"), 0);
	add("show vlan", HELP("Show", "Vlan"), 0);
	add("shutdown", HELP("Shut"), 255);
	add("set {speed <1-100>$speed|duplex <half|full>$duplex|auto$auto}",
		HELP("Set", "Speed", "Number", "Duplex", "Half", "Full", "Auto"), 1);
	add("list WORD$items...3 [end]", HELP("List", "Item", "End"), 1);
	add("enc(ryption) <aes|aes 192|des>$alg", HELP("Encryption", "AES", "192 bits", "DES"), 1);
	add("port <eq TCPPORT$p...10|range TCPPORT$p TCPPORT$q>$op", HELP("Port", "Equal", "Port", "Range", "Upper port"), 1);
	add("use INTERFACE$if [in$dir]", HELP("Use", "Interface", "Inwards"), 1);
	add("via EGRESS$if", HELP("Via", "Interface"), 1);
	add("text LINE$text", HELP("Text", "The text"), 1);
	add("addr <any|host A.B.C.D$host|A.B.C.D$net WILDCARD$wild>$kind", HELP("Address", "Any", "One", "Host", "Net", "Wildcard"),
		1);
	add("icmp <ICMP$name|<0-255>$type>", HELP("ICMP", "Name", "Type"), 1);
	add("level SEVERITY$level", HELP("Level", "Severity"), 1);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	grammar_free(g);
	return 0;
}

static int match(const char *line)
{
	grammar_match(g, MODE_CONFIG, 15, line, &m);
	return m.result;
}

static void is(const char *line, const char *canonical)
{
	if (match(line) != GR_OK)
		fail_msg("\"%s\": result %d, column %zu", line, m.result, m.column);
	assert_string_equal(m.canonical, canonical);
}

static void bad(const char *line, int result, size_t column)
{
	if (match(line) != result || (result == GR_INVALID && m.column != column))
		fail_msg("\"%s\": result %d, column %zu", line, m.result, m.column);
}

static void is_var(const char *name, const char *value)
{
	const char *v = match_var(&m, name);
	if (!value)
		assert_null(v);
	else if (!v)
		fail_msg("%s is unset", name);
	else
		assert_string_equal(v, value);
}

static const char *lookup(void *ctx, const char *name)
{
	return match_var(ctx, name);
}

static void prints(const char *line, const char *text)
{
	char out[512];
	assert_int_equal(match(line), GR_OK);
	assert_int_equal(grammar_print(m.row, lookup, &m, out, sizeof out), ERR_OK);
	assert_string_equal(out, text);
}

static void words(void **state)
{
	(void)state;
	is("sho vers", "show version");
	is("SHOW VL", "show vlan");
	/* An exact word beats a longer one. */
	is("show ver l", "show ver long");
	bad("show ver", GR_INCOMPLETE, 0);
	bad("show v", GR_AMBIGUOUS, 0);
	bad("sh", GR_AMBIGUOUS, 0);
	is("shu", "shutdown");
	bad("show version now", GR_INVALID, 13);
	bad("show vxlan", GR_INVALID, 6);
	bad("  zebra", GR_INVALID, 2);
	bad("", GR_EMPTY, 0);
	bad(" ! comment", GR_EMPTY, 0);
	grammar_match(g, MODE_CONFIG, 0, "show version", &m);
	assert_int_equal(m.result, GR_INVALID);
	grammar_match(g, MODE_IF, 15, "show version", &m);
	assert_int_equal(m.result, GR_INVALID);
}

static void sets_and_lists(void **state)
{
	(void)state;
	is("set duplex full speed 10", "set duplex full speed 10");
	is_var("duplex", "full");
	is_var("speed", "10");
	is_var("auto", NULL);
	prints("set auto duplex half speed 7", "set speed 7 duplex half auto");
	bad("set", GR_INCOMPLETE, 0);
	bad("set speed", GR_INCOMPLETE, 0);
	bad("set auto auto", GR_INVALID, 9);
	bad("set speed 101", GR_INVALID, 10);
	is("list a b c", "list a b c");
	is_var("items", "a b c");
	is("list a b c end", "list a b c end");
	bad("list a b c d", GR_INVALID, 11);
	prints("list a b", "list a b");
	is("enc aes 192", "encryption aes 192");
	is_var("alg", "aes 192");
	prints("encr aes 192", "enc aes 192");
	prints("encr aes", "enc aes");
}

static void arguments(void **state)
{
	(void)state;
	is("port eq www 443 telnet", "port eq www 443 telnet");
	is_var("p", "80 443 23");
	is_var("op", "eq");
	prints("port eq 80 443 tel", "port eq www 443 telnet");
	prints("port range 20 80", "port range ftp-data www");
	bad("port eq 65536", GR_INVALID, 8);
	bad("port eq te", GR_OK, 0);
	bad("port eq t", GR_AMBIGUOUS, 0);
	is("addr host 10.0.0.1", "addr host 10.0.0.1");
	is_var("kind", "host");
	is("addr 10.0.0.1 0.0.0.255", "addr 10.0.0.1 0.0.0.255");
	is_var("kind", NULL);
	bad("addr 10.0.256.1 0.0.0.0", GR_INVALID, 12);
	bad("addr 10.0.0 0.0.0.0", GR_INVALID, 11);
	is("text  two  words \t", "text two  words");
	is_var("text", "two  words");
	is("icmp 8", "icmp 8");
	is_var("type", "8");
	is("icmp ttl", "icmp ttl-exceeded");
	is_var("name", "11/0");
	prints("level 4", "level warnings");
	is("level warn", "level warnings");
}

static void interfaces(void **state)
{
	static const char *const same[] = { "use gi0/1", "use GigabitEthernet0/1", "use GigabitEthernet 0/1", "use g 0/1",
		"use Gig0/1" };
	(void)state;
	for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
		is(same[i], "use GigabitEthernet0/1");
		is_var("if", "GigabitEthernet0/1");
	}
	is("use lo 7 in", "use Loopback7 in");
	is_var("dir", "in");
	is("use Loopback2147483647", "use Loopback2147483647");
	bad("use Loopback2147483648", GR_INVALID, 12);
	bad("use gi1/0", GR_INVALID, 6);
	bad("use gi0/256", GR_INVALID, 8);
	bad("use gi", GR_INCOMPLETE, 0);
	bad("use null0", GR_INVALID, 4);
	is("via null 0", "via Null0");
	is("via nu0", "via Null0");
}

static void negations(void **state)
{
	(void)state;
	is("no shut", "no shutdown");
	assert_true(m.negated && !m.defaulted);
	is("def shutdown", "default shutdown");
	assert_true(!m.negated && m.defaulted);
	is("no set", "no set");
	is("no set speed 5", "no set speed 5");
	is_var("speed", "5");
	bad("no", GR_INCOMPLETE, 0);
	bad("no show version", GR_INVALID, 5);
	bad("no no set", GR_INVALID, 3);
}

struct seen {
	char text[2000];
};

static void note(void *ctx, const char *word, const char *help)
{
	struct seen *s = ctx;
	(void)help;
	strcat(s->text, word);
	strcat(s->text, " ");
}

static void offers(const char *line, const char *expected)
{
	struct seen s = { "" };
	size_t column = 0;
	grammar_help(g, MODE_CONFIG, 15, line, &column, note, &s);
	if (strcmp(s.text, expected) != 0)
		fail_msg("\"%s?\" offers \"%s\", not \"%s\"", line, s.text, expected);
}

static void help(void **state)
{
	struct seen s = { "" };
	size_t column = 0;
	(void)state;
	offers("s", "set show shutdown ");
	offers("show ", "ver version vlan ");
	offers("show ver ", "long ");
	offers("show version ", "<cr> ");
	offers("set speed ", "<1-100> ");
	offers("set speed 5 ", "auto duplex <cr> ");
	offers("list a b c ", "end <cr> ");
	offers("use ", "GigabitEthernet Loopback ");
	offers("use Loopback ", "<0-2147483647> ");
	offers("addr ", "A.B.C.D any host ");
	offers("no sh", "shutdown ");
	offers("text ", "LINE ");
	offers("text word ", "LINE <cr> ");
	offers("nothing ", "");
	assert_int_equal(grammar_help(g, MODE_CONFIG, 15, "show vxl ", &column, note, &s), 0);
	assert_int_equal(column, 6);
}

static void completion(void **state)
{
	char word[64];
	(void)state;
	assert_true(grammar_complete(g, MODE_CONFIG, 15, "show vl", word, sizeof word));
	assert_string_equal(word, "vlan");
	assert_false(grammar_complete(g, MODE_CONFIG, 15, "show v", word, sizeof word));
	assert_true(grammar_complete(g, MODE_CONFIG, 15, "show ver", word, sizeof word));
	assert_string_equal(word, "ver");
	assert_true(grammar_complete(g, MODE_CONFIG, 15, "use g", word, sizeof word));
	assert_string_equal(word, "GigabitEthernet");
	assert_false(grammar_complete(g, MODE_CONFIG, 15, "show ", word, sizeof word));
	assert_false(grammar_complete(g, MODE_CONFIG, 15, "text wor", word, sizeof word));
}

/* A declaration that cannot work is refused with the reason. */
static void declarations(void **state)
{
	static const struct {
		const char *syntax, *why;
	} wrong[] = {
		{ "a <b|c", "unbalanced" },
		{ "a [b", "unbalanced" },
		{ "a <b|>", "empty" },
		{ "a WORD", "no name" },
		{ "a LINE$x b", "rest of the line" },
		{ "a b c d e", "no help" },
		{ "a", "more help" },
		{ "a WORD$x...1", "repetition" },
	};
	const char *why;
	(void)state;
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		struct grammar_spec spec = { .syntax = wrong[i].syntax, .help = HELP("one", "two", "three"), .mode = MODE_CONFIG };
		why = "";
		assert_int_not_equal(grammar_add(g, &spec, &why), ERR_OK);
		if (!strstr(why, wrong[i].why))
			fail_msg("\"%s\": %s", wrong[i].syntax, why);
	}
}

static void banners(void **state)
{
	(void)state;
	assert_true(banner_open("banner motd #hello"));
	assert_true(banner_open("ban mot ^Chello"));
	assert_false(banner_open("banner motd #hello#"));
	assert_false(banner_open("banner motd ^C\nhello\n^C"));
	assert_false(banner_open("banner motd"));
	assert_false(banner_open("hostname x"));
}

#ifdef POSTERN_FAULTS
/* Whichever allocation fails: no crash, no leak, and never a wrong match. */
static void no_memory(void **state)
{
	(void)state;
	for (long n = 1; n < 60; n++) {
		mem_fail_at(n);
		int result = match("set duplex full speed 10");
		mem_fail_at(0);
		assert_true(result == GR_OK || result == GR_INVALID);
	}
}
#endif

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words),
		cmocka_unit_test(sets_and_lists),
		cmocka_unit_test(arguments),
		cmocka_unit_test(interfaces),
		cmocka_unit_test(negations),
		cmocka_unit_test(help),
		cmocka_unit_test(completion),
		cmocka_unit_test(banners),
#ifdef POSTERN_FAULTS
		cmocka_unit_test(no_memory),
#endif
		cmocka_unit_test(declarations),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
