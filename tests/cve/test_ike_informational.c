/* Informational exchanges: before keys (CVE-2019-12312), with a wrong hash (CVE-2019-10155), about SAs that are not there
 * (CVE-2009-0790), deleting twice (CVE-2023-38712); flags and numbers that mean nothing (CVE-2015-3204, CVE-2015-3991), and debug
 * output of all of it (CVE-2020-1763, CVE-2022-23094).
 */
#include "ike_forge.h"

#include "platform/base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const uint8_t notify_there[] = { 0, 0, 0, 1, 1, 16, 0x8d, 0x28 };

static size_t notify_dpd(const struct sa_state *s, uint16_t type, uint8_t *out, size_t size)
{
	struct writer w = writer_of(out, size);

	writer_bytes(&w, notify_there, 6);
	writer_u16(&w, type);
	writer_u64(&w, s->cookie_i);
	writer_u64(&w, s->cookie_r);
	writer_u32(&w, 4711);
	return writer_len(&w);
}

/* In every half-open state of both sides, every exchange, clear and "encrypted": no encrypted answer. */
static bool no_encrypted(struct rig *r, struct packet *p)
{
	static const uint8_t exchanges[] = { 1, 2, 3, 4, 5, 6, 32, 33, 34, 35, 36, 37 };
	int to = 1 - p->from;
	struct ike_sa *sa = ike_only(&r->n[to]);
	uint8_t packet[256];
	struct forged f = { 11, notify_there, 8 };
	size_t from = r->nkept;

	if (sa == NULL || (sa->st.evidence & EV_KEYS))
		return true;
	r->edit = NULL;
	for (size_t x = 0; x < sizeof(exchanges); x++)
		for (int encrypted = 0; encrypted < 2; encrypted++) {
			size_t len = forge_plain(
				sa->st.cookie_i, sa->st.cookie_r, exchanges[x], x == 1 ? 0 : 99, &f, 1, packet, sizeof(packet));

			packet[19] = (uint8_t)encrypted;
			rig_inject(r, p->from, to, packet, len, 500);
		}
	for (; from < r->nkept; from++)
		assert_int_equal(r->kept[from].bytes[19] & FLAG_ENCRYPTED, 0);
	r->edit = no_encrypted;
	return true;
}

static void half_open(void **state)
{
	struct rig *r = rig_new(1, 2);

	(void)state;
	r->keep = true;
	r->edit = no_encrypted;
	rig_acquire(&r->n[0], 10, 10);
	assert_true(rig_until(r, rig_up, SECONDS(5)));
	rig_free(r);
}

/* R-U-THERE is answered; not when any bit of its hash is wrong, or when it has none. */
static void hash_bits(void **state)
{
	struct rig *r = rig_established(2);
	struct sa_state *s = &ike_only(&r->n[0])->st;
	uint8_t body[64], packet[256], plain[256], iv[16];
	struct forged f = { 11, body, notify_dpd(s, NOTIFY_R_U_THERE, body, sizeof(body)) };
	size_t len = forge_protected(r, EXCH_INFORMATIONAL, 7, &f, 1, true, packet, sizeof(packet));
	unsigned sent = r->n[1].sent;

	(void)state;
	forge_give(r, packet, len);
	assert_int_equal(r->n[1].sent, sent + 1);
	assert_int_equal(message_iv(s, 7, iv), ERR_OK);
	memcpy(plain, packet, len);
	assert_int_equal(cipher_decrypt(s->terms.cipher, secret_span(&s->key), iv, span_of(plain + 28, len - 28)), ERR_OK);
	for (int bit = 0; bit < 160; bit++) {
		memcpy(packet, plain, len);
		packet[32 + bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_int_equal(message_iv(s, 7, iv), ERR_OK);
		assert_int_equal(cipher_encrypt(s->terms.cipher, secret_span(&s->key), iv, span_of(packet + 28, len - 28)), ERR_OK);
		forge_give(r, packet, len);
	}
	len = forge_protected(r, EXCH_INFORMATIONAL, 8, &f, 1, false, packet, sizeof(packet));
	forge_give(r, packet, len);
	assert_int_equal(r->n[1].sent, sent + 1);
	assert_int_equal(rig_stat(&r->n[1], STAT_BAD_HASH), 160);
	rig_free(r);
}

/* R-U-THERE and its ACK: unprotected, for cookies that nobody has, for an SA that was. */
static void dpd_for_nothing(void **state)
{
	struct rig *r = rig_established(3);
	struct sa_state s = ike_only(&r->n[0])->st;
	struct ikem_clear c = { .what = IKE_CLEAR_ISAKMP };
	uint8_t body[64], packet[256], stale[256];
	size_t stale_len = 0;
	unsigned sent = r->n[1].sent;

	(void)state;
	for (uint16_t type = NOTIFY_R_U_THERE; type <= NOTIFY_R_U_THERE_ACK; type++) {
		struct forged f = { 11, body, notify_dpd(&s, type, body, sizeof(body)) };

		stale_len = forge_protected(r, EXCH_INFORMATIONAL, 9, &f, 1, true, stale, sizeof(stale));
		forge_give(r, packet, forge_plain(s.cookie_i, s.cookie_r, EXCH_INFORMATIONAL, 1, &f, 1, packet, sizeof(packet)));
		forge_give(r, packet, forge_plain(1, 2, EXCH_INFORMATIONAL, 1, &f, 1, packet, sizeof(packet)));
		forge_give(r, packet, forge_plain(s.cookie_i, 0, EXCH_INFORMATIONAL, 1, &f, 1, packet, sizeof(packet)));
	}
	ike_clear(r->n[1].k, &c);
	sent = r->n[1].sent;
	forge_give(r, stale, stale_len);
	assert_int_equal(r->n[1].sent, sent);
	rig_free(r);
}

/* [D(IKE), D(IKE), N], [D(IKE), N(INITIAL-CONTACT)], [D(ESP) twice]: one end, and nothing of it used after. */
static void deleted_twice(void **state)
{
	static const int orders[][4] = { { 0, 0, 1, -1 }, { 0, 2, -1, -1 }, { 3, 3, 0, -1 }, { 2, 0, 3, 0 }, { 3, 2, 3, 1 } };

	(void)state;
	for (size_t o = 0; o < 5; o++) {
		struct rig *r = rig_established(4 + o);
		struct sa_state *s = &ike_only(&r->n[0])->st;
		uint8_t d_ike[32], n_dpd[64], d_esp[16], contact[32], packet[512];
		struct writer w = writer_of(d_ike, sizeof(d_ike)), e = writer_of(d_esp, sizeof(d_esp)),
			      ic = writer_of(contact, sizeof(contact));
		struct forged all[4], f[4];
		size_t n = 0;

		writer_u32(&w, 1);
		writer_u32(&w, 0x01100001);
		writer_u64(&w, s->cookie_i);
		writer_u64(&w, s->cookie_r);
		writer_u32(&e, 1);
		writer_u32(&e, 0x03040001);
		writer_u32(&e, rig_sa(&r->n[0], true, 0)->key.spi);
		writer_u32(&ic, 1);
		writer_u32(&ic, 0x01006002);
		all[0] = (struct forged){ 12, d_ike, writer_len(&w) };
		all[1] = (struct forged){ 11, n_dpd, notify_dpd(s, NOTIFY_R_U_THERE, n_dpd, sizeof(n_dpd)) };
		all[2] = (struct forged){ 11, contact, writer_len(&ic) };
		all[3] = (struct forged){ 12, d_esp, writer_len(&e) };
		while (n < 4 && orders[o][n] >= 0) {
			f[n] = all[orders[o][n]];
			n++;
		}
		forge_give(r, packet, forge_protected(r, EXCH_INFORMATIONAL, 5, f, n, true, packet, sizeof(packet)));
		forge_give(r, packet, forge_protected(r, EXCH_INFORMATIONAL, 5, f, n, true, packet, sizeof(packet)));
		assert_int_equal(rig_ike_count(&r->n[1], QM_IDLE), o == 4);
		rig_free(r);
	}
}

/* All flags, all next payloads, all exchanges and versions, with debugging on: everything is printed, nothing answered. */
static void every_flag_and_number(void **state)
{
	struct rig *r = rig_established(20);
	struct sa_state *s = &ike_only(&r->n[0])->st;
	uint8_t packet[256];
	struct forged f = { 11, notify_there, 8 };
	size_t len = forge_plain(s->cookie_i, s->cookie_r, EXCH_INFORMATIONAL, 3, &f, 1, packet, sizeof(packet));
	unsigned sent = r->n[1].sent;

	(void)state;
	ike_debug(r->n[1].k, true, true);
	for (unsigned v = 0; v < 65536; v++) {
		packet[16] = (uint8_t)v;
		packet[19] = (uint8_t)(v >> 8) & 0xfe;
		forge_give(r, packet, len);
	}
	packet[16] = 11;
	packet[19] = 0;
	for (unsigned v = 0; v < 65536; v++) {
		packet[17] = (uint8_t)v;
		packet[18] = (uint8_t)(v >> 8);
		/* Phase 2 exchanges of unknown SAs are another matter. */
		forge_give(r, packet, len);
	}
	assert_int_equal(r->n[1].sent, sent);
	assert_true(rig_up(r));
	rig_free(r);
}

/* IKEv2's payloads in an IKEv1 message, and IKEv1's in an IKEv2 one. */
static void other_version(void **state)
{
	struct rig *r = rig_established(21);
	uint8_t packet[512], body[64] = { 0 };

	(void)state;
	for (unsigned number = 0; number < 256; number++) {
		struct forged f = { (uint8_t)number, body, sizeof(body) };

		forge_give(r, packet, forge_protected(r, EXCH_INFORMATIONAL, number + 1, &f, 1, true, packet, sizeof(packet)));
		forge_give(r, packet, forge_protected(r, EXCH_QUICK, number + 1000, &f, 1, true, packet, sizeof(packet)));
		for (uint8_t x = EXCH_SA_INIT2; x <= EXCH_INFORMATIONAL2; x++) {
			size_t len = forge_plain(number + 1, 0, x, 0, &f, 1, packet, sizeof(packet));

			packet[17] = 0x20;
			forge_give(r, packet, len);
		}
	}
	assert_int_equal(rig_ike_count(&r->n[1], QM_IDLE), 1);
	assert_int_equal(r->n[1].k->half_open, 0);
	assert_int_equal(rig_stat(&r->n[1], STAT_BAD_VERSION), 1024);
	assert_true(rig_up(r));
	rig_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(half_open),
		cmocka_unit_test(hash_bits),
		cmocka_unit_test(dpd_for_nothing),
		cmocka_unit_test(deleted_twice),
		cmocka_unit_test(every_flag_and_number),
		cmocka_unit_test(other_version),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
