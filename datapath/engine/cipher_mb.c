/* ESP's transforms by libipsec-mb: GCM and GMAC directly, AES-CBC with HMAC as chained jobs that fill the processor's lanes. */
#include "datapath/engine/cipher_impl.h"

#ifdef HAVE_IPSEC_MB

#include "platform/base/mem.h"
#include "platform/base/secret.h"

#include <intel-ipsec-mb.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct cipher_mb_key {
	struct gcm_key_data gcm __attribute__((aligned(64)));
	uint32_t enc[15 * 4] __attribute__((aligned(16)));
	uint32_t dec[15 * 4] __attribute__((aligned(16)));
	uint8_t ipad[64] __attribute__((aligned(16)));
	uint8_t opad[64] __attribute__((aligned(16)));
	IMB_HASH_ALG hash;
};

#define MB_MAX 64

struct cipher_mb {
	IMB_MGR *mgr;
	char name[48];
	uint8_t tags[MB_MAX][CIPHER_ICV_MAX];
};

static IMB_MGR *mgr_new(void)
{
	IMB_MGR *m = alloc_mb_mgr(0);

	if (!m)
		return NULL;
	if (!(m->features & IMB_FEATURE_AESNI) || !(m->features & IMB_FEATURE_AVX)) {
		free_mb_mgr(m);
		return NULL;
	}
	init_mb_mgr_auto(m, NULL);
	if (imb_get_errno(m) != 0 || !m->gcm128_enc) {
		free_mb_mgr(m);
		return NULL;
	}
	return m;
}

static const char *arch_name(const IMB_MGR *m)
{
	if ((m->features & IMB_FEATURE_AVX512_SKX) == IMB_FEATURE_AVX512_SKX)
		return "AVX512";
	return m->features & IMB_FEATURE_AVX2 ? "AVX2" : "AVX";
}

struct cipher_mb *mb_new(void)
{
	struct cipher_mb *m = mem_zalloc(sizeof(*m));

	if (!m)
		return NULL;
	m->mgr = mgr_new();
	if (!m->mgr) {
		mem_free(m);
		return NULL;
	}
	snprintf(m->name, sizeof(m->name), "ipsec-mb %s (%s)", IMB_VERSION_STR, arch_name(m->mgr));
	return m;
}

void mb_free(struct cipher_mb *m)
{
	if (!m)
		return;
	free_mb_mgr(m->mgr);
	mem_free_secret(m, sizeof(*m));
}

const char *mb_name(const struct cipher_mb *m)
{
	return m->name;
}

static void pad_block(IMB_MGR *m, enum alg_hash hash, const uint8_t *block, uint8_t *out)
{
	switch (hash) {
	case HASH_MD5:
		IMB_MD5_ONE_BLOCK(m, block, out);
		break;
	case HASH_SHA1:
		IMB_SHA1_ONE_BLOCK(m, block, out);
		break;
	case HASH_SHA256:
		IMB_SHA256_ONE_BLOCK(m, block, out);
		break;
	case HASH_SHA384:
		IMB_SHA384_ONE_BLOCK(m, block, out);
		break;
	default:
		IMB_SHA512_ONE_BLOCK(m, block, out);
	}
}

static IMB_HASH_ALG mb_hash(enum alg_hash hash)
{
	static const IMB_HASH_ALG map[HASH_COUNT] = {
		[HASH_MD5] = IMB_AUTH_MD5,
		[HASH_SHA1] = IMB_AUTH_HMAC_SHA_1,
		[HASH_SHA256] = IMB_AUTH_HMAC_SHA_256,
		[HASH_SHA384] = IMB_AUTH_HMAC_SHA_384,
		[HASH_SHA512] = IMB_AUTH_HMAC_SHA_512,
	};

	return map[hash];
}

static void chain_key(IMB_MGR *m, struct cipher_mb_key *k, const struct cipher_key *of, struct span key, struct span auth)
{
	size_t block = of->hash->digest_len > 32 ? 128 : 64;
	uint8_t pad[128];

	if (key.len == 16)
		IMB_AES_KEYEXP_128(m, key.data, k->enc, k->dec);
	else if (key.len == 24)
		IMB_AES_KEYEXP_192(m, key.data, k->enc, k->dec);
	else
		IMB_AES_KEYEXP_256(m, key.data, k->enc, k->dec);
	k->hash = mb_hash(of->hash->id);
	for (int outer = 0; outer < 2; outer++) {
		memset(pad, outer ? 0x5c : 0x36, sizeof(pad));
		for (size_t i = 0; i < auth.len && i < block; i++)
			pad[i] ^= auth.data[i];
		pad_block(m, of->hash->id, pad, outer ? k->opad : k->ipad);
	}
	wipe(pad, sizeof(pad));
}

static void gcm_key(IMB_MGR *m, struct cipher_mb_key *k, size_t bits, const uint8_t *key)
{
	if (bits == 128)
		IMB_AES128_GCM_PRE(m, key, &k->gcm);
	else if (bits == 192)
		IMB_AES192_GCM_PRE(m, key, &k->gcm);
	else
		IMB_AES256_GCM_PRE(m, key, &k->gcm);
}

static bool gcm(const struct cipher_key *k)
{
	return k->alg->aead && k->alg->id != CIPHER_CHACHA20_POLY1305;
}

static bool chained(const struct cipher_key *k)
{
	return k->hash && mb_hash(k->hash->id) &&
	       (k->alg->id == CIPHER_AES128 || k->alg->id == CIPHER_AES192 || k->alg->id == CIPHER_AES256);
}

struct cipher_mb_key *mb_key(const struct cipher_key *of, struct span key, struct span auth)
{
	static IMB_MGR *m; /* of the control thread: for keys only */
	struct cipher_mb_key *k;

	if (!gcm(of) && !chained(of))
		return NULL;
	if (!m)
		m = mgr_new();
	k = m ? aligned_alloc(64, (sizeof(*k) + 63) / 64 * 64) : NULL;
	if (!k)
		return NULL;
	memset(k, 0, sizeof(*k));
	if (of->alg->aead)
		gcm_key(m, k, of->alg->key_len * 8u, key.data);
	else
		chain_key(m, k, of, key, auth);
	return k;
}

void mb_key_free(struct cipher_mb_key *k)
{
	if (!k)
		return;
	wipe(k, sizeof(*k));
	free(k);
}

struct gcm_calls {
	aes_gcm_enc_dec_t enc, dec;
};

static struct gcm_calls gcm_calls(const IMB_MGR *m, unsigned key_len)
{
	if (key_len == 16)
		return (struct gcm_calls){ m->gcm128_enc, m->gcm128_dec };
	if (key_len == 24)
		return (struct gcm_calls){ m->gcm192_enc, m->gcm192_dec };
	return (struct gcm_calls){ m->gcm256_enc, m->gcm256_dec };
}

bool mb_aead(struct cipher_mb *m, struct cipher_job *j)
{
	struct cipher_key *k = j->key;
	struct gcm_calls call = gcm_calls(m->mgr, k->alg->key_len);
	struct gcm_context_data ctx;
	uint8_t nonce[12], aad[12], tag[16], *body = j->esp + 16;
	uint64_t len = j->len - 16;

	if (k->alg->gmac && k->esn)
		return false; /* its associated data is not in one piece */
	cipher_nonce(j, nonce);
	memcpy(aad, j->esp, 4);
	if (k->esn)
		for (int i = 0; i < 4; i++)
			aad[4 + i] = (uint8_t)(j->seq_high >> (24 - 8 * i));
	memcpy(aad + (k->esn ? 8 : 4), j->esp + 4, 4);
	(k->seal ? call.enc : call.dec)(&k->mb->gcm, &ctx, body, body, k->alg->gmac ? 0 : len, nonce, k->alg->gmac ? j->esp : aad,
		k->alg->gmac ? j->len
		: k->esn     ? 12
			     : 8,
		tag, sizeof(tag));
	j->ok = k->seal || CRYPTO_memcmp(tag, j->esp + j->len, sizeof(tag)) == 0;
	if (k->seal)
		memcpy(j->esp + j->len, tag, sizeof(tag));
	return true;
}

static void chain_fill(IMB_JOB *job, struct cipher_job *j, uint8_t *tag)
{
	struct cipher_key *k = j->key;

	job->enc_keys = k->mb->enc;
	job->dec_keys = k->mb->dec;
	job->key_len_in_bytes = k->alg->key_len;
	job->src = j->esp;
	job->dst = j->esp + 24;
	job->cipher_start_src_offset_in_bytes = 24;
	job->msg_len_to_cipher_in_bytes = j->len - 24;
	job->hash_start_src_offset_in_bytes = 0;
	job->msg_len_to_hash_in_bytes = j->len + (k->esn ? 4 : 0);
	job->iv = j->esp + 8;
	job->iv_len_in_bytes = 16;
	job->auth_tag_output = tag;
	job->auth_tag_output_len_in_bytes = k->size.icv;
	job->u.HMAC._hashed_auth_key_xor_ipad = k->mb->ipad;
	job->u.HMAC._hashed_auth_key_xor_opad = k->mb->opad;
	job->cipher_mode = IMB_CIPHER_CBC;
	job->cipher_direction = k->seal ? IMB_DIR_ENCRYPT : IMB_DIR_DECRYPT;
	job->chain_order = k->seal ? IMB_ORDER_CIPHER_HASH : IMB_ORDER_HASH_CIPHER;
	job->hash_alg = k->mb->hash;
	job->user_data = j;
}

static void completed(const IMB_JOB *job)
{
	struct cipher_job *j = job->user_data;

	j->ok = job->status == IMB_STATUS_COMPLETED;
}

void mb_chain(struct cipher_mb *m, struct cipher_job *const *jobs, size_t n)
{
	uint8_t icv[MB_MAX][CIPHER_ICV_MAX];
	IMB_JOB *done;

	for (size_t i = 0; i < n && i < MB_MAX; i++) {
		struct cipher_job *j = jobs[i];
		uint8_t *end = j->esp + j->len;

		/* Where the ICV stands, the upper half of the sequence number is hashed: the ICV waits aside. */
		memcpy(icv[i], end, j->key->size.icv);
		if (j->key->esn)
			for (int b = 0; b < 4; b++)
				end[b] = (uint8_t)(j->seq_high >> (24 - 8 * b));
		j->ok = false;
		chain_fill(IMB_GET_NEXT_JOB(m->mgr), j, m->tags[i]);
		for (done = IMB_SUBMIT_JOB(m->mgr); done; done = IMB_GET_COMPLETED_JOB(m->mgr))
			completed(done);
	}
	while ((done = IMB_FLUSH_JOB(m->mgr)) != NULL)
		completed(done);
	for (size_t i = 0; i < n && i < MB_MAX; i++) {
		struct cipher_job *j = jobs[i];

		if (j->key->seal)
			memcpy(j->esp + j->len, m->tags[i], j->key->size.icv);
		else
			j->ok = j->ok && CRYPTO_memcmp(m->tags[i], icv[i], j->key->size.icv) == 0;
	}
}

#endif
