/* The tables of running.db and startup.db. A NULL setting is the default; names between objects are soft. */
#ifndef POSTERN_MODEL_SCHEMA_SQL_H
#define POSTERN_MODEL_SCHEMA_SQL_H

#define SCHEMA_VERSION 1

/* Every table that holds configuration, parents before children. */
#define SCHEMA_TABLES                                                                                                              \
	"system", "timestamps", "user", "line", "isakmp", "isakmp_policy", "isakmp_key", "ipsec", "transform_set", "crypto_map",   \
		"map_peer", "map_set", "interface", "interface_secondary", "route", "acl", "ace"

static const char schema_1[] =
	"CREATE TABLE revision("
	"  id INTEGER PRIMARY KEY AUTOINCREMENT, at_us INTEGER NOT NULL, user TEXT NOT NULL, tty TEXT NOT NULL, origin TEXT NOT "
	"NULL,"
	"  line TEXT NOT NULL) STRICT;"

	"CREATE TABLE system("
	"  id INTEGER PRIMARY KEY CHECK(id = 1),"
	"  hostname TEXT CHECK(length(hostname) BETWEEN 1 AND 63), banner TEXT, enable_secret INTEGER,"
	"  buffered_off INTEGER CHECK(buffered_off = 1), buffered_bytes INTEGER CHECK(buffered_bytes >= 4096),"
	"  buffered_level INTEGER CHECK(buffered_level BETWEEN 0 AND 7),"
	"  console_off INTEGER CHECK(console_off = 1), console_level INTEGER CHECK(console_level BETWEEN 0 AND 7),"
	"  monitor_off INTEGER CHECK(monitor_off = 1), monitor_level INTEGER CHECK(monitor_level BETWEEN 0 AND 7)) STRICT;"
	"CREATE TABLE timestamps("
	"  what TEXT PRIMARY KEY CHECK(what IN ('debug', 'log')), stamp TEXT NOT NULL CHECK(stamp IN ('uptime', 'datetime')),"
	"  msec TEXT CHECK(msec = 'msec'), localtime TEXT CHECK(localtime = 'localtime'),"
	"  show_timezone TEXT CHECK(show_timezone = 'show-timezone'), year TEXT CHECK(year = 'year')) STRICT, WITHOUT ROWID;"
	"CREATE TABLE user("
	"  name TEXT PRIMARY KEY, privilege INTEGER CHECK(privilege BETWEEN 0 AND 15), secret INTEGER) STRICT, WITHOUT ROWID;"
	"CREATE TABLE line("
	"  kind TEXT NOT NULL CHECK(kind IN ('console', 'vty')), number INTEGER NOT NULL CHECK(number BETWEEN 0 AND 15),"
	"  minutes INTEGER CHECK(minutes BETWEEN 0 AND 35791), seconds INTEGER CHECK(seconds BETWEEN 0 AND 2147483),"
	"  synchronous TEXT CHECK(synchronous = 'synchronous'), login TEXT CHECK(login IN ('none', 'line', 'local')),"
	"  length INTEGER CHECK(length BETWEEN 0 AND 512), width INTEGER CHECK(width BETWEEN 0 AND 512),"
	"  history_size INTEGER CHECK(history_size BETWEEN 0 AND 256), transport TEXT CHECK(transport IN ('all', 'none', 'ssh')),"
	"  PRIMARY KEY(kind, number)) STRICT, WITHOUT ROWID;"

	"CREATE TABLE isakmp("
	"  id INTEGER PRIMARY KEY CHECK(id = 1), enable_off INTEGER CHECK(enable_off = 1),"
	"  builtin_off INTEGER CHECK(builtin_off = 1)) STRICT;"
	"CREATE TABLE isakmp_policy("
	"  priority INTEGER PRIMARY KEY CHECK(priority BETWEEN 1 AND 10000),"
	"  encryption TEXT CHECK(encryption IN ('3des', 'aes', 'aes 192', 'aes 256')),"
	"  hash TEXT CHECK(hash IN ('md5', 'sha256', 'sha384', 'sha512')), authentication TEXT CHECK(authentication = 'pre-share'),"
	"  dh_group INTEGER CHECK(dh_group IN (2, 5, 14, 15, 16, 19, 20, 21, 24)),"
	"  lifetime INTEGER CHECK(lifetime BETWEEN 60 AND 86400)) STRICT;"
	"CREATE TABLE isakmp_key("
	"  id INTEGER PRIMARY KEY, secret INTEGER NOT NULL, addr TEXT, mask TEXT, host TEXT UNIQUE,"
	"  no_xauth TEXT CHECK(no_xauth = 'no-xauth'), UNIQUE(addr, mask),"
	"  CHECK((addr IS NULL) <> (host IS NULL) AND (addr IS NULL) = (mask IS NULL))) STRICT;"

	"CREATE TABLE ipsec("
	"  id INTEGER PRIMARY KEY CHECK(id = 1), lifetime_s INTEGER CHECK(lifetime_s BETWEEN 120 AND 86400),"
	"  lifetime_kb INTEGER CHECK(lifetime_kb BETWEEN 2560 AND 4294967295), kb_disabled TEXT CHECK(kb_disabled = 'disable'),"
	"  replay_off TEXT CHECK(replay_off = 'disable'), replay_window INTEGER CHECK(replay_window IN (128, 256, 512, 1024)),"
	"  df_bit TEXT CHECK(df_bit IN ('set', 'clear')), fragmentation TEXT CHECK(fragmentation = 'after-encryption')) STRICT;"
	"CREATE TABLE transform_set("
	"  name TEXT PRIMARY KEY, cipher TEXT, auth TEXT, mode TEXT CHECK(mode = 'tunnel')) STRICT, WITHOUT ROWID;"
	"CREATE TABLE crypto_map("
	"  name TEXT NOT NULL, seq INTEGER NOT NULL CHECK(seq BETWEEN 1 AND 65535), description TEXT, acl TEXT,"
	"  pfs TEXT, lifetime_s INTEGER CHECK(lifetime_s BETWEEN 120 AND 86400),"
	"  lifetime_kb INTEGER CHECK(lifetime_kb BETWEEN 2560 AND 4294967295), kb_disabled TEXT CHECK(kb_disabled = 'disable'),"
	"  PRIMARY KEY(name, seq)) STRICT, WITHOUT ROWID;"
	"CREATE TABLE map_peer("
	"  map TEXT NOT NULL, seq INTEGER NOT NULL, ord INTEGER NOT NULL, addr TEXT, host TEXT,"
	"  is_default TEXT CHECK(is_default = 'default'), PRIMARY KEY(map, seq, ord), CHECK((addr IS NULL) <> (host IS NULL)),"
	"  FOREIGN KEY(map, seq) REFERENCES crypto_map(name, seq) ON DELETE CASCADE) STRICT, WITHOUT ROWID;"
	"CREATE TABLE map_set("
	"  map TEXT NOT NULL, seq INTEGER NOT NULL, ord INTEGER NOT NULL CHECK(ord BETWEEN 1 AND 6), name TEXT NOT NULL,"
	"  PRIMARY KEY(map, seq, ord),"
	"  FOREIGN KEY(map, seq) REFERENCES crypto_map(name, seq) ON DELETE CASCADE) STRICT, WITHOUT ROWID;"

	"CREATE TABLE interface("
	"  name TEXT PRIMARY KEY, description TEXT, shutdown TEXT CHECK(shutdown = 'shutdown'), addr TEXT, mask TEXT,"
	"  mtu INTEGER CHECK(mtu BETWEEN 64 AND 9216), ip_mtu INTEGER CHECK(ip_mtu BETWEEN 68 AND 9216),"
	"  adjust_mss INTEGER CHECK(adjust_mss BETWEEN 500 AND 1460), acl_in TEXT, acl_out TEXT, crypto_map TEXT,"
	"  CHECK((addr IS NULL) = (mask IS NULL))) STRICT, WITHOUT ROWID;"
	"CREATE TABLE interface_secondary("
	"  interface TEXT NOT NULL REFERENCES interface(name) ON DELETE CASCADE, addr TEXT NOT NULL, mask TEXT NOT NULL,"
	"  PRIMARY KEY(interface, addr)) STRICT, WITHOUT ROWID;"
	"CREATE TABLE route("
	"  id INTEGER PRIMARY KEY, prefix TEXT NOT NULL, mask TEXT NOT NULL, next_hop TEXT, interface TEXT,"
	"  distance INTEGER CHECK(distance BETWEEN 2 AND 255), name TEXT, CHECK(next_hop IS NOT NULL OR interface IS NOT NULL)) "
	"STRICT;"
	"CREATE UNIQUE INDEX route_key ON route(prefix, mask, ifnull(next_hop, ''), ifnull(interface, ''));"

	"CREATE TABLE acl("
	"  name TEXT PRIMARY KEY, kind TEXT NOT NULL CHECK(kind IN ('standard', 'extended'))) STRICT, WITHOUT ROWID;"
	"CREATE TABLE ace("
	"  acl TEXT NOT NULL REFERENCES acl(name) ON DELETE CASCADE, seq INTEGER NOT NULL CHECK(seq BETWEEN 1 AND 2147483647),"
	/* Remarks stand before the entry of their number: ord 1, 2 …; entries have ord 1000000. */
	"  ord INTEGER NOT NULL, action TEXT NOT NULL CHECK(action IN ('permit', 'deny', 'remark')), remark TEXT,"
	"  protocol INTEGER CHECK(protocol BETWEEN 1 AND 255), src TEXT, src_wild TEXT,"
	"  src_op TEXT CHECK(src_op IN ('eq', 'neq', 'lt', 'gt', 'range')), src_ports TEXT, dst TEXT, dst_wild TEXT,"
	"  dst_op TEXT CHECK(dst_op IN ('eq', 'neq', 'lt', 'gt', 'range')), dst_ports TEXT,"
	"  icmp_type INTEGER CHECK(icmp_type BETWEEN 0 AND 255), icmp_code INTEGER CHECK(icmp_code BETWEEN 0 AND 255),"
	"  established TEXT, flags TEXT, dscp INTEGER CHECK(dscp BETWEEN 0 AND 63),"
	"  precedence INTEGER CHECK(precedence BETWEEN 0 AND 7), tos INTEGER CHECK(tos BETWEEN 0 AND 15),"
	"  fragments TEXT, log TEXT CHECK(log IN ('log', 'log-input')), PRIMARY KEY(acl, seq, ord)) STRICT, WITHOUT ROWID;"
	"CREATE INDEX ace_ends ON ace(acl, src, dst);";

/* What an empty router has. */
static const char schema_defaults[] =
	"INSERT INTO system(id) VALUES(1); INSERT INTO isakmp(id) VALUES(1); INSERT INTO ipsec(id) VALUES(1);"
	"INSERT INTO timestamps(what, stamp, msec) VALUES('debug', 'datetime', 'msec'), ('log', 'datetime', 'msec');"
	"INSERT INTO line(kind, number) VALUES('console', 0), ('vty', 0), ('vty', 1), ('vty', 2), ('vty', 3), ('vty', 4);";

#endif
