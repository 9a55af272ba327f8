/* Pre-shared keys: those of `crypto isakmp key`, of keyrings, and the passwords of `crypto isakmp peer`. */
#ifndef POSTERN_MODEL_PSK_H
#define POSTERN_MODEL_PSK_H

#include "configdb/model/stmt.h"

/* Takes the line's `type` and `value` into keys.db; `id_text` gets the id. GR_OK, or refused. */
enum grammar_result psk_put(struct change *c, char id_text[24]);
/* Sets `type` 6 and `value` to the encrypted text of the secret that `column` names. */
void psk_encrypt(struct render *r, struct values *v, const char *column);

/* `crypto isakmp key`, and `pre-shared-key` of the keyring that the mode stands in. */
enum grammar_result psk_apply(struct change *c);
void psk_render(struct render *r, const struct stmt *st);

/* A description of at most 80 characters. */
enum grammar_result isakmp_description(struct change *c);

#endif
