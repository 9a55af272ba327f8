/* Blocks: type, length, body with options, length again; all in the byte order of this machine and padded to 4. */
#include "cli/capture/pcapng.h"

#include <string.h>

#define SECTION    0x0a0d0d0au
#define INTERFACE  1u
#define STATISTICS 5u
#define PACKET     6u
#define ETHERNET   1u
#define OPTION_MAX 65535u

enum { OPT_END = 0, OPT_COMMENT = 1 };
enum { SHB_HARDWARE = 2, SHB_OS = 3, SHB_USERAPPL = 4 };
enum { IF_NAME = 2, IF_DESCRIPTION = 3, IF_TSRESOL = 9 };
enum { EPB_FLAGS = 2 };
enum { ISB_START = 2, ISB_END = 3, ISB_RECV = 4, ISB_DROP = 5 };

struct option {
	uint16_t code;
	const void *data; /* NULL: not there */
	size_t len;
};

static size_t padded(size_t n)
{
	return (n + 3) & ~(size_t)3;
}

static void put(struct pcapng *p, const void *data, size_t len)
{
	static const uint8_t zero[4];

	if (len && fwrite(data, 1, len, p->file) != len)
		p->failed = true;
	if (padded(len) != len && fwrite(zero, 1, padded(len) - len, p->file) != padded(len) - len)
		p->failed = true;
}

static void put32n(struct pcapng *p, uint32_t v)
{
	put(p, &v, sizeof(v));
}

static void option_put(struct pcapng *p, const struct option *o)
{
	const uint16_t head[2] = { o->code, (uint16_t)o->len };

	if (!o->data)
		return;
	put(p, head, sizeof(head));
	put(p, o->data, o->len);
}

/* Lines of text, each an option of its own. Returns their length; with `p` they are written. */
static size_t comments(struct pcapng *p, const char *lines)
{
	size_t total = 0;

	for (size_t n; lines && *lines; lines += n + (lines[n] == '\n')) {
		n = strcspn(lines, "\n");
		n = n < OPTION_MAX ? n : OPTION_MAX;
		if (p)
			option_put(p, &(struct option){ OPT_COMMENT, lines, n });
		total += 4 + padded(n);
	}
	return total;
}

static void block(struct pcapng *p, uint32_t type, const void *fixed, size_t fixed_len, struct span data,
	const struct option *options, size_t n, const char *lines)
{
	size_t len = 16 + fixed_len + padded(data.len) + comments(NULL, lines);

	for (size_t i = 0; i < n; i++)
		len += options[i].data ? 4 + padded(options[i].len) : 0;
	put32n(p, type);
	put32n(p, (uint32_t)len);
	put(p, fixed, fixed_len);
	put(p, data.data, data.len);
	for (size_t i = 0; i < n; i++)
		option_put(p, &options[i]);
	comments(p, lines);
	put32n(p, OPT_END);
	put32n(p, (uint32_t)len);
}

static struct option text(uint16_t code, const char *s)
{
	size_t len = s ? strlen(s) : 0;

	return (struct option){ code, s, len < OPTION_MAX ? len : OPTION_MAX };
}

void pcapng_section(struct pcapng *p, const char *hardware, const char *comment_lines)
{
	const struct {
		uint32_t magic;
		uint16_t major, minor;
		uint64_t len; /* not known */
	} head = { 0x1a2b3c4d, 1, 0, UINT64_MAX };
	const struct option options[] = { text(SHB_HARDWARE, hardware), text(SHB_OS, "Postern " POSTERN_VERSION),
		text(SHB_USERAPPL, "monitor capture") };

	block(p, SECTION, &head, sizeof(head), span_of(NULL, 0), options, 3, comment_lines);
}

void pcapng_interface(struct pcapng *p, const char *name, const char *description, uint32_t snap_len)
{
	const struct {
		uint16_t link, reserved;
		uint32_t snap;
	} head = { ETHERNET, 0, snap_len };
	const uint8_t nanoseconds = 9;
	const struct option options[] = { text(IF_NAME, name), text(IF_DESCRIPTION, description), { IF_TSRESOL, &nanoseconds, 1 } };

	block(p, INTERFACE, &head, sizeof(head), span_of(NULL, 0), options, sizeof(options) / sizeof(options[0]), NULL);
}

void pcapng_packet(struct pcapng *p, const struct dp_capture_packet *h, const uint8_t *bytes)
{
	const uint32_t head[5] = { h->interface, (uint32_t)(h->at_ns >> 32), (uint32_t)h->at_ns, h->len, h->wire_len };
	const uint32_t direction = h->out ? 2 : 1;
	const struct option options[] = { { EPB_FLAGS, &direction, sizeof(direction) } };

	block(p, PACKET, head, sizeof(head), span_of(bytes, h->len), options, 1, NULL);
}

void pcapng_statistics(struct pcapng *p, uint32_t interface, const struct pcapng_stats *s, const char *comment)
{
	const uint32_t head[3] = { interface, (uint32_t)(s->last_ns >> 32), (uint32_t)s->last_ns };
	const uint32_t first[2] = { (uint32_t)(s->first_ns >> 32), (uint32_t)s->first_ns };
	const struct option options[] = { { ISB_START, s->first_ns ? first : NULL, sizeof(first) },
		{ ISB_END, s->last_ns ? &head[1] : NULL, 8 }, { ISB_RECV, &s->received, 8 }, { ISB_DROP, &s->dropped, 8 },
		text(OPT_COMMENT, comment) };

	block(p, STATISTICS, head, sizeof(head), span_of(NULL, 0), options, sizeof(options) / sizeof(options[0]), NULL);
}
