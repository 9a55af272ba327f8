/* All rows in one list, compiled once. */
#include "configdb/model/stmt.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#define ROWS_MAX 256

static struct grammar *grammar;
static struct {
	const struct stmt *st;
	const struct grammar_row *row;
} compiled[ROWS_MAX];
static size_t ncompiled;

const struct block *const *blocks(size_t *n)
{
	static const struct block *const all[] = { &block_hidden, &block_system, &block_hostname, &block_logging, &block_enable,
		&block_aaa, &block_master_key, &block_pki, &block_pki_cert, &block_users, &block_isakmp, &block_isakmp_all, &block_keyring,
		&block_isakmp_peer, &block_isakmp_profile, &block_profile_pki, &block_client_group, &block_ipsec, &block_map_client,
		&block_crypto_map, &block_map_entry, &block_interface, &block_pool, &block_route, &block_acl_named,
		&block_acl_numbered, &block_banner, &block_line };
	*n = sizeof all / sizeof *all;
	return all;
}

/* Rows of every configuration mode: they change nothing but where one is. */
static enum grammar_result leave_to_exec(struct change *c)
{
	return change_enter(c, MODE_EXEC, "");
}

static enum grammar_result leave_one(struct change *c)
{
	return change_enter(c, c->st->mode == MODE_CONFIG ? MODE_EXEC : MODE_CONFIG, "");
}

static enum grammar_result do_elsewhere(struct change *c)
{
	return refuse(c, "%% EXEC commands are run by the console");
}

#define EVERYWHERE(m)                                                                                                              \
	{ .syntax = "exit", .help = exit_help, .mode = m, .apply = leave_one },                                                    \
		{ .syntax = "end", .help = end_help, .mode = m, .apply = leave_to_exec },                                          \
	{                                                                                                                          \
		.syntax = "do LINE$command", .help = do_help, .mode = m, .apply = do_elsewhere, .secret = "command"                \
	}

static const char *const exit_help[] = { "Exit from this configuration mode", NULL };
static const char *const end_help[] = { "Return to privileged EXEC mode", NULL };
static const char *const do_help[] = { "To run exec commands in config mode", "Exec Command", NULL };

static const struct stmt everywhere[] = {
	EVERYWHERE(MODE_CONFIG),
	EVERYWHERE(MODE_ISAKMP),
	EVERYWHERE(MODE_TRANSFORM),
	EVERYWHERE(MODE_CRYPTO_MAP),
	EVERYWHERE(MODE_IF),
	EVERYWHERE(MODE_STD_NACL),
	EVERYWHERE(MODE_EXT_NACL),
	EVERYWHERE(MODE_LINE),
	EVERYWHERE(MODE_KEYRING),
	EVERYWHERE(MODE_ISA_PROF),
	EVERYWHERE(MODE_ISA_PEER),
	EVERYWHERE(MODE_CLIENT_GROUP),
	EVERYWHERE(MODE_TRUSTPOINT),
	EVERYWHERE(MODE_CERT_MAP),
	EVERYWHERE(MODE_CERT_CHAIN),
	EVERYWHERE(MODE_CERT_DATA),
};
const struct block block_hidden = { everywhere, sizeof everywhere / sizeof *everywhere, false };

static void add(const struct stmt *st)
{
	const char *why;
	struct grammar_spec spec = { .syntax = st->syntax,
		.help = st->help,
		.mode = st->mode,
		.privilege = 15,
		.no_allowed = st->no_words > 0,
		.no_words = st->no_words,
		.hidden = st->hidden,
		.user = st,
		.no_only = st->no_only };
	if (ncompiled == ROWS_MAX || grammar_add(grammar, &spec, &why) != ERR_OK) {
		fprintf(stderr, "configuration row \"%s\": %s\n", st->syntax, ncompiled == ROWS_MAX ? "too many rows" : why);
		abort();
	}
	compiled[ncompiled].st = st;
	grammar_at(grammar, grammar_count(grammar) - 1, &compiled[ncompiled++].row);
}

static void compile(void)
{
	size_t n;
	const struct block *const *all = blocks(&n);
	grammar = grammar_new();
	if (!grammar)
		abort();
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < all[i]->n; k++)
			add(&all[i]->rows[k]);
}

const struct grammar *config_grammar(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	pthread_once(&once, compile);
	return grammar;
}

const struct grammar_row *stmt_row(const struct stmt *st)
{
	config_grammar();
	for (size_t i = 0; i < ncompiled; i++)
		if (compiled[i].st == st)
			return compiled[i].row;
	return NULL;
}
