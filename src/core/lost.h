/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Hosts that were removed as failed, and may yet live: their public keys, by which they may knock
 * again and ask to join as new hosts (decision D12, core/rejoin.h). Part of the state of the log.
 * The voters keep a link to each that carries nothing but DM_REJOIN (PEER_LOST in core/member.h).
 */
#ifndef CORE_LOST_H
#define CORE_LOST_H

#include "wire/msgs.h"

#include <stddef.h>

enum { LOST_MAX = 64 };

struct lost {
    struct wire_lost hosts[LOST_MAX]; /* oldest first */
    size_t count;
};

/* Remembers the host; the oldest of too many is forgotten. */
void lost_note(struct lost *lost, uint64_t epoch, const struct wire_key *key);
/* A host with this key is in the table: it is lost no more. */
void lost_forget_key(struct lost *lost, const struct wire_key *key);
const struct wire_lost *lost_find(const struct lost *lost, uint64_t epoch);
/* Takes a list out of a snapshot; more than there may be are left out. */
void lost_restore(struct lost *lost, const struct wire_lost_list *list);

#endif
