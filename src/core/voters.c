/* SPDX-License-Identifier: BSD-3-Clause */
/* Who should vote: see the header. */
#include "core/voters.h"

static bool has(const uint64_t *ids, size_t count, uint64_t id)
{
    for (size_t i = 0; i < count; i++) {
        if (ids[i] == id)
            return true;
    }
    return false;
}

static void choose_tie(struct voters_wish *wish, uint64_t now, uint64_t leader)
{
    if (has(wish->ids, wish->count, now))
        wish->tie = now;
    else if (has(wish->ids, wish->count, leader))
        wish->tie = leader;
    else if (wish->count)
        wish->tie = wish->ids[0];
}

struct voters_wish voters_choose(const struct host_table *table, const struct log_voters *now,
                                 uint64_t leader, const struct voters_judge *judge)
{
    struct voters_wish wish = {.count = 0};
    for (size_t i = 0; i < now->count; i++) {
        if (host_by_epoch(table, now->ids[i]) && judge->stays(judge->context, now->ids[i]))
            wish.ids[wish.count++] = now->ids[i];
    }
    HOSTS_EACH(pos, following, table) {
        uint64_t epoch = HOST_OF(pos)->info.epoch;
        if (wish.count == LOG_VOTERS_MAX)
            break;
        if (!has(wish.ids, wish.count, epoch) && judge->stays(judge->context, epoch) &&
            judge->is_caught_up(judge->context, epoch))
            wish.ids[wish.count++] = epoch;
    }
    choose_tie(&wish, now->tie, leader);
    return wish;
}

bool voters_differ(const struct log_voters *now, const struct voters_wish *wish)
{
    if (wish->count == 0 || now->old_count)
        return false;
    if (now->count != wish->count || now->tie != wish->tie)
        return true;
    for (size_t i = 0; i < wish->count; i++) {
        if (!has(now->ids, now->count, wish->ids[i]))
            return true;
    }
    return false;
}
