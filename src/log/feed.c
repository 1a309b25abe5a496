/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The tree of learners, seen from one member: whom it feeds (log_feed; who that is, is decided by
 * log/tree.h), and who feeds it: they are told what it and all below it have applied, when that
 * becomes more.
 */
#include "log/state.h"

#include <string.h>

/* ---- below ---- */

static bool is_named(const uint64_t *ids, size_t count, uint64_t id)
{
    for (size_t i = 0; i < count; i++) {
        if (ids[i] == id)
            return true;
    }
    return false;
}

int log_feed(struct log *log, const uint64_t *ids, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct follower *follower = ids[i] != log->config.self && ids[i]
                                        ? follower_want(log, ids[i], FOLLOWS_IN_TREE)
                                        : NULL;
        if (!follower)
            return -1;
        follower->why &= (uint8_t)~FOLLOWS_AT_FIRST;
    }
    for (size_t i = log->followers.count; i-- > 0;) {
        struct follower *follower = log->followers.entries[i].value;
        if (!is_named(ids, count, follower->id))
            follower_release(log, follower, FOLLOWS_IN_TREE);
    }
    return 0;
}

/* ---- above ---- */

static struct feeder *feeder_find(struct log *log, uint64_t id)
{
    for (size_t i = 0; i < log->feeder_count; i++) {
        if (log->feeders[i].id == id)
            return &log->feeders[i];
    }
    return NULL;
}

/* The last one to come takes the place of the one that came first. */
void feed_note(struct log *log, uint64_t from, uint64_t matched)
{
    struct feeder *feeder = feeder_find(log, from);
    if (feeder) {
        feeder->matched = matched;
        return;
    }
    if (log->feeder_count == LOG_FEEDERS_MAX)
        memmove(log->feeders, log->feeders + 1, --log->feeder_count * sizeof(*log->feeders));
    log->feeders[log->feeder_count++] = (struct feeder){.id = from, .matched = matched};
}

void feed_forget(struct log *log, uint64_t id)
{
    struct feeder *feeder = feeder_find(log, id);
    if (!feeder)
        return;
    log->feeder_count--;
    memmove(feeder, feeder + 1,
            (size_t)(log->feeders + log->feeder_count - feeder) * sizeof(*feeder));
}

void feed_told(struct log *log, uint64_t id, uint64_t applied)
{
    struct feeder *feeder = feeder_find(log, id);
    if (feeder)
        feeder->told = applied;
}

void feed_retry(struct log *log, uint64_t id)
{
    struct feeder *feeder = feeder_find(log, id);
    if (!feeder)
        return;
    feeder->told = 0;
    log->report_due = true;
}

/* A report says what is committed here: that matches everywhere, also in a newer term. */
bool feed_pull(struct log *log, uint64_t *to, struct message *message)
{
    uint64_t applied = log->report_due ? followers_applied(log) : 0;
    for (size_t i = 0; i < log->feeder_count && log->report_due; i++) {
        struct feeder *feeder = &log->feeders[i];
        if (applied <= feeder->told)
            continue;
        feeder->told = applied;
        *to = feeder->id;
        message->type = DM_APPENDED;
        message->dm_appended = (struct wire_dm_appended){
            .term = log->term,
            .index = MIN_OF(feeder->matched, log->commit_index),
            .applied = applied,
            .matched = true,
        };
        return true;
    }
    log->report_due = false;
    return false;
}
