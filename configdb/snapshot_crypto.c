/* The snapshot's part about access-lists, ISAKMP, IPsec and crypto maps. */
#include "configdb/snapshot_impl.h"

#include "configdb/model/stmt.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void acl_row(struct loader *l, struct values *v)
{
	struct cfg_acl *a = LOAD_MORE(l, l->cfg->acls, l->cfg->nacls);
	if (!a)
		return;
	load_text(a->name, sizeof a->name, v, "name");
	a->extended = !strcmp(value_or(v, "kind", ""), "extended");
	a->numbered = strspn(a->name, "0123456789") == strlen(a->name);
}

static void port_load(struct cfg_port *p, const char *op, const char *ports)
{
	static const char *const words[] = {
		[PORT_EQ] = "eq", [PORT_NEQ] = "neq", [PORT_LT] = "lt", [PORT_GT] = "gt", [PORT_RANGE] = "range"
	};
	p->op = PORT_ANY;
	if (!op || !ports)
		return;
	for (enum cfg_port_op k = PORT_EQ; k <= PORT_RANGE; k++)
		if (!strcmp(op, words[k]))
			p->op = k;
	for (const char *at = ports; *at && p->nvalues < sizeof p->values / sizeof *p->values;) {
		char *end;
		unsigned long port = strtoul(at, &end, 10);
		if (end == at)
			break;
		p->values[p->nvalues++] = (uint16_t)port;
		at = end + strspn(end, " ,");
	}
}

/* "+syn -ack", or plain words, which are set. */
static void flags_load(struct cfg_ace *e, const char *text)
{
	static const char *const bits[] = { "fin", "syn", "rst", "psh", "ack", "urg" };
	for (size_t k = 0; text && k < sizeof bits / sizeof *bits; k++) {
		const char *at = strstr(text, bits[k]);
		if (!at)
			continue;
		uint8_t *where = at > text && at[-1] == '-' ? &e->tcp_flags_clear : &e->tcp_flags_set;
		*where |= (uint8_t)(1u << k);
	}
}

static void ace_row(struct loader *l, struct values *v)
{
	struct cfg_acl *a = NULL;
	for (size_t i = 0; i < l->cfg->nacls && !a; i++)
		if (!strcmp(l->cfg->acls[i].name, value_or(v, "acl", "")))
			a = &l->cfg->acls[i];
	struct cfg_ace *e = a ? LOAD_MORE(l, a->entries, a->nentries) : NULL;
	if (!e)
		return;
	const char *action = value_or(v, "action", ""), *log = value_or(v, "log", "");
	e->seq = load_number(v, "seq", 0);
	e->permit = !strcmp(action, "permit");
	e->remark = !strcmp(action, "remark");
	e->protocol = (int16_t)load_number(v, "protocol", (uint32_t)-1);
	e->src = load_ip(v, "src", 0);
	e->src_wild = load_ip(v, "src_wild", value_get(v, "src") ? 0 : UINT32_MAX);
	e->dst = load_ip(v, "dst", 0);
	e->dst_wild = load_ip(v, "dst_wild", value_get(v, "dst") ? 0 : UINT32_MAX);
	port_load(&e->src_port, value_get(v, "src_op"), value_get(v, "src_ports"));
	port_load(&e->dst_port, value_get(v, "dst_op"), value_get(v, "dst_ports"));
	e->icmp_type = (int16_t)load_number(v, "icmp_type", (uint32_t)-1);
	e->icmp_code = (int16_t)load_number(v, "icmp_code", (uint32_t)-1);
	e->established = value_get(v, "established") != NULL;
	flags_load(e, value_get(v, "flags"));
	e->dscp = (int16_t)load_number(v, "dscp", (uint32_t)-1);
	e->precedence = (int16_t)load_number(v, "precedence", (uint32_t)-1);
	e->tos = (int16_t)load_number(v, "tos", (uint32_t)-1);
	e->fragments = value_get(v, "fragments") != NULL;
	e->log = *log != 0;
	e->log_input = !strcmp(log, "log-input");
	ace_text(v, a->extended, true, e->text, sizeof e->text);
}

void load_acls(struct loader *l)
{
	/* As IOS lists them: standard before extended, numbers before names. */
	load_rows(l, "SELECT * FROM acl ORDER BY kind = 'extended', name GLOB '[0-9]*' DESC, CAST(name AS INTEGER), name", NOPARAMS,
		acl_row);
	load_rows(l, "SELECT * FROM ace ORDER BY acl, seq, ord", NOPARAMS, ace_row);
}

/* RFC 4754: the hash says the curve. 0: none of the three, such a policy is of no use. */
static uint8_t ecdsa_method(enum alg_hash hash)
{
	return hash == HASH_SHA256 ? 9 : hash == HASH_SHA384 ? 10 : hash == HASH_SHA512 ? 11 : 0;
}

static void policy_row(struct loader *l, struct values *v)
{
	struct cfg_isakmp_policy *p = LOAD_MORE(l, l->cfg->policies, l->cfg->npolicies);
	if (!p)
		return;
	const char *encryption = value_get(v, "encryption"), *hash = value_get(v, "hash"), *auth = value_get(v, "authentication");
	p->priority = (uint16_t)load_number(v, "priority", 0);
	p->encryption = encryption ? cipher_of_isakmp(encryption) : CIPHER_DES;
	p->hash = hash ? hash_of_isakmp(hash) : HASH_SHA1;
	p->auth = !auth ? 3 : !strcmp(auth, "pre-share") ? 1 : ecdsa_method(p->hash);
	p->group = load_number(v, "dh_group", GROUP_1);
	p->lifetime_s = load_number(v, "lifetime", 86400);
}

/* 65507 to 65514, as IOS has them: AES before 3DES, SHA before MD5, RSA signature before PSK, group 5 then 2. */
static void builtin_policies(struct loader *l, struct values *off)
{
	static const struct {
		enum alg_cipher cipher;
		enum alg_hash hash;
		uint8_t auth;
		enum alg_group group;
	} built_in[] = {
		{ CIPHER_AES128, HASH_SHA1, 3, GROUP_5 },
		{ CIPHER_AES128, HASH_SHA1, 1, GROUP_5 },
		{ CIPHER_AES128, HASH_MD5, 3, GROUP_5 },
		{ CIPHER_AES128, HASH_MD5, 1, GROUP_5 },
		{ CIPHER_3DES, HASH_SHA1, 3, GROUP_2 },
		{ CIPHER_3DES, HASH_SHA1, 1, GROUP_2 },
		{ CIPHER_3DES, HASH_MD5, 3, GROUP_2 },
		{ CIPHER_3DES, HASH_MD5, 1, GROUP_2 },
	};
	if (value_get(off, "builtin_off") || l->cfg->npolicies)
		return;
	for (size_t i = 0; i < sizeof built_in / sizeof *built_in; i++) {
		struct cfg_isakmp_policy *p = LOAD_MORE(l, l->cfg->policies, l->cfg->npolicies);
		if (p)
			*p = (struct cfg_isakmp_policy){ (uint16_t)(65507 + i), built_in[i].cipher, built_in[i].hash,
				built_in[i].auth, built_in[i].group, 86400 };
	}
}

static void ipsec_row(struct loader *l, struct values *v)
{
	struct cfg_ipsec *s = &l->cfg->ipsec;
	const char *df = value_or(v, "df_bit", "copy");
	s->lifetime_s = load_number(v, "lifetime_s", 3600);
	s->lifetime_kb = value_get(v, "kb_disabled") ? 0 : load_number(v, "lifetime_kb", 4608000);
	s->replay_window = value_get(v, "replay_off") ? 0 : (uint16_t)load_number(v, "replay_window", 64);
	s->df_bit = !strcmp(df, "set") ? DF_SET : !strcmp(df, "clear") ? DF_CLEAR : DF_COPY;
	s->fragment_after = value_get(v, "fragmentation") != NULL;
	s->idle_s = load_number(v, "idle_s", 0);
}

static void set_row(struct loader *l, struct values *v)
{
	struct cfg_transform_set *s = LOAD_MORE(l, l->cfg->sets, l->cfg->nsets);
	if (!s)
		return;
	const char *ah = value_get(v, "ah"), *cipher = value_get(v, "cipher"), *auth = value_get(v, "auth");
	load_text(s->name, sizeof s->name, v, "name");
	s->cipher = cipher ? cipher_of_esp(cipher) : auth ? CIPHER_NULL : CIPHER_NONE;
	s->auth = auth ? hash_of_esp(auth) : HASH_NONE;
	s->ah = ah ? hash_of_ah(ah) : HASH_NONE;
	s->transport = value_get(v, "mode") != NULL;
	s->esn = value_get(v, "esn") != NULL;
}

void load_crypto(struct loader *l)
{
	load_rows(l, "SELECT * FROM isakmp_policy ORDER BY priority", NOPARAMS, policy_row);
	load_rows(l, "SELECT * FROM isakmp", NOPARAMS, builtin_policies);
	load_isakmp(l);
	load_rows(l, "SELECT * FROM ipsec", NOPARAMS, ipsec_row);
	load_rows(l, "SELECT * FROM transform_set ORDER BY name", NOPARAMS, set_row);
	load_maps(l);
}
