/* What an IKE SA and a quick mode know: flat values, so that the runner can work on a copy and commit it by assignment.
 *
 * Nothing here owns memory. Everything is wiped by its owner (table.c, quick.c).
 */
#ifndef POSTERN_IKEMGR_STATE_H
#define POSTERN_IKEMGR_STATE_H

#include "ikemgr/codec/codec.h"
#include "ikemgr/crypto/cipher.h"
#include "ikemgr/crypto/dh.h"
#include "ikemgr/crypto/prf.h"
#include "configdb/cert.h"
#include "ikemgr/ike.h"

/* Longest SA payload body that takes part in HASH_I and HASH_R: 255 transforms of ours take 9 KB. */
#define SA_BODY_MAX 10240
#define ID_BODY_MAX 512
#define NONCE_LEN   32 /* ours; RFC 2409 5 allows 8 to 256 */
#define NONCE_MIN   8

struct nonce {
	uint16_t len;
	uint8_t bytes[IKE_NONCE_MAX];
};
static inline struct span nonce_span(const struct nonce *n)
{
	return span_of(n->bytes, n->len);
}

struct id_body { /* body of an ID payload as it went over the wire: it is hashed */
	uint16_t len;
	uint8_t bytes[ID_BODY_MAX];
};
static inline struct span id_span(const struct id_body *i)
{
	return span_of(i->bytes, i->len);
}

/* Agreed in phase 1. */
struct ike_terms {
	enum alg_cipher cipher;
	enum alg_hash hash;
	enum alg_group group;
	uint16_t auth; /* RFC 2409: 1 pre-share */
	bool xauth;    /* the client's method was that one with XAUTH (XAUTHInit…) */
	uint32_t lifetime_s;
	uint32_t told_lifetime_s; /* shorter than what the peer offered: RESPONDER-LIFETIME; 0: no need */
};

enum natt { NATT_NONE, NATT_DRAFT_02, NATT_DRAFT_03, NATT_RFC };

/* Where the transaction exchanges with a remote-access client stand (rules_client.c). Apart from enum ike_state. */
enum client_stage {
	CLIENT_OFF,              /* no client, or not known yet */
	CLIENT_XAUTH_BEGIN = 64, /* phase 1 is through: the user is to be asked for */
	CLIENT_XAUTH_ASKED,
	CLIENT_XAUTH_CHECKED, /* configd compares */
	CLIENT_XAUTH_TOLD,    /* the user is who they say; the client is to confirm that it knows */
	CLIENT_XAUTH_REFUSED, /* the user is not; the client has been told */
	CLIENT_PUSH_BEGIN,    /* the address is to be pushed */
	CLIENT_PUSHED,
	CLIENT_READY, /* questions for an address are answered */
	CLIENT_STAGE_END
};

#define CLIENT_PASSWORD 128

struct client_state {
	enum client_stage stage;
	uint32_t message_id; /* of the transaction under way, or of the last */
	uint16_t identifier;
	uint8_t iv[CIPHER_BLOCK_MAX];
	bool push, respond;             /* what the configuration says about addresses */
	bool open;                      /* the list of methods is `none`: any user will do */
	bool authorize;                 /* groups are looked up */
	bool group_proved;              /* its key made this SA */
	char group[CFG_NAME];           /* of the client; empty: none */
	char user[CFG_NAME];            /* as it said; proved with EV_NAMED */
	char password[CLIENT_PASSWORD]; /* until the question is asked */
	uint32_t address;               /* ours to it; 0: none */
};

struct sa_state {
	uint8_t version;
	bool initiator;
	uint8_t exchange; /* of phase 1: EXCH_MAIN, EXCH_AGGRESSIVE */
	enum ike_state state;
	uint16_t evidence; /* enum evidence */
	uint64_t cookie_i, cookie_r;
	struct ike_path path;
	struct ike_terms terms;
	uint64_t secret_id;
	struct secret skeyid_d, skeyid_a, skeyid_e, key;
	uint8_t iv[CIPHER_BLOCK_MAX]; /* last ciphertext block of phase 1 */
	enum natt natt;               /* both ends can */
	bool nat_local, nat_remote;   /* who is behind a NAT, or says so */
	bool peer_dpd, peer_initial_contact;
	bool peer_xauth, peer_unity; /* vendor IDs of a client */
	struct client_state client;
	bool peer_fragments;
	uint32_t vendors;       /* set of enum vendor that the peer sent */
	bool peer_known;        /* some crypto map entry names it */
	char identity[128];     /* the peer's, authenticated with EV_AUTHED */
	char profile[CFG_NAME]; /* ISAKMP profile; empty: none */
	bool profile_fixed;     /* it is the crypto map's choice, not the identity's */
};

#define CHAIN_LINKS 8
#define CHAIN_BYTES 16384 /* of all certificates together */
#define OCSP_NONCE  16

/* The peer's chain: its own certificate first, the trust anchor last. */
struct cert_chain {
	uint8_t n;
	struct cert_link {
		uint16_t at, len;
		char trustpoint[CFG_NAME]; /* whose revocation-check it falls under */
	} link[CHAIN_LINKS];
	uint8_t der[CHAIN_BYTES];
};
static inline struct span chain_cert(const struct cert_chain *c, size_t i)
{
	return i < c->n ? span_of(c->der + c->link[i].at, c->link[i].len) : (struct span){ 0 };
}

/* Needed until phase 1 is through. */
struct handshake {
	struct secret skeyid;
	struct dh_value ours, theirs, shared;
	struct nonce ni, nr;
	uint16_t sa_len; /* SAi_b: the initiator's SA payload without generic header */
	uint8_t sa_body[SA_BODY_MAX];
	struct id_body id_i, id_r;
	/* Aggressive mode: the chosen proposal, and the peer's hash, until the keys are there. */
	uint16_t echo_len;
	uint8_t echo[1024];
	uint8_t hash_len, hash[PRF_MAX];
	/* Signatures: what is to be signed, our signature, the peer's (aggressive mode, as its hash), its certificate and those
	 * above it. */
	struct ike_sign_request sign;
	uint16_t signature_len, proof_len;
	uint8_t proof[IKE_SIGNATURE_MAX];
	uint8_t signature[IKE_SIGNATURE_MAX];
	struct cert_chain chain;
	/* Revocation: certificates still to be checked, from the top of the chain down; the method that is being tried with the
	 * last of them, by its place in cfg_trustpoint.revocation; what became of it (enum revoked). */
	uint8_t unchecked, method, revocation;
	uint8_t nonce[OCSP_NONCE];
};

enum quick_stage {
	QUICK_NEW = 32, /* apart from enum ike_state */
	QUICK_ASKED,    /* waits for the host */
	QUICK_SENT,     /* waits for the peer */
	QUICK_CHOSEN,   /* the peer's answer is good; waits for the host */
	QUICK_KEYED,    /* inbound SA goes in */
	QUICK_DONE,
	QUICK_STAGE_END
};

#define QUICK_ATTRIBUTES_MAX 256

/* In each direction one SA of ESP, one of AH, or both: AH around ESP, two proposals of one number (RFC 2408 4.2). */
enum part { PART_ESP, PART_AH, PARTS };

/* What a transform-set says. */
struct protection {
	enum alg_cipher cipher; /* of ESP; CIPHER_NONE: AH alone */
	enum alg_hash auth;     /* of ESP */
	enum alg_hash ah;       /* HASH_NONE: ESP alone */
	bool transport, esn;
};

/* What a pair of IPsec SAs is made of. */
struct child_terms {
	struct protection is;
	enum alg_group group;                       /* GROUP_NONE: no PFS */
	uint32_t lifetime_s, lifetime_kb;           /* kb 0: no limit */
	uint32_t told_lifetime_s, told_lifetime_kb; /* for RESPONDER-LIFETIME; 0: no need */
	uint32_t spi_in[PARTS], spi_out[PARTS];
};

/* One transform of the answer, to be echoed as it came. */
struct chosen {
	uint8_t transform, transform_id;
	uint16_t attributes_len;
	uint8_t attributes[QUICK_ATTRIBUTES_MAX];
};

struct quick_state {
	bool initiator;
	enum quick_stage stage;
	uint16_t evidence;
	uint32_t message_id;
	uint8_t iv[CIPHER_BLOCK_MAX];
	struct dp_policy_id policy;
	char dynamic[CFG_NAME]; /* dynamic map and the number of its entry that the policy is made under; empty: none */
	uint16_t dynamic_seq;
	struct dp_selectors sel;
	struct id_body id_i, id_r;
	struct child_terms terms;
	/* The offer: ours (initiator), to check the answer against. */
	struct protection offered[CFG_MAP_SETS];
	uint8_t noffered;
	/* The answer: the chosen proposals, to be echoed (responder). */
	uint8_t proposal;
	bool ah_first; /* of the two of one number */
	struct chosen chosen[PARTS];
	/* Transport mode through a NAT: what the peer thinks that both ends are (RFC 3947 5.2); unset: not said. */
	struct addr nat_oa_local, nat_oa_remote;
	uint32_t idle_s; /* 0: never */
	struct nonce ni, nr;
	struct dh_value ours, theirs, shared;
	struct secret keymat_in[PARTS], keymat_out[PARTS];
};

#endif
