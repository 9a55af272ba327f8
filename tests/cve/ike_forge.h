/* Messages of a peer that misbehaves: one that has no keys, and one that has them all. */
#ifndef POSTERN_TESTS_CVE_IKE_FORGE_H
#define POSTERN_TESTS_CVE_IKE_FORGE_H

#include "../pair/rig.h"

/* The one IKE SA of a node. */
struct ike_sa *ike_only(struct node *n);
/* A and B with SAs of both phases, one second later. */
struct rig *rig_established(uint64_t seed);
/* Payload kinds and bodies for an encrypted message with a right HASH(1) in front. */
struct forged {
	uint8_t number; /* payload number on the wire */
	const void *body;
	size_t len;
};
/* From node 0 to node 1, under A's keys; `hash` false: without the HASH payload. Returns the packet's length in `out`. */
size_t forge_protected(
	struct rig *r, uint8_t exchange, uint32_t id, const struct forged *f, size_t n, bool hash, uint8_t *out, size_t size);
/* In clear, any cookies. */
size_t forge_plain(
	uint64_t ci, uint64_t cr, uint8_t exchange, uint32_t id, const struct forged *f, size_t n, uint8_t *out, size_t size);
/* To B, as if from A. */
void forge_give(struct rig *r, const uint8_t *packet, size_t len);

#endif
