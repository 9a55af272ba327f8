/* What the box has, as platformd wrote it down. */
#include "inventory.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

bool inventory_has(void *run_dir, const char *interface)
{
	char path[160], text[8192], line[80];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "%s/" INVENTORY_FILE, (const char *)run_dir);
	fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return true;
	/* One line feed in front, so that every name stands between two. */
	text[0] = '\n';
	n = read(fd, text + 1, sizeof(text) - 2);
	close(fd);
	if (n <= 0)
		return true;
	text[n + 1] = '\0';
	snprintf(line, sizeof(line), "\n%s\n", interface);
	return strstr(text, line) != NULL;
}
