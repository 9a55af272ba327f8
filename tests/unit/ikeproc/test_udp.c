/* The sockets of IKE on the loopback net: addresses, marker, keepalives, strays.
 *
 *   127.0.0.1  struct udp   <-->   plain sockets  127.0.0.2
 */
#include "fake.h"
#include "ikemgr/proc/udp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct fixture {
	struct loop *loop;
	struct udp *udp;
	uint16_t ports[2], peer_port;
	int peer;
	bool got;
	unsigned ike, esp, batches;
	struct ike_path path;
	uint8_t bytes[64];
	size_t len;
};

static void keep(struct fixture *f, const struct ike_path *path, struct span packet)
{
	f->path = *path;
	f->len = packet.len;
	memcpy(f->bytes, packet.data, packet.len < sizeof(f->bytes) ? packet.len : sizeof(f->bytes));
}

static void on_ike(void *ctx, const struct ike_path *path, struct span packet)
{
	struct fixture *f = ctx;

	keep(f, path, packet);
	f->ike++;
}

static void on_esp(void *ctx, const struct ike_path *path, struct span packet)
{
	struct fixture *f = ctx;

	keep(f, path, packet);
	f->esp++;
}

static void on_end(void *ctx)
{
	struct fixture *f = ctx;

	f->batches++;
	f->got = true;
}

static const struct udp_handlers handlers = { on_ike, on_esp, on_end };

static int setup(void **state)
{
	static struct fixture f;

	f = (struct fixture){ .loop = loop_new() };
	int ike = udp_bound("0.0.0.0", &f.ports[0]), natt = udp_bound("0.0.0.0", &f.ports[1]);
	f.peer = udp_bound("127.0.0.2", &f.peer_port);
	f.udp = udp_new(f.loop, ike, natt, &handlers, &f);
	*state = &f;
	return f.udp ? 0 : -1;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	udp_free(f->udp);
	close(f->peer);
	loop_free(f->loop);
	return 0;
}

static void peer_sends(struct fixture *f, const char *to, uint16_t port, const void *data, size_t len)
{
	struct sockaddr_storage ss;
	struct addr a;

	assert_int_equal(addr_parse(&a, to), ERR_OK);
	socklen_t n = addr_to_sockaddr(&ss, a, port);
	assert_int_equal(sendto(f->peer, data, len, 0, (struct sockaddr *)&ss, n), len);
}

/* The local address is the one that was addressed, not the one that is bound. */
static void received_with_its_addresses(void **state)
{
	struct fixture *f = *state;
	char text[ADDR_TEXT];

	peer_sends(f, "127.0.0.5", f->ports[0], "hello", 5);
	loop_until(f->loop, &f->got);
	assert_int_equal(f->ike, 1);
	assert_string_equal(addr_print(text, f->path.local), "127.0.0.5");
	assert_string_equal(addr_print(text, f->path.remote), "127.0.0.2");
	assert_int_equal(f->path.remote_port, f->peer_port);
	assert_int_equal(f->path.local_port, 500);
	assert_memory_equal(f->bytes, "hello", 5);
}

static void marker_is_taken_off(void **state)
{
	struct fixture *f = *state;

	peer_sends(f, "127.0.0.1", f->ports[1], "\0\0\0\0hello", 9);
	loop_until(f->loop, &f->got);
	assert_int_equal(f->ike, 1);
	assert_int_equal(f->len, 5);
	assert_int_equal(f->path.local_port, 4500);
}

static void strays_on_4500(void **state)
{
	struct fixture *f = *state;

	peer_sends(f, "127.0.0.1", f->ports[1], "\xff", 1);
	peer_sends(f, "127.0.0.1", f->ports[1], "\0\0\0\0", 4);
	peer_sends(f, "127.0.0.1", f->ports[1], "\x12\x34\x56\x78 esp", 8);
	for (int i = 0; i < 15000 && (!f->esp || !udp_stats(f->udp)->malformed || !udp_stats(f->udp)->keepalives); i++)
		loop_for(f->loop, 2000);
	assert_int_equal(f->ike, 0);
	assert_int_equal(f->esp, 1);
	assert_int_equal(f->len, 8);
	assert_int_equal(udp_stats(f->udp)->keepalives, 1);
	assert_int_equal(udp_stats(f->udp)->malformed, 1);
}

/* More than one batch, and what is too long, in order and without loss. */
static void batches(void **state)
{
	struct fixture *f = *state;
	static uint8_t big[17000];

	for (int i = 0; i < 100; i++)
		peer_sends(f, "127.0.0.1", f->ports[0], "hello", 5);
	peer_sends(f, "127.0.0.1", f->ports[0], big, sizeof(big));
	for (int i = 0; i < 15000 && udp_stats(f->udp)->received < 101; i++)
		loop_for(f->loop, 2000);
	assert_int_equal(f->ike, 100);
	assert_int_equal(udp_stats(f->udp)->received, 101);
	assert_int_equal(udp_stats(f->udp)->malformed, 1);
	assert_true(f->batches < 10);
}

/* What the peer gets, and from which address. */
static size_t peer_gets(struct fixture *f, uint8_t *out, char from[ADDR_TEXT], uint16_t *port)
{
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);
	struct addr a;
	ssize_t n = recvfrom(f->peer, out, 64, 0, (struct sockaddr *)&ss, &len);

	assert_true(n >= 0);
	assert_int_equal(addr_from_sockaddr(&a, port, &ss), ERR_OK);
	addr_print(from, a);
	return (size_t)n;
}

static void sent_from_the_paths_address(void **state)
{
	struct fixture *f = *state;
	struct ike_path path = { .local_port = 500, .remote_port = f->peer_port };
	char from[ADDR_TEXT];
	uint16_t port;
	uint8_t got[64];

	assert_int_equal(addr_parse(&path.local, "127.0.0.9"), ERR_OK);
	assert_int_equal(addr_parse(&path.remote, "127.0.0.2"), ERR_OK);
	udp_send(f->udp, &path, span_of("hello", 5));
	assert_int_equal(peer_gets(f, got, from, &port), 5);
	assert_string_equal(from, "127.0.0.9");
	assert_int_equal(port, f->ports[0]);
	path.local_port = 4500;
	udp_send(f->udp, &path, span_of("hello", 5));
	assert_int_equal(peer_gets(f, got, from, &port), 9);
	assert_memory_equal(got, "\0\0\0\0hello", 9);
	assert_int_equal(port, f->ports[1]);
	udp_keepalive(f->udp, &path);
	assert_int_equal(peer_gets(f, got, from, &port), 1);
	assert_int_equal(got[0], 0xff);
	assert_int_equal(udp_stats(f->udp)->sent, 3);
}

static void an_address_that_is_not_ours(void **state)
{
	struct fixture *f = *state;
	struct ike_path path = { .local_port = 500, .remote_port = f->peer_port };

	assert_int_equal(addr_parse(&path.local, "192.0.2.77"), ERR_OK);
	assert_int_equal(addr_parse(&path.remote, "127.0.0.2"), ERR_OK);
	udp_send(f->udp, &path, span_of("hello", 5));
	assert_int_equal(udp_stats(f->udp)->send_failed, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(received_with_its_addresses, setup, teardown),
		cmocka_unit_test_setup_teardown(marker_is_taken_off, setup, teardown),
		cmocka_unit_test_setup_teardown(strays_on_4500, setup, teardown),
		cmocka_unit_test_setup_teardown(batches, setup, teardown),
		cmocka_unit_test_setup_teardown(sent_from_the_paths_address, setup, teardown),
		cmocka_unit_test_setup_teardown(an_address_that_is_not_ours, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
