/* Writes pcapng (draft-ietf-opsawg-pcapng): a section header, an interface description each, packets, statistics. */
#ifndef POSTERN_CLI_PCAPNG_H
#define POSTERN_CLI_PCAPNG_H

#include "datapath/dp_api.h"

#include <stdio.h>

struct pcapng {
	FILE *file; /* the caller's */
	bool failed;
};

/* `comment_lines` may be NULL; each line is a comment of its own, cut at 65,535 bytes. */
void pcapng_section(struct pcapng *p, const char *hardware, const char *comment_lines);
/* Interfaces are numbered by their order. `description` may be NULL. */
void pcapng_interface(struct pcapng *p, const char *name, const char *description, uint32_t snap_len);
void pcapng_packet(struct pcapng *p, const struct dp_capture_packet *head, const uint8_t *bytes);
struct pcapng_stats {
	uint64_t first_ns, last_ns; /* 0: none */
	uint64_t received, dropped;
};
void pcapng_statistics(struct pcapng *p, uint32_t interface, const struct pcapng_stats *s, const char *comment);

#endif
