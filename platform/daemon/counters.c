/* Five-minute rates: every 5 s the average moves by 1/60 of the way to what was measured. */
#include "platform/daemon/counters.h"

#include "platform/base/mem.h"

#include <string.h>

#define WINDOW_US (300.0 * 1000000)

void counters_free(struct counters *c)
{
	mem_free(c->of);
	*c = (struct counters){ 0 };
}

const struct counters_of *counters_find(const struct counters *c, const char *ifname)
{
	for (size_t i = 0; i < c->n; i++)
		if (strcmp(c->of[i].ifname, ifname) == 0)
			return &c->of[i];
	return NULL;
}

static struct counters_of *entry(struct counters *c, const struct box_link *l, uint64_t now_us)
{
	struct counters_of *e = (struct counters_of *)counters_find(c, l->ifname), *all;

	if (e != NULL)
		return e;
	all = mem_realloc_array(c->of, c->n + 1, sizeof(*all));
	if (all == NULL)
		return NULL;
	c->of = all;
	e = &all[c->n++];
	memset(e, 0, sizeof(*e));
	memcpy(e->ifname, l->ifname, sizeof(e->ifname));
	e->last = l->stats;
	e->last_us = now_us;
	return e;
}

/* A device that was made anew counts from zero again. */
static uint64_t since(uint64_t now, uint64_t before)
{
	return now >= before ? now - before : now;
}

static void average(double *rate, uint64_t amount, uint64_t took_us)
{
	double part = (double)took_us / WINDOW_US;

	*rate += ((double)amount * 1000000 / (double)took_us - *rate) * (part < 1 ? part : 1);
	if (*rate < 0.5 && amount == 0)
		*rate = 0;
}

enum err counters_sample(struct counters *c, const struct box_link *l, uint64_t now_us)
{
	struct counters_of *e = entry(c, l, now_us);
	uint64_t took;

	if (e == NULL)
		return ERR_NOMEM;
	if (l->stats.rx_packets != e->rx_seen)
		e->input_us = now_us;
	if (l->stats.tx_packets != e->tx_seen)
		e->output_us = now_us;
	e->rx_seen = l->stats.rx_packets;
	e->tx_seen = l->stats.tx_packets;
	took = now_us - e->last_us;
	if (took < COUNTERS_PERIOD_US * 9 / 10)
		return ERR_OK;
	average(&e->rx_bps, since(l->stats.rx_bytes, e->last.rx_bytes) * 8, took);
	average(&e->rx_pps, since(l->stats.rx_packets, e->last.rx_packets), took);
	average(&e->tx_bps, since(l->stats.tx_bytes, e->last.tx_bytes) * 8, took);
	average(&e->tx_pps, since(l->stats.tx_packets, e->last.tx_packets), took);
	average(&e->error_pps, since(l->stats.rx_errors, e->last.rx_errors) + since(l->stats.tx_errors, e->last.tx_errors), took);
	e->last = l->stats;
	e->last_us = now_us;
	return ERR_OK;
}
