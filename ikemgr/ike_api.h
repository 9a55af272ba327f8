/* ikemgrd's door: the messages of the socket RUN_DIR/ikemgrd, for the console. */
#ifndef POSTERN_IKEMGR_IKE_API_H
#define POSTERN_IKEMGR_IKE_API_H

#include "configdb/configdb.h"
#include "platform/base/addr.h"
#include "platform/base/msg.h"

#define IKEMGRD_SOCKET "ikemgrd"

enum ike_msg {
	IKEM_SA_DUMP = 1,  /* -> dump of ikem_sa */
	IKEM_PEER_DUMP,    /* -> dump of ikem_session: `show crypto session` */
	IKEM_CLEAR,        /* ikem_clear -> uint32 how many. Privilege 15 */
	IKEM_DEBUG,        /* ikem_debug -> ikem_debug. Privilege 15 */
	IKEM_KEY_EXPORT,   /* ikem_key_export: tshark's ikev1_decryption_table lines of new SAs are appended to a file. Privilege 15
			    */
	IKEM_KEYS,         /* ikem_keys -> ikem_keys, the present state: keep the keys of new SAs. Privilege 15 */
	IKEM_KEY_DUMP,     /* -> dump of ikem_key, oldest first. Privilege 15 */
	IKEM_FAILURE_DUMP, /* -> dump of ikem_failure: the last ones, newest first */
	IKEM_ADMISSION,    /* -> ikem_admission: `show crypto call admission statistics` */
	IKEM_STATS,        /* -> dump of ikem_stat */
	IKEM_CONNECT,      /* ikem_connect -> ikem_connected: negotiation without traffic. Privilege 15 */
	IKEM_CRL_DUMP = 40, /* -> dump of ikem_crl */
	IKEM_CRL_REQUEST =
		41, /* ikem_crl_request -> ikem_crl_requested: the lists that a trustpoint's certificates name. Privilege 15 */

	/* SCEP */
	IKEM_SCEP_CA = 48, /* ikem_scep_ca -> dump of ikem_scep_cert, then the status, when the CA has answered; a failed one has its
			    * reason in one ikem_scep_cert of kind IKE_SCEP_WHY before it. Privilege 15 */
	IKEM_SCEP_ENROLL,  /* ikem_scep_enroll -> status: it goes on by itself. Privilege 15 */
	IKEM_SCEP_DUMP,    /* -> dump of ikem_scep */
	IKEM_SCEP_CANCEL   /* ikem_scep_ca -> status; ERR_NOT_FOUND: no enrollment is under way. Privilege 15 */
};

/* `show crypto isakmp sa`; names as IOS prints them come from ike_state_name(). */
enum ike_state {
	MM_NO_STATE,
	MM_SA_SETUP,
	MM_KEY_EXCH,
	MM_KEY_AUTH,
	AG_NO_STATE,
	AG_INIT_EXCH,
	AG_AUTH,
	CONF_XAUTH,
	CONF_ADDR,
	QM_IDLE,
	IKE_STATE_COUNT
};
const char *ike_state_name(enum ike_state s);

struct ikem_sa {
	uint32_t conn_id; /* from 1001 */
	uint8_t version;  /* 1, 2 */
	uint8_t state;    /* enum ike_state */
	uint8_t initiator;
	uint8_t deleted;
	uint8_t established;
	struct addr local, remote;
	uint16_t local_port, remote_port;
	uint8_t encryption, hash, auth, group; /* enum alg_cipher, enum alg_hash, RFC 2409 method, group; 0 not agreed */
	uint32_t lifetime_s, remaining_s;
	uint8_t cap_dpd, cap_nat, cap_keepalive, cap_xauth, cap_config;
	uint64_t cookie_i, cookie_r;
	char identity[128]; /* the peer's phase 1 identity, as authenticated */
	uint64_t age_s;
	uint32_t children;             /* IPsec SA pairs made under it */
	char user[80], group_name[80]; /* of a remote-access client; empty: none */
	struct addr assigned;          /* its address; unset: none */
	char vendors[192];             /* vendor IDs that the peer sent and we know, ", " between them */
	char profile[CFG_NAME];
};

struct ikem_session {
	char interface[CFG_NAME];
	struct addr local, remote;
	uint16_t remote_port;
	uint64_t uptime_s;
};

struct ikem_clear {
	enum { IKE_CLEAR_ISAKMP, IKE_CLEAR_IPSEC, IKE_CLEAR_SESSION } what;
	uint32_t conn_id;   /* 0: not by id */
	struct addr peer;   /* unset: all */
	char map[CFG_NAME]; /* `clear crypto sa map NAME`; empty: all */
	char user[80];      /* of a remote-access client; empty: all */
};

struct ikem_connect {
	char map[CFG_NAME];
	uint16_t seq; /* 0: all entries */
};

/* Permit lines of complete entries on interfaces that are up. */
struct ikem_connected {
	uint32_t begun, up; /* negotiation begun, or under way; SAs are there already */
	uint32_t passive;   /* entries that only answer, are keyed by hand, or wait for pairs of hosts */
};

struct ikem_debug {
	uint8_t isakmp, isakmp_error, detail; /* the wanted state; the answer has the present one */
	uint8_t set;                          /* 0: only ask */
};

struct ikem_key_export {
	char path[256]; /* absolute, below the router's data folder; empty: stop */
};

struct ikem_keys {
	uint8_t set, on; /* set 0: only a question */
};

struct ikem_key {
	uint64_t cookie_i;
	uint16_t len;
	uint8_t key[64]; /* phase 1 encryption */
};

struct ikem_failure {
	uint64_t wall_us;
	struct addr remote;
	uint32_t conn_id;
	char text[512]; /* what was wrong, offered and wanted */
};

struct ikem_admission {
	uint32_t max_sas, max_negotiating; /* 0: no limit */
	uint32_t sas, negotiating;         /* negotiating ones are among them */
	uint32_t children, quicks;         /* pairs of IPsec SAs; quick modes under way */
	uint64_t incoming, incoming_rejected, outgoing, outgoing_rejected;
	uint64_t rejected_active, rejected_negotiating; /* by which limit */
	uint64_t dropped;                               /* messages that belong to nothing */
	uint64_t phase2_in, phase2_in_rejected, phase2_out, phase2_out_rejected;
};

struct ikem_crl {
	char issuer[512], url[256]; /* issuer as "cn=Root,o=Acme" */
	char last[64], next[64];    /* updates, as IOS prints times */
	uint32_t bytes;
	uint64_t fetched_us; /* wall clock */
};

struct ikem_crl_request {
	char trustpoint[CFG_NAME];
};
struct ikem_crl_requested {
	uint32_t lists; /* that are being fetched; what becomes of them is in the log, and in the dump */
	char why[160];  /* lists 0 */
};

struct ikem_scep_ca {
	char trustpoint[CFG_NAME];
};

enum ike_scep_kind { IKE_SCEP_CA, IKE_SCEP_RA_SIGN, IKE_SCEP_RA_ENCRYPT, IKE_SCEP_WHY };
struct ikem_scep_cert {
	uint8_t kind; /* enum ike_scep_kind */
	uint16_t len;
	uint8_t der[5800]; /* IKE_SCEP_WHY: text */
};

struct ikem_scep_enroll {
	char trustpoint[CFG_NAME];
	uint64_t key_id; /* of the key pair in keys.db */
	uint16_t request_len, signer_len;
	uint8_t request[4096]; /* PKCS #10, DER: with the challenge password, wiped by both sides */
	uint8_t signer[4096];  /* a self-signed certificate of the same key and name, DER */
};

enum ike_scep_state { IKE_SCEP_REQUESTING, IKE_SCEP_PENDING, IKE_SCEP_GRANTED, IKE_SCEP_REJECTED, IKE_SCEP_FAILED };
/* The last enrollment of a trustpoint. */
struct ikem_scep {
	char trustpoint[CFG_NAME];
	uint8_t state; /* enum ike_scep_state */
	uint8_t tries, retry_count;
	char subject[512];         /* "cn=R1,o=Acme" */
	char md5[64], sha1[64];    /* of the request, as "0A1B2C3D …" */
	char transaction[48];
	char why[256];             /* of the last failure; empty: none */
	uint64_t next_wall_us;     /* of the next try; 0: none is waited for */
};

struct ikem_stat {
	char name[48];
	uint64_t value;
};

#endif
