/* configd's door: what other programs may know of the configuration.
 *
 *   cfg.h        the typed snapshot that every program reads
 *   grammar.h    the grammar, for the console's help and completion
 *   alg.h        the list of algorithms
 *   this file    the messages of the socket RUN_DIR/configd
 *
 * The console opens a session, then sends lines. configd decides alone: parse, privilege, verify, commit.
 */
#ifndef POSTERN_CONFIGDB_CONFIGDB_H
#define POSTERN_CONFIGDB_CONFIGDB_H

#include "configdb/alg.h"
#include "configdb/cfg.h"
#include "configdb/grammar.h"
#include "platform/base/msg.h"

#define CONFIGD_SOCKET "configd"
#define INVENTORY_FILE "interfaces" /* in the run directory: platformd's list of the box's interfaces, a name a line */
#define CFG_LINE_MAX   4096         /* longest line of configuration, with its NUL */
#define CFG_CONTEXT    256

enum configd_msg {
	/* Session: the connection is the session; it ends with it. */
	CFGM_SESSION_OPEN = 1, /* cfgm_open -> cfgm_session */
	CFGM_ENABLE,           /* cfgm_enable -> cfgm_session; ERR_AUTH: bad secret; an empty password asks whether one is needed
				  (ERR_INCOMPLETE: yes); ERR_NOT_FOUND: not on the console, and no secret is set ("% No password set") */
	CFGM_DISABLE,          /* level in cfgm_enable -> cfgm_session */
	CFGM_LINE,             /* cfgm_line -> cfgm_result. One line of configuration in a mode */
	CFGM_CONFIG_END,       /* leaves configuration mode: logs %SYS-5-CONFIG_I once if lines were committed */
	CFGM_TEXT,             /* cfgm_text -> dump of text chunks: running, startup … as IOS prints them */
	CFGM_COPY,             /* cfgm_copy -> dump of cfgm_file_error, then the status */
	CFGM_WRITE_ERASE,
	CFGM_CHECK_SECRET, /* cfgm_login -> cfgm_session: verifies a user's secret, for login */
	CFGM_SESSIONS,     /* -> dump of cfgm_session: `show users` */
	CFGM_MASTER_KEY,   /* cfgm_master_key -> status. Sets the master key; one that is set already has to be known: ERR_AUTH.
			      ERR_RANGE: shorter than 8. With an empty one it only asks: ERR_NOT_FOUND: none is set */

	/* Key pairs and what needs a private key. The text of an answer is a dump of chunks. */
	CFGM_KEY_GENERATE = 32, /* cfgm_pki -> status, when it is made; ERR_BUSY: another one is being made */
	CFGM_KEY_ZEROIZE,       /* cfgm_pki; no label: all of that type -> status */
	CFGM_KEYS,              /* cfgm_pki (type 0: all) -> dump of struct keypair (configdb/keypairs.h) */
	CFGM_KEY_EXPORT,        /* cfgm_pki -> PEM, the private half encrypted; ERR_DENIED: not exportable */
	CFGM_KEY_IMPORT,        /* cfgm_pki, its text PEM -> status; ERR_AUTH: wrong passphrase */
	CFGM_PKI_ENROLL,    /* cfgm_pki -> the PKCS #10 request as PEM; with `enrollment selfsigned` the certificate is stored; with
			     * `enrollment url` the request has the challenge password (the trustpoint's own, or `passphrase`), and
			     * behind it stands a self-signed certificate of the same key and name */
	CFGM_PKCS12_IMPORT, /* cfgm_pki, its text base64 -> status */
	CFGM_PKCS12_EXPORT, /* cfgm_pki -> base64 */
	CFGM_PKI_GRANTED, /* cfgm_pki, its text the certificate as PEM: what a CA has sent over SCEP. Of ikemgrd alone. ERR_NOT_FOUND: no such
			   * trustpoint with a CA certificate; ERR_AUTH: not of this CA; ERR_CONFLICT: not of a key pair of ours */

	/* For programs */
	CFGM_SUBSCRIBE = 64, /* -> cfgm_revision, the present one; from now on CFGM_REVISION events */
	CFGM_REVISION,       /* event: cfgm_revision */
	CFGM_SESSION_PRIV,   /* cfgm_session_query -> cfgm_session: does that process hold a session of that privilege? For
				`clear` and `debug` sent to other programs */
	CFGM_DIRTY           /* -> uint32: 1 if running differs from startup ("modified. Save?") */
};

struct cfgm_open {
	char user[CFG_NAME]; /* as the login knows it; empty on the console */
	char tty[32];        /* "con 0", "vty 0" */
	char from[64];       /* address of an SSH client, else empty */
	uint8_t interactive;
};

struct cfgm_session {
	uint32_t id;
	uint32_t pid;
	uint8_t privilege;
	char user[CFG_NAME];
	char tty[32];
	char from[64];
	uint64_t since_wall_us;
	uint32_t idle_s;
	char hostname[CFG_NAME];
};

struct cfgm_enable {
	uint8_t level;      /* 15 */
	char password[128]; /* wiped by both sides */
};

struct cfgm_login {
	char user[CFG_NAME];
	char password[128];
};

#define CFG_PASSPHRASE 128
struct cfgm_master_key {
	char old[CFG_PASSPHRASE], passphrase[CFG_PASSPHRASE]; /* wiped by both sides */
};

/* Where a line is typed: the mode and the object that was entered ("map VPN 10", "GigabitEthernet0/0"). Opaque to the console:
 * it sends back what the last result gave it. */
struct cfg_mode_ctx {
	uint16_t mode; /* enum mode */
	char context[CFG_CONTEXT];
};

struct cfgm_line {
	struct cfg_mode_ctx at;
	char line[CFG_LINE_MAX]; /* send only what is used */
};

/* The answer to a line. */
struct cfgm_result {
	uint8_t code;    /* enum grammar_result */
	uint8_t changed; /* something was committed */
	uint16_t column; /* of the caret, characters from the start of the line */
	struct cfg_mode_ctx next;
	char prompt[32]; /* "(config-if)" */
	char text[2048]; /* notes, warnings and errors, complete lines ("% NOTE: ...\n"); may be empty */
};

enum cfgm_source { CFGM_RUNNING, CFGM_STARTUP };

struct cfgm_text {
	uint8_t what;             /* enum cfgm_source */
	uint8_t all;              /* with defaults */
	char interface[CFG_NAME]; /* only that interface's section; empty: everything */
};

enum cfgm_copy_kind { CFGM_RUN_TO_START, CFGM_START_TO_RUN, CFGM_TEXT_TO_RUN };

struct cfgm_copy {
	uint8_t kind;
	uint8_t atomic; /* all lines or none */
	char text[];    /* CFGM_TEXT_TO_RUN: one descriptor of the file travels with the message instead when it is long */
};

struct cfgm_file_error {
	uint32_t line_no;
	uint16_t column;
	char line[512];
	char text[256];
};

struct cfgm_pki {
	char name[CFG_NAME]; /* label, or trustpoint */
	uint8_t type;        /* enum keypair_type */
	uint8_t exportable;
	uint16_t bits;
	uint32_t ip;            /* of the request, in place of the trustpoint's; 0: that one */
	char serial_number[32]; /* of the router, for the request's subject; empty: left out */
	char passphrase[128]; /* wiped by both sides */
	char text[24 * 1024]; /* send only what is used */
};

struct cfgm_revision {
	uint64_t revision;
	uint32_t tables; /* enum cfg_table */
};

struct cfgm_session_query {
	uint32_t pid;      /* as SO_PEERCRED told it */
	uint8_t privilege; /* needed; ERR_DENIED when lower */
};

#endif
