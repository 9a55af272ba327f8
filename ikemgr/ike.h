/* The IKE core: negotiation as a deterministic machine. No sockets, threads, clock or files of its own.
 *
 * Everything from outside comes as a call, everything to outside goes through struct ike_host, time and chance through its
 * env: so tests/pair can run two cores in one process on a virtual clock. Slow or secret work (DH, SKEYID) is asked for with
 * a serial number and answered later by ike_done_*(); the core keeps no pointer to it and drops an answer whose SA is gone.
 * Single-threaded: all calls come from one thread.
 */
#ifndef POSTERN_IKEMGR_IKE_H
#define POSTERN_IKEMGR_IKE_H

#include "configdb/cfg.h"
#include "datapath/dp_api.h"
#include "ikemgr/ike_api.h"
#include "platform/base/bytes.h"
#include "platform/base/env.h"
#include "platform/base/secret.h"

struct ike;

/* One end of a conversation. Port 500, or 4500 after the float (the host adds and removes the non-ESP marker). */
struct ike_path {
	struct addr local, remote;
	uint16_t local_port, remote_port;
};

#define IKE_NONCE_MAX 256

/* A request to the process that holds the PSKs: SKEYID = prf(psk, Ni_b | Nr_b), RFC 2409 5. */
struct ike_skeyid_request {
	uint64_t secret_id; /* cfg_isakmp_key.secret_id; 0: a key that nobody has, the same while the process lives */
	enum alg_hash prf;
	uint16_t ni_len, nr_len;
	uint8_t ni[IKE_NONCE_MAX], nr[IKE_NONCE_MAX];
};

/* A request to the same process: the keys of one direction of an ipsec-manual entry, which were set with `set session-key`. */
struct ike_session_request {
	uint64_t cipher_id, auth_id; /* cfg_session_keys: ids; 0: none is wanted. AH: auth_id */
};
struct ike_session_keys {
	uint8_t cipher_len, auth_len;
	uint8_t cipher[DP_KEY_MAX], auth[DP_KEY_MAX];
};

#define IKE_SIGNATURE_MAX 512

/* A request to the process that holds the keys: a signature over a hash as it is (RFC 2409 5.1, RFC 4754). */
struct ike_sign_request {
	uint64_t key_id; /* cfg_cert.key_id */
	uint8_t hash_len;
	uint8_t hash[64];
};

/* What the core needs done. Every function returns at once. Functions with a serial answer later through ike_done_*. */
struct ike_host {
	void *ctx;
	const struct env *env;

	void (*send)(void *ctx, const struct ike_path *path, struct span packet);

	/* A new key pair of `group`; the private value stays with the host under `serial` until dh_derive or dh_drop. */
	void (*dh_generate)(void *ctx, uint64_t serial, enum alg_group group);
	/* The shared secret of the pair made under `serial` and the peer's public value (checked: length, range, on curve). */
	void (*dh_derive)(void *ctx, uint64_t serial, struct span peer_public);
	void (*dh_drop)(void *ctx, uint64_t serial);
	void (*skeyid)(void *ctx, uint64_t serial, const struct ike_skeyid_request *request);

	void (*session_keys)(void *ctx, uint64_t serial, const struct ike_session_request *request);
	/* Is that the user's password? Both are copied; the host wipes its copies. Optional: without it nobody is let in. */
	void (*user_check)(void *ctx, uint64_t serial, const char *user, const char *password);

	void (*sign)(void *ctx, uint64_t serial, const struct ike_sign_request *request);
	/* Fetches an http:// URL (with a body: POST, of an OCSP request), bounded in size and time, outside of this process.
	 * Optional: without it nothing can be fetched. */
	void (*fetch)(void *ctx, uint64_t serial, const char *url, struct span body);

	/* datapathd */
	void (*spi_alloc)(void *ctx, uint64_t serial, const struct dpm_spi *want);
	void (*sa_put)(void *ctx, uint64_t serial, const struct dpm_sa *sa); /* copied and wiped by the host */
	void (*sa_del)(void *ctx, const struct dp_sa_key *key);
	void (*sa_move)(void *ctx, const struct dpm_sa_move *move);
	void (*policy_state)(void *ctx, const struct dpm_policy_state *state);
	void (*dynamic_put)(void *ctx, const struct dpm_dynamic *d); /* its SAs are put behind it */
	void (*dynamic_del)(void *ctx, const struct dp_policy_id *id);
	/* For how long was there no packet in the SAs between two addresses, in and out? Asked once per interval of dead peer
	 * detection; answered by ike_done_activity. */
	void (*activity)(void *ctx, uint64_t serial, struct addr local, struct addr remote);

	/* Is the kernel's route to `remote` from which address of ours? For the local end of a map. Synchronous, cheap. Optional:
	 * the interface's primary address is used without it. */
	bool (*local_for)(void *ctx, struct addr remote, struct addr *local);

	/* tshark's line for a new IKE SA: initiator cookie and the encryption key as hex. Called only while export is on. */
	void (*key_export)(void *ctx, uint64_t cookie_i, struct span encryption_key);
	/* Native ESP cannot be carried (so NAT-T is wanted); from dpm_attached. */
	bool native_esp;
};

struct ike *ike_new(const struct ike_host *host); /* copied */
void ike_free(struct ike *k);                     /* wipes; sends nothing */

/* A new snapshot; borrowed until the next call. What no longer fits is cleared as IOS does. */
void ike_config(struct ike *k, const struct cfg *now, unsigned tables);

/* A datagram from the peer, non-ESP marker removed. */
void ike_receive(struct ike *k, const struct ike_path *path, struct span packet);
/* Traffic asks for a tunnel. */
void ike_acquire(struct ike *k, const struct dpm_acquire *a);
void ike_expire(struct ike *k, const struct dpm_expire *e);
void ike_mapping(struct ike *k, const struct dpm_mapping *m);
void ike_invalid_spi(struct ike *k, const struct dpm_invalid_spi *i);
/* After datapathd's restart: its SAs are gone; ours are put away and renegotiated on traffic, those under a dynamic map at once. */
void ike_datapath_reset(struct ike *k);
/* After our own restart: an IPsec SA that datapathd still has. It is used until its end, or renegotiated. */
void ike_adopt(struct ike *k, const struct dpm_sa_info *sa);
/* Likewise a policy of a dynamic map, before its SAs; and when there are no more of either. */
void ike_adopt_dynamic(struct ike *k, const struct dpm_dynamic *d);
void ike_adopted(struct ike *k);

/* Answers. `e` other than ERR_OK: it failed, the rest is not used. */
void ike_done_generate(struct ike *k, uint64_t serial, enum err e, struct span public_value);
void ike_done_derive(struct ike *k, uint64_t serial, enum err e, struct span shared);
void ike_done_skeyid(struct ike *k, uint64_t serial, enum err e, struct span skeyid);
void ike_done_session_keys(struct ike *k, uint64_t serial, enum err e, const struct ike_session_keys *keys); /* caller wipes */
void ike_done_user(struct ike *k, uint64_t serial, enum err e); /* ERR_AUTH: it is not */
void ike_done_sign(struct ike *k, uint64_t serial, enum err e, struct span signature);
void ike_done_fetch(struct ike *k, uint64_t serial, enum err e, struct span bytes);
void ike_done_spi(struct ike *k, uint64_t serial, enum err e, uint32_t spi);
void ike_done_sa_put(struct ike *k, uint64_t serial, enum err e);
/* UINT64_MAX: no SA, or no packet ever. */
void ike_done_activity(struct ike *k, uint64_t serial, uint64_t in_idle_s, uint64_t out_idle_s);

/* Runs all timers that are due. Returns the microseconds (env clock) at which it wants to be called again, UINT64_MAX: never.
 * The host calls it after every other call, too, and then sets its timer. */
uint64_t ike_tick(struct ike *k);

/* The console's questions. Rows are borrowed until the callback returns. */
void ike_each_sa(struct ike *k, void (*each)(void *ctx, const struct ikem_sa *sa), void *ctx);
void ike_each_session(struct ike *k, void (*each)(void *ctx, const struct ikem_session *s), void *ctx);
void ike_each_crl(struct ike *k, void (*each)(void *ctx, const struct ikem_crl *c), void *ctx);
void ike_crl_request(struct ike *k, const char *trustpoint, struct ikem_crl_requested *out);
void ike_each_failure(struct ike *k, void (*each)(void *ctx, const struct ikem_failure *f), void *ctx);
void ike_each_stat(struct ike *k, void (*each)(void *ctx, const struct ikem_stat *s), void *ctx);
void ike_admission(struct ike *k, struct ikem_admission *out);
unsigned ike_clear(struct ike *k, const struct ikem_clear *c);
void ike_connect(struct ike *k, const struct ikem_connect *c, struct ikem_connected *out);
void ike_debug(struct ike *k, bool isakmp, bool errors_only);
void ike_key_export(struct ike *k, bool on);

#endif
