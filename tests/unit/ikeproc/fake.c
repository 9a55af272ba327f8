#include "fake.h"

#include "platform/base/addr.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define LIMIT_US 60000000
#define STEP_US  2000

char *folder_make(void)
{
	char *path = strdup("/tmp/postern-ikeproc.XXXXXX");

	assert_non_null(mkdtemp(path));
	return path;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *f)
{
	(void)st;
	(void)type;
	(void)f;
	return remove(path);
}

void folder_remove(char *path)
{
	(void)nftw(path, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	free(path);
}

static void stop_it(void *ctx)
{
	loop_stop(ctx, 0);
}

void loop_for(struct loop *l, uint64_t us)
{
	struct loop_timer *t = loop_timer_new(l, stop_it, l);

	loop_timer_set(t, us);
	loop_run(l);
	loop_timer_free(t);
}

void loop_until(struct loop *l, const bool *done)
{
	for (uint64_t waited = 0; !*done; waited += STEP_US) {
		assert_true(waited < LIMIT_US);
		loop_for(l, STEP_US);
	}
}

int udp_bound(const char *ip, uint16_t *port)
{
	struct sockaddr_storage ss;
	struct addr a;
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	assert_int_equal(addr_parse(&a, ip), ERR_OK);
	socklen_t len = addr_to_sockaddr(&ss, a, *port);
	assert_true(fd >= 0 && bind(fd, (struct sockaddr *)&ss, len) == 0);
	len = sizeof(ss);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&ss, &len), 0);
	assert_int_equal(addr_from_sockaddr(&a, port, &ss), ERR_OK);
	return fd;
}

static void attach(struct fake_dp *d, struct msg_conn *c, struct msg *m)
{
	struct dpm_attached a = { .backend = "fake", .native_esp = d->native_esp };
	const char *ip = d->ip ? d->ip : "0.0.0.0";
	int fds[2] = { udp_bound(ip, &d->ike_port), udp_bound(ip, &d->natt_port) };

	d->client = c;
	d->attached++;
	assert_int_equal(msg_send_fds(c, m->head.type, m->head.seq, ERR_OK, span_of(&a, sizeof(a)), fds, 2), ERR_OK);
	close(fds[0]);
	close(fds[1]);
}

static void dump(struct fake_dp *d, struct msg_conn *c, struct msg *m)
{
	for (size_t i = 0; i < d->nsas; i++)
		msg_reply(c, m, ERR_OK, MSG_FLAG_MORE, span_of(&d->sas[i], sizeof(d->sas[i])));
	msg_reply(c, m, ERR_OK, 0, (struct span){ 0 });
}

static void on_message(void *ctx, struct msg_conn *c, struct msg *m)
{
	struct fake_dp *d = ctx;
	struct dpm_spi spi;

	switch (m->head.type) {
	case DPM_ATTACH:
		attach(d, c, m);
		return;
	case DPM_SA_DUMP:
		dump(d, c, m);
		return;
	case DPM_SPI_ALLOC:
		assert_int_equal(m->body.len, sizeof(spi));
		if (d->silent)
			return;
		memcpy(&spi, m->body.data, sizeof(spi));
		spi.spi = 0x1000 + d->spis++ + (d->ip ? (uint32_t)d->ip[strlen(d->ip) - 1] << 16 : 0); /* each site has its own */
		msg_reply(c, m, ERR_OK, 0, span_of(&spi, sizeof(spi)));
		return;
	case DPM_SA_PUT:
		assert_int_equal(m->body.len, sizeof(d->last_sa));
		memcpy(&d->last_sa, m->body.data, sizeof(d->last_sa));
		*(d->last_sa.key.inbound ? &d->in : &d->out) = d->last_sa;
		d->puts++;
		if (!d->silent)
			msg_reply(c, m, d->put_status, 0, (struct span){ 0 });
		return;
	case DPM_SA_DEL:
		d->deleted++;
		break;
	case DPM_PASS_PACKET:
		d->passed++;
		break;
	case DPM_POLICY_STATE:
		memcpy(&d->last_state, m->body.data, sizeof(d->last_state));
		break;
	default:
		break;
	}
	msg_reply(c, m, ERR_OK, 0, (struct span){ 0 });
}

static void on_closed(void *ctx, struct msg_conn *c)
{
	struct fake_dp *d = ctx;

	if (d->client == c)
		d->client = NULL;
}

void fake_dp_start(struct fake_dp *d, struct loop *l, const char *run_dir)
{
	static const struct msg_handlers handlers = { .message = on_message, .closed = on_closed };
	char path[108];

	d->loop = l;
	assert_true(msg_path(path, run_dir, DATAPATHD_SOCKET));
	d->server = msg_listen(l, path, 0600, &handlers, d);
	assert_non_null(d->server);
}

void fake_dp_stop(struct fake_dp *d)
{
	msg_server_free(d->server);
	d->server = NULL;
	d->client = NULL;
}

void fake_dp_event(struct fake_dp *d, uint32_t type, struct span body)
{
	assert_int_equal(msg_send(d->client, type, 0, ERR_OK, 0, body), ERR_OK);
}
