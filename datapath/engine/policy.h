/* Policies: the crypto access-lists as the engine matches them, and what belongs to one policy while it lives.
 *
 * A set is immutable and swapped whole. Entries stand in match order; a deny jumps behind the lines of its map sequence.
 */
#ifndef POSTERN_ENGINE_POLICY_H
#define POSTERN_ENGINE_POLICY_H

#include "datapath/backend.h"
#include "datapath/engine/count.h"
#include "datapath/engine/inner.h"
#include "datapath/engine/sa.h"

#define HOLD_PACKETS 64
#define HOLD_BYTES   (512 * 1024)
#define HOLD_US      (30 * 1000000ull)

struct held {
	struct held *next;
	uint64_t since_us;
	int ifindex;
	uint32_t len;
	uint8_t frame[]; /* as it came from the TAP: virtio header and all */
};

/* Packets that wait for an SA; the out worker's. */
struct hold {
	struct held *first, **last;
	uint32_t packets, bytes; /* packets: read by the control thread too */
	struct policy *next;     /* list of policies that hold something */
	bool listed;             /* atomic: on that list */
};

struct policy {
	struct policy *next; /* control thread: all policies */
	struct dp_policy_id id;
	struct dp_selectors sel;
	unsigned refs; /* control thread: SAs */
	bool live;     /* control thread: in the present set */
	uint8_t df;
	struct sa *out;              /* RCU: outbound SAs, newest first */
	uint64_t acquire_us;         /* atomic: when an SA was asked for; 0: not asking */
	uint64_t hold_off_us;        /* atomic: not before */
	uint32_t failures;           /* atomic: counts DP_POLICY_FAILED */
	uint32_t failures_seen;      /* out worker */
	struct count sealed, opened; /* out worker, in worker */
	struct count sealed_base, opened_base;
	struct hold hold;
};

/* Matches of one line, for as long as the engine lives. */
struct line {
	struct line *next;
	char acl[CFG_NAME];
	uint32_t ace_seq;
	uint64_t matches; /* out worker */
	uint64_t base;
};

struct entry {
	int ifindex;
	uint32_t after; /* index of the first entry behind this one's map sequence */
	bool dynamic;   /* of a dynamic map: matched by `sel`; else by `ace` */
	struct cfg_ace ace;
	struct selector4 sel;
	struct policy *policy; /* NULL: deny */
	struct line *line;     /* NULL: dynamic */
};

struct policy_interface {
	int ifindex;
	uint8_t mac[6];
	uint32_t addr;
	bool acl_in;
	uint32_t acl_first, acl_count; /* in set->acl */
};

struct policy_set {
	uint64_t generation;
	struct entry *entries;
	uint32_t nentries;
	struct policy_interface *interfaces;
	uint32_t ninterfaces;
	struct cfg_ace *acl;   /* inbound lists: only lines that can match ESP or AH */
	bool by_tos, by_flags; /* some entry looks at them: flows differ by them */
};

#define VERDICT_LINES 4

struct verdict {
	struct policy *policy;             /* NULL: none matches */
	struct line *lines[VERDICT_LINES]; /* the lines that matched on the way */
	uint8_t nlines;
};

/* One line of an access-list against a packet, IOS's rules for fragments: a later fragment matches a permit line by addresses
 * and protocol alone, and passes over a deny line that asks for more. */
bool ace_matches(const struct cfg_ace *ace, const struct inner *in);
/* `ifindex` 0: the entries of all interfaces. */
struct verdict policy_classify(const struct policy_set *set, int ifindex, const struct inner *in);
/* The interface with that MAC address, 0 if it is none of the set's. */
int policy_interface_by_mac(const struct policy_set *set, const uint8_t mac[6]);
/* Does the interface's inbound access-group let this ESP or AH packet in? Yes where there is none. */
bool policy_admits_ipsec(const struct policy_set *set, int ifindex, const struct inner *outer);

/* Control thread. The tables of policies and lines outlive the sets. */
struct policy_table {
	struct policy *all;
	struct line *lines;
	uint64_t generation;
};
struct policy *ipsec_policy_get(
	struct policy_table *t, const struct dp_policy_id *id); /* made when it is not there; NULL: no memory */
struct policy *ipsec_policy_find(const struct policy_table *t, const struct dp_policy_id *id);
enum err policy_set_new(struct policy_set **out, struct policy_table *t, const struct backend_policies *from) MUST_CHECK;
void policy_set_free(struct policy_set *s);
/* Marks what is in `s` as live; frees policies that are neither live, nor referred to, nor hold anything. After a grace period. */
void policy_sweep(struct policy_table *t, const struct policy_set *s);
void policy_table_free(struct policy_table *t);

#endif
