/* Numbers of ISAKMP and IKE as they stand on the wire (RFC 2407, 2408, 2409, 3706, 3947, 7296; IANA), each list once: enum and
 * text come from it.
 */
#ifndef POSTERN_IKEMGR_CODEC_ISAKMP_H
#define POSTERN_IKEMGR_CODEC_ISAKMP_H

#include <stddef.h>
#include <stdint.h>

#define ISAKMP_HEADER_LEN  28
#define ISAKMP_GENERIC_LEN 4 /* next payload, reserved, length */
#define ISAKMP_MESSAGE_MAX 65507

/* Payloads: kind (what rules speak of), version, number, largest count in one message, text. RFC 2408 3.1, RFC 3947 3.2,
 * draft-ietf-ipsec-nat-t-ike-03 3.2; RFC 7296 3.2. */
#define PAYLOADS(X)                                                                                                                \
	X(SA, 1, 1, 1, "SA")                                                                                                       \
	X(PROPOSAL, 1, 2, 0, "Proposal")                                                                                           \
	X(TRANSFORM, 1, 3, 0, "Transform")                                                                                         \
	X(KE, 1, 4, 1, "KE")                                                                                                       \
	X(ID, 1, 5, 2, "ID")                                                                                                       \
	X(CERT, 1, 6, 16, "CERT")                                                                                                  \
	X(CERT_REQ, 1, 7, 16, "CERT_REQ")                                                                                          \
	X(HASH, 1, 8, 1, "HASH")                                                                                                   \
	X(SIG, 1, 9, 1, "SIG")                                                                                                     \
	X(NONCE, 1, 10, 1, "NONCE")                                                                                                \
	X(NOTIFY, 1, 11, 16, "NOTIFY")                                                                                             \
	X(DELETE, 1, 12, 16, "DELETE")                                                                                             \
	X(VID, 1, 13, 48, "vendor ID")                                                                                             \
	X(CONFIG, 1, 14, 1, "CONFIG")                                                                                              \
	X(NATD, 1, 20, 16, "NAT-D")                                                                                                \
	X(NATOA, 1, 21, 2, "NAT-OA")                                                                                               \
	X(NATD_DRAFT, 1, 130, 16, "NAT-D (draft)")                                                                                 \
	X(NATOA_DRAFT, 1, 131, 2, "NAT-OA (draft)")                                                                                \
	X(SA2, 2, 33, 1, "SA")                                                                                                     \
	X(PROPOSAL2, 2, 2, 0, "Proposal")                                                                                          \
	X(TRANSFORM2, 2, 3, 0, "Transform")                                                                                        \
	X(KE2, 2, 34, 1, "KE")                                                                                                     \
	X(IDI2, 2, 35, 1, "IDi")                                                                                                   \
	X(IDR2, 2, 36, 1, "IDr")                                                                                                   \
	X(CERT2, 2, 37, 16, "CERT")                                                                                                \
	X(CERTREQ2, 2, 38, 16, "CERTREQ")                                                                                          \
	X(AUTH2, 2, 39, 1, "AUTH")                                                                                                 \
	X(NONCE2, 2, 40, 1, "N")                                                                                                   \
	X(NOTIFY2, 2, 41, 16, "NOTIFY")                                                                                            \
	X(DELETE2, 2, 42, 16, "DELETE")                                                                                            \
	X(VID2, 2, 43, 48, "vendor ID")                                                                                            \
	X(TSI2, 2, 44, 1, "TSi")                                                                                                   \
	X(TSR2, 2, 45, 1, "TSr")                                                                                                   \
	X(SK2, 2, 46, 1, "SK")

enum payload_kind {
	PAYLOAD_NONE,
#define X(kind, version, number, most, text) PAYLOAD_##kind,
	PAYLOADS(X)
#undef X
		PAYLOAD_ID_SECOND, /* IDcr of quick mode: the second ID of a message counts as a kind of its own */
	PAYLOAD_UNKNOWN,
	PAYLOAD_KIND_COUNT
};
/* A set of payload kinds. */
#define P(kind) (UINT64_C(1) << PAYLOAD_##kind)
_Static_assert(PAYLOAD_KIND_COUNT <= 64, "a payload set is a 64-bit word");

#define EXCHANGES(X)                                                                                                               \
	X(BASE, 1, "Base mode")                                                                                                    \
	X(MAIN, 2, "Main mode")                                                                                                    \
	X(AUTH_ONLY, 3, "Authentication only")                                                                                     \
	X(AGGRESSIVE, 4, "Aggressive mode")                                                                                        \
	X(INFORMATIONAL, 5, "Informational mode")                                                                                  \
	X(TRANSACTION, 6, "Transaction mode")                                                                                      \
	X(QUICK, 32, "Quick mode")                                                                                                 \
	X(NEW_GROUP, 33, "New group mode")                                                                                         \
	X(SA_INIT2, 34, "IKE_SA_INIT")                                                                                             \
	X(AUTH2, 35, "IKE_AUTH")                                                                                                   \
	X(CREATE_CHILD2, 36, "CREATE_CHILD_SA")                                                                                    \
	X(INFORMATIONAL2, 37, "INFORMATIONAL")

enum isakmp_exchange {
#define X(name, number, text) EXCH_##name = number,
	EXCHANGES(X)
#undef X
};

#define FLAG_ENCRYPTED 0x01
#define FLAG_COMMIT    0x02
#define FLAG_AUTH_ONLY 0x04

/* Notify message types: RFC 2408 3.14.1, RFC 2407 4.6.3, RFC 3706 5.3. */
#define NOTIFIES(X)                                                                                                                \
	X(INVALID_PAYLOAD_TYPE, 1, "INVALID-PAYLOAD-TYPE")                                                                         \
	X(DOI_NOT_SUPPORTED, 2, "DOI-NOT-SUPPORTED")                                                                               \
	X(SITUATION_NOT_SUPPORTED, 3, "SITUATION-NOT-SUPPORTED")                                                                   \
	X(INVALID_COOKIE, 4, "INVALID-COOKIE")                                                                                     \
	X(INVALID_MAJOR_VERSION, 5, "INVALID-MAJOR-VERSION")                                                                       \
	X(INVALID_MINOR_VERSION, 6, "INVALID-MINOR-VERSION")                                                                       \
	X(INVALID_EXCHANGE_TYPE, 7, "INVALID-EXCHANGE-TYPE")                                                                       \
	X(INVALID_FLAGS, 8, "INVALID-FLAGS")                                                                                       \
	X(INVALID_MESSAGE_ID, 9, "INVALID-MESSAGE-ID")                                                                             \
	X(INVALID_PROTOCOL_ID, 10, "INVALID-PROTOCOL-ID")                                                                          \
	X(INVALID_SPI, 11, "INVALID-SPI")                                                                                          \
	X(INVALID_TRANSFORM_ID, 12, "INVALID-TRANSFORM-ID")                                                                        \
	X(ATTRIBUTES_NOT_SUPPORTED, 13, "ATTRIBUTES-NOT-SUPPORTED")                                                                \
	X(NO_PROPOSAL_CHOSEN, 14, "NO-PROPOSAL-CHOSEN")                                                                            \
	X(BAD_PROPOSAL_SYNTAX, 15, "BAD-PROPOSAL-SYNTAX")                                                                          \
	X(PAYLOAD_MALFORMED, 16, "PAYLOAD-MALFORMED")                                                                              \
	X(INVALID_KEY_INFORMATION, 17, "INVALID-KEY-INFORMATION")                                                                  \
	X(INVALID_ID_INFORMATION, 18, "INVALID-ID-INFORMATION")                                                                    \
	X(INVALID_CERT_ENCODING, 19, "INVALID-CERT-ENCODING")                                                                      \
	X(INVALID_CERTIFICATE, 20, "INVALID-CERTIFICATE")                                                                          \
	X(CERT_TYPE_UNSUPPORTED, 21, "CERT-TYPE-UNSUPPORTED")                                                                      \
	X(INVALID_CERT_AUTHORITY, 22, "INVALID-CERT-AUTHORITY")                                                                    \
	X(INVALID_HASH_INFORMATION, 23, "INVALID-HASH-INFORMATION")                                                                \
	X(AUTHENTICATION_FAILED, 24, "AUTHENTICATION-FAILED")                                                                      \
	X(INVALID_SIGNATURE, 25, "INVALID-SIGNATURE")                                                                              \
	X(ADDRESS_NOTIFICATION, 26, "ADDRESS-NOTIFICATION")                                                                        \
	X(NOTIFY_SA_LIFETIME, 27, "NOTIFY-SA-LIFETIME")                                                                            \
	X(CERTIFICATE_UNAVAILABLE, 28, "CERTIFICATE-UNAVAILABLE")                                                                  \
	X(UNSUPPORTED_EXCHANGE_TYPE, 29, "UNSUPPORTED-EXCHANGE-TYPE")                                                              \
	X(UNEQUAL_PAYLOAD_LENGTHS, 30, "UNEQUAL-PAYLOAD-LENGTHS")                                                                  \
	X(CONNECTED, 16384, "CONNECTED")                                                                                           \
	X(RESPONDER_LIFETIME, 24576, "RESPONDER-LIFETIME")                                                                         \
	X(REPLAY_STATUS, 24577, "REPLAY-STATUS")                                                                                   \
	X(INITIAL_CONTACT, 24578, "INITIAL-CONTACT")                                                                               \
	X(R_U_THERE, 36136, "R-U-THERE")                                                                                           \
	X(R_U_THERE_ACK, 36137, "R-U-THERE-ACK")

enum isakmp_notify {
#define X(name, number, text) NOTIFY_##name = number,
	NOTIFIES(X)
#undef X
};
#define NOTIFY_IS_ERROR(type) ((type) < 16384)

#define PROTOCOLS(X)                                                                                                               \
	X(ISAKMP, 1, "ISAKMP")                                                                                                     \
	X(AH, 2, "AH")                                                                                                             \
	X(ESP, 3, "ESP")                                                                                                           \
	X(IPCOMP, 4, "IPCOMP")
enum isakmp_protocol {
#define X(name, number, text) PROTO_##name = number,
	PROTOCOLS(X)
#undef X
};

/* Identification types, RFC 2407 4.6.2.1. */
#define ID_TYPES(X)                                                                                                                \
	X(IPV4_ADDR, 1, "ID_IPV4_ADDR")                                                                                            \
	X(FQDN, 2, "ID_FQDN")                                                                                                      \
	X(USER_FQDN, 3, "ID_USER_FQDN")                                                                                            \
	X(IPV4_SUBNET, 4, "ID_IPV4_ADDR_SUBNET")                                                                                   \
	X(IPV6_ADDR, 5, "ID_IPV6_ADDR")                                                                                            \
	X(IPV6_SUBNET, 6, "ID_IPV6_ADDR_SUBNET")                                                                                   \
	X(IPV4_RANGE, 7, "ID_IPV4_ADDR_RANGE")                                                                                     \
	X(IPV6_RANGE, 8, "ID_IPV6_ADDR_RANGE")                                                                                     \
	X(DER_ASN1_DN, 9, "ID_DER_ASN1_DN")                                                                                        \
	X(DER_ASN1_GN, 10, "ID_DER_ASN1_GN")                                                                                       \
	X(KEY_ID, 11, "ID_KEY_ID")
enum isakmp_id {
#define X(name, number, text) ID_##name = number,
	ID_TYPES(X)
#undef X
};

#define DOI_ISAKMP        0
#define DOI_IPSEC         1
#define SIT_IDENTITY_ONLY 1
#define TRANSFORM_KEY_IKE 1

/* Phase 1 attributes, RFC 2409 appendix A. */
#define ATTRS1(X)                                                                                                                  \
	X(ENCRYPTION, 1, "encryption")                                                                                             \
	X(HASH, 2, "hash")                                                                                                         \
	X(AUTH, 3, "auth")                                                                                                         \
	X(GROUP, 4, "default group")                                                                                               \
	X(GROUP_TYPE, 5, "group type")                                                                                             \
	X(GROUP_PRIME, 6, "group prime")                                                                                           \
	X(GROUP_GEN_1, 7, "group generator 1")                                                                                     \
	X(GROUP_GEN_2, 8, "group generator 2")                                                                                     \
	X(GROUP_CURVE_A, 9, "group curve A")                                                                                       \
	X(GROUP_CURVE_B, 10, "group curve B")                                                                                      \
	X(LIFE_TYPE, 11, "life type in")                                                                                           \
	X(LIFE_DURATION, 12, "life duration of")                                                                                   \
	X(PRF, 13, "prf")                                                                                                          \
	X(KEY_LENGTH, 14, "keylength of")                                                                                          \
	X(FIELD_SIZE, 15, "field size")                                                                                            \
	X(GROUP_ORDER, 16, "group order")
enum isakmp_attr1 {
#define X(name, number, text) ATTR1_##name = number,
	ATTRS1(X)
#undef X
};

/* Phase 2 attributes, RFC 2407 4.5. */
#define ATTRS2(X)                                                                                                                  \
	X(LIFE_TYPE, 1, "SA life type in")                                                                                         \
	X(LIFE_DURATION, 2, "SA life duration of")                                                                                 \
	X(GROUP, 3, "group is")                                                                                                    \
	X(ENCAPS, 4, "encaps is")                                                                                                  \
	X(AUTH, 5, "authenticator is")                                                                                             \
	X(KEY_LENGTH, 6, "key length is")                                                                                          \
	X(KEY_ROUNDS, 7, "key rounds is")                                                                                          \
	X(COMPRESS_DICT, 8, "compress dictionary size")                                                                            \
	X(COMPRESS_PRIVATE, 9, "compress private algorithm")                                                                       \
	X(ESN, 11, "ESN is")
enum isakmp_attr2 {
#define X(name, number, text) ATTR2_##name = number,
	ATTRS2(X)
#undef X
};

#define LIFE_SECONDS   1
#define LIFE_KILOBYTES 2

/* RFC 2407 4.5, RFC 3947 5.1, draft-ietf-ipsec-nat-t-ike-02 4.1. */
#define ENCAPS_MODES(X)                                                                                                            \
	X(TUNNEL, 1, "1 (Tunnel)")                                                                                                 \
	X(TRANSPORT, 2, "2 (Transport)")                                                                                           \
	X(UDP_TUNNEL, 3, "3 (Tunnel-UDP)")                                                                                         \
	X(UDP_TRANSPORT, 4, "4 (Transport-UDP)")                                                                                   \
	X(UDP_TUNNEL_DRAFT, 61443, "61443 (Tunnel-UDP)")                                                                           \
	X(UDP_TRANSPORT_DRAFT, 61444, "61444 (Transport-UDP)")
enum isakmp_encaps {
#define X(name, number, text) ENCAPS_##name = number,
	ENCAPS_MODES(X)
#undef X
};

#define AUTH_PRE_SHARED       1
#define AUTH_RSA_SIG          3
#define AUTH_ECDSA_256        9 /* RFC 4754: SHA-256 on P-256 … */
#define AUTH_ECDSA_384        10
#define AUTH_ECDSA_521        11
#define AUTH_XAUTH_PRE_SHARED 65001 /* XAUTHInitPreShared, draft-ietf-ipsec-isakmp-xauth-06 7.2 */
#define AUTH_XAUTH_RSA_SIG    65005 /* XAUTHInitRSA */

/* Messages of a transaction exchange, draft-ietf-ipsec-isakmp-mode-cfg-05 3.2. */
#define CONFIG_TYPES(X)                                                                                                            \
	X(REQUEST, 1, "REQUEST")                                                                                                   \
	X(REPLY, 2, "REPLY")                                                                                                       \
	X(SET, 3, "SET")                                                                                                           \
	X(ACK, 4, "ACK")
enum isakmp_config {
#define X(name, number, text) CONFIG_##name = number,
	CONFIG_TYPES(X)
#undef X
};

/* Attributes in them: mode-cfg-05 3.3; xauth-06 6.2; 28672 and on: as Cisco's clients have them (Unity). */
#define ATTRS_CONFIG(X)                                                                                                            \
	X(IP4_ADDRESS, 1, "IP4_ADDRESS")                                                                                           \
	X(IP4_NETMASK, 2, "IP4_NETMASK")                                                                                           \
	X(IP4_DNS, 3, "IP4_DNS")                                                                                                   \
	X(IP4_NBNS, 4, "IP4_NBNS")                                                                                                 \
	X(ADDRESS_EXPIRY, 5, "ADDRESS_EXPIRY")                                                                                     \
	X(IP4_DHCP, 6, "IP4_DHCP")                                                                                                 \
	X(APPLICATION_VERSION, 7, "APPLICATION_VERSION")                                                                           \
	X(IP4_SUBNET, 13, "IP4_SUBNET")                                                                                            \
	X(SUPPORTED, 14, "SUPPORTED_ATTRIBUTES")                                                                                   \
	X(XAUTH_TYPE, 16520, "XAUTH_TYPE_V2")                                                                                      \
	X(XAUTH_USER_NAME, 16521, "XAUTH_USER_NAME_V2")                                                                            \
	X(XAUTH_USER_PASSWORD, 16522, "XAUTH_USER_PASSWORD_V2")                                                                    \
	X(XAUTH_PASSCODE, 16523, "XAUTH_PASSCODE_V2")                                                                              \
	X(XAUTH_MESSAGE, 16524, "XAUTH_MESSAGE_V2")                                                                                \
	X(XAUTH_CHALLENGE, 16525, "XAUTH_CHALLENGE_V2")                                                                            \
	X(XAUTH_DOMAIN, 16526, "XAUTH_DOMAIN_V2")                                                                                  \
	X(XAUTH_STATUS, 16527, "XAUTH_STATUS_V2")                                                                                  \
	X(XAUTH_NEXT_PIN, 16528, "XAUTH_NEXT_PIN_V2")                                                                              \
	X(XAUTH_ANSWER, 16529, "XAUTH_ANSWER_V2")                                                                                  \
	X(BANNER, 28672, "MODECFG_BANNER")                                                                                         \
	X(SAVE_PASSWORD, 28673, "MODECFG_SAVEPWD")                                                                                 \
	X(DEF_DOMAIN, 28674, "DEFAULT_DOMAIN")                                                                                     \
	X(SPLIT_DNS, 28675, "SPLIT_DNS")                                                                                           \
	X(SPLIT_INCLUDE, 28676, "SPLIT_INCLUDE")                                                                                   \
	X(NATT_PORT, 28677, "NATT_PORT")                                                                                           \
	X(LOCAL_LAN, 28678, "INCLUDE_LOCAL_LAN")                                                                                   \
	X(PFS, 28679, "PFS")                                                                                                       \
	X(FIREWALL, 28680, "FIREWALL_TYPE")                                                                                        \
	X(BACKUP_SERVERS, 28681, "BACKUP_SERVER")                                                                                  \
	X(DDNS_HOSTNAME, 28682, "DDNS_HOSTNAME")
enum isakmp_attr_config {
#define X(name, number, text) ATTRC_##name = number,
	ATTRS_CONFIG(X)
#undef X
};
#define XAUTH_GENERIC 0
#define XAUTH_FAIL    0
#define XAUTH_OK      1

#define CERT_X509_SIG 4 /* RFC 2408 3.9: X.509 certificate, signature */

/* Texts; numbers that no list has print as "Unknown (77)". `out` is returned or a static text. */
#define NAME_TEXT 24
struct name {
	uint32_t number;
	const char *text;
};
extern const struct name names_exchange[], names_notify[], names_protocol_id[], names_id[], names_attr1[], names_attr2[],
	names_encaps[], names_doi[], names_auth[], names_life[], names_cipher1[], names_hash1[], names_auth2[], names_esp[],
	names_ah[], names_key1[], names_config[], names_attr_config[];
const char *name_of(const struct name *list, uint32_t number, char out[NAME_TEXT]);

#endif
