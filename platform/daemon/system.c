/* Facts about the box, from /proc and /sys. */
#include "platform/daemon/system.h"

#include "platform/base/env.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <time.h>
#include <unistd.h>

#define STARTED "started"
#define RELOAD  "reload"

/* Time since the machine started: stays comparable from program to program. */
static uint64_t boottime_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_BOOTTIME, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

static bool read_line(char *out, size_t size, const char *path)
{
	FILE *f = fopen(path, "re");
	bool got = f != NULL && fgets(out, (int)size, f) != NULL;

	if (f != NULL)
		fclose(f);
	if (got)
		out[strcspn(out, "\n")] = '\0';
	return got;
}

static bool parse_start(struct system_start *s, const char *line)
{
	return sscanf(line, "%" SCNu64 " %" SCNu64 " %63[a-z-]", &s->now_us, &s->wall_us, s->reason) == 3 &&
	       s->now_us <= boottime_us();
}

/* By a new file that takes the name: the folder may belong to another user, who could put a link there. */
static enum err write_start(const struct system_start *s, const char *path)
{
	char fresh[PATH_MAX];
	FILE *f;
	bool good;

	if (snprintf(fresh, sizeof(fresh), "%s.new", path) >= (int)sizeof(fresh))
		return ERR_RANGE;
	(void)unlink(fresh);
	f = fopen(fresh, "wxe");
	if (f == NULL)
		return ERR_SYS;
	good = fprintf(f, "%" PRIu64 " %" PRIu64 " %s\n", s->now_us, s->wall_us, s->reason) > 0;
	good &= fclose(f) == 0;
	return good && rename(fresh, path) == 0 ? ERR_OK : ERR_SYS;
}

enum err system_started(struct system_start *s, const char *run_dir, bool *fresh)
{
	char path[PATH_MAX], mark[PATH_MAX], line[128];
	bool reload;

	snprintf(path, sizeof(path), "%s/" STARTED, run_dir);
	snprintf(mark, sizeof(mark), "%s/" RELOAD, run_dir);
	reload = unlink(mark) == 0;
	*fresh = reload || !read_line(line, sizeof(line), path) || !parse_start(s, line);
	if (!*fresh)
		return ERR_OK;
	s->now_us = boottime_us();
	s->wall_us = env_system.wall_us(env_system.ctx);
	snprintf(s->reason, sizeof(s->reason), "%s", reload ? "reload" : "power-on");
	return write_start(s, path);
}

enum err system_mark_reload(const char *run_dir)
{
	char path[PATH_MAX];
	int fd;

	snprintf(path, sizeof(path), "%s/" RELOAD, run_dir);
	fd = open(path, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (fd < 0)
		return ERR_SYS;
	close(fd);
	return ERR_OK;
}

uint64_t system_uptime_us(const struct system_start *s)
{
	return boottime_us() - s->now_us;
}

static void cpu_name(char *out, size_t size)
{
	FILE *f = fopen("/proc/cpuinfo", "re");
	char line[256];

	snprintf(out, size, "x86_64");
	while (f != NULL && fgets(line, sizeof(line), f) != NULL) {
		const char *value = strchr(line, ':');

		if (strncmp(line, "model name", 10) != 0 || value == NULL)
			continue;
		line[strcspn(line, "\n")] = '\0';
		snprintf(out, size, "%s", value + 1 + strspn(value + 1, " "));
		break;
	}
	if (f != NULL)
		fclose(f);
}

/* The board's number; without one, a number derived from the machine's identity, which itself is not for showing. */
static void serial_number(char *out, size_t size)
{
	static const char digits[] = "0123456789ABCDEFGHJKLMNPQRSTUVWXYZ";
	char id[128];
	uint8_t hash[EVP_MAX_MD_SIZE];
	unsigned len = 0;

	if (read_line(id, sizeof(id), "/sys/class/dmi/id/product_serial") && strspn(id, digits) == strlen(id) && strlen(id) >= 4) {
		snprintf(out, size, "%s", id);
		return;
	}
	if (!read_line(id, sizeof(id), "/etc/machine-id") && gethostname(id, sizeof(id)) < 0)
		id[0] = '\0';
	if (EVP_Digest(id, strnlen(id, sizeof(id)), hash, &len, EVP_sha256(), NULL) != 1)
		memset(hash, 0, sizeof(hash));
	snprintf(out, size, "PST");
	for (size_t i = 0; i < 8; i++)
		snprintf(out + 3 + i, size - 3 - i, "%c", digits[hash[i] % (sizeof(digits) - 1)]);
}

/* The program's own file tells when it was made, and building it twice gives the same bytes. */
static void build_time(char *out, size_t size)
{
	struct stat st;
	struct tm tm;

	out[0] = '\0';
	if (stat("/proc/self/exe", &st) == 0 && gmtime_r(&st.st_mtime, &tm) != NULL)
		strftime(out, size, "%a %d-%b-%y %H:%M", &tm);
}

void system_version(struct platm_version *v, const struct system_start *s)
{
	struct sysinfo info;

	memset(v, 0, sizeof(*v));
	snprintf(v->version, sizeof(v->version), "%s", POSTERN_VERSION);
	build_time(v->built, sizeof(v->built));
	v->uptime_s = system_uptime_us(s) / 1000000;
	snprintf(v->reason, sizeof(v->reason), "%s", s->reason);
	if (sysinfo(&info) == 0)
		v->memory_kb = (uint64_t)info.totalram * info.mem_unit / 1024;
	cpu_name(v->cpu, sizeof(v->cpu));
	serial_number(v->serial, sizeof(v->serial));
	v->started_wall_us = s->wall_us;
}

void system_set_hostname(const char *name)
{
	char now[256] = "";

	if (gethostname(now, sizeof(now) - 1) == 0 && strcmp(now, name) != 0 && sethostname(name, strlen(name)) < 0)
		log_msg("PLATFORM", LOG_SEV_ERROR, "APPLY", "hostname %s failed: %s", name, strerror(errno));
}
