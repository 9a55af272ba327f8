/* Running the nft program: never linked, since its library's licence and OpenSSL's do not go together. */
#ifndef POSTERN_DATAPATH_FILTER_NFT_H
#define POSTERN_DATAPATH_FILTER_NFT_H

#include "datapath/filter/text.h"

/* Runs `nft` with up to four arguments (NULL-terminated) and `in` on its standard input. Waits for its end, at most 20 s. What it
 * prints goes to `out`, what it complains of to `complaint` (both appended; may be NULL). ERR_SYS when it cannot be run,
 * ERR_INVALID when it refuses, ERR_TIMEOUT. */
enum err nft_run(const char *const *args, const char *in, size_t len, struct text *out, struct text *complaint) MUST_CHECK;

#endif
