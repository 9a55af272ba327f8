/* Small configurations and boxes for the tests of platformd. */
#ifndef TEST_PLATFORM_BUILD_H
#define TEST_PLATFORM_BUILD_H

#include "configdb/cfg.h"
#include "platform/daemon/box.h"
#include "platform/daemon/plan.h"

struct world {
	struct cfg cfg;
	struct cfg_interface interfaces[8];
	struct cfg_ip secondary[8][4];
	struct cfg_route routes[32];
	struct box box;
	struct plan plan;
};

int world_setup(void **state);
int world_teardown(void **state);

/* "gi0-1" or "loop0", "10.0.0.1/24" or NULL */
struct cfg_interface *want_interface(struct world *w, const char *ifname, const char *ip);
void want_secondary(struct world *w, struct cfg_interface *i, const char *ip);
/* `to`: next hop, interface's IOS name, or "NAME A.B.C.D" */
struct cfg_route *want_route(struct world *w, const char *prefix, const char *to, uint8_t distance);
struct box_link *have_link(struct world *w, const char *ifname, bool up, bool carrier);
struct box_addr *have_addr(struct world *w, const char *ifname, const char *ip);
struct box_route *have_route(struct world *w, const char *prefix, const char *gateway, const char *ifname, uint32_t metric);

uint32_t ip_of(const char *text); /* of "10.0.0.1" or "10.0.0.1/24" */
uint8_t len_of(const char *text);
/* The plan in a line: "del gi0-1 10.0.0.1/24; up gi0-1; put 10.2.0.0/16 [1] 10.0.0.2@gi0-0" */
const char *plan_text(struct world *w);
const char *route_text(const struct box_route *r);

#endif
