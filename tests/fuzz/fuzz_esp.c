/* Packets from both sides of the engine. The first byte says what the rest is:
 *   0 an ESP packet   1 what stands inside one (sealed with the right key)   2 a frame from the TAP, virtio header first
 *   3 an ICMP error   4 several sealed ones, each behind its 16-bit length: joined
 *   5 a whole packet with AH or ESP, as the raw socket gives it   6 the same, with the right ICV of AH
 *   7 what stands inside ESP of transport mode in UDP behind a NAT   8 a frame of our own, for transport mode and its fragments */
#include "tests/unit/engine/enginerig.c"

#include "datapath/engine/ah.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct erig r;
static uint8_t frame[TAP_FRAME_MAX], wire[8][66000];
static uint32_t seq;
static struct cipher_key *esp_key; /* all ESP SAs have one key */

enum { AH_SPI = 0x2001, TRANSPORT_SPI, UDP_SPI, AROUND_SPI, INNER_SPI };
static struct cipher_key *ah_key; /* all AH SAs too */

/* Map entries: 10 ESP in UDP, 20 host to host, 30 a bundle. */
static void policies(void)
{
	struct backend_interface f = { .name = "GigabitEthernet0/0", .ifname = "lo", .ifindex = 1, .addr = INADDR_LOOPBACK };
	struct backend_policy p[] = {
		{ .id = erig_id(10, 10), .ace = erig_ace(RIG_LOCAL, 255, RIG_REMOTE, 255), .sel = erig_selectors() },
		{ .id = erig_id(20, 10), .ace = erig_ace(INADDR_LOOPBACK, 0, INADDR_LOOPBACK, 0), .sel = erig_selectors() },
		{ .id = erig_id(30, 10), .ace = erig_ace(RIG_LOCAL, 255, RIG_LOCAL, 255), .sel = erig_selectors() },
	};
	const struct backend_policies set = { &f, 1, p, 3 };
	struct policy_set *old = r.b.set;

	if (policy_set_new(&r.b.set, &r.b.policies, &set) != ERR_OK)
		abort();
	policy_set_free(old);
}

static void put(uint32_t spi, uint8_t protocol, bool inbound, uint16_t map_seq, uint32_t bundle)
{
	struct dpm_sa sa = protocol == 51 ? erig_ah(&r, inbound) : erig_sa(&r, inbound);

	sa.key.spi = spi;
	sa.policy = erig_id(map_seq, 10);
	sa.transport = map_seq == 20;
	sa.bundle_spi = bundle;
	if (spi != RIG_SPI)
		sa.replay_window = 0;
	if (bundle)
		sa.udp_encap = 0;
	if (map_seq == 30)
		sa.sel.remote = sa.sel.local = erig_selectors().local;
	if (map_seq == 20 && protocol == 50) {
		sa.nat_oa_remote = addr_v4(0xc0a80707);
		sa.nat_oa_local = addr_v4(0xc0000201);
	}
	if (engine_sa_put(&r.b, &sa) != ERR_OK)
		abort();
}

static void set_up(void)
{
	uint8_t auth[32];

	alg_init();
	erig_open(&r, false);
	policies();
	for (int inbound = 0; inbound < 2; inbound++) {
		put(AH_SPI, 51, inbound, 10, 0);
		put(RIG_SPI, 50, inbound, 10, 0);
		put(UDP_SPI, 50, inbound, 20, 0);
		put(TRANSPORT_SPI, 51, inbound, 20, 0);
		put(AROUND_SPI, 51, inbound, 30, INNER_SPI);
		put(INNER_SPI, 50, inbound, 30, AROUND_SPI);
	}
	memset(auth, 0x33, sizeof(auth));
	if (cipher_key_new(&ah_key, CIPHER_NONE, HASH_SHA256, span_of(NULL, 0), span_of(auth, 32), false, true) != ERR_OK)
		abort();
	for (struct sa *sa = r.b.sas.all; sa; sa = sa->all_next)
		if (sa->conf.key.spi == RIG_SPI && !sa->conf.key.inbound)
			esp_key = sa->state->key;
	erig_mtu(&r, 1500);
}

/* The ICV that makes the packet authentic, wherever its lengths point to. */
static void authentic(uint8_t *packet, uint32_t len)
{
	uint32_t header = (packet[0] & 15u) * 4;
	uint8_t kept[60];
	struct sa *sa;

	if (len < header + 12 + 16 || header < 20 || packet[9] != 51)
		return;
	sa = sa_inbound(&r.b.sas, 51, get32(packet + header + 4), INADDR_LOOPBACK);
	if (!sa)
		return;
	memcpy(kept, packet, header);
	put32(packet + header + 8, ++seq);
	if (ah_mute(packet, header)) {
		struct cipher_job j = { .key = ah_key, .esp = packet, .len = len, .icv = packet + header + 12 };

		cipher_seal(r.b.out_worker.cipher, &j, 1);
	}
	memcpy(packet, kept, header);
}

static void native(const uint8_t *data, size_t size, bool right)
{
	uint8_t *packet = wire[0];

	if (size < 20)
		return;
	memcpy(packet, data, size);
	put16(packet + 2, (uint16_t)size);
	put32(packet + 12, INADDR_LOOPBACK);
	put32(packet + 16, INADDR_LOOPBACK);
	if (right)
		authentic(packet, (uint32_t)size);
	receive_native(r.b.in, span_of(packet, size), 0);
	open_batch(r.b.in);
}

static void sealed(size_t slot, uint32_t spi, const uint8_t *body, size_t len)
{
	struct outer o = { .local = INADDR_LOOPBACK, .remote = INADDR_LOOPBACK };
	uint8_t *esp = wire[slot];
	struct cipher_job j = { .key = esp_key, .esp = esp, .len = 16 + (uint32_t)(len & ~3ul) };

	if (len < 4 || len > 65000)
		return;
	put32(esp, spi);
	put32(esp + 4, ++seq);
	cipher_iv(r.b.out_worker.cipher, j.key, esp + 8, seq);
	memcpy(esp + 16, body, len & ~3ul);
	cipher_seal(r.b.out_worker.cipher, &j, 1);
	open_add(r.b.in, span_of(esp, j.len + 16), &o);
}

static void several(const uint8_t *data, size_t size)
{
	for (size_t slot = 0; slot < 8 && size >= 2; slot++) {
		size_t n = get16(data);

		data += 2;
		size -= 2;
		n = n > size ? size : n;
		sealed(slot, RIG_SPI, data, n);
		data += n;
		size -= n;
	}
	open_batch(r.b.in);
}

static void own(const uint8_t *data, size_t size)
{
	memcpy(frame, data, size);
	if (size >= sizeof(struct virtio_net_hdr) + TAP_ETHERNET + 20) {
		put32(erig_ip(frame) + 12, INADDR_LOOPBACK);
		put32(erig_ip(frame) + 16, INADDR_LOOPBACK);
	}
	erig_out(&r, frame, (uint32_t)size);
}

static void drain(void)
{
	static uint8_t sink[TAP_FRAME_MAX];

	while (erig_tap(&r, sink, sizeof(sink)) || erig_wire(&r, sink, sizeof(sink)))
		;
	erig_notes(&r);
	r.nevents = 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (!r.b.out)
		set_up();
	if (size < 1 || size > 65000)
		return 0;
	switch (data[0] % 9) {
	case 0:
		erig_in(&r, data + 1, (uint32_t)size - 1, 0);
		break;
	case 1:
		sealed(0, RIG_SPI, data + 1, size - 1);
		open_batch(r.b.in);
		break;
	case 2:
		memcpy(frame, data + 1, size - 1);
		erig_out(&r, frame, (uint32_t)size - 1);
		break;
	case 3:
		icmp_take_error(&r.b, span_of(data + 1, size - 1));
		erig_mtu(&r, 1500);
		break;
	case 5:
	case 6:
		native(data + 1, size - 1, data[0] % 9 == 6);
		break;
	case 7:
		sealed(0, UDP_SPI, data + 1, size - 1);
		open_batch(r.b.in);
		break;
	case 8:
		own(data + 1, size - 1);
		break;
	default:
		several(data + 1, size - 1);
	}
	drain();
	return 0;
}
