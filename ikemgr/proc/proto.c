/* Puts the proto process together, in the order in which its parts need each other, and takes it apart again. */
#include "ikemgr/proc/proto.h"

#include "platform/base/keep.h"
#include "platform/base/log.h"
#include "platform/base/mem.h"

static void on_tick(void *ctx)
{
	proto_tick(ctx);
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

static bool open_all(struct proto *p, int keys_fd, int fetch_fd)
{
	p->tick = loop_timer_new(p->loop, on_tick, p);
	p->keys = keys_client_new(p->loop, keys_fd, proto_keys_answer, on_keys_lost, p);
	if (p->keys) {
		keys_client_sessions(p->keys, proto_session_answer);
		keys_client_signatures(p->keys, proto_signature_answer);
		keys_client_unwrapped(p->keys, proto_unwrapped_answer);
	}
	if (fetch_fd >= 0)
		p->fetch = fetch_client_new(p->loop, fetch_fd, proto_fetch_answer, p);
	p->pool = dh_pool_new(p->loop, p->options->workers, &proto_dh_handlers, p);
	p->follow = cfg_follow_new(p->loop, p->options->run_dir, proto_configured, p);
	p->users = users_new(p->loop, p->options->run_dir, proto_user_answer, p);
	p->scep = scep_side_new(p->loop, p->options->run_dir, &p->keys, &p->fetch);
	return p->tick && p->users && p->scep && p->keys && p->pool && p->follow;
}

static void close_all(struct proto *p)
{
	ike_free(p->ike); /* first: it may still give back what the others hold for it */
	msg_server_free(p->api);
	dp_client_free(p->dp); /* NULL before the first configuration */
	udp_free(p->udp);
	scep_side_free(p->scep);
	dh_pool_free(p->pool);
	keys_client_free(p->keys);
	fetch_client_free(p->fetch);
	users_free(p->users);
	cfg_follow_free(p->follow);
	if (p->tick)
		loop_timer_free(p->tick);
	export_stop(&p->export);
	keep_free(p->kept);
}

struct proto *proto_open(const struct options *o)
{
	struct proto *p = mem_zalloc(sizeof(*p));

	if (!p)
		return NULL;
	p->options = o;
	p->export.fd = -1;
	p->loop = loop_new();
	if (p->loop)
		p->api = proto_api(p);
	if (!p->api) {
		loop_free(p->loop);
		mem_free(p);
		return NULL;
	}
	return p;
}

int proto_run(struct proto *p, int keys_fd, int fetch_fd, int life)
{
	struct loop_fd *watch = loop_fd_add(p->loop, life, LOOP_READ, on_life, p);
	int status = 1;

	if (watch && loop_signals(p->loop, NULL, NULL) == ERR_OK && open_all(p, keys_fd, fetch_fd))
		status = loop_run(p->loop);
	close_all(p);
	loop_fd_del(watch);
	loop_free(p->loop);
	mem_free(p);
	return status;
}
