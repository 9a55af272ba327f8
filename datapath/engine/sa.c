/* SAs: making, linking, finding. */
#include "datapath/engine/sa.h"

#include "datapath/engine/ah.h"
#include "datapath/engine/esp.h"
#include "datapath/engine/policy.h"
#include "platform/base/mem.h"
#include "platform/base/secret.h"

#include <netinet/in.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <string.h>

/* A digest under a key of this process: equal SAs are known without keeping their keys. */
static void digest_keys(uint8_t out[32], const struct dpm_sa *conf)
{
	static uint8_t pepper[32];
	static bool ready;
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();

	if (!ready)
		ready = RAND_bytes(pepper, sizeof(pepper)) == 1;
	if (!ctx || !ready || EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) != 1 ||
		EVP_DigestUpdate(ctx, pepper, sizeof(pepper)) != 1 || EVP_DigestUpdate(ctx, &conf->cipher, 1) != 1 ||
		EVP_DigestUpdate(ctx, &conf->auth, 1) != 1 || EVP_DigestUpdate(ctx, conf->cipher_key, conf->cipher_key_len) != 1 ||
		EVP_DigestUpdate(ctx, conf->auth_key, conf->auth_key_len) != 1 || EVP_DigestFinal_ex(ctx, out, NULL) != 1)
		RAND_bytes(out, 32);
	EVP_MD_CTX_free(ctx);
}

bool sa_same_keys(const struct sa *sa, const struct dpm_sa *conf)
{
	uint8_t d[32];

	digest_keys(d, conf);
	return sa->conf.esn == conf->esn && CRYPTO_memcmp(d, sa->state->key_digest, sizeof(d)) == 0;
}

struct selector4 selector_of(const struct dp_selectors *s)
{
	struct selector4 r = {
		.local_from = addr_to_v4(s->local.from),
		.local_to = addr_to_v4(s->local.to),
		.remote_from = addr_to_v4(s->remote.from),
		.remote_to = addr_to_v4(s->remote.to),
		.local_port_from = s->local.port_from,
		.local_port_to = s->local.port_to,
		.remote_port_from = s->remote.port_from,
		.remote_port_to = s->remote.port_to,
		.protocol = s->protocol,
	};

	r.ports = r.local_port_from != 0 || r.local_port_to != 65535 || r.remote_port_from != 0 || r.remote_port_to != 65535;
	return r;
}

static enum err state_new(struct sa_state **out, const struct dpm_sa *conf)
{
	struct sa_state *s = mem_zalloc(sizeof(*s));
	enum err e;

	if (!s)
		return ERR_NOMEM;
	e = conf->cipher_key_len > DP_KEY_MAX || conf->auth_key_len > DP_KEY_MAX
		    ? ERR_RANGE
		    : cipher_key_new(&s->key, conf->cipher, conf->auth, span_of(conf->cipher_key, conf->cipher_key_len),
			      span_of(conf->auth_key, conf->auth_key_len), conf->esn, !conf->key.inbound);
	if (e != ERR_OK) {
		mem_free(s);
		return e;
	}
	digest_keys(s->key_digest, conf);
	replay_init(&s->replay, conf->replay_window, conf->esn);
	s->refs = 1;
	*out = s;
	return ERR_OK;
}

/* AH has no room in UDP (RFC 3948, 1), and a bundle of one SA inside and one outside is all there is. */
static bool supported(const struct dpm_sa *c)
{
	if (c->key.protocol == IPPROTO_AH)
		return c->cipher == CIPHER_NONE && !c->udp_encap;
	return c->key.protocol == IPPROTO_ESP && c->cipher != CIPHER_NONE && !(c->udp_encap && c->bundle_spi);
}

/* What of the configuration the workers look at. */
static void take_shape(struct sa *sa)
{
	const struct dpm_sa *c = &sa->conf;

	sa->ah = c->key.protocol == IPPROTO_AH;
	sa->around = sa->ah && c->bundle_spi != 0;
	sa->transport = c->transport && !sa->around;
	sa->size = *cipher_key_sizes(sa->state->key);
	sa->lead = sa->ah ? ah_len(sa->size.icv) : (uint8_t)(ESP_HEADER + sa->size.iv);
	sa->local = addr_to_v4(c->local);
	sa->remote = place_of(addr_to_v4(c->remote), c->remote_port);
	sa->sel = selector_of(&c->sel);
	if (sa->transport) {
		sa->sel.local_from = sa->sel.remote_from = 0;
		sa->sel.local_to = sa->sel.remote_to = UINT32_MAX;
	}
}

enum err ipsec_sa_new(struct sa **out, const struct dpm_sa *conf, struct sa *same)
{
	struct sa *sa;
	enum err e = ERR_OK;

	if (!supported(conf))
		return ERR_UNSUPPORTED;
	if (conf->key.spi < 256 || conf->local.family != AF_INET || conf->remote.family != AF_INET)
		return ERR_INVALID;
	sa = mem_zalloc(sizeof(*sa));
	if (!sa)
		return ERR_NOMEM;
	if (same) {
		sa->state = same->state;
		sa->state->refs++;
	} else {
		e = state_new(&sa->state, conf);
	}
	if (e != ERR_OK) {
		mem_free(sa);
		return e;
	}
	sa->conf = *conf;
	wipe(sa->conf.cipher_key, sizeof(sa->conf.cipher_key));
	wipe(sa->conf.auth_key, sizeof(sa->conf.auth_key));
	take_shape(sa);
	*out = sa;
	return ERR_OK;
}

void ipsec_sa_free(struct sa *sa)
{
	if (--sa->state->refs == 0) {
		cipher_key_free(sa->state->key);
		mem_free_secret(sa->state, sizeof(*sa->state));
	}
	mem_free(sa);
}

static struct sa **bucket(const struct sa_table *t, uint32_t spi)
{
	return (struct sa **)&t->buckets[(spi * 0x9e3779b1u) >> 20];
}

/* Where an RCU list has its pointer to `sa`; the end if it is not there. */
static struct sa **position(struct sa **head, const struct sa *sa, size_t next)
{
	while (*head && *head != sa)
		head = (struct sa **)(void *)((char *)*head + next);
	return head;
}

static struct sa **list_of(struct sa_table *t, struct sa *sa, size_t *next)
{
	*next = sa->conf.key.inbound ? offsetof(struct sa, hash_next) : offsetof(struct sa, out_next);
	return sa->conf.key.inbound ? bucket(t, sa->conf.key.spi) : &sa->policy->out;
}

static bool is_around(const struct sa *ah, const struct sa *esp)
{
	return ah->around && !ah->conf.key.inbound && ah->conf.key.spi == esp->conf.bundle_spi && ah->local == esp->local &&
	       addr_equal(ah->conf.key.dst, esp->conf.key.dst);
}

/* After a change: each outbound ESP SA that it touches has the AH SA that is there now. Inbound the SPIs say it. */
static void bundle(struct sa_table *t, const struct sa *changed)
{
	for (struct sa *sa = t->all; sa; sa = sa->all_next) {
		struct sa *ah = t->all;

		if (sa->ah || sa->conf.key.inbound || !sa->conf.bundle_spi ||
			(sa != changed && sa->conf.bundle_spi != changed->conf.key.spi))
			continue;
		while (ah && !is_around(ah, sa))
			ah = ah->all_next;
		RCU_SET(sa->outer, ah);
	}
}

void sa_link(struct sa_table *t, struct sa *sa, struct sa *replaces)
{
	size_t next;
	struct sa **head = list_of(t, sa, &next);
	struct sa **link = (struct sa **)(void *)((char *)sa + next);

	if (replaces && replaces->policy == sa->policy)
		head = position(head, replaces, next);
	if (replaces && *head == replaces) {
		/* In one step: no moment without the one or the other. */
		*link = *(struct sa **)(void *)((char *)replaces + next);
		RCU_SET(*head, sa);
	} else {
		*link = *head;
		RCU_SET(*head, sa);
		if (replaces) {
			head = list_of(t, replaces, &next);
			head = position(head, replaces, next);
			if (*head)
				RCU_SET(*head, *(struct sa **)(void *)((char *)replaces + next));
		}
	}
	if (replaces) {
		struct sa **all = position(&t->all, replaces, offsetof(struct sa, all_next));

		*all = replaces->all_next;
		t->count--;
	}
	sa->all_next = t->all;
	t->all = sa;
	t->count++;
	bundle(t, sa);
	if (replaces)
		bundle(t, replaces);
}

void sa_unlink(struct sa_table *t, struct sa *sa)
{
	size_t next;
	struct sa **at = list_of(t, sa, &next);

	at = position(at, sa, next);
	if (*at)
		RCU_SET(*at, *(struct sa **)(void *)((char *)sa + next));
	at = position(&t->all, sa, offsetof(struct sa, all_next));
	*at = sa->all_next;
	t->count--;
	bundle(t, sa);
}

struct sa *ipsec_sa_find(const struct sa_table *t, const struct dp_sa_key *key)
{
	for (struct sa *sa = t->all; sa; sa = sa->all_next) {
		if (sa->conf.key.spi != key->spi || sa->conf.key.inbound != key->inbound || sa->conf.key.protocol != key->protocol)
			continue;
		if (!addr_is_set(key->dst) || addr_equal(sa->conf.key.dst, key->dst) ||
			(!key->inbound && addr_to_v4(key->dst) == place_address(RCU_GET(sa->remote))))
			return sa;
	}
	return NULL;
}

bool sa_spi_used(const struct sa_table *t, uint32_t spi)
{
	for (const struct sa *sa = *bucket(t, spi); sa; sa = sa->hash_next)
		if (sa->conf.key.spi == spi)
			return true;
	return false;
}

struct sa *sa_partner(const struct sa_table *t, const struct sa *sa)
{
	struct sa *p = t->all;

	while (p && (p->conf.key.spi != sa->conf.peer_spi || p->conf.key.inbound == sa->conf.key.inbound || p->ah != sa->ah ||
			    p->policy != sa->policy))
		p = p->all_next;
	return p;
}

struct sa *sa_inbound(const struct sa_table *t, uint8_t protocol, uint32_t spi, uint32_t dst)
{
	struct sa *sa = RCU_GET(*bucket(t, spi));

	while (sa && (sa->conf.key.spi != spi || sa->local != dst || sa->conf.key.protocol != protocol))
		sa = RCU_GET(sa->hash_next);
	return sa;
}

/* Read once for each packet: the control thread may take the AH SA away meanwhile. */
static bool complete(const struct sa *sa, struct sa **around)
{
	*around = NULL;
	if (!sa->conf.bundle_spi)
		return true;
	*around = RCU_GET(sa->outer);
	return *around && !FLAG_GET((*around)->dead);
}

struct sa *sa_outbound(struct policy *p, const struct inner *in, struct sa **around)
{
	struct sa *sa = RCU_GET(p->out);

	while (sa && (sa->around || FLAG_GET(sa->dead) || !sa_covers(sa, in, false) || !complete(sa, around)))
		sa = RCU_GET(sa->out_next);
	return sa;
}

uint16_t sa_plain_mtu(const struct sa *sa, const struct sa *around, uint16_t mtu, uint32_t header_len)
{
	uint32_t kept = sa->transport ? header_len : 20, own = kept + (sa->ah ? sa->lead : around ? around->lead : 0);
	uint32_t inner;

	if (mtu <= own)
		return 0;
	/* As if the outer header were 20 bytes and AH part of the path. */
	inner = sa->ah ? mtu - own : esp_plain_mtu(&sa->size, (uint16_t)(mtu - own + 20), sa->conf.udp_encap);
	return (uint16_t)(inner && sa->transport ? inner + kept : inner);
}

static bool addresses_covered(const struct selector4 *s, const struct inner *in, bool inbound)
{
	uint32_t local = inbound ? in->dst : in->src, remote = inbound ? in->src : in->dst;

	return local >= s->local_from && local <= s->local_to && remote >= s->remote_from && remote <= s->remote_to &&
	       (s->protocol == 0 || s->protocol == in->protocol);
}

bool selector_covers(const struct selector4 *s, const struct inner *in, bool inbound)
{
	uint16_t local = inbound ? in->dst_port : in->src_port, remote = inbound ? in->src_port : in->dst_port;

	if (!addresses_covered(s, in, inbound))
		return false;
	if (!s->ports)
		return true;
	if (in->later)
		return !inbound; /* outbound the policy has decided; inbound sa_admits() asks for the first fragment */
	return in->upper && local >= s->local_port_from && local <= s->local_port_to && remote >= s->remote_port_from &&
	       remote <= s->remote_port_to;
}

static bool endpoints(const struct sa *sa, const struct inner *in, bool inbound)
{
	return (inbound ? in->dst : in->src) == sa->local && (inbound ? in->src : in->dst) == place_address(RCU_GET(sa->remote));
}

bool sa_covers(const struct sa *sa, const struct inner *in, bool inbound)
{
	return selector_covers(&sa->sel, in, inbound) && (!sa->transport || endpoints(sa, in, inbound));
}

static bool fragment_known(const struct sa_state *st, const struct inner *in)
{
	for (size_t i = 0; i < SA_FRAGMENTS; i++) {
		const struct fragment_id *f = &st->fragments[i];

		if (f->src == in->src && f->dst == in->dst && f->id == in->id && f->protocol == in->protocol)
			return true;
	}
	return false;
}

bool sa_admits(struct sa *sa, const struct inner *in)
{
	struct sa_state *st = sa->state;

	if (sa->sel.ports && in->later)
		return addresses_covered(&sa->sel, in, true) && fragment_known(st, in);
	if (!sa_covers(sa, in, true))
		return false;
	if (sa->sel.ports && in->more) {
		st->fragments[st->next_fragment] = (struct fragment_id){ in->src, in->dst, in->id, in->protocol };
		st->next_fragment = (st->next_fragment + 1) % SA_FRAGMENTS;
	}
	return true;
}
