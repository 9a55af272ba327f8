/* One access-list as nftables maps and chains. */
#ifndef POSTERN_DATAPATH_FILTER_LIST_H
#define POSTERN_DATAPATH_FILTER_LIST_H

#include "configdb/cfg.h"
#include "datapath/filter/text.h"

/* What a list is for decides what its lines do. The chain is entered by `jump`, so that `return` goes on behind it. */
struct list_use {
	char tag; /* first letter of the names: "g3" is the group chain of list 3 */
	const char *permit, *deny;
	const char *end;               /* behind the last line; NULL: return */
	bool mirror;                   /* source and destination change places */
	bool log;                      /* `log` lines are reported */
	bool count_permit, count_deny; /* elements carry the comment "NAME:SEQ" beside their counter */
};

extern const struct list_use list_use_group, list_use_crypto, list_use_mirror, list_use_check, list_use_opened;

/* The prefix of a reported packet: "postern de- 101": p or d, extended or standard list, i for `log-input`, the list's name. */
#define LIST_LOG_PREFIX "postern "
/* The group of the kernel's log by which packets are reported. */
#define LIST_LOG_GROUP   50
#define LIST_LOG_SNAPLEN 64

/* The chain of a table to which an access-group sends what it denies: the table's owner writes it. */
#define LIST_REFUSE "refuse"

/* Has it lines that match at all? */
bool list_has_lines(const struct cfg_acl *acl);
/* `index` makes its names unique. */
void list_emit(struct text *t, const struct cfg_acl *acl, unsigned index, const struct list_use *use);
/* The name as it may stand between quotes: other characters as %XX. list_unescape undoes it in place. */
void list_escape(char out[3 * CFG_NAME], const char *name);
void list_unescape(char *name);

#endif
