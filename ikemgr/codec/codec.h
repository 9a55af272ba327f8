/* ISAKMP and IKE messages: header, payloads, attributes.
 *
 * One field table per payload (fields.c) gives decode, encode and debug text; this header has the values that they fill.
 * Decoding borrows: spans point into the input. Nothing is allocated. A message holds at most MESSAGE_PAYLOADS payloads.
 *
 *                      1                   2                   3
 *  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 * +-------------------------- initiator cookie (64) ---------------+
 * +-------------------------- responder cookie (64) ---------------+
 * | next payload  | major | minor | exchange type |     flags     |
 * |                           message id                          |
 * |                             length                            |     RFC 2408 3.1, RFC 7296 3.1
 */
#ifndef POSTERN_IKEMGR_CODEC_CODEC_H
#define POSTERN_IKEMGR_CODEC_CODEC_H

#include "ikemgr/codec/isakmp.h"
#include "platform/base/bytes.h"
#include "platform/base/err.h"

#include <stdbool.h>

#define MESSAGE_PAYLOADS 64

struct isakmp_header {
	uint64_t cookie_i, cookie_r;
	uint8_t next;
	uint8_t version; /* major in the high half: 0x10, 0x20 */
	uint8_t exchange;
	uint8_t flags;
	uint32_t message_id;
	uint32_t length;
};

/* Values of payloads. Sizes that the wire repeats (spi_size, count) must agree with their spans when encoding. */
struct payload_sa {
	uint32_t doi, situation;
	struct span proposals;
};
struct payload_sa2 {
	struct span proposals;
};
struct payload_proposal {
	uint8_t number, protocol, spi_size, ntransforms;
	struct span spi, transforms;
};
struct payload_transform {
	uint8_t number, id; /* IKEv2: type */
	uint16_t reserved2; /* IKEv2: transform id */
	struct span attributes;
};
struct payload_data { /* KE, HASH, SIG, NONCE, VID, NAT-D: the whole body */
	struct span data;
};
struct payload_ke2 {
	uint16_t group;
	struct span data;
};
struct payload_id {
	uint8_t type, protocol; /* IKEv2: type alone */
	uint16_t port;
	struct span data;
};
struct payload_config { /* attributes of a transaction exchange */
	uint8_t type;   /* enum isakmp_config */
	uint16_t id;    /* the same in question and answer */
	struct span attributes;
};
struct payload_typed { /* CERT, CERT_REQ, AUTH, TS: a number, then data */
	uint8_t type;
	struct span data;
};
struct payload_notify {
	uint32_t doi; /* IKEv1 only */
	uint8_t protocol, spi_size;
	uint16_t type;
	struct span spi, data;
};
struct payload_delete {
	uint32_t doi; /* IKEv1 only */
	uint8_t protocol, spi_size;
	uint16_t count;
	struct span spis;
};
struct payload_natoa {
	uint8_t type;
	struct span address;
};

union payload_value {
	struct payload_sa sa;
	struct payload_sa2 sa2;
	struct payload_proposal proposal;
	struct payload_transform transform;
	struct payload_data data;
	struct payload_ke2 ke2;
	struct payload_id id;
	struct payload_typed typed;
	struct payload_config config;
	struct payload_notify notify;
	struct payload_delete del;
	struct payload_natoa natoa;
};

struct payload_def; /* a row of the payload table */

struct payload {
	enum payload_kind kind;        /* PAYLOAD_UNKNOWN: value is not set */
	uint8_t number;                /* on the wire */
	bool critical;                 /* IKEv2 */
	const struct payload_def *def; /* NULL when unknown */
	struct span whole, body;       /* with and without the generic header */
	union payload_value v;
};

struct message {
	struct isakmp_header head;
	struct payload payloads[MESSAGE_PAYLOADS];
	size_t npayloads;
	uint64_t set; /* of payload kinds */
};

/* Reads the header of a datagram. ERR_TRUNCATED: shorter than a header or than its length says; ERR_INVALID: length below a
 * header's. */
enum err header_decode(struct isakmp_header *h, struct span datagram) MUST_CHECK;
void header_encode(struct writer *w, const struct isakmp_header *h);

/* Walks the chain of payloads that begins with number `first` in `body`, into m->payloads and m->set. `padded`: what follows
 * the last payload is padding (IKEv1 encrypted); IKEv1 in clear may be filled with zeros to four octets. ERR_LIMIT: more than
 * MESSAGE_PAYLOADS, or more of one kind than a message may have; ERR_INVALID: malformed. *why gets a few words, static. */
enum err message_decode(
	struct message *m, unsigned version, uint8_t first, struct span body, bool padded, const char **why) MUST_CHECK;
/* The n-th payload (from 0) of a kind, or NULL. The second ID is ID_SECOND's first. */
const struct payload *message_find(const struct message *m, enum payload_kind kind, size_t n);

/* One payload's body by its table. */
enum err payload_decode(union payload_value *v, const struct payload_def *def, struct span body) MUST_CHECK;
/* Appends the body; sets w->failed when it does not fit or sizes disagree. */
void payload_encode(struct writer *w, const struct payload_def *def, const union payload_value *v);
const struct payload_def *payload_def(enum payload_kind kind);
const struct payload_def *payload_def_of(unsigned version, uint8_t number); /* NULL: unknown */
const char *payload_name(const struct payload_def *def);

/* A chain below a payload: proposals of an SA, transforms of a proposal. `kind` is that of its members.
 *   struct chain c = chain_of(sa->proposals, PAYLOAD_PROPOSAL);
 *   while (chain_next(&c, &p)) …
 *   if (c.failed) malformed */
struct chain {
	struct reader r;
	const struct payload_def *def;
	bool last, failed;
};
struct chain chain_of(struct span s, enum payload_kind kind);
bool chain_next(struct chain *c, union payload_value *v);
/* Is the whole tree below an SA payload well-formed (chains, counts, attributes)? For both versions. */
bool sa_tree_valid(struct span proposals, unsigned version);

/* Attributes, RFC 2408 3.3: type and value, or type, length and value. */
struct attribute {
	uint16_t type;
	bool basic;        /* the short form */
	uint64_t number;   /* the value, when it has at most 8 bytes; else UINT64_MAX */
	struct span value; /* of the long form */
};
bool attribute_next(struct reader *r, struct attribute *a); /* false at the end or when malformed (r->failed) */
/* Is a list of them well-formed? */
bool attributes_valid(struct span s);
/* The long form. */
void attribute_put(struct writer *w, uint16_t type, struct span value);
/* The short form if it fits, else four bytes. */
void attribute_encode(struct writer *w, uint16_t type, uint32_t number);

/* Writing a message: header, payloads one after the other with their chain, the length at the end. */
struct build {
	struct writer w;
	uint8_t *next; /* where the next payload's number goes */
	size_t start;  /* of the message in w */
};
void build_start(struct build *b, void *buf, size_t size, const struct isakmp_header *h);
/* Returns the payload with its generic header; empty when it did not fit. */
struct span build_payload(struct build *b, enum payload_kind kind, const union payload_value *v);
/* KE, NONCE, HASH, VID, NAT-D: all data. */
struct span build_data(struct build *b, enum payload_kind kind, struct span bytes);
/* Fills in the length; empty span if something failed. */
struct span build_end(struct build *b);
/* Members of chains, into a buffer of the caller: `first` of the chain, `more` follow. */
void chain_put(struct writer *w, enum payload_kind kind, bool more, const union payload_value *v);

/* Debug text: one call of `line` per line, without line end. The one secret that occurs in payloads, a password in
 * an attribute, is not printed; nonces and hashes are cut. */
typedef void (*print_line)(void *ctx, const char *text);
void header_print(const struct isakmp_header *h, print_line line, void *ctx);
void payload_print(const struct payload *p, print_line line, void *ctx);
/* Attributes of a transform in phase 1 or 2, one line each: "encryption AES-CBC". */
void attributes_print(struct span attributes, bool phase1, print_line line, void *ctx);
/* The data of an ID payload as text: "10.0.0.0/255.255.255.0", "vpn.example.com", "key-id 0a0b". Printable ASCII only. */
void id_print(char *out, size_t size, const struct payload_id *id);

/* Vendor IDs that we know. */
#define VENDORS(X)                                                                                                                 \
	X(NATT_RFC, "4a131c81070358455c5728f20e95452f", "NAT-T RFC 3947")                                                          \
	X(NATT_03, "7d9419a65310ca6f2c179d9215529d56", "NAT-T v3")                                                                 \
	X(NATT_02N, "90cb80913ebb696e086381b5ec427b1f", "NAT-T v2\\n")                                                             \
	X(NATT_02, "cd60464335df21f87cfdb2fc68b6a448", "NAT-T v2")                                                                 \
	X(NATT_00, "4485152d18b6bbcd0be8a8469579ddcc", "NAT-T v0")                                                                 \
	X(NATT_01, "16f6ca16e4a4066d83821a0f0aeaa862", "NAT-T v1")                                                                 \
	X(NATT_04, "9909b64eed937c6573de52ace952fa6b", "NAT-T v4")                                                                 \
	X(NATT_05, "80d0bb3def54565ee84645d4c85ce3ee", "NAT-T v5")                                                                 \
	X(NATT_06, "4d1e0e136deafa34c4f3ea9f02ec7285", "NAT-T v6")                                                                 \
	X(NATT_07, "439b59f8ba676c4c7737ae22eab8f582", "NAT-T v7")                                                                 \
	X(NATT_08, "8f8d83826d246b6fc7a8a6a428c11de8", "NAT-T v8")                                                                 \
	X(NATT_DRAFT, "4df37928e9fc4fd1b3262170d515c662", "NAT-T draft")                                                           \
	X(DPD, "afcad71368a1f1c96b8696fc77570100", "DPD")                                                                          \
	X(XAUTH, "09002689dfd6b712", "XAUTH")                                                                                      \
	X(UNITY, "12f5f28c457168a9702d9fe274cc0100", "Unity")                                                                      \
	X(FRAGMENTATION, "4048b7d56ebce88525e7de7f00d6c2d3", "IKE fragmentation")                                                  \
	X(STRONGSWAN, "882fe56d6fd20dbc2251613b2ebe5beb", "strongSwan")
enum vendor {
#define X(name, hex, text) VENDOR_##name,
	VENDORS(X)
#undef X
		VENDOR_COUNT
};
/* VENDOR_COUNT: unknown. */
enum vendor vendor_find(struct span id);
struct span vendor_id(enum vendor v);
const char *vendor_text(enum vendor v);

#endif
