/* crypto pki authenticate and enroll where the trustpoint has an `enrollment url`: IOS's dialogues; ikemgrd speaks to the CA. */
#include "cli/exec/pki.h"

#include "configdb/cert.h"
#include "platform/base/mem.h"
#include "platform/base/secret.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <string.h>

#define ANSWER_MS 30000 /* a fetch may take FETCH_S and a resolver's time */

/* ---- authenticate ---- */

static X509 *certificate_of(const struct ikem_scep_cert *rows, size_t n, enum ike_scep_kind kind)
{
	for (size_t i = 0; i < n; i++)
		if (rows[i].kind == kind && rows[i].len <= sizeof(rows[i].der))
			return cert_of_der(span_of(rows[i].der, rows[i].len));
	return NULL;
}

static bool no_certificate(struct exec_call *c, const struct cfg_trustpoint *t, const char *why)
{
	term_printf(c->sh->term,
		"%% Error in receiving Certificate Authority certificate: status = FAIL, cert length = 0\n%% %s: %s\n", t->url,
		why);
	return false;
}

static bool store_all(struct exec_call *c, const struct cfg_trustpoint *t, const struct ikem_scep_cert *rows, size_t n)
{
	static const char *const kinds[] = { [IKE_SCEP_RA_SIGN] = "ra-sign", [IKE_SCEP_RA_ENCRYPT] = "ra-encrypt" };
	X509 *x = certificate_of(rows, n, IKE_SCEP_CA);
	bool ok = x && pki_accept_ca(c, t, x);

	X509_free(x);
	for (enum ike_scep_kind kind = IKE_SCEP_RA_SIGN; ok && kind <= IKE_SCEP_RA_ENCRYPT; kind++) {
		x = certificate_of(rows, n, kind);
		ok = !x || pki_store_certificate(c, t->name, kinds[kind], x);
		X509_free(x);
	}
	return ok;
}

bool pki_scep_authenticate(struct exec_call *c, const struct cfg_trustpoint *t)
{
	struct ikem_scep_ca ask = { 0 };
	struct ikem_scep_cert *rows = NULL;
	size_t n = 0;
	bool ok;
	enum err e;

	snprintf(ask.trustpoint, sizeof(ask.trustpoint), "%s", t->name);
	e = daemon_rows_wait(c->sh->options.run_dir, DAEMON_IKE, IKEM_SCEP_CA, span_of(&ask, sizeof(ask)), sizeof(*rows), ANSWER_MS,
		(void **)&rows, &n);
	if (e != ERR_OK)
		return no_certificate(c, t, e == ERR_CLOSED ? "ikemgrd is not answering" : err_text(e));
	if (n == 0) {
		ok = no_certificate(c, t, "no certificate");
	} else if (rows[0].kind == IKE_SCEP_WHY) {
		rows[0].der[sizeof(rows[0].der) - 1] = '\0';
		ok = no_certificate(c, t, (const char *)rows[0].der);
	} else {
		ok = store_all(c, t, rows, n);
	}
	mem_free(rows);
	return ok;
}

/* ---- enroll: the dialogue ---- */

static bool ask_password(struct exec_call *c, struct cfgm_pki *q)
{
	struct term *t = c->sh->term;
	char again[sizeof(q->passphrase)];
	bool same = false, asked = true;

	term_printf(t, "%% Create a challenge password. You will need to verbally provide this\n"
		       "   password to the CA Administrator in order to revoke your certificate.\n"
		       "   For security reasons your password will not be saved in the configuration.\n"
		       "   Please make a note of it.\n\n");
	for (int i = 0; i < 3 && asked && !same; i++) {
		asked = term_secret(t, "Password: ", q->passphrase, sizeof(q->passphrase)) == TERM_OK &&
			term_secret(t, "Re-enter password: ", again, sizeof(again)) == TERM_OK;
		same = asked && strcmp(q->passphrase, again) == 0;
		wipe(again, sizeof(again));
		if (asked && !same)
			term_printf(t, "%% The passwords do not match%s\n", i < 2 ? ": try again" : "");
	}
	if (same)
		term_printf(t, "\n");
	return same;
}

static bool ask_serial_number(struct exec_call *c, struct cfgm_pki *q)
{
	struct platm_version v = { 0 };
	size_t len = 0;
	enum err e;

	if (!pki_yes(c->sh, "% Include the router serial number in the subject name? [yes/no]: "))
		return true;
	e = daemon_call(c->sh->options.run_dir, DAEMON_PLATFORM, PLATM_VERSION, span_of(NULL, 0), &v, sizeof(v), &len);
	if (e != ERR_OK || len != sizeof(v)) {
		term_printf(c->sh->term, "%% platformd is not answering\n");
		return false;
	}
	snprintf(q->serial_number, sizeof(q->serial_number), "%s", v.serial);
	term_printf(c->sh->term, "%% The serial number in the certificate will be: %s\n", q->serial_number);
	return true;
}

/* An address, or an interface in any spelling, as the trustpoint's `ip-address` takes it. 0: neither. */
static uint32_t address_of(struct exec_call *c, const struct cfg *cfg, const char *answer)
{
	struct grammar_match *m = mem_zalloc(sizeof(*m));
	char line[TERM_LINE + 16];
	const struct cfg_interface *i;
	uint32_t ip = 0;

	if (!m)
		return 0;
	snprintf(line, sizeof(line), "ip-address %s", answer);
	grammar_match(config_grammar(), MODE_TRUSTPOINT, 15, line, m);
	if (m->result == GR_OK && match_var(m, "ip")) {
		if (ip4_parse(&ip, match_var(m, "ip")) != ERR_OK)
			ip = 0;
	} else if (m->result == GR_OK && match_var(m, "ip_interface")) {
		i = cfg_interface(cfg, match_var(m, "ip_interface"));
		ip = i ? i->ip.addr : 0;
	}
	mem_free(m);
	if (!ip)
		term_printf(c->sh->term, "%% Neither an address, nor an interface with one\n");
	return ip;
}

static bool ask_address(struct exec_call *c, const struct cfg *cfg, struct cfgm_pki *q)
{
	char answer[TERM_LINE];

	if (term_answer(c->sh->term, "% Include an IP address in the subject name? [no]: ", answer) != TERM_OK)
		return false;
	if ((answer[0] | 0x20) != 'y')
		return true;
	while (!q->ip) {
		if (term_answer(c->sh->term, "Enter Interface name or IP Address[]: ", answer) != TERM_OK)
			return false;
		if (answer[0] == '\0')
			return true;
		q->ip = address_of(c, cfg, answer);
	}
	return true;
}

static bool dialogue(struct exec_call *c, const struct cfg_trustpoint *t, const struct cfg *cfg, struct cfgm_pki *q)
{
	if (!t->password_id && !ask_password(c, q))
		return false;
	pki_say_subject(c, t, cfg);
	if (!t->serial_none && !ask_serial_number(c, q))
		return false;
	if (!t->ip && !t->ip_interface[0] && !t->ip_none && !ask_address(c, cfg, q))
		return false;
	return pki_yes(c->sh, "Request certificate from CA? [yes/no]: ");
}

/* ---- enroll: the request ---- */

/* The key pair in keys.db that a request is for. 0: none. */
static uint64_t key_of(struct exec_call *c, X509_REQ *r)
{
	struct cfgm_pki *q = mem_zalloc(sizeof(*q));
	struct keypair *k;
	uint8_t *der = NULL;
	char *rows = NULL;
	size_t len = 0;
	uint64_t id = 0;
	int n = i2d_PUBKEY(X509_REQ_get0_pubkey(r), &der);

	if (q && n > 0 && session_pki(&c->sh->session, CFGM_KEYS, q, &rows, &len) == ERR_OK)
		for (k = (struct keypair *)(void *)rows; !id && len >= sizeof(*k); k++, len -= sizeof(*k))
			if (k->public_len == n && memcmp(k->public, der, (size_t)n) == 0)
				id = k->id;
	OPENSSL_free(der);
	mem_free(rows);
	mem_free(q);
	return id;
}

/* configd's PEM, a request and a certificate, as ikemgrd wants it. */
static bool request_read(struct exec_call *c, const char *pem, struct ikem_scep_enroll *out)
{
	BIO *in = BIO_new_mem_buf(pem, -1);
	X509_REQ *r = PEM_read_bio_X509_REQ(in, NULL, NULL, NULL);
	X509 *x = PEM_read_bio_X509(in, NULL, NULL, NULL);
	uint8_t *request = out->request, *signer = out->signer;
	bool ok = r && x && i2d_X509_REQ(r, NULL) <= (int)sizeof(out->request) && i2d_X509(x, NULL) <= (int)sizeof(out->signer);

	if (ok) {
		out->request_len = (uint16_t)i2d_X509_REQ(r, &request);
		out->signer_len = (uint16_t)i2d_X509(x, &signer);
		out->key_id = key_of(c, r);
	}
	X509_REQ_free(r);
	X509_free(x);
	BIO_free(in);
	ERR_clear_error();
	return ok && out->key_id;
}

static const char *send_fault(enum err e)
{
	return e == ERR_BUSY        ? "a request for this trustpoint is pending already: show crypto pki certificates"
	       : e == ERR_CLOSED    ? "ikemgrd is not answering"
	       : e == ERR_NOT_FOUND ? "the trustpoint is gone"
				    : err_text(e);
}

static bool request_send(struct exec_call *c, const struct cfg_trustpoint *t, const char *pem)
{
	struct ikem_scep_enroll *r = mem_zalloc(sizeof(*r));
	struct term *out = c->sh->term;
	enum err e = ERR_INVALID;

	if (!r)
		return false;
	snprintf(r->trustpoint, sizeof(r->trustpoint), "%s", t->name);
	if (request_read(c, pem, r))
		e = daemon_call(c->sh->options.run_dir, DAEMON_IKE, IKEM_SCEP_ENROLL, span_of(r, sizeof(*r)), NULL, 0, NULL);
	mem_free_secret(r, sizeof(*r));
	if (e != ERR_OK)
		term_printf(out, "%% Enrollment failed: %s\n", send_fault(e));
	else
		/* The missing blank is IOS's. */
		term_printf(out,
			"%% Certificate request sent to Certificate Authority\n%% The 'show crypto pki certificate verbose %s' "
			"commandwill show the fingerprint.\n\n",
			t->name);
	return e == ERR_OK;
}

static bool is_pending(struct exec_call *c, const struct cfg_trustpoint *t)
{
	struct ikem_scep *rows = NULL;
	size_t n = 0;
	bool pending = false;

	if (daemon_rows(c->sh->options.run_dir, DAEMON_IKE, IKEM_SCEP_DUMP, span_of(NULL, 0), sizeof(*rows), (void **)&rows, &n) !=
		ERR_OK)
		return false;
	for (size_t i = 0; i < n; i++)
		pending |= strcmp(rows[i].trustpoint, t->name) == 0 && rows[i].state <= IKE_SCEP_PENDING;
	mem_free(rows);
	return pending;
}

bool pki_scep_enroll(struct exec_call *c, const struct cfg_trustpoint *t, const struct cfg *cfg)
{
	struct cfgm_pki *q;
	char *pem = NULL;
	bool ok = false;
	enum err e;

	if (is_pending(c, t)) {
		term_printf(c->sh->term, "%% Enrollment failed: %s\n", send_fault(ERR_BUSY));
		return false;
	}
	q = mem_zalloc(sizeof(*q));
	if (!q)
		return false;
	snprintf(q->name, sizeof(q->name), "%s", t->name);
	term_printf(c->sh->term, "%%\n%% Start certificate enrollment .. \n");
	if (dialogue(c, t, cfg, q)) {
		e = session_pki(&c->sh->session, CFGM_PKI_ENROLL, q, &pem, NULL);
		if (e != ERR_OK)
			term_printf(c->sh->term, "%% Enrollment failed: %s\n", pki_enroll_fault(e));
		else
			ok = pem && request_send(c, t, pem);
	}
	if (pem)
		mem_free_secret(pem, strlen(pem));
	mem_free_secret(q, sizeof(*q));
	return ok;
}

bool pki_scep_cancel(struct exec_call *c)
{
	struct ikem_scep_ca what = { 0 };
	enum err e;

	snprintf(what.trustpoint, sizeof(what.trustpoint), "%s", exec_arg(c, "name"));
	e = daemon_call(c->sh->options.run_dir, DAEMON_IKE, IKEM_SCEP_CANCEL, span_of(&what, sizeof(what)), NULL, 0, NULL);
	if (e == ERR_NOT_FOUND)
		term_printf(c->sh->term, "%% Trustpoint %s has no enrollment request under way\n", what.trustpoint);
	else if (e != ERR_OK)
		term_printf(c->sh->term, "%% ikemgrd: %s\n", err_text(e));
	return e == ERR_OK;
}

/* ---- no crypto pki trustpoint ---- */

bool pki_removal_confirmed(struct shell *sh, const char *line)
{
	struct grammar_match *m = mem_zalloc(sizeof(*m));
	struct cfg *cfg = NULL;
	const struct cfg_trustpoint *t = NULL;
	const char *at;
	bool yes = true;

	if (!m)
		return false;
	grammar_match(config_grammar(), MODE_CONFIG, sh->session.info.privilege, line, m);
	at = m->canonical + (strncmp(m->canonical, "no ", 3) == 0 ? 3 : strncmp(m->canonical, "default ", 8) == 0 ? 8 : 0);
	if (m->result == GR_OK && (m->negated || m->defaulted) && match_var(m, "name") &&
		(strncmp(at, "crypto pki trustpoint ", 22) == 0 || strncmp(at, "crypto ca trustpoint ", 21) == 0) &&
		session_cfg(&sh->session, &cfg) == ERR_OK)
		t = cfg_trustpoint(cfg, match_var(m, "name"));
	if (t && t->ncerts) {
		term_printf(sh->term, "%% Removing an enrolled trustpoint will destroy all certificates\n"
				      " received from the related Certificate Authority.\n\n");
		yes = pki_yes(sh, "Are you sure you want to do this? [yes/no]: ");
		if (yes)
			term_printf(sh->term, "%% Be sure to ask the CA administrator to revoke your certificates.\n");
	}
	cfg_free(cfg);
	mem_free(m);
	return yes;
}
