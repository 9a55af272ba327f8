/* Time stamps as IOS writes them. */
#include "platform/daemon/stamp.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define MINUTE 60
#define HOUR   (60 * MINUTE)
#define DAY    (24 * HOUR)
#define WEEK   (7 * DAY)
#define YEAR   (365 * DAY)

/* "00:01:02", "1d02h", "2w3d", "1y5w" */
static char *stamp_uptime(char out[STAMP_TEXT], uint64_t s)
{
	unsigned long long t = s;

	if (t < DAY)
		snprintf(out, STAMP_TEXT, "%02llu:%02llu:%02llu", t / HOUR, t % HOUR / MINUTE, t % MINUTE);
	else if (t < WEEK)
		snprintf(out, STAMP_TEXT, "%llud%02lluh", t / DAY, t % DAY / HOUR);
	else if (t < YEAR)
		snprintf(out, STAMP_TEXT, "%lluw%llud", t / WEEK, t % WEEK / DAY);
	else
		snprintf(out, STAMP_TEXT, "%lluy%lluw", t / YEAR, t % YEAR / WEEK);
	return out;
}

static void print_datetime(char out[STAMP_TEXT], const struct cfg_stamps *s, uint64_t wall_us, bool synced)
{
	time_t seconds = (time_t)(wall_us / 1000000);
	char date[24], year[8] = "", msec[8] = "", zone[16] = "";
	struct tm tm;

	if (s->localtime)
		tzset();
	if ((s->localtime ? localtime_r(&seconds, &tm) : gmtime_r(&seconds, &tm)) == NULL)
		memset(&tm, 0, sizeof(tm));
	/* The C locale's month: "Mar", and the day padded with a space. */
	strftime(date, sizeof(date), "%b %e ", &tm);
	if (s->year)
		snprintf(year, sizeof(year), "%d ", 1900 + tm.tm_year);
	if (s->msec)
		snprintf(msec, sizeof(msec), ".%03u", (unsigned)(wall_us / 1000 % 1000));
	if (s->show_timezone)
		snprintf(zone, sizeof(zone), " %s", s->localtime ? tm.tm_zone : "UTC");
	snprintf(out, STAMP_TEXT, "%s%s%s%02d:%02d:%02d%s%s: ", synced ? "" : "*", date, year, tm.tm_hour, tm.tm_min, tm.tm_sec,
		msec, zone);
}

char *stamp_print(char out[STAMP_TEXT], const struct cfg_stamps *s, uint64_t wall_us, uint64_t uptime_s, bool synced)
{
	out[0] = '\0';
	if (s->kind == STAMP_DATETIME) {
		print_datetime(out, s, wall_us, synced);
	} else if (s->kind == STAMP_UPTIME) {
		stamp_uptime(out, uptime_s);
		strcat(out, ": ");
	}
	return out;
}
