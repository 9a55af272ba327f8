/* The filter of a router: nftables text from a snapshot. Pure functions.
 *
 *   netdev, per interface:  ingress  access-group in; the kernel's copy of ESP; clear text that should have come encrypted
 *                           egress   what the crypto map takes is forwarded to the TAP
 *   ip:                     prerouting   denied by an access-group in: dropped with an answer to the sender
 *                           forward  access-group out, adjust-mss
 *                           postrouting  interfaces with a crypto map whose egress chain cannot be there yet: nothing leaves
 */
#ifndef POSTERN_DATAPATH_FILTER_FILTER_H
#define POSTERN_DATAPATH_FILTER_FILTER_H

#include "configdb/cfg.h"
#include "datapath/backend.h"
#include "datapath/dynamic.h"
#include "datapath/filter/text.h"

struct filter_env {
	/* The kernel's index of an interface, 0 when it is not there: a netdev chain can only be made on a device that exists. It
	 * is part of the text, so that a device made anew under its old name changes the text. */
	int (*ifindex)(void *ctx, const char *ifname);
	void *ctx;
	const char *tap;                 /* where protected packets go */
	const struct dynamics *dynamics; /* policies of dynamic maps, each in its map's place; NULL: none */
};

/* The mark on sockets of our own, IKE's and the engine's, whose fragments must pass. */
#define FILTER_SOCKET_MARK BACKEND_SOCKET_MARK
/* On packets that an inbound access-group denied and whose sender is to hear of it: "PSTR". */
#define FILTER_REFUSED_MARK 0x50535452u
/* On packets that came out of a tunnel, and so (fwmark_reflect) on the kernel's ICMP errors about them: "PSTT". */
#define FILTER_TUNNEL_MARK   0x50535454u
#define FILTER_CLEAR_PREFIX  "postern clear"
#define FILTER_CLEAR_COMMENT "clear" /* of the counter of clear text that should have been encrypted */

struct filter {
	struct text netdev, ip; /* bodies of the two tables, without their names */
};

/* The caller frees with filter_free, whatever is returned. ERR_NOMEM. */
enum err filter_generate(struct filter *f, const struct cfg *c, const struct filter_env *env) MUST_CHECK;
void filter_free(struct filter *f);

/* The whole program for nft: makes the tables named `now` and empties those named `before` of rules, in one transaction. The
 * sets of `before` stay, to be read a last time, so that no match is lost. */
void filter_program(struct text *t, const struct filter *f, const char *now, const char *before);

#endif
