/* dir, more, delete, and the running configuration into a file. What a file may be is decided by the folder's permissions:
 * the console has no more rights than its user. */
#include "cli/exec/flash.h"

#include "platform/base/mem.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#define FILE_BYTES_MAX (4 * 1024 * 1024)

/* "NAME" of "flash:NAME"; "" is the folder itself. */
static const char *base_of(const char *name)
{
	if (strncmp(name, "flash:", 6) == 0)
		name += 6;
	return *name == '/' ? name + 1 : name;
}

bool flash_path(const struct shell *sh, const char *name, char *path, size_t size)
{
	name = base_of(name);
	if (*name == '\0' || strchr(name, '/') != NULL || strchr(name, ':') != NULL || strcmp(name, "..") == 0 ||
		strcmp(name, ".") == 0)
		return false;
	return (size_t)snprintf(path, size, "%s/flash/%s", sh->options.data_dir, name) < size;
}

char *flash_read(const char *path, size_t *len)
{
	FILE *f = fopen(path, "re");
	struct stat st;
	char *text = NULL;

	if (f == NULL)
		return NULL;
	if (fstat(fileno(f), &st) == 0 && S_ISREG(st.st_mode) && st.st_size <= FILE_BYTES_MAX &&
		(text = mem_zalloc((size_t)st.st_size + 1)) != NULL)
		*len = fread(text, 1, (size_t)st.st_size, f);
	else
		errno = errno != 0 ? errno : EINVAL;
	fclose(f);
	return text;
}

void flash_fault(struct out *o, const char *name)
{
	out_printf(o, "%%Error opening %s (%s)\n", name, errno == ENOENT ? "No such file or directory" : strerror(errno));
}

static bool named(struct exec_call *c, char *path, size_t size)
{
	if (flash_path(c->sh, exec_arg(c, "file"), path, size))
		return true;
	errno = EINVAL;
	flash_fault(c->out, exec_arg(c, "file"));
	return false;
}

static void one_file(struct out *o, const char *folder, const char *name)
{
	char path[512], when[64];
	struct stat st;
	struct tm tm;

	if ((size_t)snprintf(path, sizeof(path), "%s/%s", folder, name) >= sizeof(path) || lstat(path, &st) != 0)
		return;
	gmtime_r(&st.st_mtime, &tm);
	strftime(when, sizeof(when), "%b %e %Y %H:%M:%S +00:00", &tm);
	out_printf(o, "%6" PRIu64 "  %s  %15" PRIu64 "  %s  %s\n", (uint64_t)st.st_ino, S_ISDIR(st.st_mode) ? "drwx" : "-rw-",
		(uint64_t)st.st_size, when, name);
}

static int visible(const struct dirent *e)
{
	return e->d_name[0] != '.';
}

static bool list(struct exec_call *c, const char *folder, const char *only)
{
	struct dirent **found = NULL;
	int n = scandir(folder, &found, visible, alphasort), shown = 0;

	out_printf(c->out, "Directory of flash:/%s\n\n", only);
	for (int i = 0; i < n; i++) {
		if (*only == '\0' || strcmp(found[i]->d_name, only) == 0) {
			one_file(c->out, folder, found[i]->d_name);
			shown++;
		}
		free(found[i]);
	}
	free(found);
	if (shown == 0)
		out_printf(c->out, "No files in directory\n");
	return true;
}

static bool dir(struct exec_call *c)
{
	const char *name = exec_arg(c, "file"), *base = base_of(name != NULL ? name : "flash:");
	char folder[400], path[512];
	struct statvfs fs;
	struct stat st;

	snprintf(folder, sizeof(folder), "%s/flash", c->sh->options.data_dir);
	if (*base != '\0' && (!flash_path(c->sh, name, path, sizeof(path)) || lstat(path, &st) != 0)) {
		out_printf(c->out, "%%Error opening flash:/%s (File not found)\n", base);
		return false;
	}
	list(c, folder, base);
	if (statvfs(folder, &fs) != 0)
		return false;
	out_printf(c->out, "\n%" PRIu64 " bytes total (%" PRIu64 " bytes free)\n", (uint64_t)fs.f_blocks * fs.f_frsize,
		(uint64_t)fs.f_bavail * fs.f_frsize);
	return true;
}

static bool more(struct exec_call *c)
{
	char path[512], *text;
	size_t len = 0;

	if (!named(c, path, sizeof(path)))
		return false;
	errno = 0;
	text = flash_read(path, &len);
	if (text == NULL) {
		flash_fault(c->out, exec_arg(c, "file"));
		return false;
	}
	out_text(c->out, text, len);
	if (len > 0 && text[len - 1] != '\n')
		out_text(c->out, "\n", 1);
	mem_free_secret(text, len);
	return true;
}

static bool delete (struct exec_call *c)
{
	char path[512], question[600], answer[TERM_LINE];
	const char *base = base_of(exec_arg(c, "file"));

	if (!named(c, path, sizeof(path)))
		return false;
	snprintf(question, sizeof(question), "Delete filename [%s]? ", base);
	if (term_answer(c->sh->term, question, answer) != TERM_OK || (answer[0] != '\0' && strcmp(answer, base) != 0))
		return false;
	snprintf(question, sizeof(question), "Delete flash:/%s? [confirm]", base);
	if (!term_confirm(c->sh->term, question))
		return false;
	if (unlink(path) == 0)
		return true;
	out_printf(
		c->out, "%%Error deleting flash:/%s (%s)\n", base, errno == ENOENT ? "No such file or directory" : strerror(errno));
	return false;
}

/* Whole or not at all: beside it, then renamed. Keys are in it, encrypted as on the screen, so it is its owner's alone. */
static bool write_file(const char *path, const char *text, size_t len)
{
	char beside[520];
	int fd;
	bool ok;

	snprintf(beside, sizeof(beside), "%s~", path);
	fd = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return false;
	ok = write(fd, text, len) == (ssize_t)len && fsync(fd) == 0;
	ok = close(fd) == 0 && ok && rename(beside, path) == 0;
	if (!ok)
		unlink(beside);
	return ok;
}

static bool save_as(struct exec_call *c, const char *name, const char *path)
{
	const struct cfgm_text what = { .what = CFGM_RUNNING };
	const char *from;
	char *text;
	enum err e = session_text(&c->sh->session, &what, &text);
	bool ok;

	if (e != ERR_OK)
		return exec_failed(c, "configd", e);
	from = strstr(text, "\n!\n"); /* below what tells the size */
	from = from != NULL ? from + 1 : text;
	ok = write_file(path, from, strlen(from));
	if (ok)
		out_printf(c->out, "%zu bytes copied\n", strlen(from));
	else
		flash_fault(c->out, name);
	mem_free_secret(text, strlen(text));
	return ok;
}

static bool copy_to_flash(struct exec_call *c)
{
	const char *base = base_of(exec_arg(c, "file"));
	char path[512], question[600], answer[TERM_LINE];
	struct stat st;

	if (*base == '\0')
		base = "running-config";
	snprintf(question, sizeof(question), "Destination filename [%s]? ", base);
	if (term_answer(c->sh->term, question, answer) != TERM_OK)
		return false;
	if (answer[0] != '\0')
		base = base_of(answer);
	if (strncmp(exec_arg(c, "file"), "flash:", 6) != 0 || !flash_path(c->sh, base, path, sizeof(path))) {
		errno = EINVAL;
		flash_fault(c->out, exec_arg(c, "file"));
		return false;
	}
	snprintf(question, sizeof(question),
		"%%Warning:There is a file already existing with this name\nDo you want to over write? [confirm]");
	if (lstat(path, &st) == 0 && !term_confirm(c->sh->term, question))
		return false;
	return save_as(c, base, path);
}

#define COPY "Copy from one file to another"
#define NAME "flash:NAME"

const struct exec_row exec_rows_flash[] = {
	{ "dir [WORD$file]", EXEC_HELP("List files on a filesystem", NAME), 15, EXEC_PIPE, dir, 0 },
	{ "more WORD$file", EXEC_HELP("Display the contents of a file", NAME), 15, EXEC_PIPE, more, 0 },
	{ "delete WORD$file", EXEC_HELP("Delete a file", NAME), 15, 0, delete, 0 },
	{ "copy running-config WORD$file", EXEC_HELP(COPY, "Copy from current system configuration", "Copy to flash: file system"),
		15, 0, copy_to_flash, 0 },
	{ NULL, NULL, 0, 0, NULL, 0 },
};
