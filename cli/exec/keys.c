/* Keys for captures. They come from the programs that hold them, at privilege 15, only what the packets of the capture need, and
 * go nowhere but into the file. */
#include "cli/exec/keys.h"

#include "cli/capture/keyline.h"
#include "cli/capture/packet.h"
#include "cli/exec/capture.h"
#include "platform/base/mem.h"
#include "platform/base/secret.h"

#include <stdlib.h>
#include <string.h>

#define SEEN_MAX 4096

static enum err ask(struct exec_call *c, enum daemon which, uint32_t type, void *body, size_t size)
{
	size_t len = 0;
	enum err e = daemon_call(c->sh->options.run_dir, which, type, span_of(body, size), body, size, &len);

	return e == ERR_OK && len != size ? ERR_INVALID : e;
}

static enum err ike_keys(struct exec_call *c, struct ikem_keys *k)
{
	return ask(c, DAEMON_IKE, IKEM_KEYS, k, sizeof(*k));
}

static enum err esp_keys(struct exec_call *c, struct dpm_keys *k)
{
	return ask(c, DAEMON_DATAPATH, DPM_KEYS, k, sizeof(*k));
}

bool keys_switch(struct exec_call *c, bool on, bool aloud)
{
	struct ikem_keys ike = { .set = 1, .on = on };
	struct dpm_keys esp = { .set = 1, .on = on };
	enum err e = ike_keys(c, &ike), f = esp_keys(c, &esp);

	if (aloud && e != ERR_OK)
		exec_failed(c, "ikemgrd", e);
	if (aloud && f != ERR_OK)
		exec_failed(c, "datapathd", f);
	return e == ERR_OK && f == ERR_OK;
}

bool keys_on(struct exec_call *c)
{
	struct ikem_keys ike = { .set = 0 };
	struct dpm_keys esp = { .set = 0 };

	return (ike_keys(c, &ike) == ERR_OK && ike.on) | (esp_keys(c, &esp) == ERR_OK && esp.on);
}

/* What the packets name: SPIs and cookies. */
struct wanted {
	uint32_t spis[SEEN_MAX];
	uint64_t cookies[SEEN_MAX];
	size_t nspis, ncookies;
};

static void want_spi(struct wanted *w, uint32_t spi)
{
	for (size_t i = w->nspis; i-- > 0;)
		if (w->spis[i] == spi)
			return;
	if (spi && w->nspis < SEEN_MAX)
		w->spis[w->nspis++] = spi;
}

static void want_cookie(struct wanted *w, uint64_t cookie)
{
	for (size_t i = w->ncookies; i-- > 0;)
		if (w->cookies[i] == cookie)
			return;
	if (cookie && w->ncookies < SEEN_MAX)
		w->cookies[w->ncookies++] = cookie;
}

static bool look(void *ctx, const struct dp_capture_packet *h, const uint8_t *bytes)
{
	struct packet_words w;

	packet_words(&w, span_of(bytes, h->len));
	want_spi(ctx, w.esp_spi);
	want_cookie(ctx, w.cookie);
	return true;
}

/* Growing leaves nothing behind. */
static void add(struct key_lines *l, const char *line)
{
	size_t n = strlen(line);

	if (l->len + n + 1 > l->room) {
		size_t room = (l->room + n) * 2 + 8192;
		char *grown = mem_zalloc(room);

		if (!grown) {
			l->failed = true;
			return;
		}
		if (l->len)
			memcpy(grown, l->text, l->len);
		mem_free_secret(l->text, l->room);
		l->text = grown;
		l->room = room;
	}
	memcpy(l->text + l->len, line, n + 1);
	l->len += n;
	l->n++;
}

struct gathering {
	const struct wanted *wanted;
	struct key_lines *lines;
};

static bool ike_key(void *ctx, struct span body)
{
	struct gathering *g = ctx;
	struct ikem_key k;
	char line[KEYLINE];

	if (body.len != sizeof(k))
		return true;
	memcpy(&k, body.data, sizeof(k));
	for (size_t i = 0; i < g->wanted->ncookies; i++)
		if (g->wanted->cookies[i] == k.cookie_i) {
			keyline_ike(line, &k);
			add(g->lines, line);
			break;
		}
	wipe(line, sizeof(line));
	wipe(&k, sizeof(k));
	return true;
}

static bool esp_key(void *ctx, struct span body)
{
	struct gathering *g = ctx;
	struct dpm_key k;
	char line[KEYLINE];

	if (body.len != sizeof(k))
		return true;
	memcpy(&k, body.data, sizeof(k));
	for (size_t i = 0; i < g->wanted->nspis; i++)
		if (k.protocol == 50 && g->wanted->spis[i] == k.spi) {
			keyline_esp(line, &k);
			add(g->lines, line);
			break;
		}
	wipe(line, sizeof(line));
	wipe(&k, sizeof(k));
	return true;
}

static bool gather(
	struct exec_call *c, enum daemon d, uint32_t type, bool (*each)(void *ctx, struct span body), struct gathering *g)
{
	enum err e = daemon_each(c->sh->options.run_dir, d, type, each, g);

	return e == ERR_OK || exec_failed(c, daemon_name(d), e);
}

bool keys_of_capture(struct exec_call *c, const char *capture, struct key_lines *lines)
{
	struct wanted *w = mem_zalloc(sizeof(*w));
	struct gathering g = { w, lines };
	bool ok;

	*lines = (struct key_lines){ 0 };
	ok = w && capture_each(c, capture, look, w) && gather(c, DAEMON_IKE, IKEM_KEY_DUMP, ike_key, &g) &&
	     gather(c, DAEMON_DATAPATH, DPM_KEY_DUMP, esp_key, &g);
	mem_free(w);
	if (ok && lines->failed)
		ok = exec_failed(c, "memory", ERR_NOMEM);
	if (ok && lines->n == 0) {
		out_printf(c->out,
			"%% No keys of these packets' SAs are kept: debug crypto keys must be on before they are negotiated\n");
		ok = false;
	}
	if (!ok)
		mem_free_secret(lines->text, lines->room);
	return ok;
}

static bool debug_keys(struct exec_call *c)
{
	if (!keys_switch(c, true, true))
		return false;
	out_printf(c->out, "Keys of new SAs are kept in memory, for monitor capture NAME export FILE with-keys\n");
	return true;
}

static bool no_debug_keys(struct exec_call *c)
{
	return keys_switch(c, false, true);
}

#define ON     "Debugging functions (see also 'undebug')"
#define OFF    "Disable debugging functions (see also 'debug')"
#define NO     "Negate a command"
#define CRYPTO "Cryptographic subsystem"
#define KEYS   "Keep the keys of new SAs, for captures that are exported with keys"

const struct exec_row exec_rows_keys[] = {
	{ "debug crypto keys", EXEC_HELP(ON, CRYPTO, KEYS), 15, 0, debug_keys, 0 },
	{ "no debug crypto keys", EXEC_HELP(NO, ON, CRYPTO, KEYS), 15, 0, no_debug_keys, 0 },
	{ "undebug crypto keys", EXEC_HELP(OFF, CRYPTO, KEYS), 15, 0, no_debug_keys, 0 },
	{ NULL, NULL, 0, 0, NULL, 0 },
};
