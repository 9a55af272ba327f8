/* Call admission: how many IKE SAs there may be, and how many of them in negotiation (`crypto call admission limit`). What bounds
 * a flood whatever is configured stands in receive.c. */
#include "ikemgr/core.h"

#include "platform/base/log.h"

#include <string.h>

static bool over(struct ike *k, struct ikem_admission *a)
{
	const struct cfg_isakmp *c = &k->cfg->isakmp;

	if (c->admission_sa != 0 && k->nsas >= c->admission_sa) {
		a->rejected_active++;
		return true;
	}
	if (c->admission_negotiation != 0 && k->half_open >= c->admission_negotiation) {
		a->rejected_negotiating++;
		return true;
	}
	return false;
}

bool admission_in(struct ike *k, const struct ike_path *path)
{
	uint64_t active = k->admission.rejected_active;
	char from[ADDR_TEXT], to[ADDR_TEXT];

	k->admission.incoming++;
	if (!over(k, &k->admission))
		return true;
	k->admission.incoming_rejected++;
	if (say_allowed(k))
		log_msg("CRYPTO", LOG_SEV_WARNING, "IKE_DENY_SA_REQ",
			"IKE denied an INCOMING SA request from %s to %s due to %s LIMIT REACHED", addr_print(from, path->remote),
			addr_print(to, path->local), k->admission.rejected_active > active ? "IKE SA" : "IN-NEGOTIATION SA");
	return false;
}

bool admission_out(struct ike *k, struct addr local, struct addr remote)
{
	uint64_t active = k->admission.rejected_active;
	char from[ADDR_TEXT], to[ADDR_TEXT];

	k->admission.outgoing++;
	if (!over(k, &k->admission))
		return true;
	k->admission.outgoing_rejected++;
	addr_print(from, local);
	addr_print(to, remote);
	log_msg("CRYPTO", LOG_SEV_WARNING, "IKE_DENY_SA_REQ",
		"IKE denied an OUTGOING SA request from %s to %s due to %s LIMIT REACHED", from, to,
		k->admission.rejected_active > active ? "IKE SA" : "IN-NEGOTIATION SA");
	say_failure(k, remote, 0, "no IKE SA with %s: the limit of call admission is reached", to);
	return false;
}

void ike_admission(struct ike *k, struct ikem_admission *out)
{
	*out = k->admission;
	out->sas = k->nsas;
	out->negotiating = k->half_open;
	if (k->cfg != NULL) {
		out->max_sas = k->cfg->isakmp.admission_sa;
		out->max_negotiating =
			k->cfg->isakmp.admission_negotiation != 0 ? k->cfg->isakmp.admission_negotiation : HALF_OPEN_MAX;
	}
	out->children = 0;
	for (const struct link *l = k->children.next; l != &k->children; l = l->next)
		out->children++;
	out->dropped = k->stats[STAT_NO_SA] + k->stats[STAT_BAD_HEADER] + k->stats[STAT_WRONG_PEER];
	out->quicks = 0;
	EACH(l, &k->sas)
	out->quicks += OWNER(l, struct ike_sa, all)->nactive;
}
