/* Durations: three spellings. */
#include "cli/exec/duration.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define HOUR 3600
#define DAY  86400
#define WEEK (7 * DAY)
#define YEAR (365 * DAY)

char *duration_clock(char out[DURATION_TEXT], uint64_t s)
{
	snprintf(out, DURATION_TEXT, "%02" PRIu64 ":%02u:%02u", s / HOUR, (unsigned)(s / 60 % 60), (unsigned)(s % 60));
	return out;
}

char *duration_short(char out[DURATION_TEXT], uint64_t s)
{
	if (s < DAY)
		return duration_clock(out, s);
	if (s < WEEK)
		snprintf(out, DURATION_TEXT, "%" PRIu64 "d%02uh", s / DAY, (unsigned)(s % DAY / HOUR));
	else if (s < YEAR)
		snprintf(out, DURATION_TEXT, "%" PRIu64 "w%ud", s / WEEK, (unsigned)(s % WEEK / DAY));
	else
		snprintf(out, DURATION_TEXT, "%" PRIu64 "y%uw", s / YEAR, (unsigned)(s % YEAR / WEEK));
	return out;
}

char *duration_long(char out[2 * DURATION_TEXT], uint64_t s)
{
	const struct {
		uint64_t seconds;
		const char *name;
	} units[] = { { YEAR, "year" }, { WEEK, "week" }, { DAY, "day" }, { HOUR, "hour" }, { 60, "minute" } };
	size_t len = 0;

	out[0] = '\0';
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		uint64_t n = s / units[i].seconds;

		s %= units[i].seconds;
		if (n == 0 && !(units[i].seconds == 60 && len == 0))
			continue;
		len += (size_t)snprintf(out + len, 2 * DURATION_TEXT - len, "%s%" PRIu64 " %s%s", len > 0 ? ", " : "", n,
			units[i].name, n == 1 ? "" : "s");
	}
	return out;
}
