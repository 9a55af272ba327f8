/* The socket RUN_DIR/ikemgrd: questions of the console. Everybody may look; what changes something needs a session of
 * privilege 15, which configd confirms. */
#include "ikemgr/proc/proto.h"

#include "platform/base/keep.h"
#include "platform/base/log.h"
#include "platform/base/secret.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define PRIVILEGED 15
#define KEYS_MAX   256

struct call {
	struct proto *p;
	struct msg_conn *c;
	const struct msg *m;
};

static void row(struct call *call, struct span body)
{
	msg_reply(call->c, call->m, ERR_OK, MSG_FLAG_MORE, body);
}

static void sa_row(void *ctx, const struct ikem_sa *sa)
{
	row(ctx, span_of(sa, sizeof(*sa)));
}

static void session_row(void *ctx, const struct ikem_session *s)
{
	row(ctx, span_of(s, sizeof(*s)));
}

static void failure_row(void *ctx, const struct ikem_failure *f)
{
	row(ctx, span_of(f, sizeof(*f)));
}

static void crl_row(void *ctx, const struct ikem_crl *c)
{
	row(ctx, span_of(c, sizeof(*c)));
}

static void stat_row(void *ctx, const struct ikem_stat *s)
{
	row(ctx, span_of(s, sizeof(*s)));
}

static void own_stats(struct call *call)
{
	static const struct udp_stats none;
	const struct proto *p = call->p;
	const struct udp_stats *now = p->udp ? udp_stats(p->udp) : &none;
	const struct ikem_stat stats[] = {
		{ "datagrams received", p->past.received + now->received },
		{ "datagrams sent", p->past.sent + now->sent },
		{ "datagrams not sent", p->past.send_failed + now->send_failed },
		{ "datagrams malformed", p->past.malformed + now->malformed },
		{ "NAT keepalives received", p->past.keepalives + now->keepalives },
		{ "datapath restarts", p->reattached },
		{ "questions for keys refused", p->skeyid_failed },
	};

	for (size_t i = 0; i < sizeof(stats) / sizeof(stats[0]); i++)
		stat_row(call, &stats[i]);
}

static enum err dump(struct call *call)
{
	struct ike *k = call->p->ike;

	if (call->m->head.type == IKEM_STATS)
		own_stats(call);
	if (!k)
		return ERR_OK;
	switch (call->m->head.type) {
	case IKEM_SA_DUMP:
		ike_each_sa(k, sa_row, call);
		break;
	case IKEM_PEER_DUMP:
		ike_each_session(k, session_row, call);
		break;
	case IKEM_CRL_DUMP:
		ike_each_crl(k, crl_row, call);
		break;
	case IKEM_FAILURE_DUMP:
		ike_each_failure(k, failure_row, call);
		break;
	default:
		ike_each_stat(k, stat_row, call);
		break;
	}
	return ERR_OK;
}

/* A process of our own uid can do as it likes with us anyway; any other, root too, must hold a session. */
static enum err may_change(struct call *call)
{
	if (msg_peer_uid(call->c) == geteuid())
		return ERR_OK;
	return cfg_follow_check_session(call->p->follow, msg_peer_pid(call->c), PRIVILEGED);
}

static void clear(struct call *call)
{
	struct ikem_clear what;
	uint32_t count = 0;

	memcpy(&what, call->m->body.data, sizeof(what));
	what.map[sizeof(what.map) - 1] = '\0';
	if (what.what > IKE_CLEAR_SESSION) {
		msg_reply(call->c, call->m, ERR_INVALID, 0, (struct span){ 0 });
		return;
	}
	if (call->p->ike) {
		count = ike_clear(call->p->ike, &what);
		proto_tick(call->p);
	}
	msg_reply(call->c, call->m, ERR_OK, 0, span_of(&count, sizeof(count)));
}

static void connect_map(struct call *call)
{
	struct ikem_connect what;
	struct ikem_connected done = { 0 };

	memcpy(&what, call->m->body.data, sizeof(what));
	what.map[sizeof(what.map) - 1] = '\0';
	if (call->p->ike) {
		ike_connect(call->p->ike, &what, &done);
		proto_tick(call->p);
	}
	msg_reply(call->c, call->m, ERR_OK, 0, span_of(&done, sizeof(done)));
}

static void crl_request(struct call *call)
{
	struct ikem_crl_request what;
	struct ikem_crl_requested done = { .why = "the router has no configuration yet" };

	memcpy(&what, call->m->body.data, sizeof(what));
	what.trustpoint[sizeof(what.trustpoint) - 1] = '\0';
	if (call->p->ike)
		ike_crl_request(call->p->ike, what.trustpoint, &done);
	msg_reply(call->c, call->m, ERR_OK, 0, span_of(&done, sizeof(done)));
}

static void debug(struct call *call)
{
	struct proto *p = call->p;
	struct ikem_debug want;

	memcpy(&want, call->m->body.data, sizeof(want));
	if (want.set) {
		p->debug = want;
		p->debug.set = 0;
		if (p->ike)
			ike_debug(p->ike, want.isakmp || want.isakmp_error, !want.isakmp);
	}
	msg_reply(call->c, call->m, ERR_OK, 0, span_of(&p->debug, sizeof(p->debug)));
}

static void key_export(struct call *call)
{
	struct proto *p = call->p;
	struct ikem_key_export want;
	bool was_on = p->export.fd >= 0;
	enum err e = ERR_OK;

	memcpy(&want, call->m->body.data, sizeof(want));
	want.path[sizeof(want.path) - 1] = '\0';
	if (want.path[0] == '\0')
		export_stop(&p->export);
	else
		e = export_start(&p->export, p->options->data_dir, want.path);
	if (p->ike)
		ike_key_export(p->ike, p->export.fd >= 0 || p->kept);
	if (e == ERR_OK && (was_on || p->export.fd >= 0))
		log_msg("CRYPTO", LOG_SEV_NOTICE, "KEYEXPORT", "Export of IKE keys is %s%s", p->export.fd >= 0 ? "on: " : "off",
			p->export.path);
	msg_reply(call->c, call->m, e, 0, (struct span){ 0 });
}

static enum err keep_keys(struct proto *p, bool on)
{
	if (on == (p->kept != NULL))
		return ERR_OK;
	if (!on) {
		keep_free(p->kept);
		p->kept = NULL;
	} else {
		p->kept = keep_new(sizeof(struct ikem_key), KEYS_MAX);
		if (!p->kept) {
			log_msg("CRYPTO", LOG_SEV_ERROR, "KEYEXPORT", "No locked memory for keys: %s", strerror(errno));
			return ERR_NOMEM;
		}
	}
	if (p->ike)
		ike_key_export(p->ike, p->export.fd >= 0 || p->kept);
	log_msg("CRYPTO", LOG_SEV_NOTICE, "KEYEXPORT", "Keys of new ISAKMP SAs are %s",
		on ? "kept for captures" : "kept no longer");
	return ERR_OK;
}

static void keys(struct call *call)
{
	struct ikem_keys k;
	enum err e;

	memcpy(&k, call->m->body.data, sizeof(k));
	e = k.set ? keep_keys(call->p, k.on != 0) : ERR_OK;
	k = (struct ikem_keys){ .set = 1, .on = call->p->kept != NULL };
	msg_reply(call->c, call->m, e, 0, span_of(&k, sizeof(k)));
}

static bool key_row(void *ctx, const void *key)
{
	row(ctx, span_of(key, sizeof(struct ikem_key)));
	return true;
}

static void key_dump(struct call *call)
{
	if (call->p->kept)
		keep_each(call->p->kept, key_row, call);
	msg_reply(call->c, call->m, ERR_OK, 0, (struct span){ 0 });
}

static void admission(struct call *call)
{
	struct ikem_admission a = { 0 };

	if (call->p->ike)
		ike_admission(call->p->ike, &a);
	msg_reply(call->c, call->m, ERR_OK, 0, span_of(&a, sizeof(a)));
}

static void scep_authenticate_ca(struct call *call)
{
	scep_side_authenticate(call->p->scep, call->c, call->m);
}

static void scep_enrollment(struct call *call)
{
	struct ikem_scep_enroll r;

	memcpy(&r, call->m->body.data, sizeof(r));
	msg_reply(call->c, call->m, scep_side_enroll(call->p->scep, &r), 0, (struct span){ 0 });
	wipe(&r, sizeof(r));
	wipe(call->m->body.data, call->m->body.len);
}

static void scep_call_off(struct call *call)
{
	struct ikem_scep_ca what;

	memcpy(&what, call->m->body.data, sizeof(what));
	msg_reply(call->c, call->m, scep_side_cancel(call->p->scep, &what), 0, (struct span){ 0 });
}

static void scep_row(void *ctx, const struct ikem_scep *row_)
{
	row(ctx, span_of(row_, sizeof(*row_)));
}

static void scep_dump(struct call *call)
{
	scep_side_each(call->p->scep, scep_row, call);
	msg_reply(call->c, call->m, ERR_OK, 0, (struct span){ 0 });
}

static const struct action {
	uint32_t type;
	size_t len; /* of the body */
	bool privileged;
	void (*run)(struct call *call);
} actions[] = {
	{ IKEM_CLEAR, sizeof(struct ikem_clear), true, clear },
	{ IKEM_CONNECT, sizeof(struct ikem_connect), true, connect_map },
	{ IKEM_CRL_REQUEST, sizeof(struct ikem_crl_request), true, crl_request },
	{ IKEM_DEBUG, sizeof(struct ikem_debug), true, debug },
	{ IKEM_KEY_EXPORT, sizeof(struct ikem_key_export), true, key_export },
	{ IKEM_ADMISSION, 0, false, admission },
	{ IKEM_KEYS, sizeof(struct ikem_keys), true, keys },
	{ IKEM_KEY_DUMP, 0, true, key_dump },
	{ IKEM_SCEP_CA, sizeof(struct ikem_scep_ca), true, scep_authenticate_ca },
	{ IKEM_SCEP_ENROLL, sizeof(struct ikem_scep_enroll), true, scep_enrollment },
	{ IKEM_SCEP_CANCEL, sizeof(struct ikem_scep_ca), true, scep_call_off },
	{ IKEM_SCEP_DUMP, 0, false, scep_dump },
};

static enum err act(struct call *call)
{
	for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++) {
		const struct action *a = &actions[i];
		if (a->type != call->m->head.type)
			continue;
		if (a->len != call->m->body.len)
			return ERR_INVALID;
		/* To ask what is being debugged changes nothing. */
		bool asks = (a->type == IKEM_DEBUG && !((const struct ikem_debug *)(const void *)call->m->body.data)->set) ||
			    (a->type == IKEM_KEYS && !((const struct ikem_keys *)(const void *)call->m->body.data)->set);
		enum err e = a->privileged && !asks ? may_change(call) : ERR_OK;
		if (e == ERR_OK)
			a->run(call);
		return e;
	}
	return ERR_UNSUPPORTED;
}

static void on_message(void *ctx, struct msg_conn *c, struct msg *m)
{
	struct call call = { .p = ctx, .c = c, .m = m };
	enum err e;

	/* The answer is never older than the line typed before the question. */
	cfg_follow_catch_up(call.p->follow);
	switch (m->head.type) {
	case IKEM_SA_DUMP:
	case IKEM_PEER_DUMP:
	case IKEM_FAILURE_DUMP:
	case IKEM_STATS:
	case IKEM_CRL_DUMP:
		e = dump(&call);
		msg_reply(c, m, e, 0, (struct span){ 0 });
		return;
	default:
		e = act(&call);
		if (e != ERR_OK)
			msg_reply(c, m, e, 0, (struct span){ 0 });
	}
}

static void on_closed(void *ctx, struct msg_conn *c)
{
	struct proto *p = ctx;

	scep_side_closed(p->scep, c);
}

struct msg_server *proto_api(struct proto *p)
{
	static const struct msg_handlers handlers = { .message = on_message, .closed = on_closed };
	char path[108];
	struct msg_server *s =
		msg_path(path, p->options->run_dir, IKEMGRD_SOCKET) ? msg_listen(p->loop, path, 0666, &handlers, p) : NULL;

	if (!s)
		log_msg("CRYPTO", LOG_SEV_CRITICAL, "IKEMGRD", "Cannot listen in %s: %s", p->options->run_dir, strerror(errno));
	return s;
}
