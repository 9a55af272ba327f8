/* What protects packets: one struct of functions, implemented by engine/ (user space), xfrm/ (kernel) and a fake for tests.
 *
 * All functions run on the control thread (the one of `loop`), return at once (waits are below a few milliseconds) and copy
 * what they are given. Events come back on the same thread, never from inside a call. IPv4 numbers are in host order.
 *
 *   filter/ (nft)  egress hook: what may match a policy  --> the TAP (BACKEND_TAP) --> engine: classify, hold, seal --> wire
 *   wire --> engine: open, check --> the TAP --> kernel: input list, NAT, routing
 *
 * What the engine expects of the filter, per interface with a crypto map:
 *   egress:  own IKE and ESP in UDP (from 500 and 4500, or with BACKEND_SOCKET_MARK) and protocols 50 and 51 from own addresses
 * pass; what a policy may match is `fwd to` BACKEND_TAP, with the Ethernet header untouched: its source address tells the engine
 * the interface; ingress: unfragmented protocol 50 to own addresses is dropped (the engine has taken its copy from AF_PACKET);
 *            fragments pass: the kernel puts them together and the engine has the whole packet from its raw socket;
 *   input:   on UDP 500 and 4500 the access-group applies as to everything; the list for protocol 50 is applied by the
 *            engine (backend_interface.acl_in), since AF_PACKET sees packets before netfilter.
 */
#ifndef POSTERN_DATAPATH_BACKEND_H
#define POSTERN_DATAPATH_BACKEND_H

#include "configdb/cfg.h"
#include "datapath/dp_api.h"
#include "platform/base/env.h"
#include "platform/base/err.h"
#include "platform/base/loop.h"

/* SO_MARK of what sends UDP from ports 500 and 4500: by it the filter knows later fragments, which have no ports. "PSTN". */
#define BACKEND_SOCKET_MARK 0x5053544eu
#define BACKEND_TAP         "ptap0" /* persistent: while no engine reads it, what is forwarded to it goes nowhere */

/* An interface with a crypto map. */
struct backend_interface {
	char name[CFG_NAME];                  /* IOS name, as in dp_policy_id */
	char ifname[16];                      /* the kernel's */
	int ifindex;                          /* 0: not there at present; the set is replaced when it comes */
	uint32_t addr;                        /* what IKE and ESP of its map have; 0: none */
	bool acl_in;                          /* an inbound access-group is applied (and the list exists) */
	const struct cfg_ace *acl_in_entries; /* by seq; an ESP packet that none permits is dropped */
	size_t nacl_in_entries;
};

/* One line of a crypto access-list, permit or deny; or a policy of a dynamic map, which has no line: it is matched by its
 * selectors, and `acl` is empty. */
struct backend_policy {
	struct dp_policy_id id;
	char interface[CFG_NAME]; /* where it is matched: with `local-address` all interfaces of a map share its policies and SAs */
	uint8_t kind;             /* enum cfg_map_kind of the map entry */
	char acl[CFG_NAME];       /* the list the line is in, for match counts */
	struct cfg_ace ace;       /* outbound direction: src is the local side. Never a remark */
	struct dp_selectors sel;  /* permit: what is negotiated for the line */
	uint8_t df;               /* enum cfg_df, for what is held and for packets too big before there is an SA */
};

/* All that is protected. Entries are in match order: by interface, then map sequence, then line. A packet is tried against
 * the entries of its interface: the first permit protects it; a deny passes over the remaining lines of the same map
 * sequence; no match means the packet should not have come and is dropped (DP_DROP_POLICY). */
struct backend_policies {
	const struct backend_interface *interfaces;
	size_t ninterfaces;
	const struct backend_policy *entries;
	size_t nentries;
};

/* Match counts of one line. */
struct backend_line_count {
	char acl[CFG_NAME];
	uint32_t ace_seq;
	uint64_t matches; /* packets (segments of a super-packet each) */
};

enum backend_event_kind {
	BACKEND_ACQUIRE,
	BACKEND_EXPIRE,
	BACKEND_MAPPING,
	BACKEND_INVALID_SPI,
	BACKEND_PASSED_IKE,
	BACKEND_DROP /* a drop worth a log line; at most one a second per reason */
};

struct backend_event {
	enum backend_event_kind kind;
	union {
		struct dpm_acquire acquire;
		struct dpm_expire expire;
		struct dpm_mapping mapping;
		struct dpm_invalid_spi invalid_spi;
		struct {
			const struct dpm_packet *packet; /* borrowed during the call */
			size_t len;                      /* of packet->bytes */
		} passed_ike;
		struct {
			uint8_t reason;            /* enum dp_drop */
			struct addr local, remote; /* outer, or the inner ones where there is no SA */
			uint32_t spi, sequence;    /* 0: none */
			uint32_t conn_id;          /* 0: none */
			uint8_t protocol;
			struct addr peer; /* the SA's; unset: no SA. AH_NAT: `remote` is what the packet came from */
			uint64_t count;   /* since the last event of this reason */
		} drop;
	};
};

struct backend_args {
	struct loop *loop;
	const struct env *env;
	void (*event)(void *ctx, const struct backend_event *ev);
	void *ctx;
};

struct backend; /* an implementation's instance */

struct backend_ops {
	const char *name; /* "engine", "xfrm", "fake" */
	/* Opens devices and sockets; may need CAP_NET_ADMIN and CAP_NET_RAW now and later. ERR_UNSUPPORTED: the kernel lacks
	 * what it needs; why is logged. */
	enum err (*open)(struct backend **b, const struct backend_args *args);
	void (*close)(struct backend *b); /* wipes all keys; NULL is fine */

	/* Borrowed descriptors for ikemgrd: UDP 500 and the IKE half of UDP 4500, both bound to any address, IP_PKTINFO on. */
	enum err (*ike_sockets)(struct backend *b, int *udp500, int *udp4500);

	/* A reservation that ends after 60 s without an SA. The SPI is above 255, random and unused. */
	enum err (*spi_alloc)(struct backend *b, const struct dpm_spi *req, uint32_t *spi);
	/* ERR_UNSUPPORTED: algorithm or mode; ERR_RANGE: a key of wrong length. An SA with the key of an existing one replaces it;
	 * if the cipher keys are the same, sequence numbers and window go on. The newest outbound SA of a policy is used; older
	 * ones stay for what they alone cover. */
	enum err (*sa_put)(struct backend *b, const struct dpm_sa *sa);
	enum err (*sa_del)(struct backend *b, const struct dp_sa_key *key);
	enum err (*sa_move)(struct backend *b, const struct dpm_sa_move *move);
	enum err (*flush)(struct backend *b, struct addr remote); /* unset: all */

	/* Replaces the whole set in one step. SAs stay, found again by dp_policy_id; held packets are classified anew. */
	enum err (*policy_replace)(struct backend *b, const struct backend_policies *set);
	/* DP_POLICY_FAILED drops what is held and asks no more for hold_off_ms (packets in that time are dropped: NO_SA).
	 * DP_POLICY_UP, or an SA that fits, releases what is held. */
	enum err (*policy_state)(struct backend *b, const struct dpm_policy_state *state);

	/* An ESP packet that came on the IKE socket: taken as if it had come on the ESP one. */
	enum err (*pass_packet)(struct backend *b, const struct dpm_packet *p, size_t len);

	/* Dumps: `each` may return false to stop. Borrowed during the call. */
	enum err (*sa_dump)(struct backend *b, const struct dpm_dump_filter *f,
		bool (*each)(void *ctx, const struct dpm_sa_info *i), void *ctx);
	enum err (*policy_dump)(struct backend *b, const struct dpm_dump_filter *f,
		bool (*each)(void *ctx, const struct dpm_policy_info *i), void *ctx);
	enum err (*line_dump)(struct backend *b, bool (*each)(void *ctx, const struct backend_line_count *c), void *ctx);
	void (*drops)(struct backend *b, uint64_t out[DP_DROP_COUNT]); /* global sums */
	void (*info)(struct backend *b, struct dpm_engine_info *out);
	/* remote unset: all SA and policy counters and the global drops; else those of a peer. */
	void (*clear_counters)(struct backend *b, struct addr remote);
	void (*clear_line_counts)(struct backend *b, const char *acl); /* "*": all */

	/* While on, packet sockets on this host see what comes and leaves, each packet as it is on the wire. */
	void (*be_seen)(struct backend *b, bool on);
};

extern const struct backend_ops engine_backend;

#endif
