/* One router of which everything is real but the data path: configd, and both processes of ikemgrd, as children. */
#ifndef TESTS_UNIT_IKEPROC_SITE_H
#define TESTS_UNIT_IKEPROC_SITE_H

#include "fake.h"
#include "ikemgr/ike_api.h"

#include <sys/types.h>

struct site {
	char *folder; /* run and data at once */
	struct fake_dp dp;
	pid_t configd, keys, proto;
	int life[2];
};

/* Starts the site in `loop` with a file of IOS text; returns when ikemgrd is attached. */
void site_start(struct site *s, struct loop *l, const char *ip, const char *text);
void site_stop(struct site *s);
/* Ends ikemgrd alone. */
void site_stop_ike(struct site *s);
/* One question to ikemgrd, while the loop of the fakes turns in between. */
struct question {
	struct msg_conn *conn;
	bool done;
	enum err e;
	unsigned rows;
	uint8_t last[2048]; /* the last row or body */
	size_t len;
};
void site_ask(struct site *s, uint32_t type, struct span body, struct question *q);

#endif
