/* One connection per question: a program that restarted in between is no special case. */
#include "cli/daemons.h"

#include "platform/base/mem.h"

#include <string.h>

#define TIMEOUT_MS 10000

static const char *const names[] = { IKEMGRD_SOCKET, DATAPATHD_SOCKET, PLATFORMD_SOCKET };

const char *daemon_name(enum daemon d)
{
	return names[d];
}

static enum err door_open_for(const char *run_dir, enum daemon d, int timeout_ms, struct msg_sync *conn)
{
	char path[108];

	conn->fd = -1;
	return msg_path(path, run_dir, names[d]) ? msg_sync_open(conn, path, timeout_ms) : ERR_RANGE;
}

static enum err door_open(const char *run_dir, enum daemon d, struct msg_sync *conn)
{
	return door_open_for(run_dir, d, TIMEOUT_MS, conn);
}

enum err daemon_call(const char *run_dir, enum daemon d, uint32_t type, struct span body, void *out, size_t size, size_t *len)
{
	struct msg_sync conn;
	enum err e = door_open(run_dir, d, &conn);

	if (e != ERR_OK)
		return e;
	e = msg_sync_call(&conn, type, body, out, size, len);
	msg_sync_close(&conn);
	return e;
}

enum err daemon_each(const char *run_dir, enum daemon d, uint32_t type, bool (*each)(void *ctx, struct span body), void *ctx)
{
	struct msg_sync conn;
	enum err e = door_open(run_dir, d, &conn);

	if (e != ERR_OK)
		return e;
	e = msg_sync_dump(&conn, type, span_of(NULL, 0), each, ctx);
	msg_sync_close(&conn);
	return e;
}

struct rows {
	uint8_t *bytes;
	size_t size, n, room;
	bool failed;
};

static bool one_row(void *ctx, struct span body)
{
	struct rows *r = ctx;

	if (r->n == r->room) {
		size_t room = r->room == 0 ? 16 : r->room * 2;
		uint8_t *p = mem_realloc_array(r->bytes, room, r->size);

		if (p == NULL) {
			r->failed = true;
			return false;
		}
		r->bytes = p;
		r->room = room;
	}
	memset(r->bytes + r->n * r->size, 0, r->size);
	if (body.len > 0)
		memcpy(r->bytes + r->n * r->size, body.data, body.len < r->size ? body.len : r->size);
	r->n++;
	return true;
}

enum err daemon_rows(const char *run_dir, enum daemon d, uint32_t type, struct span body, size_t size, void **rows, size_t *n)
{
	return daemon_rows_wait(run_dir, d, type, body, size, TIMEOUT_MS, rows, n);
}

enum err daemon_rows_wait(const char *run_dir, enum daemon d, uint32_t type, struct span body, size_t size, int timeout_ms, void **rows,
	size_t *n)
{
	struct rows r = { .size = size };
	struct msg_sync conn;
	enum err e = door_open_for(run_dir, d, timeout_ms, &conn);

	if (e != ERR_OK)
		return e;
	e = msg_sync_dump(&conn, type, body, one_row, &r);
	msg_sync_close(&conn);
	if (r.failed)
		e = ERR_NOMEM;
	if (e != ERR_OK) {
		mem_free(r.bytes);
		return e;
	}
	*rows = r.bytes;
	*n = r.n;
	return ERR_OK;
}
