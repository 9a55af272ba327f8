/* The filter in the kernel. */
#include "datapath/filter/live.h"

#include "datapath/filter/nft.h"

#include "platform/base/log.h"
#include "platform/base/mem.h"

#include <string.h>

static const char *const names[2] = { "postern_a", "postern_b" };

/* Until the configuration is known: what is not the machine's own loopback stays inside. */
static const char closed[] = "table ip postern_a {\n"
			     "\tchain leave {\n"
			     "\t\ttype filter hook postrouting priority 300; policy accept;\n"
			     "\t\toifname != \"lo\" drop\n"
			     "\t}\n"
			     "}\n";

struct filter_live {
	struct filter now; /* what is loaded; empty: by a predecessor, or nothing */
	bool loaded;
	int turn; /* names[turn] is loaded */
	struct counts counts;
};

struct filter_live *filter_live_new(void)
{
	return mem_zalloc(sizeof(struct filter_live));
}

void filter_live_free(struct filter_live *f)
{
	if (!f)
		return;
	filter_free(&f->now);
	counts_free(&f->counts);
	mem_free(f);
}

static enum err load(const char *const *args, const char *text, size_t len)
{
	struct text complaint = { 0 };
	enum err e = nft_run(args, text, len, NULL, &complaint);

	if (e != ERR_OK)
		log_msg("POSTERN", LOG_SEV_ERROR, "FILTER_REFUSED", "nft: %s: %.*s", err_text(e),
			(int)strcspn(text_of(&complaint), "\n"), text_of(&complaint));
	text_free(&complaint);
	return e;
}

void filter_live_start(struct filter_live *f)
{
	static const char *const list[] = { "list", "tables", NULL }, *const file[] = { "-f", "-", NULL };
	struct text out = { 0 };

	if (nft_run(list, NULL, 0, &out, NULL) == ERR_OK) {
		bool a = strstr(text_of(&out), "ip postern_a") != NULL, b = strstr(text_of(&out), "ip postern_b") != NULL;

		f->turn = b && !a;
		if (!a && !b && load(file, closed, strlen(closed)) != ERR_OK)
			log_msg("POSTERN", LOG_SEV_ERROR, "FILTER_ABSENT", "no filter could be loaded");
	}
	text_free(&out);
}

static bool list_tables(struct text *out, const char *name)
{
	const char *args[] = { "list", "table", "netdev", name, NULL };
	enum err e = nft_run(args, NULL, 0, out, NULL);

	args[2] = "ip";
	return e == ERR_OK && nft_run(args, NULL, 0, out, NULL) == ERR_OK && !out->failed;
}

static void read_counts(struct filter_live *f, const char *name)
{
	struct text out = { 0 };

	if (f->loaded && list_tables(&out, name))
		counts_read(&f->counts, text_of(&out));
	text_free(&out);
}

/* The old tables have no rules any more: their counters are final. */
static void retire(struct filter_live *f, const char *name)
{
	static const char *const file[] = { "-f", "-", NULL };
	struct text text = { 0 };

	read_counts(f, name);
	counts_settle(&f->counts);
	text_put(&text, "delete table netdev %s\ndelete table ip %s\n", name, name);
	(void)load(file, text_of(&text), text.len);
	text_free(&text);
}

static bool same(const struct text *a, const struct text *b)
{
	return a->len == b->len && strcmp(text_of(a), text_of(b)) == 0;
}

static enum err replace(struct filter_live *f, const struct filter *next)
{
	static const char *const check[] = { "-c", "-f", "-", NULL }, *const file[] = { "-f", "-", NULL };
	struct text program = { 0 };
	enum err e;

	filter_program(&program, next, names[!f->turn], names[f->turn]);
	e = program.failed ? ERR_NOMEM : load(check, text_of(&program), program.len);
	if (e == ERR_OK)
		e = load(file, text_of(&program), program.len);
	text_free(&program);
	return e;
}

enum err filter_live_apply(struct filter_live *f, const struct cfg *c, const struct filter_env *env)
{
	struct filter next;
	enum err e = filter_generate(&next, c, env);

	if (e == ERR_OK && !(f->loaded && same(&f->now.netdev, &next.netdev) && same(&f->now.ip, &next.ip)) &&
		(e = replace(f, &next)) == ERR_OK) {
		struct filter old = f->now;

		retire(f, names[f->turn]);
		f->now = next;
		next = old;
		f->turn = !f->turn;
		f->loaded = true;
	}
	filter_free(&next);
	/* Only now: what the old filter counted belongs to the lines as they were. */
	return e == ERR_OK ? counts_renew(&f->counts, c) : e;
}

const struct counts *filter_live_counts(struct filter_live *f)
{
	read_counts(f, names[f->turn]);
	return &f->counts;
}

void filter_live_zero(struct filter_live *f, const char *acl)
{
	read_counts(f, names[f->turn]);
	counts_zero(&f->counts, acl);
}

void filter_live_zero_clear_text(struct filter_live *f)
{
	read_counts(f, names[f->turn]);
	counts_zero_clear_text(&f->counts);
}
