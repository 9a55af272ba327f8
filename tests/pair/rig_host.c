/* The host of a core in the rig: workers, keys, users and data path, which answer by an event. */
#include "rig_host.h"

#include "configdb/secrets.h"
#include "ikemgr/proc/keys.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t env_now(void *ctx)
{
	return ((struct node *)ctx)->rig->now;
}

static uint64_t env_wall(void *ctx)
{
	return ((struct node *)ctx)->rig->now + SECONDS(1000000);
}

static void env_random(void *ctx, void *out, size_t n)
{
	for (size_t i = 0; i < n; i++)
		((uint8_t *)out)[i] = (uint8_t)(rig_random(((struct node *)ctx)->rig) >> 24);
}

static struct rig_dh *dh_find(struct node *n, uint64_t serial)
{
	for (size_t i = 0; i < 64; i++)
		if (n->dh[i].serial == serial)
			return &n->dh[i];
	return NULL;
}

static void bytes_put(struct event *e, struct span s)
{
	e->p.bytes = rig_must(malloc(s.len + 1));
	memcpy(e->p.bytes, s.data, s.len);
	e->p.len = s.len;
}

static void host_generate(void *ctx, uint64_t serial, enum alg_group group)
{
	struct node *n = ctx;
	struct rig_dh *d = rig_must(dh_find(n, 0));
	struct event *e = rig_event_add(n->rig, 1, n->id, EVENT_GENERATED);
	uint8_t private_value[24];
	struct dh_value v;

	/* From the seed, so that a run can be repeated. */
	env_random(n, private_value, sizeof(private_value));
	private_value[0] |= 1;
	e->serial = serial;
	e->e = dh_new_from(&d->dh, group, span_of(private_value, sizeof(private_value)));
	if (e->e == ERR_OK)
		e->e = dh_public(d->dh, &v);
	if (e->e != ERR_OK)
		return;
	d->serial = serial;
	bytes_put(e, dh_span(&v));
}

static void host_drop(void *ctx, uint64_t serial)
{
	struct rig_dh *d = dh_find(ctx, serial);

	if (d == NULL)
		return;
	dh_free(d->dh);
	*d = (struct rig_dh){ 0 };
}

static void host_derive(void *ctx, uint64_t serial, struct span peer)
{
	struct node *n = ctx;
	struct rig_dh *d = rig_must(dh_find(n, serial));
	struct event *e = rig_event_add(n->rig, 1, n->id, EVENT_DERIVED);
	struct dh_value v;

	e->serial = serial;
	e->e = dh_derive(d->dh, peer, &v);
	if (e->e == ERR_OK)
		bytes_put(e, dh_span(&v));
	host_drop(n, serial);
}

static void host_skeyid(void *ctx, uint64_t serial, const struct ike_skeyid_request *q)
{
	struct node *n = ctx;
	struct event *e = rig_event_add(n->rig, 1, n->id, EVENT_SKEYID);
	const char *psk = q->secret_id == 0 ? "the key that nobody has" : n->psk[q->secret_id - 1];
	struct secret out;

	e->serial = serial;
	e->e = prf_hmac(q->prf, span_of(psk, strlen(psk)), SPANS(span_of(q->ni, q->ni_len), span_of(q->nr, q->nr_len)), &out);
	if (e->e == ERR_OK)
		bytes_put(e, secret_span(&out));
}

static void host_sign(void *ctx, uint64_t serial, const struct ike_sign_request *q)
{
	struct node *n = ctx;
	struct event *e = rig_event_add(n->rig, 1, n->id, EVENT_SIGNED);
	uint8_t out[IKE_SIGNATURE_MAX];
	uint16_t len = 0;

	e->serial = serial;
	e->e = n->secrets == NULL ? ERR_NOT_FOUND : keys_sign(n->secrets, q, out, &len);
	if (e->e == ERR_OK)
		bytes_put(e, span_of(out, len));
}

static void host_fetch(void *ctx, uint64_t serial, const char *url, struct span body)
{
	struct node *n = ctx;
	struct event *e = rig_event_add(n->rig, 1000, n->id, EVENT_FETCHED);
	static uint8_t out[65536];
	size_t len = 0;

	n->fetches++;
	e->serial = serial;
	e->e = n->fetched == NULL ? ERR_TIMEOUT : n->fetched(n, url, body, out, sizeof(out), &len);
	if (e->e == ERR_OK)
		bytes_put(e, span_of(out, len));
}

/* The keys are the texts of the ids, one behind the other. */
static void host_session(void *ctx, uint64_t serial, const struct ike_session_request *q)
{
	struct node *n = ctx;
	struct event *e = rig_event_add(n->rig, 1, n->id, EVENT_SESSION);
	struct ike_session_keys keys = { 0 };

	if (q->cipher_id)
		keys.cipher_len = (uint8_t)sprintf((char *)keys.cipher, "%.63s", n->psk[q->cipher_id - 1]);
	if (q->auth_id)
		keys.auth_len = (uint8_t)sprintf((char *)keys.auth, "%.63s", n->psk[q->auth_id - 1]);
	e->serial = serial;
	bytes_put(e, span_of(&keys, sizeof(keys)));
}

static void host_user(void *ctx, uint64_t serial, const char *user, const char *password)
{
	struct node *n = ctx;
	struct event *e = rig_event_add(n->rig, 50000, n->id, EVENT_USER);

	n->user_checks++;
	e->serial = serial;
	e->e = n->user != NULL && strcmp(user, n->user) == 0 && strcmp(password, n->password) == 0 ? ERR_OK : ERR_AUTH;
}

static void host_spi(void *ctx, uint64_t serial, const struct dpm_spi *want)
{
	struct node *n = ctx;
	struct event *e = rig_event_add(n->rig, 1, n->id, EVENT_SPI);

	(void)want;
	e->serial = serial;
	e->e = n->refuse_spi ? ERR_LIMIT : ERR_OK;
	/* Scattered, as the real ones are. */
	e->spi = (uint32_t)(rig_random(n->rig) | 0x10000000);
}

static bool key_equal(const struct dp_sa_key *a, const struct dp_sa_key *b)
{
	return a->spi == b->spi && a->protocol == b->protocol && a->inbound == b->inbound && addr_equal(a->dst, b->dst);
}

static void host_put(void *ctx, uint64_t serial, const struct dpm_sa *sa)
{
	struct node *n = ctx;
	struct event *e = rig_event_add(n->rig, 1, n->id, EVENT_PUT);

	e->serial = serial;
	e->e = n->refuse_put ? ERR_LIMIT : ERR_OK;
	if (n->refuse_put)
		return;
	n->put_count++;
	for (size_t i = 0; i < n->nsas; i++)
		if (key_equal(&n->sas[i].key, &sa->key)) {
			n->sas[i] = *sa;
			return;
		}
	if (n->nsas == RIG_SAS)
		abort();
	n->sas[n->nsas++] = *sa;
}

static void host_del(void *ctx, const struct dp_sa_key *key)
{
	struct node *n = ctx;

	n->del_count++;
	for (size_t i = 0; i < n->nsas; i++)
		if (key_equal(&n->sas[i].key, key)) {
			memmove(&n->sas[i], &n->sas[i + 1], (n->nsas - i - 1) * sizeof(n->sas[0]));
			n->nsas--;
			return;
		}
}

static void host_move(void *ctx, const struct dpm_sa_move *move)
{
	struct node *n = ctx;

	for (size_t i = 0; i < n->nsas; i++)
		if (key_equal(&n->sas[i].key, &move->key)) {
			n->sas[i].remote = move->remote;
			n->sas[i].remote_port = move->remote_port;
		}
}

static void host_policy(void *ctx, const struct dpm_policy_state *s)
{
	struct node *n = ctx;

	if (s->verdict == DP_POLICY_UP)
		n->up_count++;
	else
		n->failed_count++;
}

static void host_activity(void *ctx, uint64_t serial, struct addr local, struct addr remote)
{
	struct node *n = ctx;

	(void)local;
	(void)remote;
	n->questions++;
	rig_event_add(n->rig, 1, n->id, EVENT_ACTIVITY)->serial = serial;
}

static void host_dynamic_put(void *ctx, const struct dpm_dynamic *d)
{
	struct node *n = ctx;

	n->dynamic = *d;
	n->dynamic_put_count++;
}

static void host_dynamic_del(void *ctx, const struct dp_policy_id *id)
{
	struct node *n = ctx;

	(void)id;
	n->dynamic_del_count++;
}

static void host_export(void *ctx, uint64_t cookie, struct span key)
{
	struct node *n = ctx;

	n->exported = cookie;
	n->export_key_len = key.len;
	memcpy(n->export_key, key.data, key.len);
}

void rig_core_new(struct node *n)
{
	struct ike_host h = { .ctx = n,
		.env = &n->env,
		.send = rig_send,
		.dh_generate = host_generate,
		.dh_derive = host_derive,
		.dh_drop = host_drop,
		.skeyid = host_skeyid,
		.sign = host_sign,
		.fetch = host_fetch,
		.session_keys = host_session,
		.user_check = host_user,
		.spi_alloc = host_spi,
		.sa_put = host_put,
		.sa_del = host_del,
		.sa_move = host_move,
		.policy_state = host_policy,
		.dynamic_put = host_dynamic_put,
		.dynamic_del = host_dynamic_del,
		.activity = host_activity,
		.key_export = host_export,
		.native_esp = true };

	n->env = (struct env){ env_now, env_wall, env_random, n };
	n->k = rig_must(ike_new(&h));
	if (getenv("RIG_LOG") != NULL)
		ike_debug(n->k, true, false);
}
