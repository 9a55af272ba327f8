/* Questions to ikemgrd, datapathd and platformd: short connections with a time limit, never a hang. */
#ifndef POSTERN_CLI_DAEMONS_H
#define POSTERN_CLI_DAEMONS_H

#include "datapath/dp_api.h"
#include "ikemgr/ike_api.h"
#include "platform/daemon/platform_api.h"

enum daemon { DAEMON_IKE, DAEMON_DATAPATH, DAEMON_PLATFORM };

/* "ikemgrd" */
const char *daemon_name(enum daemon d);
/* One question, one answer. */
enum err daemon_call(
	const char *run_dir, enum daemon d, uint32_t type, struct span body, void *out, size_t size, size_t *len) MUST_CHECK;
/* `each` for every object of a dump. */
enum err daemon_each(
	const char *run_dir, enum daemon d, uint32_t type, bool (*each)(void *ctx, struct span body), void *ctx) MUST_CHECK;
/* All objects of a dump, each at least `size` bytes long after padding with zeros (an object that ends in text may travel
 * shorter); *rows is freed with mem_free, null when there is none. */
enum err daemon_rows(
	const char *run_dir, enum daemon d, uint32_t type, struct span body, size_t size, void **rows, size_t *n) MUST_CHECK;
/* The same, of what takes its time. */
enum err daemon_rows_wait(const char *run_dir, enum daemon d, uint32_t type, struct span body, size_t size, int timeout_ms, void **rows,
	size_t *n) MUST_CHECK;

#endif
