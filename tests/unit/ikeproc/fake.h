/* What the tests of ikemgrd's processes share: a folder of their own, a loop with a time limit, a datapathd that answers. */
#ifndef TESTS_UNIT_IKEPROC_FAKE_H
#define TESTS_UNIT_IKEPROC_FAKE_H

#include "datapath/dp_api.h"
#include "platform/base/loop.h"
#include "platform/base/msg.h"

#include <stdbool.h>

/* A new empty folder; folder_remove takes it away with its files. */
char *folder_make(void);
void folder_remove(char *path);

/* Runs the loop until *done, or fails the test after five seconds. */
void loop_until(struct loop *l, const bool *done);
/* Runs the loop for a while. */
void loop_for(struct loop *l, uint64_t us);

/* datapathd as far as ikemgrd sees it. */
struct fake_dp {
	struct loop *loop;
	struct msg_server *server;
	struct msg_conn *client;      /* who attached */
	const char *ip;               /* where its sockets are bound; NULL: 0.0.0.0 */
	uint16_t ike_port, natt_port; /* 0: any */
	bool native_esp;
	bool silent; /* leaves requests unanswered */
	enum err put_status;
	unsigned attached, deleted, passed, spis, puts;
	struct dpm_sa last_sa, in, out; /* the last one of each direction, too */
	struct dpm_sa_info sas[4];      /* what a dump gives */
	size_t nsas;
	struct dpm_policy_state last_state;
};
void fake_dp_start(struct fake_dp *d, struct loop *l, const char *run_dir);
void fake_dp_stop(struct fake_dp *d);
void fake_dp_event(struct fake_dp *d, uint32_t type, struct span body);

/* A UDP socket bound to an address of the loopback net; *port 0 takes a free one and says which. */
int udp_bound(const char *ip, uint16_t *port);

#endif
