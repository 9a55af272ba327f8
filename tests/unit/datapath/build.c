/* The snapshots of tests/unit/filter, for the tests of this folder. */
#include "tests/unit/filter/build.c"
