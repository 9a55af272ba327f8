/* See dynamic_keep.h. */
#include "datapath/dynamic_keep.h"

#include "platform/base/log.h"
#include "platform/base/mem.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct record {
	uint64_t check;
	struct dpm_dynamic d;
};

/* FNV-1a, against torn writes; nobody else can write the file. The start value is the format's. */
static uint64_t check_of(const struct dpm_dynamic *d)
{
	const uint8_t *bytes = (const uint8_t *)d;
	uint64_t v = UINT64_C(0x5053545644594e31) ^ sizeof(*d);

	for (size_t i = 0; i < sizeof(*d); i++)
		v = (v ^ bytes[i]) * UINT64_C(0x100000001b3);
	return v;
}

static bool ours(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_uid == geteuid() && st.st_nlink == 1;
}

int dynamic_keep_open(const char *run_dir)
{
	char path[108];
	int fd;

	if (snprintf(path, sizeof(path), "%s/dynamics", run_dir) >= (int)sizeof(path))
		return -1;
	fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd >= 0 && ours(fd))
		return fd;
	if (fd >= 0)
		close(fd);
	log_msg("POSTERN", LOG_SEV_WARNING, "NO_KEEP", "%s: policies of dynamic maps do not outlive datapathd: %s", path,
		fd < 0 ? "it cannot be opened" : "it is somebody else's");
	return -1;
}

static bool closed(const char *text, size_t size)
{
	return memchr(text, '\0', size) != NULL;
}

void dynamic_keep_read(struct span bytes, struct dynamics *s)
{
	struct reader r = reader_of(bytes);

	while (reader_left(&r) >= sizeof(struct record)) {
		struct span one = reader_bytes(&r, sizeof(struct record));
		struct record rec;

		memcpy(&rec, one.data, sizeof(rec));
		if (rec.check != check_of(&rec.d) || !closed(rec.d.id.interface, sizeof(rec.d.id.interface)) ||
			!closed(rec.d.id.map, sizeof(rec.d.id.map)) || !closed(rec.d.dynamic, sizeof(rec.d.dynamic)))
			continue;
		if (dynamics_put(s, &rec.d) != ERR_OK)
			continue; /* as if it were not there */
	}
}

void dynamic_keep_load(int fd, struct dynamics *s)
{
	size_t size = DYNAMICS_MAX * sizeof(struct record);
	uint8_t *bytes = fd < 0 ? NULL : mem_zalloc(size);
	ssize_t n = bytes == NULL ? 0 : pread(fd, bytes, size, 0);

	if (n > 0)
		dynamic_keep_read(span_of(bytes, (size_t)n), s);
	mem_free(bytes);
}

void dynamic_keep_save(int fd, const struct dynamics *s)
{
	size_t size = s->n * sizeof(struct record);
	struct record *all = fd < 0 || s->n == 0 ? NULL : mem_zalloc(size);

	if (fd < 0)
		return;
	for (size_t i = 0; all != NULL && i < s->n; i++) {
		all[i].d = s->list[i];
		all[i].check = check_of(&all[i].d);
	}
	if ((s->n != 0 && (all == NULL || pwrite(fd, all, size, 0) != (ssize_t)size)) || ftruncate(fd, (off_t)size) != 0)
		log_msg("POSTERN", LOG_SEV_WARNING, "NO_KEEP", "policies of dynamic maps are not kept: %m");
	mem_free(all);
}
