/* The socket: who may ask what, and what ikemgrd asks for.
 *
 * Every body is checked against its type's size before it is used, and copied, so that alignment and lifetime are ours. */
#include "datapath/daemon.h"
#include "datapath/dynamic_keep.h"

#include "platform/base/log.h"
#include "platform/base/secret.h"

#include <string.h>
#include <unistd.h>

static bool is_ike(const struct daemon *d, const struct msg_conn *c)
{
	uid_t uid = msg_peer_uid(c);

	return uid == 0 || uid == geteuid() || uid == d->ike_uid;
}

static bool body_is(const struct msg *m, void *to, size_t size)
{
	if (m->body.len != size)
		return false;
	memcpy(to, m->body.data, size);
	return true;
}

/* Names in messages end with a NUL, whatever came. */
static void id_close(struct dp_policy_id *id)
{
	id->interface[CFG_NAME - 1] = '\0';
	id->map[CFG_NAME - 1] = '\0';
}

static void attach(struct daemon *d, struct msg_conn *c, struct msg *m)
{
	struct dpm_attached a = { .native_esp = 1 };
	int fds[2];

	if (m->body.len || d->ops->ike_sockets(d->backend, &fds[0], &fds[1]) != ERR_OK) {
		msg_reply(c, m, m->body.len ? ERR_INVALID : ERR_SYS, 0, span_of(NULL, 0));
		return;
	}
	strncpy(a.backend, d->ops->name, sizeof(a.backend) - 1);
	/* A new ikemgrd: the old one is dead, or will be. */
	if (d->ike && d->ike != c)
		msg_close(d->ike);
	d->ike = c;
	if (msg_send_fds(c, m->head.type, m->head.seq, ERR_OK, span_of(&a, sizeof(a)), fds, 2) != ERR_OK) {
		d->ike = NULL;
		msg_close(c);
		return;
	}
	wanted_tell_all(d);
}

static enum err spi_alloc(struct daemon *d, struct msg *m, struct dpm_spi *s)
{
	enum err e;

	if (!body_is(m, s, sizeof(*s)))
		return ERR_INVALID;
	e = d->ops->spi_alloc(d->backend, s, &s->spi);
	if (e == ERR_OK)
		debug_spi(d, s);
	return e;
}

static bool sa_sound(const struct dpm_sa *sa)
{
	return sa->cipher_key_len <= DP_KEY_MAX && sa->auth_key_len <= DP_KEY_MAX && sa->cipher < CIPHER_COUNT &&
	       sa->auth < HASH_COUNT && sa->key.spi > 255 && (sa->key.protocol == 50 || sa->key.protocol == 51) &&
	       sa->key.inbound <= 1 && sa->df <= DF_CLEAR;
}

static enum err sa_put(struct daemon *d, struct msg *m)
{
	struct dpm_sa sa;
	enum err e = ERR_INVALID;

	if (body_is(m, &sa, sizeof(sa)) && sa_sound(&sa)) {
		id_close(&sa.policy);
		e = d->ops->sa_put(d->backend, &sa);
	}
	if (e == ERR_OK) {
		debug_sa_put(d, &sa);
		keys_note(d, &sa);
		if (!sa.key.inbound)
			wanted_done(d, &sa.policy);
		daemon_routes_soon(d);
		/* ikemgrd may be a revision ahead of us; if it is behind, the SA has to go. */
		if (!plan_permits(&d->plan, &sa.policy, &sa.sel))
			daemon_refresh_in(d, 1000000);
	}
	wipe(&sa, sizeof(sa));
	wipe(m->body.data, m->body.len);
	return e;
}

static enum err sa_del(struct daemon *d, struct msg *m)
{
	struct dp_sa_key key;

	if (!body_is(m, &key, sizeof(key)))
		return ERR_INVALID;
	debug_sa_del(d, &key);
	daemon_routes_soon(d);
	return d->ops->sa_del(d->backend, &key);
}

static enum err sa_move(struct daemon *d, struct msg *m)
{
	struct dpm_sa_move move;

	return body_is(m, &move, sizeof(move)) ? d->ops->sa_move(d->backend, &move) : ERR_INVALID;
}

static enum err policy_state(struct daemon *d, struct msg *m)
{
	struct dpm_policy_state state;

	if (!body_is(m, &state, sizeof(state)) || state.verdict > DP_POLICY_UP)
		return ERR_INVALID;
	id_close(&state.policy);
	wanted_done(d, &state.policy);
	return d->ops->policy_state(d->backend, &state);
}

static enum err flush(struct daemon *d, struct msg *m)
{
	struct dpm_flush f;

	daemon_routes_soon(d);
	return body_is(m, &f, sizeof(f)) ? d->ops->flush(d->backend, f.remote) : ERR_INVALID;
}

/* In force when it is answered: the SAs may follow at once. ikemgrd may be a revision ahead of us. */
static enum err dynamic_put(struct daemon *d, struct msg *m)
{
	struct dpm_dynamic p;
	enum err e;

	if (!body_is(m, &p, sizeof(p)))
		return ERR_INVALID;
	id_close(&p.id);
	p.dynamic[CFG_NAME - 1] = '\0';
	daemon_catch_up(d);
	if (!d->cfg || !dynamic_fits(d->cfg, &p))
		return ERR_NOT_FOUND;
	e = dynamics_put(&d->dynamics, &p);
	if (e == ERR_OK && !daemon_dynamics_changed(d)) {
		(void)dynamics_del(&d->dynamics, &p.id);
		dynamic_keep_save(d->kept_dynamics, &d->dynamics);
		e = ERR_SYS;
	}
	return e;
}

static enum err dynamic_del(struct daemon *d, struct msg *m)
{
	struct dp_policy_id id;

	if (!body_is(m, &id, sizeof(id)))
		return ERR_INVALID;
	id_close(&id);
	if (!dynamics_del(&d->dynamics, &id))
		return ERR_NOT_FOUND;
	(void)daemon_dynamics_changed(d); /* is tried again by itself */
	return ERR_OK;
}

static enum err pass_packet(struct daemon *d, struct msg *m)
{
	/* Aligned, and with room for what came. */
	static _Alignas(struct dpm_packet) uint8_t copy[MSG_BODY_MAX];

	if (m->body.len < sizeof(struct dpm_packet) || m->body.len > sizeof(copy))
		return ERR_INVALID;
	memcpy(copy, m->body.data, m->body.len);
	return d->ops->pass_packet(d->backend, (const struct dpm_packet *)copy, m->body.len - sizeof(struct dpm_packet));
}

static void from_ike(struct daemon *d, struct msg_conn *c, struct msg *m)
{
	struct dpm_spi spi;
	struct span body = { 0 };
	enum err e;

	switch (m->head.type) {
	case DPM_ATTACH:
		attach(d, c, m);
		return;
	case DPM_SPI_ALLOC:
		e = spi_alloc(d, m, &spi);
		body = e == ERR_OK ? span_of(&spi, sizeof(spi)) : body;
		break;
	case DPM_SA_PUT:
		e = sa_put(d, m);
		break;
	case DPM_SA_DEL:
		e = sa_del(d, m);
		break;
	case DPM_SA_MOVE:
		e = sa_move(d, m);
		break;
	case DPM_POLICY_STATE:
		e = policy_state(d, m);
		break;
	case DPM_FLUSH:
		e = flush(d, m);
		break;
	case DPM_DYNAMIC_PUT:
		e = dynamic_put(d, m);
		break;
	case DPM_DYNAMIC_DEL:
		e = dynamic_del(d, m);
		break;
	case DPM_PASS_PACKET:
		e = pass_packet(d, m);
		break;
	default:
		e = ERR_UNSUPPORTED;
		break;
	}
	msg_reply(c, m, e, 0, body);
}

static void on_message(void *ctx, struct msg_conn *c, struct msg *m)
{
	struct daemon *d = ctx;

	if (dump_message(d, c, m))
		return;
	if (!is_ike(d, c)) {
		log_msg("POSTERN", LOG_SEV_WARNING, "DENIED", "message %u of process %d (uid %u) refused", m->head.type,
			(int)msg_peer_pid(c), (unsigned)msg_peer_uid(c));
		wipe(m->body.data, m->body.len);
		msg_reply(c, m, ERR_DENIED, 0, span_of(NULL, 0));
		return;
	}
	from_ike(d, c, m);
}

static void on_closed(void *ctx, struct msg_conn *c)
{
	struct daemon *d = ctx;

	if (c != d->ike)
		return;
	d->ike = NULL;
	log_msg("POSTERN", LOG_SEV_NOTICE, "IKE_GONE",
		"ikemgrd is away; SAs stay, and what is wanted is asked for when it is back");
}

const struct msg_handlers daemon_handlers = { .message = on_message, .closed = on_closed };
