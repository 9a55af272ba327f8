/* Identities: malformed ones in phase 1 (CVE-2013-6075, -5018, -2053), other types than addresses in quick mode (CVE-2023-38711);
 * message ids of quick mode that are zero, used, or in use.
 */
#include "ike_forge.h"

#include "platform/base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* An identity of A with a right HASH_I over it: only the identity is wrong. */
static void identity_give(uint8_t type, const uint8_t *data, size_t len, bool good)
{
	struct rig *r = rig_new(type * 100 + len, 2);
	struct ike_sa *a;
	struct build b;
	struct isakmp_header h = { .version = 0x10, .exchange = EXCH_MAIN };
	union payload_value v = { .id = { .type = type, .data = span_of(data, len) } };
	uint8_t buf[1024], iv[16];
	struct writer w;
	struct secret hash;
	struct span packet;

	/* B hears the first two messages only. */
	rig_acquire(&r->n[0], 10, 10);
	while (rig_ike_count(&r->n[0], MM_KEY_EXCH) == 0 || !(ike_only(&r->n[0])->st.evidence & EV_KEYS))
		rig_run(r, 1);
	a = ike_only(&r->n[0]);
	w = writer_of(a->h->id_i.bytes, sizeof(a->h->id_i.bytes));
	payload_encode(&w, payload_def(PAYLOAD_ID), &v);
	a->h->id_i.len = (uint16_t)writer_len(&w);
	assert_int_equal(keys_hash_auth(&a->st, a->h, true, &hash), ERR_OK);
	h.cookie_i = a->st.cookie_i;
	h.cookie_r = a->st.cookie_r;
	build_start(&b, buf, sizeof(buf), &h);
	build_payload(&b, PAYLOAD_ID, &v);
	build_data(&b, PAYLOAD_HASH, secret_span(&hash));
	/* The chain begins at B's own view of it. */
	memcpy(iv, ike_only(&r->n[1])->st.iv, sizeof(iv));
	assert_int_equal(message_seal(&b, &a->st, iv, &packet), ERR_OK);
	forge_give(r, packet.data, packet.len);
	assert_int_equal(rig_ike_count(&r->n[1], QM_IDLE), good);
	rig_free(r);
}

static void phase1_identities(void **state)
{
	static const uint8_t dn[] = { 0x30, 0x80, 0x31, 0x82, 0xff, 0xff, 0x30, 0x84, 0xff, 0xff, 0xff, 0xff, 0x06, 0x03 };
	static const uint8_t long_name[300] = { 'a' };

	(void)state;
	for (size_t len = 0; len <= 5; len++)
		for (int type = 0; type <= 12; type++) {
			bool good = (type == ID_IPV4_ADDR && len == 4) ||
				    ((type == ID_FQDN || type == ID_USER_FQDN || type == ID_DER_ASN1_DN || type == ID_KEY_ID) &&
					    len > 0);

			identity_give((uint8_t)type, (const uint8_t *)"a=b,c=", len, good);
		}
	for (size_t len = 1; len <= sizeof(dn); len++)
		identity_give(ID_DER_ASN1_DN, dn, len, true);
	identity_give(ID_FQDN, long_name, sizeof(long_name), false);
	identity_give(ID_FQDN, (const uint8_t *)"a\0b", 3, false);
}

/* A's quick mode with other identities than addresses: refused with INVALID-ID-INFORMATION, state as before. */
static size_t quick_of(
	struct rig *r, uint8_t type, const uint8_t *id, size_t idlen, uint32_t message_id, uint8_t *packet, size_t size)
{
	static const uint8_t sa[] = { 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 40, 1, 3, 4, 1, 1, 2, 3, 4, 0, 0, 0, 28, 1, 12, 0, 0, 0x80,
		1, 0, 1, 0x80, 2, 2, 0, 0x80, 4, 0, 1, 0x80, 5, 0, 2, 0x80, 6, 0, 128 };
	static const uint8_t nonce[32] = { 1 };
	uint8_t body[300] = { type };
	struct forged f[4] = { { 1, sa, sizeof(sa) }, { 10, nonce, sizeof(nonce) }, { 5, body, idlen + 4 },
		{ 5, body, idlen + 4 } };

	memcpy(body + 4, id, idlen);
	return forge_protected(r, EXCH_QUICK, message_id, f, 4, true, packet, size);
}

static void quick_identities(void **state)
{
	struct rig *r = rig_established(2);
	uint8_t packet[1024];

	(void)state;
	for (unsigned type = 0; type < 256; type++)
		for (size_t len = 0; len <= 9; len++) {
			size_t n = quick_of(r, (uint8_t)type, (const uint8_t *)"\300\250\1\0\377\377\377\0\1", len,
				type * 10 + (uint32_t)len + 1, packet, sizeof(packet));
			forge_give(r, packet, n);
			rig_run(r, 10);
		}
	assert_int_equal(rig_pairs(&r->n[1]), 1);
	assert_int_equal(rig_stat(&r->n[1], STAT_PHASE2_FAILED), 2560);
	assert_true(rig_log_has(r, "INVALID-ID-INFORMATION") || rig_log_has(r, "are not addresses"));
	rig_free(r);
}

static const uint8_t left[] = { 192, 168, 1, 0, 255, 255, 255, 0 };

/* Our own answer would be for both networks the same: the list does not have that; so the mirror must be asked for. */
static size_t quick_good(struct rig *r, uint32_t message_id, uint8_t *packet, size_t size)
{
	static const uint8_t sa[] = { 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 40, 1, 3, 4, 1, 1, 2, 3, 4, 0, 0, 0, 28, 1, 12, 0, 0, 0x80,
		1, 0, 1, 0x80, 2, 2, 0, 0x80, 4, 0, 1, 0x80, 5, 0, 2, 0x80, 6, 0, 128 };
	static const uint8_t nonce[32] = { 1 };
	uint8_t i[12] = { ID_IPV4_SUBNET }, rr[12] = { ID_IPV4_SUBNET };
	struct forged f[4] = { { 1, sa, sizeof(sa) }, { 10, nonce, sizeof(nonce) }, { 5, i, 12 }, { 5, rr, 12 } };

	memcpy(i + 4, left, 8);
	memcpy(rr + 4, left, 8);
	rr[6] = 2;
	return forge_protected(r, EXCH_QUICK, message_id, f, 4, true, packet, size);
}

static void message_ids(void **state)
{
	struct rig *r = rig_established(3);
	uint8_t packet[1024];
	size_t n;

	(void)state;
	/* Zero is phase 1's. */
	n = quick_good(r, 0, packet, sizeof(packet));
	forge_give(r, packet, n);
	rig_run(r, 1000);
	assert_int_equal(rig_pairs(&r->n[1]), 1);
	/* A fresh one is taken, its repetition gets the same answer, another message under it is refused. */
	n = quick_good(r, 77, packet, sizeof(packet));
	forge_give(r, packet, n);
	rig_run(r, 1000);
	assert_int_equal(rig_pairs(&r->n[1]), 2);
	forge_give(r, packet, n);
	rig_run(r, 1000);
	assert_int_equal(rig_pairs(&r->n[1]), 2);
	assert_int_equal(rig_stat(&r->n[1], STAT_REPEATED_IN), 1);
	/* Nobody confirms: it ends. Its id is remembered for the life of the SA. */
	rig_run(r, SECONDS(200));
	assert_int_equal(rig_pairs(&r->n[1]), 1);
	forge_give(r, packet, n);
	rig_run(r, 1000);
	assert_int_equal(rig_pairs(&r->n[1]), 1);
	assert_true(rig_stat(&r->n[1], STAT_BAD_MESSAGE_ID) >= 2);
	rig_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(phase1_identities),
		cmocka_unit_test(quick_identities),
		cmocka_unit_test(message_ids),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
