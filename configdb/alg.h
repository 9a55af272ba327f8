/* The one list of algorithms. Every program that names, negotiates, prints or runs an algorithm reads it here.
 *
 * A row: IOS word, IKEv1 identifiers (phase 1 attribute values, phase 2 transform ids), IKEv2 transform id, XFRM name,
 * OpenSSL name, sizes, RFC. alg_init() drops the rows that the OpenSSL at hand lacks; from then on they cannot be found,
 * so they are refused in configuration and in negotiation alike.
 */
#ifndef POSTERN_CONFIGDB_ALG_H
#define POSTERN_CONFIGDB_ALG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Stable numbers: they travel in messages. 0 is "none". */
enum alg_cipher {
	CIPHER_NONE,
	CIPHER_NULL,
	CIPHER_DES,
	CIPHER_3DES,
	CIPHER_AES128,
	CIPHER_AES192,
	CIPHER_AES256,
	CIPHER_AES128_GCM,
	CIPHER_AES192_GCM,
	CIPHER_AES256_GCM, /* 16-byte ICV, RFC 4106 */
	CIPHER_AES128_GMAC,
	CIPHER_AES192_GMAC,
	CIPHER_AES256_GMAC, /* RFC 4543 */
	CIPHER_AES128_CTR,
	CIPHER_AES192_CTR,
	CIPHER_AES256_CTR,        /* RFC 3686 */
	CIPHER_CHACHA20_POLY1305, /* RFC 7634 */
	CIPHER_CAMELLIA128,
	CIPHER_CAMELLIA192,
	CIPHER_CAMELLIA256, /* RFC 4312 */
	CIPHER_COUNT
};

enum alg_hash {
	HASH_NONE,
	HASH_MD5,
	HASH_SHA1,
	HASH_SHA256,
	HASH_SHA384,
	HASH_SHA512,
	HASH_AES_XCBC, /* integrity of ESP and AH only: RFC 3566 */
	HASH_AES_CMAC, /* RFC 4494 */
	HASH_COUNT
};

enum alg_group { /* the IANA numbers */
	GROUP_NONE = 0,
	GROUP_1 = 1,
	GROUP_2 = 2,
	GROUP_5 = 5,
	GROUP_14 = 14,
	GROUP_15 = 15,
	GROUP_16 = 16,
	GROUP_18 = 18,
	GROUP_19 = 19,
	GROUP_20 = 20,
	GROUP_21 = 21,
	GROUP_24 = 24,
	GROUP_28 = 28,
	GROUP_29 = 29,
	GROUP_30 = 30,
	GROUP_31 = 31,
	GROUP_32 = 32
};

struct cipher_alg {
	enum alg_cipher id;
	const char *name;            /* "AES-CBC-128", for logs */
	const char *ios_isakmp;      /* `encryption` of a policy: "aes 256"; NULL where it has none */
	const char *ios_esp;         /* transform: "esp-aes 256" as typed */
	const char *ios_show;        /* as `show` and transform lists print it: "esp-256-aes" */
	const char *ios_show_isakmp; /* `show crypto isakmp sa detail`: "aes" */
	uint16_t ikev1_enc;          /* RFC 2409 appendix A / IANA encryption attribute, 0: none */
	uint8_t ikev1_esp;           /* IPsec ESP transform id, RFC 2407 4.4.4 */
	uint16_t ikev2_encr;
	const char *xfrm, *openssl;
	uint16_t key_len;                              /* bytes, without salt */
	uint16_t key_bits_attr;                        /* value of the key length attribute on the wire; 0: attribute is not sent */
	uint16_t salt_len, iv_len, block_len, icv_len; /* block_len: what ESP pads to, at least 4; icv_len of an AEAD; else 0 */
	bool aead, gmac, weak, legacy_provider;
	const char *rfc;
	const char
		*ios_long; /* show crypto isakmp policy: "AES - Advanced Encryption Standard (256 bit keys)."; NULL as ios_isakmp */
};

/* Encrypts nothing, or so that bits can be changed at will (RFC 3686, 3.1): never without authentication. */
static inline bool cipher_needs_auth(const struct cipher_alg *a)
{
	return a->id == CIPHER_NULL || (a->salt_len > 0 && !a->aead);
}

struct hash_alg {
	enum alg_hash id;
	const char *name;       /* "HMAC-SHA256" */
	const char *ios_isakmp; /* "sha256"; NULL: not for IKE itself */
	const char *ios_esp;    /* "esp-sha256-hmac" */
	const char *ios_ah;     /* "ah-sha256-hmac" */
	const char *ios_long;   /* show crypto isakmp policy: "Secure Hash Standard 2 (256 bit)"; NULL as ios_isakmp */
	uint16_t ikev1_hash;    /* phase 1 hash attribute; 0: a MAC that is no hash */
	uint16_t ikev1_auth;    /* phase 2 authentication algorithm attribute, RFC 2407 4.5; 0: IKEv1 has none */
	uint8_t ikev1_ah;       /* AH transform id, RFC 2407 4.4.3 */
	uint16_t ikev2_integ, ikev2_prf;
	const char *xfrm, *openssl;            /* the hash, or the cipher of the MAC */
	const char *mac;                       /* OpenSSL's MAC: "HMAC", "CMAC"; NULL: XCBC, which it lacks, made of AES-CBC */
	uint16_t digest_len, key_len, icv_len; /* ESP/AH: truncated length, RFC 2403, 2404, 4868 */
	bool weak;
	const char *rfc;
};

enum group_kind { GROUP_MODP, GROUP_ECP, GROUP_XDH };

struct group_alg {
	enum alg_group id;
	const char *ios;      /* "group14" */
	const char *ios_bits; /* "2048 bit", "256 bit, ecp" as show prints */
	const char *openssl;  /* "modp_2048", "prime256v1", "X25519" … how ikemgr/dh.c builds it */
	uint16_t bits;
	uint16_t public_len; /* bytes of the KE payload */
	uint16_t shared_len;
	enum group_kind kind;
	bool weak;
	bool ikev1; /* has a number there; the XDH groups have none */
	const char *rfc;
};

/* Probes OpenSSL (loads the default and, where it is there, the legacy provider). Call once per program. */
void alg_init(void);

/* All find functions return NULL for what is not there or was dropped. */
const struct cipher_alg *cipher_find(enum alg_cipher id);
const struct cipher_alg *cipher_by_ikev1(uint16_t enc, unsigned key_bits); /* key_bits 0: attribute absent */
const struct cipher_alg *cipher_by_ikev1_esp(uint8_t transform, unsigned key_bits);
const struct hash_alg *hash_find(enum alg_hash id);
const struct hash_alg *hash_by_ikev1(uint16_t hash);
const struct hash_alg *hash_by_ikev1_auth(uint16_t auth);
const struct hash_alg *hash_by_ikev1_ah(uint8_t transform);
const struct group_alg *group_find(unsigned id);
/* Iterate: index 0,1,… until NULL. */
const struct cipher_alg *cipher_at(size_t i);
const struct hash_alg *hash_at(size_t i);
const struct group_alg *group_at(size_t i);

#endif
