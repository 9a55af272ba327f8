/* The engine with one pair of SAs put by hand, without any daemon: for measuring, and for looking at its packets.
 *
 *   static_sa FILE
 *   static_sa FILE DOOR        the same SAs put into a datapathd by its socket, under the policy that `policy` names; ends at once
 *
 * FILE has lines of `word value`:
 *   interface gi0-0            the outer interface
 *   local, remote A.B.C.D      the gateways
 *   inside, outside A.B.C.D/N  the networks behind
 *   encap 0|1                  ESP in UDP 4500
 *   cipher, auth               enum alg_cipher, enum alg_hash, as numbers
 *   spi_in, spi_out N          key_in, key_out, auth_in, auth_out HEX
 *   window N, esn 0|1, df 0|1|2, soft BYTES, hard BYTES, after 0|1, transport 0|1
 *   ah N                       AH with that enum alg_hash: around ESP, or alone when there is no cipher
 *   ah_spi_in, ah_spi_out N    ah_in, ah_out HEX: its SPIs and keys
 *   policy MAP/SEQ/LINE        with DOOR; `interface` is then IOS's name
 *   oa_local, oa_remote A.B.C.D  NAT-OA
 *   wait 1                     the outbound SA is put when the first acquire comes
 * Prints "ready" when packets can flow; on SIGHUP the counters, one `word value` a line, then "end". Ends with SIGTERM.
 */
#include "datapath/backend.h"
#include "platform/base/log.h"
#include "platform/base/mem.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct harness {
	struct loop *loop;
	struct backend *b;
	struct backend_interface interface;
	struct backend_policy policy;
	struct dpm_sa in, out, ah_in, ah_out;
	bool wait;
	const char *door;
	char map[16];
	uint16_t map_seq;
	uint32_t line;
	uint64_t events[8];
};

static struct dp_selector subnet(const char *text)
{
	char a[64];
	int len = 32;
	uint32_t ip, mask;
	char *slash;

	snprintf(a, sizeof(a), "%s", text);
	slash = strchr(a, '/');
	if (slash) {
		*slash = 0;
		len = atoi(slash + 1);
	}
	mask = len ? 0xffffffffu << (32 - len) : 0;
	if (ip4_parse(&ip, a) != ERR_OK)
		exit(2);
	return (struct dp_selector){ addr_v4(ip & mask), addr_v4(ip | ~mask), 0, 65535 };
}

static uint32_t address(const char *text)
{
	uint32_t ip;

	if (ip4_parse(&ip, text) != ERR_OK)
		exit(2);
	return ip;
}

static void both8(struct harness *h, size_t offset, uint8_t v)
{
	((uint8_t *)&h->in)[offset] = v;
	((uint8_t *)&h->out)[offset] = v;
}

static bool word_key(struct harness *h, const char *word, const char *value)
{
	struct dpm_sa *sa = strstr(word, "_in") ? &h->in : &h->out;

	if (strncmp(word, "key_", 4) == 0)
		sa->cipher_key_len = (uint8_t)hex_parse(sa->cipher_key, sizeof(sa->cipher_key), value);
	else if (strncmp(word, "auth_", 5) == 0)
		sa->auth_key_len = (uint8_t)hex_parse(sa->auth_key, sizeof(sa->auth_key), value);
	else if (strncmp(word, "spi_", 4) == 0)
		sa->key.spi = (uint32_t)strtoul(value, NULL, 0);
	else
		return false;
	return true;
}

static bool word_ah(struct harness *h, const char *word, const char *value)
{
	struct dpm_sa *sa = strstr(word, "_in") ? &h->ah_in : &h->ah_out;

	if (strcmp(word, "ah") == 0)
		h->ah_in.auth = h->ah_out.auth = (uint8_t)strtoul(value, NULL, 0);
	else if (strncmp(word, "ah_spi_", 7) == 0)
		sa->key.spi = (uint32_t)strtoul(value, NULL, 0);
	else if (strncmp(word, "ah_", 3) == 0)
		sa->auth_key_len = (uint8_t)hex_parse(sa->auth_key, sizeof(sa->auth_key), value);
	else
		return false;
	return true;
}

static bool word_number(struct harness *h, const char *word, const char *value)
{
	uint64_t n = strtoull(value, NULL, 0);

	if (strcmp(word, "encap") == 0)
		both8(h, offsetof(struct dpm_sa, udp_encap), (uint8_t)n);
	else if (strcmp(word, "cipher") == 0)
		both8(h, offsetof(struct dpm_sa, cipher), (uint8_t)n);
	else if (strcmp(word, "auth") == 0)
		both8(h, offsetof(struct dpm_sa, auth), (uint8_t)n);
	else if (strcmp(word, "esn") == 0)
		both8(h, offsetof(struct dpm_sa, esn), (uint8_t)n);
	else if (strcmp(word, "df") == 0)
		both8(h, offsetof(struct dpm_sa, df), (uint8_t)n);
	else if (strcmp(word, "after") == 0)
		both8(h, offsetof(struct dpm_sa, fragment_after), (uint8_t)n);
	else if (strcmp(word, "transport") == 0)
		both8(h, offsetof(struct dpm_sa, transport), (uint8_t)n);
	else if (strcmp(word, "window") == 0)
		h->in.replay_window = h->out.replay_window = (uint16_t)n;
	else if (strcmp(word, "soft") == 0)
		h->out.soft_bytes = n;
	else if (strcmp(word, "hard") == 0)
		h->out.hard_bytes = n;
	else if (strcmp(word, "wait") == 0)
		h->wait = n != 0;
	else
		return false;
	return true;
}

static void word(struct harness *h, const char *name, const char *value)
{
	if (word_ah(h, name, value) || word_key(h, name, value) || word_number(h, name, value))
		return;
	if (strcmp(name, "interface") == 0) {
		snprintf(h->interface.name, sizeof(h->interface.name), "%s", value);
		snprintf(h->interface.ifname, sizeof(h->interface.ifname), "%s", value);
	} else if (strcmp(name, "policy") == 0 && sscanf(value, "%15[^/]/%hu/%u", h->map, &h->map_seq, &h->line) == 3)
		return;
	else if (strcmp(name, "local") == 0)
		h->in.local = h->out.local = addr_v4(address(value));
	else if (strcmp(name, "remote") == 0)
		h->in.remote = h->out.remote = addr_v4(address(value));
	else if (strcmp(name, "inside") == 0)
		h->in.sel.local = h->out.sel.local = subnet(value);
	else if (strcmp(name, "outside") == 0)
		h->in.sel.remote = h->out.sel.remote = subnet(value);
	else if (strcmp(name, "oa_local") == 0)
		h->in.nat_oa_local = addr_v4(address(value));
	else if (strcmp(name, "oa_remote") == 0)
		h->in.nat_oa_remote = addr_v4(address(value));
	else {
		fprintf(stderr, "unknown word %s\n", name);
		exit(2);
	}
}

static void read_file(struct harness *h, const char *path)
{
	FILE *f = fopen(path, "r");
	char name[64], value[512];

	if (!f) {
		perror(path);
		exit(2);
	}
	while (fscanf(f, "%63s %511s", name, value) == 2)
		word(h, name, value);
	fclose(f);
}

/* What AH has in common with ESP, and the two SPIs that name each other. */
static void complete_ah(struct dpm_sa *ah, struct dpm_sa *esp)
{
	struct dpm_sa given = *ah;

	*ah = *esp;
	ah->key.protocol = 51;
	ah->key.spi = given.key.spi;
	ah->cipher = CIPHER_NONE;
	ah->cipher_key_len = 0;
	ah->auth = given.auth;
	ah->auth_key_len = given.auth_key_len;
	memcpy(ah->auth_key, given.auth_key, sizeof(ah->auth_key));
	if (esp->cipher) {
		ah->bundle_spi = esp->key.spi;
		esp->bundle_spi = ah->key.spi;
	}
}

static void complete(struct harness *h)
{
	struct backend_policy *p = &h->policy;

	snprintf(p->interface, sizeof(p->interface), "%s", h->interface.ifname);
	h->interface.ifindex = (int)if_nametoindex(h->interface.ifname);
	h->interface.addr = addr_to_v4(h->out.local);
	snprintf(p->id.interface, sizeof(p->id.interface), "%s", h->interface.name);
	snprintf(p->id.map, sizeof(p->id.map), "%s", h->map[0] ? h->map : "STATIC");
	snprintf(p->acl, sizeof(p->acl), "101");
	p->id.map_seq = h->map_seq ? h->map_seq : 10;
	p->id.ace_seq = h->line ? h->line : 10;
	p->sel = h->out.sel;
	p->ace = (struct cfg_ace){
		.seq = 10, .permit = true, .protocol = -1, .icmp_type = -1, .icmp_code = -1, .dscp = -1, .precedence = -1, .tos = -1
	};
	p->ace.src = addr_to_v4(p->sel.local.from);
	p->ace.src_wild = p->ace.src ^ addr_to_v4(p->sel.local.to);
	p->ace.dst = addr_to_v4(p->sel.remote.from);
	p->ace.dst_wild = p->ace.dst ^ addr_to_v4(p->sel.remote.to);
	h->in.policy = h->out.policy = p->id;
	h->in.key.protocol = h->out.key.protocol = 50;
	h->in.key.inbound = 1;
	h->in.key.dst = h->in.local;
	h->out.key.dst = h->out.remote;
	h->in.local_port = h->out.local_port = h->in.remote_port = h->out.remote_port = 4500;
	if (h->ah_in.auth) {
		complete_ah(&h->ah_in, &h->in);
		complete_ah(&h->ah_out, &h->out);
	}
}

static enum err put_by_door(const char *path, const struct dpm_sa *sa)
{
	struct msg_sync s;
	uint8_t answer[64];
	size_t len;
	enum err e = msg_sync_open(&s, path, 5000);

	if (e != ERR_OK)
		return e;
	e = msg_sync_call(&s, DPM_SA_PUT, span_of(sa, sizeof(*sa)), answer, sizeof(answer), &len);
	msg_sync_close(&s);
	return e;
}

static void put(struct harness *h, const struct dpm_sa *sa)
{
	enum err e = h->door ? put_by_door(h->door, sa) : engine_backend.sa_put(h->b, sa);

	if (e != ERR_OK) {
		fprintf(stderr, "sa_put: %s\n", err_text(e));
		exit(1);
	}
}

static void put_pair(struct harness *h, const struct dpm_sa *ah, const struct dpm_sa *esp)
{
	if (ah->auth)
		put(h, ah);
	if (esp->cipher)
		put(h, esp);
}

static void event(void *ctx, const struct backend_event *ev)
{
	struct harness *h = ctx;

	h->events[ev->kind]++;
	if (ev->kind == BACKEND_ACQUIRE && h->wait) {
		put_pair(h, &h->ah_out, &h->out);
		h->wait = false;
	}
}

static bool print_sa(void *ctx, const struct dpm_sa_info *i)
{
	/* Of a bundle the names without `ah_` are ESP's. */
	bool around = i->key.protocol == 51 && i->bundle_spi;
	const char *way = i->key.inbound ? around ? "ah_in" : "in" : around ? "ah_out" : "out";

	(void)ctx;
	printf("%s_packets %lu\n%s_bytes %lu\n%s_errors %lu\n%s_sequence %lu\n", way, i->count.packets, way, i->count.bytes, way,
		i->count.errors, way, i->sequence);
	return true;
}

static bool print_policy(void *ctx, const struct dpm_policy_info *i)
{
	(void)ctx;
	printf("path_mtu %u\nplain_mtu %u\nheld %u\n", i->path_mtu, i->plain_mtu, i->held);
	return true;
}

static void hup(void *ctx)
{
	static const char *const reasons[] = {
#define X(name, text, help) #name,
		DP_DROPS(X)
#undef X
	};
	static const char *const kinds[] = { "acquire", "expire", "mapping", "invalid_spi", "passed_ike", "drop" };
	struct harness *h = ctx;
	const struct dpm_dump_filter all = { 0 };
	uint64_t drops[DP_DROP_COUNT];

	if (engine_backend.sa_dump(h->b, &all, print_sa, NULL) != ERR_OK ||
		engine_backend.policy_dump(h->b, &all, print_policy, NULL) != ERR_OK)
		exit(1);
	engine_backend.drops(h->b, drops);
	for (int i = 0; i < DP_DROP_COUNT; i++)
		printf("drop_%s %lu\n", reasons[i], drops[i]);
	for (int i = 0; i < 6; i++)
		printf("event_%s %lu\n", kinds[i], h->events[i]);
	printf("end\n");
	fflush(stdout);
}

int main(int argc, char **argv)
{
	static struct harness h;
	struct dpm_engine_info info;
	int status;

	if (argc != 2 && argc != 3) {
		fprintf(stderr, "usage: static_sa FILE [DOOR]\n");
		return 2;
	}
	alg_init();
	log_open("static_sa", NULL);
	read_file(&h, argv[1]);
	complete(&h);
	if (argc == 3) {
		h.door = argv[2];
		put_pair(&h, &h.ah_in, &h.in);
		put_pair(&h, &h.ah_out, &h.out);
		return 0;
	}
	h.loop = loop_new();
	struct backend_args args = { h.loop, &env_system, event, &h };
	struct backend_policies set = { &h.interface, 1, &h.policy, 1 };

	if (!h.loop || loop_signals(h.loop, hup, &h) != ERR_OK || engine_backend.open(&h.b, &args) != ERR_OK ||
		engine_backend.policy_replace(h.b, &set) != ERR_OK)
		return 1;
	put_pair(&h, &h.ah_in, &h.in);
	if (!h.wait)
		put_pair(&h, &h.ah_out, &h.out);
	engine_backend.info(h.b, &info);
	printf("%s\nready\n", info.detail);
	fflush(stdout);
	status = loop_run(h.loop);
	engine_backend.close(h.b);
	loop_free(h.loop);
	return status;
}
