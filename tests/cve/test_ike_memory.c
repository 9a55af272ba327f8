/* The n-th allocation fails, for every n of one full handshake in main or aggressive mode, with keys or certificates, in fragments
 * or whole, at both ends, and of the renewal after it: no crash, no leak, and the tunnel comes all the same once memory is back.
 *
 * Only the sanitizer build can make allocations fail; elsewhere the handshakes alone are run.
 */
#include "ike_forge.h"

#include "../pair/rig_pki.h"

#include "platform/base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void ask_again(struct rig *r)
{
	if (!rig_up(r))
		rig_acquire(&r->n[0], 10, 10);
	rig_later(r, SECONDS(2), ask_again);
}

enum { MAIN_MODE, AGGRESSIVE_MODE, IN_FRAGMENTS, AGGRESSIVE_SIGNATURES, HOW };

/* What is long is lost, so that it comes in fragments. */
static bool narrow(struct rig *r, struct packet *p)
{
	(void)r;
	return p->len <= 200 || p->bytes[16] == PAYLOAD_SA;
}

static void prepare(struct rig *r, int how)
{
	for (int i = 0; i < 2; i++) {
		r->n[i].cfg->isakmp.fragmentation = how == IN_FRAGMENTS;
		r->n[i].k->frag_size = 200;
	}
	r->edit = how == IN_FRAGMENTS ? narrow : NULL;
	if (how == AGGRESSIVE_MODE) {
		cfg_isakmp_peer_add(r->n[0].cfg, "198.51.100.2", CFG_ID_HOST, "a.example.org");
		cfg_key_named_add(&r->n[1], "", "a.example.org", "a key of the two sites");
	}
	if (how == AGGRESSIVE_SIGNATURES) {
		struct authority *ca = authority_new("/CN=Root");

		rig_enroll(&r->n[0], ca, &(struct cert_want){ .subject = "/CN=A", .alt = "IP:203.0.113.1" });
		rig_enroll(&r->n[1], ca, &(struct cert_want){ .subject = "/CN=B", .alt = "IP:198.51.100.2" });
		cfg_isakmp_peer_add(r->n[0].cfg, "198.51.100.2", CFG_ID_ADDRESS, "");
		authority_free(ca);
	}
	rig_config(&r->n[0]);
	rig_config(&r->n[1]);
}

static long one_handshake(int how, long fail)
{
	struct rig *r = rig_new(1, 2);
	long used = 0;

	prepare(r, how);

	rig_map(&r->n[0], 0)->pfs = GROUP_2;
	rig_map(&r->n[0], 0)->lifetime_s = 120;
#ifdef POSTERN_FAULTS
	used = mem_count();
	mem_fail_at(fail);
#else
	(void)fail;
#endif
	rig_later(r, 0, ask_again);
	rig_run(r, SECONDS(110));
#ifdef POSTERN_FAULTS
	mem_fail_at(0);
	used = mem_count() - used;
#endif
	assert_true(rig_until(r, rig_up, SECONDS(60)));
	rig_free(r);
	return used;
}

static void every_allocation(void **state)
{
	(void)state;
	for (int how = 0; how < HOW; how++) {
		long n = one_handshake(how, 0);

		for (long i = 1; i <= n; i++)
			one_handshake(how, i);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_allocation),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
