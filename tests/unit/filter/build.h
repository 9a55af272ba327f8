/* Snapshots for tests from a few words a line:
 *
 *   interface GigabitEthernet0/0 203.0.113.1/24 [in LIST] [out LIST] [map NAME] [mss N]
 *   list NAME extended|standard
 *     permit tcp 10.0.0.0 0.0.0.255 any eq 80 established log      (numbered 10, 20, ... unless a number stands in front)
 *   map NAME SEQ LIST [incomplete]
 */
#ifndef POSTERN_TESTS_FILTER_BUILD_H
#define POSTERN_TESTS_FILTER_BUILD_H

#include "configdb/cfg.h"

/* Fails the test on what it does not understand. The caller frees with build_free. */
struct cfg *build_cfg(const char *text);
void build_free(struct cfg *c);

#endif
