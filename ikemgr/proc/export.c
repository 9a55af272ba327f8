#include "ikemgr/proc/export.h"

#include "platform/base/log.h"
#include "platform/base/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Opens the folder of `path` if that really lies below `data_dir`; *name is the last part. -1: no. */
static int open_folder(const char *data_dir, const char *path, const char **name)
{
	char root[PATH_MAX], folder[PATH_MAX], real[PATH_MAX];
	const char *slash = strrchr(path, '/');

	if (path[0] != '/' || !slash || slash[1] == '\0' || !realpath(data_dir, root))
		return -1;
	*name = slash + 1;
	if (strcmp(*name, ".") == 0 || strcmp(*name, "..") == 0)
		return -1;
	snprintf(folder, sizeof(folder), "%.*s", (int)(slash - path), path);
	if (!realpath(folder, real))
		return -1;
	size_t n = strlen(root);
	if (strncmp(real, root, n) != 0 || (real[n] != '/' && real[n] != '\0'))
		return -1;
	return open(real, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

static bool ours(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_uid == geteuid() && st.st_nlink == 1;
}

enum err export_start(struct key_export *x, const char *data_dir, const char *path)
{
	const char *name;
	int folder, fd;

	if (strlen(path) >= sizeof(x->path))
		return ERR_RANGE;
	folder = open_folder(data_dir, path, &name);
	if (folder < 0)
		return ERR_DENIED;
	fd = openat(folder, name, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
	close(folder);
	if (fd < 0)
		return errno == ELOOP ? ERR_DENIED : ERR_SYS;
	struct stat st;
	/* Only a file that nobody else could open before may get keys. */
	if (!ours(fd) || fstat(fd, &st) != 0 || (st.st_mode & 077) != 0) {
		close(fd);
		return ERR_DENIED;
	}
	export_stop(x);
	x->fd = fd;
	snprintf(x->path, sizeof(x->path), "%s", path);
	return ERR_OK;
}

void export_stop(struct key_export *x)
{
	if (x->fd >= 0)
		close(x->fd);
	x->fd = -1;
	x->path[0] = '\0';
}

void export_key(struct key_export *x, uint64_t cookie_i, struct span key)
{
	char hex[2 * SECRET_MAX + 1], line[sizeof(hex) + 32];

	if (x->fd < 0)
		return;
	hex_print(hex, sizeof(hex), key);
	int n = snprintf(line, sizeof(line), "%016" PRIx64 ",%s\n", cookie_i, hex);
	if (write(x->fd, line, (size_t)n) != n) {
		log_msg("CRYPTO", LOG_SEV_ERROR, "KEYEXPORT", "Export of keys to %s failed: %s", x->path, strerror(errno));
		export_stop(x);
	}
	wipe(hex, sizeof(hex));
	wipe(line, sizeof(line));
}
