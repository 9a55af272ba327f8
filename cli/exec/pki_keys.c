/* crypto key generate, zeroize, export, import; show crypto key mypubkey. IOS has them in global configuration, and they are no
 * part of it: configd keeps the pairs in keys.db. */
#include "cli/exec/pki.h"

#include "platform/base/mem.h"
#include "platform/base/secret.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#define RSA_BITS_MIN 1024
#define RSA_BITS_MAX 4096

bool pki_yes(struct shell *sh, const char *question)
{
	char answer[TERM_LINE];

	while (term_answer(sh->term, question, answer) == TERM_OK) {
		size_t n = strlen(answer);

		if (n && strncasecmp(answer, "yes", n) == 0)
			return true;
		if (n && strncasecmp(answer, "no", n) == 0)
			return false;
		term_printf(sh->term, "%% Please answer 'yes' or 'no'.\n");
	}
	return false;
}

bool pki_paste(struct shell *sh, char *text, size_t size, bool blank_ends)
{
	char line[TERM_LINE];
	size_t at = 0;
	bool ok = true;

	text[0] = '\0';
	while (term_answer(sh->term, "", line) == TERM_OK) {
		if (strcmp(line, "quit") == 0 || (blank_ends && line[0] == '\0' && at > 0)) {
			wipe(line, sizeof(line));
			if (!ok)
				term_printf(sh->term, "%% What was entered is too long\n");
			return ok;
		}
		/* What is too long is read to its end all the same: the lines are no commands. */
		if (at + strlen(line) + 2 > size)
			ok = false;
		else
			at += (size_t)snprintf(text + at, size - at, "%s\n", line);
	}
	wipe(line, sizeof(line));
	return false;
}

/* ---- Generate ---- */

static unsigned arg_number_or(const struct exec_call *c, const char *name, unsigned otherwise)
{
	const char *text = exec_arg(c, name);

	return text ? (unsigned)strtoul(text, NULL, 10) : otherwise;
}

/* IOS's dialogue. 0: broken off. */
static unsigned ask_modulus(struct shell *sh)
{
	char answer[TERM_LINE];

	term_printf(sh->term,
		"Choose the size of the key modulus in the range of %d to %d for your\n"
		"  General Purpose Keys. Choosing a key modulus greater than 512 may take\n"
		"  a few minutes.\n\n",
		RSA_BITS_MIN, RSA_BITS_MAX);
	for (;;) {
		char *end;
		unsigned long bits;

		if (term_answer(sh->term, "How many bits in the modulus [1024]: ", answer) != TERM_OK)
			return 0;
		if (answer[0] == '\0')
			return RSA_BITS_MIN;
		bits = strtoul(answer, &end, 10);
		if (*end == '\0' && bits >= RSA_BITS_MIN && bits <= RSA_BITS_MAX)
			return (unsigned)bits;
		term_printf(sh->term, "%% A decimal number between %d and %d.\n", RSA_BITS_MIN, RSA_BITS_MAX);
	}
}

static bool exists(struct exec_call *c, const struct cfgm_pki *q, bool *there)
{
	char *rows = NULL;
	size_t len = 0;
	enum err e = session_pki(&c->sh->session, CFGM_KEYS, q, &rows, &len);

	mem_free(rows);
	*there = len > 0;
	if (e != ERR_OK)
		term_printf(c->sh->term, "%% configd: %s\n", err_text(e));
	return e == ERR_OK;
}

static bool may_replace(struct exec_call *c, const struct cfgm_pki *q)
{
	bool there = false;

	if (!exists(c, q, &there))
		return false;
	if (!there)
		return true;
	term_printf(c->sh->term, "%% You already have %s keys defined named %s.\n", q->type == KEYPAIR_RSA ? "RSA" : "EC", q->name);
	return pki_yes(c->sh, "% Do you really want to replace them? [yes/no]: ");
}

static bool generate(struct exec_call *c, struct cfgm_pki *q)
{
	struct term *t = c->sh->term;
	const char *kind = q->type == KEYPAIR_RSA ? "RSA" : "EC";
	time_t begin = time(NULL);
	enum err e;

	if (q->type == KEYPAIR_RSA && q->bits < 2048)
		term_printf(t, "%%Warning: RSA keys below 2048 bits are weak\n");
	term_printf(t, "%% Generating %u bit %s keys, keys will be %sexportable...\n", q->bits, kind, q->exportable ? "" : "non-");
	term_flush(t);
	e = session_pki(&c->sh->session, CFGM_KEY_GENERATE, q, NULL, NULL);
	if (e == ERR_OK)
		term_printf(t, "[OK] (elapsed time was %ld seconds)\n", (long)(time(NULL) - begin));
	else if (e == ERR_BUSY)
		term_printf(t, "%% Another key pair is being generated: try again\n");
	else
		term_printf(t, "%% Keys could not be generated: %s\n", err_text(e));
	return e == ERR_OK;
}

static bool generate_rsa(struct exec_call *c)
{
	struct cfgm_pki *q = mem_zalloc(sizeof(*q));
	const char *label = exec_arg(c, "label");
	bool ok = false;

	if (!q)
		return false;
	q->type = KEYPAIR_RSA;
	q->exportable = exec_arg(c, "exportable") != NULL;
	q->bits = (uint16_t)arg_number_or(c, "bits", 0);
	snprintf(q->name, sizeof(q->name), "%s", label ? label : c->sh->session.info.hostname);
	if (may_replace(c, q)) {
		term_printf(c->sh->term, "The name for the keys will be: %s\n", q->name);
		if (q->bits)
			term_printf(c->sh->term, "\n%% The key modulus size is %u bits\n", q->bits);
		else
			q->bits = (uint16_t)ask_modulus(c->sh);
		ok = q->bits && generate(c, q);
	}
	mem_free(q);
	return ok;
}

static bool generate_ec(struct exec_call *c)
{
	struct cfgm_pki *q = mem_zalloc(sizeof(*q));
	const char *label = exec_arg(c, "label");
	bool ok;

	if (!q)
		return false;
	q->type = KEYPAIR_EC;
	q->exportable = exec_arg(c, "exportable") != NULL;
	q->bits = (uint16_t)arg_number_or(c, "bits", 256);
	snprintf(q->name, sizeof(q->name), "%s", label ? label : c->sh->session.info.hostname);
	ok = may_replace(c, q);
	if (ok) {
		term_printf(c->sh->term, "The name for the keys will be: %s\n", q->name);
		ok = generate(c, q);
	}
	mem_free(q);
	return ok;
}

/* ---- Zeroize, export, import ---- */

static uint8_t type_of(const struct exec_call *c)
{
	const char *word = exec_arg(c, "type");

	return word && strcmp(word, "ec") == 0 ? KEYPAIR_EC : KEYPAIR_RSA;
}

static bool zeroize(struct exec_call *c)
{
	struct cfgm_pki *q = mem_zalloc(sizeof(*q));
	const char *label = exec_arg(c, "label");
	struct term *t = c->sh->term;
	bool there = false, ok = false;
	enum err e;

	if (!q)
		return false;
	q->type = type_of(c);
	snprintf(q->name, sizeof(q->name), "%s", label ? label : "");
	if (exists(c, q, &there) && !there)
		term_printf(t, "%% No %s keys found%s%s.\n", q->type == KEYPAIR_RSA ? "RSA" : "EC", label ? " named " : "",
			label ? label : "");
	if (there) {
		if (label)
			term_printf(t, "%% Keys to be removed are named '%s'.\n", label);
		else
			term_printf(t, "%% All %s keys will be removed.\n", q->type == KEYPAIR_RSA ? "RSA" : "EC");
		term_printf(t, "%% All router certs issued using these keys will also be removed.\n");
		if (pki_yes(c->sh, "Do you really want to remove these keys? [yes/no]: ")) {
			e = session_pki(&c->sh->session, CFGM_KEY_ZEROIZE, q, NULL, NULL);
			ok = e == ERR_OK;
			if (!ok)
				term_printf(t, "%% Keys could not be removed: %s\n", err_text(e));
		}
	}
	mem_free(q);
	return ok;
}

static bool key_export(struct exec_call *c)
{
	struct cfgm_pki *q = mem_zalloc(sizeof(*q));
	struct term *t = c->sh->term;
	char *text = NULL;
	enum err e;

	if (!q)
		return false;
	q->type = type_of(c);
	snprintf(q->name, sizeof(q->name), "%s", exec_arg(c, "label"));
	snprintf(q->passphrase, sizeof(q->passphrase), "%s", exec_arg(c, "passphrase"));
	e = session_pki(&c->sh->session, CFGM_KEY_EXPORT, q, &text, NULL);
	if (e == ERR_OK && text)
		term_printf(t, "%% Key name: %s\n   Usage: General Purpose Key\n%s", q->name, text);
	else if (e == ERR_NOT_FOUND)
		term_printf(t, "%% No keys found named %s.\n", q->name);
	else if (e == ERR_DENIED)
		term_printf(t, "%% Key '%s' is not exportable.\n", q->name);
	else if (e == ERR_RANGE)
		term_printf(t, "%% The passphrase must have at least 8 characters.\n");
	else
		term_printf(t, "%% Keys could not be exported: %s\n", err_text(e));
	if (text)
		mem_free_secret(text, strlen(text));
	mem_free_secret(q, sizeof(*q));
	return e == ERR_OK;
}

static bool import_paste(struct exec_call *c, struct cfgm_pki *q)
{
	term_printf(c->sh->term, "%% Enter PEM-formatted public General Purpose key or certificate.\n"
				 "%% End with a blank line or \"quit\" on a line by itself.\n");
	if (!pki_paste(c->sh, q->text, sizeof(q->text), true))
		return false;
	term_printf(c->sh->term, "%% Enter PEM-formatted encrypted private General Purpose key.\n"
				 "%% End with \"quit\" on a line by itself.\n");
	return pki_paste(c->sh, q->text, sizeof(q->text), false);
}

static bool key_import(struct exec_call *c)
{
	struct cfgm_pki *q = mem_zalloc(sizeof(*q));
	struct term *t = c->sh->term;
	enum err e = ERR_INVALID;

	if (!q)
		return false;
	q->type = type_of(c);
	q->exportable = exec_arg(c, "exportable") != NULL;
	snprintf(q->name, sizeof(q->name), "%s", exec_arg(c, "label"));
	snprintf(q->passphrase, sizeof(q->passphrase), "%s", exec_arg(c, "passphrase"));
	if (import_paste(c, q)) {
		e = session_pki(&c->sh->session, CFGM_KEY_IMPORT, q, NULL, NULL);
		if (e == ERR_OK)
			term_printf(t, "%% Key pair import succeeded.\n");
		else if (e == ERR_EXISTS)
			term_printf(t, "%% Keys named %s exist already: zeroize them first.\n", q->name);
		else if (e == ERR_UNSUPPORTED)
			term_printf(t, "%% Key pair import failed: not %s, or a size that is not supported.\n",
				q->type == KEYPAIR_RSA ? "RSA" : "EC");
		else
			term_printf(t, "%% Key pair import failed: no private key could be read with this passphrase.\n");
	}
	mem_free_secret(q, sizeof(*q));
	return e == ERR_OK;
}

/* ---- Show ---- */

static void time_print(char out[64], uint64_t us)
{
	time_t t = (time_t)(us / 1000000);
	struct tm tm;

	gmtime_r(&t, &tm);
	strftime(out, 64, "%H:%M:%S UTC %b %-d %Y", &tm);
}

static void key_data_print(struct out *o, const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		out_printf(o, "%s%02X%s", i % 40 == 0 ? "  " : i % 4 == 0 ? " " : "", p[i], i % 40 == 39 || i + 1 == n ? "\n" : "");
}

void show_mypubkey_format(struct out *o, const struct keypair *keys, size_t n)
{
	char when[64];

	for (size_t i = 0; i < n; i++) {
		const struct keypair *k = &keys[i];
		bool rsa = k->type == KEYPAIR_RSA;

		time_print(when, k->made_us);
		out_printf(o, "%% Key pair was generated at: %s\nKey name: %s\nKey type: %s KEYS\n", when, k->label,
			rsa ? "RSA" : "EC");
		out_printf(o, " Storage Device: private-config\n Usage: %s Key\n Key is %sexportable.\n Key Data:\n",
			rsa ? "General Purpose" : "Signature", k->exportable ? "" : "not ");
		key_data_print(o, k->public, k->public_len);
	}
}

static bool show_mypubkey(struct exec_call *c)
{
	struct cfgm_pki *q = mem_zalloc(sizeof(*q));
	const char *type = exec_arg(c, "type"), *label = exec_arg(c, "label");
	char *rows = NULL;
	size_t len = 0;
	enum err e;

	if (!q)
		return false;
	q->type = type && strcmp(type, "rsa") == 0 ? KEYPAIR_RSA : type && strcmp(type, "ec") == 0 ? KEYPAIR_EC : 0;
	snprintf(q->name, sizeof(q->name), "%s", label ? label : "");
	e = session_pki(&c->sh->session, CFGM_KEYS, q, &rows, &len);
	mem_free(q);
	if (e != ERR_OK)
		return exec_failed(c, "configd", e);
	show_mypubkey_format(c->out, (const struct keypair *)(const void *)rows, len / sizeof(struct keypair));
	mem_free(rows);
	return true;
}

#define KEY      "Encryption module", "Long term key operations"
#define TYPES    "RSA keys", "EC keys"
#define KEY_MODE 15, 0

const struct exec_row exec_rows_pki_keys[] = {
	{ "crypto key generate rsa [general-keys] [label TAG$label] [modulus <1024-4096>$bits] [exportable$exportable]",
		EXEC_HELP(KEY, "Generate new keys", "Generate RSA keys", "Generate a general purpose RSA key pair",
			"Provide a label", "RSA keypair label", "Provide number of modulus bits on the command line",
			"size of the key modulus", "Allow the key to be exported"),
		KEY_MODE, generate_rsa, MODE_CONFIG },
	{ "crypto key generate ec keysize <256|384|521>$bits [label TAG$label] [exportable$exportable]",
		EXEC_HELP(KEY, "Generate new keys", "Generate EC keys for ECDSA", "Size of the key", "256 bits (P-256)",
			"384 bits (P-384)", "521 bits (P-521)", "Provide a label", "EC keypair label",
			"Allow the key to be exported"),
		KEY_MODE, generate_ec, MODE_CONFIG },
	{ "crypto key zeroize <rsa|ec>$type [TAG$label]", EXEC_HELP(KEY, "Remove keys", TYPES, "Key label"), KEY_MODE, zeroize,
		MODE_CONFIG },
	{ "crypto key export <rsa|ec>$type TAG$label pem terminal aes WORD$passphrase",
		EXEC_HELP(KEY, "Export keys", TYPES, "Key label", "PEM format", "via the terminal", "Encrypted with AES (256 bits)",
			"Passphrase of at least 8 characters"),
		KEY_MODE, key_export, MODE_CONFIG },
	{ "crypto key import <rsa|ec>$type TAG$label [exportable$exportable] pem terminal WORD$passphrase",
		EXEC_HELP(KEY, "Import keys", TYPES, "Key label", "Allow the key to be exported", "PEM format", "via the terminal",
			"Passphrase that the private key is encrypted with"),
		KEY_MODE, key_import, MODE_CONFIG },
	{ "show crypto key mypubkey <rsa|ec|all>$type [TAG$label]",
		EXEC_HELP("Show running system information", "Encryption module", "Show long term public keys",
			"Show public keys associated with this router", TYPES, "All keys", "Key label"),
		1, EXEC_PIPE, show_mypubkey, 0 },
	{ NULL, NULL, 0, 0, NULL, 0 },
};
