/* Keys in the form in which Wireshark reads them from its tables, one line each:
 *
 *   uat:ikev1_decryption_table:COOKIE,KEY
 *   uat:esp_sa:"IPv4","SRC","DST","SPI","CIPHER","KEY","AUTHENTICATION","KEY"
 *
 * pcapng has no type of secret for IKE or ESP that Wireshark 4.0 knows (its Decryption Secrets Blocks are for TLS, SSH, WireGuard
 * and Zigbee), so the lines travel as comments of the file's section.
 */
#ifndef POSTERN_CLI_KEYLINE_H
#define POSTERN_CLI_KEYLINE_H

#include "datapath/dp_api.h"
#include "ikemgr/ike_api.h"

#define KEYLINE 640

/* Both end the line with '\n'. The caller wipes. */
void keyline_ike(char out[KEYLINE], const struct ikem_key *k);
/* What Wireshark 4.0 cannot open is told as a comment of the table ("# ..."), without keys. */
void keyline_esp(char out[KEYLINE], const struct dpm_key *k);

#endif
