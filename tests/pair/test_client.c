/* Remote access, the server's side: B is the server; A makes phase 1 with its own core, and what a client says afterwards in
 * transaction exchanges is written here, with A's keys.
 *
 *     A 203.0.113.1, the client  ----  B 198.51.100.2, the server, pool P 10.9.0.1..10.9.0.3
 */
#include "rig_pki.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* The client's side of the transaction that came last. */
static struct {
	uint32_t id;
	uint8_t iv[CIPHER_BLOCK_MAX];
	unsigned came; /* messages of the server */
	uint8_t type;
	uint16_t identifier;
	uint8_t attributes[1024];
	size_t len;
	uint8_t last[4096]; /* the message itself */
	size_t last_len;
	uint8_t said[2048]; /* by the client */
	size_t said_len;
	bool bad_hash;
} c;

static struct ike_sa *sa_of(struct rig *r, int node)
{
	struct link *first = r->n[node].k->sas.next;

	return first == &r->n[node].k->sas ? NULL : OWNER(first, struct ike_sa, all);
}

static void server_said(struct rig *r, const struct packet *p)
{
	static struct message m;
	struct ike_sa *sa;
	struct secret want;
	struct span plain;
	const char *why;

	assert_int_equal(header_decode(&m.head, span_of(p->bytes, p->len)), ERR_OK);
	/* The server's own copy of the keys: A may not have the last message of phase 1 yet. */
	sa = sa_by_cookies(r->n[1].k, m.head.cookie_i, m.head.cookie_r);
	assert_true(m.head.flags & FLAG_ENCRYPTED);
	if (m.head.message_id != c.id)
		assert_int_equal(message_iv(&sa->st, m.head.message_id, c.iv), ERR_OK);
	c.id = m.head.message_id;
	assert_int_equal(message_open(r->n[0].k, &sa->st, c.iv, span_of(p->bytes, p->len), &plain), ERR_OK);
	assert_int_equal(message_decode(&m, 1, m.head.next, plain, true, &why), ERR_OK);
	assert_int_equal(m.set, P(HASH) | P(CONFIG));
	assert_int_equal(message_hash(&sa->st, c.id, &m, (struct span){ 0 }, &want), ERR_OK);
	assert_true(span_equal(secret_span(&want), m.payloads[0].v.data.data));
	c.type = m.payloads[1].v.config.type;
	c.identifier = m.payloads[1].v.config.id;
	c.len = m.payloads[1].v.config.attributes.len;
	memcpy(c.attributes, m.payloads[1].v.config.attributes.data, c.len);
	c.came++;
}

static bool overhear(struct rig *r, struct packet *p)
{
	if (p->from != 1 || p->len < ISAKMP_HEADER_LEN || p->bytes[18] != EXCH_TRANSACTION)
		return true;
	/* Said again: the same bytes. */
	if (p->len == c.last_len && memcmp(p->bytes, c.last, p->len) == 0) {
		c.came++;
		return false;
	}
	memcpy(c.last, p->bytes, p->len);
	c.last_len = p->len;
	server_said(r, p);
	return false;
}

/* A message of the client: in the exchange that the server began, or in a new one. */
static void say(struct rig *r, bool fresh, enum isakmp_config type, struct span attributes)
{
	static uint32_t next = 0x1000;
	struct ike_sa *sa = sa_of(r, 0);
	struct isakmp_header h = {
		.cookie_i = sa->st.cookie_i, .cookie_r = sa->st.cookie_r, .version = 0x10, .exchange = EXCH_TRANSACTION
	};
	union payload_value v = { .config = { .type = (uint8_t)type, .id = fresh ? 77 : c.identifier, .attributes = attributes } };
	uint8_t buf[2048], zero[PRF_MAX] = { 0 };
	struct secret digest;
	struct span hash, packet, body;
	struct build b;

	if (fresh) {
		c.id = next++;
		assert_int_equal(message_iv(&sa->st, c.id, c.iv), ERR_OK);
	}
	h.message_id = c.id;
	build_start(&b, buf, sizeof(buf), &h);
	hash = build_data(&b, PAYLOAD_HASH, span_of(zero, hash_find(sa->st.terms.hash)->digest_len));
	body = build_payload(&b, PAYLOAD_CONFIG, &v);
	assert_int_equal(keys_hash_phase2(&sa->st, c.id, SPANS(body), &digest), ERR_OK);
	memcpy(hash.data + ISAKMP_GENERIC_LEN, digest.bytes, digest.len);
	hash.data[ISAKMP_GENERIC_LEN] ^= c.bad_hash;
	assert_int_equal(message_seal(&b, &sa->st, c.iv, &packet), ERR_OK);
	memcpy(c.said, packet.data, packet.len);
	c.said_len = packet.len;
	rig_inject(r, 0, 1, packet.data, packet.len, 500);
	rig_run(r, SECONDS(1) / 4);
}

static void say_user(struct rig *r, const char *user, const char *password)
{
	uint8_t buf[256];
	struct writer w = writer_of(buf, sizeof(buf));

	attribute_encode(&w, ATTRC_XAUTH_TYPE, 0);
	attribute_put(&w, ATTRC_XAUTH_USER_NAME, span_of(user, strlen(user)));
	attribute_put(&w, ATTRC_XAUTH_USER_PASSWORD, span_of(password, strlen(password)));
	say(r, false, CONFIG_REPLY, writer_span(&w));
}

static void say_ack(struct rig *r)
{
	say(r, false, CONFIG_ACK, (struct span){ 0 });
}

static void say_request(struct rig *r, const uint16_t *types, size_t n)
{
	uint8_t buf[256];
	struct writer w = writer_of(buf, sizeof(buf));

	for (size_t i = 0; i < n; i++)
		attribute_put(&w, types[i], (struct span){ 0 });
	say(r, true, CONFIG_REQUEST, writer_span(&w));
}

/* The server's attribute of that type, the n-th; false: none. */
static bool got(uint16_t type, size_t n, struct attribute *a)
{
	struct reader r = reader_of(span_of(c.attributes, c.len));

	while (attribute_next(&r, a))
		if (a->type == type && n-- == 0)
			return true;
	return false;
}

static uint32_t got_ip(uint16_t type, size_t n)
{
	struct attribute a;

	return got(type, n, &a) && a.value.len == 4 ? (uint32_t)a.number : 0;
}

static struct rig *begin(uint64_t seed, const char *high)
{
	struct rig *r = rig_new(seed, 2);

	memset(&c, 0, sizeof(c));
	rig_clients(&r->n[1], "10.9.0.1", high);
	rig_config(&r->n[1]);
	r->n[1].user = "alice";
	r->n[1].password = "a pass word";
	r->edit = overhear;
	return r;
}

static void phase1(struct rig *r)
{
	rig_acquire(&r->n[0], 10, 10);
	rig_run(r, SECONDS(1) / 2);
	assert_non_null(sa_of(r, 0));
}

/* Until its address: what the client was given. */
static uint32_t log_in(struct rig *r)
{
	static const uint16_t ask[] = { ATTRC_IP4_ADDRESS };

	phase1(r);
	say_user(r, "alice", "a pass word");
	say_ack(r);
	say_request(r, ask, 1);
	return got_ip(ATTRC_IP4_ADDRESS, 0);
}

static void name_and_address(void **state)
{
	static const uint16_t ask[] = { ATTRC_IP4_ADDRESS, ATTRC_IP4_NETMASK, ATTRC_IP4_DNS, ATTRC_DEF_DOMAIN, ATTRC_SPLIT_INCLUDE,
		ATTRC_BANNER, ATTRC_APPLICATION_VERSION, ATTRC_SAVE_PASSWORD };
	static const uint8_t nets[] = { 10, 1, 0, 0, 255, 255, 0, 0, 0, 0, 0, 0, 0, 0, 10, 2, 2, 0, 255, 255, 255, 0, 0, 0, 0, 0, 0,
		0 };
	struct rig *r = begin(1, "10.9.0.3");
	struct cfg_client_group *g = &r->n[1].cfg->groups[0];
	struct attribute a;

	(void)state;
	g->dns[0] = 0x0a010101;
	g->dns[1] = 0x0a010102;
	snprintf(g->domain, sizeof(g->domain), "example.com");
	snprintf(g->banner, sizeof(g->banner), "Welcome");
	snprintf(g->acl, sizeof(g->acl), "150");
	cfg_ace_add(r->n[1].cfg, "150", 10, true, "10.1.0.0", 16, "0.0.0.0", 0);
	cfg_ace_add(r->n[1].cfg, "150", 20, false, "10.3.0.0", 16, "0.0.0.0", 0);
	cfg_ace_add(r->n[1].cfg, "150", 30, true, "10.2.2.0", 24, "0.0.0.0", 0);
	rig_config(&r->n[1]);
	phase1(r);
	/* To be asked for the user comes first; nothing of phase 2 is taken before. */
	assert_int_equal(c.type, CONFIG_REQUEST);
	assert_true(got(ATTRC_XAUTH_USER_NAME, 0, &a) && got(ATTRC_XAUTH_USER_PASSWORD, 0, &a));
	assert_int_equal(rig_ike_state(&r->n[1]), CONF_XAUTH);
	assert_int_equal(rig_pairs(&r->n[1]), 0);
	say_user(r, "alice", "a pass word");
	assert_int_equal(r->n[1].user_checks, 1);
	assert_int_equal(c.type, CONFIG_SET);
	assert_true(got(ATTRC_XAUTH_STATUS, 0, &a) && a.basic && a.number == 1);
	assert_true(rig_log_has(r, "%CRYPTO-6-VPN_TUNNEL_STATUS: (Server)  Authentication PASSED  User=alice  Group=default  "
				   "Client_public_addr=203.0.113.1"));
	say_ack(r);
	assert_int_equal(rig_ike_state(&r->n[1]), QM_IDLE);
	say_request(r, ask, sizeof(ask) / sizeof(ask[0]));
	assert_int_equal(c.type, CONFIG_REPLY);
	assert_int_equal(c.identifier, 77);
	assert_int_equal(got_ip(ATTRC_IP4_ADDRESS, 0), 0x0a090001);
	assert_int_equal(got_ip(ATTRC_IP4_NETMASK, 0), 0xffffffff);
	assert_int_equal(got_ip(ATTRC_IP4_DNS, 1), 0x0a010102);
	assert_true(got(ATTRC_SPLIT_INCLUDE, 0, &a) && span_equal(a.value, span_of(nets, sizeof(nets))));
	assert_true(got(ATTRC_BANNER, 0, &a) && span_equal(a.value, span_of("Welcome", 7)));
	assert_true(got(ATTRC_DEF_DOMAIN, 0, &a) && got(ATTRC_APPLICATION_VERSION, 0, &a) && got(ATTRC_SAVE_PASSWORD, 0, &a));
	assert_false(got(ATTRC_IP4_NBNS, 0, &a));
	assert_false(rig_log_has(r, "a pass word"));
	rig_free(r);
}

/* Wrong: told, then the IKE SA goes, on both sides. */
static void wrong_password(void **state)
{
	struct rig *r = begin(2, "10.9.0.3");
	struct attribute a;

	(void)state;
	phase1(r);
	say_user(r, "alice", "guess");
	assert_int_equal(c.type, CONFIG_SET);
	assert_true(got(ATTRC_XAUTH_STATUS, 0, &a) && a.number == 0);
	assert_true(rig_log_has(r, "Authentication REJECTED  User=alice  Group=default"));
	assert_false(rig_log_has(r, "guess"));
	r->n[1].deaf = true; /* A begins again at once */
	say_ack(r);
	assert_null(sa_of(r, 1));
	assert_non_null(strstr(rig_failure(&r->n[1]), "user alice was refused"));
	rig_free(r);
}

/* Five wrong ones from an address, and for a minute nobody is asked any more, whoever it is. */
static void guesses_bounded(void **state)
{
	struct rig *r = begin(3, "10.9.0.3");

	(void)state;
	for (int i = 0; i < 8; i++) {
		phase1(r);
		say_user(r, "alice", i < 7 ? "guess" : "a pass word");
		r->n[1].deaf = true;
		say_ack(r);
		assert_null(sa_of(r, 1));
		r->n[1].deaf = false;
		rig_restart(&r->n[0]);
	}
	assert_int_equal(r->n[1].user_checks, 5);
	assert_true(rig_log_has(r, "too many wrong passwords from this address"));
	rig_run(r, SECONDS(61));
	assert_int_equal(log_in(r), 0x0a090001);
	rig_free(r);
}

/* A client that says nothing, or nothing good: nothing opens, and it ends. */
static void silence(void **state)
{
	struct rig *r = begin(4, "10.9.0.3");
	static const uint16_t ask[] = { ATTRC_IP4_ADDRESS };
	unsigned came;

	(void)state;
	phase1(r);
	c.bad_hash = true;
	say_user(r, "alice", "a pass word");
	c.bad_hash = false;
	assert_int_equal(r->n[1].user_checks, 0);
	came = c.came;
	say_request(r, ask, 1);
	assert_int_equal(c.came, came); /* no address before the name */
	assert_int_equal(rig_ike_state(&r->n[1]), CONF_XAUTH);
	rig_run(r, SECONDS(70));
	assert_null(sa_of(r, 1));
	assert_true(c.came > 3); /* it was asked again */
	rig_free(r);
}

/* The client's repeated question gets the same answer; an id that was used for something else none. */
static void repeated_question(void **state)
{
	struct rig *r = begin(5, "10.9.0.3");
	static const uint16_t ask[] = { ATTRC_IP4_ADDRESS };
	unsigned came;

	(void)state;
	assert_int_equal(log_in(r), 0x0a090001);
	came = c.came;
	rig_inject(r, 0, 1, c.said, c.said_len, 500);
	assert_int_equal(c.came, came + 1); /* the same bytes, or overhear() could not have read them */
	c.id--;                             /* the id of the question, a second time, for another one */
	say(r, false, CONFIG_REQUEST, (struct span){ 0 });
	assert_int_equal(c.came, came + 1);
	say_request(r, ask, 1);
	assert_int_equal(got_ip(ATTRC_IP4_ADDRESS, 0), 0x0a090001); /* it has one, and keeps it */
	rig_free(r);
}

static void quick_as(struct rig *r, uint32_t from, int bits, bool wants)
{
	struct cfg_ace *mine = &r->n[0].cfg->acls[0].entries[0];

	mine->src = from;
	mine->src_wild = ~ip4_mask_of(bits);
	rig_config(&r->n[0]);
	rig_acquire(&r->n[0], 10, 10);
	rig_run(r, SECONDS(2));
	assert_int_equal(rig_up(r), wants);
}

/* Its own address and no other: not a neighbour's, not the whole pool. The server's list permits any of them. */
static void own_address_alone(void **state)
{
	struct rig *r = begin(6, "10.9.0.9");
	struct cfg_ace *list = &r->n[1].cfg->acls[0].entries[0];

	(void)state;
	list->dst = 0x0a090000;
	list->dst_wild = 0xff;
	assert_int_equal(log_in(r), 0x0a090001);
	quick_as(r, 0x0a090002, 32, false);
	assert_non_null(strstr(rig_failure(&r->n[1]), "but the client's address is 10.9.0.1"));
	quick_as(r, 0x0a090000, 24, false);
	quick_as(r, 0x0a090001, 32, true);
	rig_free(r);
}

/* A peer without an address of the pool may not say that it has one. */
static void no_address_of_a_pool(void **state)
{
	struct rig *r = begin(7, "10.9.0.9");
	struct cfg_ace *list = &r->n[1].cfg->acls[0].entries[0];

	(void)state;
	list->dst = 0x0a090000;
	list->dst_wild = 0xff;
	r->n[0].cfg->acls[0].entries[0].src = 0x0a090002;
	r->n[0].cfg->acls[0].entries[0].src_wild = 0;
	rig_config(&r->n[0]);
	phase1(r);
	say_user(r, "alice", "a pass word");
	say_ack(r);
	rig_run(r, SECONDS(5));
	assert_false(rig_up(r));
	assert_non_null(strstr(rig_failure(&r->n[1]), "addresses of a pool, of which none was given to them"));
	rig_free(r);
}

/* A router among the clients: its key says so. */
static void no_xauth(void **state)
{
	struct rig *r = begin(8, "10.9.0.9");

	(void)state;
	r->n[1].cfg->keys[0].no_xauth = true;
	rig_config(&r->n[1]);
	rig_acquire(&r->n[0], 10, 10);
	assert_true(rig_until(r, rig_up, SECONDS(5)));
	assert_int_equal(c.came, 0);
	rig_free(r);
}

/* A certificate proves the machine, by RSA or ECDSA; the user is asked for all the same. The group is the certificate's OU, if it
 * is one. */
static void certificates(void **state)
{
	static const struct {
		const char *subject, *group;
		int rsa_bits;
	} of[] = { { "/O=Acme/OU=STAFF/CN=A", "STAFF", 2048 }, { "/O=Acme/OU=STAFF/CN=A", "STAFF", 0 },
		{ "/O=Acme/CN=A", "default", 0 }, { "/O=Acme/OU=STAFFS/CN=A", "default", 0 },
		{ "/O=Acme/OU=STAF/CN=A", "default", 0 } };

	(void)state;
	for (size_t i = 0; i < sizeof(of) / sizeof(of[0]); i++) {
		struct rig *r = begin(20 + i, "10.9.0.9");
		struct authority *ca = authority_new("/O=Acme/CN=Root");

		snprintf(r->n[1].cfg->groups[0].name, sizeof(r->n[1].cfg->groups[0].name), "STAFF");
		rig_enroll(&r->n[0], ca,
			&(struct cert_want){ .subject = of[i].subject, .alt = "IP:203.0.113.1", .rsa_bits = of[i].rsa_bits });
		rig_enroll(&r->n[1], ca,
			&(struct cert_want){ .subject = "/CN=B", .alt = "IP:198.51.100.2", .rsa_bits = of[i].rsa_bits });
		phase1(r);
		assert_int_equal(c.type, CONFIG_REQUEST);
		assert_int_equal(rig_ike_state(&r->n[1]), CONF_XAUTH);
		assert_string_equal(sa_of(r, 1)->st.client.group, of[i].group);
		say_user(r, "alice", "a pass word");
		assert_true(rig_log_has(r, "Authentication PASSED  User=alice"));
		rig_free(r);
		authority_free(ca);
	}
}

static void pushed(void **state)
{
	struct rig *r = begin(9, "10.9.0.9");
	struct cfg_map *m = &r->n[1].cfg->map_settings[0];

	(void)state;
	m->config_initiate = true;
	m->config_respond = false;
	phase1(r);
	say_user(r, "alice", "a pass word");
	say_ack(r);
	assert_int_equal(c.type, CONFIG_SET);
	assert_int_equal(got_ip(ATTRC_IP4_ADDRESS, 0), 0x0a090001);
	assert_int_equal(rig_ike_state(&r->n[1]), CONF_ADDR);
	say_ack(r);
	assert_int_equal(rig_ike_state(&r->n[1]), QM_IDLE);
	rig_free(r);
}

/* One address in the pool: the second client gets none and is told off; when the first has gone it is free again. */
static void pool_of_one(void **state)
{
	struct rig *r = begin(10, "10.9.0.1");
	struct ike_sa *first;

	(void)state;
	assert_int_equal(log_in(r), 0x0a090001);
	first = sa_of(r, 1);
	snprintf(first->st.client.user, sizeof(first->st.client.user), "bob"); /* somebody else's */
	rig_restart(&r->n[0]);
	assert_int_equal(log_in(r), 0);
	assert_non_null(strstr(rig_failure(&r->n[1]), "no address for the client: pool P has no free address"));
	rig_restart(&r->n[0]);
	sa_delete(first, false, "test");
	assert_int_equal(log_in(r), 0x0a090001);
	rig_free(r);
}

static void logins_bounded(void **state)
{
	struct rig *r = begin(11, "10.9.0.9");
	struct ike_sa *first;

	(void)state;
	r->n[1].cfg->groups[0].max_logins = 1;
	assert_int_equal(log_in(r), 0x0a090001);
	first = sa_of(r, 1);
	first->st.path.remote = addr_v4(0xc633644d); /* from elsewhere */
	sa_moved(first);
	rig_restart(&r->n[0]);
	phase1(r);
	say_user(r, "alice", "a pass word");
	assert_non_null(strstr(rig_failure(&r->n[1]), "user alice is logged in 1 times already"));
	rig_free(r);
}

/* `clear crypto session username`: that user's and nobody else's. */
static void cleared_by_name(void **state)
{
	struct rig *r = begin(12, "10.9.0.9");
	struct ikem_clear ask = { .what = IKE_CLEAR_SESSION, .user = "bob" };
	struct cfg_ace *list = &r->n[1].cfg->acls[0].entries[0];

	(void)state;
	list->dst = 0x0a090000;
	list->dst_wild = 0xff;
	assert_int_equal(log_in(r), 0x0a090001);
	quick_as(r, 0x0a090001, 32, true);
	assert_int_equal(ike_clear(r->n[1].k, &ask), 0);
	assert_true(rig_up(r));
	snprintf(ask.user, sizeof(ask.user), "alice");
	assert_int_equal(ike_clear(r->n[1].k, &ask), 2);
	assert_int_equal(rig_pairs(&r->n[1]), 0);
	assert_null(sa_of(r, 1));
	rig_free(r);
}

/* On a dynamic map: a policy is made for the client's address, is renewed by the server, too, and ends with the last pair. */
static void dynamic_map(void **state)
{
	struct rig *r = begin(13, "10.9.0.9");
	struct node *b = &r->n[1];
	const struct dpm_dynamic *d = &b->dynamic;
	struct ikem_clear ask = { .what = IKE_CLEAR_SESSION, .user = "alice" };

	(void)state;
	rig_dynamic(b);
	b->cfg->ipsec.lifetime_s = 600;
	rig_config(b);
	assert_int_equal(log_in(r), 0x0a090001);
	quick_as(r, 0x0a090002, 32, false);
	assert_int_equal(b->dynamic_put_count, 0);
	quick_as(r, 0x0a090001, 32, true);
	assert_int_equal(b->dynamic_put_count, 1);
	assert_true(d->id.ace_seq & DP_ACE_DYNAMIC);
	assert_true(d->id.map_seq == 10 && d->dynamic_seq == 5);
	assert_string_equal(d->dynamic, "D");
	assert_true(addr_to_v4(d->sel.remote.from) == 0x0a090001 && addr_to_v4(d->sel.remote.to) == 0x0a090001);
	assert_true(addr_equal(d->peer, r->n[0].address));
	rig_run(r, SECONDS(1500)); /* two renewals */
	assert_true(rig_up(r));
	assert_int_equal(b->dynamic_put_count, 1);
	assert_int_equal(b->dynamic_del_count, 0);
	assert_true(policy_id_equal(&rig_sa(b, true, 0)->policy, &d->id));
	/* The configuration goes on to permit it. */
	rig_config(b);
	assert_true(rig_up(r));
	assert_true(ike_clear(b->k, &ask) >= 2);
	assert_int_equal(rig_pairs(b), 0);
	assert_int_equal(b->dynamic_del_count, 1);
	rig_free(r);
}

/* The data path comes back with nothing: policies whose clients are there are put again, and pairs are made without being asked. */
static void dynamic_resumed(void **state)
{
	struct rig *r = begin(15, "10.9.0.9");
	struct node *b = &r->n[1];
	struct dp_policy_id was;

	(void)state;
	rig_dynamic(b);
	rig_config(b);
	assert_int_equal(log_in(r), 0x0a090001);
	quick_as(r, 0x0a090001, 32, true);
	was = b->dynamic.id;
	b->nsas = 0;
	memset(&b->dynamic, 0, sizeof(b->dynamic));
	ike_datapath_reset(b->k);
	rig_run(r, SECONDS(3));
	assert_int_equal(b->dynamic_put_count, 2);
	assert_true(policy_id_equal(&b->dynamic.id, &was));
	assert_int_equal(b->dynamic_del_count, 0);
	assert_true(rig_up(r));
	assert_true(policy_id_equal(&rig_sa(b, true, 0)->policy, &was));
	/* Without an IKE SA there is nobody to make them with. */
	sa_delete(sa_of(r, 1), false, "test");
	b->nsas = 0;
	ike_datapath_reset(b->k);
	assert_int_equal(b->dynamic_put_count, 2);
	assert_int_equal(b->dynamic_del_count, 1);
	rig_free(r);
}

/* A new ikemgrd takes up what it finds, and takes away what has no SAs. */
static void dynamic_adopted(void **state)
{
	struct rig *r = begin(14, "10.9.0.9");
	struct node *b = &r->n[1];
	struct dpm_dynamic other;

	(void)state;
	rig_dynamic(b);
	rig_config(b);
	assert_int_equal(log_in(r), 0x0a090001);
	quick_as(r, 0x0a090001, 32, true);
	other = b->dynamic;
	other.id.ace_seq += 7;
	rig_restart(b);
	ike_adopt_dynamic(b->k, &b->dynamic);
	ike_adopt_dynamic(b->k, &other);
	for (int in = 0; in < 2; in++) {
		const struct dpm_sa *sa = rig_sa(b, in != 0, 0);
		struct dpm_sa_info i = { .key = sa->key,
			.local = sa->local,
			.remote = sa->remote,
			.policy = sa->policy,
			.sel = sa->sel,
			.peer_spi = sa->peer_spi,
			.lifetime_s = 3600,
			.conn_id = 1 };

		ike_adopt(b->k, &i);
	}
	ike_adopted(b->k);
	assert_int_equal(b->dynamic_del_count, 1);
	rig_config(b);
	assert_int_equal(rig_pairs(b), 1); /* still permitted */
	rig_free(r);
}

/* What an ISAKMP profile says to clients goes before what the map says. */
static void by_profile(void **state)
{
	struct rig *r = begin(15, "10.9.0.9");
	struct cfg *cfg = r->n[1].cfg;
	struct cfg_isakmp_profile *p = cfg_profile_add(cfg, "ROAD");

	(void)state;
	cfg->map_settings[0] = (struct cfg_map){ .name = "M" };
	cfg_profile_match(p, CFG_ID_ADDRESS, "203.0.113.1");
	snprintf(p->client_auth_list, CFG_NAME, "USERS");
	snprintf(p->author_list, CFG_NAME, "GROUPS");
	snprintf(p->client_group, CFG_NAME, "STAFF");
	p->config_respond = true;
	snprintf(cfg->groups[0].name, CFG_NAME, "STAFF");
	rig_config(&r->n[1]);
	assert_int_equal(log_in(r), 0x0a090001);
	assert_true(rig_log_has(r, "User=alice  Group=STAFF"));
	rig_free(r);
}

/* A list that does not exist lets nobody in, and says so. */
static void no_list(void **state)
{
	struct rig *r = begin(16, "10.9.0.9");

	(void)state;
	r->n[1].cfg->nlogins = 0;
	rig_config(&r->n[1]);
	phase1(r);
	assert_int_equal(c.came, 0);
	assert_non_null(strstr(rig_failure(&r->n[1]), "the list \"USERS\" of aaa authentication login does not exist"));
	rig_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(name_and_address),
		cmocka_unit_test(wrong_password),
		cmocka_unit_test(guesses_bounded),
		cmocka_unit_test(silence),
		cmocka_unit_test(repeated_question),
		cmocka_unit_test(own_address_alone),
		cmocka_unit_test(no_address_of_a_pool),
		cmocka_unit_test(no_xauth),
		cmocka_unit_test(certificates),
		cmocka_unit_test(pushed),
		cmocka_unit_test(pool_of_one),
		cmocka_unit_test(logins_bounded),
		cmocka_unit_test(cleared_by_name),
		cmocka_unit_test(dynamic_map),
		cmocka_unit_test(dynamic_resumed),
		cmocka_unit_test(dynamic_adopted),
		cmocka_unit_test(by_profile),
		cmocka_unit_test(no_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
