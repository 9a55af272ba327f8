/* Ethernet, ARP, IPv4, and what an IPsec engineer looks for in it. Bytes come from the wire: struct reader takes them. */
#include "cli/capture/packet.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define PORT_IKE  500
#define PORT_NATT 4500

static const char *word_of(const char *const *words, size_t n, size_t i)
{
	return i < n && words[i] ? words[i] : NULL;
}
#define WORD(list, i) word_of(list, sizeof(list) / sizeof((list)[0]), i)

static void icmp(struct packet_words *w, struct reader *r, unsigned ttl)
{
	static const char *const types[] = { [0] = "Echo (ping) reply",
		[3] = "Destination unreachable",
		[5] = "Redirect",
		[8] = "Echo (ping) request",
		[11] = "Time-to-live exceeded" };
	unsigned type = reader_u8(r), code = reader_u8(r);
	unsigned id, seq;
	const char *name = WORD(types, type);

	reader_skip(r, 2);
	id = reader_u16(r);
	seq = reader_u16(r);
	snprintf(w->protocol, sizeof(w->protocol), "ICMP");
	if (r->failed)
		return;
	if (type == 8 || type == 0)
		snprintf(w->info, sizeof(w->info), "%-20s id=0x%04x, seq=%u/%u, ttl=%u", name, id, seq, (seq & 255) << 8 | seq >> 8,
			ttl);
	else if (name)
		snprintf(w->info, sizeof(w->info), "%s (code %u)", name, code);
	else
		snprintf(w->info, sizeof(w->info), "Type %u (code %u)", type, code);
}

static void isakmp(struct packet_words *w, struct reader *r)
{
	static const char *const exchanges[] = { [1] = "Base",
		[2] = "Identity Protection (Main Mode)",
		[4] = "Aggressive",
		[5] = "Informational",
		[6] = "Transaction (Config Mode)",
		[32] = "Quick Mode",
		[33] = "New Group Mode",
		[34] = "IKE_SA_INIT",
		[35] = "IKE_AUTH",
		[36] = "CREATE_CHILD_SA",
		[37] = "INFORMATIONAL" };
	uint64_t cookie = reader_u64(r);
	unsigned exchange, flags;
	uint32_t id;
	const char *name;

	reader_skip(r, 8 + 1 + 1); /* responder's cookie, first payload, version */
	exchange = reader_u8(r);
	flags = reader_u8(r);
	id = reader_u32(r);
	name = WORD(exchanges, exchange);
	if (r->failed)
		return;
	w->cookie = cookie;
	if (!name)
		return;
	snprintf(w->protocol, sizeof(w->protocol), "ISAKMP");
	snprintf(w->info, sizeof(w->info), "%s%s, cookie=%016" PRIx64 ", message-id=0x%08" PRIx32, name,
		flags & 1 ? " (encrypted)" : "", cookie, id);
}

static void esp(struct packet_words *w, struct reader *r)
{
	uint32_t spi = reader_u32(r), seq = reader_u32(r);

	size_t n = strlen(w->info);

	snprintf(w->protocol, sizeof(w->protocol), "ESP");
	if (r->failed)
		return;
	w->esp_spi = spi;
	snprintf(w->info + n, sizeof(w->info) - n, "%sESP (SPI=0x%08" PRIx32 "), seq=%" PRIu32, n ? ", " : "", spi, seq);
}

static void ah(struct packet_words *w, struct reader *r)
{
	unsigned next = reader_u8(r), words = reader_u8(r);
	uint32_t spi, seq;

	reader_skip(r, 2);
	spi = reader_u32(r);
	seq = reader_u32(r);
	snprintf(w->protocol, sizeof(w->protocol), "AH");
	if (r->failed)
		return;
	snprintf(w->info, sizeof(w->info), "AH (SPI=0x%08" PRIx32 "), seq=%" PRIu32 ", next=%u", spi, seq, next);
	/* In words of four bytes, less two: RFC 4302, 2.2. */
	reader_skip(r, words > 1 ? (words - 1) * 4u : 0);
	if (next == 50)
		esp(w, r);
}

static void tcp(struct packet_words *w, struct reader *r)
{
	static const char *const bits[] = { "FIN", "SYN", "RST", "PSH", "ACK", "URG" };
	unsigned from = reader_u16(r), to = reader_u16(r), flags;
	uint32_t seq = reader_u32(r);
	int n;

	reader_skip(r, 5);
	flags = reader_u8(r);
	snprintf(w->protocol, sizeof(w->protocol), "TCP");
	if (r->failed)
		return;
	n = snprintf(w->info, sizeof(w->info), "%u -> %u [", from, to);
	for (unsigned i = 0, first = 1; i < 6; i++)
		if (flags >> i & 1) {
			n += snprintf(w->info + n, sizeof(w->info) - (size_t)n, "%s%s", first ? "" : ", ", bits[i]);
			first = 0;
		}
	snprintf(w->info + n, sizeof(w->info) - (size_t)n, "] Seq=%" PRIu32, seq);
}

/* UDP, and in it IKE, and ESP by the marker of RFC 3948, 2.2. */
static void udp(struct packet_words *w, struct reader *r)
{
	unsigned from = reader_u16(r), to = reader_u16(r), len = reader_u16(r);
	struct reader in;

	reader_skip(r, 2);
	snprintf(w->protocol, sizeof(w->protocol), "UDP");
	if (r->failed)
		return;
	snprintf(w->info, sizeof(w->info), "%u -> %u Len=%u", from, to, len < 8 ? 0 : len - 8);
	in = *r;
	if (from == PORT_NATT || to == PORT_NATT) {
		if (reader_left(&in) == 1) {
			snprintf(w->info, sizeof(w->info), "NAT-keepalive");
		} else if (reader_left(&in) >= 8 && reader_u32(&in) == 0) {
			isakmp(w, &in);
		} else if (reader_left(r) >= 8) {
			w->info[0] = '\0';
			esp(w, r);
		}
	} else if (from == PORT_IKE || to == PORT_IKE) {
		isakmp(w, &in);
	}
}

static const struct {
	unsigned number;
	void (*read)(struct packet_words *w, struct reader *r);
} uppers[] = { { 6, tcp }, { 17, udp }, { 50, esp }, { 51, ah } };

static void address(char out[40], struct span a)
{
	snprintf(out, 40, "%u.%u.%u.%u", a.data[0], a.data[1], a.data[2], a.data[3]);
}

static void ipv4(struct packet_words *w, struct reader *r)
{
	unsigned first = reader_u8(r), tos = reader_u8(r), len = reader_u16(r), id = reader_u16(r), at = reader_u16(r),
		 ttl = reader_u8(r), protocol = reader_u8(r);
	struct span src, dst;

	reader_skip(r, 2);
	src = reader_bytes(r, 4);
	dst = reader_bytes(r, 4);
	snprintf(w->protocol, sizeof(w->protocol), "IPv4");
	if (r->failed || first >> 4 != 4 || (first & 15) < 5)
		return;
	address(w->src, src);
	address(w->dst, dst);
	snprintf(w->ip, sizeof(w->ip), "Tos 0x%02x, Length %u, Id 0x%04x, %s%sOffset %u, TTL %u, Protocol %u", tos, len, id,
		at & 0x4000 ? "DF, " : "", at & 0x2000 ? "MF, " : "", (at & 0x1fff) * 8, ttl, protocol);
	reader_skip(r, ((first & 15) - 5) * 4);
	if (at & 0x1fff) {
		snprintf(w->info, sizeof(w->info), "Fragment, protocol %u, offset %u", protocol, (at & 0x1fff) * 8);
		return;
	}
	if (protocol == 1)
		icmp(w, r, ttl);
	for (size_t i = 0; i < sizeof(uppers) / sizeof(uppers[0]); i++)
		if (uppers[i].number == protocol)
			uppers[i].read(w, r);
	if (w->info[0] == '\0')
		snprintf(w->info, sizeof(w->info), "Protocol %u", protocol);
}

static void arp(struct packet_words *w, struct reader *r)
{
	unsigned op;
	struct span sender, target;

	reader_skip(r, 6);
	op = reader_u16(r);
	reader_skip(r, 6);
	sender = reader_bytes(r, 4);
	reader_skip(r, 6);
	target = reader_bytes(r, 4);
	snprintf(w->protocol, sizeof(w->protocol), "ARP");
	if (r->failed)
		return;
	snprintf(w->info, sizeof(w->info), "%s %u.%u.%u.%u, from %u.%u.%u.%u", op == 1 ? "Who has" : "Reply to", target.data[0],
		target.data[1], target.data[2], target.data[3], sender.data[0], sender.data[1], sender.data[2], sender.data[3]);
}

static void mac(char out[40], struct span a)
{
	snprintf(out, 40, "%02x%02x.%02x%02x.%02x%02x", a.data[0], a.data[1], a.data[2], a.data[3], a.data[4], a.data[5]);
}

void packet_words(struct packet_words *w, struct span frame)
{
	struct reader r = reader_of(frame);
	struct span to = reader_bytes(&r, 6), from = reader_bytes(&r, 6);
	unsigned type = reader_u16(&r);

	memset(w, 0, sizeof(*w));
	snprintf(w->protocol, sizeof(w->protocol), "?");
	if (r.failed)
		return;
	mac(w->src, from);
	mac(w->dst, to);
	snprintf(w->ethernet, sizeof(w->ethernet), "%s -> %s, Type 0x%04x", w->src, w->dst, type);
	snprintf(w->protocol, sizeof(w->protocol), "0x%04x", type);
	if (type == 0x0800)
		ipv4(w, &r);
	else if (type == 0x0806)
		arp(w, &r);
	else if (type == 0x86dd)
		snprintf(w->protocol, sizeof(w->protocol), "IPv6");
}

void packet_dump(struct out *o, struct span frame)
{
	for (size_t at = 0; at < frame.len && !o->stopped; at += 16) {
		size_t n = frame.len - at < 16 ? frame.len - at : 16;
		char hex[40] = "", chars[17] = "";
		size_t k = 0;

		for (size_t i = 0; i < n; i++) {
			k += (size_t)snprintf(hex + k, sizeof(hex) - k, "%s%02X", i && i % 4 == 0 ? " " : "", frame.data[at + i]);
			chars[i] = isprint(frame.data[at + i]) ? (char)frame.data[at + i] : '.';
		}
		out_printf(o, "  %04zX: %-35s   %s\n", at, hex, chars);
	}
}
