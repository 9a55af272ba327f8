/* The log buffer on file. */
#include "platform/daemon/logkeep.h"

#include "platform/base/mem.h"
#include "platform/daemon/platform_api.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAGIC       0x50535456304c4f47ull /* "PSTV0LOG" */
#define HEAD        (7 * 8)
#define RECORD_HEAD (4 + 1 + 5 * 8)
#define TEXT_MAX    (sizeof(((struct platm_log *)0)->text) - 1)
#define SLACK       65536

static void counts_put(struct writer *w, const struct log_counts *n)
{
	writer_u64(w, n->console);
	writer_u64(w, n->monitor);
	writer_u64(w, n->buffer);
	writer_u64(w, n->dropped);
}

static struct log_counts counts_take(struct reader *r)
{
	struct log_counts n;

	n.console = reader_u64(r);
	n.monitor = reader_u64(r);
	n.buffer = reader_u64(r);
	n.dropped = reader_u64(r);
	return n;
}

/* ---- Reading ---- */

static bool text_take(char out[TEXT_MAX + 1], struct span s)
{
	if (s.len > TEXT_MAX)
		return false;
	for (size_t i = 0; i < s.len; i++)
		if (s.data[i] < ' ' || s.data[i] == 0x7f)
			return false;
	if (s.len > 0)
		memcpy(out, s.data, s.len);
	out[s.len] = '\0';
	return true;
}

static bool record_take(struct reader *from, struct logring *r, struct log_counts *n)
{
	uint32_t len = reader_u32(from);
	uint8_t severity = reader_u8(from);
	uint64_t number = reader_u64(from);
	struct log_counts counts = counts_take(from);
	struct span bytes = reader_bytes(from, len);
	char text[TEXT_MAX + 1];

	if (from->failed || !text_take(text, bytes) || severity > LOG_SEV_DEBUG || number <= r->numbered)
		return false;
	r->numbered = number - 1;
	if (logring_put(r, severity, text) != ERR_OK)
		return false;
	*n = counts;
	return true;
}

bool logkeep_read(struct span bytes, struct logring *r, struct log_counts *n)
{
	struct reader from = reader_of(bytes);
	bool ours = reader_u64(&from) == MAGIC;
	uint64_t limit = reader_u64(&from), numbered = reader_u64(&from);
	struct log_counts counts = counts_take(&from);

	if (!ours || from.failed)
		return false;
	logring_resize(r, (size_t)limit);
	*n = counts;
	while (reader_left(&from) >= RECORD_HEAD && record_take(&from, r, n))
		;
	if (numbered > r->numbered)
		r->numbered = numbered;
	return true;
}

/* The folder may belong to another user: only a file that we wrote is read. */
static void load(const struct logkeep *k, struct logring *r, struct log_counts *n)
{
	int fd = open(k->path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;
	void *at;

	if (fd < 0)
		return;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_uid == geteuid() && st.st_nlink == 1 && st.st_size >= HEAD) {
		at = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
		if (at != MAP_FAILED) {
			(void)logkeep_read(span_of(at, (size_t)st.st_size), r, n); /* another's format: as if none were there */
			munmap(at, (size_t)st.st_size);
		}
	}
	close(fd);
}

/* ---- Writing ---- */

static void give_up(struct logkeep *k)
{
	close(k->fd);
	k->fd = -1;
	unlink(k->path);
}

static size_t record_build(uint8_t *buf, size_t size, const struct logring_entry *e, const struct log_counts *n)
{
	struct writer w = writer_of(buf, size);

	writer_u32(&w, (uint32_t)e->len);
	writer_u8(&w, e->severity);
	writer_u64(&w, e->number);
	counts_put(&w, n);
	writer_bytes(&w, e->text, e->len);
	return writer_len(&w);
}

static bool whole_write(struct logkeep *k, int fd, const struct logring *r, const struct log_counts *n)
{
	uint8_t buf[SLACK];
	struct writer head = writer_of(buf, sizeof(buf));
	size_t len;

	writer_u64(&head, MAGIC);
	writer_u64(&head, r->limit);
	writer_u64(&head, r->numbered);
	counts_put(&head, n);
	len = writer_len(&head);
	k->size = 0;
	for (const struct logring_entry *e = r->first; e != NULL; e = e->next) {
		if (sizeof(buf) - len < RECORD_HEAD + e->len) {
			if (write(fd, buf, len) != (ssize_t)len)
				return false;
			k->size += len;
			len = 0;
		}
		len += record_build(buf + len, sizeof(buf) - len, e, n);
	}
	k->size += len;
	return write(fd, buf, len) == (ssize_t)len;
}

/* A new file that takes the name: the old one is whole until then. */
static bool renew(struct logkeep *k, const struct logring *r, const struct log_counts *n)
{
	char fresh[sizeof(k->path) + 8];
	int fd;

	snprintf(fresh, sizeof(fresh), "%s.new", k->path);
	(void)unlink(fresh);
	fd = open(fresh, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0600);
	if (fd < 0)
		return false;
	if (!whole_write(k, fd, r, n) || rename(fresh, k->path) != 0) {
		close(fd);
		unlink(fresh);
		return false;
	}
	if (k->fd >= 0)
		close(k->fd);
	k->fd = fd;
	return true;
}

void logkeep_renew(struct logkeep *k, const struct logring *r, const struct log_counts *n)
{
	if (k->fd >= 0 && !renew(k, r, n))
		give_up(k);
}

void logkeep_put(struct logkeep *k, const struct logring *r, const struct log_counts *n)
{
	uint8_t buf[RECORD_HEAD + TEXT_MAX];
	size_t len;

	if (k->fd < 0 || r->last == NULL || r->last->len > TEXT_MAX)
		return;
	len = record_build(buf, sizeof(buf), r->last, n);
	if (write(k->fd, buf, len) != (ssize_t)len) {
		give_up(k);
		return;
	}
	k->size += len;
	if (k->size > r->limit + r->limit / 4 + SLACK)
		logkeep_renew(k, r, n);
}

enum err logkeep_open(struct logkeep *k, const char *run_dir, bool fresh, struct logring *r, struct log_counts *n)
{
	k->fd = -1;
	if (snprintf(k->path, sizeof(k->path), "%s/logbuffer", run_dir) >= (int)sizeof(k->path))
		return ERR_RANGE;
	if (!fresh)
		load(k, r, n);
	return renew(k, r, n) ? ERR_OK : ERR_SYS;
}

void logkeep_close(struct logkeep *k)
{
	if (k->fd >= 0)
		close(k->fd);
	k->fd = -1;
}
