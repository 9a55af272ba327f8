/* A backend that protects nothing and remembers everything. */
#ifndef POSTERN_TESTS_FAKE_BACKEND_H
#define POSTERN_TESTS_FAKE_BACKEND_H

#include "datapath/backend.h"

#define FAKE_SAS 32

/* What was asked of it; there is one at a time. */
struct fake {
	struct backend_args args;
	int sockets[2];
	struct dpm_sa_info sas[FAKE_SAS];
	size_t nsas;
	uint32_t next_spi;
	/* Of the last policy_replace: copies. */
	struct backend_policy *entries;
	size_t nentries;
	int replaced;
	struct dpm_policy_state last_state;
	int states;
	struct addr flushed;
	int flushes, moves, passed, cleared;
	bool seen;
	size_t passed_len;
	char cleared_acl[CFG_NAME];
	struct backend_line_count lines[4];
	size_t nlines;
	enum err refuse; /* what sa_put and policy_replace answer; ERR_OK: they work */
};

extern struct fake fake;
extern const struct backend_ops fake_backend;

/* Raises an event as the backend would. */
void fake_acquire(const struct dp_policy_id *id);

#endif
