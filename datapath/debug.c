/* `debug crypto ipsec` in IOS's words, and the log lines that people watch for. */
#include "datapath/daemon.h"

#include "platform/base/log.h"

#include <stdio.h>
#include <string.h>

#define ADDRESS_MASK 40

/* 192.168.1.0/255.255.255.0/6/80 : address, mask, protocol, port; a range that is no subnet as from-to. */
static const char *proxy(char out[64], const struct dp_selector *s, uint8_t protocol)
{
	uint32_t from = addr_to_v4(s->from), to = addr_to_v4(s->to), mask = ~(from ^ to);
	uint16_t port = s->port_from == s->port_to ? s->port_from : 0;
	char a[16], b[16];

	if (ip4_mask_valid(mask) && (from & mask) == from)
		snprintf(out, 64, "%s/%s/%u/%u", ip4_print(a, from), ip4_print(b, mask), protocol, port);
	else
		snprintf(out, 64, "%s-%s/%u/%u", ip4_print(a, from), ip4_print(b, to), protocol, port);
	return out;
}

static const struct cfg_map_entry *entry_of(const struct daemon *d, const struct dp_policy_id *id)
{
	const struct cfg_map_entry *e = d->cfg ? cfg_map_first(d->cfg, id->map) : NULL;

	while (e && e->seq != id->map_seq)
		e = cfg_map_next(d->cfg, e);
	return e;
}

/* "esp-aes 256 esp-sha-hmac" */
static const char *transform(char out[64], enum alg_cipher cipher, enum alg_hash auth)
{
	const struct cipher_alg *c = cipher_find(cipher);
	const struct hash_alg *h = hash_find(auth);

	snprintf(out, 64, "%s%s%s", c && c->ios_esp ? c->ios_esp : "", c && h ? " " : "", h && h->ios_esp ? h->ios_esp : "");
	return out;
}

static uint32_t local_of(const struct daemon *d, const struct dp_policy_id *id)
{
	const struct cfg_map *m = d->cfg ? cfg_map_settings(d->cfg, id->map) : NULL;
	const struct cfg_interface *i =
		d->cfg ? cfg_interface(d->cfg, m && m->local_interface[0] ? m->local_interface : id->interface) : NULL;

	return i && i->ip.mask ? i->ip.addr : 0;
}

/* Transport mode is for what the two ends have to say themselves. */
static bool is_transport(const struct cfg_transform_set *ts, const struct dp_selectors *sel, uint32_t local, uint32_t remote)
{
	return ts->transport && addr_equal(sel->local.from, addr_v4(local)) && addr_equal(sel->local.to, addr_v4(local)) &&
	       addr_equal(sel->remote.from, addr_v4(remote)) && addr_equal(sel->remote.to, addr_v4(remote));
}

struct request {
	const struct cfg_map_entry *e;
	const struct dp_selectors *sel;
	uint32_t local, remote;
	bool transport;
};

/* One for each protocol that is wanted. */
static void request(
	const struct daemon *d, const struct request *q, const char *protocol, const char *transforms, unsigned key_bits)
{
	char local[16], remote[16], line[64];
	const struct cfg_map_entry *e = q->e;

	log_debug("IPSEC(sa_request): ,");
	log_debug("  (key eng. msg.) OUTBOUND local= %s:500, remote= %s:500,", ip4_print(local, q->local),
		ip4_print(remote, q->remote));
	log_debug("    local_proxy= %s,", proxy(line, &q->sel->local, q->sel->protocol));
	log_debug("    remote_proxy= %s,", proxy(line, &q->sel->remote, q->sel->protocol));
	log_debug("    protocol= %s, transform= %s (%s),", protocol, transforms, q->transport ? "Transport" : "Tunnel");
	log_debug("    lifedur= %us and %ukb,", e->lifetime_s ? e->lifetime_s : d->cfg->ipsec.lifetime_s,
		e->lifetime_kb_disabled ? 0
		: e->lifetime_kb        ? e->lifetime_kb
					: d->cfg->ipsec.lifetime_kb);
	log_debug("    spi= 0x0(0), conn_id= 0, keysize= %u, flags= 0x0", key_bits);
}

void debug_acquire(const struct daemon *d, const struct dpm_acquire *a)
{
	const struct cfg_map_entry *e = entry_of(d, &a->policy);
	const struct backend_policy *p = plan_find(&d->plan, &a->policy);
	const struct cfg_transform_set *ts = NULL;
	const struct cipher_alg *cipher;
	const struct hash_alg *ah;
	struct request q;
	char line[64];

	if (!d->debug_ipsec || !e || !p)
		return;
	for (size_t i = 0; i < e->nsets && !ts; i++)
		ts = cfg_transform_set(d->cfg, e->sets[i]);
	q = (struct request){ e, &p->sel, local_of(d, &a->policy), e->npeers ? e->peers[0].addr : 0, false };
	q.transport = ts && is_transport(ts, q.sel, q.local, q.remote);
	cipher = ts ? cipher_find(ts->cipher) : NULL;
	ah = ts ? hash_find(ts->ah) : NULL;
	if (ah)
		request(d, &q, "AH", ah->ios_ah, 0);
	if (cipher || !ah)
		request(d, &q, "ESP", ts ? transform(line, ts->cipher, ts->auth) : "", cipher ? cipher->key_bits_attr : 0);
}

void debug_spi(const struct daemon *d, const struct dpm_spi *s)
{
	char local[ADDR_TEXT], remote[ADDR_TEXT];

	if (!d->debug_ipsec)
		return;
	log_debug("IPSEC(key_engine): got a queue event with 1 KMI message(s)");
	log_debug("IPSEC(spi_response): getting spi %u for SA", s->spi);
	log_debug("        from %s to %s for prot %u", addr_print(local, s->local), addr_print(remote, s->remote),
		s->protocol == 51 ? 2 : 3);
}

void debug_sa_put(const struct daemon *d, const struct dpm_sa *sa)
{
	const struct hash_alg *h = hash_find(sa->auth);
	char dst[ADDR_TEXT], trans[64];

	if (!d->debug_ipsec)
		return;
	log_debug("IPSEC(create_sa): sa created,");
	log_debug("  (sa) sa_dest= %s, sa_proto= %u,", addr_print(dst, sa->key.dst), sa->key.protocol);
	log_debug("    sa_spi= 0x%X(%u),", sa->key.spi, sa->key.spi);
	if (sa->key.protocol == 51)
		snprintf(trans, sizeof(trans), "%s", h && h->ios_ah ? h->ios_ah : "");
	else
		transform(trans, sa->cipher, sa->auth);
	log_debug("    sa_trans= %s , sa_conn_id= %u", trans, sa->conn_id);
	log_debug("    sa_lifetime(k/sec)= (%u/%u)", sa->lifetime_kb, sa->lifetime_s);
}

void debug_sa_del(const struct daemon *d, const struct dp_sa_key *key)
{
	char dst[ADDR_TEXT];

	if (!d->debug_ipsec)
		return;
	log_debug("IPSEC(delete_sa): deleting SA,");
	log_debug("  (sa) sa_dest= %s, sa_proto= %u,", addr_print(dst, key->dst), key->protocol);
	log_debug("    sa_spi= 0x%X(%u)", key->spi, key->spi);
}

/* At most one a second for each reason; the counters tell how many there were. */
void report_drop(const struct daemon *d, const struct backend_event *ev)
{
	char local[ADDR_TEXT], remote[ADDR_TEXT], peer[ADDR_TEXT];

	(void)d;
	addr_print(local, ev->drop.local);
	addr_print(remote, ev->drop.remote);
	switch (ev->drop.reason) {
	case DP_DROP_INVALID_SPI:
		log_msg("CRYPTO", LOG_SEV_WARNING, "RECVD_PKT_INV_SPI",
			"decaps: rec'd IPSEC packet has invalid spi for destaddr=%s, prot=%u, spi=0x%X(%u), srcaddr=%s", local,
			ev->drop.protocol, ev->drop.spi, ev->drop.spi, remote);
		break;
	case DP_DROP_BAD_ICV:
		log_msg("CRYPTO", LOG_SEV_WARNING, "RECVD_PKT_MAC_ERR",
			"decrypt: mac verify failed for connection id=%u local=%s remote=%s spi=%08X seqno=%08X", ev->drop.conn_id,
			local, remote, ev->drop.spi, ev->drop.sequence);
		break;
	case DP_DROP_REPLAY:
		log_msg("CRYPTO", LOG_SEV_WARNING, "PKT_REPLAY_ERR",
			"decrypt: replay check failed connection id=%u, sequence number=%u", ev->drop.conn_id, ev->drop.sequence);
		break;
	case DP_DROP_SELECTOR:
		log_msg("CRYPTO", LOG_SEV_WARNING, "RECVD_PKT_INV_IDENTITY",
			"identity doesn't match negotiated identity (ip) dest_addr= %s, src_addr= %s, prot= %u (connection id=%u)",
			local, remote, ev->drop.protocol, ev->drop.conn_id);
		break;
	case DP_DROP_AH_NAT:
		log_msg("CRYPTO", LOG_SEV_WARNING, "RECVD_PKT_AH_NAT",
			"decaps: AH mac verify failed for connection id=%u local=%s spi=%08X seqno=%08X: the packet came from %s, "
			"the SA is "
			"with %s; AH cannot pass NAT, the address was translated on the way",
			ev->drop.conn_id, local, ev->drop.spi, ev->drop.sequence, remote, addr_print(peer, ev->drop.peer));
		break;
	case DP_DROP_BUNDLE:
		log_msg("CRYPTO", LOG_SEV_WARNING, "RECVD_PKT_NOT_BUNDLE",
			"decaps: %s packet from %s came without the other half of its AH and ESP pair, connection id=%u local=%s "
			"spi=%08X",
			ev->drop.protocol == 51 ? "AH" : "ESP", remote, ev->drop.conn_id, local, ev->drop.spi);
		break;
	case DP_DROP_CHECKSUM:
		log_msg("CRYPTO", LOG_SEV_WARNING, "RECVD_PKT_CHECKSUM",
			"decaps: inner checksum wrong in transport mode through NAT, connection id=%u local=%s remote=%s: the peer "
			"made it "
			"with its own addresses, and NAT-OA did not tell them",
			ev->drop.conn_id, local, remote);
		break;
	default:
		break;
	}
}
