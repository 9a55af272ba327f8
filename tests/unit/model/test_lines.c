/* What the console answers, line by line: results, carets, texts, the mode that follows. A script per topic; a line is
 *   { typed, result, column or -1, the answer's text, what running-config shows then (or "-..." what it does not), mode } */
#include "helper.h"
#include "platform/base/mem.h"

#include <stdio.h>
#include <string.h>

struct step {
	const char *line;
	int result, column;
	const char *text;  /* the answer contains it; NULL: the answer is empty */
	const char *shows; /* NULL: not looked at; "-x": x is not there */
	enum mode mode;    /* 0: not looked at */
};

static void play(const struct step *steps, size_t n)
{
	struct box b;
	box_open(&b);
	for (size_t i = 0; i < n; i++) {
		const struct step *s = &steps[i];
		int code = type(&b, s->line);
		if (code != s->result || (s->column >= 0 && b.out.column != s->column))
			fail_msg("\"%s\": result %d column %u, want %d %d. %s", s->line, code, b.out.column, s->result, s->column,
				b.out.text);
		if (s->text ? !strstr(b.out.text, s->text) : b.out.text[0] != 0)
			fail_msg("\"%s\" answers \"%s\"", s->line, b.out.text);
		if (s->shows && shows(&b, s->shows + (s->shows[0] == '-')) != (s->shows[0] != '-'))
			fail_msg("after \"%s\" running-config is wrong about \"%s\"", s->line, s->shows);
		if (s->mode && b.at.mode != s->mode)
			fail_msg("after \"%s\" the mode is %u", s->line, b.at.mode);
	}
	box_close(&b);
}
#define PLAY(...)                                                                                                                  \
	static const struct step steps[] = { __VA_ARGS__ };                                                                        \
	(void)state;                                                                                                               \
	play(steps, sizeof steps / sizeof *steps)

#define OK(line, text, shows)                                                                                                      \
	{                                                                                                                          \
		line, GR_OK, -1, text, shows, 0                                                                                    \
	}
#define MODE(line, text, mode)                                                                                                     \
	{                                                                                                                          \
		line, GR_OK, -1, text, NULL, mode                                                                                  \
	}
#define INVALID(line, column)                                                                                                      \
	{                                                                                                                          \
		line, GR_INVALID, column, NULL, NULL, 0                                                                            \
	}
#define REFUSED(line, text)                                                                                                        \
	{                                                                                                                          \
		line, GR_REFUSED, -1, text, NULL, 0                                                                                \
	}
#define INCOMPLETE(line)                                                                                                           \
	{                                                                                                                          \
		line, GR_INCOMPLETE, -1, NULL, NULL, 0                                                                             \
	}
#define AMBIGUOUS(line)                                                                                                            \
	{                                                                                                                          \
		line, GR_AMBIGUOUS, -1, NULL, NULL, 0                                                                              \
	}

static void carets(void **state)
{
	PLAY(INVALID("zebra", 0), INVALID("hostnme R1", 5), INVALID("hostname R1 R2", 12), INVALID("  crypto isakmp polcy 10", 19),
		INVALID("crypto isakmp policy 0", 21), INVALID("crypto isakmp policy 10001", 21),
		INVALID("crypto isakmp policy x", 21), INVALID("interface gi0/1.100", 15), INVALID("interface serial0/0", 10),
		INVALID("interface GigabitEthernet 1/0", 26), INVALID("ip route 10.0.0.256 255.0.0.0 10.1.1.1", 18),
		INVALID("access-list 200 permit ip any any", 12), INVALID("crypto ikev2 proposal P", 8),
		INVALID("router ospf 1", 0), INVALID("crypto isakmp heartbeats 10", 14), INVALID("ip access-list extended 10", 24),
		INVALID("access-list 101 permit tcp any any match-all +ack", 42));
}

static void incomplete_and_ambiguous(void **state)
{
	PLAY(INCOMPLETE("crypto"), INCOMPLETE("crypto isakmp policy"), INCOMPLETE("no"), INCOMPLETE("no crypto map"),
		INCOMPLETE("hostname"), INCOMPLETE("crypto map VPN 10"), INCOMPLETE("access-list 101 permit tcp any"),
		INCOMPLETE("banner motd #half a"), AMBIGUOUS("e"), AMBIGUOUS("crypto i p"), AMBIGUOUS("no l"),
		{ "! a comment", GR_EMPTY, -1, NULL, NULL, 0 }, { "   ", GR_EMPTY, -1, NULL, NULL, 0 });
}

static void abbreviations(void **state)
{
	PLAY(OK("host R1", NULL, "hostname R1\n"), MODE("cry isa pol 10", NULL, MODE_ISAKMP),
		OK("enc aes 256", NULL, " encr aes 256\n"), OK("encr aes 128", NULL, " encr aes\n"),
		OK("au p", NULL, " authentication pre-share\n"), OK("gr 2", "%Warning: weaker dh-group", " group 2\n"),
		OK("group 14", NULL, " group 14\n"), MODE("int gi0/1", NULL, MODE_IF),
		OK("ip addr 10.1.1.1 255.255.255.0", NULL, "interface GigabitEthernet0/1\n ip address 10.1.1.1 255.255.255.0\n"),
		MODE("int Gig 0/2", NULL, MODE_IF), OK("sh", NULL, "interface GigabitEthernet0/2\n no ip address\n shutdown\n"),
		OK("no shut", NULL, "-shutdown"), MODE("INTERFACE LOOPBACK 7", NULL, MODE_IF),
		OK("desc x", NULL, "interface Loopback7\n"),
		OK("access-l 101 perm tcp a a eq 80", NULL, "access-list 101 permit tcp any any eq www\n"),
		INVALID("access-l 101 deny udp a a eq telnet", 30));
}

static void modes(void **state)
{
	PLAY(MODE("crypto isakmp policy 10", NULL, MODE_ISAKMP), MODE("hostname R1", NULL, MODE_CONFIG),
		MODE("crypto isakmp policy 10", NULL, MODE_ISAKMP), MODE("interface gi0/0", NULL, MODE_IF),
		MODE("exit", NULL, MODE_CONFIG), MODE("crypto ipsec transform-set T esp-aes", NULL, MODE_TRANSFORM),
		MODE("mode tunnel", NULL, MODE_TRANSFORM), { "mode middle", GR_INVALID, 5, NULL, NULL, MODE_TRANSFORM },
		MODE("crypto map M 1 ipsec-isakmp",
			"% NOTE: This new crypto map will remain disabled until a peer\n"
			"        and a valid access list have been configured.\n",
			MODE_CRYPTO_MAP),
		MODE("crypto map M 1", NULL, MODE_CRYPTO_MAP), MODE("crypto map M 1 ipsec-isakmp", NULL, MODE_CRYPTO_MAP),
		MODE("ip access-list standard S", NULL, MODE_STD_NACL), MODE("ip access-list extended E", NULL, MODE_EXT_NACL),
		{ "zebra", GR_INVALID, 0, NULL, NULL, MODE_EXT_NACL }, MODE("line vty 0 4", NULL, MODE_LINE),
		MODE("line con 0", NULL, MODE_LINE),
		/* Refused, but a global line all the same: what follows must not land in the old object. */
		{ "ip access-list extended S", GR_REFUSED, -1, "already exists", NULL, MODE_CONFIG }, MODE("end", NULL, MODE_EXEC));
}

static void isakmp(void **state)
{
	PLAY(MODE("crypto isakmp policy 10", NULL, MODE_ISAKMP),
		OK("encryption 3des", "%Warning: weaker encryption", " encr 3des\n"),
		OK("hash md5", "%Warning: weaker hash", " hash md5\n"), OK("lifetime 3600", NULL, " lifetime 3600\n"),
		INVALID("lifetime 59", 9), OK("lifetime 86400", NULL, "-lifetime"), OK("no encryption", NULL, "-encr"),
		OK("no hash md5", NULL, "-hash"), OK("hash sha512", NULL, " hash sha512\n"), OK("default hash", NULL, "-hash"),
		OK("authentication ecdsa-sig", NULL, " authentication ecdsa-sig\n"),
		OK("authentication rsa-sig", NULL, "-authentication"),
		REFUSED("authentication rsa-encr", "rsa-encr is not supported"),
		OK("crypto isakmp policy 5", NULL, "crypto isakmp policy 5\n!\ncrypto isakmp policy 10\n"),
		OK("no crypto isakmp policy 10", NULL, "-policy 10"), OK("no crypto isakmp policy 4711", NULL, NULL),
		OK("crypto isakmp key K1 address 198.51.100.2", NULL, " address 198.51.100.2\n"),
		OK("crypto isakmp key K1 address 198.51.100.2", NULL, NULL),
		REFUSED("crypto isakmp key K2 address 198.51.100.2",
			"A pre-shared key for address mask 198.51.100.2 255.255.255.255 already exists!"),
		REFUSED("no crypto isakmp key K2 address 198.51.100.2", "does not match"),
		OK("no crypto isakmp key K1 address 198.51.100.2", NULL, "-198.51.100.2"),
		REFUSED("crypto isakmp key 6 nonsense address 10.0.0.1", "not encrypted with the master key"),
		OK("no crypto isakmp enable", NULL, "no crypto isakmp enable\n"),
		OK("crypto isakmp enable", NULL, "-isakmp enable"));
}

/* "K1" under the master key of "longenough", as scrypt and AES-SIV of another library make it. */
#define TYPE6 "crypto isakmp key 6 ZBHCucVdoVuGaa6yblBFeMgE address 10.0.0.1"

static void master_key(void **state)
{
	PLAY(OK("password encryption aes", "Please configure a configuration-key with \"key config-key\"\n", "password encryption aes\n"),
		REFUSED(TYPE6, "not encrypted with the master key"), REFUSED("key config-key password-encrypt short", "at least 8"),
		REFUSED("key config-key password-encrypt", "Incomplete"),
		OK("key config-key password-encrypt longenough", NULL, "-longenough"), OK(TYPE6, NULL, TYPE6 "\n"),
		OK("password encryption aes", NULL, "password encryption aes\n"),
		OK("no crypto isakmp key K1 address 10.0.0.1", NULL, "-10.0.0.1"),
		OK("crypto isakmp key K1 address 10.0.0.1", NULL, TYPE6 "\n"),
		/* Another one: all keys are encrypted with it. Back again: the old texts. */
		OK("key config-key password-encrypt another one", NULL, "-" TYPE6),
		OK("key config-key password-encrypt longenough", NULL, TYPE6 "\n"),
		/* Deleted: the key stands there, nobody can use it, and what it says is no longer known. */
		OK("no key config-key password-encrypt", NULL, TYPE6 "\n"),
		OK("no key config-key password-encrypt", NULL, TYPE6 "\n"),
		REFUSED("crypto isakmp key K1 address 10.0.0.1", "already exists"), OK(TYPE6, NULL, TYPE6 "\n"),
		OK("no " TYPE6, NULL, "-10.0.0.1"), OK("no password encryption aes", NULL, "-password encryption"));
}

static void ipsec_and_maps(void **state)
{
	PLAY(OK("crypto ipsec transform-set A esp-sha-hmac esp-aes 128", NULL, "transform-set A esp-aes esp-sha-hmac\n"),
		REFUSED("crypto ipsec transform-set B esp-gcm esp-sha-hmac", "authenticates by itself"),
		REFUSED("crypto ipsec transform-set B esp-null", "needs an authentication"),
		REFUSED("crypto ipsec transform-set B esp-aes-ctr ah-sha-hmac", "esp-aes-ctr needs an authentication"),
		INVALID("crypto ipsec transform-set B ah-sha-hmac ah-md5-hmac", 41),
		OK("crypto ipsec transform-set B esp-sha256-hmac esp-camellia 128 ah-sha-hmac", NULL,
			"transform-set B ah-sha-hmac esp-camellia esp-sha256-hmac\n"),
		OK("mode transport", NULL, " mode transport\n"), OK("esn", NULL, " esn\n"), OK("no esn", NULL, "-esn"),
		OK("mode tunnel", NULL, "- mode"), OK("default mode", NULL, NULL),
		OK("crypto ipsec transform-set B ah-md5-hmac", "%Warning: weaker transform ah-md5-hmac",
			"transform-set B ah-md5-hmac\n"),
		OK("crypto ipsec transform-set B esp-chacha20-poly1305", "IKEv1 cannot negotiate", NULL),
		OK("crypto ipsec transform-set B esp-aes esp-aes-cmac", "it has no number for esp-aes-cmac", NULL),
		OK("crypto ipsec transform-set B esp-gcm 256", NULL, "transform-set B esp-gcm 256\n"),
		OK("crypto map M 10 ipsec-isakmp", "% NOTE", NULL), REFUSED("set transform-set C", "\"C\" does not exist"),
		OK("set transform-set B A", NULL, " set transform-set B A\n"),
		OK("set transform-set A", NULL, " set transform-set A\n"), OK("set peer 198.51.100.2", NULL, NULL),
		OK("set peer 198.51.100.3 default", NULL, " set peer 198.51.100.3 default\n"),
		OK("set peer 198.51.100.2 default", NULL, " set peer 198.51.100.2 default\n set peer 198.51.100.3\n"),
		OK("no set peer 198.51.100.2", NULL, "-198.51.100.2"), REFUSED("set peer 0.0.0.0", "Invalid peer"),
		OK("set pfs", "%Warning", " set pfs group1\n"), OK("set pfs group19", NULL, " set pfs group19\n"),
		OK("no set pfs", NULL, "-pfs"),
		OK("set security-association lifetime kilobytes disable", NULL, " lifetime kilobytes disable\n"),
		OK("set security-association lifetime kilobytes 4000", NULL, " lifetime kilobytes 4000\n"),
		OK("no set security-association lifetime kilobytes", NULL, "-kilobytes"),
		OK("match address 101", NULL, " match address 101\n"),
		OK("access-list 101 permit ip any any", "permits any to any", NULL),
		OK("access-list 102 permit ip any any", NULL, NULL), OK("crypto map M 10", NULL, NULL),
		OK("match address 102", "permits any to any", NULL), OK("no match address", NULL, "-match"),
		OK("interface gi0/0", NULL, NULL), REFUSED("crypto map X", "ERROR: Crypto Map with tag \"X\" does not exist."),
		OK("crypto map M", NULL, " crypto map M\n"),
		REFUSED("no crypto ipsec transform-set A", "% Transform-set A is in use by crypto map(s): M 10."),
		REFUSED("default crypto ipsec transform-set A", "in use"),
		OK("no crypto ipsec transform-set B", NULL, "-transform-set B"),
		REFUSED("no crypto map M 10", "% Crypto-map M is in use by interface(s): Gi0/0."),
		OK("crypto map M 20 ipsec-isakmp", "% NOTE", NULL), OK("no crypto map M 10", NULL, "-M 10"),
		OK("int gi0/0", NULL, NULL), OK("no crypto map", NULL, "- crypto map M\n"), OK("exit", NULL, NULL),
		OK("no crypto map M", NULL, "-crypto map"), OK("no crypto ipsec transform-set A", NULL, "-transform-set"));
}

static void map_kinds(void **state)
{
	PLAY(OK("crypto ipsec transform-set A esp-aes esp-sha-hmac", NULL, NULL),
		OK("crypto ipsec transform-set B esp-gcm", NULL, NULL),
		MODE("crypto map M 10 ipsec-manual", "% NOTE", MODE_CRYPTO_MAP),
		REFUSED("crypto map M 10 ipsec-isakmp", "is ipsec-manual: remove it first"),
		MODE("crypto map M 10", NULL, MODE_CRYPTO_MAP),
		REFUSED("set pfs group14", "Not valid in an ipsec-manual crypto map"),
		REFUSED("set security-association level per-host", "Not valid in an ipsec-manual"),
		REFUSED("set isakmp-profile P", "Not valid in an ipsec-manual"), OK("set peer 198.51.100.2", NULL, NULL),
		REFUSED("set peer 198.51.100.3", "at most 1 peer\n"), REFUSED("set transform-set A B", "has one transform set"),
		OK("set session-key inbound esp 256 cipher 00FF", NULL, " set session-key inbound esp 256 cipher 6 "),
		REFUSED("set session-key inbound esp 256 cipher 00F", "pairs of hexadecimal digits"),
		INVALID("set session-key inbound esp 255 cipher 00FF", 28),
		REFUSED("set session-key inbound esp 256 cipher 6 nonsense", "not encrypted with the master key"),
		OK("set session-key outbound ah 4294967295 00ff", NULL, " set session-key outbound ah 4294967295 6 "),
		OK("no set session-key outbound ah", NULL, "-outbound"), OK("crypto map M 20 ipsec-manual", "% NOTE", NULL),
		REFUSED("set session-key inbound esp 256 cipher 00ff", "SPI 256 is in use by crypto map M 10"),
		OK("set session-key outbound esp 256 cipher 00ff", NULL, NULL),
		MODE("crypto map M 65535 ipsec-isakmp dynamic D", NULL, MODE_CONFIG),
		INVALID("crypto map M 65535 ipsec-isakmp dynamic D discover", 42),
		OK("crypto map M 65535 ipsec-isakmp dynamic E", NULL, "crypto map M 65535 ipsec-isakmp dynamic E\n"),
		REFUSED("crypto map M 65535 ipsec-isakmp", "configure crypto dynamic-map E"),
		REFUSED("crypto map M 10 ipsec-isakmp dynamic E", "is not dynamic: remove it first"),
		MODE("crypto dynamic-map E 1", NULL, MODE_CRYPTO_MAP),
		OK("set transform-set A B", NULL, " set transform-set A B\n"),
		REFUSED("set security-association level per-host", "Not valid in a dynamic crypto map"),
		REFUSED("set session-key inbound esp 999 cipher 00ff", "Not valid in a dynamic crypto map"),
		OK("reverse-route static", NULL, " reverse-route static\n"), OK("no reverse-route", NULL, "-reverse-route"),
		OK("crypto map E 1 ipsec-isakmp", "% NOTE", NULL),
		REFUSED("set session-key inbound esp 999 cipher 00ff", "ipsec-isakmp"),
		OK("no crypto dynamic-map E", NULL, "-dynamic-map"), OK("no crypto map M 65535", NULL, "-65535"),
		OK("crypto map M local-address lo0", NULL, "crypto map M local-address Loopback0\n"),
		OK("no crypto map M", NULL, "-crypto map M"));
}

static void interfaces_and_routes(void **state)
{
	PLAY(OK("interface gi0/1", NULL, NULL), OK("ip address 10.0.0.1 255.0.0.0", NULL, NULL), OK("interface gi0/2", NULL, NULL),
		REFUSED("ip address 10.5.0.1 255.255.0.0", "% 10.5.0.0 overlaps with GigabitEthernet0/1"),
		REFUSED("ip address 10.0.0.2 255.0.0.0", "% 10.0.0.0 overlaps with GigabitEthernet0/1"),
		REFUSED("ip address 192.168.1.0 255.255.255.0", "Bad mask /24 for address 192.168.1.0"),
		REFUSED("ip address 192.168.1.255 255.255.255.0", "Bad mask /24 for address 192.168.1.255"),
		REFUSED("ip address 192.168.1.1 255.255.255.255", "Bad mask /32 for address 192.168.1.1"),
		REFUSED("ip address 192.168.1.1 255.0.255.0", "Bad mask 0xFF00FF00 for address 192.168.1.1"),
		REFUSED("ip address 224.0.0.5 255.255.255.0", "Not a valid host address - 224.0.0.5"),
		OK("ip address 192.168.1.1 255.255.255.254", "% Warning: use /31 mask", NULL),
		OK("ip address 192.168.1.1 255.255.255.0", NULL, NULL),
		OK("ip address 192.168.2.1 255.255.255.0 secondary", NULL,
			" ip address 192.168.2.1 255.255.255.0 secondary\n ip address 192.168.1.1 255.255.255.0\n"),
		REFUSED("no ip address 192.168.1.1 255.255.255.0", "Must delete secondary before deleting primary"),
		REFUSED("no ip address 192.168.9.1 255.255.255.0", "Invalid address"), INCOMPLETE("no ip address 192.168.1.1"),
		OK("no ip address 192.168.2.1 255.255.255.0 secondary", NULL, "-192.168.2.1"),
		OK("no ip address", NULL, "-192.168.1.1"), REFUSED("ip mtu 1501", "greater"), OK("mtu 2000", NULL, NULL),
		OK("ip mtu 1800", NULL, " ip mtu 1800\n"), OK("no mtu", NULL, "-mtu"),
		OK("ip access-group 101 in", NULL, " ip access-group 101 in\n"), INCOMPLETE("no ip access-group 101"),
		OK("no ip access-group 101 in", NULL, "-access-group"), OK("ip access-group 101 in", NULL, NULL),
		OK("ip access-group LIST out", NULL, " ip access-group LIST out\n"), INCOMPLETE("ip access-group in"),
		OK("no ip access-group in", NULL, "-access-group 101"), OK("default ip access-group out", NULL, "-access-group"),
		OK("ip access-group in in", NULL, " ip access-group in in\n"), OK("no ip access-group in", NULL, "-access-group"),
		REFUSED("no interface gi0/2", "% Removal of physical interfaces is not permitted"),
		OK("interface lo0", NULL, "interface Loopback0\n"), OK("no interface lo0", NULL, "-Loopback0"));
}

static void routes(void **state)
{
	PLAY(REFUSED("ip route 10.0.0.1 255.0.0.0 10.1.1.1", "%Inconsistent address and mask"),
		OK("ip route 10.0.0.0 255.0.0.0 192.0.2.1", NULL, "ip route 10.0.0.0 255.0.0.0 192.0.2.1\n"),
		OK("ip route 10.0.0.0 255.0.0.0 192.0.2.1 200 name far", NULL, "192.0.2.1 200 name far\n"),
		OK("ip route 10.0.0.0 255.0.0.0 192.0.2.1 1", NULL, "192.0.2.1\n"),
		OK("ip route 0.0.0.0 0.0.0.0 gi0/0", "%Default route without gateway",
			"ip route 0.0.0.0 0.0.0.0 GigabitEthernet0/0\n"),
		OK("ip route 9.0.0.0 255.0.0.0 null 0", NULL, "ip route 9.0.0.0 255.0.0.0 Null0\n"),
		INCOMPLETE("no ip route 10.0.0.0"), OK("no ip route 10.0.0.0 255.0.0.0 192.0.2.9", NULL, "192.0.2.1\n"),
		OK("no ip route 10.0.0.0 255.0.0.0 192.0.2.1", NULL, "-192.0.2.1"),
		OK("no ip route 9.0.0.0 255.0.0.0", NULL, "-Null0"), OK("interface lo1", NULL, NULL),
		OK("ip address 192.0.2.77 255.255.255.255", NULL, NULL),
		REFUSED("ip route 10.0.0.0 255.0.0.0 192.0.2.77", "%Invalid next hop address (it's this router)"));
}

static void access_lists(void **state)
{
	PLAY(OK("access-list 101 permit ip host 10.1.1.1 any", NULL, "access-list 101 permit ip host 10.1.1.1 any\n"),
		OK("access-list 101 permit ip 10.1.1.1 0.0.0.0 0.0.0.0 255.255.255.255", "% Duplicate permit statement ignored.",
			NULL),
		OK("access-list 101 permit ip 10.1.1.77 0.0.0.255 any", NULL, " permit ip 10.1.1.0 0.0.0.255 any\n"),
		OK("access-list 101 permit 6 any any", NULL, "access-list 101 permit tcp any any\n"),
		OK("access-list 101 permit udp any range 20 10 any", NULL, "range 10 20 any\n"),
		OK("access-list 101 permit icmp any any 8", NULL, " permit icmp any any echo\n"),
		OK("access-list 101 permit icmp any any 3 4", NULL, " permit icmp any any packet-too-big\n"),
		REFUSED("access-list 101 permit tcp any any eq 80 fragments", "fragments"),
		OK("no access-list 101 permit ip host 10.1.1.1 any", NULL, "-access-list 101"),
		OK("ip access-list extended E", NULL, NULL), OK("permit ip any host 10.0.0.1", NULL, NULL),
		OK("permit ip any host 10.0.0.2", NULL, NULL),
		OK("15 deny ip any host 10.0.0.3", NULL, "10.0.0.1\n deny   ip any host 10.0.0.3\n permit ip any host 10.0.0.2\n"),
		REFUSED("15 permit ip any any", "% Duplicate sequence number"), OK("no 15", NULL, "-10.0.0.3"),
		REFUSED("no 15", "does not exist"), OK("no permit ip any host 10.0.0.1", NULL, "-10.0.0.1"),
		INCOMPLETE("no permit"), OK("remark about b", NULL, NULL),
		OK("permit ip any host 10.0.0.4", NULL, " remark about b\n permit ip any host 10.0.0.4\n"),
		OK("ip access-list resequence E 100 5", NULL, "10.0.0.2\n remark about b\n permit ip any host 10.0.0.4\n"),
		OK("ip access-list extended E", NULL, NULL), OK("no 105", NULL, "-10.0.0.4"),
		OK("no remark about b", NULL, "-remark"),
		OK("102 permit tcp any any eq 22 log", NULL, " permit tcp any any eq 22 log\n"),
		OK("no ip access-list extended E", NULL, "-access-list"),
		REFUSED("ip access-list resequence E 1 1", "does not exist"),
		OK("access-list 5 permit host 10.0.0.1", NULL, "access-list 5 permit 10.0.0.1\n"),
		OK("access-list 5 deny 10.9.0.0 0.0.255.255", NULL, "access-list 5 deny   10.9.0.0 0.0.255.255\n"),
		OK("ip access-list standard 5", NULL, NULL), OK("permit any", NULL, "access-list 5 permit any\n"),
		OK("no access-list 5", NULL, "-access-list"));
}

static void system_and_users(void **state)
{
	PLAY(REFUSED("hostname 1R", "illegal characters"), OK("hostname R1", NULL, "hostname R1\n"),
		OK("no hostname", NULL, "hostname Router\n"), OK("banner motd #two\nlines#", NULL, "banner motd ^Ctwo\nlines^C\n"),
		OK("banner motd ^Cx^C", NULL, "banner motd ^Cx^C\n"), INCOMPLETE("no banner"),
		OK("no banner motd", NULL, "-banner"), OK("no service timestamps log", NULL, "no service timestamps log\n"),
		OK("service timestamps log", NULL, "service timestamps log uptime\n"),
		OK("service timestamps log datetime year msec", NULL, "service timestamps log datetime msec year\n"),
		OK("default service timestamps", NULL, "service timestamps log datetime msec\n"),
		OK("logging buffered 8192 informational", NULL, "logging buffered 8192 informational\n"),
		OK("logging buffered 4", NULL, "logging buffered warnings\n"), OK("logging buffered", NULL, "-logging"),
		OK("no logging buffered", NULL, "no logging buffered\n"), OK("default logging buffered", NULL, "-logging"),
		OK("username bob privilege 15 secret pass word", NULL, "username bob privilege 15 secret 9 $9$"),
		OK("username bob privilege 1", NULL, "username bob secret 9 $9$"),
		REFUSED("username bob secret 5 nonsense", "ERROR: The secret you entered"), OK("no username bob", NULL, "-bob"),
		OK("enable secret x", NULL, "enable secret 9 $9$"), OK("no enable secret", NULL, "-enable"),
		INVALID("enable password x", 7), REFUSED("enable secret 4 abc", "not supported"),
		REFUSED("enable secret level 15 abc", "not supported"),
		OK("line vty 0 15", NULL, "line vty 0 4\n login\nline vty 5 15\n login\n"),
		OK("no exec-timeout", NULL, " exec-timeout 0 0\n"), OK("exec-timeout 5", NULL, " exec-timeout 5 0\n"),
		OK("exec-timeout 10 0", NULL, "-exec-timeout"), OK("login local", NULL, " login local\n"),
		OK("default login", NULL, " login\n"), OK("line vty 2", NULL, NULL),
		OK("length 0", NULL, "line vty 0 1\n login\nline vty 2\n login\n length 0\nline vty 3 4\n login\n"),
		REFUSED("no line vty 2", "first 5"), OK("no line vty 5", NULL, "-line vty 5"));
}

/* The audit has every change, and no secret. */
static void audit(void **state)
{
	struct box b;
	struct store_change last;
	(void)state;
	box_open(&b);
	assert_int_equal(store_last_change(b.store, &last), ERR_NOT_FOUND);
	uint64_t before = store_revision(b.store);
	feed(&b, "hostname R1\nhostname R1\n! nothing\n");
	assert_int_equal(store_revision(b.store), before + 1);
	assert_int_equal(store_last_change(b.store, &last), ERR_OK);
	assert_string_equal(last.user, "admin");
	assert_string_equal(last.tty, "con 0");
	box_close(&b);
}

static void transactions(void **state)
{
	struct box b;
	(void)state;
	box_open(&b);
	assert_int_equal(store_begin(b.store), ERR_OK);
	assert_int_equal(type(&b, "hostname A"), GR_OK);
	assert_int_equal(type(&b, "hostname 1"), GR_REFUSED);
	assert_int_equal(store_end(b.store, false), ERR_OK);
	assert_true(shows(&b, "hostname Router\n"));
	assert_int_equal(store_begin(b.store), ERR_OK);
	assert_int_equal(type(&b, "hostname B"), GR_OK);
	assert_int_equal(type(&b, "crypto map X"), GR_INCOMPLETE);
	assert_int_equal(store_end(b.store, true), ERR_OK);
	assert_true(shows(&b, "hostname B\n"));
	box_close(&b);
}

/* What two sessions do to each other: the object is gone while one still stands in it. */
static void object_removed(void **state)
{
	struct box b;
	(void)state;
	box_open(&b);
	feed(&b, "crypto map M 10 ipsec-isakmp\n");
	struct cfg_mode_ctx there = b.at;
	feed(&b, "no crypto map M\n");
	b.at = there;
	assert_int_equal(type(&b, "set peer 10.0.0.1"), GR_REFUSED);
	assert_false(shows(&b, "10.0.0.1"));
	box_close(&b);
}

static void remote_access(void **state)
{
	PLAY(REFUSED("aaa authentication login XAUTH local", "\"aaa new-model\" comes first"),
		OK("aaa new-model", NULL, "aaa new-model"),
		OK("aaa authentication login XAUTH local", NULL, "aaa authentication login XAUTH local"),
		OK("aaa authentication login XAUTH none", NULL, "-aaa authentication login XAUTH local"),
		REFUSED("aaa authentication login default local", "would govern the logins"),
		REFUSED("aaa authentication login XAUTH group radius", "(group radius) are not available"),
		REFUSED("aaa authorization network G group tacacs+", "(group tacacs+) are not available"),
		OK("aaa authorization network default local", NULL, "aaa authorization network default local"),
		OK("ip local pool P 10.0.0.1 10.0.0.9", NULL, "ip local pool P 10.0.0.1 10.0.0.9"),
		REFUSED("ip local pool Q 10.0.0.9 10.0.0.12", "%IP address range overlaps with pool: P"),
		REFUSED("ip local pool P 10.0.0.5", "overlaps"),
		REFUSED("ip local pool R 10.0.0.9 10.0.0.1", "%Bad IP range, 10.0.0.9 - 10.0.0.1"),
		OK("ip local pool P 10.0.0.1 10.0.0.9", NULL, NULL), OK("ip local pool P 10.0.1.7", NULL, " P 10.0.1.7\n"),
		OK("no ip local pool P 10.0.1.7", NULL, "- P 10.0.1.7"), OK("no ip local pool P", NULL, "-ip local pool"),
		MODE("crypto isakmp client configuration group STAFF", NULL, MODE_CLIENT_GROUP), OK("key S3cret", NULL, " key 6 "),
		OK("banner ^Chello^C", NULL, " banner ^Chello^C"), OK("max-users 5", NULL, " max-users 5"),
		INVALID("max-users 5001", 10), REFUSED("netmask 255.0.255.0", "% Bad mask"), OK("no key", NULL, "- key 6"),
		INVALID("backup-gateway 1.2.3.4", 2), MODE("crypto map VPN client authentication list XAUTH", NULL, MODE_CONFIG),
		OK("crypto map VPN client configuration address respond", NULL,
			"crypto map VPN client configuration address respond"),
		OK("no crypto map VPN client configuration address respond", NULL, "-address respond"),
		OK("no crypto map VPN client authentication list", NULL, "-client authentication"),
		OK("no aaa new-model", NULL, "-aaa"), );
}

/* Revocation: what there is, and that nothing of the rest is swallowed. */
static void revocation(void **state)
{
	PLAY(MODE("crypto pki trustpoint T", NULL, MODE_TRUSTPOINT),
		OK("revocation-check ocsp crl none", NULL, " revocation-check ocsp crl none\n"),
		REFUSED("revocation-check none crl", "nothing after none"), REFUSED("revocation-check crl crl", "at most once"),
		OK("ocsp url http://192.0.2.1:2560/r", NULL, " ocsp url http://192.0.2.1:2560/r\n"),
		REFUSED("ocsp url https://192.0.2.1/", "http:// only"), REFUSED("ocsp url ldap://192.0.2.1/", "http:// only"),
		OK("ocsp disable-nonce", NULL, " ocsp disable-nonce\n"), OK("no ocsp disable-nonce", NULL, "-disable-nonce"),
		OK("no ocsp url", NULL, "-ocsp url"),
		OK("chain-validation continue ROOT", NULL, " chain-validation continue ROOT\n"),
		OK("chain-validation stop", NULL, "-chain-validation"),
		OK("chain-validation continue ROOT", NULL, " chain-validation continue ROOT\n"),
		OK("no chain-validation", NULL, "-chain-validation"), REFUSED("chain-validation continue T", "its own parent"),
		INCOMPLETE("chain-validation continue"), OK("no revocation-check", NULL, " revocation-check crl\n"),
		/* IOS has these, Postern does not. */
		INVALID("crl best-effort", 2), INVALID("crl optional", 2), INVALID("crl query ldap://192.0.2.1", 2),
		INVALID("crl cache none", 2), INVALID("match certificate M override ocsp 1 url http://192.0.2.1", 0),
		INVALID("match certificate M skip revocation-check", 0), INVALID("crypto pki crl cache size 512", 12),
		INVALID("crypto pki crl download url http://192.0.2.1/a.crl", 12), );
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(carets),
		cmocka_unit_test(incomplete_and_ambiguous),
		cmocka_unit_test(abbreviations),
		cmocka_unit_test(modes),
		cmocka_unit_test(isakmp),
		cmocka_unit_test(master_key),
		cmocka_unit_test(ipsec_and_maps),
		cmocka_unit_test(map_kinds),
		cmocka_unit_test(interfaces_and_routes),
		cmocka_unit_test(routes),
		cmocka_unit_test(access_lists),
		cmocka_unit_test(system_and_users),
		cmocka_unit_test(audit),
		cmocka_unit_test(transactions),
		cmocka_unit_test(object_removed),
		cmocka_unit_test(remote_access),
		cmocka_unit_test(revocation),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
