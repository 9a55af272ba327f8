/* A new configuration: what no longer fits is taken down, what waited is tried again.
 *
 * As on IOS, running SAs stay when a policy, transform-set or lifetime changes; what the lists, maps, peers and interfaces no
 * longer permit is cleared, and a negotiation whose key has changed ends.
 */
#include "ikemgr/core.h"
#include "ikemgr/identity.h"

#include "platform/base/log.h"

#define TABLES_POLICY (CFG_CRYPTO_MAPS | CFG_INTERFACES | CFG_ACLS | CFG_ISAKMP | CFG_IPSEC)

static bool child_fits(const struct child *c)
{
	const struct ike *k = c->flow->k;
	struct policy p;

	return policy_find(k, &c->flow->id, &p) && policy_takes_peer(&p, c->remote) &&
	       addr_equal(ike_policy_local(k, p.interface, c->remote), c->local) && selectors_within(&c->sel, &p.sel);
}

static void children_check(struct ike *k)
{
	EACH(l, &k->children)
	{
		struct child *c = OWNER(l, struct child, all);

		if (!child_fits(c))
			child_delete(c, "not permitted by the configuration any more");
	}
}

/* One step; the list may change with each, so it begins anew until nothing is left to do. */
static bool sas_check_one(struct ike *k)
{
	EACH(l, &k->sas)
	{
		struct ike_sa *sa = OWNER(l, struct ike_sa, all);
		const char *fault = identity_key_fault(sa);

		if (fault != NULL) {
			phase1_fail(sa, 0, fault);
			return true;
		}
		/* Only a peer that has no entry left; one that never had any may have reasons of its own. */
		if (sa->st.peer_known && !peer_configured(k, sa->st.path.local, sa->st.path.remote)) {
			sa_delete(sa, true, "no crypto map names the peer any more");
			return true;
		}
	}
	return false;
}

static void flows_check(struct ike *k)
{
	struct policy p;

	EACH(l, &k->flows)
	{
		struct flow *f = OWNER(l, struct flow, link);

		if (policy_find(k, &f->id, &p))
			continue;
		f->stage = FLOW_IDLE;
		f->acquire = f->wanted = false;
		timer_stop(&k->timers, &f->again);
		flow_maybe_free(f);
	}
}

static void quicks_check(struct ike *k)
{
	struct policy p;

	EACH(l, &k->sas)
	{
		struct ike_sa *sa = OWNER(l, struct ike_sa, all);

		EACH(m, &sa->quicks)
		{
			struct quick *q = OWNER(m, struct quick, link);

			if (q->st != NULL && q->st->policy.map[0] != '\0' && !policy_find(k, &q->st->policy, &p))
				quick_free(q);
		}
	}
}

static void known_mark(struct ike *k)
{
	EACH(l, &k->sas)
	{
		struct ike_sa *sa = OWNER(l, struct ike_sa, all);

		sa->st.peer_known = sa->st.peer_known || peer_configured(k, sa->st.path.local, sa->st.path.remote);
	}
}

/* Keepalives begin, end or change for the SAs that are there. */
static void keepalives_check(struct ike *k)
{
	EACH(l, &k->sas)
	{
		struct ike_sa *sa = OWNER(l, struct ike_sa, all);

		dpd_set(sa);
		if (sa->keepalive.place != 0)
			keepalive_set(sa);
	}
}

void change_apply(struct ike *k, unsigned tables)
{
	if (tables & TABLES_POLICY) {
		quicks_check(k);
		flows_check(k);
		children_check(k);
		while (sas_check_one(k))
			;
		known_mark(k);
		manuals_configure(k);
		keepalives_check(k);
	}
	if (tables & (TABLES_POLICY | CFG_ROUTES))
		flows_retry(k);
}
