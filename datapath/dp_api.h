/* datapathd's door: the messages of the socket RUN_DIR/datapathd.
 *
 * ikemgrd asks for SPIs and puts SAs, and gets acquire, expire and mapping events; the console reads dumps.
 * A policy is one permit line of the access-list of one complete crypto-map entry on one interface. Both sides derive
 * policies from the same snapshot; its name in messages is struct dp_policy_id.
 */
#ifndef POSTERN_DATAPATH_DP_API_H
#define POSTERN_DATAPATH_DP_API_H

#include "configdb/configdb.h"
#include "platform/base/addr.h"
#include "platform/base/msg.h"

#define DATAPATHD_SOCKET "datapathd"

enum dp_msg {
	/* From ikemgrd (its uid, checked) */
	DPM_ATTACH =
		1, /* this connection is ikemgrd: gets the events; the answer is dpm_attached with descriptors: UDP 500, UDP 4500 */
	DPM_SPI_ALLOC,    /* dpm_spi -> dpm_spi with the SPI; a reservation, dropped after 60 s without an SA */
	DPM_SA_PUT,       /* dpm_sa -> status. Adds or (same key) replaces. Keys are wiped on both sides */
	DPM_SA_DEL,       /* dpm_sa_key -> status */
	DPM_SA_MOVE,      /* dpm_sa_move: NAT mapping or outbound preference changed */
	DPM_POLICY_STATE, /* dpm_policy_state: acquire was answered (failed: drop what is held and hold off) */
	DPM_FLUSH,        /* all SAs, or those of a peer (dpm_flush) */
	/* dpm_dynamic -> status: a policy that a negotiation made (dynamic map). When it is answered it is in force, and its SAs
	 * may follow. ERR_NOT_FOUND: the configuration has no such place; then, or when it changes, it ends without a message, and
	 * its SAs by DPM_EXPIRE. Same id: replaced */
	DPM_DYNAMIC_PUT,
	DPM_DYNAMIC_DEL, /* dp_policy_id -> status. SAs that it still has end by DPM_EXPIRE (hard) */
	DPM_PASS_PACKET, /* an ESP packet that arrived on the IKE socket behind the non-ESP rule (body: dpm_packet) */

	/* Events to ikemgrd */
	DPM_ACQUIRE = 32, /* dpm_acquire */
	DPM_EXPIRE,       /* dpm_expire: volume limits and sequence numbers; time is ikemgrd's own business */
	DPM_MAPPING,      /* dpm_mapping: authentic packets of an encapsulated SA come from elsewhere now */
	DPM_INVALID_SPI,  /* dpm_invalid_spi: rate-limited */
	DPM_PASSED_IKE,   /* an IKE message that came inside a GRO batch of ESP: dpm_packet */

	/* From the console */
	DPM_SA_DUMP = 64,   /* dpm_dump_filter -> dump of dpm_sa_info */
	DPM_POLICY_DUMP,    /* -> dump of dpm_policy_info, in map order */
	DPM_ACL_DUMP,       /* -> dump of dpm_acl_count: matches per entry of access-groups and crypto lists */
	DPM_DROP_DUMP,      /* -> dump of dpm_drop */
	DPM_ENGINE_INFO,    /* -> dpm_engine_info */
	DPM_CLEAR_COUNTERS, /* dpm_clear: SA and policy counters, or an access-list's. Privilege 15 */
	DPM_DYNAMIC_DUMP,   /* -> dump of dpm_dynamic */
	DPM_DEBUG,          /* dpm_debug -> dpm_debug, the present state. Privilege 15; with ipsec 0 only a question */
	DPM_CAPTURE,        /* dpm_capture -> dpm_capture_said: one step of `monitor capture`. Privilege 15, as all of captures */
	DPM_CAPTURE_DUMP,   /* -> dump of dpm_capture_info */
	DPM_KEYS,           /* dpm_keys -> dpm_keys, the present state: keep the keys of new SAs. Privilege 15 */
	DPM_KEY_DUMP,       /* -> dump of dpm_key, oldest first. Privilege 15 */
	DPM_CAPTURE_READ    /* dpm_capture_read -> packets, as many as one message takes: see dp_capture_packet */
};

struct dp_selector {                 /* one side of a traffic selector: a range, and ports */
	struct addr from, to;        /* inclusive; a subnet is the range of its addresses */
	uint16_t port_from, port_to; /* 0..65535: any */
};

struct dp_selectors {
	struct dp_selector local, remote;
	uint8_t protocol; /* 0: any */
};

struct dp_policy_id {
	char interface[CFG_NAME]; /* IOS name */
	char map[CFG_NAME];
	uint16_t map_seq;
	uint32_t ace_seq; /* sequence number of the permit line; with DP_ACE_DYNAMIC: made by a negotiation, numbered by ikemgrd */
};
#define DP_ACE_DYNAMIC UINT32_C(0x80000000)

/* A policy of a dynamic map's entry: outbound traffic of these selectors belongs to the SAs of this id. It stands behind all
 * static entries of its map with lower sequence numbers, lives until it is deleted, and survives ikemgrd. */
struct dpm_dynamic {
	struct dp_policy_id id; /* map_seq: of the map's `dynamic` entry */
	struct dp_selectors sel;
	struct addr peer;
	char dynamic[CFG_NAME]; /* crypto dynamic-map and the sequence of its entry: for reverse-route and the like */
	uint16_t dynamic_seq;
};

struct dpm_attached {
	char backend[16];   /* "engine", "xfrm" */
	uint8_t native_esp; /* ESP without UDP can be carried */
};

struct dpm_spi {
	struct addr local, remote;
	uint8_t protocol; /* 50 ESP, 51 AH */
	uint32_t spi;     /* host order; in the answer */
};

struct dp_sa_key {
	uint32_t spi;
	uint8_t protocol;
	uint8_t inbound;
	struct addr dst; /* local for inbound, remote for outbound */
};

#define DP_KEY_MAX 68 /* longest cipher key with salt, longest authentication key */

struct dpm_sa {
	struct dp_sa_key key;
	struct addr local, remote;
	struct dp_policy_id policy;
	struct dp_selectors sel; /* what was negotiated; inner packets are checked against it */
	uint8_t transport;       /* 0 tunnel */
	/* AH around ESP (RFC 4301 4.4.2.1 calls it an SA bundle): in the ESP SA the SPI of the AH SA around it, in the AH SA that
	 * of the ESP SA inside; 0: alone. The AH SA is put first. In tunnel mode ESP is the tunnel and AH is transport around it.
	 */
	uint32_t bundle_spi;
	struct addr nat_oa_local, nat_oa_remote; /* transport mode through a NAT: the addresses the peer's checksums were made with
						    (RFC 3948 3.1.2); unset: none */
	uint32_t idle_s;                         /* DP_EXPIRE_IDLE after so long without a packet; 0: never */
	uint8_t udp_encap;
	uint16_t local_port, remote_port; /* of the encapsulation */
	uint8_t cipher, auth;             /* enum alg_cipher, enum alg_hash */
	uint8_t esn;
	uint16_t replay_window; /* packets; 0: off */
	uint8_t df;             /* enum cfg_df */
	uint8_t fragment_after;
	uint8_t cipher_key[DP_KEY_MAX]; /* with salt */
	uint8_t cipher_key_len;
	uint8_t auth_key[DP_KEY_MAX];
	uint8_t auth_key_len;
	uint64_t soft_bytes, hard_bytes; /* 0: no limit */
	uint64_t created_wall_us;
	uint32_t lifetime_s, lifetime_kb; /* for show: as agreed */
	uint32_t conn_id;                 /* of `show crypto ipsec sa` */
	uint32_t ike_conn_id;
	uint8_t pfs_group;
	uint32_t peer_spi;   /* the other direction's, so that show can pair them */
	uint64_t hard_at_us; /* CLOCK_MONOTONIC: the engine stops it then by itself; 0 never */
};

struct dpm_sa_move {
	struct dp_sa_key key;
	struct addr remote;
	uint16_t remote_port;
};

enum dp_policy_verdict { DP_POLICY_FAILED, DP_POLICY_UP };
struct dpm_policy_state {
	struct dp_policy_id policy;
	uint8_t verdict;
	uint32_t hold_off_ms; /* no new acquire before that */
};

struct dpm_flush {
	struct addr remote; /* unset: all */
};

struct dpm_packet {
	struct addr local, remote;
	uint16_t local_port, remote_port;
	uint8_t bytes[];
};

struct dpm_acquire {
	struct dp_policy_id policy;
	struct addr src, dst; /* of the packet */
	uint16_t src_port, dst_port;
	uint8_t protocol;
};

enum dp_expire { DP_EXPIRE_SOFT, DP_EXPIRE_HARD, DP_EXPIRE_SEQUENCE, DP_EXPIRE_IDLE };
struct dpm_expire {
	struct dp_sa_key key;
	uint8_t why;
	uint64_t bytes, packets;
};

struct dpm_mapping {
	struct dp_sa_key key;
	struct addr remote;
	uint16_t remote_port;
};

struct dpm_invalid_spi {
	struct addr local, remote;
	uint32_t spi;
	uint8_t protocol;
};

struct dp_counters {
	uint64_t packets, bytes; /* encapsulated or decapsulated (inner bytes) */
	uint64_t errors;         /* sum of drops */
};

/* Why a packet was dropped: enum, counter, text of `show` and help from one list. */
#define DP_DROPS(X)                                                                                                                \
	X(NO_SA, "no sa", "no SA for the traffic (held too long, too many held, or negotiation failed)")                           \
	X(INVALID_SPI, "invalid spi", "no SA with that SPI")                                                                       \
	X(REPLAY, "replay", "sequence number already seen or left of the window")                                                  \
	X(BAD_ICV, "integrity", "integrity check value did not verify")                                                            \
	X(MALFORMED, "malformed", "packet too short, bad padding or bad header")                                                   \
	X(SELECTOR, "identity", "inner packet outside the SA's selectors")                                                         \
	X(EXPIRED, "expired", "SA over its hard limit")                                                                            \
	X(SEQ_CYCLE, "sequence", "sequence numbers used up")                                                                       \
	X(NOT_IPSEC, "not ipsec", "clear packet that should have been protected")                                                  \
	X(TOO_BIG, "too big", "larger than the path MTU with DF set; sender was told")                                             \
	X(NO_ROUTE, "no route", "next hop of the peer not resolved")                                                               \
	X(SEND, "send", "the system refused the packet")                                                                           \
	X(POLICY, "no policy", "the egress hook chose it, but no policy matches")                                                  \
	X(NOMEM, "memory", "no buffer")                                                                                            \
	X(AH_NAT, "ah nat", "AH did not verify, and its source is not the SA's peer: an address was translated on the way")        \
	X(BUNDLE, "bundle", "ESP of an AH and ESP pair without its AH, or AH of such a pair without its ESP")                      \
	X(CHECKSUM, "checksum", "transport mode through a NAT: the inner checksum is not that of the addresses")

enum dp_drop {
#define X(name, word, text) DP_DROP_##name,
	DP_DROPS(X)
#undef X
		DP_DROP_COUNT
};

struct dpm_dump_filter {
	char interface[CFG_NAME]; /* empty: all */
	struct addr peer;         /* unset: all */
};

struct dpm_sa_info {
	struct dp_sa_key key;
	struct addr local, remote;
	struct dp_policy_id policy;
	struct dp_selectors sel;
	uint8_t transport, udp_encap, cipher, auth, esn;
	uint32_t bundle_spi;
	uint16_t local_port, remote_port;
	uint16_t replay_window;
	uint32_t conn_id, ike_conn_id, peer_spi;
	uint8_t pfs_group;
	uint32_t lifetime_s, lifetime_kb; /* as agreed; kb 0: no limit */
	uint64_t age_s;                   /* since created */
	uint64_t idle_s;
	uint8_t preferred; /* outbound: the one that is used now */
	uint64_t sequence; /* last sent, or highest received */
	struct dp_counters count;
	uint64_t drops[DP_DROP_COUNT];
};

struct dpm_policy_info {
	struct dp_policy_id id;
	struct dp_selectors sel;
	uint16_t path_mtu, plain_mtu; /* 0: not known */
	uint32_t held;                /* packets waiting */
	uint8_t acquiring;
	struct dp_counters out, in; /* over all SAs it had */
	uint64_t drops[DP_DROP_COUNT];
};

struct dpm_acl_count {
	char acl[CFG_NAME];
	uint32_t ace_seq;
	uint64_t matches;
};

struct dpm_drop {
	uint8_t reason; /* enum dp_drop */
	uint64_t packets;
};

struct dpm_engine_info {
	char backend[16];
	char detail[256]; /* "user-space ESP: AF_PACKET, UDP GSO; crypto: OpenSSL 3.0.x + ipsec-mb" */
	uint32_t threads;
	uint64_t packets_encrypted, packets_decrypted;
};

struct dpm_clear {
	char acl[CFG_NAME]; /* an access-list's counters, "*": all lists'; empty: crypto counters */
	struct addr peer;   /* crypto counters of a peer; unset: all */
};

struct dpm_debug {
	uint8_t ipsec, on; /* `debug crypto ipsec` */
};

struct dpm_keys {
	uint8_t set, on; /* set 0: only a question */
};

struct dpm_key {
	struct addr src, dst;
	uint32_t spi;
	uint8_t protocol, cipher, auth, esn;
	uint8_t cipher_key[DP_KEY_MAX]; /* with salt */
	uint8_t auth_key[DP_KEY_MAX];
	uint8_t cipher_key_len, auth_key_len;
};

/* `monitor capture`. Captures are datapathd's while it runs, and no part of the configuration. */
#define DP_CAPTURE_NAME       32
#define DP_CAPTURE_INTERFACES 4
#define DP_CAPTURE_BYTES      (32 * 1024) /* of one packet, at most */

enum dp_capture_step {
	DP_CAPTURE_INTERFACE,    /* interface: adds it, or changes its direction */
	DP_CAPTURE_NO_INTERFACE, /* interface: takes it away */
	DP_CAPTURE_FILTER,       /* filter, acl */
	DP_CAPTURE_BUFFER,       /* buffer_mb (0: as it is), circular */
	DP_CAPTURE_LIMIT,        /* limit, value */
	DP_CAPTURE_START,
	DP_CAPTURE_STOP,
	DP_CAPTURE_CLEAR, /* the packets go, the settings stay */
	DP_CAPTURE_REMOVE,
	DP_CAPTURE_STEPS
};

enum dp_capture_filter { DP_CAPTURE_ANY, DP_CAPTURE_IPV4, DP_CAPTURE_ACL };

/* Limits; 0: none. */
#define DP_CAPTURE_LIMITS(X)                                                                                                       \
	X(PACKETS, "packets", "Number of Packets to capture")                                                                      \
	X(DURATION, "duration", "Packet Capture duration")                                                                         \
	X(LENGTH, "packet-length", "Packet Size to capture")                                                                       \
	X(PPS, "pps", "Maximum number of packets to capture per second")                                                           \
	X(EVERY, "every", "Packet sampling rate")
enum dp_capture_limit {
#define X(name, word, text) DP_LIMIT_##name,
	DP_CAPTURE_LIMITS(X)
#undef X
		DP_LIMITS
};

struct dp_capture_interface {
	char name[CFG_NAME]; /* IOS name */
	uint8_t in, out;
};

struct dpm_capture {
	uint8_t step; /* enum dp_capture_step */
	uint8_t filter, circular, limit;
	char name[DP_CAPTURE_NAME];
	struct dp_capture_interface interface;
	char acl[CFG_NAME];
	uint32_t buffer_mb, value;
};

struct dpm_capture_said {
	uint8_t failed;
	char text[256]; /* why */
	struct dp_capture_count {
		uint64_t packets, bytes;     /* in the buffer */
		uint64_t received;           /* that the filter permits, since the last start */
		uint64_t dropped, oversized; /* no room or too many a second; cut to packet-length */
		uint64_t duration_us;
	} count;
};

struct dpm_capture_info {
	char name[DP_CAPTURE_NAME];
	struct dp_capture_interface interfaces[DP_CAPTURE_INTERFACES];
	uint8_t ninterfaces, filter, circular, running;
	char acl[CFG_NAME];
	uint32_t buffer_mb, limits[DP_LIMITS];
	struct dp_capture_count count;
	uint64_t first_ns, last_ns; /* wall clock, of the packets in the buffer */
};

struct dpm_capture_read {
	char name[DP_CAPTURE_NAME];
	uint64_t from; /* the first number wanted */
};

/* Before the bytes of each packet, Ethernet header on; padded to a multiple of 8. */
struct dp_capture_packet {
	uint64_t number; /* from 1 */
	uint64_t at_ns;  /* wall clock */
	uint32_t len, wire_len;
	uint8_t interface; /* index into dpm_capture_info.interfaces */
	uint8_t out;
	uint8_t zero[6];
};

#endif
