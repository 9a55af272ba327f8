#include "ikemgr/proc/dp_client.h"

#include "platform/base/log.h"
#include "platform/base/mem.h"

#include <stddef.h>
#include <string.h>

#define RETRY_US      200000
#define OPEN_MAX      1024 /* requests that await an answer */
#define PACKET_MAX    4096
#define QUESTIONS_MAX 64

struct request {
	uint32_t seq, type;
	uint64_t serial;
	enum err e; /* ERR_OK: the answer is awaited; else the answer, to be told */
};

/* A dump that is a question about traffic: what its rows have said so far. */
struct question {
	uint32_t seq; /* 0: free */
	uint64_t serial;
	struct addr local;
	uint64_t in_idle_s, out_idle_s;
};

struct dp_client {
	struct loop *loop;
	char path[108];
	const struct dp_handlers *h;
	void *ctx;
	struct msg_conn *conn;
	bool attached, complained;
	struct loop_timer *retry, *failures;
	pid_t last_pid; /* of the datapathd that we were attached to; 0 none yet */
	uint32_t seq;
	struct request open[OPEN_MAX];
	size_t nopen;
	struct question questions[QUESTIONS_MAX];
};

static void tell(struct dp_client *c, const struct request *r, enum err e, uint32_t spi)
{
	if (r->type == DPM_SPI_ALLOC)
		c->h->spi(c->ctx, r->serial, e, spi);
	else
		c->h->sa_put(c->ctx, r->serial, e);
}

/* Tells of the requests that failed here. */
static void on_failures(void *ctx)
{
	struct dp_client *c = ctx;

	for (size_t i = 0; i < c->nopen;) {
		struct request r = c->open[i];
		if (r.e == ERR_OK) {
			i++;
			continue;
		}
		c->open[i] = c->open[--c->nopen];
		tell(c, &r, r.e, 0);
	}
}

static void ask(struct dp_client *c, uint32_t type, uint64_t serial, struct span body)
{
	struct request r = { .seq = ++c->seq ? c->seq : ++c->seq, .type = type, .serial = serial, .e = ERR_CLOSED };

	if (c->nopen == OPEN_MAX) {
		log_msg("CRYPTO", LOG_SEV_ERROR, "DATAPATH", "datapathd leaves too many requests unanswered");
		return;
	}
	if (c->attached)
		r.e = msg_send(c->conn, type, r.seq, ERR_OK, 0, body);
	c->open[c->nopen++] = r;
	if (r.e != ERR_OK)
		loop_timer_set(c->failures, 0);
}

/* Asks without wanting to know: an error is a log line when it comes back. */
static void order(struct dp_client *c, uint32_t type, struct span body)
{
	if (c->attached && msg_send(c->conn, type, ++c->seq, ERR_OK, 0, body) != ERR_OK)
		log_msg("CRYPTO", LOG_SEV_ERROR, "DATAPATH", "datapathd did not take a message of type %u", type);
}

static void answered(struct dp_client *c, const struct msg *m)
{
	for (size_t i = 0; i < c->nopen; i++) {
		struct request r = c->open[i];
		struct dpm_spi spi = { 0 };
		enum err e = (enum err)m->head.status;
		if (r.seq != m->head.seq || r.type != m->head.type || r.e != ERR_OK)
			continue;
		c->open[i] = c->open[--c->nopen];
		if (r.type == DPM_SPI_ALLOC && e == ERR_OK) {
			if (m->body.len == sizeof(spi))
				memcpy(&spi, m->body.data, sizeof(spi));
			e = spi.spi ? ERR_OK : ERR_INVALID;
		}
		tell(c, &r, e, spi.spi);
		return;
	}
}

static void attach_answered(struct dp_client *c, struct msg *m)
{
	struct dpm_attached a;
	struct dpm_dump_filter all = { 0 };
	pid_t pid = msg_peer_pid(c->conn);

	if (m->head.status != ERR_OK || m->body.len != sizeof(a) || m->nfds != 2) {
		log_msg("CRYPTO", LOG_SEV_ERROR, "DATAPATH", "datapathd refuses: %s",
			m->head.status ? err_text((enum err)m->head.status) : "no sockets came");
		return; /* it closes, or we try at the next start */
	}
	memcpy(&a, m->body.data, sizeof(a));
	a.backend[sizeof(a.backend) - 1] = '\0';
	m->nfds = 0;
	c->attached = true;
	c->complained = false;
	bool restarted = c->last_pid && c->last_pid != pid;
	c->last_pid = pid;
	c->h->attached(c->ctx, &a, m->fds[0], m->fds[1], restarted);
	order(c, DPM_DYNAMIC_DUMP, (struct span){ 0 });
	order(c, DPM_SA_DUMP, span_of(&all, sizeof(all)));
}

static void dynamic_row(struct dp_client *c, const struct msg *m)
{
	struct dpm_dynamic d;

	if (!(m->head.flags & MSG_FLAG_MORE) || m->body.len != sizeof(d) || c->h->dynamic == NULL)
		return;
	memcpy(&d, m->body.data, sizeof(d));
	c->h->dynamic(c->ctx, &d);
}

static struct question *question_of(struct dp_client *c, uint32_t seq)
{
	for (size_t i = 0; i < QUESTIONS_MAX; i++)
		if (c->questions[i].seq == seq)
			return &c->questions[i];
	return NULL;
}

static void question_row(struct question *q, const struct dpm_sa_info *sa)
{
	uint64_t *idle = sa->key.inbound ? &q->in_idle_s : &q->out_idle_s;

	/* Without a packet it has been idle for as long as it is old: that is not traffic. */
	if (addr_equal(sa->local, q->local) && sa->count.packets > 0 && sa->idle_s < *idle)
		*idle = sa->idle_s;
}

static void questioned(struct dp_client *c, struct question *q, const struct msg *m)
{
	struct question done = *q;
	struct dpm_sa_info sa;

	if (m->head.flags & MSG_FLAG_MORE && m->body.len == sizeof(sa)) {
		memcpy(&sa, m->body.data, sizeof(sa));
		question_row(q, &sa);
	} else if (!(m->head.flags & MSG_FLAG_MORE)) {
		q->seq = 0;
		c->h->activity(c->ctx, done.serial, done.in_idle_s, done.out_idle_s);
	}
}

static void listed(struct dp_client *c, const struct msg *m)
{
	struct question *q = m->head.seq == 0 ? NULL : question_of(c, m->head.seq);
	struct dpm_sa_info sa;

	if (q != NULL)
		questioned(c, q, m);
	else if (m->head.flags & MSG_FLAG_MORE && m->body.len == sizeof(sa)) {
		memcpy(&sa, m->body.data, sizeof(sa));
		c->h->sa(c->ctx, &sa);
	} else if (!(m->head.flags & MSG_FLAG_MORE)) {
		c->h->listed(c->ctx);
	}
}

static void passed_ike(struct dp_client *c, const struct msg *m)
{
	struct dpm_packet head;
	size_t fixed = offsetof(struct dpm_packet, bytes);

	if (m->body.len <= fixed)
		return;
	memcpy(&head, m->body.data, fixed);
	c->h->passed_ike(c->ctx, &head, span_of(m->body.data + fixed, m->body.len - fixed));
}

/* An event whose body is one struct. */
#define EVENT(type, handler)                                                                                                       \
	do {                                                                                                                       \
		struct type event;                                                                                                 \
		if (m->body.len == sizeof(event)) {                                                                                \
			memcpy(&event, m->body.data, sizeof(event));                                                               \
			c->h->handler(c->ctx, &event);                                                                             \
		}                                                                                                                  \
	} while (0)

static void on_message(void *ctx, struct msg_conn *conn, struct msg *m)
{
	struct dp_client *c = ctx;

	(void)conn;
	switch (m->head.type) {
	case DPM_ATTACH:
		attach_answered(c, m);
		break;
	case DPM_SPI_ALLOC:
	case DPM_SA_PUT:
		answered(c, m);
		break;
	case DPM_SA_DUMP:
		listed(c, m);
		break;
	case DPM_DYNAMIC_DUMP:
		dynamic_row(c, m);
		break;
	case DPM_ACQUIRE:
		EVENT(dpm_acquire, acquire);
		break;
	case DPM_EXPIRE:
		EVENT(dpm_expire, expire);
		break;
	case DPM_MAPPING:
		EVENT(dpm_mapping, mapping);
		break;
	case DPM_INVALID_SPI:
		EVENT(dpm_invalid_spi, invalid_spi);
		break;
	case DPM_PASSED_IKE:
		passed_ike(c, m);
		break;
	default:
		break; /* statuses of orders: the engine has logged what was wrong */
	}
}

static void on_closed(void *ctx, struct msg_conn *conn)
{
	struct dp_client *c = ctx;
	bool was = c->attached;

	(void)conn;
	c->conn = NULL;
	c->attached = false;
	for (size_t i = 0; i < c->nopen; i++)
		if (c->open[i].e == ERR_OK)
			c->open[i].e = ERR_CLOSED;
	memset(c->questions, 0, sizeof(c->questions));
	if (was) {
		log_msg("CRYPTO", LOG_SEV_WARNING, "DATAPATH", "Lost datapathd; trying to reach it again");
		c->h->detached(c->ctx);
	}
	loop_timer_set(c->failures, 0);
	loop_timer_set(c->retry, RETRY_US);
}

static void on_retry(void *ctx)
{
	static const struct msg_handlers handlers = { .message = on_message, .closed = on_closed };
	struct dp_client *c = ctx;

	c->conn = msg_connect(c->loop, c->path, &handlers, c);
	if (c->conn && msg_send(c->conn, DPM_ATTACH, ++c->seq, ERR_OK, 0, (struct span){ 0 }) != ERR_OK) {
		msg_close(c->conn);
		c->conn = NULL;
	}
	if (c->conn)
		return;
	if (!c->complained && c->last_pid == 0)
		log_msg("CRYPTO", LOG_SEV_NOTICE, "DATAPATH", "Waiting for datapathd");
	c->complained = true;
	loop_timer_set(c->retry, RETRY_US);
}

struct dp_client *dp_client_new(struct loop *l, const char *run_dir, const struct dp_handlers *h, void *ctx)
{
	struct dp_client *c = mem_zalloc(sizeof(*c));

	if (!c)
		return NULL;
	c->loop = l;
	c->h = h;
	c->ctx = ctx;
	c->retry = loop_timer_new(l, on_retry, c);
	c->failures = loop_timer_new(l, on_failures, c);
	if (!c->retry || !c->failures || !msg_path(c->path, run_dir, DATAPATHD_SOCKET)) {
		dp_client_free(c);
		return NULL;
	}
	loop_timer_set(c->retry, 0);
	return c;
}

void dp_client_free(struct dp_client *c)
{
	if (!c)
		return;
	msg_close(c->conn);
	loop_timer_free(c->retry);
	loop_timer_free(c->failures);
	mem_free(c);
}

void dp_spi_alloc(struct dp_client *c, uint64_t serial, const struct dpm_spi *want)
{
	ask(c, DPM_SPI_ALLOC, serial, span_of(want, sizeof(*want)));
}

void dp_sa_put(struct dp_client *c, uint64_t serial, const struct dpm_sa *sa)
{
	ask(c, DPM_SA_PUT, serial, span_of(sa, sizeof(*sa)));
}

void dp_sa_del(struct dp_client *c, const struct dp_sa_key *key)
{
	order(c, DPM_SA_DEL, span_of(key, sizeof(*key)));
}

void dp_sa_move(struct dp_client *c, const struct dpm_sa_move *move)
{
	order(c, DPM_SA_MOVE, span_of(move, sizeof(*move)));
}

void dp_dynamic_put(struct dp_client *c, const struct dpm_dynamic *d)
{
	order(c, DPM_DYNAMIC_PUT, span_of(d, sizeof(*d)));
}

void dp_dynamic_del(struct dp_client *c, const struct dp_policy_id *id)
{
	order(c, DPM_DYNAMIC_DEL, span_of(id, sizeof(*id)));
}

void dp_policy_state(struct dp_client *c, const struct dpm_policy_state *state)
{
	order(c, DPM_POLICY_STATE, span_of(state, sizeof(*state)));
}

void dp_activity(struct dp_client *c, uint64_t serial, struct addr local, struct addr remote)
{
	struct dpm_dump_filter filter = { .peer = remote };
	struct question *q = question_of(c, 0);

	if (!c->attached || q == NULL)
		return;
	*q = (struct question){ .seq = ++c->seq ? c->seq : ++c->seq,
		.serial = serial,
		.local = local,
		.in_idle_s = UINT64_MAX,
		.out_idle_s = UINT64_MAX };
	if (msg_send(c->conn, DPM_SA_DUMP, q->seq, ERR_OK, 0, span_of(&filter, sizeof(filter))) != ERR_OK)
		q->seq = 0;
}

void dp_pass_packet(struct dp_client *c, const struct dpm_packet *head, struct span bytes)
{
	uint8_t body[PACKET_MAX];
	struct writer w = writer_of(body, sizeof(body));

	writer_bytes(&w, head, offsetof(struct dpm_packet, bytes));
	writer_span_put(&w, bytes);
	if (!w.failed)
		order(c, DPM_PASS_PACKET, writer_span(&w));
}
