/* The object identifiers of SCEP's attributes (RFC 8894 3.2.1), which OpenSSL does not know by itself. */
#include "ikemgr/scep/message.h"

#include <openssl/objects.h>

static const char *const ids[SCEP_ATTRIBUTES][2] = {
	[SCEP_MESSAGE_TYPE] = { "2.16.840.1.113733.1.9.2", "scepMessageType" },
	[SCEP_PKI_STATUS] = { "2.16.840.1.113733.1.9.3", "scepPkiStatus" },
	[SCEP_FAIL_INFO] = { "2.16.840.1.113733.1.9.4", "scepFailInfo" },
	[SCEP_SENDER_NONCE] = { "2.16.840.1.113733.1.9.5", "scepSenderNonce" },
	[SCEP_RECIPIENT_NONCE] = { "2.16.840.1.113733.1.9.6", "scepRecipientNonce" },
	[SCEP_TRANS_ID] = { "2.16.840.1.113733.1.9.7", "scepTransId" },
	[SCEP_FAIL_TEXT] = { "1.3.6.1.5.5.7.24.1", "scepFailInfoText" },
};

int scep_nid(enum scep_attribute a)
{
	int nid = OBJ_txt2nid(ids[a][0]);

	return nid != NID_undef ? nid : OBJ_create(ids[a][0], ids[a][1], ids[a][1]);
}
