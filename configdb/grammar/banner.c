/* A banner: text between two delimiters of the engineer's choice, over several lines. As a configuration file writes it the
 * delimiter is ^C, two characters; Ctrl-C itself is one. */
#include "configdb/grammar/arg.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

static size_t delimiter(const char *arg, size_t n)
{
	if (n >= 2 && arg[0] == '^' && (arg[1] == 'C' || arg[1] == 'c'))
		return 2;
	return n ? 1 : 0;
}

bool banner_parse(const char *arg, size_t n, const char **text, size_t *len)
{
	size_t d = delimiter(arg, n);
	if (!d)
		return false;
	for (size_t i = d; i + d <= n; i++) {
		bool caret = arg[0] == 3 && i + 1 < n && arg[i] == '^' && (arg[i + 1] == 'C' || arg[i + 1] == 'c');
		if (strncasecmp(arg + i, arg, d) && !caret)
			continue;
		*text = arg + d;
		*len = i - d;
		return true;
	}
	return false;
}

static const char *word_after(const char *s, const char *full, size_t least)
{
	size_t n = strcspn(s, " \t");
	if (n < least || n > strlen(full) || strncasecmp(s, full, n))
		return NULL;
	s += n;
	return s + strspn(s, " \t");
}

bool banner_open(const char *line)
{
	const char *s = word_after(line + strspn(line, " \t"), "banner", 1), *text;
	size_t len;
	const char *motd = s ? word_after(s, "motd", 1) : NULL;
	/* `banner ^C` of a client group; a letter would be the name of another banner. */
	if (s && !motd && !isalnum((unsigned char)*s))
		motd = s;
	return motd && *motd && !banner_parse(motd, strlen(motd), &text, &len);
}
