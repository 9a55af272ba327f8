/* Transforms in show's spelling: "esp-256-aes esp-sha256-hmac". */
#ifndef POSTERN_CLI_EXEC_TRANSFORM_H
#define POSTERN_CLI_EXEC_TRANSFORM_H

#include "cli/out.h"
#include "configdb/cfg.h"

#define TRANSFORM_TEXT 80

/* Ends in a blank after each word: "ah-sha-hmac esp-aes esp-sha-hmac ". */
char *transform_print(char out[TRANSFORM_TEXT], enum alg_hash ah, enum alg_cipher cipher, enum alg_hash hash);
void show_transform_sets_format(struct out *o, const struct cfg_transform_set *sets, size_t n);
/* "4608000 kilobytes/3600 seconds" */
void lifetime_print(struct out *o, const char *before, uint32_t kb, uint32_t s);

#endif
