/* monitor capture NAME export FILE: the buffer as pcapng in flash:, by the hand of this console's user. */
#include "cli/capture/pcapng.h"
#include "cli/exec/capture.h"
#include "cli/exec/flash.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct export
{
	struct pcapng p;
	struct pcapng_stats stats[DP_CAPTURE_INTERFACES];
};

static bool one(void *ctx, const struct dp_capture_packet *h, const uint8_t *bytes)
{
	struct export *x = ctx;
	struct pcapng_stats *s = &x->stats[h->interface];

	pcapng_packet(&x->p, h, bytes);
	s->received++;
	s->first_ns = s->first_ns == 0 || h->at_ns < s->first_ns ? h->at_ns : s->first_ns;
	s->last_ns = h->at_ns > s->last_ns ? h->at_ns : s->last_ns;
	return !x->p.failed;
}

static const char *describe(const struct dpm_capture_info *i, uint8_t k, char *text, size_t size)
{
	const struct dp_capture_interface *f = &i->interfaces[k];
	const char *way = !f->in ? "out" : !f->out ? "in" : "both directions";

	if (i->filter == DP_CAPTURE_ACL)
		snprintf(text, size, "%s, access-list %s", way, i->acl);
	else
		snprintf(text, size, "%s, %s", way, i->filter == DP_CAPTURE_IPV4 ? "IPv4" : "all packets");
	return text;
}

/* Drops are counted for all interfaces of a capture together: they stand with the first one, which says so. */
static bool write_all(struct exec_call *c, struct export *x, const struct dpm_capture_info *i)
{
	uint32_t length = i->limits[DP_LIMIT_LENGTH] ? i->limits[DP_LIMIT_LENGTH] : DP_CAPTURE_BYTES;
	char text[128];

	pcapng_section(&x->p, "Postern", NULL);
	for (uint8_t k = 0; k < i->ninterfaces; k++)
		pcapng_interface(&x->p, i->interfaces[k].name, describe(i, k, text, sizeof(text)), length);
	if (!capture_each(c, i->name, one, x))
		return false;
	x->stats[0].dropped = i->count.dropped;
	for (uint8_t k = 0; k < i->ninterfaces; k++)
		pcapng_statistics(&x->p, k, &x->stats[k], k == 0 && i->ninterfaces > 1 ? "drops of all interfaces" : NULL);
	return true;
}

/* Whole or not at all: beside it, then renamed. It has packets in it, so it is its owner's alone. */
static bool write_file(struct exec_call *c, const char *path, const struct dpm_capture_info *info)
{
	struct export x = { 0 };
	char beside[520];
	int fd;
	bool ok;

	snprintf(beside, sizeof(beside), "%s~", path);
	fd = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	x.p.file = fd >= 0 ? fdopen(fd, "w") : NULL;
	if (!x.p.file) {
		flash_fault(c->out, exec_arg(c, "file"));
		if (fd >= 0)
			close(fd);
		return false;
	}
	ok = write_all(c, &x, info);
	errno = 0;
	if (ok && (x.p.failed || fflush(x.p.file) != 0 || fsync(fd) != 0)) {
		flash_fault(c->out, exec_arg(c, "file"));
		ok = false;
	}
	fclose(x.p.file);
	if (ok && rename(beside, path) != 0) {
		flash_fault(c->out, exec_arg(c, "file"));
		ok = false;
	}
	if (!ok)
		unlink(beside);
	return ok;
}

static bool export(struct exec_call *c)
{
	struct dpm_capture_info info;
	char path[512];
	struct stat st;

	if (strncmp(exec_arg(c, "file"), "flash:", 6) != 0 || !flash_path(c->sh, exec_arg(c, "file"), path, sizeof(path))) {
		errno = EINVAL;
		flash_fault(c->out, exec_arg(c, "file"));
		return false;
	}
	if (!capture_find(c, exec_arg(c, "name"), &info))
		return false;
	if (info.running) {
		out_printf(c->out, "%% Capture %s is active; stop it first\n", info.name);
		return false;
	}
	if (lstat(path, &st) == 0 &&
		!term_confirm(c->sh->term,
			"%Warning:There is a file already existing with this name\nDo you want to over write? [confirm]"))
		return false;
	if (!write_file(c, path, &info))
		return false;
	out_printf(c->out, "Exported Successfully\n");
	return true;
}

#define PREFIX_HELP "Monitoring different system events", "Start/stop/config packet capture", "Name of the Capture"

const struct exec_row exec_rows_capture_export[] = {
	{ "monitor capture WORD$name export WORD$file", EXEC_HELP(PREFIX_HELP, "Write the buffer to a file", "flash:NAME.pcap"), 15,
		0, export, 0 },
	{ NULL, NULL, 0, 0, NULL, 0 },
};
