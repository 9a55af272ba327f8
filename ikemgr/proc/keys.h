/* The process that holds the secrets, and its questions.
 *
 *   proto                                   keys
 *   KEYS_SKEYID, struct ike_skeyid_request  -->      secret of that id from keys.db; prf(secret, Ni | Nr)
 *                                           <--  status, struct keys_skeyid
 *
 *   KEYS_SIGN, struct ike_sign_request      -->      key pair of that id from keys.db; its signature over the hash
 *                                           <--  status, struct keys_signature
 *
 *   KEYS_UNWRAP, struct keys_unwrap_question  -->     a content key that a CA encrypted for that pair (RSA, PKCS #1 v1.5)
 *                                           <--  status, struct keys_unwrapped
 *
 *   KEYS_SESSION, struct ike_session_request  -->    keys of those ids that were set by hand (`set session-key`)
 *                                           <--  status, struct keys_session
 *
 * Messages are of fixed size over a socketpair (platform/base/msg.h, which wipes its buffers). No secret ever crosses
 * it but keys of IPsec SAs, which are set for that, and the one-time key of a SCEP answer; and no byte of a packet is parsed here: nonces are opaque and bounded.
 */
#ifndef POSTERN_IKEMGR_PROC_KEYS_H
#define POSTERN_IKEMGR_PROC_KEYS_H

#include "ikemgr/crypto/prf.h"
#include "ikemgr/ike.h"
#include "platform/base/loop.h"
#include "platform/base/msg.h"

enum keys_msg { KEYS_SKEYID = 1, KEYS_SIGN = 2, KEYS_SESSION = 32, KEYS_UNWRAP = 48 };

#define KEYS_WRAPPED_MAX 512 /* RSA 4096 */
#define KEYS_CONTENT_MAX 32  /* AES-256 */

struct keys_unwrap_question {
	uint64_t serial;
	uint64_t key_id;
	uint16_t len;
	uint8_t wrapped[KEYS_WRAPPED_MAX];
};
struct keys_unwrapped {
	uint64_t serial;
	uint8_t len;
	uint8_t key[KEYS_CONTENT_MAX];
};

struct keys_sign_question {
	uint64_t serial;
	struct ike_sign_request request;
};
struct keys_signature {
	uint64_t serial;
	uint16_t len;
	uint8_t bytes[IKE_SIGNATURE_MAX];
};

struct keys_session_question {
	uint64_t serial;
	struct ike_session_request request;
};
struct keys_session {
	uint64_t serial;
	struct ike_session_keys keys;
};

struct keys_skeyid {
	uint64_t serial;
	uint8_t len;
	uint8_t bytes[PRF_MAX];
};
struct keys_question {
	uint64_t serial;
	struct ike_skeyid_request request;
};

/* keys_unwrap.c. ERR_CRYPTO whatever is wrong with the bytes. */
struct secrets;
enum err keys_unwrap(struct secrets *db, const struct keys_unwrap_question *q, uint8_t out[KEYS_CONTENT_MAX], uint8_t *len) MUST_CHECK;

/* keys_sign.c: the signature as IKE has it on the wire: PKCS #1 block type 1 around the bare hash (RSA), r | s (ECDSA).
 * With RSA the "hash" may be a DigestInfo, which makes it an ordinary PKCS #1 signature (SCEP). */
enum err keys_sign(struct secrets *db, const struct ike_sign_request *q, uint8_t out[IKE_SIGNATURE_MAX], uint16_t *len) MUST_CHECK;

/* The process: serves `fd` until it is closed or `life` is. Returns its exit status. */
int keys_serve(int fd, int life, const char *data_dir);

/* The other side, in the proto process. */
struct keys_client;
typedef void (*keys_answer)(void *ctx, uint64_t serial, enum err e, struct span skeyid);
typedef void (*keys_session_answer)(
	void *ctx, uint64_t serial, enum err e, const struct ike_session_keys *keys); /* NULL unless ERR_OK */
/* Takes over `fd`. `lost` is called when the process is gone. */
struct keys_client *keys_client_new(struct loop *l, int fd, keys_answer answer, void (*lost)(void *ctx), void *ctx);
void keys_client_free(struct keys_client *c);
/* The answer comes later; ERR_LIMIT and the like come at once and mean: no answer will. */
/* Who hears of signatures. */
void keys_client_signatures(struct keys_client *c, keys_answer answer);
enum err keys_ask_sign(struct keys_client *c, uint64_t serial, const struct ike_sign_request *request) MUST_CHECK;
/* Who hears of session keys; without it nobody may ask for them. */
void keys_client_sessions(struct keys_client *c, keys_session_answer answer);
enum err keys_ask_session(struct keys_client *c, uint64_t serial, const struct ike_session_request *request) MUST_CHECK;
/* Who hears of content keys. */
void keys_client_unwrapped(struct keys_client *c, keys_answer answer);
enum err keys_ask_unwrap(struct keys_client *c, uint64_t serial, uint64_t key_id, struct span wrapped) MUST_CHECK;
enum err keys_ask(struct keys_client *c, uint64_t serial, const struct ike_skeyid_request *request) MUST_CHECK;

#endif
