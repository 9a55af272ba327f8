/* Remote access, the server's side: transaction exchanges (draft-ietf-ipsec-isakmp-mode-cfg-05, draft-ietf-ipsec-isakmp-xauth-06).
 * `from` and `to` are stages of the client (state.h); what the console shows follows from them (client_state_set).
 */
#include "ikemgr/core.h"

#define V1(exchange_, on_, from_, to_)                                                                                             \
	.version = 1, .exchange = EXCH_##exchange_, .on = ON_##on_, .role = ROLE_RESPONDER, .from = from_, .to = to_
#define CONFIG_MESSAGE .encrypted = true, .must = P(HASH) | P(CONFIG), .may = P(VID)

/*   Client                                            Server
 *                                              <--    HDR*, HASH, ATTR(REQUEST: user name, password)       message id a
 *   HDR*, HASH, ATTR(REPLY: name, password)    -->
 *                                              <--    HDR*, HASH, ATTR(SET: status)                        message id b
 *   HDR*, HASH, ATTR(ACK)                      -->                                                         xauth-06 4, 5
 *
 * then, where the client asks for its address
 *   HDR*, HASH, ATTR(REQUEST: address, …)      -->
 *                                              <--    HDR*, HASH, ATTR(REPLY: address, …)                  mode-cfg-05 3.1
 * or, where it is given one
 *                                              <--    HDR*, HASH, ATTR(SET: address, …)
 *   HDR*, HASH, ATTR(ACK)                      -->
 *
 * Every exchange has a message id of its own. The server repeats what it has begun; the client repeats its request, and gets the
 * same answer again.
 */
static const struct rule rows[] = {
	{ V1(TRANSACTION, START, CLIENT_XAUTH_BEGIN, CLIENT_XAUTH_ASKED), .needs = EV_AUTHED, .seal = true, .repeat = true,
		.run = xauth_ask, .story = "user asked for" },
	{ V1(TRANSACTION, MESSAGE, CLIENT_XAUTH_ASKED, CLIENT_XAUTH_CHECKED), CONFIG_MESSAGE, .needs = EV_AUTHED, .asks = ASK_USER,
		.run = xauth_take, .story = "user name and password received" },
	{ V1(TRANSACTION, READY, CLIENT_XAUTH_CHECKED, CLIENT_XAUTH_TOLD), .needs = EV_AUTHED | EV_NAMED, .seal = true,
		.repeat = true, .run = xauth_grant, .story = "user authenticated" },
	{ V1(TRANSACTION, READY, CLIENT_XAUTH_CHECKED, CLIENT_XAUTH_REFUSED), .needs = EV_AUTHED, .lacks = EV_NAMED, .seal = true,
		.repeat = true, .run = xauth_refuse, .story = "user refused" },
	{ V1(TRANSACTION, MESSAGE, CLIENT_XAUTH_TOLD, CLIENT_READY), CONFIG_MESSAGE, .needs = EV_AUTHED | EV_NAMED,
		.lacks = EV_PUSH, .run = xauth_confirmed, .story = "the client knows that it is authenticated" },
	{ V1(TRANSACTION, MESSAGE, CLIENT_XAUTH_TOLD, CLIENT_PUSH_BEGIN), CONFIG_MESSAGE, .needs = EV_AUTHED | EV_NAMED | EV_PUSH,
		.run = xauth_confirmed, .story = "the client knows that it is authenticated" },
	{ V1(TRANSACTION, MESSAGE, CLIENT_XAUTH_REFUSED, RULE_STAY), CONFIG_MESSAGE, .needs = EV_AUTHED, .lacks = EV_NAMED,
		.run = xauth_ended, .story = "the client knows that it is refused" },

	{ V1(TRANSACTION, MESSAGE, CLIENT_READY, CLIENT_READY), CONFIG_MESSAGE, .needs = EV_AUTHED, .seal = true,
		.run = config_answer, .story = "the client's question answered" },
	{ V1(TRANSACTION, START, CLIENT_PUSH_BEGIN, CLIENT_PUSHED), .needs = EV_AUTHED, .seal = true, .repeat = true,
		.run = config_push, .story = "address pushed" },
	{ V1(TRANSACTION, MESSAGE, CLIENT_PUSHED, CLIENT_READY), CONFIG_MESSAGE, .needs = EV_AUTHED, .run = config_pushed,
		.story = "the client has taken its address" },

	/* A client may give up, or be asked whether it lives, while a user types. */
	{ V1(INFORMATIONAL, MESSAGE, CONF_XAUTH, RULE_STAY), .encrypted = true, .must = P(HASH),
		.may = P(NOTIFY) | P(DELETE) | P(VID), .needs = EV_AUTHED, .run = info_protected,
		.story = "informational message" },
	{ V1(INFORMATIONAL, MESSAGE, CONF_ADDR, RULE_STAY), .encrypted = true, .must = P(HASH),
		.may = P(NOTIFY) | P(DELETE) | P(VID), .needs = EV_AUTHED, .run = info_protected,
		.story = "informational message" },
};

const struct rule *rules_client(size_t *n)
{
	*n = sizeof(rows) / sizeof(rows[0]);
	return rows;
}
