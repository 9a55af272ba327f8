/* Handlers of aggressive mode with signatures (RFC 2409 5.1); the rows are in rules.c.
 *
 * Names go in clear, and the responder signs for whoever asks: but a signature, unlike the hash of a pre-shared key, tells nothing
 * of the key. So a responder with a certificate takes part unless that is switched off.
 */
#include "ikemgr/phase1.h"
#include "ikemgr/signature.h"

#include <string.h>

enum err ag_sig_begin(struct step *st)
{
	enum err e = sig_keys(st);

	return e == ERR_OK ? sig_begin(st) : e;
}

enum err ag_sig_answer(struct step *st)
{
	struct build *b = ag_reply(st);

	sig_put(st, b);
	cert_requests_put(st, b);
	natt_put(st, b);
	vendors_repeat(st, b);
	return ERR_OK;
}

/* The peer's proof is over keys that are yet to be computed: it is kept, and what it is to be proved by, too. */
enum err ag_sig_take(struct step *st)
{
	struct span sig = message_find(st->in, PAYLOAD_SIG, 0)->v.data.data;
	enum err e = ag_answer_take(st);

	if (e != ERR_OK)
		return e;
	if (sig.len == 0 || sig.len > sizeof(st->h->proof))
		return step_ignore(st, "signature of %zu bytes", sig.len);
	st->h->proof_len = (uint16_t)sig.len;
	memcpy(st->h->proof, sig.data, sig.len);
	e = sig_cert_take(st);
	if (e != ERR_OK)
		return e;
	vendors_take(st);
	natt_check(st);
	st->asks = ASK_DERIVE;
	return ERR_OK;
}

enum err ag_sig_prove(struct step *st)
{
	enum err e = sig_keys(st);

	if (e == ERR_OK)
		e = sig_prove(st, span_of(st->h->proof, st->h->proof_len));
	if (e != ERR_OK)
		return e;
	st->asks = ASK_REVOCATION;
	return sig_ask(st);
}

enum err ag_sig_finish(struct step *st)
{
	enum err e = sig_revoked(st);
	struct build *b;

	if (e != ERR_OK)
		return e;
	natt_float(st->s);
	b = step_reply(st);
	sig_put(st, b);
	natt_put(st, b);
	if (first_contact(st))
		notify_put(st, NOTIFY_INITIAL_CONTACT, (struct span){ 0 });
	return ERR_OK;
}

/* In clear or encrypted, as RFC 2409 5.1 leaves open. In clear anybody can have sent it: a wrong one is as if it had not come. */
enum err ag_sig_confirm(struct step *st)
{
	enum err e;

	/* The identity alone chose a profile; the certificate may choose another, with other trustpoints. */
	st->s->profile[0] = '\0';
	e = sig_take(st);
	if (e != ERR_OK) {
		st->fatal = st->fatal && st->rule->encrypted;
		return e;
	}
	natt_check(st);
	if (st->rule->encrypted)
		notifies_take(st);
	return ERR_OK;
}

enum err ag_sig_done(struct step *st)
{
	return sig_revoked(st);
}
