/* IP addresses and what people write of them.
 *
 * `struct addr` carries both families so that messages and tables need no change for IPv6.
 * IPv4 numbers (`uint32_t`) are in host byte order everywhere outside packets.
 */
#ifndef POSTERN_BASE_ADDR_H
#define POSTERN_BASE_ADDR_H

#include "err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

struct addr {
	uint8_t family;    /* AF_UNSPEC, AF_INET or AF_INET6 */
	uint8_t bytes[16]; /* network order; IPv4 uses the first four, the rest are zero */
};

#define ADDR_TEXT 46

struct addr addr_v4(uint32_t host_order);
uint32_t addr_to_v4(struct addr a); /* 0 if not IPv4 */
bool addr_equal(struct addr a, struct addr b);
int addr_cmp(struct addr a, struct addr b);
bool addr_is_set(struct addr a);                      /* has a family */
char *addr_print(char out[ADDR_TEXT], struct addr a); /* returns out; "-" when unset */
enum err addr_parse(struct addr *a, const char *text) MUST_CHECK;
/* For socket calls. Returns the length. */
socklen_t addr_to_sockaddr(struct sockaddr_storage *ss, struct addr a, uint16_t port);
enum err addr_from_sockaddr(struct addr *a, uint16_t *port, const struct sockaddr_storage *ss) MUST_CHECK;

char *ip4_print(char out[16], uint32_t ip);
enum err ip4_parse(uint32_t *ip, const char *text) MUST_CHECK; /* strict A.B.C.D: no leading zeros, no short forms */
bool ip4_mask_valid(uint32_t mask);                            /* contiguous ones */
int ip4_mask_len(uint32_t mask);                               /* 0..32 */
uint32_t ip4_mask_of(int len);

#endif
