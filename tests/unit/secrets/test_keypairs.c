/* Key pairs in keys.db: what goes in comes out, sealed on the disk, and still does under another master key. */
#include "configdb/keypairs.h"
#include "configdb/secrets_impl.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

static void add(struct secrets *s, const char *label, enum keypair_type type, unsigned bits, struct keypair *k)
{
	EVP_PKEY *key = keypair_make(type, bits);

	assert_non_null(key);
	*k = (struct keypair){ .made_us = 5 };
	snprintf(k->label, sizeof(k->label), "%s", label);
	assert_int_equal(keypair_put(s, k, key), ERR_OK);
	EVP_PKEY_free(key);
}

static void opens_as(struct secrets *s, const struct keypair *k)
{
	EVP_PKEY *key = NULL;
	struct keypair found;

	assert_int_equal(keypair_private(s, k->id, &key), ERR_OK);
	assert_int_equal(keypair_of_public(s, key, &found), ERR_OK);
	assert_int_equal(found.id, k->id);
	EVP_PKEY_free(key);
}

static void both_kinds(void **state)
{
	struct secrets *s;
	struct keypair rsa, ec, found;

	(void)state;
	assert_int_equal(secrets_open(&s, NULL, false), ERR_OK);
	add(s, "R1", KEYPAIR_RSA, 1024, &rsa);
	add(s, "R1", KEYPAIR_EC, 521, &ec);
	assert_int_equal(rsa.bits, 1024);
	assert_int_equal(ec.bits, 521);
	assert_int_equal(keypair_find(s, KEYPAIR_EC, "R1", &found), ERR_OK);
	assert_int_equal(found.id, ec.id);
	assert_int_equal(keypair_find(s, 0, "R2", &found), ERR_NOT_FOUND);
	opens_as(s, &rsa);
	opens_as(s, &ec);
	assert_int_equal(secrets_master_set(s, span_of("passphrase", 10)), ERR_OK);
	opens_as(s, &rsa);
	opens_as(s, &ec);
	assert_int_equal(keypair_delete(s, rsa.id), ERR_OK);
	assert_int_equal(keypair_find(s, KEYPAIR_RSA, "R1", &found), ERR_NOT_FOUND);
	secrets_close(s);
}

/* A new pair of the same name has another id: a certificate of the old one is not signed for with the new. */
static void an_id_is_never_used_again(void **state)
{
	struct secrets *s;
	struct keypair one, two;
	EVP_PKEY *key = NULL;

	(void)state;
	assert_int_equal(secrets_open(&s, NULL, false), ERR_OK);
	add(s, "X", KEYPAIR_EC, 256, &one);
	add(s, "X", KEYPAIR_EC, 256, &two);
	assert_true(two.id > one.id);
	assert_int_equal(keypair_private(s, one.id, &key), ERR_NOT_FOUND);
	secrets_close(s);
}

struct look {
	struct secrets *s;
	uint8_t der[2048];
	size_t len;
};

static enum err look(void *ctx, sqlite3_stmt *st)
{
	const struct look *l = ctx;
	struct span text = keysdb_bytes(st, 0);
	uint8_t wrong[SEAL_KEY_LEN] = { 1 }, out[2048];

	assert_int_equal(text.len, l->len + SEAL_EXTRA);
	assert_null(memmem(text.data, text.len, l->der + 8, 16));
	assert_int_equal(unseal(wrong, text, out), ERR_AUTH);
	assert_int_equal(unseal(l->s->machine, text, out), ERR_OK);
	return ERR_OK;
}

/* The private half is not in the file: neither its DER, nor under a wrong key. */
static void sealed(void **state)
{
	struct look l = { 0 };
	uint8_t *at = l.der;
	struct keypair k;
	EVP_PKEY *key = NULL;

	(void)state;
	assert_int_equal(secrets_open(&l.s, NULL, false), ERR_OK);
	add(l.s, "X", KEYPAIR_EC, 256, &k);
	assert_int_equal(keypair_private(l.s, k.id, &key), ERR_OK);
	l.len = (size_t)i2d_PrivateKey(key, &at);
	assert_int_equal(keysdb_each(l.s, "SELECT private FROM keypair", NO_BINDS, look, &l), ERR_OK);
	EVP_PKEY_free(key);
	secrets_close(l.s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_kinds),
		cmocka_unit_test(an_id_is_never_used_again),
		cmocka_unit_test(sealed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
