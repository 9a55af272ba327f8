/* XAUTH, the server's side: who is the user behind the key that a whole group has? configd compares; a wrong password ends the
 * IKE SA, so that each guess costs a phase 1, and an address that goes on guessing is not listened to for a while.
 */
#include "ikemgr/transaction.h"

#include <ctype.h>
#include <string.h>

#define GUESSES_MAX 5
#define GUESSES_S   60

enum err xauth_ask(struct step *st)
{
	uint8_t buf[32];
	struct writer w = writer_of(buf, sizeof(buf));
	enum err e = transaction_begin(st);

	if (e != ERR_OK)
		return e;
	attribute_encode(&w, ATTRC_XAUTH_TYPE, XAUTH_GENERIC);
	attribute_put(&w, ATTRC_XAUTH_USER_NAME, (struct span){ 0 });
	attribute_put(&w, ATTRC_XAUTH_USER_PASSWORD, (struct span){ 0 });
	return transaction_put(st, CONFIG_REQUEST, &w);
}

/* Text of the client's into `out`; some clients count the NUL behind it. False: none, too long, or with other NULs. */
static bool text_take(struct span attributes, uint16_t type, char *out, size_t size)
{
	struct attribute a;

	if (!attribute_find(attributes, type, &a) || a.basic)
		return false;
	if (a.value.len > 0 && a.value.data[a.value.len - 1] == '\0')
		a.value.len--;
	if (a.value.len == 0 || a.value.len >= size || memchr(a.value.data, 0, a.value.len) != NULL)
		return false;
	memcpy(out, a.value.data, a.value.len);
	out[a.value.len] = '\0';
	return true;
}

static bool printable(const char *s)
{
	for (; *s != '\0'; s++)
		if (!isgraph((unsigned char)*s))
			return false;
	return true;
}

/* Which of the ring's places the address has; one that is free or oldest with `make`. -1: none. */
static int guess_place(struct ike *k, struct addr peer, bool make)
{
	size_t size = sizeof(k->guesses) / sizeof(k->guesses[0]);

	for (size_t i = 0; i < size; i++)
		if (k->guesses[i].wrong != 0 && addr_equal(k->guesses[i].peer, peer)) {
			if (now_us(k) >= k->guesses[i].until_us)
				k->guesses[i].wrong = 0;
			return (int)i;
		}
	return make ? (int)(k->nguesses++ % size) : -1;
}

static bool guesses_too_many(struct ike *k, struct addr peer)
{
	int i = guess_place(k, peer, false);

	return i >= 0 && k->guesses[i].wrong >= GUESSES_MAX;
}

static void guess_wrong(struct ike *k, struct addr peer)
{
	int i = guess_place(k, peer, true);

	if (!addr_equal(k->guesses[i].peer, peer) || k->guesses[i].wrong == 0) {
		k->guesses[i].peer = peer;
		k->guesses[i].wrong = 0;
	}
	if (k->guesses[i].wrong < GUESSES_MAX)
		k->guesses[i].wrong++;
	k->guesses[i].until_us = now_us(k) + GUESSES_S * SECOND;
}

enum err xauth_take(struct step *st)
{
	struct client_state *c = &st->s->client;
	const struct payload_config *p;
	struct attribute a;
	enum err e = transaction_take(st, CONFIG_REPLY, &p);

	if (e != ERR_OK)
		return e;
	if (attribute_find(p->attributes, ATTRC_XAUTH_STATUS, &a) && a.number == XAUTH_FAIL)
		return step_refuse(st, 0, "the client gave up authenticating its user");
	if (attribute_find(p->attributes, ATTRC_XAUTH_TYPE, &a) && a.number != XAUTH_GENERIC)
		return step_refuse(
			st, 0, "the client wants XAUTH of type %llu, which is not name and password", (unsigned long long)a.number);
	if (!text_take(p->attributes, ATTRC_XAUTH_USER_NAME, c->user, sizeof(c->user)) || !printable(c->user)) {
		memcpy(c->user, "?", 2);
		return ERR_OK; /* and nobody has that name */
	}
	if (c->open) {
		st->s->evidence |= EV_NAMED;
		return ERR_OK;
	}
	if (!guesses_too_many(st->k, st->s->path.remote) && st->k->host.user_check != NULL &&
		text_take(p->attributes, ATTRC_XAUTH_USER_PASSWORD, c->password, sizeof(c->password)))
		st->asks = ASK_USER;
	return ERR_OK;
}

static enum err status_put(struct step *st, uint32_t status)
{
	uint8_t buf[16];
	struct writer w = writer_of(buf, sizeof(buf));
	enum err e = transaction_begin(st);

	if (e != ERR_OK)
		return e;
	attribute_encode(&w, ATTRC_XAUTH_STATUS, status);
	return transaction_put(st, CONFIG_SET, &w);
}

enum err xauth_grant(struct step *st)
{
	enum err e = client_limits(st);

	if (e != ERR_OK)
		return e;
	client_say(st, "Authentication PASSED", NULL);
	return status_put(st, XAUTH_OK);
}

enum err xauth_refuse(struct step *st)
{
	bool many = guesses_too_many(st->k, st->s->path.remote);

	if (!many || say_allowed(st->k))
		client_say(st, "Authentication REJECTED", many ? "too many wrong passwords from this address" : NULL);
	guess_wrong(st->k, st->s->path.remote);
	return status_put(st, XAUTH_FAIL);
}

enum err xauth_confirmed(struct step *st)
{
	const struct payload_config *p;

	return transaction_take(st, CONFIG_ACK, &p);
}

enum err xauth_ended(struct step *st)
{
	const struct payload_config *p;
	enum err e = transaction_take(st, CONFIG_ACK, &p);

	return e != ERR_OK ? e : step_refuse(st, 0, "user %s was refused", st->s->client.user);
}
