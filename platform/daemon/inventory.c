/* The box's interfaces as a file. */
#include "platform/daemon/inventory.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void list(char out[INVENTORY_TEXT], const struct box *b)
{
	size_t n = 0;

	out[0] = '\0';
	for (size_t i = 0; i < b->nlinks; i++) {
		const char *ifname = b->links[i].ifname;
		char name[CFG_NAME];

		if (!box_name_is_ours(ifname) || box_name_is_loopback(ifname))
			continue;
		box_ios_name(name, ifname);
		if (n + strlen(name) + 2 > INVENTORY_TEXT)
			return;
		n += (size_t)snprintf(out + n, INVENTORY_TEXT - n, "%s\n", name);
	}
}

/* By a new file that takes the name: readers see the old list or the new one, and the folder may belong to another user. */
static enum err put(const char *text, const char *run_dir)
{
	char path[PATH_MAX], fresh[PATH_MAX];
	size_t len = strlen(text);
	bool good;
	int fd;

	if (snprintf(path, sizeof(path), "%s/" INVENTORY_FILE, run_dir) >= (int)sizeof(path) ||
		snprintf(fresh, sizeof(fresh), "%s.new", path) >= (int)sizeof(fresh))
		return ERR_RANGE;
	(void)unlink(fresh);
	fd = open(fresh, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (fd < 0)
		return ERR_SYS;
	good = fchmod(fd, 0644) == 0 && write(fd, text, len) == (ssize_t)len;
	close(fd);
	return good && rename(fresh, path) == 0 ? ERR_OK : ERR_SYS;
}

enum err inventory_update(struct inventory *v, const struct box *b, const char *run_dir)
{
	char now[INVENTORY_TEXT];
	enum err e;

	list(now, b);
	if (strcmp(now, v->text) == 0)
		return ERR_OK;
	e = put(now, run_dir);
	if (e == ERR_OK)
		memcpy(v->text, now, sizeof(v->text));
	return e;
}
