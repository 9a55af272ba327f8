/* What happens outside becomes a call into the core. */
#include "ikemgr/proc/proto.h"

#include "platform/base/log.h"

#include <string.h>

#define MARKER 4

void proto_tick(struct proto *p)
{
	uint64_t next = p->ike ? ike_tick(p->ike) : UINT64_MAX;
	uint64_t now = env_system.now_us(env_system.ctx);

	if (next == UINT64_MAX)
		loop_timer_stop(p->tick);
	else
		loop_timer_set(p->tick, next > now ? next - now : 0);
}

void proto_configured(void *ctx, const struct cfg *now, unsigned tables)
{
	struct proto *p = ctx;

	scep_side_config(p->scep, now);
	if (p->ike) {
		ike_config(p->ike, now, tables);
		proto_tick(p);
	} else if (!p->dp) {
		/* SAs of before our start can only be taken up when the configuration is known: so datapathd comes second. */
		p->dp = dp_client_new(p->loop, p->options->run_dir, &proto_dp_handlers, p);
		if (!p->dp)
			loop_stop(p->loop, 1);
	}
}

static void on_ike(void *ctx, const struct ike_path *path, struct span packet)
{
	struct proto *p = ctx;

	ike_receive(p->ike, path, packet);
}

static void on_esp(void *ctx, const struct ike_path *path, struct span packet)
{
	struct proto *p = ctx;
	struct dpm_packet head = {
		.local = path->local, .remote = path->remote, .local_port = path->local_port, .remote_port = path->remote_port
	};

	dp_pass_packet(p->dp, &head, packet);
}

static void on_batch_end(void *ctx)
{
	proto_tick(ctx);
}

static const struct udp_handlers udp_handlers = { .ike = on_ike, .esp = on_esp, .batch_end = on_batch_end };

/* The core is made at the first attachment. */
static bool make_core(struct proto *p, const struct dpm_attached *a)
{
	struct ike_host host;
	const struct cfg *now = cfg_follow_now(p->follow);

	p->native_esp = a->native_esp;
	proto_host(p, &host);
	p->ike = ike_new(&host);
	if (!p->ike)
		return false;
	ike_key_export(p->ike, p->export.fd >= 0 || p->kept);
	ike_debug(p->ike, p->debug.isakmp || p->debug.isakmp_error, !p->debug.isakmp);
	if (now)
		ike_config(p->ike, now, CFG_ALL);
	return true;
}

static void on_attached(void *ctx, const struct dpm_attached *a, int ike_fd, int natt_fd, bool restarted)
{
	struct proto *p = ctx;

	p->udp = udp_new(p->loop, ike_fd, natt_fd, &udp_handlers, p);
	if (!p->udp || (!p->ike && !make_core(p, a))) {
		log_msg("CRYPTO", LOG_SEV_CRITICAL, "IKEMGRD", "Cannot start on datapathd's sockets: %s", err_text(ERR_NOMEM));
		loop_stop(p->loop, 1);
		return;
	}
	if (p->native_esp != (bool)a->native_esp) {
		/* What was negotiated may not fit any more: begin anew. */
		log_msg("CRYPTO", LOG_SEV_NOTICE, "IKEMGRD", "datapathd changed its backend to %s; starting again", a->backend);
		loop_stop(p->loop, 1);
		return;
	}
	log_msg("CRYPTO", LOG_SEV_INFO, "IKEMGRD", "Attached to datapathd, backend %s%s", a->backend,
		a->native_esp ? "" : ", ESP in UDP only");
	if (restarted) {
		p->reattached++;
		ike_datapath_reset(p->ike);
	}
	proto_tick(p);
}

static void on_detached(void *ctx)
{
	struct proto *p = ctx;
	const struct udp_stats *s = udp_stats(p->udp);

	p->past.received += s->received;
	p->past.sent += s->sent;
	p->past.send_failed += s->send_failed;
	p->past.malformed += s->malformed;
	p->past.keepalives += s->keepalives;
	udp_free(p->udp);
	p->udp = NULL;
}

/* SAs from before our own start. Those that we know already the core leaves as they are. */
static void on_sa(void *ctx, const struct dpm_sa_info *sa)
{
	struct proto *p = ctx;

	ike_adopt(p->ike, sa);
}

static void on_dynamic(void *ctx, const struct dpm_dynamic *d)
{
	struct proto *p = ctx;

	ike_adopt_dynamic(p->ike, d);
}

static void on_listed(void *ctx)
{
	struct proto *p = ctx;

	ike_adopted(p->ike);
	proto_tick(p);
}

static void on_spi(void *ctx, uint64_t serial, enum err e, uint32_t spi)
{
	struct proto *p = ctx;

	ike_done_spi(p->ike, serial, e, spi);
	proto_tick(p);
}

static void on_sa_put(void *ctx, uint64_t serial, enum err e)
{
	struct proto *p = ctx;

	ike_done_sa_put(p->ike, serial, e);
	proto_tick(p);
}

static void on_activity(void *ctx, uint64_t serial, uint64_t in_idle_s, uint64_t out_idle_s)
{
	struct proto *p = ctx;

	ike_done_activity(p->ike, serial, in_idle_s, out_idle_s);
	proto_tick(p);
}

static void on_acquire(void *ctx, const struct dpm_acquire *a)
{
	struct proto *p = ctx;

	ike_acquire(p->ike, a);
	proto_tick(p);
}

static void on_expire(void *ctx, const struct dpm_expire *e)
{
	struct proto *p = ctx;

	ike_expire(p->ike, e);
	proto_tick(p);
}

static void on_mapping(void *ctx, const struct dpm_mapping *m)
{
	struct proto *p = ctx;

	ike_mapping(p->ike, m);
	proto_tick(p);
}

static void on_invalid_spi(void *ctx, const struct dpm_invalid_spi *i)
{
	struct proto *p = ctx;

	ike_invalid_spi(p->ike, i);
	proto_tick(p);
}

static void on_passed_ike(void *ctx, const struct dpm_packet *head, struct span bytes)
{
	struct proto *p = ctx;
	struct ike_path path = {
		.local = head->local, .remote = head->remote, .local_port = head->local_port, .remote_port = head->remote_port
	};

	if (path.local_port == UDP_NATT && bytes.len > MARKER && memcmp(bytes.data, (const uint8_t[MARKER]){ 0 }, MARKER) == 0)
		bytes = span_of(bytes.data + MARKER, bytes.len - MARKER);
	ike_receive(p->ike, &path, bytes);
	proto_tick(p);
}

const struct dp_handlers proto_dp_handlers = {
	.attached = on_attached,
	.detached = on_detached,
	.sa = on_sa,
	.listed = on_listed,
	.dynamic = on_dynamic,
	.spi = on_spi,
	.sa_put = on_sa_put,
	.activity = on_activity,
	.acquire = on_acquire,
	.expire = on_expire,
	.mapping = on_mapping,
	.invalid_spi = on_invalid_spi,
	.passed_ike = on_passed_ike,
};
