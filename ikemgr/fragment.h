/* Messages that go in pieces (fragment.c). */
#ifndef POSTERN_IKEMGR_FRAGMENT_H
#define POSTERN_IKEMGR_FRAGMENT_H

#include "ikemgr/state.h"

struct ike;
struct ike_sa;

#define FRAGMENT_SIZE    1248 /* with UDP, IP and marker 1280 bytes: what goes through everywhere */
#define PAYLOAD_FRAGMENT 132  /* on the wire; never a payload of a whole message */
bool fragments_can(const struct ike *k, const struct sa_state *s); /* both ends */
/* A message whose next payload is 132. The whole message when this was its last missing piece, else empty; in k->joined. */
struct span fragment_take(struct ike_sa *sa, struct span packet);
/* False: it is short enough to go whole. */
bool fragments_send(struct ike *k, const struct ike_path *path, struct span packet);
void fragments_free(struct ike_sa *sa);

#endif
