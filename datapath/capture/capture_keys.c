/* `debug crypto keys`: the keys of SAs put from now on, for an export of a capture that asks for them. */
#include "datapath/daemon.h"

#include "platform/base/keep.h"
#include "platform/base/log.h"
#include "platform/base/secret.h"

#include <errno.h>
#include <string.h>

#define KEYS_MAX 1024

void keys_note(struct daemon *d, const struct dpm_sa *sa)
{
	struct dpm_key k = {
		.protocol = sa->key.protocol, .spi = sa->key.spi, .cipher = sa->cipher, .auth = sa->auth, .esn = sa->esn
	};

	if (!d->kept)
		return;
	k.src = sa->key.inbound ? sa->remote : sa->local;
	k.dst = sa->key.inbound ? sa->local : sa->remote;
	k.cipher_key_len = sa->cipher_key_len;
	k.auth_key_len = sa->auth_key_len;
	memcpy(k.cipher_key, sa->cipher_key, sizeof(k.cipher_key));
	memcpy(k.auth_key, sa->auth_key, sizeof(k.auth_key));
	keep_put(d->kept, &k);
	wipe(&k, sizeof(k));
}

void keys_free(struct daemon *d)
{
	keep_free(d->kept);
	d->kept = NULL;
}

static enum err switch_to(struct daemon *d, bool on)
{
	if (on == (d->kept != NULL))
		return ERR_OK;
	if (!on) {
		keys_free(d);
	} else {
		d->kept = keep_new(sizeof(struct dpm_key), KEYS_MAX);
		if (!d->kept) {
			log_msg("CRYPTO", LOG_SEV_ERROR, "KEYEXPORT", "No locked memory for keys: %s", strerror(errno));
			return ERR_NOMEM;
		}
	}
	log_msg("CRYPTO", LOG_SEV_NOTICE, "KEYEXPORT", "Keys of new IPsec SAs are %s", on ? "kept for captures" : "kept no longer");
	return ERR_OK;
}

struct telling {
	struct msg_conn *c;
	struct msg *m;
	enum err e;
};

static bool tell(void *ctx, const void *key)
{
	struct telling *t = ctx;

	t->e = msg_answer(t->c, t->m, ERR_OK, MSG_FLAG_MORE, span_of(key, sizeof(struct dpm_key)));
	return t->e == ERR_OK;
}

bool keys_message(struct daemon *d, struct msg_conn *c, struct msg *m)
{
	struct telling t = { c, m, ERR_OK };
	struct dpm_keys k;

	if (m->head.type != DPM_KEYS && m->head.type != DPM_KEY_DUMP)
		return false;
	if (m->head.type == DPM_KEY_DUMP) {
		if (!dump_privileged(d, c))
			t.e = ERR_DENIED;
		else if (d->kept)
			keep_each(d->kept, tell, &t);
		msg_reply(c, m, t.e, 0, span_of(NULL, 0));
		return true;
	}
	if (m->body.len == sizeof(k))
		memcpy(&k, m->body.data, sizeof(k));
	else
		t.e = ERR_INVALID;
	/* To ask whether keys are kept changes nothing. */
	if (t.e == ERR_OK && k.set)
		t.e = dump_privileged(d, c) ? switch_to(d, k.on != 0) : ERR_DENIED;
	k = (struct dpm_keys){ .set = 1, .on = d->kept != NULL };
	msg_reply(c, m, t.e, 0, span_of(&k, sizeof(k)));
	return true;
}
