/* struct ike_host: each wish of the core becomes a call of one of the rooms beside this one. */
#include "ikemgr/proc/proto.h"

#include "platform/base/keep.h"
#include "platform/base/log.h"
#include "platform/base/secret.h"

#include <string.h>
#include <unistd.h>

/* One byte is no ISAKMP message but a NAT keepalive, which has no marker. */
static void host_send(void *ctx, const struct ike_path *path, struct span packet)
{
	struct proto *p = ctx;

	if (!p->udp)
		return;
	if (packet.len == 1)
		udp_keepalive(p->udp, path);
	else
		udp_send(p->udp, path, packet);
}

static void host_dh_generate(void *ctx, uint64_t serial, enum alg_group group)
{
	struct proto *p = ctx;

	dh_pool_generate(p->pool, serial, group);
}

static void host_dh_derive(void *ctx, uint64_t serial, struct span peer_public)
{
	struct proto *p = ctx;

	dh_pool_derive(p->pool, serial, peer_public);
}

static void host_dh_drop(void *ctx, uint64_t serial)
{
	struct proto *p = ctx;

	dh_pool_drop(p->pool, serial);
}

static void on_generated(void *ctx, uint64_t serial, enum err e, struct span public_value)
{
	struct proto *p = ctx;

	ike_done_generate(p->ike, serial, e, public_value);
	proto_tick(p);
}

static void on_derived(void *ctx, uint64_t serial, enum err e, struct span shared)
{
	struct proto *p = ctx;

	ike_done_derive(p->ike, serial, e, shared);
	proto_tick(p);
}

const struct dh_pool_handlers proto_dh_handlers = { .generated = on_generated, .derived = on_derived };

static void host_skeyid(void *ctx, uint64_t serial, const struct ike_skeyid_request *request)
{
	struct proto *p = ctx;
	enum err e = keys_ask(p->keys, serial, request);

	/* The core's timer ends what gets no answer; more than 4,096 open questions are an attack or a dead process. */
	if (e != ERR_OK) {
		p->skeyid_failed++;
		log_msg("CRYPTO", LOG_SEV_ERROR, "KEYSTORE", "The process that holds the keys takes no question: %s", err_text(e));
	}
}

void proto_keys_answer(void *ctx, uint64_t serial, enum err e, struct span skeyid)
{
	struct proto *p = ctx;

	if (!p->ike)
		return;
	ike_done_skeyid(p->ike, serial, e, skeyid);
	proto_tick(p);
}

/* No answer comes when it takes no question: the core asks again by itself. */
static void host_session_keys(void *ctx, uint64_t serial, const struct ike_session_request *request)
{
	struct proto *p = ctx;
	enum err e = keys_ask_session(p->keys, serial, request);

	if (e != ERR_OK)
		log_msg("CRYPTO", LOG_SEV_ERROR, "KEYSTORE", "The process that holds the keys takes no question: %s", err_text(e));
}

void proto_session_answer(void *ctx, uint64_t serial, enum err e, const struct ike_session_keys *keys)
{
	struct proto *p = ctx;

	if (!p->ike)
		return;
	ike_done_session_keys(p->ike, serial, e, keys);
	proto_tick(p);
}

static void host_user_check(void *ctx, uint64_t serial, const char *user, const char *password)
{
	struct proto *p = ctx;

	users_check(p->users, serial, user, password);
}

void proto_user_answer(void *ctx, uint64_t serial, enum err e)
{
	struct proto *p = ctx;

	ike_done_user(p->ike, serial, e);
	proto_tick(p);
}

static void host_sign(void *ctx, uint64_t serial, const struct ike_sign_request *request)
{
	struct proto *p = ctx;
	enum err e = keys_ask_sign(p->keys, serial, request);

	if (e != ERR_OK)
		log_msg("CRYPTO", LOG_SEV_ERROR, "KEYSTORE", "The process that holds the keys takes no question: %s", err_text(e));
}

void proto_signature_answer(void *ctx, uint64_t serial, enum err e, struct span signature)
{
	struct proto *p = ctx;

	if (scep_side_signed(p->scep, serial, e, signature) || !p->ike)
		return;
	ike_done_sign(p->ike, serial, e, signature);
	proto_tick(p);
}

/* What cannot be asked for gets no answer, and the negotiation its time-out. */
static void host_fetch(void *ctx, uint64_t serial, const char *url, struct span body)
{
	struct proto *p = ctx;
	enum err e = p->fetch ? fetch_ask(p->fetch, serial, url, body) : ERR_CLOSED;

	if (e != ERR_OK)
		log_msg("PKI", LOG_SEV_ERROR, "FETCH", "%s cannot be fetched: %s", url, err_text(e));
}

void proto_unwrapped_answer(void *ctx, uint64_t serial, enum err e, struct span key)
{
	struct proto *p = ctx;

	scep_side_unwrapped(p->scep, serial, e, key);
}

void proto_fetch_answer(void *ctx, uint64_t serial, enum err e, struct span bytes)
{
	struct proto *p = ctx;

	if (scep_side_fetched(p->scep, serial, e, bytes) || !p->ike)
		return;
	ike_done_fetch(p->ike, serial, e, bytes);
	proto_tick(p);
}

static void host_spi_alloc(void *ctx, uint64_t serial, const struct dpm_spi *want)
{
	struct proto *p = ctx;

	dp_spi_alloc(p->dp, serial, want);
}

static void host_sa_put(void *ctx, uint64_t serial, const struct dpm_sa *sa)
{
	struct proto *p = ctx;

	dp_sa_put(p->dp, serial, sa);
}

static void host_sa_del(void *ctx, const struct dp_sa_key *key)
{
	struct proto *p = ctx;

	dp_sa_del(p->dp, key);
}

static void host_sa_move(void *ctx, const struct dpm_sa_move *move)
{
	struct proto *p = ctx;

	dp_sa_move(p->dp, move);
}

static void host_policy_state(void *ctx, const struct dpm_policy_state *state)
{
	struct proto *p = ctx;

	dp_policy_state(p->dp, state);
}

static void host_activity(void *ctx, uint64_t serial, struct addr local, struct addr remote)
{
	struct proto *p = ctx;

	dp_activity(p->dp, serial, local, remote);
}

static void host_dynamic_put(void *ctx, const struct dpm_dynamic *d)
{
	struct proto *p = ctx;

	dp_dynamic_put(p->dp, d);
}

static void host_dynamic_del(void *ctx, const struct dp_policy_id *id)
{
	struct proto *p = ctx;

	dp_dynamic_del(p->dp, id);
}

/* The kernel chooses the source address when a UDP socket is connected; nothing is sent. */
static bool host_local_for(void *ctx, struct addr remote, struct addr *local)
{
	struct sockaddr_storage ss;
	socklen_t len = addr_to_sockaddr(&ss, remote, UDP_IKE);
	uint16_t port;
	int fd = socket(remote.family, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	(void)ctx;
	if (fd < 0)
		return false;
	bool ok = connect(fd, (struct sockaddr *)&ss, len) == 0;
	len = sizeof(ss);
	ok = ok && getsockname(fd, (struct sockaddr *)&ss, &len) == 0 && addr_from_sockaddr(local, &port, &ss) == ERR_OK;
	close(fd);
	return ok;
}

static void host_key_export(void *ctx, uint64_t cookie_i, struct span encryption_key)
{
	struct proto *p = ctx;
	struct ikem_key kept = { .cookie_i = cookie_i, .len = (uint16_t)encryption_key.len };

	export_key(&p->export, cookie_i, encryption_key);
	if (!p->kept || encryption_key.len > sizeof(kept.key))
		return;
	memcpy(kept.key, encryption_key.data, encryption_key.len);
	keep_put(p->kept, &kept);
	wipe(&kept, sizeof(kept));
}

void proto_host(struct proto *p, struct ike_host *host)
{
	*host = (struct ike_host){
		.ctx = p,
		.env = &env_system,
		.send = host_send,
		.dh_generate = host_dh_generate,
		.dh_derive = host_dh_derive,
		.dh_drop = host_dh_drop,
		.skeyid = host_skeyid,
		.sign = host_sign,
		.fetch = host_fetch,
		.session_keys = host_session_keys,
		.user_check = host_user_check,
		.spi_alloc = host_spi_alloc,
		.sa_put = host_sa_put,
		.sa_del = host_sa_del,
		.sa_move = host_sa_move,
		.policy_state = host_policy_state,
		.dynamic_put = host_dynamic_put,
		.dynamic_del = host_dynamic_del,
		.activity = host_activity,
		.local_for = host_local_for,
		.key_export = host_key_export,
		.native_esp = p->native_esp,
	};
}
