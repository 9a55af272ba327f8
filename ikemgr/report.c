/* The console's questions: rows of what there is, and `clear`. */
#include "ikemgr/core.h"

#include <stdio.h>
#include <string.h>

const char *ike_state_name(enum ike_state s)
{
	static const char *const names[IKE_STATE_COUNT] = { "MM_NO_STATE", "MM_SA_SETUP", "MM_KEY_EXCH", "MM_KEY_AUTH",
		"AG_NO_STATE", "AG_INIT_EXCH", "AG_AUTH", "CONF_XAUTH", "CONF_ADDR", "QM_IDLE" };

	return s < IKE_STATE_COUNT ? names[s] : "?";
}

static void vendors_list(char *out, size_t size, uint32_t vendors)
{
	size_t n = 0;

	out[0] = '\0';
	for (int v = 0; v < VENDOR_COUNT && n < size; v++)
		if (vendors & UINT32_C(1) << v)
			n += (size_t)snprintf(out + n, size - n, "%s%s", n ? ", " : "", vendor_text((enum vendor)v));
}

static void row_fill(struct ikem_sa *row, const struct ike_sa *sa)
{
	const struct sa_state *s = &sa->st;
	uint64_t now = now_us(sa->k);

	memset(row, 0, sizeof(*row));
	row->conn_id = sa->conn_id;
	row->version = s->version;
	row->state = (uint8_t)s->state;
	row->initiator = s->initiator;
	row->established = (s->evidence & EV_AUTHED) != 0;
	row->local = s->path.local;
	row->remote = s->path.remote;
	row->local_port = s->path.local_port;
	row->remote_port = s->path.remote_port;
	row->encryption = (uint8_t)s->terms.cipher;
	row->hash = (uint8_t)s->terms.hash;
	row->auth = (uint8_t)s->terms.auth;
	row->group = (uint8_t)s->terms.group;
	row->lifetime_s = s->terms.lifetime_s;
	row->remaining_s = row->established && sa->expires_us > now ? (uint32_t)((sa->expires_us - now) / SECOND) : 0;
	row->cap_dpd = s->peer_dpd;
	row->cap_nat = natt_used(s);
	row->cookie_i = s->cookie_i;
	row->cookie_r = s->cookie_r;
	row->age_s = (now - sa->created_us) / SECOND;
	row->children = sa->children;
	client_row(row, s);
	vendors_list(row->vendors, sizeof(row->vendors), s->vendors);
	snprintf(row->profile, sizeof(row->profile), "%s", s->profile);
	snprintf(row->identity, sizeof(row->identity), "%s", row->established ? s->identity : "");
}

void ike_each_sa(struct ike *k, void (*each)(void *ctx, const struct ikem_sa *sa), void *ctx)
{
	struct ikem_sa row;
	size_t n = k->ndead < DEAD_ROWS ? k->ndead : DEAD_ROWS;

	EACH(l, &k->sas)
	{
		row_fill(&row, OWNER(l, struct ike_sa, all));
		each(ctx, &row);
	}
	for (size_t i = 0; i < n; i++)
		if (now_us(k) < k->dead_at[i])
			each(ctx, &k->dead[i]);
}

void ike_each_session(struct ike *k, void (*each)(void *ctx, const struct ikem_session *s), void *ctx)
{
	EACH(l, &k->sessions)
	{
		const struct session *s = OWNER(l, struct session, link);
		struct ikem_session row = { .local = s->local, .remote = s->remote, .remote_port = s->remote_port };

		snprintf(row.interface, sizeof(row.interface), "%s", s->interface);
		row.uptime_s = (now_us(k) - s->since_us) / SECOND;
		each(ctx, &row);
	}
}

void ike_each_failure(struct ike *k, void (*each)(void *ctx, const struct ikem_failure *f), void *ctx)
{
	for (size_t i = 0; i < FAILURES && i < k->nfailures; i++)
		each(ctx, &k->failures[(k->nfailures - 1 - i) % FAILURES]);
}

void ike_each_stat(struct ike *k, void (*each)(void *ctx, const struct ikem_stat *s), void *ctx)
{
	static const char *const names[STAT_COUNT] = {
#define X(name, text) text,
		IKE_STATS(X)
#undef X
	};
	struct ikem_stat row;

	for (int i = 0; i < STAT_COUNT; i++) {
		memset(&row, 0, sizeof(row));
		snprintf(row.name, sizeof(row.name), "%s", names[i]);
		row.value = k->stats[i];
		each(ctx, &row);
	}
}

static bool peer_meant(const struct ikem_clear *c, struct addr remote)
{
	return !addr_is_set(c->peer) || addr_equal(c->peer, remote);
}

static unsigned clear_children(struct ike *k, const struct ikem_clear *c)
{
	unsigned n = 0;

	EACH(l, &k->children)
	{
		struct child *child = OWNER(l, struct child, all);

		if (!peer_meant(c, child->remote) || !client_child_meant(k, c->user, child) ||
			(c->map[0] != '\0' && strcmp(c->map, child->flow->id.map) != 0))
			continue;
		child_delete(child, "cleared");
		n++;
	}
	return n;
}

static bool clear_one(struct ike *k, const struct ikem_clear *c, uint64_t before)
{
	EACH(l, &k->sas)
	{
		struct ike_sa *sa = OWNER(l, struct ike_sa, all);

		if (c->user[0] != '\0' && (!(sa->st.evidence & EV_NAMED) || strcmp(c->user, sa->st.client.user) != 0))
			continue;
		if (sa->serial >= before || !peer_meant(c, sa->st.path.remote) || (c->conn_id != 0 && c->conn_id != sa->conn_id))
			continue;
		sa_delete(sa, true, "cleared");
		return true;
	}
	return false;
}

unsigned ike_clear(struct ike *k, const struct ikem_clear *c)
{
	uint64_t before = k->next_serial;
	unsigned n = 0;

	if (c->what != IKE_CLEAR_ISAKMP)
		n += clear_children(k, c) + (c->user[0] == '\0' ? manuals_clear(k, c) : 0);
	/* What begins anew because of it is not cleared again. */
	while (c->what != IKE_CLEAR_IPSEC && clear_one(k, c, before))
		n++;
	return n;
}

/* One entry of a map on an interface: each of its lines is a flow. */
static void connect_entry(struct ike *k, const struct cfg_interface *i, const struct cfg_map_entry *e, struct ikem_connected *out)
{
	const struct cfg_acl *acl = cfg_acl(k->cfg, e->acl);
	struct policy p = { .interface = i, .entry = e };
	struct dp_policy_id id;
	struct flow *f;

	/* Of pairs of hosts only a packet says which. */
	if (e->kind != MAP_ISAKMP || e->per_host) {
		out->passive++;
		return;
	}
	for (size_t n = 0; acl != NULL && cfg_map_entry_fault(k->cfg, e) == NULL && n < acl->nentries; n++) {
		p.ace = &acl->entries[n];
		if (!p.ace->permit || p.ace->remark || !ace_selectors(p.ace, &p.sel))
			continue;
		policy_id_of(&id, &p);
		f = flow_get(k, &id, true);
		if (f != NULL && flow_connect(f))
			out->begun++;
		else if (f != NULL)
			out->up++;
	}
}

void ike_connect(struct ike *k, const struct ikem_connect *c, struct ikem_connected *out)
{
	*out = (struct ikem_connected){ 0 };
	for (size_t n = 0; k->cfg != NULL && k->cfg->isakmp_enabled && n < k->cfg->ninterfaces; n++) {
		const struct cfg_interface *i = &k->cfg->interfaces[n];

		if (strcmp(i->crypto_map, c->map) != 0 || !policy_interface_up(k, i) || cfg_map_owner(k->cfg, i) != i)
			continue;
		for (const struct cfg_map_entry *e = cfg_map_first(k->cfg, c->map); e != NULL; e = cfg_map_next(k->cfg, e))
			if (c->seq == 0 || c->seq == e->seq)
				connect_entry(k, i, e, out);
	}
}

void ike_debug(struct ike *k, bool isakmp, bool errors_only)
{
	k->debug = isakmp;
	k->debug_errors = errors_only;
}

void ike_key_export(struct ike *k, bool on)
{
	k->key_export = on;
}
