/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A set of 64-bit numbers kept as sorted, disjoint, half-open ranges: packet numbers received,
 * bytes of a frame sent or acknowledged. One range needs no memory beyond the struct.
 *
 * Reading in the tree: acks.h, outflow.h and inflow.h use it.
 */
#ifndef LINK_RANGES_H
#define LINK_RANGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct range {
    uint64_t begin;
    uint64_t end; /* one past the last */
};

struct ranges {
    struct range one;   /* the only range, while |many| is NULL */
    struct range *many; /* all ranges, once there were two */
    uint32_t count;
    uint32_t capacity; /* of |many| */
};

void ranges_init(struct ranges *set);
void ranges_fini(struct ranges *set);
static inline bool ranges_is_empty(const struct ranges *set)
{
    return set->count == 0;
}
/* The |index|-th range, in ascending order. */
static inline struct range ranges_at(const struct ranges *set, uint32_t index)
{
    return set->many ? set->many[index] : set->one;
}
/* Adds [begin, end). 0, or -1 without memory (nothing changed). An empty range is always fine. */
int ranges_add(struct ranges *set, uint64_t begin, uint64_t end);
/* Adds at least [begin, end) and never fails: without memory the gap to a neighbour goes in too. */
void ranges_cover(struct ranges *set, uint64_t begin, uint64_t end);
/* Takes [begin, end) out. 0, or -1 without memory for a split (nothing changed). */
int ranges_remove(struct ranges *set, uint64_t begin, uint64_t end);
/* True when all of [begin, end) is in the set. */
bool ranges_contains(const struct ranges *set, uint64_t begin, uint64_t end);
/* Forgets the lowest range. */
void ranges_drop_first(struct ranges *set);

#endif
