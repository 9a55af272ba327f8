/* Algorithms and public values from the wire: unknown groups (CVE-2014-9221), algorithms that the library lacks
 * (CVE-2016-3071, CVE-2018-10811), no group at all (CVE-2016-5391), values of the wrong size or worth (CVE-2023-41913), keys of
 * no length (CVE-2024-3652).
 */
#include "ike_forge.h"

#include "platform/base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* A transform of phase 1 with these numbers; returns the length of the SA payload's body. */
static size_t sa_body(uint8_t *out, size_t size, unsigned enc, unsigned bits, unsigned hash, int group)
{
	uint8_t t[64], p[128];
	struct writer a = writer_of(t, sizeof(t)), pw = writer_of(p, sizeof(p)), w = writer_of(out, size);
	union payload_value v = { .transform = { .number = 1, .id = 1 } },
			    pv = { .proposal = { .number = 1, .protocol = 1, .ntransforms = 1 } };

	attribute_encode(&a, ATTR1_ENCRYPTION, enc);
	if (bits != 0)
		attribute_encode(&a, ATTR1_KEY_LENGTH, bits);
	attribute_encode(&a, ATTR1_HASH, hash);
	attribute_encode(&a, ATTR1_AUTH, 1);
	if (group >= 0)
		attribute_encode(&a, ATTR1_GROUP, (uint32_t)group);
	v.transform.attributes = writer_span(&a);
	writer_u32(&w, DOI_IPSEC);
	writer_u32(&w, SIT_IDENTITY_ONLY);
	chain_put(&pw, PAYLOAD_TRANSFORM, false, &v);
	pv.proposal.transforms = writer_span(&pw);
	chain_put(&w, PAYLOAD_PROPOSAL, false, &pv);
	return writer_len(&w);
}

static bool taken(struct rig *r, uint64_t cookie, unsigned enc, unsigned bits, unsigned hash, int group)
{
	uint8_t body[256], packet[512];
	struct forged f = { 1, body, sa_body(body, sizeof(body), enc, bits, hash, group) };
	struct ike_sa *sa;
	bool was;

	forge_give(r, packet, forge_plain(cookie, 0, EXCH_MAIN, 0, &f, 1, packet, sizeof(packet)));
	sa = sa_by_initiator(r->n[1].k, cookie, r->n[0].address);
	was = sa != NULL;
	if (was)
		sa_free(sa);
	return was;
}

static void every_group_number(void **state)
{
	struct rig *r = rig_new(1, 2);

	(void)state;
	for (int g = -1; g < 65536; g++)
		assert_int_equal(taken(r, (uint64_t)g + 2, 7, 128, 2, g), g == 2);
	rig_free(r);
}

static void every_cipher_and_hash(void **state)
{
	struct rig *r = rig_new(2, 2);
	uint64_t cookie = 1;

	(void)state;
	for (unsigned enc = 0; enc < 300; enc++)
		for (unsigned bits = 0; bits <= 256; bits += 64)
			for (unsigned hash = 0; hash < 10; hash++)
				assert_int_equal(taken(r, cookie++, enc, bits, hash, 2), enc == 7 && bits == 128 && hash == 2);
	rig_free(r);
}

/* A policy may name what the library has not: then it is neither offered nor taken. */
static void listed_but_absent(void **state)
{
	struct rig *r = rig_new(3, 2);

	(void)state;
	for (int i = 0; i < 2; i++)
		r->n[i].cfg->policies[0].group = (enum alg_group)22;
	rig_acquire(&r->n[0], 10, 10);
	assert_int_equal(r->n[0].sent, 0);
	assert_false(taken(r, 1, 7, 128, 2, 22));
	rig_free(r);
}

static const struct forged *ke_of(const uint8_t *value, size_t len)
{
	static struct forged f[2];
	static const uint8_t nonce[32] = { 9 };

	f[0] = (struct forged){ 4, value, len };
	f[1] = (struct forged){ 10, nonce, sizeof(nonce) };
	return f;
}

/* Public values of phase 1 at the responder: each under a new SA, answered with nothing. */
static void bad_values(enum alg_group group)
{
	struct rig *r = rig_new(group, 2);
	const struct group_alg *g = group_find(group);
	uint8_t value[DH_MAX + 8], packet[DH_MAX + 512], body[256];
	size_t lengths[] = { 0, 1, (size_t)g->public_len - 1, (size_t)g->public_len + 1, g->public_len, g->public_len,
		g->public_len };

	r->n[1].cfg->policies[0].group = group;
	for (size_t i = 0; i < 7; i++) {
		struct forged f = { 1, body, sa_body(body, sizeof(body), 7, 128, 2, (int)group) };
		struct ike_sa *sa;
		unsigned sent;

		forge_give(r, packet, forge_plain(i + 1, 0, EXCH_MAIN, 0, &f, 1, packet, sizeof(packet)));
		sa = sa_by_initiator(r->n[1].k, i + 1, r->n[0].address);
		assert_non_null(sa);
		sent = r->n[1].sent;
		/* Zero, one, all ones (beyond p, or no point). */
		memset(value, i == 6 ? 0xff : 0, sizeof(value));
		if (i == 5)
			value[g->public_len - 1] = 1;
		forge_give(r, packet,
			forge_plain(i + 1, sa->st.cookie_r, EXCH_MAIN, 0, ke_of(value, lengths[i]), 2, packet, sizeof(packet)));
		rig_run(r, 1000);
		assert_true(r->n[1].sent <= sent + 1);
		sa = sa_by_initiator(r->n[1].k, i + 1, r->n[0].address);
		assert_true(sa == NULL || !(sa->st.evidence & EV_KEYS));
	}
	rig_free(r);
}

static void public_values(void **state)
{
	(void)state;
	for (size_t i = 0; group_at(i) != NULL; i++)
		if (group_at(i)->ikev1)
			bad_values(group_at(i)->id);
}

/* Null encryption with nothing else has no key: neither offered nor taken. */
static void keyless(void **state)
{
	(void)state;
	for (int side = 0; side < 2; side++) {
		struct rig *r = rig_new(5, 2);

		r->n[side].cfg->sets[0].cipher = CIPHER_NULL;
		r->n[side].cfg->sets[0].auth = HASH_NONE;
		rig_acquire(&r->n[0], 10, 10);
		rig_run(r, SECONDS(3));
		assert_int_equal(r->n[0].nsas + r->n[1].nsas, 0);
		rig_free(r);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_group_number),
		cmocka_unit_test(every_cipher_and_hash),
		cmocka_unit_test(listed_but_absent),
		cmocka_unit_test(public_values),
		cmocka_unit_test(keyless),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
