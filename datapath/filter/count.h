/* Match counts of access-list lines, over all the times that the filter was loaded. Pure.
 *
 * Each loaded filter counts from zero in its sets. A line's matches are what earlier filters counted (`base`) and what the present
 * one shows (`live`); arithmetic is modulo 2^64, so that clearing is base = -live.
 */
#ifndef POSTERN_DATAPATH_FILTER_COUNT_H
#define POSTERN_DATAPATH_FILTER_COUNT_H

#include "configdb/cfg.h"

struct line_count {
	char acl[CFG_NAME];
	uint32_t seq;
	bool permit;
	char text[CFG_LINE]; /* the line: a new one under an old number starts from zero */
	uint64_t base, live;
};

struct counts {
	struct line_count *lines; /* by list, then number */
	size_t n;
	uint64_t clear_base, clear_live; /* clear packets that should have been encrypted */
};

/* Makes `c` the counts of the lists of `cfg`; lines that were there keep theirs. ERR_NOMEM leaves `c` as it was. */
enum err counts_renew(struct counts *c, const struct cfg *cfg) MUST_CHECK;
/* Sets `live` from what `nft list table` printed of one or several tables. */
void counts_read(struct counts *c, const char *listing);
/* The filter that was read last is gone: what it counted is kept. */
void counts_settle(struct counts *c);
uint64_t counts_line(const struct line_count *l);
uint64_t counts_clear_text(const struct counts *c);
/* A list's lines start from zero; "*": all lists' */
void counts_zero(struct counts *c, const char *acl);
void counts_zero_clear_text(struct counts *c);
void counts_free(struct counts *c);

#endif
