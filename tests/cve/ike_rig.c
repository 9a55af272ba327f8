/* The rig of tests/pair, for the tests of this folder. */
#include "../pair/rig.c"      /* NOLINT(bugprone-suspicious-include) */
#include "../pair/rig_host.c" /* NOLINT(bugprone-suspicious-include) */
#include "../pair/rig_cfg.c"  /* NOLINT(bugprone-suspicious-include) */
