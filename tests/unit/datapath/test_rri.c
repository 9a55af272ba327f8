/* Which routes the SAs and the lists of entries with reverse-route want. */
#include "datapath/rri.h"
#include "tests/unit/filter/build.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define PEER  0xc6336402u
#define OTHER 0xc6336403u

static const char site[] =
	"interface GigabitEthernet0/0 203.0.113.1/24 map VPN\nlist A extended\n"
	" deny ip any 10.9.0.0 0.0.255.255\n permit ip any 10.1.0.0 0.0.255.255\n permit ip any any\n"
	" permit ip any host 198.51.100.2\n permit ip any 10.1.0.0 0.0.255.255\n permit ip any 10.0.2.0 0.0.0.255\n"
	"map VPN 10 A\nmap VPN 20 dynamic D\ndynamic D 5\ndynamic D 6\n";

static struct dpm_sa_info sa(uint16_t map_seq, uint32_t number, uint32_t from, uint32_t to)
{
	return (struct dpm_sa_info){ .policy = { "GigabitEthernet0/0", "VPN", map_seq, number },
		.remote = addr_v4(OTHER),
		.sel = { .remote = { addr_v4(from), addr_v4(to), 0, 65535 } } };
}

static void lists(void **state)
{
	struct cfg *c = build_cfg(site);
	struct rri_list l = { 0 };
	struct dpm_sa_info i = sa(10, 20, 0x0a070000, 0x0a07ffff);
	struct dynamics none = { 0 };

	(void)state;
	assert_false(rri_configured(c));
	assert_int_equal(rri_static(&l, c), ERR_OK);
	assert_int_equal(rri_sa(&l, c, &none, &i), ERR_OK);
	assert_int_equal(l.n, 0);
	c->maps[0].reverse_route = RRI_STATIC;
	assert_true(rri_configured(c));
	assert_int_equal(rri_static(&l, c), ERR_OK);
	assert_int_equal(rri_sa(&l, c, &none, &i), ERR_OK); /* the list says it already */
	/* Neither everything nor the peer itself, and each once. */
	assert_int_equal(l.n, 2);
	assert_true(l.routes[0].prefix == 0x0a010000 && l.routes[0].mask == 0xffff0000 && l.routes[0].peer == PEER);
	assert_true(l.routes[1].prefix == 0x0a000200 && l.routes[1].mask == 0xffffff00);
	rri_free(&l);
	c->interfaces[0].shutdown = true;
	assert_int_equal(rri_static(&l, c), ERR_OK);
	assert_int_equal(l.n, 0);
	build_free(c);
}

static void sas(void **state)
{
	struct cfg *c = build_cfg(site);
	struct dpm_dynamic p[2] = {
		{ .id = { "GigabitEthernet0/0", "VPN", 20, DP_ACE_DYNAMIC | 1 }, .dynamic = "D", .dynamic_seq = 5 },
		{ .id = { "GigabitEthernet0/0", "VPN", 20, DP_ACE_DYNAMIC | 2 }, .dynamic = "D", .dynamic_seq = 6 }
	};
	struct dynamics two = { p, 2, 2 };
	struct rri_list l = { 0 };
	struct dpm_sa_info i = sa(10, 20, 0x0a070000, 0x0a07ffff), in = i;

	(void)state;
	c->maps[0].reverse_route = c->dynamics[0].reverse_route = RRI_ON;
	in.key.inbound = 1;
	assert_int_equal(rri_sa(&l, c, &two, &in), ERR_OK);
	assert_int_equal(l.n, 0);
	assert_int_equal(rri_sa(&l, c, &two, &i), ERR_OK);
	assert_true(l.n == 1 && l.routes[0].prefix == 0x0a070000 && l.routes[0].mask == 0xffff0000 && l.routes[0].peer == OTHER);
	/* Of a dynamic map its own entry decides; a range is several routes. */
	i = sa(20, DP_ACE_DYNAMIC | 2, 1, 2);
	assert_int_equal(rri_sa(&l, c, &two, &i), ERR_OK);
	assert_int_equal(l.n, 1);
	i = sa(20, DP_ACE_DYNAMIC | 1, 0xac100001, 0xac100002);
	assert_int_equal(rri_sa(&l, c, &two, &i), ERR_OK);
	assert_true(l.n == 3 && l.routes[1].mask == 0xffffffff && l.routes[2].prefix == 0xac100002);
	i = sa(20, DP_ACE_DYNAMIC | 3, 1, 2); /* of a policy that is gone */
	assert_int_equal(rri_sa(&l, c, &two, &i), ERR_OK);
	assert_int_equal(l.n, 3);
	rri_free(&l);
	build_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lists),
		cmocka_unit_test(sas),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
