/* Puts the proto process together, in the order in which its parts need each other, and takes it apart again. */
#include "ikemgr/proc/proto.h"

#include "platform/base/confine.h"
#include "platform/base/log.h"

#define KEEPALIVE_US 20000000 /* RFC 3948, 4: the default interval */

static void on_tick(void *ctx)
{
	proto_tick(ctx);
}

/* A NAT in the path forgets its mapping when nothing passes. The core knows which SAs have one in front. */
static void keepalive_of(void *ctx, const struct ikem_sa *sa)
{
	struct proto *p = ctx;
	struct ike_path path = {
		.local = sa->local, .remote = sa->remote, .local_port = sa->local_port, .remote_port = sa->remote_port
	};

	if (sa->established && !sa->deleted && sa->cap_nat && sa->local_port == UDP_NATT)
		udp_keepalive(p->udp, &path);
}

static void on_keepalive(void *ctx)
{
	struct proto *p = ctx;

	if (p->ike && p->udp)
		ike_each_sa(p->ike, keepalive_of, p);
	loop_timer_set(p->keepalive, KEEPALIVE_US);
}

static void on_keys_lost(void *ctx)
{
	struct proto *p = ctx;

	log_msg("CRYPTO", LOG_SEV_CRITICAL, "IKEMGRD", "The process that holds the keys ended");
	loop_stop(p->loop, 1);
}

static void on_life(void *ctx, int fd, int what)
{
	struct proto *p = ctx;

	(void)fd;
	(void)what;
	loop_stop(p->loop, 0);
}

static bool open_all(struct proto *p, int keys_fd)
{
	p->tick = loop_timer_new(p->loop, on_tick, p);
	p->keepalive = loop_timer_new(p->loop, on_keepalive, p);
	p->keys = keys_client_new(p->loop, keys_fd, proto_keys_answer, on_keys_lost, p);
	p->pool = dh_pool_new(p->loop, p->options->workers, &proto_dh_handlers, p);
	p->follow = cfg_follow_new(p->loop, p->options->run_dir, proto_configured, p);
	p->api = proto_api(p);
	p->dp = dp_client_new(p->loop, p->options->run_dir, &proto_dp_handlers, p);
	if (!p->tick || !p->keepalive || !p->keys || !p->pool || !p->follow || !p->api || !p->dp)
		return false;
	loop_timer_set(p->keepalive, KEEPALIVE_US);
	return true;
}

static void close_all(struct proto *p)
{
	msg_server_free(p->api);
	dp_client_free(p->dp);
	udp_free(p->udp);
	dh_pool_free(p->pool);
	keys_client_free(p->keys);
	ike_free(p->ike);
	cfg_follow_free(p->follow);
	if (p->tick)
		loop_timer_free(p->tick);
	if (p->keepalive)
		loop_timer_free(p->keepalive);
	export_stop(&p->export);
}

int proto_run(const struct options *o, int keys_fd, int life)
{
	struct proto p = { .options = o, .loop = loop_new(), .export.fd = -1 };
	struct loop_fd *watch = p.loop ? loop_fd_add(p.loop, life, LOOP_READ, on_life, &p) : NULL;
	int status = 1;

	if (watch && loop_signals(p.loop, NULL, NULL) == ERR_OK && open_all(&p, keys_fd))
		status = loop_run(p.loop);
	close_all(&p);
	loop_fd_del(watch);
	loop_free(p.loop);
	return status;
}
