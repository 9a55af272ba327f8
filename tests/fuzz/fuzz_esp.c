/* Packets from both sides of the engine. The first byte says what the rest is:
 *   0 an ESP packet   1 what stands inside one (sealed with the right key)   2 a frame from the TAP, virtio header first
 *   3 an ICMP error   4 several sealed ones, each behind its 16-bit length: joined */
#include "tests/unit/engine/enginerig.c"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct erig r;
static uint8_t frame[TAP_FRAME_MAX], wire[8][66000];
static uint32_t seq;

static void set_up(void)
{
	alg_init();
	erig_open(&r, false);
	erig_policy(&r);
	for (int inbound = 0; inbound < 2; inbound++) {
		struct dpm_sa sa = erig_sa(&r, inbound);

		if (engine_sa_put(&r.b, &sa) != ERR_OK)
			abort();
	}
	erig_mtu(&r, 1500);
}

static void sealed(size_t slot, const uint8_t *body, size_t len)
{
	struct outer o = { .local = INADDR_LOOPBACK, .remote = INADDR_LOOPBACK };
	uint8_t *esp = wire[slot];
	struct cipher_job j = { .key = erig_find(&r, false)->state->key, .esp = esp, .len = 16 + (uint32_t)(len & ~3ul) };

	if (len < 4 || len > 65000)
		return;
	put32(esp, RIG_SPI);
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
		sealed(slot, data, n);
		data += n;
		size -= n;
	}
	open_batch(r.b.in);
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
	switch (data[0] % 5) {
	case 0:
		erig_in(&r, data + 1, (uint32_t)size - 1, 0);
		break;
	case 1:
		sealed(0, data + 1, size - 1);
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
	default:
		several(data + 1, size - 1);
	}
	drain();
	return 0;
}
