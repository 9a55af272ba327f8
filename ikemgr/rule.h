/* Exchanges as tables: the rows, and what a row's handler gets.
 *
 * The runner (runner.c) finds the row for what happened, demands its payload set and evidence, calls the handler on scratch
 * copies, and only if that went well commits them, moves the state, sends what the handler wrote and asks the host for what
 * the handler wants. Handlers never send, never free, never touch the SA itself.
 */
#ifndef POSTERN_IKEMGR_RULE_H
#define POSTERN_IKEMGR_RULE_H

#include "ikemgr/codec/codec.h"
#include "ikemgr/state.h"

struct ike;
struct ike_sa;
struct quick;

enum rule_on {
	ON_START,   /* we begin */
	ON_MESSAGE, /* a message came */
	ON_READY    /* everything that was asked of the host is there */
};
enum rule_role { ROLE_INITIATOR, ROLE_RESPONDER, ROLE_EITHER };
/* Of the method that was agreed; a row for any stands before that too. */
enum rule_auth { RULE_AUTH_ANY, RULE_AUTH_PSK, RULE_AUTH_SIG };

/* What is known about the peer, or done by us: a row demands some and adds some. */
enum evidence {
	EV_OFFERED = 1 << 0, /* our proposal is out */
	EV_CHOSEN = 1 << 1,  /* one proposal is agreed */
	EV_KE_SENT = 1 << 2,
	EV_KE_RECEIVED = 1 << 3,
	EV_KEYS = 1 << 4,       /* SKEYID_d, _a, _e exist */
	EV_AUTHED = 1 << 5,     /* the peer proved that it has the key */
	EV_SPI = 1 << 6,        /* quick mode: our SPI is reserved */
	EV_INSTALLED = 1 << 7,  /* quick mode: our inbound SA carries packets */
	EV_PROOF_SENT = 1 << 8, /* signatures: our identity, certificate and signature are out */
	EV_PROOF = 1 << 9,      /* signatures: the peer's certificate is trusted and its signature right; revoked? comes next */
	EV_NAMED = 1 << 12,     /* XAUTH: the user is who they say */
	EV_PUSH = 1 << 13       /* the client's address is to be pushed */
};

/* What the host is asked for after the commit. DERIVE waits for GENERATE by itself. */
enum ask {
	ASK_GENERATE = 1 << 0,
	ASK_DERIVE = 1 << 1,
	ASK_SKEYID = 1 << 2,
	ASK_SPI = 1 << 3,
	ASK_PUT_IN = 1 << 4,
	ASK_PUT_OUT = 1 << 5,
	/* The second of two SAs in a direction, AH around ESP: asks.c adds them where there are two. */
	ASK_SPI_AH = 1 << 6,
	ASK_PUT_IN_AH = 1 << 7,
	ASK_PUT_OUT_AH = 1 << 8,
	ASK_SIGN = 1 << 11,
	ASK_REVOCATION = 1 << 12,
	ASK_USER = 1 << 10
};

#define RULE_ANY  0xff /* from: every state */
#define RULE_STAY 0xff /* to: no change */

struct step;
struct rule {
	uint8_t version;  /* 1, 2 */
	uint8_t exchange; /* enum isakmp_exchange */
	uint8_t on, role;
	uint8_t from, to; /* enum ike_state; below an IKE SA enum quick_stage or, for transactions, enum client_stage */
	uint8_t auth;     /* enum rule_auth */
	bool encrypted;
	uint64_t must, may;    /* payload kinds; outside the encryption there are none when encrypted (IKEv1) */
	uint16_t needs, gains; /* enum evidence */
	uint16_t lacks;        /* evidence that must not be there */
	uint16_t asks;         /* enum ask: what the handler may ask for */
	bool seal;             /* what is sent is encrypted */
	bool repeat;           /* … and repeated by timer until the next step */
	enum err (*run)(struct step *st);
	const char *story;
};

/* All rows of one version, in no particular order. For the runner, and for the test that walks them. */
const struct rule *rules_table(size_t i, size_t *n); /* i = 0,1,… until NULL */

#define STEP_TEXT 400

struct step {
	struct ike *k;
	const struct rule *rule;
	struct sa_state *s;       /* scratch of the IKE SA */
	struct handshake *h;      /* scratch; NULL once phase 1 is through */
	struct quick_state *q;    /* scratch; NULL in phase 1 */
	const struct message *in; /* NULL unless ON_MESSAGE */
	struct build out;         /* started by step_reply */
	bool reply;               /* `out` holds a message */
	uint16_t asks;
	/* Why it was refused. */
	uint16_t notify; /* 0: tell the peer nothing */
	bool fatal;      /* the exchange ends; else the message is as if it had never come */
	char why[STEP_TEXT];
};

/* Begins the message that will be sent. */
struct build *step_reply(struct step *st);
/* Refuses: text for the engineer, and a notify for the peer (0: none). Returns ERR_INVALID for the handler to return. */
enum err step_refuse(struct step *st, uint16_t notify, const char *fmt, ...) PRINTF_LIKE(3, 4) MUST_CHECK;
/* Drops this one message silently (counted): for what anybody could have sent. */
enum err step_ignore(struct step *st, const char *fmt, ...) PRINTF_LIKE(2, 3) MUST_CHECK;

/* The row for this, or NULL with a reason (static). `kinds`, `encrypted` only matter ON_MESSAGE. */
struct rule_query {
	uint8_t version, exchange, on, role, state, auth;
	bool encrypted;
	uint64_t kinds;
	uint16_t evidence;
};
const struct rule *rule_find(const struct rule_query *query, const char **why);

#endif
