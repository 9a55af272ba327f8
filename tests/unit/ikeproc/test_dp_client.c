/* The connection to datapathd: attachment, answers, events, and what happens when it dies. */
#include "fake.h"
#include "ikemgr/proc/dp_client.h"
#include "platform/base/log.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct fixture {
	struct loop *loop;
	char *folder;
	struct fake_dp dp;
	struct dp_client *client;
	bool attached, detached, listed, answered, acquired, passed;
	bool restarted, native_esp;
	unsigned nsas, answers;
	uint64_t serial;
	enum err e;
	uint32_t spi;
	struct dpm_acquire acquire;
	struct dpm_packet head;
	char passed_bytes[32];
};

static void on_attached(void *ctx, const struct dpm_attached *a, int ike_fd, int natt_fd, bool restarted)
{
	struct fixture *f = ctx;

	close(ike_fd);
	close(natt_fd);
	f->attached = true;
	f->native_esp = a->native_esp;
	f->restarted = restarted;
}

static void on_detached(void *ctx)
{
	struct fixture *f = ctx;

	f->detached = true;
}

static void on_sa(void *ctx, const struct dpm_sa_info *sa)
{
	struct fixture *f = ctx;

	assert_int_equal(sa->key.spi, 77 + f->nsas);
	f->nsas++;
}

static void on_listed(void *ctx)
{
	struct fixture *f = ctx;

	f->listed = true;
}

static void on_spi(void *ctx, uint64_t serial, enum err e, uint32_t spi)
{
	struct fixture *f = ctx;

	f->answered = true;
	f->answers++;
	f->serial = serial;
	f->e = e;
	f->spi = spi;
}

static void on_sa_put(void *ctx, uint64_t serial, enum err e)
{
	on_spi(ctx, serial, e, 0);
}

static void on_acquire(void *ctx, const struct dpm_acquire *a)
{
	struct fixture *f = ctx;

	f->acquired = true;
	f->acquire = *a;
}

static void on_passed(void *ctx, const struct dpm_packet *head, struct span bytes)
{
	struct fixture *f = ctx;

	f->passed = true;
	memcpy(&f->head, head, sizeof(f->head));
	memcpy(f->passed_bytes, bytes.data, bytes.len);
}

static const struct dp_handlers handlers = {
	.attached = on_attached,
	.detached = on_detached,
	.sa = on_sa,
	.listed = on_listed,
	.spi = on_spi,
	.sa_put = on_sa_put,
	.acquire = on_acquire,
	.passed_ike = on_passed,
};

static void quiet(void *ctx, enum log_severity severity, const char *line)
{
	(void)ctx;
	(void)severity;
	(void)line;
}

static int setup(void **state)
{
	static struct fixture f;

	f = (struct fixture){ .loop = loop_new(), .folder = folder_make(), .dp.native_esp = true };
	log_capture(quiet, NULL);
	f.client = dp_client_new(f.loop, f.folder, &handlers, &f);
	*state = &f;
	return f.client ? 0 : -1;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	dp_client_free(f->client);
	if (f->dp.server)
		fake_dp_stop(&f->dp);
	loop_free(f->loop);
	folder_remove(f->folder);
	log_capture(NULL, NULL);
	return 0;
}

static void start(struct fixture *f)
{
	fake_dp_start(&f->dp, f->loop, f->folder);
	loop_until(f->loop, &f->listed);
}

/* It may come later than we do. */
static void attaches_when_it_comes(void **state)
{
	struct fixture *f = *state;

	loop_for(f->loop, 50000);
	assert_false(f->attached);
	f->dp.nsas = 2;
	f->dp.sas[0].key.spi = 77;
	f->dp.sas[1].key.spi = 78;
	start(f);
	assert_true(f->attached);
	assert_true(f->native_esp);
	assert_false(f->restarted);
	assert_int_equal(f->nsas, 2);
}

static void requests_and_answers(void **state)
{
	struct fixture *f = *state;
	struct dpm_spi want = { .protocol = 50 };
	struct dpm_sa sa = { .key.spi = 0x1234 };

	start(f);
	dp_spi_alloc(f->client, 900, &want);
	assert_false(f->answered); /* never from inside the call */
	loop_until(f->loop, &f->answered);
	assert_int_equal(f->serial, 900);
	assert_int_equal(f->e, ERR_OK);
	assert_int_equal(f->spi, 0x1000);
	f->answered = false;
	f->dp.put_status = ERR_EXISTS;
	dp_sa_put(f->client, 901, &sa);
	loop_until(f->loop, &f->answered);
	assert_int_equal(f->serial, 901);
	assert_int_equal(f->e, ERR_EXISTS);
	assert_int_equal(f->dp.last_sa.key.spi, 0x1234);
}

static void events(void **state)
{
	struct fixture *f = *state;
	struct dpm_acquire a = { .protocol = 17 };
	struct {
		struct dpm_packet head;
		char bytes[6];
	} p = { .head.remote_port = 99, .bytes = "hello" };

	start(f);
	snprintf(a.policy.map, sizeof(a.policy.map), "VPN");
	fake_dp_event(&f->dp, DPM_ACQUIRE, span_of(&a, sizeof(a) - 1)); /* not the length of an acquire */
	loop_for(f->loop, 20000);
	assert_false(f->acquired);
	fake_dp_event(&f->dp, DPM_ACQUIRE, span_of(&a, sizeof(a)));
	loop_until(f->loop, &f->acquired);
	assert_string_equal(f->acquire.policy.map, "VPN");
	fake_dp_event(&f->dp, DPM_PASSED_IKE, span_of(&p, offsetof(struct dpm_packet, bytes) + sizeof(p.bytes)));
	loop_until(f->loop, &f->passed);
	assert_int_equal(f->head.remote_port, 99);
	assert_string_equal(f->passed_bytes, "hello");
}

/* What is open fails, what comes later fails, and then it is attached again. */
static void death_and_return(void **state)
{
	struct fixture *f = *state;
	struct dpm_spi want = { .protocol = 50 };

	start(f);
	f->dp.silent = true;
	dp_spi_alloc(f->client, 1, &want);
	loop_for(f->loop, 20000);
	fake_dp_stop(&f->dp);
	loop_until(f->loop, &f->answered);
	assert_true(f->detached);
	assert_int_equal(f->e, ERR_CLOSED);
	f->answered = false;
	dp_spi_alloc(f->client, 2, &want);
	loop_until(f->loop, &f->answered);
	assert_int_equal(f->serial, 2);
	assert_int_equal(f->e, ERR_CLOSED);
	f->listed = false;
	f->dp.silent = false;
	start(f);
	assert_int_equal(f->dp.attached, 2);
	assert_false(f->restarted); /* the same process listens */
	f->answered = false;
	dp_spi_alloc(f->client, 3, &want);
	loop_until(f->loop, &f->answered);
	assert_int_equal(f->e, ERR_OK);
	assert_int_equal(f->answers, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(attaches_when_it_comes, setup, teardown),
		cmocka_unit_test_setup_teardown(requests_and_answers, setup, teardown),
		cmocka_unit_test_setup_teardown(events, setup, teardown),
		cmocka_unit_test_setup_teardown(death_and_return, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
