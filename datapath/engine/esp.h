/* The ESP packet's shape (RFC 4303, 2), and what stands between inner and outer header (RFC 4301 5.1.2, RFC 6040).
 *
 *   esp                    payload at esp + 8 + iv: in tunnel mode an IPv4 packet, whose number is 4
 *   | SPI | sequence | IV | payload | 1 2 3 .. n | n | number | ICV |
 */
#ifndef POSTERN_ENGINE_ESP_H
#define POSTERN_ENGINE_ESP_H

#include "datapath/engine/cipher.h"

#include <stdbool.h>

#define ESP_HEADER    8
#define ESP_NEXT_IPV4 4
#define ESP_NEXT_NONE 59 /* dummy packets: RFC 4303, 2.6 */

/* The whole ESP packet's length, ICV included. */
uint32_t esp_len(const struct cipher_sizes *s, uint32_t inner_len);
/* The longest inner packet whose outer IP packet is not over `mtu`; `encap`: in UDP. 0: none fits. */
uint16_t esp_plain_mtu(const struct cipher_sizes *s, uint16_t mtu, bool encap);
/* Writes header, padding and trailer round the payload, which stands at its place already; the IV is the caller's. `next`: what the
 * payload is. Returns the length without ICV. */
uint32_t esp_frame(uint8_t *esp, const struct cipher_sizes *s, uint32_t spi, uint32_t seq, uint32_t len, uint8_t next);
/* Could a packet of that length (ICV included) have been made with these sizes? */
bool esp_len_valid(const struct cipher_sizes *s, uint32_t len);

/* Takes the padding off an opened packet of `len` bytes without ICV: the payload, and what it is. False: the padding is wrong. */
bool esp_unframe(struct span *payload, uint8_t *next, uint8_t *esp, const struct cipher_sizes *s, uint32_t len);

/* The inner TOS byte after the outer header's ECN field was combined into it; false: the packet must be dropped (RFC 6040, 4.2). */
bool ecn_combine(uint8_t *tos, uint8_t outer_tos);

#endif
