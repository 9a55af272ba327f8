/* The debug export of phase 1 keys: a file in the format of Wireshark's table ikev1_decryption_table, so that a capture can
 * be decoded. One line per IKE SA: initiator cookie, comma, encryption key, both hexadecimal.
 *
 * The file is ours alone (mode 0600, no link, no other name), below the router's data folder.
 */
#ifndef POSTERN_IKEMGR_PROC_EXPORT_H
#define POSTERN_IKEMGR_PROC_EXPORT_H

#include "platform/base/bytes.h"
#include "platform/base/err.h"

#include <stdbool.h>
#include <stdint.h>

struct key_export {
	int fd; /* -1: off */
	char path[256];
};

/* Opens for appending. ERR_DENIED: not below `data_dir`, or a file that is not ours; ERR_SYS: errno. What was open stays so then.
 */
enum err export_start(struct key_export *x, const char *data_dir, const char *path) MUST_CHECK;
void export_stop(struct key_export *x);
void export_key(struct key_export *x, uint64_t cookie_i, struct span key);

#endif
