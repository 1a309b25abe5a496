/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Those who get entries from this member: the voters when it leads, those below it in the tree, and
 * newcomers. Here is who they are and in which list they stand; what they get is in replicate.c.
 */
#include "log/state.h"

#include "base/mem.h"

struct follower *follower_find(const struct log *log, uint64_t id)
{
    return map_get(&log->followers, id);
}

static struct follower *create(struct log *log, uint64_t id)
{
    struct follower *follower = mem_calloc(1, sizeof(*follower));
    if (!follower)
        return NULL;
    follower->id = id;
    if (map_put(&log->followers, id, follower) < 0) {
        mem_free(follower);
        return NULL;
    }
    list_push_back(&log->ready, &follower->link);
    return follower;
}

/* Where one stands of whom nothing is known is found out by asking from the end (section 3.5). */
struct follower *follower_want(struct log *log, uint64_t id, uint8_t why)
{
    struct follower *follower = follower_find(log, id);
    if (!follower) {
        follower = create(log, id);
        if (!follower)
            return NULL;
        follower->next_index = 1 +
                               (why == FOLLOWS_AS_VOTER ? log_last_index(log) : log->applied_index);
        follower->ask = true;
    }
    if (!(follower->why & why))
        follower_wake(log, follower);
    follower->why |= why;
    return follower;
}

static void destroy(struct log *log, struct follower *follower)
{
    list_remove(&follower->link);
    map_remove(&log->followers, follower->id);
    mem_free(follower);
    log->report_due = true;
}

void follower_release(struct log *log, struct follower *follower, uint8_t why)
{
    follower->why &= (uint8_t)~why;
    if (!follower->why)
        destroy(log, follower);
}

void followers_release_all(struct log *log, uint8_t why)
{
    for (size_t i = log->followers.count; i-- > 0;)
        follower_release(log, log->followers.entries[i].value, why);
}

void followers_fini(struct log *log)
{
    followers_release_all(log, UINT8_MAX);
    map_fini(&log->followers);
}

/* What is under way to it counts no more: it may be of another kind from now on. */
void follower_wake(struct log *log, struct follower *follower)
{
    follower->waits = false;
    list_remove(&follower->link);
    list_push_back(&log->ready, &follower->link);
}

void followers_wake(struct log *log)
{
    list_splice_back(&log->ready, &log->lagging);
    list_splice_back(&log->ready, &log->idle);
}

static uint64_t least_applied(const struct list *list, uint64_t least)
{
    LIST_EACH(pos, following, list) {
        const struct follower *follower = LIST_ENTRY(pos, struct follower, link);
        if (!follower->muted)
            least = MIN_OF(least, follower->applied_index);
    }
    return least;
}

/* The idle ones have applied what this member has: else they would not be idle. */
uint64_t followers_applied(const struct log *log)
{
    uint64_t least = least_applied(&log->ready, log->applied_index);
    least = least_applied(&log->waiting, least);
    return least_applied(&log->lagging, least);
}

bool log_applied_by_all(const struct log *log, uint64_t index)
{
    return followers_applied(log) >= index;
}

/* ---- for the caller ---- */

int log_follower_add(struct log *log, uint64_t id)
{
    struct follower *follower = log->role == LOG_LEADER ? follower_want(log, id, FOLLOWS_AT_FIRST)
                                                        : NULL;
    if (!follower)
        return -1;
    follower->has_nothing = true;
    follower->muted = false;
    follower->next_index = 1;
    return 0;
}

void log_follower_hand_on(struct log *log, uint64_t id)
{
    struct follower *follower = follower_find(log, id);
    if (follower)
        follower_release(log, follower, FOLLOWS_AT_FIRST);
}

int log_follower_ask(struct log *log, uint64_t id)
{
    if (log->role != LOG_LEADER || id == log->config.self)
        return -1;
    if (follower_find(log, id))
        return 0;
    return follower_want(log, id, FOLLOWS_AT_FIRST) ? 0 : -1;
}

void log_follower_remove(struct log *log, uint64_t id)
{
    struct follower *follower = follower_find(log, id);
    feed_forget(log, id);
    if (!follower)
        return;
    follower->muted = true;
    follower_wake(log, follower);
    log->report_due = true;
    follower_release(log, follower, FOLLOWS_IN_TREE | FOLLOWS_AT_FIRST);
}

bool log_is_caught_up(const struct log *log, uint64_t id)
{
    const struct follower *follower = follower_find(log, id);
    if (log->role != LOG_LEADER || id == log->config.self)
        return log->role == LOG_LEADER;
    return follower && follower->answered && !follower->has_nothing && !follower->muted &&
           follower->match_index + LOG_SLACK >= log->commit_index;
}

void log_follower_retry(struct log *log, uint64_t id)
{
    struct follower *follower = follower_find(log, id);
    feed_retry(log, id);
    election_retry(log, id);
    if (id == log->transfer_to) {
        log->transfer_sent = false;
        lead_hand_over(log);
    }
    if (!follower)
        return;
    follower->ask = follower->waits || follower->applied_index < log->applied_index;
    follower_wake(log, follower);
}
