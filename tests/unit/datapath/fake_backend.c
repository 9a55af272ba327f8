/* A backend that protects nothing and remembers everything. */
#include "tests/unit/datapath/fake_backend.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct fake fake;

struct backend {
	int unused;
};

static struct backend instance;

static enum err fake_open(struct backend **b, const struct backend_args *args)
{
	fake.args = *args;
	fake.next_spi = 0x1000;
	fake.sockets[0] = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	fake.sockets[1] = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	*b = &instance;
	return ERR_OK;
}

static void fake_close(struct backend *b)
{
	(void)b;
	close(fake.sockets[0]);
	close(fake.sockets[1]);
	free(fake.entries);
	fake.entries = NULL;
	fake.nentries = 0;
}

static enum err fake_sockets(struct backend *b, int *udp500, int *udp4500)
{
	(void)b;
	*udp500 = fake.sockets[0];
	*udp4500 = fake.sockets[1];
	return ERR_OK;
}

static enum err fake_spi(struct backend *b, const struct dpm_spi *req, uint32_t *spi)
{
	(void)b;
	(void)req;
	*spi = fake.next_spi++;
	return ERR_OK;
}

static size_t sa_at(const struct dp_sa_key *key)
{
	size_t i = 0;

	while (i < fake.nsas && (fake.sas[i].key.spi != key->spi || fake.sas[i].key.inbound != key->inbound))
		i++;
	return i;
}

static enum err fake_put(struct backend *b, const struct dpm_sa *sa)
{
	size_t i = sa_at(&sa->key);

	(void)b;
	if (fake.refuse != ERR_OK)
		return fake.refuse;
	if (i == FAKE_SAS)
		return ERR_LIMIT;
	fake.nsas += i == fake.nsas;
	fake.sas[i] = (struct dpm_sa_info){
		.key = sa->key,
		.local = sa->local,
		.remote = sa->remote,
		.policy = sa->policy,
		.sel = sa->sel,
		.cipher = sa->cipher,
	};
	return ERR_OK;
}

static enum err fake_del(struct backend *b, const struct dp_sa_key *key)
{
	size_t i = sa_at(key);

	(void)b;
	if (i == fake.nsas)
		return ERR_NOT_FOUND;
	fake.sas[i] = fake.sas[--fake.nsas];
	return ERR_OK;
}

static enum err fake_move(struct backend *b, const struct dpm_sa_move *move)
{
	(void)b;
	fake.moves++;
	return sa_at(&move->key) < fake.nsas ? ERR_OK : ERR_NOT_FOUND;
}

static enum err fake_flush(struct backend *b, struct addr remote)
{
	(void)b;
	fake.flushed = remote;
	fake.flushes++;
	return ERR_OK;
}

static enum err fake_replace(struct backend *b, const struct backend_policies *set)
{
	(void)b;
	if (fake.refuse != ERR_OK)
		return fake.refuse;
	free(fake.entries);
	fake.nentries = set->nentries;
	fake.entries = calloc(set->nentries + 1, sizeof(*fake.entries));
	if (!fake.entries)
		return ERR_NOMEM;
	memcpy(fake.entries, set->entries, set->nentries * sizeof(*fake.entries));
	fake.replaced++;
	return ERR_OK;
}

static enum err fake_state(struct backend *b, const struct dpm_policy_state *state)
{
	(void)b;
	fake.last_state = *state;
	fake.states++;
	return ERR_OK;
}

static enum err fake_pass(struct backend *b, const struct dpm_packet *p, size_t len)
{
	(void)b;
	(void)p;
	fake.passed++;
	fake.passed_len = len;
	return ERR_OK;
}

static enum err fake_sa_dump(
	struct backend *b, const struct dpm_dump_filter *f, bool (*each)(void *ctx, const struct dpm_sa_info *i), void *ctx)
{
	(void)b;
	for (size_t i = 0; i < fake.nsas; i++)
		if (!addr_is_set(f->peer) || addr_equal(f->peer, fake.sas[i].remote))
			if (!each(ctx, &fake.sas[i]))
				break;
	return ERR_OK;
}

static enum err fake_policy_dump(
	struct backend *b, const struct dpm_dump_filter *f, bool (*each)(void *ctx, const struct dpm_policy_info *i), void *ctx)
{
	(void)b;
	(void)f;
	for (size_t i = 0; i < fake.nentries; i++) {
		struct dpm_policy_info p = { .id = fake.entries[i].id, .sel = fake.entries[i].sel };

		if (fake.entries[i].ace.permit && !each(ctx, &p))
			break;
	}
	return ERR_OK;
}

static enum err fake_line_dump(struct backend *b, bool (*each)(void *ctx, const struct backend_line_count *c), void *ctx)
{
	(void)b;
	for (size_t i = 0; i < fake.nlines; i++)
		if (!each(ctx, &fake.lines[i]))
			break;
	return ERR_OK;
}

static void fake_drops(struct backend *b, uint64_t out[DP_DROP_COUNT])
{
	(void)b;
	memset(out, 0, DP_DROP_COUNT * sizeof(*out));
	out[DP_DROP_REPLAY] = 3;
}

static void fake_info(struct backend *b, struct dpm_engine_info *out)
{
	(void)b;
	memset(out, 0, sizeof(*out));
	snprintf(out->backend, sizeof(out->backend), "fake");
	out->threads = 2;
}

static void fake_clear(struct backend *b, struct addr remote)
{
	(void)b;
	(void)remote;
	fake.cleared++;
}

static void fake_clear_lines(struct backend *b, const char *acl)
{
	(void)b;
	snprintf(fake.cleared_acl, sizeof(fake.cleared_acl), "%s", acl);
}

static void fake_be_seen(struct backend *b, bool on)
{
	(void)b;
	fake.seen = on;
}

const struct backend_ops fake_backend = {
	.name = "fake",
	.open = fake_open,
	.close = fake_close,
	.ike_sockets = fake_sockets,
	.spi_alloc = fake_spi,
	.sa_put = fake_put,
	.sa_del = fake_del,
	.sa_move = fake_move,
	.flush = fake_flush,
	.policy_replace = fake_replace,
	.policy_state = fake_state,
	.pass_packet = fake_pass,
	.sa_dump = fake_sa_dump,
	.policy_dump = fake_policy_dump,
	.line_dump = fake_line_dump,
	.drops = fake_drops,
	.info = fake_info,
	.clear_counters = fake_clear,
	.clear_line_counts = fake_clear_lines,
	.be_seen = fake_be_seen,
};

void fake_acquire(const struct dp_policy_id *id)
{
	struct backend_event ev = { .kind = BACKEND_ACQUIRE, .acquire = { .policy = *id, .protocol = 1 } };

	fake.args.event(fake.args.ctx, &ev);
}
