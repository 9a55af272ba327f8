/* Rates and last activity of interfaces, from samples of their counters. Pure. */
#ifndef POSTERN_PLATFORM_COUNTERS_H
#define POSTERN_PLATFORM_COUNTERS_H

#include "platform/daemon/box.h"

#define COUNTERS_PERIOD_US 5000000 /* between two samples that count for the rates */

struct counters_of {
	char ifname[BOX_IFNAME];
	struct platm_counters last;
	uint64_t last_us;                                 /* of the sample that counted */
	double rx_bps, rx_pps, tx_bps, tx_pps, error_pps; /* decaying average over five minutes, as IOS's */
	uint64_t input_us, output_us;                     /* when a packet was last seen; 0: never */
	uint64_t rx_seen, tx_seen;
};

struct counters {
	struct counters_of *of;
	size_t n;
};

void counters_free(struct counters *c);
/* Takes note of one link's counters at `now_us`. */
enum err counters_sample(struct counters *c, const struct box_link *l, uint64_t now_us) MUST_CHECK;
const struct counters_of *counters_find(const struct counters *c, const char *ifname); /* NULL: never sampled */

#endif
