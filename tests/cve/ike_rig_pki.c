/* Certificates for it; a file of its own, as in tests/pair. */
#include "../pair/rig_pki.c" /* NOLINT(bugprone-suspicious-include) */
