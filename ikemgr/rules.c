/* The exchanges of IKEv1 that we speak, as tables. Read a table beside the picture above it.
 *
 * IKEv2 will be further rows: version 2, its exchanges and payload kinds.
 */
#include "ikemgr/core.h"

#define V1(exchange_, on_, role_, from_, to_)                                                                                      \
	.version = 1, .exchange = EXCH_##exchange_, .on = ON_##on_, .role = ROLE_##role_, .from = from_, .to = to_

/*   Initiator                          Responder
 *   HDR, SA                     -->
 *                               <--    HDR, SA
 *   HDR, KE, Ni, NAT-D          -->
 *                               <--    HDR, KE, Nr, NAT-D
 *   HDR*, IDii, HASH_I          -->
 *                               <--    HDR*, IDir, HASH_R          RFC 2409 5.4, RFC 3947 3.2
 *
 * The initiator alone repeats by timer: the responder answers each repetition with its last message, so that one forged
 * packet never makes it send more than one, and no longer than what came.
 */
static const struct rule main_mode_psk[] = {
	{ V1(MAIN, START, INITIATOR, MM_NO_STATE, MM_NO_STATE), .gains = EV_OFFERED, .repeat = true, .run = mm_offer,
		.story = "beginning Main Mode exchange" },
	{ V1(MAIN, MESSAGE, INITIATOR, MM_NO_STATE, MM_SA_SETUP), .must = P(SA), .may = P(VID), .needs = EV_OFFERED,
		.gains = EV_CHOSEN, .asks = ASK_GENERATE, .run = mm_chosen, .story = "the responder has chosen" },
	{ V1(MAIN, READY, INITIATOR, MM_SA_SETUP, MM_SA_SETUP), .needs = EV_CHOSEN, .gains = EV_KE_SENT, .repeat = true,
		.run = mm_send_ke, .story = "key exchange sent" },
	{ V1(MAIN, MESSAGE, INITIATOR, MM_SA_SETUP, MM_KEY_EXCH), .must = P(KE) | P(NONCE),
		.may = P(VID) | P(NATD) | P(NATD_DRAFT) | P(CERT_REQ), .needs = EV_KE_SENT, .gains = EV_KE_RECEIVED,
		.asks = ASK_DERIVE | ASK_SKEYID, .run = mm_take_ke, .story = "key exchange received" },
	{ V1(MAIN, READY, INITIATOR, MM_KEY_EXCH, MM_KEY_EXCH), .auth = RULE_AUTH_PSK, .needs = EV_KE_RECEIVED, .gains = EV_KEYS,
		.seal = true, .repeat = true, .run = mm_send_id, .story = "keys agreed, identity sent" },
	{ V1(MAIN, MESSAGE, INITIATOR, MM_KEY_EXCH, QM_IDLE), .auth = RULE_AUTH_PSK, .encrypted = true, .must = P(ID) | P(HASH),
		.may = P(NOTIFY) | P(VID), .needs = EV_KEYS, .gains = EV_AUTHED, .run = mm_finish,
		.story = "SA authentication status: authenticated" },

	{ V1(MAIN, MESSAGE, RESPONDER, MM_NO_STATE, MM_SA_SETUP), .must = P(SA), .may = P(VID), .gains = EV_CHOSEN,
		.run = mm_choose, .story = "proposal chosen" },
	{ V1(MAIN, MESSAGE, RESPONDER, MM_SA_SETUP, MM_KEY_EXCH), .must = P(KE) | P(NONCE),
		.may = P(VID) | P(NATD) | P(NATD_DRAFT) | P(CERT_REQ), .needs = EV_CHOSEN, .gains = EV_KE_RECEIVED,
		.asks = ASK_GENERATE | ASK_DERIVE | ASK_SKEYID, .run = mm_take_ke, .story = "key exchange received" },
	{ V1(MAIN, READY, RESPONDER, MM_KEY_EXCH, MM_KEY_EXCH), .auth = RULE_AUTH_PSK, .needs = EV_KE_RECEIVED, .gains = EV_KEYS,
		.run = mm_answer_ke, .story = "keys agreed" },
	{ V1(MAIN, MESSAGE, RESPONDER, MM_KEY_EXCH, QM_IDLE), .auth = RULE_AUTH_PSK, .encrypted = true, .must = P(ID) | P(HASH),
		.may = P(NOTIFY) | P(VID), .needs = EV_KEYS, .gains = EV_AUTHED, .seal = true, .run = mm_answer_id,
		.story = "SA authentication status: authenticated" },
};

/*   Initiator                          Responder
 *   HDR, SA                     -->
 *                               <--    HDR, SA
 *   HDR, KE, Ni, CERT_REQ       -->
 *                               <--    HDR, KE, Nr, CERT_REQ
 *   HDR*, IDii, CERT, SIG_I     -->
 *                               <--    HDR*, IDir, CERT, SIG_R          RFC 2409 5.1
 *
 * The first rows are those of the other methods: which one it will be is agreed in the second message.
 */
static const struct rule main_mode_sig[] = {
	{ V1(MAIN, READY, INITIATOR, MM_KEY_EXCH, MM_KEY_EXCH), .auth = RULE_AUTH_SIG, .needs = EV_KE_RECEIVED, .lacks = EV_KEYS,
		.gains = EV_KEYS, .asks = ASK_SIGN, .run = mm_sig_begin, .story = "keys agreed, signature asked for" },
	{ V1(MAIN, READY, INITIATOR, MM_KEY_EXCH, MM_KEY_EXCH), .auth = RULE_AUTH_SIG, .needs = EV_KEYS, .lacks = EV_PROOF_SENT,
		.gains = EV_PROOF_SENT, .seal = true, .repeat = true, .run = mm_sig_send,
		.story = "identity, certificate and signature sent" },
	{ V1(MAIN, MESSAGE, INITIATOR, MM_KEY_EXCH, MM_KEY_AUTH), .auth = RULE_AUTH_SIG, .encrypted = true, .must = P(ID) | P(SIG),
		.may = P(CERT) | P(CERT_REQ) | P(NOTIFY) | P(VID), .needs = EV_KEYS | EV_PROOF_SENT, .gains = EV_PROOF,
		.asks = ASK_REVOCATION, .run = mm_sig_take, .story = "signature verified" },
	{ V1(MAIN, READY, INITIATOR, MM_KEY_AUTH, QM_IDLE), .auth = RULE_AUTH_SIG, .needs = EV_PROOF, .gains = EV_AUTHED,
		.run = mm_sig_finish, .story = "SA authentication status: authenticated" },

	{ V1(MAIN, READY, RESPONDER, MM_KEY_EXCH, MM_KEY_EXCH), .auth = RULE_AUTH_SIG, .needs = EV_KE_RECEIVED, .lacks = EV_KEYS,
		.gains = EV_KEYS, .run = mm_sig_answer_ke, .story = "keys agreed" },
	{ V1(MAIN, MESSAGE, RESPONDER, MM_KEY_EXCH, MM_KEY_AUTH), .auth = RULE_AUTH_SIG, .encrypted = true, .must = P(ID) | P(SIG),
		.may = P(CERT) | P(CERT_REQ) | P(NOTIFY) | P(VID), .needs = EV_KEYS, .gains = EV_PROOF,
		.asks = ASK_REVOCATION | ASK_SIGN, .run = mm_sig_take, .story = "signature verified" },
	{ V1(MAIN, READY, RESPONDER, MM_KEY_AUTH, QM_IDLE), .auth = RULE_AUTH_SIG, .needs = EV_PROOF, .gains = EV_AUTHED,
		.seal = true, .run = mm_sig_finish, .story = "SA authentication status: authenticated" },
};

/*   Initiator                          Responder
 *   HDR, SA, KE, Ni, IDii       -->
 *                               <--    HDR, SA, KE, Nr, IDir, HASH_R, NAT-D
 *   HDR[*], HASH_I, NAT-D       -->                                   RFC 2409 5.4, RFC 3947 3.2
 *
 * The responder does not repeat by timer. That the third message was lost it learns from the quick mode that it cannot take yet:
 * it answers that with its second message, and gets the third again (receive.c).
 */
static const struct rule aggressive_psk[] = {
	{ V1(AGGRESSIVE, START, INITIATOR, AG_NO_STATE, AG_NO_STATE), .asks = ASK_GENERATE, .run = ag_begin,
		.story = "beginning Aggressive Mode exchange" },
	{ V1(AGGRESSIVE, READY, INITIATOR, AG_NO_STATE, AG_INIT_EXCH), .gains = EV_OFFERED | EV_KE_SENT, .repeat = true,
		.run = ag_offer, .story = "offer, key exchange and identity sent" },
	{ V1(AGGRESSIVE, MESSAGE, INITIATOR, AG_INIT_EXCH, AG_AUTH), .auth = RULE_AUTH_PSK,
		.must = P(SA) | P(KE) | P(NONCE) | P(ID) | P(HASH),
		.may = P(VID) | P(NATD) | P(NATD_DRAFT) | P(CERT_REQ) | P(NOTIFY), .needs = EV_OFFERED | EV_KE_SENT,
		.gains = EV_CHOSEN | EV_KE_RECEIVED, .asks = ASK_DERIVE | ASK_SKEYID, .run = ag_take,
		.story = "the responder's answer received" },
	{ V1(AGGRESSIVE, READY, INITIATOR, AG_AUTH, QM_IDLE), .auth = RULE_AUTH_PSK, .needs = EV_CHOSEN | EV_KE_RECEIVED,
		.gains = EV_KEYS | EV_AUTHED, .seal = true, .run = ag_finish, .story = "SA authentication status: authenticated" },

	{ V1(AGGRESSIVE, MESSAGE, RESPONDER, AG_NO_STATE, AG_INIT_EXCH), .must = P(SA) | P(KE) | P(NONCE) | P(ID),
		.may = P(VID) | P(CERT_REQ), .gains = EV_CHOSEN | EV_KE_RECEIVED, .asks = ASK_GENERATE | ASK_DERIVE | ASK_SKEYID,
		.run = ag_choose, .story = "proposal chosen" },
	{ V1(AGGRESSIVE, READY, RESPONDER, AG_INIT_EXCH, AG_INIT_EXCH), .auth = RULE_AUTH_PSK, .needs = EV_CHOSEN | EV_KE_RECEIVED,
		.gains = EV_KEYS, .run = ag_answer, .story = "keys agreed, identity and hash sent" },
	{ V1(AGGRESSIVE, MESSAGE, RESPONDER, AG_INIT_EXCH, QM_IDLE), .auth = RULE_AUTH_PSK, .encrypted = true, .must = P(HASH),
		.may = P(VID) | P(NATD) | P(NATD_DRAFT) | P(NOTIFY), .needs = EV_KEYS, .gains = EV_AUTHED, .run = ag_confirm,
		.story = "SA authentication status: authenticated" },
	{ V1(AGGRESSIVE, MESSAGE, RESPONDER, AG_INIT_EXCH, QM_IDLE), .auth = RULE_AUTH_PSK, .must = P(HASH),
		.may = P(VID) | P(NATD) | P(NATD_DRAFT) | P(NOTIFY), .needs = EV_KEYS, .gains = EV_AUTHED, .run = ag_confirm,
		.story = "SA authentication status: authenticated" },
};

/*   Initiator                                   Responder
 *   HDR, SA, KE, Ni, IDii, CERT_REQ      -->
 *                                        <--    HDR, SA, KE, Nr, IDir, CERT, SIG_R, CERT_REQ, NAT-D
 *   HDR[*], CERT, SIG_I, NAT-D           -->                          RFC 2409 5.1, RFC 3947 3.2
 *
 * The first rows are those of the other method: the initiator's first policy decides, and the responder's choice. Of the peer's
 * certificate and identity the initiator judges at once; of its proof when there are keys, before its own goes out.
 */
#define AG_SIG_MAY (P(CERT) | P(CERT_REQ) | P(VID) | P(NATD) | P(NATD_DRAFT) | P(NOTIFY))
static const struct rule aggressive_sig[] = {
	{ V1(AGGRESSIVE, MESSAGE, INITIATOR, AG_INIT_EXCH, AG_AUTH), .auth = RULE_AUTH_SIG,
		.must = P(SA) | P(KE) | P(NONCE) | P(ID) | P(SIG), .may = AG_SIG_MAY, .needs = EV_OFFERED | EV_KE_SENT,
		.gains = EV_CHOSEN | EV_KE_RECEIVED, .asks = ASK_DERIVE, .run = ag_sig_take,
		.story = "the responder's certificate is trusted" },
	{ V1(AGGRESSIVE, READY, INITIATOR, AG_AUTH, AG_AUTH), .auth = RULE_AUTH_SIG, .needs = EV_CHOSEN | EV_KE_RECEIVED,
		.lacks = EV_KEYS, .gains = EV_KEYS | EV_PROOF, .asks = ASK_REVOCATION | ASK_SIGN, .run = ag_sig_prove,
		.story = "keys agreed, signature verified" },
	{ V1(AGGRESSIVE, READY, INITIATOR, AG_AUTH, QM_IDLE), .auth = RULE_AUTH_SIG, .needs = EV_KEYS | EV_PROOF,
		.gains = EV_AUTHED, .seal = true, .run = ag_sig_finish, .story = "SA authentication status: authenticated" },

	{ V1(AGGRESSIVE, READY, RESPONDER, AG_INIT_EXCH, AG_INIT_EXCH), .auth = RULE_AUTH_SIG, .needs = EV_CHOSEN | EV_KE_RECEIVED,
		.lacks = EV_KEYS, .gains = EV_KEYS, .asks = ASK_SIGN, .run = ag_sig_begin,
		.story = "keys agreed, signature asked for" },
	{ V1(AGGRESSIVE, READY, RESPONDER, AG_INIT_EXCH, AG_INIT_EXCH), .auth = RULE_AUTH_SIG, .needs = EV_KEYS,
		.lacks = EV_PROOF_SENT, .gains = EV_PROOF_SENT, .run = ag_sig_answer,
		.story = "identity, certificate and signature sent" },
	{ V1(AGGRESSIVE, MESSAGE, RESPONDER, AG_INIT_EXCH, AG_AUTH), .auth = RULE_AUTH_SIG, .encrypted = true, .must = P(SIG),
		.may = AG_SIG_MAY, .needs = EV_KEYS | EV_PROOF_SENT, .gains = EV_PROOF, .asks = ASK_REVOCATION,
		.run = ag_sig_confirm, .story = "signature verified" },
	{ V1(AGGRESSIVE, MESSAGE, RESPONDER, AG_INIT_EXCH, AG_AUTH), .auth = RULE_AUTH_SIG, .must = P(SIG), .may = AG_SIG_MAY,
		.needs = EV_KEYS | EV_PROOF_SENT, .gains = EV_PROOF, .asks = ASK_REVOCATION, .run = ag_sig_confirm,
		.story = "signature verified" },
	{ V1(AGGRESSIVE, READY, RESPONDER, AG_AUTH, QM_IDLE), .auth = RULE_AUTH_SIG, .needs = EV_PROOF, .gains = EV_AUTHED,
		.run = ag_sig_done, .story = "SA authentication status: authenticated" },
};

#define QUICK_MAY (P(KE) | P(ID) | P(ID_SECOND) | P(NOTIFY) | P(VID) | P(NATOA) | P(NATOA_DRAFT))

/*   Initiator                                  Responder
 *   HDR*, HASH(1), SA, Ni [, KE]
 *                [, IDci, IDcr]         -->
 *                                       <--    HDR*, HASH(2), SA, Nr [, KE] [, IDci, IDcr]
 *   HDR*, HASH(3)                       -->                                                RFC 2409 5.5
 *
 * The responder's inbound SA stands before it answers, the initiator's before HASH(3): when a side begins to send, the other
 * can read. Here the responder repeats too, for HASH(3) has no answer.
 */
static const struct rule quick_mode[] = {
	{ V1(QUICK, START, INITIATOR, QUICK_NEW, QUICK_ASKED), .needs = EV_AUTHED, .asks = ASK_SPI | ASK_GENERATE, .run = qm_begin,
		.story = "beginning Quick Mode exchange" },
	{ V1(QUICK, READY, INITIATOR, QUICK_ASKED, QUICK_SENT), .needs = EV_AUTHED, .gains = EV_SPI | EV_OFFERED, .seal = true,
		.repeat = true, .run = qm_offer, .story = "offer sent" },
	{ V1(QUICK, MESSAGE, INITIATOR, QUICK_SENT, QUICK_CHOSEN), .encrypted = true, .must = P(HASH) | P(SA) | P(NONCE),
		.may = QUICK_MAY, .needs = EV_AUTHED | EV_OFFERED, .gains = EV_CHOSEN, .asks = ASK_DERIVE, .run = qm_accept,
		.story = "the responder has chosen" },
	{ V1(QUICK, READY, INITIATOR, QUICK_CHOSEN, QUICK_KEYED), .needs = EV_AUTHED | EV_CHOSEN, .gains = EV_KEYS,
		.asks = ASK_PUT_IN, .run = qm_keys, .story = "keys derived" },
	{ V1(QUICK, READY, INITIATOR, QUICK_KEYED, QUICK_DONE), .needs = EV_AUTHED | EV_KEYS, .gains = EV_INSTALLED,
		.asks = ASK_PUT_OUT, .seal = true, .run = qm_send_3, .story = "inbound SA stands, confirmed" },

	{ V1(QUICK, MESSAGE, RESPONDER, QUICK_NEW, QUICK_CHOSEN), .encrypted = true, .must = P(HASH) | P(SA) | P(NONCE),
		.may = QUICK_MAY, .needs = EV_AUTHED, .gains = EV_CHOSEN, .asks = ASK_SPI | ASK_GENERATE | ASK_DERIVE,
		.run = qm_answer, .story = "proposal chosen" },
	{ V1(QUICK, READY, RESPONDER, QUICK_CHOSEN, QUICK_KEYED), .needs = EV_AUTHED | EV_CHOSEN, .gains = EV_SPI | EV_KEYS,
		.asks = ASK_PUT_IN, .run = qm_keys, .story = "keys derived" },
	{ V1(QUICK, READY, RESPONDER, QUICK_KEYED, QUICK_SENT), .needs = EV_AUTHED | EV_KEYS, .gains = EV_INSTALLED, .seal = true,
		.repeat = true, .run = qm_send_2, .story = "inbound SA stands, answer sent" },
	{ V1(QUICK, MESSAGE, RESPONDER, QUICK_SENT, QUICK_DONE), .encrypted = true, .must = P(HASH), .may = P(NOTIFY),
		.needs = EV_AUTHED | EV_INSTALLED, .asks = ASK_PUT_OUT, .run = qm_finish, .story = "confirmed" },
};

/*   HDR*, HASH(1), N/D          -->                                  RFC 2409 5.7
 *   HDR, N                      -->      before there are keys, and about nothing that matters
 */
static const struct rule informational[] = {
	{ V1(INFORMATIONAL, MESSAGE, EITHER, QM_IDLE, RULE_STAY), .encrypted = true, .must = P(HASH),
		.may = P(NOTIFY) | P(DELETE) | P(VID), .needs = EV_AUTHED, .run = info_protected,
		.story = "informational message" },
	/* The peer has our keys but we have not its proof yet: it may say why it refuses us. */
	{ V1(INFORMATIONAL, MESSAGE, INITIATOR, MM_KEY_EXCH, RULE_STAY), .encrypted = true, .must = P(HASH) | P(NOTIFY),
		.may = P(VID), .needs = EV_KEYS, .run = info_protected, .story = "notification before authentication" },
	{ V1(INFORMATIONAL, MESSAGE, EITHER, RULE_ANY, RULE_STAY), .must = P(NOTIFY), .may = P(VID), .run = info_plain,
		.story = "unprotected notification" },
};

const struct rule *rules_table(size_t i, size_t *n)
{
	static const struct {
		const struct rule *rows;
		size_t n;
	} tables[] = {
		{ main_mode_psk, sizeof(main_mode_psk) / sizeof(main_mode_psk[0]) },
		{ main_mode_sig, sizeof(main_mode_sig) / sizeof(main_mode_sig[0]) },
		{ aggressive_psk, sizeof(aggressive_psk) / sizeof(aggressive_psk[0]) },
		{ aggressive_sig, sizeof(aggressive_sig) / sizeof(aggressive_sig[0]) },
		{ quick_mode, sizeof(quick_mode) / sizeof(quick_mode[0]) },
		{ informational, sizeof(informational) / sizeof(informational[0]) },
	};

	if (i == sizeof(tables) / sizeof(tables[0]))
		return rules_client(n);
	if (i > sizeof(tables) / sizeof(tables[0]))
		return NULL;
	*n = tables[i].n;
	return tables[i].rows;
}
