/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Who feeds whom with committed entries: a tree over all members, the same for everybody who has
 * applied the same commands (docs/faults.md, "How commands reach everybody").
 *
 * The members stand in one array: the voters by host number, then the learners by host number.
 * Voters get entries from the leader; element i >= V is fed by element (i - V) / TREE_FAN, so that
 * each feeds at most TREE_FAN and a thousand members are three steps deep. The voters are those of
 * the newer set while a change is under way; who votes in the older one alone counts as a learner
 * here, and so does a leader that is not among them.
 */
#ifndef LOG_TREE_H
#define LOG_TREE_H

#include <stddef.h>
#include <stdint.h>

enum { TREE_FAN = 8 };

struct tree {
    const uint64_t *voters;
    size_t voter_count;
    const uint64_t *learners;
    size_t learner_count;
};

/* Who feeds |id|; 0: the leader does (a voter), or |id| is no member, or nobody votes. */
uint64_t tree_parent(const struct tree *tree, uint64_t id);
/* Whom |id| feeds, for log_feed(): how many, written to |children|. */
size_t tree_children(const struct tree *tree, uint64_t id, uint64_t children[TREE_FAN]);

#endif
