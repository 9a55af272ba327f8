/* Key pairs: made, removed, shown, carried out and in. */
#include "pki.h"

#include "apply.h"
#include "configdb/cert.h"
#include "configdb/store_impl.h"
#include "platform/base/log.h"
#include "platform/base/mem.h"
#include "platform/base/secret.h"

#include <openssl/bio.h>
#include <openssl/pem.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK (32 * 1024)

/* ---- Questions and answers ---- */

void pki_answer(struct client *c, const struct msg *m, enum err e)
{
	msg_reply(c->conn, m, e, 0, span_of(NULL, 0));
}

static bool ended(const char *s, size_t size)
{
	return memchr(s, '\0', size) != NULL;
}

struct cfgm_pki *pki_question(struct client *c, const struct msg *m)
{
	struct cfgm_pki *q = mem_zalloc(sizeof(*q));

	if (!q) {
		pki_answer(c, m, ERR_NOMEM);
		return NULL;
	}
	memcpy(q, m->body.data, m->body.len < sizeof(*q) ? m->body.len : sizeof(*q));
	if (ended(q->name, sizeof(q->name)) && ended(q->passphrase, sizeof(q->passphrase)) && ended(q->text, sizeof(q->text)))
		return q;
	pki_done(q);
	pki_answer(c, m, ERR_INVALID);
	return NULL;
}

void pki_done(struct cfgm_pki *q)
{
	mem_free_secret(q, sizeof(*q));
}

void pki_answer_text(struct client *c, const struct msg *m, BIO *text, enum err e)
{
	char *at = NULL;
	long left = text ? BIO_get_mem_data(text, &at) : 0;

	while (e == ERR_OK && left > 0) {
		size_t n = left < CHUNK ? (size_t)left : CHUNK;

		e = msg_answer(c->conn, m, ERR_OK, MSG_FLAG_MORE, span_of(at, n));
		at += n;
		left -= (long)n;
	}
	pki_answer(c, m, e);
}

/* ---- Certificates follow their keys ---- */

static bool relink_row(struct configd *d, sqlite3_stmt *row)
{
	uint8_t der[CERT_DER_MAX];
	int len = cert_hex_parse(der, sizeof(der), db_col(row, 3));
	X509 *x = len > 0 ? cert_of_der(span_of(der, (size_t)len)) : NULL;
	struct keypair k = { 0 };
	char id[24];
	int changed;

	if (!x || !X509_get0_pubkey(x) || keypair_of_public(d->secrets, X509_get0_pubkey(x), &k) != ERR_OK)
		k.id = 0;
	X509_free(x);
	snprintf(id, sizeof(id), "%llu", (unsigned long long)k.id);
	changed = db_run(&d->store->db,
		"UPDATE pki_cert SET key_id = nullif(CAST(?4 AS INTEGER), 0) WHERE trustpoint = ?1 AND kind = ?2 AND serial = ?3 "
		"AND "
		"key_id IS NOT nullif(CAST(?4 AS INTEGER), 0)",
		P(db_col(row, 0), db_col(row, 1), db_col(row, 2), id));
	return changed > 0;
}

void pki_relink(struct configd *d)
{
	bool changed = false;
	sqlite3_stmt *q;

	if (!store_txn_begin(d->store))
		return;
	q = db_query(&d->store->db, "SELECT trustpoint, kind, serial, data FROM pki_cert WHERE kind IN ('router', 'self-signed')", NOPARAMS);
	while (db_step(&d->store->db, &q))
		changed |= relink_row(d, q);
	if (changed)
		store_revision_add(d->store, NULL, "(certificates follow the key pairs)");
	if (store_txn_end(d->store, changed) && changed)
		configd_changed(d, CFG_PKI);
}

void pki_certificate_lines(BIO *out, const char *trustpoint, const char *kind, X509 *x)
{
	unsigned char *der = NULL;
	char serial[CERT_SERIAL];
	int len = i2d_X509(x, &der);

	if (!cert_serial(serial, x))
		len = 0;
	BIO_printf(out, "crypto pki certificate chain %s\ncertificate %s %s\n", trustpoint, kind, serial);
	for (int i = 0; i < len; i++)
		BIO_printf(out, "%02X%s", der[i], i % 32 == 31 || i + 1 == len ? "\n" : "");
	BIO_printf(out, "quit\nexit\n");
	OPENSSL_free(der);
}

enum err pki_apply(struct client *c, BIO *lines)
{
	struct store_who who;
	struct apply a = { .store = c->d->store, .who = &who };
	char *text = NULL;
	long len = BIO_get_mem_data(lines, &text);
	enum err e;

	session_store_who(c, &who);
	e = apply_text(&a, text, (size_t)len, true);
	if (a.tables) {
		c->changed = true;
		configd_changed(c->d, a.tables);
	}
	return e;
}

/* ---- Making ---- */

enum err pki_key_add(struct configd *d, const char *label, bool exportable, EVP_PKEY *key)
{
	struct keypair k = { .exportable = exportable, .made_us = d->env->wall_us(d->env->ctx) };
	enum err e;

	snprintf(k.label, sizeof(k.label), "%s", label);
	e = keypair_put(d->secrets, &k, key);
	if (e != ERR_OK)
		return e;
	log_msg("CRYPTO_ENGINE", LOG_SEV_NOTICE, "KEY_ADDITION", "A key named %s has been generated or imported by crypto-engine",
		label);
	pki_relink(d);
	return ERR_OK;
}

static bool size_allowed(unsigned type, unsigned bits)
{
	if (type == KEYPAIR_RSA)
		return bits >= 1024 && bits <= 4096;
	return type == KEYPAIR_EC && (bits == 256 || bits == 384 || bits == 521);
}

static bool label_allowed(const char *label)
{
	for (const char *p = label; *p; p++)
		if ((unsigned char)*p <= 0x20 || (unsigned char)*p >= 0x7f)
			return false;
	return *label != '\0';
}

void pki_key_generate(struct client *c, struct msg *m)
{
	struct configd *d = c->d;
	struct cfgm_pki *q = pki_question(c, m);
	enum err e = ERR_INVALID;

	if (!q)
		return;
	if (label_allowed(q->name) && size_allowed(q->type, q->bits))
		e = c->key_job ? ERR_BUSY : keymaker_ask(d->keymaker, d->last_key_job + 1, q->type, q->bits);
	if (e == ERR_OK) {
		c->key_job = ++d->last_key_job;
		c->key_asked = m->head;
		snprintf(d->key_label, sizeof(d->key_label), "%s", q->name);
		d->key_exportable = q->exportable;
	} else {
		pki_answer(c, m, e);
	}
	pki_done(q);
}

void pki_key_made(void *ctx, uint64_t serial, EVP_PKEY *key)
{
	struct configd *d = ctx;
	enum err e = key ? pki_key_add(d, d->key_label, d->key_exportable, key) : ERR_CRYPTO;

	EVP_PKEY_free(key);
	for (struct client *c = d->clients; c; c = c->next) {
		struct msg m = { .head = c->key_asked };

		if (c->key_job != serial)
			continue;
		c->key_job = 0;
		pki_answer(c, &m, e);
		return;
	}
}

/* ---- Removing and showing ---- */

struct chosen {
	const struct cfgm_pki *q;
	struct keypair keys[64];
	size_t n;
};

static void choose(void *ctx, const struct keypair *k)
{
	struct chosen *s = ctx;

	if ((!s->q->type || s->q->type == k->type) && (!s->q->name[0] || strcmp(s->q->name, k->label) == 0) && s->n < 64)
		s->keys[s->n++] = *k;
}

static struct chosen *keys_chosen(struct configd *d, const struct cfgm_pki *q, enum err *e)
{
	struct chosen *s = mem_zalloc(sizeof(*s));

	*e = s ? ERR_OK : ERR_NOMEM;
	if (s) {
		s->q = q;
		*e = keypair_each(d->secrets, choose, s);
	}
	return s;
}

/* As on IOS the router's certificates of that key go too. */
static enum err zeroize(struct configd *d, const struct keypair *k)
{
	char id[24];
	enum err e = keypair_delete(d->secrets, k->id);
	bool gone;

	if (e != ERR_OK)
		return e;
	log_msg("CRYPTO_ENGINE", LOG_SEV_NOTICE, "KEY_DELETED", "A key named %s has been removed from key storage", k->label);
	snprintf(id, sizeof(id), "%llu", (unsigned long long)k->id);
	if (!store_txn_begin(d->store))
		return ERR_SYS;
	gone = db_run(&d->store->db, "DELETE FROM pki_cert WHERE key_id = CAST(?1 AS INTEGER)", P(id)) > 0;
	if (gone)
		store_revision_add(d->store, NULL, "(certificates of a key pair that was zeroized)");
	if (store_txn_end(d->store, gone) && gone)
		configd_changed(d, CFG_PKI);
	return ERR_OK;
}

void pki_key_zeroize(struct client *c, struct msg *m)
{
	struct cfgm_pki *q = pki_question(c, m);
	struct chosen *s;
	enum err e;

	if (!q)
		return;
	s = keys_chosen(c->d, q, &e);
	if (e == ERR_OK && s->n == 0)
		e = ERR_NOT_FOUND;
	for (size_t i = 0; e == ERR_OK && i < s->n; i++)
		e = zeroize(c->d, &s->keys[i]);
	mem_free(s);
	pki_done(q);
	pki_answer(c, m, e);
}

void pki_keys(struct client *c, struct msg *m)
{
	struct cfgm_pki *q = pki_question(c, m);
	struct chosen *s;
	enum err e;

	if (!q)
		return;
	s = keys_chosen(c->d, q, &e);
	for (size_t i = 0; e == ERR_OK && i < s->n; i++)
		e = msg_answer(c->conn, m, ERR_OK, MSG_FLAG_MORE, span_of(&s->keys[i], sizeof(s->keys[i])));
	mem_free(s);
	pki_done(q);
	pki_answer(c, m, e);
}

/* ---- Out and in ---- */

void pki_key_export(struct client *c, struct msg *m)
{
	struct cfgm_pki *q = pki_question(c, m);
	BIO *out = BIO_new(BIO_s_secmem());
	EVP_PKEY *key = NULL;
	struct keypair k;
	enum err e;

	if (!q) {
		BIO_free(out);
		return;
	}
	e = strlen(q->passphrase) < 8 ? ERR_RANGE : keypair_find(c->d->secrets, q->type, q->name, &k);
	if (e == ERR_OK && !k.exportable)
		e = ERR_DENIED;
	if (e == ERR_OK)
		e = keypair_private(c->d->secrets, k.id, &key);
	if (e == ERR_OK && (!out || PEM_write_bio_PUBKEY(out, key) != 1 ||
				   PEM_write_bio_PKCS8PrivateKey(out, key, EVP_aes_256_cbc(), q->passphrase,
					   (int)strlen(q->passphrase), NULL, NULL) != 1))
		e = ERR_CRYPTO;
	EVP_PKEY_free(key);
	pki_done(q);
	pki_answer_text(c, m, out, e);
	BIO_free(out);
}

static int passphrase_give(char *buf, int size, int rwflag, void *ctx)
{
	const char *passphrase = ctx;
	int n = (int)strlen(passphrase);

	(void)rwflag;
	if (n > size)
		return -1;
	memcpy(buf, passphrase, (size_t)n);
	return n;
}

void pki_key_import(struct client *c, struct msg *m)
{
	struct cfgm_pki *q = pki_question(c, m);
	EVP_PKEY *key = NULL;
	struct keypair k = { 0 };
	BIO *in;
	enum err e = ERR_INVALID;

	if (!q)
		return;
	in = BIO_new_mem_buf(q->text, -1);
	if (in)
		key = PEM_read_bio_PrivateKey(in, NULL, passphrase_give, q->passphrase);
	BIO_free(in);
	if (key)
		e = keypair_describe(key, &k);
	if (e == ERR_OK && (k.type != q->type || !size_allowed(k.type, k.bits)))
		e = ERR_UNSUPPORTED;
	if (e == ERR_OK && !label_allowed(q->name))
		e = ERR_RANGE;
	if (e == ERR_OK && keypair_find(c->d->secrets, q->type, q->name, &k) == ERR_OK)
		e = ERR_EXISTS;
	if (e == ERR_OK)
		e = pki_key_add(c->d, q->name, q->exportable, key);
	EVP_PKEY_free(key);
	pki_done(q);
	pki_answer(c, m, e);
}
