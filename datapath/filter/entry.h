/* What an entry of a crypto map selects, as an access-list: its own; of an ipsec-manual entry the lines up to the first permit; of
 * a dynamic map's place the policies that were negotiated, ranges of addresses as the prefixes that make them up. */
#ifndef POSTERN_DATAPATH_FILTER_ENTRY_H
#define POSTERN_DATAPATH_FILTER_ENTRY_H

#include "configdb/cfg.h"
#include "datapath/dynamic.h"

struct entry_list {
	struct cfg_acl acl;
	struct cfg_ace *made;        /* NULL: `acl` borrows the snapshot's lines */
	const struct cfg_acl *whole; /* the list is this one as it stands; NULL: it is not */
};

/* `settings`: of a dynamic map's place the one of its entries whose policies are meant; else `e`. `dynamics` may be NULL: none.
 * Only ERR_NOMEM. The caller frees with entry_list_free. */
enum err entry_list_make(struct entry_list *out, const struct cfg *c, const struct cfg_interface *i, const struct cfg_map_entry *e,
	const struct cfg_map_entry *settings, const struct dynamics *dynamics) MUST_CHECK;
void entry_list_free(struct entry_list *l);

#endif
