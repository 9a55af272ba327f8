/* configd inside: what its files share.
 *
 *   main.c      options, confinement, the loop
 *   configd.c   opens the databases, loads the first configuration, tells subscribers of revisions
 *   dispatch.c  one table of requests: sizes, privilege, handler
 *   session.c   who is there and what they may do; verify.c hashes passwords on a thread of its own
 *   lines.c     lines, texts and copies
 *   apply.c     a text as lines
 *   pki.c, pki_enroll.c   key pairs, requests, PKCS #12; keymaker.c makes keys on a thread of its own
 *   startup.c   startup.db, replaced only whole
 */
#ifndef POSTERN_CONFIGD_H
#define POSTERN_CONFIGD_H

#include "configdb/store.h"
#include "platform/base/env.h"
#include "platform/base/loop.h"
#include "platform/base/msg.h"

#include "startup.h"
#include "keymaker.h"
#include "verify.h"

struct configd;

/* One connection; with `open` it is a session. */
struct client {
	struct client *next;
	struct configd *d;
	struct msg_conn *conn;
	bool open, subscribed;
	bool trusted; /* root or our own uid: what it says of user and line is taken */
	struct cfgm_session s;
	uint64_t active_us; /* monotonic, of the last request */
	bool changed;       /* lines were committed since configuration mode was entered */

	/* A secret being verified, one at a time. */
	uint64_t check; /* serial of the job; 0: none */
	struct msg_head asked;
	char asked_user[CFG_NAME];
	uint8_t asked_privilege;
	unsigned failures;
	struct loop_timer *penalty; /* runs before a refusal is told */

	/* A key pair being made. */
	uint64_t key_job; /* 0: none */
	struct msg_head key_asked;
};

struct configd {
	struct loop *loop;
	const struct env *env;
	char run_dir[108], data_dir[256];
	uid_t ike_uid; /* whose certificates of a CA are taken (pki_granted.c) */
	struct secrets *secrets;
	struct store *store;
	struct startup startup;
	struct cfg_source *source;
	struct cfg *now; /* the snapshot of the last revision; NULL if it could not be read */
	struct msg_server *server;
	struct verifier *verifier;
	struct keymaker *keymaker;
	struct loop_timer *expiry; /* pki_expiry.c */
	struct expiry_said *said;  /* what its lines were about */
	size_t nsaid;
	uint64_t last_key_job;
	char key_label[CFG_NAME]; /* of the job that runs */
	bool key_exportable;
	struct client *clients;
	uint32_t last_session;
	uint64_t last_check;
	bool isakmp_on;
	struct loop_timer *notify;
	bool notify_running;
	unsigned notify_tables;
};

/* Opens keys.db, running.db and the socket. The folders exist. */
enum err configd_open(struct configd *d, struct loop *l, const char *run_dir, const char *data_dir) MUST_CHECK;
/* The running configuration that was there; else the startup configuration; else the text of file `initial` (may be NULL).
 * Then secrets that nobody refers to are deleted. */
void configd_load(struct configd *d, const char *initial);
void configd_close(struct configd *d);
/* `tables` were committed: takes a new snapshot, logs what follows from it and tells the subscribers. */
void configd_changed(struct configd *d, unsigned tables);

/* dispatch.c */
extern const struct msg_handlers configd_handlers;
void configd_dispatch(struct configd *d, struct client *c, struct msg *m);
void client_drop(struct client *c);
/* The configuration's host name, or the default. */
const char *configd_hostname(const struct configd *d);

/* session.c: handlers. The body's size was checked. */
void session_open(struct client *c, struct msg *m);
void session_enable(struct client *c, struct msg *m);
void session_disable(struct client *c, struct msg *m);
void session_check_secret(struct client *c, struct msg *m);
void session_dump(struct client *c, struct msg *m);
void session_query(struct client *c, struct msg *m);
/* The verifier's answer to job `serial`. */
void session_checked(void *ctx, uint64_t serial, bool right);
/* "console", "admin on vty0 (10.0.0.5)". */
void session_who(const struct client *c, char out[256]);
void session_store_who(const struct client *c, struct store_who *who);

/* lines.c: handlers */
void line_commit(struct client *c, struct msg *m);
void line_config_end(struct client *c, struct msg *m);
void line_text(struct client *c, struct msg *m);
void line_copy(struct client *c, struct msg *m);
void line_write_erase(struct client *c, struct msg *m);
void line_dirty(struct client *c, struct msg *m);
void line_master_key(struct client *c, struct msg *m);
/* Logs %SYS-5-CONFIG_I if lines were committed since the last time. */
void line_log_configured(struct client *c);

#endif
