/* Between the files that write the filter's text. */
#ifndef POSTERN_DATAPATH_FILTER_GENERATOR_H
#define POSTERN_DATAPATH_FILTER_GENERATOR_H

#include "datapath/filter/filter.h"
#include "datapath/filter/list.h"

/* Which lists have been written into a table already: they are shared by all interfaces. */
struct emitted {
	bool *group, *crypto, *mirror, *check;
};

struct generator {
	struct text *t;
	struct text chains; /* of interfaces: behind the lists that they name */
	const struct cfg *c;
	const struct filter_env *env;
	struct emitted done;
	unsigned made, checks; /* lists beside the configured ones; chains that ask an entry's access-group */
	bool failed;
};

/* ICMP errors with the mark that is put behind: what they are about had it. */
#define FILTER_OWN_ERROR "icmp type { 3, 4, 5, 11, 12 } meta mark 0x%08x"

unsigned list_index(const struct cfg *c, const struct cfg_acl *acl);
void list_once(struct generator *g, const struct cfg_acl *acl, bool *done, const struct list_use *use);

/* map.c: the complete entries of the interface's map, in order: what one denies, or does not name, goes on to the next. */
void map_protect(
	struct generator *g, const struct cfg_interface *i); /* egress: to the engine, if the entry's access-group permits */
void map_refuse_clear(struct generator *g, const struct cfg_interface *i); /* ingress: what should have come encrypted */
/* answer.c, egress: an address for ICMP errors about what came out of a tunnel. */
void map_answers(struct generator *g, const struct cfg_interface *i);
/* What comes out of the tunnels of the router's maps: the access-groups of their entries. */
void map_check_opened(struct generator *g);

#endif
