/* The walk: at each step of each exchange, every message that could come instead of the expected one, made from the rule
 * tables: each required payload missing, each other kind of payload extra, each other exchange, clear for encrypted and the
 * reverse. Whatever comes, the state stays, nothing is sent but what the row allows, and the true message still works.
 *
 * Encrypted messages are made with the SA's own keys, so that it is the payload set, not the key, that is judged.
 */
#include "ikemgr/codec/fields.h"
#include "rig_pki.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static unsigned walked;

static void payload_put(struct build *b, enum payload_kind kind)
{
	static const uint8_t bytes[300] = { 1, 2, 3 };
	uint8_t proposal[] = { 0, 0, 0, 16, 1, 1, 0, 1, 0, 0, 0, 8, 1, 1, 0, 0 };
	union payload_value v;
	const struct payload_def *def = payload_def(kind);

	memset(&v, 0, sizeof(v));
	switch (kind) {
	case PAYLOAD_SA:
		v.sa = (struct payload_sa){ DOI_IPSEC, SIT_IDENTITY_ONLY, span_of(proposal, sizeof(proposal)) };
		break;
	case PAYLOAD_ID:
	case PAYLOAD_ID_SECOND:
		v.id = (struct payload_id){ ID_IPV4_ADDR, 0, 0, span_of(bytes, 4) };
		break;
	case PAYLOAD_NOTIFY:
		v.notify = (struct payload_notify){ DOI_IPSEC, PROTO_ISAKMP, 0, NOTIFY_CONNECTED, { 0 }, { 0 } };
		break;
	case PAYLOAD_DELETE:
		v.del = (struct payload_delete){ DOI_IPSEC, PROTO_ESP, 4, 1, span_of(bytes, 4) };
		break;
	case PAYLOAD_NATOA:
	case PAYLOAD_NATOA_DRAFT:
		v.natoa = (struct payload_natoa){ ID_IPV4_ADDR, span_of(bytes, 4) };
		break;
	case PAYLOAD_CERT:
	case PAYLOAD_CERT_REQ:
		v.typed = (struct payload_typed){ 4, span_of(bytes, 8) };
		break;
	case PAYLOAD_CONFIG:
		v.config = (struct payload_config){ CONFIG_REQUEST, 7, { 0 } };
		break;
	default:
		v.data.data = span_of(bytes, kind == PAYLOAD_KE ? 128 : kind == PAYLOAD_NONCE ? 32 : 20);
	}
	if (def != NULL && def->version == 1 && kind != PAYLOAD_PROPOSAL && kind != PAYLOAD_TRANSFORM)
		build_payload(b, kind, &v);
}

/* Gives `node` a message of that exchange with these payloads, from its peer. */
static void give(struct rig *r, int node, uint8_t exchange, uint32_t id, uint64_t kinds, bool encrypted)
{
	struct ike_sa *sa = OWNER(r->n[node].k->sas.next, struct ike_sa, all);
	struct isakmp_header h = { .cookie_i = sa->st.cookie_i,
		.cookie_r = sa->st.cookie_r != 0 ? sa->st.cookie_r : 77,
		.version = 0x10,
		.exchange = exchange,
		.message_id = id };
	uint8_t buf[4096], iv[CIPHER_BLOCK_MAX];
	struct quick *q = quick_find(sa, id);
	struct span packet;
	struct build b;

	build_start(&b, buf, sizeof(buf), &h);
	/* HASH first, as phase 2 wants it. */
	if (kinds & P(HASH))
		payload_put(&b, PAYLOAD_HASH);
	for (int kind = 1; kind < PAYLOAD_UNKNOWN; kind++)
		if (kind != PAYLOAD_HASH && (kinds & (UINT64_C(1) << kind)))
			payload_put(&b, (enum payload_kind)kind);
	if (encrypted && q != NULL && q->st != NULL)
		memcpy(iv, q->st->iv, sizeof(iv));
	else if (encrypted && id == 0)
		memcpy(iv, sa->st.iv, sizeof(iv));
	else if (encrypted)
		assert_int_equal(message_iv(&sa->st, id, iv), ERR_OK);
	/* Nothing in it: there is nothing to encrypt. */
	if (message_seal(&b, &sa->st, encrypted ? iv : NULL, &packet) != ERR_OK)
		return;
	rig_inject(r, 1 - node, node, packet.data, packet.len, 500);
	walked++;
}

struct before {
	enum ike_state state;
	uint16_t evidence;
	unsigned sent, nsas;
};

static struct before before_of(struct rig *r, int node)
{
	struct ike_sa *sa = OWNER(r->n[node].k->sas.next, struct ike_sa, all);

	return (struct before){ sa->st.state, sa->st.evidence, r->n[node].sent, (unsigned)r->n[node].nsas };
}

static void assert_unmoved(struct rig *r, int node, const struct before *was)
{
	struct before now;

	assert_true(r->n[node].k->sas.next != &r->n[node].k->sas);
	now = before_of(r, node);
	assert_int_equal(now.state, was->state);
	assert_int_equal(now.evidence, was->evidence);
	assert_int_equal(now.sent, was->sent);
	assert_int_equal(now.nsas, was->nsas);
}

/* Everything wrong, in the state that `node` is in. `expected`: the row that would take the true message, or NULL. */
static void walk_here(struct rig *r, int node, const struct rule *expected, uint32_t id)
{
	static const uint8_t exchanges[] = { 0, EXCH_BASE, EXCH_MAIN, EXCH_AUTH_ONLY, EXCH_AGGRESSIVE, EXCH_TRANSACTION, EXCH_QUICK,
		EXCH_NEW_GROUP, EXCH_SA_INIT2, EXCH_AUTH2, EXCH_CREATE_CHILD2, EXCH_INFORMATIONAL2, 255 };
	struct ike_sa *sa = OWNER(r->n[node].k->sas.next, struct ike_sa, all);
	bool keys = (sa->st.evidence & EV_KEYS) != 0;
	struct before was = before_of(r, node);

	for (size_t x = 0; x < sizeof(exchanges); x++)
		for (int encrypted = 0; encrypted <= keys; encrypted++)
			for (int kind = 1; kind < PAYLOAD_UNKNOWN; kind++) {
				uint64_t kinds = UINT64_C(1) << kind;

				/* What a row takes in a state is not walked here but below. */
				if (expected != NULL && expected->exchange == exchanges[x] && expected->must == kinds)
					continue;
				/* A quick mode here says that our answer was lost: it is repeated, nothing moves. */
				if (was.state == AG_INIT_EXCH && exchanges[x] == EXCH_QUICK && encrypted)
					continue;
				give(r, node, exchanges[x], exchanges[x] == EXCH_QUICK ? 0x1234567 : 0, kinds, encrypted != 0);
				assert_unmoved(r, node, &was);
			}
	if (expected == NULL)
		return;
	for (int kind = 1; kind < PAYLOAD_UNKNOWN; kind++) {
		uint64_t bit = UINT64_C(1) << kind;

		if (payload_def((enum payload_kind)kind)->version != 1 || kind == PAYLOAD_PROPOSAL || kind == PAYLOAD_TRANSFORM)
			continue;
		if (expected->must & bit)
			give(r, node, expected->exchange, id, expected->must & ~bit, expected->encrypted);
		else if (!(expected->may & bit) && kind != PAYLOAD_ID_SECOND)
			give(r, node, expected->exchange, id, expected->must | bit, expected->encrypted);
		assert_unmoved(r, node, &was);
	}
	/* In clear what must be encrypted, and the reverse. */
	if (expected->encrypted || keys)
		give(r, node, expected->exchange, id, expected->must, !expected->encrypted);
	assert_unmoved(r, node, &was);
}

static const struct rule *row_expected(struct rig *r, int node, struct quick **quick)
{
	struct ike_sa *sa = OWNER(r->n[node].k->sas.next, struct ike_sa, all);
	struct rule_query query;
	const char *why;

	*quick = NULL;
	EACH(l, &sa->quicks)
	if (OWNER(l, struct quick, link)->st != NULL)
		*quick = OWNER(l, struct quick, link);
	query = rule_query_of(
		&sa->st, *quick != NULL ? (*quick)->st : NULL, *quick != NULL ? EXCH_QUICK : sa->st.exchange, ON_MESSAGE);
	for (size_t t = 0, n; rules_table(t, &n) != NULL; t++)
		for (size_t i = 0; i < n; i++) {
			const struct rule *row = &rules_table(t, &n)[i];

			query.kinds = row->must;
			query.encrypted = row->encrypted;
			if (rule_find(&query, &why) == row)
				return row;
		}
	return NULL;
}

/* Stops before each of the nine messages is delivered and walks at the side that waits for it. */
static bool walk_edit(struct rig *r, struct packet *p)
{
	int to = 1 - p->from;
	struct quick *q;
	const struct rule *row;
	bool (*edit)(struct rig *, struct packet *) = r->edit;

	if (r->n[to].k->sas.next == &r->n[to].k->sas)
		return true;
	r->edit = NULL;
	row = row_expected(r, to, &q);
	walk_here(r, to, row, q != NULL ? q->message_id : 0);
	r->edit = edit;
	return true;
}

static void walk(struct rig *r, unsigned at_least)
{
	walked = 0;
	r->edit = walk_edit;
	rig_acquire(&r->n[0], 10, 10);
	assert_true(rig_until(r, rig_up, SECONDS(5)));
	assert_true(walked > at_least);
	rig_free(r);
}

static void every_state(void **state)
{
	(void)state;
	walk(rig_new(1, 2), 3000);
}

static void every_state_aggressive(void **state)
{
	struct rig *r = rig_new(1, 2);

	(void)state;
	cfg_isakmp_peer_add(r->n[0].cfg, "198.51.100.2", CFG_ID_HOST, "a.example.org");
	cfg_key_named_add(&r->n[1], "", "a.example.org", "a key of the two sites");
	walk(r, 2000);
}

static void every_state_signature(void **state)
{
	struct rig *r = rig_new(1, 2);
	struct authority *ca = authority_new("/CN=Root");

	(void)state;
	rig_enroll(&r->n[0], ca, &(struct cert_want){ .subject = "/CN=A", .alt = "IP:203.0.113.1" });
	rig_enroll(&r->n[1], ca, &(struct cert_want){ .subject = "/CN=B", .alt = "IP:198.51.100.2" });
	walk(r, 3000);
	authority_free(ca);
}

static void every_state_aggressive_signature(void **state)
{
	struct rig *r = rig_new(1, 2);
	struct authority *ca = authority_new("/CN=Root");

	(void)state;
	rig_enroll(&r->n[0], ca, &(struct cert_want){ .subject = "/CN=A", .alt = "IP:203.0.113.1" });
	rig_enroll(&r->n[1], ca, &(struct cert_want){ .subject = "/CN=B", .alt = "IP:198.51.100.2" });
	cfg_isakmp_peer_add(r->n[0].cfg, "198.51.100.2", CFG_ID_ADDRESS, "");
	rig_config(&r->n[0]);
	walk(r, 2000);
	authority_free(ca);
}

/* The rows say themselves: a set with one payload less than a row wants, or one more than it allows, has no row. */
static void rows_alone(void **state)
{
	const struct rule *other;
	const char *why;

	(void)state;
	for (size_t t = 0, n; rules_table(t, &n) != NULL; t++)
		for (size_t i = 0; i < n; i++) {
			const struct rule *row = &rules_table(t, &n)[i];
			struct rule_query q = { .version = row->version,
				.exchange = row->exchange,
				.on = row->on,
				.role = row->role == ROLE_EITHER ? ROLE_INITIATOR : row->role,
				.state = row->from == RULE_ANY ? MM_SA_SETUP : row->from,
				.auth = row->auth,
				.encrypted = row->encrypted,
				.kinds = row->must,
				.evidence = row->needs };

			assert_ptr_equal(rule_find(&q, &why), row);
			assert_non_null(row->run);
			assert_non_null(row->story);
			for (int bit = 0; bit < 16; bit++)
				if (row->needs & (1 << bit)) {
					q.evidence = row->needs & (uint16_t) ~(1 << bit);
					other = rule_find(&q, &why);
					assert_true(other == NULL || (other->lacks & (1 << bit)));
				}
			for (int bit = 0; bit < 16; bit++)
				if (row->lacks & (1 << bit)) {
					q.evidence = row->needs | (uint16_t)(1 << bit);
					assert_true(rule_find(&q, &why) != row);
				}
			q.evidence = row->needs;
			for (int kind = 1; row->on == ON_MESSAGE && kind < PAYLOAD_KIND_COUNT; kind++) {
				q.kinds = row->must ^ (UINT64_C(1) << kind);
				if ((row->must & (UINT64_C(1) << kind)) && q.kinds != 0)
					assert_true(rule_find(&q, &why) != row);
				else if (!(row->may & (UINT64_C(1) << kind)))
					assert_null(rule_find(&q, &why));
			}
			q.kinds = row->must;
			q.encrypted = !row->encrypted;
			if (row->on == ON_MESSAGE)
				assert_true(rule_find(&q, &why) != row);
			q.encrypted = row->encrypted;
			q.version = 2;
			assert_null(rule_find(&q, &why));
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_alone),
		cmocka_unit_test(every_state),
		cmocka_unit_test(every_state_aggressive),
		cmocka_unit_test(every_state_signature),
		cmocka_unit_test(every_state_aggressive_signature),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
