/* The control side with a backend that protects nothing:
 *
 *   test --daemon_configure--> daemon --policies--> fake
 *   a client in ikemgrd's place, and one in the console's, on the socket
 */
#include "datapath/daemon.h"
#include "tests/unit/datapath/fake_backend.h"

#include "datapath/dynamic_keep.h"
#include "platform/base/log.h"
#include "tests/unit/filter/build.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

static const char site[] = "interface GigabitEthernet0/0 203.0.113.1/24 map VPN\n"
			   "list A extended\n"
			   " deny ip host 192.168.1.5 any\n"
			   " permit ip 192.168.1.0 0.0.0.255 192.168.2.0 0.0.0.255\n"
			   " permit ip 10.0.0.0 0.0.254.255 192.168.2.0 0.0.0.255\n"
			   "map VPN 10 A\n";

struct client {
	struct msg_conn *c;
	struct msg_head got[64];
	uint8_t body[64][sizeof(struct dpm_sa_info) + 64];
	int n, nfds;
	bool closed;
};

struct rig {
	struct loop *loop;
	struct loop_timer *timer;
	struct daemon d;
	struct cfg *cfg;
	struct client ike, console;
	char dir[40], path[108];
};

static char logged[65536];
static uint64_t later_us; /* how far the test's clock is ahead */

static uint64_t now_us(void *ctx)
{
	return env_system.now_us(ctx) + later_us;
}

static struct env test_env;

static void sink(void *ctx, enum log_severity severity, const char *line)
{
	size_t n = strlen(logged);

	(void)ctx;
	(void)severity;
	snprintf(logged + n, sizeof(logged) - n, "%s\n", line);
}

static void stop(void *ctx)
{
	struct rig *r = ctx;

	loop_stop(r->loop, 0);
}

/* Several short turns: a turn that the machine holds up may see its timer before anything else. */
static void pump(struct rig *r)
{
	for (int i = 0; i < 10; i++) {
		loop_timer_set(r->timer, 3000);
		loop_run(r->loop);
	}
}

static void on_message(void *ctx, struct msg_conn *c, struct msg *m)
{
	struct client *k = ctx;

	(void)c;
	assert_in_range(k->n, 0, 63);
	k->got[k->n] = m->head;
	memcpy(k->body[k->n++], m->body.data, m->body.len < sizeof(k->body[0]) ? m->body.len : sizeof(k->body[0]));
	k->nfds += m->nfds;
}

static void on_closed(void *ctx, struct msg_conn *c)
{
	struct client *k = ctx;

	(void)c;
	k->c = NULL;
	k->closed = true;
}

static const struct msg_handlers handlers = { .message = on_message, .closed = on_closed };

static void client_connect(struct rig *r, struct client *k)
{
	memset(k, 0, sizeof(*k));
	k->c = msg_connect(r->loop, r->path, &handlers, k);
	assert_non_null(k->c);
}

static void ask(struct rig *r, struct client *k, uint32_t type, const void *body, size_t len)
{
	k->n = 0;
	assert_int_equal(msg_send(k->c, type, 9, ERR_OK, 0, span_of(body, len)), ERR_OK);
	pump(r);
}

/* The status of the only, or the last, answer to it. */
static enum err status_of(struct rig *r, struct client *k, uint32_t type, const void *body, size_t len)
{
	ask(r, k, type, body, len);
	for (int i = k->n - 1; i >= 0; i--)
		if (k->got[i].seq == 9)
			return (enum err)k->got[i].status;
	fail_msg("no answer to %u", type);
	return ERR_SYS;
}

static int setup(void **state)
{
	struct rig *r = calloc(1, sizeof(*r));
	struct daemon_args args;

	assert_non_null(r);
	memset(&fake, 0, sizeof(fake));
	logged[0] = '\0';
	later_us = 0;
	test_env = env_system;
	test_env.now_us = now_us;
	log_capture(sink, NULL);
	strcpy(r->dir, "/tmp/postern-dp.XXXXXX");
	assert_non_null(mkdtemp(r->dir));
	assert_true(msg_path(r->path, r->dir, DATAPATHD_SOCKET));
	r->loop = loop_new();
	r->timer = loop_timer_new(r->loop, stop, r);
	args = (struct daemon_args){
		.loop = r->loop,
		.env = &test_env,
		.ops = &fake_backend,
		.run_dir = r->dir,
		.ike_uid = 12345,
		.no_filter = true,
	};
	assert_int_equal(daemon_open(&r->d, &args), ERR_OK);
	assert_int_equal(daemon_start(&r->d), ERR_OK);
	r->cfg = build_cfg(site);
	daemon_configure(&r->d, r->cfg, CFG_ALL);
	client_connect(r, &r->ike);
	client_connect(r, &r->console);
	*state = r;
	return 0;
}

static int teardown(void **state)
{
	struct rig *r = *state;

	if (r->ike.c)
		msg_close(r->ike.c);
	if (r->console.c)
		msg_close(r->console.c);
	daemon_close(&r->d);
	build_free(r->cfg);
	loop_timer_free(r->timer);
	loop_free(r->loop);
	unlink(r->path);
	rmdir(r->dir);
	log_capture(NULL, NULL);
	free(r);
	return 0;
}

static struct dp_policy_id line(uint32_t ace_seq)
{
	struct dp_policy_id id = { .map_seq = 10, .ace_seq = ace_seq };

	strcpy(id.interface, "GigabitEthernet0/0");
	strcpy(id.map, "VPN");
	return id;
}

static struct dpm_sa sa_of(uint32_t spi, bool inbound, uint32_t ace_seq, const struct rig *r)
{
	struct dpm_sa sa = { .key = { .spi = spi, .protocol = 50, .inbound = inbound },
		.cipher = CIPHER_AES128_GCM,
		.cipher_key_len = 20,
		.policy = line(ace_seq),
		.remote = addr_v4(0xc6336402) };
	const struct backend_policy *p = plan_find(&r->d.plan, &sa.policy);

	sa.key.dst = inbound ? addr_v4(0xcb007101) : sa.remote;
	if (p)
		sa.sel = p->sel;
	return sa;
}

static void policies_reach_the_backend(void **state)
{
	struct rig *r = *state;

	(void)r;
	assert_int_equal(fake.nentries, 3);
	assert_int_equal(fake.replaced, 1);
	assert_non_null(strstr(logged, "%CRYPTO-4-ACL_NOT_NEGOTIABLE: access-list A line 30"));
}

/* attach --> descriptors of UDP 500 and 4500 */
static void attach(void **state)
{
	struct rig *r = *state;
	struct dpm_attached a;

	ask(r, &r->ike, DPM_ATTACH, NULL, 0);
	assert_int_equal(r->ike.n, 1);
	assert_int_equal(r->ike.got[0].status, ERR_OK);
	assert_int_equal(r->ike.nfds, 2);
	memcpy(&a, r->ike.body[0], sizeof(a));
	assert_string_equal(a.backend, "fake");
}

/* An acquire before ikemgrd is there is kept; it is told again to each new ikemgrd, until it is answered. */
static void acquires_wait_for_ikemgrd(void **state)
{
	struct rig *r = *state;
	struct dp_policy_id id = line(20);
	struct dpm_policy_state up = { .policy = id, .verdict = DP_POLICY_UP };
	struct dpm_acquire got;

	fake_acquire(&id);
	fake_acquire(&id);
	for (int i = 0; i < 2; i++) {
		ask(r, &r->ike, DPM_ATTACH, NULL, 0);
		assert_int_equal(r->ike.n, 2);
		assert_int_equal(r->ike.got[1].type, DPM_ACQUIRE);
		assert_int_equal(r->ike.got[1].seq, 0);
		memcpy(&got, r->ike.body[1], sizeof(got));
		assert_true(plan_same_id(&got.policy, &id));
		msg_close(r->ike.c);
		pump(r);
		assert_null(r->d.ike);
		client_connect(r, &r->ike);
	}
	ask(r, &r->ike, DPM_ATTACH, NULL, 0);
	assert_int_equal(status_of(r, &r->ike, DPM_POLICY_STATE, &up, sizeof(up)), ERR_OK);
	assert_int_equal(fake.states, 1);
	ask(r, &r->ike, DPM_ATTACH, NULL, 0);
	assert_int_equal(r->ike.n, 1);
}

/* What nobody has asked for in a minute is not told to an ikemgrd that comes then; a second is enough to ask again. */
static void acquires_grow_old(void **state)
{
	struct rig *r = *state;
	struct dp_policy_id id = line(20);

	fake_acquire(&id);
	later_us = 61000000;
	ask(r, &r->ike, DPM_ATTACH, NULL, 0);
	assert_int_equal(r->ike.n, 1);
	assert_null(r->d.wanted);
	fake_acquire(&id);
	later_us += 1100000;
	fake_acquire(&id);
	pump(r);
	assert_int_equal(r->ike.n, 3);
}

/* The same wish at once is not repeated to the same ikemgrd. */
static void acquires_are_bounded(void **state)
{
	struct rig *r = *state;
	struct dp_policy_id id = line(20);

	ask(r, &r->ike, DPM_ATTACH, NULL, 0);
	r->ike.n = 0;
	for (int i = 0; i < 50; i++)
		fake_acquire(&id);
	pump(r);
	assert_int_equal(r->ike.n, 1);
}

/* A line that no ID payload can say is answered here: dropped, not asked for. */
static void not_negotiable(void **state)
{
	struct rig *r = *state;
	struct dp_policy_id id = line(30);

	ask(r, &r->ike, DPM_ATTACH, NULL, 0);
	r->ike.n = 0;
	fake_acquire(&id);
	pump(r);
	assert_int_equal(r->ike.n, 0);
	assert_int_equal(fake.states, 1);
	assert_int_equal(fake.last_state.verdict, DP_POLICY_FAILED);
}

static void spi_and_sa(void **state)
{
	struct rig *r = *state;
	struct dpm_spi spi = { .protocol = 50 };
	struct dpm_sa sa;

	assert_int_equal(status_of(r, &r->ike, DPM_SPI_ALLOC, &spi, sizeof(spi)), ERR_OK);
	memcpy(&spi, r->ike.body[0], sizeof(spi));
	assert_int_equal(spi.spi, 0x1000);
	sa = sa_of(spi.spi, true, 20, r);
	assert_int_equal(status_of(r, &r->ike, DPM_SA_PUT, &sa, sizeof(sa)), ERR_OK);
	sa = sa_of(0x5000, false, 20, r);
	assert_int_equal(status_of(r, &r->ike, DPM_SA_PUT, &sa, sizeof(sa)), ERR_OK);
	assert_int_equal(fake.nsas, 2);
	/* ikemgrd dies and comes back: its SAs are there, and are handed back. */
	msg_close(r->ike.c);
	pump(r);
	client_connect(r, &r->ike);
	ask(r, &r->ike, DPM_SA_DUMP, NULL, 0);
	assert_int_equal(r->ike.n, 3);
	assert_int_equal(r->ike.got[0].flags & MSG_FLAG_MORE, MSG_FLAG_MORE);
	assert_int_equal(r->ike.got[2].flags & MSG_FLAG_MORE, 0);
	assert_int_equal(status_of(r, &r->ike, DPM_SA_DEL, &sa.key, sizeof(sa.key)), ERR_OK);
	assert_int_equal(status_of(r, &r->ike, DPM_SA_DEL, &sa.key, sizeof(sa.key)), ERR_NOT_FOUND);
	assert_int_equal(fake.nsas, 1);
}

/* An SA whose line has gone, or no longer covers it, is ended, and ikemgrd is told. */
static void list_changes_end_sas(void **state)
{
	struct rig *r = *state;
	struct dpm_sa sa = sa_of(0x5000, false, 20, r);
	struct dpm_expire e;
	struct cfg *less;

	ask(r, &r->ike, DPM_ATTACH, NULL, 0);
	assert_int_equal(status_of(r, &r->ike, DPM_SA_PUT, &sa, sizeof(sa)), ERR_OK);
	less = build_cfg("interface GigabitEthernet0/0 203.0.113.1/24 map VPN\n"
			 "list A extended\n 20 permit ip 192.168.1.0 0.0.0.127 192.168.2.0 0.0.0.255\nmap VPN 10 A\n");
	r->ike.n = 0;
	daemon_configure(&r->d, less, CFG_ROUTES); /* not ours: nothing happens */
	assert_int_equal(fake.nsas, 1);
	/* At once after a quiet time, else a moment later, with what has come since. */
	daemon_configure(&r->d, less, CFG_ACLS);
	assert_int_equal(fake.nsas, 1);
	later_us += 200000;
	daemon_configure(&r->d, less, CFG_ACLS);
	pump(r);
	assert_int_equal(fake.nsas, 0);
	assert_int_equal(r->ike.n, 1);
	assert_int_equal(r->ike.got[0].type, DPM_EXPIRE);
	memcpy(&e, r->ike.body[0], sizeof(e));
	assert_int_equal(e.key.spi, 0x5000);
	assert_int_equal(e.why, DP_EXPIRE_HARD);
	build_free(r->cfg);
	r->cfg = less;
}

/* They outlive us, too: what a killed predecessor wrote is in force with the first snapshot. A record that is not whole is none. */
static void dynamic_kept(void **state)
{
	static const char with[] = "interface GigabitEthernet0/0 203.0.113.1/24 map VPN\nmap VPN 10 dynamic D\ndynamic D 5\n";
	struct rig *r = *state;
	struct dpm_dynamic p = { .sel = { .local = { addr_v4(0), addr_v4(0xffffffff), 0, 65535 },
					 .remote = { addr_v4(0x0a000001), addr_v4(0x0a000001), 0, 65535 } },
		.peer = addr_v4(0xc6336402),
		.dynamic = "D",
		.dynamic_seq = 5 };
	struct cfg *dynamic = build_cfg(with);
	struct dynamics left = { 0 };
	uint8_t bytes[4096];
	ssize_t n;
	int fd;

	later_us += 200000;
	daemon_configure(&r->d, dynamic, CFG_ALL);
	for (unsigned i = 1; i <= 3; i++) {
		p.id = line(DP_ACE_DYNAMIC | i);
		p.sel.remote.from = p.sel.remote.to = addr_v4(0x0a000000 + i);
		assert_int_equal(status_of(r, &r->ike, DPM_DYNAMIC_PUT, &p, sizeof(p)), ERR_OK);
	}
	p.id = line(DP_ACE_DYNAMIC | 2);
	assert_int_equal(status_of(r, &r->ike, DPM_DYNAMIC_DEL, &p.id, sizeof(p.id)), ERR_OK);
	fd = dynamic_keep_open(r->dir);
	dynamic_keep_load(fd, &left);
	assert_int_equal(left.n, 2);
	assert_memory_equal(left.list, r->d.dynamics.list, 2 * sizeof(*left.list));
	dynamics_free(&left);
	/* Killed in a write. */
	n = pread(fd, bytes, sizeof(bytes), 0);
	assert_true(n > 0 && n % 2 == 0);
	bytes[40] ^= 1;
	dynamic_keep_read(span_of(bytes, (size_t)n), &left);
	assert_int_equal(left.n, 1);
	assert_int_equal(left.list[0].id.ace_seq, DP_ACE_DYNAMIC | 3);
	dynamics_free(&left);
	dynamic_keep_read(span_of(bytes, (size_t)n - 1), &left);
	assert_int_equal(left.n, 0);
	/* The configuration has no place for them any more: gone from the file as well. */
	later_us += 200000;
	daemon_configure(&r->d, r->cfg, CFG_ALL);
	assert_int_equal(pread(fd, bytes, sizeof(bytes), 0), 0);
	close(fd);
	build_free(dynamic);
}

/* Policies of dynamic maps: put, read back by the next ikemgrd, and gone with their SAs by a word or by configuration. */
static void dynamic_policies(void **state)
{
	static const char with[] = "interface GigabitEthernet0/0 203.0.113.1/24 map VPN\nmap VPN 10 dynamic D\ndynamic D 5\n";
	struct rig *r = *state;
	struct dpm_dynamic p = { .id = line(DP_ACE_DYNAMIC | 1),
		.sel = { .local = { addr_v4(0), addr_v4(0xffffffff), 0, 65535 },
			.remote = { addr_v4(0x0a000001), addr_v4(0x0a000001), 0, 65535 } },
		.peer = addr_v4(0xc6336402),
		.dynamic = "D",
		.dynamic_seq = 5 };
	struct dpm_dynamic back;
	struct cfg *dynamic = build_cfg(with);
	struct dpm_sa sa;

	assert_int_equal(status_of(r, &r->ike, DPM_DYNAMIC_PUT, &p, sizeof(p)), ERR_NOT_FOUND);
	later_us += 200000;
	daemon_configure(&r->d, dynamic, CFG_ALL);
	assert_int_equal(status_of(r, &r->ike, DPM_DYNAMIC_PUT, &p, sizeof(p)), ERR_OK);
	assert_int_equal(status_of(r, &r->ike, DPM_DYNAMIC_PUT, &p, sizeof(p) - 1), ERR_INVALID);
	assert_true(fake.nentries == 1 && plan_same_id(&fake.entries[0].id, &p.id));
	sa = sa_of(0x5000, false, p.id.ace_seq, r);
	assert_int_equal(status_of(r, &r->ike, DPM_SA_PUT, &sa, sizeof(sa)), ERR_OK);
	/* ikemgrd is another one now; SAs and policies are there. */
	msg_close(r->ike.c);
	client_connect(r, &r->ike);
	ask(r, &r->ike, DPM_ATTACH, NULL, 0);
	ask(r, &r->ike, DPM_DYNAMIC_DUMP, NULL, 0);
	assert_int_equal(r->ike.n, 2);
	memcpy(&back, r->ike.body[0], sizeof(back));
	assert_memory_equal(&back, &p, sizeof(p));
	assert_int_equal(fake.nsas, 1);
	assert_int_equal(status_of(r, &r->ike, DPM_DYNAMIC_DEL, &p.id, sizeof(p.id)), ERR_OK);
	assert_int_equal(fake.nsas, 0);
	assert_int_equal(r->ike.got[0].type, DPM_EXPIRE);
	assert_int_equal(status_of(r, &r->ike, DPM_DYNAMIC_DEL, &p.id, sizeof(p.id)), ERR_NOT_FOUND);
	assert_int_equal(status_of(r, &r->ike, DPM_DYNAMIC_PUT, &p, sizeof(p)), ERR_OK);
	later_us += 200000;
	daemon_configure(&r->d, r->cfg, CFG_ALL);
	assert_int_equal(r->d.dynamics.n, 0);
	build_free(dynamic);
}

/* Nobody is asked for the SAs of an entry that is keyed by hand; what waits for them is not refused. */
static void manual_asks_nobody(void **state)
{
	struct rig *r = *state;
	struct cfg *manual = build_cfg("interface GigabitEthernet0/0 203.0.113.1/24 map VPN\nlist A extended\n"
				       " 20 permit ip any any\nmap VPN 10 A manual\n");
	struct dp_policy_id id = line(20);

	ask(r, &r->ike, DPM_ATTACH, NULL, 0);
	later_us += 200000;
	daemon_configure(&r->d, manual, CFG_ALL);
	r->ike.n = 0;
	fake_acquire(&id);
	pump(r);
	assert_int_equal(r->ike.n, 0);
	assert_int_equal(fake.states, 0);
	build_free(r->cfg);
	r->cfg = manual;
}

/* A question does not wait for the next turn: what was typed before it is in force when it is answered. */
static void catches_up(void **state)
{
	struct rig *r = *state;
	struct cfg *none = build_cfg("interface GigabitEthernet0/0 203.0.113.1/24\n");

	assert_int_equal(r->d.plan.view.nentries, 3);
	daemon_configure(&r->d, none, CFG_ALL);
	assert_int_equal(r->d.plan.view.nentries, 3);
	daemon_catch_up(&r->d);
	assert_int_equal(r->d.plan.view.nentries, 0);
	build_free(r->cfg);
	r->cfg = none;
}

/* A backend that refuses new policies keeps the old ones, and so do we. */
static void refused_policies(void **state)
{
	struct rig *r = *state;
	struct cfg *none = build_cfg("interface GigabitEthernet0/0 203.0.113.1/24\n");

	fake.refuse = ERR_SYS;
	later_us += 200000;
	daemon_configure(&r->d, none, CFG_ALL);
	assert_int_equal(r->d.plan.view.nentries, 3);
	assert_non_null(strstr(logged, "POLICY_REFUSED"));
	build_free(r->cfg);
	r->cfg = none;
}

/* Every type with a body that is absent, short, long: refused, and the program goes on. */
static void wrong_lengths(void **state)
{
	struct rig *r = *state;
	static const uint32_t types[] = { DPM_SPI_ALLOC, DPM_SA_PUT, DPM_SA_DEL, DPM_SA_MOVE, DPM_POLICY_STATE, DPM_FLUSH,
		DPM_PASS_PACKET, DPM_CLEAR_COUNTERS, DPM_DEBUG };
	static const size_t sizes[] = { sizeof(struct dpm_spi), sizeof(struct dpm_sa), sizeof(struct dp_sa_key),
		sizeof(struct dpm_sa_move), sizeof(struct dpm_policy_state), sizeof(struct dpm_flush), sizeof(struct dpm_packet),
		sizeof(struct dpm_clear), sizeof(struct dpm_debug) };
	static uint8_t zero[4096];

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		assert_int_equal(status_of(r, &r->ike, types[i], NULL, 0), ERR_INVALID);
		assert_int_equal(status_of(r, &r->ike, types[i], zero, 1), ERR_INVALID);
		assert_int_equal(status_of(r, &r->ike, types[i], zero, sizes[i] - 1), ERR_INVALID);
		if (types[i] != DPM_PASS_PACKET)
			assert_int_equal(status_of(r, &r->ike, types[i], zero, sizes[i] + 1), ERR_INVALID);
	}
	assert_int_equal(status_of(r, &r->ike, DPM_ATTACH, zero, 1), ERR_INVALID);
	assert_int_equal(status_of(r, &r->ike, DPM_SA_DUMP, zero, 3), ERR_INVALID);
	assert_int_equal(status_of(r, &r->ike, 9999, NULL, 0), ERR_UNSUPPORTED);
	/* A key longer than its field. */
	const struct dpm_sa sound = sa_of(0x5000, false, 20, r);
	struct dpm_sa sa = sound;

	sa.cipher_key_len = DP_KEY_MAX + 1;
	assert_int_equal(status_of(r, &r->ike, DPM_SA_PUT, &sa, sizeof(sa)), ERR_INVALID);
	sa = sound;
	sa.auth_key_len = DP_KEY_MAX + 1;
	assert_int_equal(status_of(r, &r->ike, DPM_SA_PUT, &sa, sizeof(sa)), ERR_INVALID);
	assert_int_equal(fake.nsas, 0);
}

static void console_questions(void **state)
{
	struct rig *r = *state;
	struct dpm_clear clear = { .acl = "A" };
	struct dpm_drop drop;
	struct dpm_acl_count count;

	ask(r, &r->console, DPM_POLICY_DUMP, NULL, 0);
	assert_int_equal(r->console.n, 3);
	ask(r, &r->console, DPM_DROP_DUMP, NULL, 0);
	assert_int_equal(r->console.n, DP_DROP_COUNT + 1);
	memcpy(&drop, r->console.body[DP_DROP_REPLAY], sizeof(drop));
	assert_int_equal(drop.packets, 3);
	/* The engine counts what lines permit; what they deny is the filter's to count. */
	fake.lines[0] = (struct backend_line_count){ .acl = "A", .ace_seq = 10, .matches = 5 };
	fake.lines[1] = (struct backend_line_count){ .acl = "A", .ace_seq = 20, .matches = 6 };
	fake.nlines = 2;
	ask(r, &r->console, DPM_ACL_DUMP, NULL, 0);
	assert_int_equal(r->console.n, 2);
	memcpy(&count, r->console.body[0], sizeof(count));
	assert_int_equal(count.ace_seq, 20);
	assert_int_equal(count.matches, 6);
	assert_int_equal(status_of(r, &r->console, DPM_CLEAR_COUNTERS, &clear, sizeof(clear)), ERR_OK);
	assert_string_equal(fake.cleared_acl, "A");
	clear.acl[0] = '\0';
	assert_int_equal(status_of(r, &r->console, DPM_CLEAR_COUNTERS, &clear, sizeof(clear)), ERR_OK);
	assert_int_equal(fake.cleared, 1);
	assert_int_equal(status_of(r, &r->console, DPM_ENGINE_INFO, NULL, 0), ERR_OK);
}

static void debug_in_ios_words(void **state)
{
	struct rig *r = *state;
	struct dpm_debug on = { .ipsec = 1, .on = 1 };
	struct dp_policy_id id = line(20);
	struct dpm_sa sa = sa_of(0x5000, false, 20, r);

	assert_int_equal(status_of(r, &r->console, DPM_DEBUG, &on, sizeof(on)), ERR_OK);
	fake_acquire(&id);
	assert_non_null(strstr(logged,
		"IPSEC(sa_request): ,\n  (key eng. msg.) OUTBOUND local= 203.0.113.1:500, remote= 198.51.100.2:500,\n"
		"    local_proxy= 192.168.1.0/255.255.255.0/0/0,\n    remote_proxy= 192.168.2.0/255.255.255.0/0/0,\n"));
	assert_int_equal(status_of(r, &r->ike, DPM_SA_PUT, &sa, sizeof(sa)), ERR_OK);
	assert_non_null(strstr(
		logged, "IPSEC(create_sa): sa created,\n  (sa) sa_dest= 198.51.100.2, sa_proto= 50,\n    sa_spi= 0x5000(20480),"));
	on.on = 0;
	assert_int_equal(status_of(r, &r->console, DPM_DEBUG, &on, sizeof(on)), ERR_OK);
	logged[0] = '\0';
	assert_int_equal(status_of(r, &r->ike, DPM_SA_DEL, &sa.key, sizeof(sa.key)), ERR_OK);
	assert_string_equal(logged, "");
}

static void drops_in_the_log(void **state)
{
	struct rig *r = *state;
	struct backend_event ev = { .kind = BACKEND_DROP,
		.drop = { .reason = DP_DROP_REPLAY,
			.conn_id = 5,
			.sequence = 18,
			.local = addr_v4(0xcb007101),
			.remote = addr_v4(0xc6336402),
			.spi = 0xabcdef01,
			.protocol = 50 } };

	daemon_event(&r->d, &ev);
	ev.drop.reason = DP_DROP_BAD_ICV;
	daemon_event(&r->d, &ev);
	ev.drop.reason = DP_DROP_INVALID_SPI;
	daemon_event(&r->d, &ev);
	ev.drop.protocol = 51;
	ev.drop.reason = DP_DROP_AH_NAT;
	ev.drop.peer = addr_v4(0xc6336409);
	daemon_event(&r->d, &ev);
	assert_non_null(strstr(logged, "the packet came from 198.51.100.2, the SA is with 198.51.100.9; AH cannot pass NAT"));
	ev.drop.reason = DP_DROP_CHECKSUM;
	daemon_event(&r->d, &ev);
	assert_non_null(strstr(logged, "%CRYPTO-4-RECVD_PKT_CHECKSUM: decaps: inner checksum wrong in transport mode through NAT"));
	assert_non_null(
		strstr(logged, "%CRYPTO-4-PKT_REPLAY_ERR: decrypt: replay check failed connection id=5, sequence number=18\n"));
	assert_non_null(
		strstr(logged, "%CRYPTO-4-RECVD_PKT_MAC_ERR: decrypt: mac verify failed for connection id=5 local=203.0.113.1 "
			       "remote=198.51.100.2 spi=ABCDEF01 seqno=00000012\n"));
	assert_non_null(
		strstr(logged, "%CRYPTO-4-RECVD_PKT_INV_SPI: decaps: rec'd IPSEC packet has invalid spi for destaddr=203.0.113.1, "
			       "prot=50, spi=0xABCDEF01(2882400001), srcaddr=198.51.100.2\n"));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(policies_reach_the_backend),
		TEST(attach),
		TEST(acquires_wait_for_ikemgrd),
		TEST(acquires_grow_old),
		TEST(acquires_are_bounded),
		TEST(not_negotiable),
		TEST(spi_and_sa),
		TEST(list_changes_end_sas),
		TEST(dynamic_policies),
		TEST(dynamic_kept),
		TEST(manual_asks_nobody),
		TEST(refused_policies),
		TEST(catches_up),
		TEST(wrong_lengths),
		TEST(console_questions),
		TEST(debug_in_ios_words),
		TEST(drops_in_the_log),
	};

	alg_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
