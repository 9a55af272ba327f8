/* Configuration of clients (mode-cfg-05 3.3, and Cisco's own attributes): address, name servers, what goes through the tunnel.
 *
 * A client that asks gets what it asks for; one that is pushed to gets everything.
 */
#include "ikemgr/transaction.h"

#include <stdio.h>
#include <string.h>

#define SPLITS_MAX 50

struct answer {
	const struct ike *k;
	const struct sa_state *s;
	const struct cfg_client_group *group; /* NULL: none */
	struct writer *w;
};

static void ip_put(struct writer *w, uint16_t type, uint32_t ip)
{
	uint8_t buf[4];
	struct writer b = writer_of(buf, sizeof(buf));

	writer_u32(&b, ip);
	if (ip != 0)
		attribute_put(w, type, writer_span(&b));
}

static void text_put(struct writer *w, uint16_t type, const char *text)
{
	if (text[0] != '\0')
		attribute_put(w, type, span_of(text, strlen(text)));
}

static void put_address(const struct answer *a)
{
	ip_put(a->w, ATTRC_IP4_ADDRESS, a->s->client.address);
}

static void put_netmask(const struct answer *a)
{
	if (a->s->client.address != 0)
		ip_put(a->w, ATTRC_IP4_NETMASK, a->group != NULL && a->group->netmask != 0 ? a->group->netmask : UINT32_MAX);
}

static void put_dns(const struct answer *a)
{
	for (int i = 0; a->group != NULL && i < 2; i++)
		ip_put(a->w, ATTRC_IP4_DNS, a->group->dns[i]);
}

static void put_wins(const struct answer *a)
{
	for (int i = 0; a->group != NULL && i < 2; i++)
		ip_put(a->w, ATTRC_IP4_NBNS, a->group->wins[i]);
}

static void put_version(const struct answer *a)
{
	text_put(a->w, ATTRC_APPLICATION_VERSION, "Postern " POSTERN_VERSION);
}

static void put_banner(const struct answer *a)
{
	if (a->group != NULL)
		text_put(a->w, ATTRC_BANNER, a->group->banner);
}

static void put_save(const struct answer *a)
{
	if (a->group != NULL)
		attribute_encode(a->w, ATTRC_SAVE_PASSWORD, a->group->save_password);
}

static void put_domain(const struct answer *a)
{
	if (a->group != NULL)
		text_put(a->w, ATTRC_DEF_DOMAIN, a->group->domain);
}

/* Fourteen bytes a network: address, mask, and protocol and ports, which nobody uses. */
static void split_put(struct writer *w, uint32_t addr, uint32_t mask)
{
	writer_u32(w, addr);
	writer_u32(w, mask);
	writer_zero(w, 6);
}

/* The sources of the list's permit lines, up to the first that is any: then everything goes through the tunnel. */
static void put_split(const struct answer *a)
{
	const struct cfg_acl *acl = a->group == NULL ? NULL : cfg_acl(a->k->cfg, a->group->acl);
	uint8_t buf[SPLITS_MAX * 14];
	struct writer w = writer_of(buf, sizeof(buf));

	for (size_t i = 0; acl != NULL && i < acl->nentries && writer_len(&w) < sizeof(buf); i++) {
		const struct cfg_ace *e = &acl->entries[i];

		if (e->remark || !e->permit || (e->src_wild & (e->src_wild + 1)) != 0)
			continue;
		if (e->src_wild == UINT32_MAX)
			return;
		split_put(&w, e->src & ~e->src_wild, ~e->src_wild);
	}
	if (writer_len(&w) != 0)
		attribute_put(a->w, ATTRC_SPLIT_INCLUDE, writer_span(&w));
}

/* No network in particular: those that the client finds itself in. */
static void put_lan(const struct answer *a)
{
	uint8_t buf[14];
	struct writer w = writer_of(buf, sizeof(buf));

	if (a->group == NULL || !a->group->include_local_lan)
		return;
	split_put(&w, 0, 0);
	attribute_put(a->w, ATTRC_LOCAL_LAN, writer_span(&w));
}

static const struct {
	uint16_t type;
	void (*put)(const struct answer *a);
} answers[] = {
	{ ATTRC_IP4_ADDRESS, put_address },
	{ ATTRC_IP4_NETMASK, put_netmask },
	{ ATTRC_IP4_DNS, put_dns },
	{ ATTRC_IP4_NBNS, put_wins },
	{ ATTRC_APPLICATION_VERSION, put_version },
	{ ATTRC_BANNER, put_banner },
	{ ATTRC_SAVE_PASSWORD, put_save },
	{ ATTRC_DEF_DOMAIN, put_domain },
	{ ATTRC_SPLIT_INCLUDE, put_split },
	{ ATTRC_LOCAL_LAN, put_lan },
};

/* `asked` NULL: everything. */
static void answers_put(struct step *st, const struct span *asked, struct writer *w)
{
	struct answer a = { st->k, st->s, client_group_of(st->k, st->s), w };
	struct attribute at;

	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++)
		if (asked == NULL || attribute_find(*asked, answers[i].type, &at))
			answers[i].put(&a);
}

static enum err address_give(struct step *st, uint32_t wanted)
{
	struct client_state *c = &st->s->client;
	char why[160];

	if (c->address != 0)
		return ERR_OK;
	c->address = lease_choose(st->k, st->s, wanted, why, sizeof(why));
	if (c->address == 0)
		return step_refuse(st, 0, "no address for the client: %s", why);
	client_say(st, "New tunnel", NULL);
	return ERR_OK;
}

enum err config_answer(struct step *st)
{
	uint8_t buf[CONFIG_MAX];
	struct writer w = writer_of(buf, sizeof(buf));
	const struct payload_config *p;
	struct attribute a;
	enum err e = transaction_take(st, CONFIG_REQUEST, &p);

	if (e != ERR_OK)
		return e;
	if (!st->s->client.respond)
		return step_ignore(st, "the client asks for its configuration, but \"client configuration address respond\" is not "
				       "configured");
	if (attribute_find(p->attributes, ATTRC_IP4_ADDRESS, &a))
		e = address_give(st, !a.basic && a.value.len == 4 ? (uint32_t)a.number : 0);
	if (e != ERR_OK)
		return e;
	answers_put(st, &p->attributes, &w);
	return transaction_put(st, CONFIG_REPLY, &w);
}

enum err config_push(struct step *st)
{
	uint8_t buf[CONFIG_MAX];
	struct writer w = writer_of(buf, sizeof(buf));
	enum err e = address_give(st, 0);

	if (e == ERR_OK)
		e = transaction_begin(st);
	if (e != ERR_OK)
		return e;
	answers_put(st, NULL, &w);
	return transaction_put(st, CONFIG_SET, &w);
}

enum err config_pushed(struct step *st)
{
	const struct payload_config *p;

	return transaction_take(st, CONFIG_ACK, &p);
}
