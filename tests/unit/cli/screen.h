/* What a formatter wrote, beside what a file says. */
#ifndef TESTS_CLI_SCREEN_H
#define TESTS_CLI_SCREEN_H

#include "cli/out.h"

struct captured {
	struct stage_text stage;
	struct out out;
};

void capture_begin(struct captured *c);
/* The text; freed by the next capture_begin or capture_free. */
const char *capture_end(struct captured *c);
void capture_free(struct captured *c);

/* Fails with both texts if `c` is not what tests/unit/cli/golden/NAME.txt holds. With POSTERN_GOLDEN=write in the environment
 * it writes the file instead. */
void assert_golden(struct captured *c, const char *name);

#endif
