/* Access-lists: the rows, and how lists print. */
#include "configdb/model/acl.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define ADDRESS(x) "<A.B.C.D$" x " WILDCARD$" x "_wild|any$" x "_any|host A.B.C.D$" x "_host>"
#define PORTS(type, x)                                                                                                             \
	"[<eq " type "$" x "_ports...10|gt " type "$" x "_ports|lt " type "$" x "_ports|neq " type "$" x "_ports...10|"            \
	"range " type "$" x "_ports " type "$" x "_port2>$" x "_op]"
#define OPTIONS   "fragments$fragments|<dscp DSCP$dscp|precedence PRECEDENCE$precedence>|tos TOS$tos|<log$log|log-input$log>"
#define TCP_FLAGS "<{established$established|ack$ack|fin$fin|psh$psh|rst$rst|syn$syn|urg$urg}|match-any TCPFLAG$flags...6>"
#define EXTENDED                                                                                                                   \
	"<permit|deny>$action <"                                                                                                   \
	"ip$kind " ADDRESS("src") " " ADDRESS(                                                                                     \
		"dst") " [{" OPTIONS "}]|"                                                                                         \
		       "icmp$kind " ADDRESS("src") " " ADDRESS(                                                                    \
			       "dst") " [<ICMP$icmp|<0-255>$icmp_type [<0-255>$icmp_code]>] [{" OPTIONS "}]|"                      \
				      "tcp$kind " ADDRESS("src") " " PORTS("TCPPORT", "src") " " ADDRESS("dst") " " PORTS(         \
					      "TCPPORT", "dst") " [" TCP_FLAGS "] [{" OPTIONS "}]|"                                \
								"udp$kind " ADDRESS("src") " " PORTS(                              \
									"UDPPORT", "src") " " ADDRESS("dst") " " PORTS("UDPPORT",  \
									"dst") " [{" OPTIONS "}]|"                                 \
									       "PROTOCOL$protocol " ADDRESS("src") " " ADDRESS(    \
										       "dst") " [{" OPTIONS "}]>"
#define STANDARD "<permit|deny>$action <A.B.C.D$src [WILDCARD$src_wild]|any$src_any|host A.B.C.D$src_host> [log$log]"

#define ACTION_HELP "Specify packets to forward", "Specify packets to reject"
#define PORT_HELP                                                                                                                  \
	"Match only packets on a given port number", "Port number", "Match only packets with a greater port number",               \
		"Match only packets with a lower port number", "Match only packets not on a given port number",                    \
		"Match only packets in the range of port numbers", "Upper end of the range"
#define EXTENDED_HELP                                                                                                              \
	ACTION_HELP, "Any Internet Protocol", "Source address", "Source wildcard bits", "Any host", "A single host",               \
		"Source address", "Destination address", "Destination wildcard bits", "Destination address",                       \
		"Check non-initial fragments", "Match packets with given dscp value", "Differentiated services codepoint value",   \
		"Match packets with given precedence value", "Precedence value", "Match packets with given TOS value",             \
		"Type of service value", "Log matches against this entry",                                                         \
		"Log matches against this entry, including input interface", "Internet Control Message Protocol", "ICMP message",  \
		"ICMP message type", "ICMP message code", "Transmission Control Protocol", PORT_HELP, "Port number",               \
		"Upper end of the range", "Match established connections", "Match on the ACK bit", "Match on the FIN bit",         \
		"Match on the PSH bit", "Match on the RST bit", "Match on the SYN bit", "Match on the URG bit",                    \
		"Match if any of the specified flags is set or not set", "TCP flag, + set or - not set", "User Datagram Protocol", \
		"Port number", "Upper end of the range", "Port number", "Upper end of the range", "An IP protocol number"
#define STANDARD_HELP                                                                                                              \
	ACTION_HELP, "Address to match", "Wildcard bits", "Any source host", "A single host address", "Host address",              \
		"Log matches against this entry"

#define ACCESS_LIST  "Add an access list entry"
#define NAMED        "Global IP configuration subcommands", "Named access-list"
#define NUMBERED_ROW .mode = MODE_CONFIG, .tables = CFG_ACLS, .no_words = NO_WHOLE, .apply = ace_apply

static bool numbered(const char *name)
{
	return isdigit((unsigned char)name[0]);
}

static bool has_entries(struct render *r, const char *name)
{
	return db_exists(r->db, "SELECT 1 FROM ace WHERE acl = ?1", P(name));
}

static void entries_render(struct render *r, const char *name, bool extended, const char *prefix)
{
	char text[CFG_LINE_MAX];
	struct values v;
	sqlite3_stmt *q = db_query(r->db, "SELECT * FROM ace WHERE acl = ?1 ORDER BY seq, ord", P(name));
	while (db_step(r->db, &q)) {
		values_init(&v);
		values_from_row(&v, q);
		ace_text(&v, extended, false, text, sizeof text);
		emit(r, "%s%s", prefix, text);
		r->failed = r->failed || !text[0];
	}
}

/* Named lists, and numbered ones as long as they are empty. */
static void named_render(struct render *r, const struct stmt *st)
{
	bool extended = st->enters == MODE_EXT_NACL;
	sqlite3_stmt *q =
		db_query(r->db, "SELECT name FROM acl WHERE kind = ?1 ORDER BY name", P(extended ? "extended" : "standard"));
	while (db_step(r->db, &q)) {
		const char *name = db_col(q, 0);
		if (numbered(name) && has_entries(r, name))
			continue;
		emit_bang(r);
		emit(r, "ip access-list %s %s", extended ? "extended" : "standard", name);
		r->indent++;
		entries_render(r, name, extended, "");
		r->indent--;
	}
}

static void numbered_render(struct render *r, const struct stmt *st)
{
	char prefix[CFG_NAME + 16];
	sqlite3_stmt *q = db_query(r->db, "SELECT name, kind = 'extended' FROM acl ORDER BY CAST(name AS INTEGER)", NOPARAMS);
	(void)st;
	while (db_step(r->db, &q)) {
		const char *name = db_col(q, 0);
		if (!numbered(name))
			continue;
		snprintf(prefix, sizeof prefix, "access-list %s ", name);
		entries_render(r, name, sqlite3_column_int(q, 1), prefix);
	}
}

static const struct stmt named_rows[] = {
	{ .syntax = "ip access-list standard STDACL$name",
		.help = HELP(NAMED, "Standard Access List", "Standard IP access-list number or name"),
		.mode = MODE_CONFIG,
		.no_words = NO_WHOLE,
		.tables = CFG_ACLS,
		.enters = MODE_STD_NACL,
		.apply = acl_enter,
		.render = named_render },
	{ .syntax = "ip access-list extended EXTACL$name",
		.help = HELP(NAMED, "Extended Access List", "Extended IP access-list number or name"),
		.mode = MODE_CONFIG,
		.no_words = NO_WHOLE,
		.tables = CFG_ACLS,
		.enters = MODE_EXT_NACL,
		.apply = acl_enter,
		.render = named_render },
	{ .syntax = "ip access-list resequence ACL$name [<1-2147483647>$start [<1-2147483647>$step]]",
		.help = HELP(NAMED, "Resequence Access List", "Access-list number or name", "Starting Sequence Number",
			"Step to increment the sequence number"),
		.mode = MODE_CONFIG,
		.tables = CFG_ACLS,
		.apply = acl_resequence },
	{ .syntax = "[<1-2147483647>$seq] " EXTENDED,
		.help = HELP("Sequence Number", EXTENDED_HELP),
		.mode = MODE_EXT_NACL,
		.no_words = NO_WHOLE,
		.tables = CFG_ACLS,
		.apply = ace_apply },
	{ .syntax = "[<1-2147483647>$seq] remark LINE$remark",
		.help = HELP("Sequence Number", "Access list entry comment", "Comment up to 100 characters"),
		.mode = MODE_EXT_NACL,
		.no_words = NO_WHOLE,
		.tables = CFG_ACLS,
		.apply = ace_apply },
	{ .syntax = "<1-2147483647>$seq",
		.help = HELP("Sequence Number"),
		.mode = MODE_EXT_NACL,
		.no_words = NO_WHOLE,
		.no_only = true,
		.tables = CFG_ACLS,
		.apply = ace_remove_seq },
	{ .syntax = "[<1-2147483647>$seq] " STANDARD,
		.help = HELP("Sequence Number", STANDARD_HELP),
		.mode = MODE_STD_NACL,
		.no_words = NO_WHOLE,
		.tables = CFG_ACLS,
		.apply = ace_apply },
	{ .syntax = "[<1-2147483647>$seq] remark LINE$remark",
		.help = HELP("Sequence Number", "Access list entry comment", "Comment up to 100 characters"),
		.mode = MODE_STD_NACL,
		.no_words = NO_WHOLE,
		.tables = CFG_ACLS,
		.apply = ace_apply },
	{ .syntax = "<1-2147483647>$seq",
		.help = HELP("Sequence Number"),
		.mode = MODE_STD_NACL,
		.no_words = NO_WHOLE,
		.no_only = true,
		.tables = CFG_ACLS,
		.apply = ace_remove_seq },
};
const struct block block_acl_named = { named_rows, sizeof named_rows / sizeof *named_rows, false };

static const struct stmt numbered_rows[] = {
	{ .syntax = "access-list <<1-99>$name|<1300-1999>$name> " STANDARD,
		.help = HELP(ACCESS_LIST, "IP standard access list", "IP standard access list (expanded range)", STANDARD_HELP),
		NUMBERED_ROW,
		.render = numbered_render },
	{ .syntax = "access-list <<100-199>$name|<2000-2699>$name> " EXTENDED,
		.help = HELP(ACCESS_LIST, "IP extended access list", "IP extended access list (expanded range)", EXTENDED_HELP),
		NUMBERED_ROW },
	{ .syntax = "access-list <<1-99>$name|<100-199>$name|<1300-1999>$name|<2000-2699>$name> remark LINE$remark",
		.help = HELP(ACCESS_LIST, "IP standard access list", "IP extended access list",
			"IP standard access list (expanded range)", "IP extended access list (expanded range)",
			"Access list entry comment", "Comment up to 100 characters"),
		NUMBERED_ROW },
	{ .syntax = "access-list <<1-99>$name|<100-199>$name|<1300-1999>$name|<2000-2699>$name>",
		.help = HELP(ACCESS_LIST, "IP standard access list", "IP extended access list",
			"IP standard access list (expanded range)", "IP extended access list (expanded range)"),
		.no_only = true,
		NUMBERED_ROW },
};
const struct block block_acl_numbered = { numbered_rows, sizeof numbered_rows / sizeof *numbered_rows, false };

const struct grammar_row *ace_row(bool extended, bool remark)
{
	return stmt_row(&named_rows[extended ? (remark ? 4 : 3) : (remark ? 7 : 6)]);
}
