/* show crypto session: IKE SA, IPsec SAs and configuration of each peer, together. */
#ifndef POSTERN_CLI_EXEC_CRYPTO_SESSION_H
#define POSTERN_CLI_EXEC_CRYPTO_SESSION_H

#include "cli/exec/ipsec.h"
#include "ikemgr/ike_api.h"

struct session_rows {
	struct ipsec_rows ipsec;
	struct ikem_sa *ike;
	size_t nike;
	struct ikem_session *uptimes;
	size_t nuptimes;
};

/* `interface` null, `remote` unset: all. */
struct session_filter {
	bool detail, brief;
	const char *interface;
	struct addr remote;
};

/* UP-ACTIVE, UP-IDLE, UP-NO-IKE, DOWN-NEGOTIATING or DOWN. */
const char *session_status(bool ike_up, bool ike_negotiating, bool ipsec);
void show_session_format(struct out *o, const struct session_rows *r, const struct session_filter *f);

#endif
