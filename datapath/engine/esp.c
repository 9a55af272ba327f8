/* ESP packets: lengths, padding, and the tunnel's ECN rules. */
#include "datapath/engine/esp.h"

#include "datapath/engine/inner.h"

#include <string.h>

static uint32_t padded(const struct cipher_sizes *s, uint32_t inner_len)
{
	return (inner_len + 2 + s->block - 1) / s->block * s->block;
}

uint32_t esp_len(const struct cipher_sizes *s, uint32_t inner_len)
{
	return ESP_HEADER + s->iv + padded(s, inner_len) + s->icv;
}

uint16_t esp_plain_mtu(const struct cipher_sizes *s, uint16_t mtu, bool encap)
{
	uint32_t fixed = 20u + (encap ? 8 : 0) + ESP_HEADER + s->iv + s->icv;

	if (mtu < fixed + s->block)
		return 0;
	return (uint16_t)((mtu - fixed) / s->block * s->block - 2);
}

uint32_t esp_frame(uint8_t *esp, const struct cipher_sizes *s, uint32_t spi, uint32_t seq, uint32_t len, uint8_t next)
{
	uint32_t body = padded(s, len), pad = body - len - 2;
	uint8_t *at = esp + ESP_HEADER + s->iv + len;

	put32(esp, spi);
	put32(esp + 4, seq);
	for (uint32_t i = 1; i <= pad; i++)
		*at++ = (uint8_t)i;
	at[0] = (uint8_t)pad;
	at[1] = next;
	return ESP_HEADER + s->iv + body;
}

bool esp_len_valid(const struct cipher_sizes *s, uint32_t len)
{
	uint32_t fixed = (uint32_t)ESP_HEADER + s->iv + s->icv;

	return len >= fixed + s->block && (len - fixed) % s->block == 0;
}

bool esp_unframe(struct span *payload, uint8_t *next, uint8_t *esp, const struct cipher_sizes *s, uint32_t len)
{
	uint8_t *body = esp + ESP_HEADER + s->iv;
	uint32_t body_len = len - ESP_HEADER - s->iv, pad = body[body_len - 2];

	if (pad + 2 > body_len)
		return false;
	for (uint32_t i = 1; i <= pad; i++)
		if (body[body_len - 2 - pad + i - 1] != i)
			return false;
	*next = body[body_len - 1];
	*payload = (struct span){ body, body_len - 2 - pad };
	return true;
}

enum { NOT_ECT, ECT1, ECT0, CE };

bool ecn_combine(uint8_t *tos, uint8_t outer_tos)
{
	uint8_t inner = *tos & 3, outer = outer_tos & 3;

	if (inner == NOT_ECT)
		return outer != CE;
	if (outer == CE || (inner == ECT0 && outer == ECT1))
		*tos = (uint8_t)((*tos & ~3) | outer);
	return true;
}
