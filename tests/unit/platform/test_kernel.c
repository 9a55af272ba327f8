/* The reconciler against a real kernel, in network namespaces of this test's own:
 *
 *   router: gi0-0 203.0.113.1 ===== far0 203.0.113.2
 *           gi0-1 192.168.1.1 ===== far1                  :peer
 *           loopbacks, made by platformd
 */
#include "build.h"

#include "platform/base/log.h"
#include "platform/base/loop.h"
#include "platform/daemon/apply.h"

#include <net/if.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static struct {
	struct loop *loop;
	struct kernel *kernel;
	struct apply *apply;
	struct loop_timer *timer;
	char faults[512];
	pid_t peer; /* holds the other namespace */
} at;

static void sh(const char *command)
{
	assert_int_equal(system(command), 0);
}

/* The same in the peer's namespace. */
static void far(const char *command)
{
	char whole[256];

	snprintf(whole, sizeof(whole), "nsenter -t %d -n %s", at.peer, command);
	sh(whole);
}

static pid_t start_peer(void)
{
	int ready[2];
	char c;
	pid_t pid;

	assert_int_equal(pipe(ready), 0);
	pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (unshare(CLONE_NEWNET) != 0 || write(ready[1], "", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	assert_int_equal(read(ready[0], &c, 1), 1);
	close(ready[0]);
	close(ready[1]);
	return pid;
}

/* The first line that `command` prints. */
static const char *output(const char *command)
{
	static char line[512];
	FILE *f = popen(command, "r");

	line[0] = '\0';
	if (fgets(line, sizeof(line), f) != NULL)
		line[strcspn(line, "\n")] = '\0';
	while (fgetc(f) != EOF)
		;
	pclose(f);
	for (size_t n = strlen(line); n > 0 && line[n - 1] == ' '; n--)
		line[n - 1] = '\0';
	return line;
}

static void hear(void *ctx, enum log_severity severity, const char *line)
{
	(void)ctx;
	(void)severity;
	if (strncmp(line, "%PLATFORM", 9) == 0)
		snprintf(at.faults + strlen(at.faults), sizeof(at.faults) - strlen(at.faults), "%s\n", line);
}

static void changed(void *ctx)
{
	(void)ctx;
	apply_soon(at.apply);
}

static void stop(void *ctx)
{
	(void)ctx;
	loop_stop(at.loop, 0);
}

/* Lets events and retries happen. */
static void settle(unsigned ms)
{
	loop_timer_set(at.timer, ms * 1000);
	loop_run(at.loop);
}

static int setup(void **state)
{
	struct world *w;

	if (world_setup(state) != 0 || unshare(CLONE_NEWNET) != 0)
		return -1;
	w = *state;
	at.peer = start_peer();
	for (int i = 0; i < 2; i++) {
		char command[128];

		snprintf(command, sizeof(command), "ip link add gi0-%d type veth peer name far%d netns %d", i, i, at.peer);
		sh(command);
		snprintf(command, sizeof(command), "ip link set far%d up", i);
		far(command);
	}
	sh("ip link set lo up");
	far("ip addr add 203.0.113.2/24 dev far0");
	want_interface(w, "gi0-0", "203.0.113.1/24");
	want_interface(w, "gi0-1", "192.168.1.1/24");
	at.faults[0] = '\0';
	log_capture(hear, NULL);
	at.loop = loop_new();
	at.timer = loop_timer_new(at.loop, stop, NULL);
	assert_int_equal(kernel_open(&at.kernel), ERR_OK);
	at.apply = apply_new(at.loop, at.kernel, true);
	assert_int_equal(kernel_watch(at.kernel, at.loop, changed, NULL), ERR_OK);
	return 0;
}

static int teardown(void **state)
{
	apply_free(at.apply);
	kernel_close(at.kernel);
	loop_timer_free(at.timer);
	loop_free(at.loop);
	log_capture(NULL, NULL);
	kill(at.peer, SIGKILL);
	waitpid(at.peer, NULL, 0);
	return world_teardown(state);
}

static void configure(struct world *w)
{
	/* Not within the moment in which lines of one paste are put together. */
	settle(30);
	apply_config(at.apply, &w->cfg, true);
}

/* Carrier comes and goes through a work queue of the kernel's, which takes its time: up to a second. */
static void wait_until(const char *(*tells)(void), const char *wanted)
{
	for (int i = 0; i < 2000 && strcmp(tells(), wanted) != 0; i++)
		settle(30);
	assert_string_equal(tells(), wanted);
}

static const char *ours(void)
{
	return output("ip -4 route show proto 180 | tr '\\n' ';'");
}

static void box_becomes_what_is_wanted(void **state)
{
	struct world *w = *state;
	struct cfg_interface *lo = want_interface(w, "loop0", "10.255.0.1/32");

	want_secondary(w, lo, "10.255.0.2/32");
	w->interfaces[1].mtu = 1400;
	want_route(w, "0.0.0.0/0", "203.0.113.2", 1);
	want_route(w, "10.9.0.0/16", "Null0", 20);
	want_route(w, "10.8.0.0/16", "GigabitEthernet0/1", 1);
	configure(w);
	assert_string_equal(at.faults, "");
	assert_string_equal(output("ip -4 -br addr show dev gi0-0 | awk '{print $3}'"), "203.0.113.1/24");
	assert_string_equal(output("ip -4 -br addr show dev loop0 | awk '{print $3, $4}'"), "10.255.0.1/32 10.255.0.2/32");
	assert_string_equal(output("ip -o link show gi0-1 | grep -o 'mtu [0-9]*'"), "mtu 1400");
	assert_string_equal(ours(), "default via 203.0.113.2 dev gi0-0 metric 1 onlink ;10.8.0.0/16 dev gi0-1 scope link metric 1 "
				    ";blackhole 10.9.0.0/16 metric 20 ;");
	assert_string_equal(
		output("cat /proc/sys/net/ipv4/conf/gi0-0/rp_filter /proc/sys/net/ipv6/conf/gi0-0/disable_ipv6 | tr -d '\\n'"),
		"01");
	sh("ping -c1 -W2 -q 203.0.113.2 >/dev/null");
}

static void second_look_changes_nothing(void **state)
{
	struct world *w = *state;
	struct plan p = { 0 };
	struct box b = { 0 };

	want_interface(w, "loop0", "10.255.0.1/24");
	w->interfaces[0].ip_mtu = 1300;
	want_secondary(w, &w->interfaces[0], "203.0.113.9/24");
	want_route(w, "10.1.0.0/16", "203.0.113.2", 1);
	want_route(w, "10.1.0.0/16", "192.168.1.2", 1);
	want_route(w, "10.2.0.0/16", "10.1.0.1", 1);
	want_route(w, "10.9.0.0/16", "Null0", 1);
	configure(w);
	assert_string_equal(at.faults, "");
	assert_int_equal(kernel_read(at.kernel, &b), ERR_OK);
	assert_int_equal(plan_interfaces(&p, &w->cfg, &b), ERR_OK);
	assert_int_equal(plan_routes(&p, apply_rib(at.apply)->routes, apply_rib(at.apply)->n, &b), ERR_OK);
	assert_int_equal(p.n, 0);
	assert_int_equal(apply_rib(at.apply)->n, 4);
	assert_string_equal(output("ip -4 route get 203.0.113.77 | grep -o 'mtu [0-9]*'; ip -4 route show 203.0.113.0/24 | grep -o "
				   "'mtu [0-9]*'"),
		"mtu 1300");
	box_plan_free(&p);
	box_free(&b);
}

static void routes_follow_the_line(void **state)
{
	struct world *w = *state;

	want_route(w, "0.0.0.0/0", "203.0.113.2", 1);
	want_route(w, "0.0.0.0/0", "192.168.1.2", 250);
	configure(w);
	wait_until(ours, "default via 203.0.113.2 dev gi0-0 metric 1 onlink ;");
	far("ip link set far0 down");
	wait_until(ours, "default via 192.168.1.2 dev gi0-1 metric 250 onlink ;");
	far("ip link set far0 up");
	wait_until(ours, "default via 203.0.113.2 dev gi0-0 metric 1 onlink ;");
	/* Another hand takes our route away: it comes back. */
	sh("ip route del default metric 1");
	wait_until(ours, "default via 203.0.113.2 dev gi0-0 metric 1 onlink ;");
	w->interfaces[0].shutdown = true;
	configure(w);
	assert_string_equal(ours(), "default via 192.168.1.2 dev gi0-1 metric 250 onlink ;");
}

static void next_hop_becomes_reachable_later(void **state)
{
	struct world *w = *state;

	want_route(w, "10.1.0.0/16", "198.51.100.2", 1);
	configure(w);
	assert_string_equal(ours(), "");
	want_secondary(w, &w->interfaces[0], "198.51.100.1/24");
	configure(w);
	wait_until(ours, "10.1.0.0/16 via 198.51.100.2 dev gi0-0 metric 1 onlink ;");
	w->interfaces[0].nsecondary = 0;
	configure(w);
	assert_string_equal(ours(), "");
}

static void what_others_made_stays(void **state)
{
	struct world *w = *state;

	sh("ip tuntap add dev ptap0 mode tap && ip link set ptap0 up && ip addr add 169.254.9.1/30 dev ptap0");
	sh("ip link add other0 type bridge && ip link set other0 up && ip addr add 172.31.0.1/24 dev other0");
	sh("ip route add 10.77.0.0/16 via 172.31.0.9 && ip route add blackhole 10.78.0.0/16 proto static");
	want_interface(w, "loop5", "10.5.0.1/32");
	sh("ip link set gi0-0 up && ip route add 10.79.0.0/16 dev gi0-0 metric 1");
	want_route(w, "10.79.0.0/16", "203.0.113.2", 1);
	configure(w);
	/* Theirs of the very same key is not replaced, and that is said. */
	assert_string_equal(output("ip -4 route show 10.79.0.0/16"), "10.79.0.0/16 dev gi0-0 scope link metric 1");
	assert_string_equal(at.faults, "%PLATFORM-3-APPLY: route 10.79.0.0/16 failed: Object exists\n");
	w->cfg.ninterfaces = w->cfg.nroutes = 0;
	configure(w);
	/* Ours are gone: addresses, the loopback; theirs are as they were. */
	assert_string_equal(output("ip -4 -br addr | awk '{print $1, $3}' | tr '\\n' ';'"),
		"lo 127.0.0.1/8;ptap0 169.254.9.1/30;other0 172.31.0.1/24;");
	assert_string_equal(output("ip -4 route show 10.77.0.0/16"), "10.77.0.0/16 via 172.31.0.9 dev other0");
	assert_string_equal(output("ip -4 route show 10.78.0.0/16"), "blackhole 10.78.0.0/16 proto static");
	assert_int_equal(if_nametoindex("loop5"), 0);
	assert_string_equal(output("ip -br link show gi0-0 | awk '{print $2}'"), "DOWN");
}

static void primary_changes_and_secondaries_stay(void **state)
{
	struct world *w = *state;

	want_secondary(w, &w->interfaces[0], "203.0.113.5/24");
	want_secondary(w, &w->interfaces[0], "198.51.100.1/24");
	configure(w);
	w->interfaces[0].ip.addr = ip_of("203.0.113.7");
	configure(w);
	assert_string_equal(at.faults, "");
	assert_string_equal(output("ip -4 addr show dev gi0-0 primary | grep -o 'inet [0-9./]*' | sort | tr '\\n' ';'"),
		"inet 198.51.100.1/24;inet 203.0.113.7/24;");
	assert_string_equal(output("ip -4 addr show dev gi0-0 secondary | grep -o 'inet [0-9./]*'"), "inet 203.0.113.5/24");
}

static void fault_is_said_once_and_healed(void **state)
{
	struct world *w = *state;

	want_interface(w, "gi0-7", "10.7.0.1/24");
	configure(w);
	configure(w);
	assert_string_equal(apply_fault(at.apply, "gi0-7"), "no such device");
	assert_string_equal(at.faults, "%PLATFORM-3-APPLY: GigabitEthernet0/7: no such device\n");
	sh("ip link add gi0-7 type veth peer name far7 && ip link set far7 up");
	settle(300);
	assert_string_equal(apply_fault(at.apply, "gi0-7"), "");
	assert_string_equal(output("ip -4 -br addr show dev gi0-7 | awk '{print $3}'"), "10.7.0.1/24");

	w->interfaces[1].mtu = 60; /* less than the device takes */
	configure(w);
	assert_string_equal(apply_fault(at.apply, "gi0-1"), "mtu 60 failed: Invalid input data or parameter");
	/* The other interfaces work all the same. */
	sh("ping -c1 -W2 -q 203.0.113.2 >/dev/null");
}

static int neighbours;

static void on_neighbour(void *ctx, const struct kernel_neighbour *n)
{
	(void)ctx;
	if (n->ip == ip_of("192.0.2.77") && n->mac[5] == 0x77 && strcmp(n->ifname, "gi0-0") == 0)
		neighbours++;
}

static void neighbours_are_listed(void **state)
{
	configure(*state);
	sh("ip neigh add 192.0.2.77 lladdr 02:00:00:00:00:77 dev gi0-0");
	neighbours = 0;
	assert_int_equal(kernel_neighbours(at.kernel, on_neighbour, NULL), ERR_OK);
	assert_int_equal(neighbours, 1);
}

static struct platm_counters counters_now(const char *ifname)
{
	struct platm_counters n;
	struct box b = { 0 };

	assert_int_equal(kernel_read_links(at.kernel, &b), ERR_OK);
	assert_non_null(box_link(&b, ifname));
	n = box_link(&b, ifname)->stats;
	box_free(&b);
	return n;
}

/* The device's own counts, and those by kind, of which a virtual cable has few. */
static void counters_are_the_kernels(void **state)
{
	struct platm_counters before, now;

	configure(*state);
	before = counters_now("gi0-0");
	far("ip link set far0 down");
	far("ip link set far0 up");
	sh("ping -c3 -i0.1 -W2 -q 203.0.113.2 >/dev/null");
	now = counters_now("gi0-0");
	assert_true(now.carrier_changes == before.carrier_changes + 2);
	assert_true(now.rx_packets >= before.rx_packets + 3 && now.tx_packets >= before.tx_packets + 3);
	assert_true(now.rx_bytes >= before.rx_bytes + 3 * 98);
	assert_true(now.rx_errors == 0 && now.rx_crc == 0 && now.tx_carrier == 0 && now.collisions == 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(box_becomes_what_is_wanted, setup, teardown),
		cmocka_unit_test_setup_teardown(second_look_changes_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(routes_follow_the_line, setup, teardown),
		cmocka_unit_test_setup_teardown(next_hop_becomes_reachable_later, setup, teardown),
		cmocka_unit_test_setup_teardown(what_others_made_stays, setup, teardown),
		cmocka_unit_test_setup_teardown(primary_changes_and_secondaries_stay, setup, teardown),
		cmocka_unit_test_setup_teardown(fault_is_said_once_and_healed, setup, teardown),
		cmocka_unit_test_setup_teardown(neighbours_are_listed, setup, teardown),
		cmocka_unit_test_setup_teardown(counters_are_the_kernels, setup, teardown),
	};

	if (geteuid() != 0) {
		print_error("these tests make network namespaces: they must run as root\n");
		return 1;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
