/* AH's ICV, checked apart from the engine. */
#ifndef POSTERN_TESTS_ENGINE_AH_ICV_H
#define POSTERN_TESTS_ENGINE_AH_ICV_H

#include <stdbool.h>
#include <stdint.h>

/* Fails the test unless the ICV of a whole packet of erig_ah's SA is right; `high` of the sequence number counts with `esn` alone.
 */
void ah_icv_check(const uint8_t *packet, uint32_t len, uint32_t high, bool esn);

#endif
