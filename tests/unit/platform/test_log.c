/* Stamps, datagrams, the buffer, and the log as a whole. */
#include "platform/base/env.h"
#include "platform/daemon/logd.h"
#include "platform/daemon/logline.h"
#include "platform/daemon/stamp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

/* 2026-03-01 18:00:05.123 UTC */
#define WALL 1772388005123000ULL

static const char *stamp(struct cfg_stamps s, uint64_t uptime_s, bool synced)
{
	static char out[STAMP_TEXT];

	return stamp_print(out, &s, WALL, uptime_s, synced);
}

static void stamps_by_date(void **state)
{
	struct cfg_stamps s = { .kind = STAMP_DATETIME };

	(void)state;
	assert_string_equal(stamp(s, 0, false), "*Mar  1 18:00:05: ");
	assert_string_equal(stamp(s, 0, true), "Mar  1 18:00:05: ");
	s.msec = true;
	assert_string_equal(stamp(s, 0, false), "*Mar  1 18:00:05.123: ");
	s.show_timezone = true;
	s.year = true;
	assert_string_equal(stamp(s, 0, false), "*Mar  1 2026 18:00:05.123 UTC: ");
	setenv("TZ", "CET-1", 1);
	s.localtime = true;
	assert_string_equal(stamp(s, 0, false), "*Mar  1 2026 19:00:05.123 CET: ");
	s.kind = STAMP_NONE;
	assert_string_equal(stamp(s, 0, false), "");
}

static void stamps_by_uptime(void **state)
{
	struct cfg_stamps s = { .kind = STAMP_UPTIME };

	(void)state;
	assert_string_equal(stamp(s, 62, false), "00:01:02: ");
	assert_string_equal(stamp(s, 86399, false), "23:59:59: ");
	assert_string_equal(stamp(s, 93600, false), "1d02h: ");
	assert_string_equal(stamp(s, 17 * 86400, false), "2w3d: ");
	assert_string_equal(stamp(s, 400ULL * 86400, false), "1y5w: ");
}

/* A datagram as base/log.c sends it. */
static struct span datagram(uint8_t severity, uint8_t flags, const char *strings, size_t len)
{
	static union {
		struct log_record r;
		uint8_t bytes[4096];
	} d;

	memset(&d, 0, sizeof(d));
	d.r.wall_us = WALL;
	d.r.severity = severity;
	d.r.flags = flags;
	memcpy(d.r.strings, strings, len);
	return span_of(&d, offsetof(struct log_record, strings) + len);
}

#define STRINGS(s) s, sizeof(s)

static void lines_are_checked(void **state)
{
	struct logline l;
	struct span good = datagram(5, 0, STRINGS("ikemgrd\0CRYPTO\0SESSION_STATUS\0Crypto tunnel is UP"));

	(void)state;
	assert_int_equal(logline_parse(&l, good), ERR_OK);
	assert_string_equal(l.text, "%CRYPTO-5-SESSION_STATUS: Crypto tunnel is UP");
	for (size_t n = 0; n < good.len; n++)
		assert_int_not_equal(logline_parse(&l, span_of(good.data, n)), ERR_OK);
	assert_int_equal(logline_parse(&l, span_of(good.data, good.len + 1)), ERR_INVALID);
	assert_int_equal(logline_parse(&l, datagram(8, 0, STRINGS("p\0SYS\0X\0text"))), ERR_INVALID);
	assert_int_equal(logline_parse(&l, datagram(5, 0, STRINGS("p\0\0X\0text"))), ERR_INVALID);
	assert_int_equal(logline_parse(&l, datagram(5, 0, STRINGS("p\0sys\0X\0text"))), ERR_INVALID);
	assert_int_equal(logline_parse(&l, datagram(5, 0, STRINGS("p\0SYS\0X-Y: \0text"))), ERR_INVALID);
}

static void escape_sequences_do_not_pass(void **state)
{
	struct logline l;

	(void)state;
	assert_int_equal(logline_parse(&l, datagram(7, LOG_FLAG_DEBUG, STRINGS("p\0\0\0a\x1b[2Jb\nc\x9b"))), ERR_OK);
	assert_true(l.debug);
	assert_string_equal(l.text, "a?[2Jb c?");
}

static void ring_keeps_the_newest(void **state)
{
	struct logring r;

	(void)state;
	logring_init(&r, 12);
	assert_int_equal(logring_put(&r, 5, "aaaa"), ERR_OK);
	assert_int_equal(logring_put(&r, 5, "bbbb"), ERR_OK);
	assert_int_equal(r.used, 10);
	assert_int_equal(logring_put(&r, 5, "c"), ERR_OK);
	assert_int_equal(r.used, 12);
	assert_string_equal(r.first->text, "aaaa");
	assert_int_equal(logring_put(&r, 5, ""), ERR_OK);
	assert_string_equal(r.first->text, "bbbb");
	assert_int_equal(r.first->number, 2);
	logring_resize(&r, 3);
	assert_string_equal(r.first->text, "c");
	/* One line longer than all of it stays. */
	assert_int_equal(logring_put(&r, 5, "dddddddd"), ERR_OK);
	assert_ptr_equal(r.first, r.last);
	assert_string_equal(r.first->text, "dddddddd");
	logring_clear(&r);
	assert_null(r.first);
	assert_int_equal(r.used, 0);
	assert_int_equal(logring_put(&r, 5, "e"), ERR_OK);
	assert_int_equal(r.first->number, 6);
	logring_clear(&r);
}

struct seen {
	int lines, console, monitor;
	char text[256];
};

static uint64_t fixed_wall(void *ctx)
{
	(void)ctx;
	return WALL + 1000000;
}

static uint64_t fixed_now(void *ctx)
{
	(void)ctx;
	return 3600ULL * 1000000;
}

static const struct env fixed = { fixed_now, fixed_wall, NULL, NULL };

static void on_line(void *ctx, const struct platm_log *line, size_t len, bool console, bool monitor)
{
	struct seen *s = ctx;

	s->lines++;
	s->console += console;
	s->monitor += monitor;
	assert_int_equal(len, offsetof(struct platm_log, text) + strlen(line->text) + 1);
	snprintf(s->text, sizeof(s->text), "%s", line->text);
}

static struct cfg_system usual(void)
{
	return (struct cfg_system){ .stamp_log = { .kind = STAMP_DATETIME, .msec = true },
		.stamp_debug = { .kind = STAMP_UPTIME },
		.logging_buffered = true,
		.logging_buffer_bytes = 4096,
		.logging_buffer_level = 7,
		.logging_console = true,
		.logging_console_level = 7,
		.logging_monitor = true,
		.logging_monitor_level = 7 };
}

static void levels_decide_where_a_line_goes(void **state)
{
	struct seen seen = { 0 };
	struct logd *d = logd_new(&fixed, on_line, &seen);
	struct cfg_system s = usual();
	struct platm_log_info info;

	(void)state;
	s.logging_buffer_level = 5;
	s.logging_console_level = 3;
	s.logging_monitor_level = 6;
	logd_configure(d, &s);
	logd_take(d, datagram(3, 0, STRINGS("p\0LINK\0UPDOWN\0down")));
	logd_take(d, datagram(5, 0, STRINGS("p\0SYS\0CONFIG_I\0text")));
	logd_take(d, datagram(6, 0, STRINGS("p\0SYS\0LOW\0text")));
	logd_take(d, datagram(7, LOG_FLAG_DEBUG, STRINGS("p\0\0\0debug")));
	assert_int_equal(seen.lines, 4);
	assert_int_equal(seen.console, 1);
	assert_int_equal(seen.monitor, 3);
	logd_info(d, &info);
	assert_int_equal(info.buffer_logged, 2);
	assert_int_equal(info.console_logged, 1);
	assert_int_equal(info.buffer_level, 5);
	s.logging_console = s.logging_buffered = s.logging_monitor = false;
	logd_configure(d, &s);
	logd_take(d, datagram(0, 0, STRINGS("p\0SYS\0X\0text")));
	assert_int_equal(seen.console, 1);
	assert_int_equal(seen.monitor, 3);
	logd_info(d, &info);
	assert_int_equal(info.buffer_logged, 2);
	logd_free(d);
}

static void debug_and_log_have_stamps_of_their_own(void **state)
{
	struct seen seen = { 0 };
	struct logd *d = logd_new(&fixed, on_line, &seen);
	struct cfg_system s = usual();
	const char *text;

	(void)state;
	logd_configure(d, &s);
	logd_started(d, fixed_now(NULL) - 62 * 1000000);
	logd_take(d, datagram(5, 0, STRINGS("p\0SYS\0CONFIG_I\0text")));
	text = seen.text[0] == '*' ? seen.text + 1 : seen.text; /* as this machine's clock is */
	assert_string_equal(text, "Mar  1 18:00:05.123: %SYS-5-CONFIG_I: text");
	logd_take(d, datagram(7, LOG_FLAG_DEBUG, STRINGS("p\0\0\0ISAKMP: text")));
	assert_string_equal(seen.text, "00:01:02: ISAKMP: text");
	assert_string_equal(logd_ring(d)->last->text, seen.text);
	logd_free(d);
}

static void losses_are_counted(void **state)
{
	struct seen seen = { 0 };
	struct logd *d = logd_new(&fixed, on_line, &seen);
	struct platm_log_info info;
	struct span s;

	(void)state;
	logd_take(d, span_of("rubbish", 7));
	s = datagram(5, 0, STRINGS("p\0SYS\0X\0text"));
	((struct log_record *)s.data)->dropped = 7;
	logd_take(d, s);
	logd_count(d, false, true);
	logd_count(d, false, false);
	logd_info(d, &info);
	assert_int_equal(info.dropped, 9);
	assert_int_equal(info.monitor_logged, 1);
	assert_int_equal(seen.lines, 1);
	logd_free(d);
}

static void a_lying_clock_is_not_believed(void **state)
{
	struct seen seen = { 0 };
	struct logd *d = logd_new(&fixed, on_line, &seen);
	struct span s = datagram(5, 0, STRINGS("p\0SYS\0X\0text"));

	(void)state;
	((struct log_record *)s.data)->wall_us = 12345;
	logd_take(d, s);
	assert_non_null(strstr(seen.text, "Mar  1 18:00:06.123"));
	logd_free(d);
}

static void take(struct logd *d, const char *text)
{
	char strings[300];
	size_t n = (size_t)snprintf(strings, sizeof(strings), "p%cSYS%cX%c%s", 0, 0, 0, text);

	logd_take(d, datagram(5, 0, strings, n + 1));
}

/* The texts of the buffer behind the stamps, with their numbers: "1 one|2 two|". */
static const char *buffer(const struct logd *d)
{
	static char out[8192];
	size_t n = 0;

	out[0] = '\0';
	for (const struct logring_entry *e = logd_ring(d)->first; e != NULL; e = e->next) {
		const char *text = strstr(e->text, "X: ");

		n += (size_t)snprintf(out + n, sizeof(out) - n, "%u %s|", (unsigned)e->number, text ? text + 3 : e->text);
	}
	return out;
}

static struct logd *keeper(const char *dir, bool fresh, struct seen *seen)
{
	struct logd *d = logd_new(&fixed, on_line, seen);

	assert_int_equal(logd_keep(d, dir, fresh), ERR_OK);
	return d;
}

/* A program that ends in any way leaves what it has taken; a torn line is the last that is not there. */
static void the_buffer_outlives_the_program(void **state)
{
	struct seen seen = { 0 };
	struct cfg_system s = usual();
	struct platm_log_info info;
	char dir[] = "/tmp/postern-logXXXXXX", path[64];
	struct logd *d;
	struct stat st;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/logbuffer", dir);
	s.logging_buffer_bytes = 8192;
	d = keeper(dir, true, &seen);
	logd_configure(d, &s);
	take(d, "one");
	take(d, "two");
	logd_free(d);
	d = keeper(dir, false, &seen);
	assert_string_equal(buffer(d), "1 one|2 two|");
	assert_int_equal(logd_ring(d)->limit, 8192);
	logd_info(d, &info);
	assert_int_equal(info.buffer_logged, 2);
	assert_int_equal(info.console_logged, 2);
	take(d, "three");
	logd_free(d);
	/* Killed within a write. */
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(truncate(path, st.st_size - 1), 0);
	d = keeper(dir, false, &seen);
	assert_string_equal(buffer(d), "1 one|2 two|");
	take(d, "four");
	logd_free(d);
	d = keeper(dir, false, &seen);
	assert_string_equal(buffer(d), "1 one|2 two|3 four|");
	logd_clear(d);
	take(d, "five");
	logd_free(d);
	d = keeper(dir, false, &seen);
	assert_string_equal(buffer(d), "4 five|");
	logd_free(d);
	/* The router was started: nothing is left of before. */
	d = keeper(dir, true, &seen);
	assert_string_equal(buffer(d), "");
	logd_free(d);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(dir), 0);
}

/* The file follows the buffer's size, not the age of the router; a link or another's bytes are not taken for ours. */
static void the_kept_buffer_is_bounded(void **state)
{
	struct seen seen = { 0 };
	char dir[] = "/tmp/postern-logXXXXXX", path[64], other[64], text[201], kept[8192];
	struct logd *d;
	struct stat st;
	FILE *f;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/logbuffer", dir);
	snprintf(other, sizeof(other), "%s/other", dir);
	memset(text, 'x', 200);
	text[200] = '\0';
	d = keeper(dir, true, &seen);
	for (int i = 0; i < 2000; i++)
		take(d, text);
	assert_int_equal(stat(path, &st), 0);
	assert_true(st.st_size < 80000);
	strcpy(kept, buffer(d));
	logd_free(d);
	d = keeper(dir, false, &seen);
	assert_string_equal(buffer(d), kept);
	logd_free(d);
	assert_int_equal(rename(path, other), 0);
	assert_int_equal(symlink(other, path), 0);
	d = keeper(dir, false, &seen);
	assert_string_equal(buffer(d), "");
	logd_free(d);
	assert_int_equal(lstat(path, &st), 0);
	assert_true(S_ISREG(st.st_mode));
	f = fopen(path, "w");
	fputs("rubbish that is long enough to be a head, but is none of ours, and some more", f);
	fclose(f);
	d = keeper(dir, false, &seen);
	assert_string_equal(buffer(d), "");
	take(d, "new");
	assert_string_equal(buffer(d), "1 new|");
	logd_free(d);
	unlink(other);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(dir), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stamps_by_date),
		cmocka_unit_test(stamps_by_uptime),
		cmocka_unit_test(lines_are_checked),
		cmocka_unit_test(escape_sequences_do_not_pass),
		cmocka_unit_test(ring_keeps_the_newest),
		cmocka_unit_test(levels_decide_where_a_line_goes),
		cmocka_unit_test(debug_and_log_have_stamps_of_their_own),
		cmocka_unit_test(losses_are_counted),
		cmocka_unit_test(a_lying_clock_is_not_believed),
		cmocka_unit_test(the_buffer_outlives_the_program),
		cmocka_unit_test(the_kept_buffer_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
