/* The engine's SAs: what a worker needs of one, and the tables they are found in.
 *
 *   inbound   by protocol and SPI: a hash of chains
 *   outbound  by policy: a list, newest first; the first one whose selectors cover the packet seals it
 *   bundles   AH around ESP: traffic finds the ESP SA, whose `outer` is the AH SA
 *
 * The control thread alone links and unlinks; workers read without a lock (rcu.h). A struct sa is immutable but for what
 * is marked atomic. What goes on when an SA is replaced by itself (sequence numbers, window, counters) is in struct sa_state,
 * which has one writing worker: the out worker for outbound, the in worker for inbound SAs.
 */
#ifndef POSTERN_ENGINE_SA_H
#define POSTERN_ENGINE_SA_H

#include "datapath/engine/cipher.h"
#include "datapath/engine/count.h"
#include "datapath/engine/inner.h"
#include "datapath/engine/rcu.h"
#include "datapath/engine/replay.h"

#include <netinet/in.h>

#define SA_BUCKETS   4096
#define SA_FRAGMENTS 16

struct policy;
struct hop;

struct selector4 {
	uint32_t local_from, local_to, remote_from, remote_to;
	uint16_t local_port_from, local_port_to, remote_port_from, remote_port_to;
	uint8_t protocol; /* 0: any */
	bool ports;       /* ports are restricted */
};

/* First fragments that passed a selector with ports; the later ones of the same packet pass by them. */
struct fragment_id {
	uint32_t src, dst;
	uint16_t id;
	uint8_t protocol;
};

struct sa_state {
	unsigned refs; /* control thread */
	uint8_t key_digest[32];
	struct cipher_key *key;
	uint64_t seq;         /* outbound: last used */
	struct replay replay; /* inbound */
	struct count count, base;
	uint64_t last_us; /* of the last packet */
	uint64_t put_us;  /* when the SA was put first */
	bool soft_told, hard_told, cycle_told;
	uint64_t mapping_told; /* inbound: the place that was reported last */
	struct fragment_id fragments[SA_FRAGMENTS];
	unsigned next_fragment;
};

struct sa {
	struct sa *hash_next; /* RCU */
	struct sa *out_next;  /* RCU: list of the policy */
	struct sa *all_next;  /* control thread */
	struct dpm_sa conf;   /* key bytes are wiped */
	bool ah;              /* else ESP */
	bool transport;       /* of an AH SA around ESP: never */
	bool around;          /* AH around ESP: carries nothing else */
	uint8_t lead;         /* bytes from the start of the ESP or AH header to the payload */
	struct sa *outer;     /* RCU: of ESP in a bundle: the AH SA around it; NULL: it is not there (any more) */
	uint32_t local;
	uint64_t remote; /* atomic: address << 16 | port */
	struct selector4 sel;
	struct cipher_sizes size;
	struct sa_state *state;
	struct policy *policy;
	struct hop *hop;
	bool dead;             /* atomic: over its time */
	bool end_told;         /* control thread: the event about that was given */
	uint64_t idle_told_us; /* control thread: the last packet that an event about idleness was about, or put_us; 0: none yet */
};

struct sa_table {
	struct rcu *rcu;
	struct sa *buckets[SA_BUCKETS]; /* RCU: inbound */
	struct sa *all;                 /* control thread: newest first */
	size_t count;
};

/* A new SA with its own state, or sharing `same`'s (NULL: none); not linked yet. */
enum err ipsec_sa_new(struct sa **out, const struct dpm_sa *conf, struct sa *same) MUST_CHECK;
void ipsec_sa_free(struct sa *sa); /* after its grace period */
bool sa_same_keys(const struct sa *sa, const struct dpm_sa *conf);

void sa_link(struct sa_table *t, struct sa *sa, struct sa *replaces);
void sa_unlink(struct sa_table *t, struct sa *sa);
/* Control thread: by key; an outbound SA is also known by the address it was moved to. */
struct sa *ipsec_sa_find(const struct sa_table *t, const struct dp_sa_key *key);
bool sa_spi_used(const struct sa_table *t, uint32_t spi);
/* Control thread: the SA of the other direction, NULL if it is not there. */
struct sa *sa_partner(const struct sa_table *t, const struct sa *sa);

/* Workers. */
struct sa *sa_inbound(const struct sa_table *t, uint8_t protocol, uint32_t spi, uint32_t dst);
/* `around`: the AH SA of a bundle, NULL for none. */
struct sa *sa_outbound(struct policy *p, const struct inner *in, struct sa **around);
/* The longest clear packet whose outer packet is not over `mtu`; `header_len` of it stays outside in transport mode. 0: none fits.
 */
uint16_t sa_plain_mtu(const struct sa *sa, const struct sa *around, uint16_t mtu, uint32_t header_len);

struct selector4 selector_of(const struct dp_selectors *s);
bool selector_covers(const struct selector4 *s, const struct inner *in, bool inbound);
/* Does the packet lie within the selectors? `inbound` swaps the sides. A fragment without ports is covered where the ports
 * are not restricted. In transport mode the addresses are the gateways' own, whatever was negotiated: a NAT may stand between. */
bool sa_covers(const struct sa *sa, const struct inner *in, bool inbound);
/* The same for an opened packet, with memory of first fragments. In worker only. */
bool sa_admits(struct sa *sa, const struct inner *in);

static inline uint64_t place_of(uint32_t address, uint16_t port)
{
	return (uint64_t)address << 16 | port;
}
static inline uint32_t place_address(uint64_t p)
{
	return (uint32_t)(p >> 16);
}
static inline uint16_t place_port(uint64_t p)
{
	return (uint16_t)p;
}

/* Where its packets go; raw sockets look at no port. */
static inline struct sockaddr_in sa_place(const struct sa *sa)
{
	uint64_t place = RCU_GET(sa->remote);

	return (struct sockaddr_in){
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(place_address(place)), .sin_port = htons(place_port(place))
	};
}

#endif
