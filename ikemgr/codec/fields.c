/* One table per payload: the RFC's drawing as rows. Decode, encode and debug text read the same rows. */
#include "ikemgr/codec/fields.h"

#define AT(type, member) offsetof(struct payload_##type, member)
#define U8(type, member, label, names)                                                                                             \
	{                                                                                                                          \
		FIELD_U8, 0, AT(type, member), 0, 0, label, names                                                                  \
	}
#define U16(type, member, label, names)                                                                                            \
	{                                                                                                                          \
		FIELD_U16, 0, AT(type, member), 0, 0, label, names                                                                 \
	}
#define U32(type, member, label, names)                                                                                            \
	{                                                                                                                          \
		FIELD_U32, 0, AT(type, member), 0, 0, label, names                                                                 \
	}
#define RESERVED(n)                                                                                                                \
	{                                                                                                                          \
		FIELD_RESERVED, n, 0, 0, 0, NULL, NULL                                                                             \
	}
#define REST(type, member, label)                                                                                                  \
	{                                                                                                                          \
		FIELD_REST, 0, AT(type, member), 0, 0, label, NULL                                                                 \
	}
#define SIZED(type, member, size, label)                                                                                           \
	{                                                                                                                          \
		FIELD_SIZED, 0, AT(type, member), AT(type, size), 0, label, NULL                                                   \
	}
#define ARRAY(type, member, size, count, label)                                                                                    \
	{                                                                                                                          \
		FIELD_ARRAY, 0, AT(type, member), AT(type, size), AT(type, count), label, NULL                                     \
	}
#define END                                                                                                                        \
	{                                                                                                                          \
		FIELD_END, 0, 0, 0, 0, NULL, NULL                                                                                  \
	}

/* RFC 2408 3.4, with RFC 2407 4.6.1's situation. The proposals are a chain of their own. */
static const struct field fields_SA[] = { U32(sa, doi, "DOI", names_doi), U32(sa, situation, "situation", NULL),
	REST(sa, proposals, NULL), END };
/* RFC 2408 3.5, RFC 7296 3.3.1 */
static const struct field fields_PROPOSAL[] = { U8(proposal, number, "number", NULL),
	U8(proposal, protocol, "protocol", names_protocol_id), U8(proposal, spi_size, "SPI size", NULL),
	U8(proposal, ntransforms, "transforms", NULL), SIZED(proposal, spi, spi_size, "SPI"), REST(proposal, transforms, NULL),
	END };
/* RFC 2408 3.6 */
static const struct field fields_TRANSFORM[] = { U8(transform, number, "number", NULL), U8(transform, id, "id", NULL), RESERVED(2),
	REST(transform, attributes, NULL), END };
static const struct field fields_DATA[] = { REST(data, data, "data"), END };
/* RFC 2407 4.6.2 */
static const struct field fields_ID[] = { U8(id, type, "type", names_id), U8(id, protocol, "protocol", NULL),
	U16(id, port, "port", NULL), REST(id, data, NULL), END };
/* RFC 2408 3.9, 3.10 */
static const struct field fields_TYPED[] = { U8(typed, type, "type", NULL), REST(typed, data, "data"), END };
/* draft-ietf-ipsec-isakmp-mode-cfg-05 3.2 */
static const struct field fields_CONFIG[] = { U8(config, type, "message type", names_config), RESERVED(1),
	U16(config, id, "identifier", NULL), REST(config, attributes, NULL), END };
/* RFC 2408 3.14 */
static const struct field fields_NOTIFY[] = { U32(notify, doi, "DOI", names_doi),
	U8(notify, protocol, "protocol", names_protocol_id), U8(notify, spi_size, "SPI size", NULL),
	U16(notify, type, "message", names_notify), SIZED(notify, spi, spi_size, "SPI"), REST(notify, data, "data"), END };
/* RFC 2408 3.15 */
static const struct field fields_DELETE[] = { U32(delete, doi, "DOI", names_doi),
	U8(delete, protocol, "protocol", names_protocol_id), U8(delete, spi_size, "SPI size", NULL),
	U16(delete, count, "count", NULL), ARRAY(delete, spis, spi_size, count, "SPIs"), END };
/* RFC 3947 5.2 */
static const struct field fields_NATOA[] = { U8(natoa, type, "type", names_id), RESERVED(3), REST(natoa, address, "address"), END };

/* IKEv2, RFC 7296 3.3 to 3.14 */
static const struct field fields_SA2[] = { REST(sa2, proposals, NULL), END };
static const struct field fields_TRANSFORM2[] = { U8(transform, id, "type", NULL), RESERVED(1),
	U16(transform, reserved2, "id", NULL), REST(transform, attributes, NULL), END };
static const struct field fields_KE2[] = { U16(ke2, group, "group", NULL), RESERVED(2), REST(ke2, data, "data"), END };
static const struct field fields_ID2[] = { U8(id, type, "type", names_id), RESERVED(3), REST(id, data, NULL), END };
static const struct field fields_AUTH2[] = { U8(typed, type, "method", NULL), RESERVED(3), REST(typed, data, "data"), END };
static const struct field fields_TS2[] = { U8(typed, type, "selectors", NULL), RESERVED(3), REST(typed, data, "data"), END };
static const struct field fields_NOTIFY2[] = { U8(notify, protocol, "protocol", names_protocol_id),
	U8(notify, spi_size, "SPI size", NULL), U16(notify, type, "message", NULL), SIZED(notify, spi, spi_size, "SPI"),
	REST(notify, data, "data"), END };
static const struct field fields_DELETE2[] = { U8(delete, protocol, "protocol", names_protocol_id),
	U8(delete, spi_size, "SPI size", NULL), U16(delete, count, "count", NULL), ARRAY(delete, spis, spi_size, count, "SPIs"),
	END };

#define fields_KE          fields_DATA
#define fields_CERT        fields_TYPED
#define fields_CERT_REQ    fields_TYPED
#define fields_HASH        fields_DATA
#define fields_SIG         fields_DATA
#define fields_NONCE       fields_DATA
#define fields_VID         fields_DATA
#define fields_NATD        fields_DATA
#define fields_NATD_DRAFT  fields_DATA
#define fields_NATOA_DRAFT fields_NATOA
#define fields_PROPOSAL2   fields_PROPOSAL
#define fields_IDI2        fields_ID2
#define fields_IDR2        fields_ID2
#define fields_CERT2       fields_TYPED
#define fields_CERTREQ2    fields_TYPED
#define fields_NONCE2      fields_DATA
#define fields_VID2        fields_DATA
#define fields_TSI2        fields_TS2
#define fields_TSR2        fields_TS2
#define fields_SK2         fields_DATA

const struct payload_def payload_table[] = {
	{ PAYLOAD_NONE, 0, 0, 0, "none", NULL },
#define X(kind, version, number, most, text) { PAYLOAD_##kind, version, number, most, text, fields_##kind },
	PAYLOADS(X)
#undef X
		{ PAYLOAD_UNKNOWN, 0, 0, 0, NULL, NULL },
};
_Static_assert(sizeof(union payload_value) < 256, "offsets of fields are bytes");
