/* Where SCEP's operations are at a CA (RFC 8894 4.1). */
#include "ikemgr/scep/scep.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define PROGRAM "pkiclient.exe"

static bool ends_in(const char *text, size_t len, const char *end)
{
	size_t n = strlen(end);

	return len >= n && strncmp(text + len - n, end, n) == 0;
}

bool scep_url(char out[FETCH_URL], const char *url, bool plain, const char *operation, const char *message)
{
	const char *path = strncmp(url, "http://", 7) == 0 ? strchr(url + 7, '/') : NULL;
	size_t len = strlen(url), n;

	while (path && len > (size_t)(path - url) && url[len - 1] == '/')
		len--;
	if (plain && (!path || len == (size_t)(path - url)))
		return false;
	n = (size_t)snprintf(out, FETCH_URL, "%.*s%s?operation=%s", (int)len, url,
		plain                                  ? ""
		: !path || len == (size_t)(path - url) ? "/cgi-bin/" PROGRAM
		: ends_in(url, len, "/" PROGRAM)       ? ""
						       : "/" PROGRAM,
		operation);
	if (n >= FETCH_URL || !message)
		return n < FETCH_URL;
	n += (size_t)snprintf(out + n, FETCH_URL - n, "&message=");
	for (const char *p = message; *p && n + 4 < FETCH_URL; p++)
		n += (size_t)snprintf(out + n, FETCH_URL - n, isalnum((unsigned char)*p) || strchr("-._~", *p) ? "%c" : "%%%02X",
			(unsigned char)*p);
	return n + 4 < FETCH_URL;
}
