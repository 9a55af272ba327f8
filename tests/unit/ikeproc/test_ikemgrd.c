/* Two routers with everything but a data path, on a loopback device of our own network namespace:
 *
 *   A 10.9.0.1   configd, ikemgrd, a datapathd of ours   <--UDP 500-->   B 10.9.0.2   the same
 */
#include "site.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define SITE(own, peer, net, peer_net)                                                                                             \
	"crypto isakmp policy 10\n"                                                                                                \
	" encryption aes\n"                                                                                                        \
	" hash sha256\n"                                                                                                           \
	" authentication pre-share\n"                                                                                              \
	" group 19\n"                                                                                                              \
	"crypto isakmp key a-key-of-both address " peer "\n"                                                                       \
	"crypto ipsec transform-set TS esp-aes esp-sha256-hmac\n"                                                                  \
	"ip access-list extended TRAFFIC\n"                                                                                        \
	" permit ip " net " 0.0.0.255 " peer_net " 0.0.0.255\n"                                                                    \
	"crypto map VPN 10 ipsec-isakmp\n"                                                                                         \
	" set peer " peer "\n"                                                                                                     \
	" set transform-set TS\n"                                                                                                  \
	" match address TRAFFIC\n"                                                                                                 \
	"interface GigabitEthernet0/0\n"                                                                                           \
	" ip address " own " 255.255.255.0\n"                                                                                      \
	" crypto map VPN\n"                                                                                                        \
	"end\n"

struct fixture {
	struct loop *loop;
	struct site a, b;
};

static int setup(void **state)
{
	static struct fixture f;

	if (geteuid() != 0) {
		*state = NULL;
		return 0;
	}
	f = (struct fixture){ .loop = loop_new() };
	site_start(&f.a, f.loop, "10.9.0.1", SITE("10.9.0.1", "10.9.0.2", "10.1.0.0", "10.2.0.0"));
	site_start(&f.b, f.loop, "10.9.0.2", SITE("10.9.0.2", "10.9.0.1", "10.2.0.0", "10.1.0.0"));
	*state = &f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	if (!f)
		return 0;
	site_stop(&f->a);
	site_stop(&f->b);
	loop_free(f->loop);
	return 0;
}

#define NEEDS_ROOT                                                                                                                 \
	do {                                                                                                                       \
		if (!*state)                                                                                                       \
			skip();                                                                                                    \
	} while (0)

static void acquire(struct fixture *f)
{
	struct dpm_acquire a = { .policy = { .interface = "GigabitEthernet0/0", .map = "VPN", .map_seq = 10, .ace_seq = 10 },
		.src = addr_v4(0x0a010005),
		.dst = addr_v4(0x0a020005),
		.protocol = 1 };

	fake_dp_event(&f->a.dp, DPM_ACQUIRE, span_of(&a, sizeof(a)));
	for (int i = 0; i < 15000 && (f->a.dp.puts < 2 || f->b.dp.puts < 2 || f->a.dp.last_state.verdict != DP_POLICY_UP); i++)
		loop_for(f->loop, 2000);
	assert_int_equal(f->a.dp.puts, 2);
	assert_int_equal(f->b.dp.puts, 2);
}

/* What A encrypts B decrypts, and the other way about: same SPI, same keys, and only then is A's policy up. */
static void main_mode_and_quick_mode(void **state)
{
	struct fixture *f = *state;
	struct question q;
	struct ikem_sa sa;

	NEEDS_ROOT;
	acquire(f);
	const struct dpm_sa *out = &f->a.dp.out, *in = &f->b.dp.in;
	assert_int_equal(out->key.spi, in->key.spi);
	assert_int_equal(out->cipher_key_len, 16);
	assert_memory_equal(out->cipher_key, in->cipher_key, DP_KEY_MAX);
	assert_memory_equal(out->auth_key, in->auth_key, DP_KEY_MAX);
	assert_memory_not_equal(out->cipher_key, f->a.dp.in.cipher_key, 16);
	assert_int_equal(f->a.dp.in.key.spi, f->b.dp.out.key.spi);
	assert_false(out->udp_encap);
	assert_int_equal(f->a.dp.last_state.verdict, DP_POLICY_UP);
	site_ask(&f->a, IKEM_SA_DUMP, (struct span){ 0 }, &q);
	assert_int_equal(q.e, ERR_OK);
	assert_int_equal(q.rows, 1);
	assert_int_equal(q.len, sizeof(sa));
	memcpy(&sa, q.last, sizeof(sa));
	assert_int_equal(sa.state, QM_IDLE);
	assert_int_equal(sa.group, GROUP_19);
	assert_true(sa.initiator);
}

static void clear_and_stats(void **state)
{
	struct fixture *f = *state;
	struct ikem_clear all = { .what = IKE_CLEAR_SESSION };
	struct question q;
	uint32_t count;

	NEEDS_ROOT;
	acquire(f);
	site_ask(&f->a, IKEM_STATS, (struct span){ 0 }, &q);
	assert_true(q.rows > 7);
	site_ask(&f->a, IKEM_PEER_DUMP, (struct span){ 0 }, &q);
	assert_int_equal(q.rows, 1);
	site_ask(&f->a, IKEM_CLEAR, span_of(&all, sizeof(all) - 1), &q);
	assert_int_equal(q.e, ERR_INVALID);
	site_ask(&f->a, IKEM_CLEAR, span_of(&all, sizeof(all)), &q);
	assert_int_equal(q.e, ERR_OK);
	memcpy(&count, q.last, sizeof(count));
	assert_true(count >= 2);
	for (int i = 0; i < 15000 && (f->a.dp.deleted < 2 || f->b.dp.deleted < 2); i++)
		loop_for(f->loop, 2000);
	assert_int_equal(f->a.dp.deleted, 2);
	assert_int_equal(f->b.dp.deleted, 2); /* B was told */
	site_ask(&f->a, 999, (struct span){ 0 }, &q);
	assert_int_equal(q.e, ERR_UNSUPPORTED);
}

static void keys_are_exported(void **state)
{
	struct fixture *f = *state;
	struct ikem_key_export want = { 0 };
	struct question q;
	struct stat st;
	char line[256] = "";

	NEEDS_ROOT;
	snprintf(want.path, sizeof(want.path), "/etc/ike.keys");
	site_ask(&f->a, IKEM_KEY_EXPORT, span_of(&want, sizeof(want)), &q);
	assert_int_equal(q.e, ERR_DENIED);
	snprintf(want.path, sizeof(want.path), "%s/ike.keys", f->a.folder);
	site_ask(&f->a, IKEM_KEY_EXPORT, span_of(&want, sizeof(want)), &q);
	assert_int_equal(q.e, ERR_OK);
	acquire(f);
	assert_int_equal(stat(want.path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	FILE *file = fopen(want.path, "r");
	assert_non_null(fgets(line, sizeof(line), file));
	fclose(file);
	assert_int_equal(strlen(line), 16 + 1 + 32 + 1);
	assert_int_equal(line[16], ',');
}

/* Every type with every wrong length: an answer, and nothing else happens. */
static void lengths_that_lie(void **state)
{
	static const size_t lengths[] = { 0, 1, 7, sizeof(struct ikem_debug) + 1, sizeof(struct ikem_clear) - 1,
		sizeof(struct ikem_clear) + 1, sizeof(struct ikem_key_export) - 1, sizeof(struct ikem_key_export) + 1,
		sizeof(struct ikem_crl_request) - 1, sizeof(struct ikem_crl_request) + 1, MSG_BODY_MAX };
	static uint8_t body[MSG_BODY_MAX];
	struct fixture *f = *state;
	struct question q;

	NEEDS_ROOT;
	memset(body, 0xff, sizeof(body));
	for (uint32_t type = 0; type < IKEM_CRL_REQUEST + 3; type++) {
		for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
			site_ask(&f->a, type, span_of(body, lengths[i]), &q);
			assert_int_not_equal(q.e, ERR_CLOSED);
			if (type == IKEM_CLEAR || type == IKEM_KEY_EXPORT || type == 0 || type >= IKEM_CRL_REQUEST)
				assert_int_not_equal(q.e, ERR_OK);
		}
	}
	acquire(f); /* it is well */
}

/* A new datapathd has no SAs: they are put away, and traffic brings new ones. */
static void datapathd_restarts(void **state)
{
	struct fixture *f = *state;
	struct question q;

	NEEDS_ROOT;
	acquire(f);
	fake_dp_stop(&f->a.dp);
	loop_for(f->loop, 50000);
	f->a.dp.puts = f->b.dp.puts = 0;
	fake_dp_start(&f->a.dp, f->loop, f->a.folder);
	while (!f->a.dp.client)
		loop_for(f->loop, 2000);
	site_ask(&f->a, IKEM_SA_DUMP, (struct span){ 0 }, &q);
	assert_int_equal(q.e, ERR_OK);
	assert_int_equal(f->a.dp.attached, 2);
}

/* The keys process is killed: proto does not live on without it. */
static void keys_process_dies(void **state)
{
	struct fixture *f = *state;
	int status = 0;
	pid_t got = 0;

	NEEDS_ROOT;
	kill(f->a.keys, SIGKILL);
	assert_int_equal(waitpid(f->a.keys, NULL, 0), f->a.keys);
	for (int i = 0; i < 3000 && got == 0; i++) {
		usleep(10000);
		got = waitpid(f->a.proto, &status, WNOHANG);
	}
	assert_int_equal(got, f->a.proto);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 1);
	f->a.keys = f->a.proto = 0;
	close(f->a.life[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(main_mode_and_quick_mode, setup, teardown),
		cmocka_unit_test_setup_teardown(clear_and_stats, setup, teardown),
		cmocka_unit_test_setup_teardown(keys_are_exported, setup, teardown),
		cmocka_unit_test_setup_teardown(lengths_that_lie, setup, teardown),
		cmocka_unit_test_setup_teardown(datapathd_restarts, setup, teardown),
		cmocka_unit_test_setup_teardown(keys_process_dies, setup, teardown),
	};

	alg_init();
	signal(SIGPIPE, SIG_IGN);
	if (geteuid() == 0 && (unshare(CLONE_NEWNET) != 0 || system("ip link set lo up && ip addr add 10.9.0.1/24 dev lo && "
								    "ip addr add 10.9.0.2/24 dev lo") != 0)) {
		fprintf(stderr, "no network namespace of our own\n");
		return 1;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
