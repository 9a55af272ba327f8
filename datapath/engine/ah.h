/* AH's header (RFC 4302, 2), and what of the IPv4 header before it is under the ICV (3.3.3.1 and appendix A).
 *
 *   IPv4 header, options | next, length, 0 | SPI | sequence | ICV | padding | payload ...
 *   |<----------- all of it is under the ICV: mutable fields and the ICV itself as zeros --------->|
 */
#ifndef POSTERN_ENGINE_AH_H
#define POSTERN_ENGINE_AH_H

#include "platform/base/bytes.h"

#include <stdbool.h>
#include <stdint.h>

#define AH_FIXED 12 /* without the ICV */

/* Length of the header with an ICV of `icv` bytes: in IPv4 a multiple of four. */
uint8_t ah_len(uint8_t icv);
/* Could a peer have made that length? Linux pads to eight by itself, as IPv6 wants it. */
bool ah_len_valid(uint8_t icv, uint32_t len);
/* Writes the header; ICV and padding as zeros. */
void ah_frame(uint8_t *ah, uint8_t icv, uint8_t next, uint32_t spi, uint32_t seq);
/* Zeroes what may change on the way in an IPv4 header of `len` bytes. False: the options are not sound. */
bool ah_mute(uint8_t *header, uint32_t len);

#endif
