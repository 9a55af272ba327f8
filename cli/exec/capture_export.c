/* monitor capture NAME export FILE: the buffer as pcapng in flash:, by the hand of this console's user. */
#include "cli/capture/pcapng.h"
#include "cli/exec/capture.h"
#include "cli/exec/flash.h"
#include "cli/exec/keys.h"
#include "platform/base/mem.h"
#include "platform/base/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define KEYS_QUESTION "The file will hold the keys of the SAs in it: who has the file reads that traffic.\nContinue? [confirm]"

struct writing {
	struct pcapng p;
	struct pcapng_stats stats[DP_CAPTURE_INTERFACES];
	struct key_lines keys; /* text NULL: without */
};

static bool one(void *ctx, const struct dp_capture_packet *h, const uint8_t *bytes)
{
	struct writing *x = ctx;
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
static bool write_all(struct exec_call *c, struct writing *x, const struct dpm_capture_info *i)
{
	uint32_t length = i->limits[DP_LIMIT_LENGTH] ? i->limits[DP_LIMIT_LENGTH] : DP_CAPTURE_BYTES;
	char text[128];

	pcapng_section(&x->p, "Postern", x->keys.text);
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
static bool write_file(struct exec_call *c, const char *path, const struct dpm_capture_info *info, const struct key_lines *keys)
{
	static char room[65536]; /* of the stream: keys go through it */
	struct writing x = { .keys = *keys };
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
	setvbuf(x.p.file, room, _IOFBF, sizeof(room));
	ok = write_all(c, &x, info);
	errno = 0;
	if (ok && (x.p.failed || fflush(x.p.file) != 0 || fsync(fd) != 0)) {
		flash_fault(c->out, exec_arg(c, "file"));
		ok = false;
	}
	fclose(x.p.file);
	wipe(room, sizeof(room));
	if (ok && rename(beside, path) != 0) {
		flash_fault(c->out, exec_arg(c, "file"));
		ok = false;
	}
	if (!ok)
		unlink(beside);
	return ok;
}

static bool export_it(struct exec_call *c)
{
	struct dpm_capture_info info;
	struct key_lines keys = { 0 };
	char path[512];
	struct stat st;
	bool ok;

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
	if (exec_arg(c, "keys") && (!term_confirm(c->sh->term, KEYS_QUESTION) || !keys_of_capture(c, info.name, &keys)))
		return false;
	ok = write_file(c, path, &info, &keys);
	if (ok && keys.n)
		out_printf(c->out, "%u keys are in the file\n", keys.n);
	mem_free_secret(keys.text, keys.room);
	if (ok)
		out_printf(c->out, "Exported Successfully\n");
	return ok;
}

#define PREFIX      "monitor capture WORD$name export WORD$file"
#define PREFIX_HELP "Monitoring different system events", "Start/stop/config packet capture", "Name of the Capture"

const struct exec_row exec_rows_capture_export[] = {
	{ PREFIX, EXEC_HELP(PREFIX_HELP, "Write the buffer to a file", "flash:NAME.pcap"), 15, 0, export_it, 0 },
	{ PREFIX " with-keys$keys",
		EXEC_HELP(PREFIX_HELP, "Write the buffer to a file", "flash:NAME.pcap", "And the keys of its SAs, for an analyser"),
		15, 0, export_it, 0 },
	{ NULL, NULL, 0, 0, NULL, 0 },
};
