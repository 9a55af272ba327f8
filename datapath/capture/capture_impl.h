/* The inside of captures. */
#ifndef POSTERN_CAPTURE_IMPL_H
#define POSTERN_CAPTURE_IMPL_H

#include "datapath/capture/capture.h"
#include "datapath/capture/capture_store.h"
#include "datapath/daemon.h"

#define CAPTURE_BATCH 16

struct capture {
	struct capture *next;
	struct daemon *d;
	struct dpm_capture_info conf; /* its counts are filled when somebody asks */
	struct capture_store store;
	struct dp_capture_count count;
	uint64_t started_us, seen, second_us;
	uint32_t in_second;
	int ifindex[DP_CAPTURE_INTERFACES]; /* 0: not there at present */
	int fd;                             /* -1: not running */
	const char *over;                   /* why it has to end, once this batch is through */
	struct loop_fd *watch;
	struct loop_timer *limit; /* of duration */
	uint8_t *room;            /* CAPTURE_BATCH frames, and one for segments; NULL while not running */
};

struct captures {
	struct capture *all;
	unsigned running;
};

/* capture_run.c. `why` gets an English reason when it fails. */
bool capture_start(struct capture *x, char *why, size_t size);
void capture_stop(struct capture *x);
/* Reads the kernel's count of what the socket dropped. */
void capture_count(struct capture *x);
void capture_find_links(struct capture *x);

#endif
