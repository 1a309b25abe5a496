/* SPDX-License-Identifier: BSD-3-Clause */
/* Configurations of voters and the lease: see the header, which has the proof. */
#include "detect/lease.h"

#include "base/mem.h"

#include <string.h>

const struct voters *voters_now(const struct detect *detect)
{
    return detect->voters_count ? &detect->voters[detect->voters_count - 1] : NULL;
}

static bool side_majority(const struct voters *voters, bool old,
                          bool (*counts)(const void *context, uint64_t id), const void *context)
{
    uint64_t whole = 0, part = 0;
    for (size_t i = 0; i < voters->count; i++) {
        uint32_t weight = old ? voters->list[i].old_weight : voters->list[i].weight;
        whole += weight;
        if (weight && counts(context, voters->list[i].id))
            part += weight;
    }
    return whole == 0 ? old : part * 2 > whole;
}

bool voters_majority(const struct voters *voters,
                     bool (*counts)(const void *context, uint64_t id), const void *context)
{
    return side_majority(voters, false, counts, context) &&
           side_majority(voters, true, counts, context);
}

static bool is_self(const void *context, uint64_t id)
{
    const struct detect *detect = context;
    return id == detect->self;
}

bool voters_alone(const struct detect *detect)
{
    const struct voters *now = voters_now(detect);
    return now && voters_majority(now, is_self, detect);
}

bool voters_may_confirm(const struct detect *detect, uint64_t index)
{
    /* The oldest one that is newer than what the asker knows: since then it is behind. */
    uint64_t behind_since_ns = UINT64_MAX;
    for (size_t i = detect->voters_count; i-- > 0 && detect->voters[i].index > index;)
        behind_since_ns = detect->voters[i].since_ns;
    return behind_since_ns == UINT64_MAX ||
           detect->now_ns - behind_since_ns <= share(detect, TIME_STALE_VOTERS);
}

/* Those replaced longer than OLD_VOTERS ago matter to nobody. */
static size_t voters_outdated(const struct detect *detect)
{
    size_t first = 0;
    while (first + 1 < detect->voters_count &&
           detect->now_ns - detect->voters[first + 1].since_ns > share(detect, TIME_OLD_VOTERS))
        first++;
    return first;
}

size_t voters_needed_from(const struct detect *detect, uint64_t index)
{
    size_t first = voters_outdated(detect), i = detect->voters_count;
    while (i-- > first) {
        if (detect->voters[i].index <= index)
            return i;
    }
    return first;
}

static bool is_same(const struct voters *voters, const struct detect_voter *list, size_t count,
                    uint64_t index)
{
    if (!voters || voters->index != index || voters->count != count)
        return false;
    for (size_t i = 0; i < count; i++) {
        if (voters->list[i].id != list[i].id || voters->list[i].weight != list[i].weight ||
            voters->list[i].old_weight != list[i].old_weight)
            return false;
    }
    return true;
}

static void members_weigh(struct detect *detect)
{
    const struct voters *now = voters_now(detect);
    for (size_t i = 0; i < detect->members.count; i++) {
        struct member *member = detect->members.entries[i].value;
        member->weight = member->old_weight = 0;
        for (size_t j = 0; now && j < now->count; j++) {
            if (now->list[j].id == member->id) {
                member->weight = now->list[j].weight;
                member->old_weight = now->list[j].old_weight;
            }
        }
    }
}

int voters_set(struct detect *detect, const struct detect_voter *list, size_t count,
               uint64_t index)
{
    CHECK(count <= DETECT_VOTERS_MAX);
    if (is_same(voters_now(detect), list, count, index)) {
        members_weigh(detect);
        return 0;
    }
    size_t first = voters_outdated(detect), kept = detect->voters_count - first;
    if (mem_grow((void **)&detect->voters, &detect->voters_capacity, kept + 1,
                 sizeof(*detect->voters)))
        return -1;
    if (first)
        memmove(detect->voters, detect->voters + first, kept * sizeof(*detect->voters));
    struct voters *voters = &detect->voters[kept];
    *voters = (struct voters){.index = index, .since_ns = detect->now_ns, .count = count};
    if (count)
        memcpy(voters->list, list, count * sizeof(*list));
    detect->voters_count = kept + 1;
    members_weigh(detect);
    return 0;
}

/* ---- the lease ---- */

struct confirmed {
    const struct detect *detect;
    uint64_t since_ns;
};

static bool has_confirmed(const void *context, uint64_t id)
{
    const struct confirmed *confirmed = context;
    const struct member *member = member_find(confirmed->detect, id);
    return id == confirmed->detect->self ||
           (member && member->granted_ns && member->granted_ns >= confirmed->since_ns);
}

uint64_t lease_start(const struct detect *detect)
{
    const struct voters *now = voters_now(detect);
    uint64_t best = 0;
    for (size_t i = 0; now && i < now->count; i++) {
        const struct member *member = member_find(detect, now->list[i].id);
        struct confirmed confirmed = {.detect = detect};
        if (!member || member->id == detect->self || member->granted_ns <= best)
            continue;
        confirmed.since_ns = member->granted_ns;
        if (voters_majority(now, has_confirmed, &confirmed))
            best = member->granted_ns;
    }
    return best;
}

static void lease_lose(struct detect *detect)
{
    detect->is_lost = true;
    detect->has_loss_news = true;
    post_clear(detect);
}

void lease_expire(struct detect *detect)
{
    if (detect->has_lease && !detect->is_lost && detect->now_ns >= detect->lease_until_ns)
        lease_lose(detect);
}

void lease_update(struct detect *detect)
{
    if (!detect->me || !detect->voters_count || detect->is_lost)
        return;
    if (voters_alone(detect)) {
        detect->has_lease = detect->is_confirmed = true;
        detect->lease_until_ns = UINT64_MAX;
        return;
    }
    /* Who was a majority until now had confirmed itself just now. */
    if (!detect->has_lease)
        detect->lease_until_ns = detect->now_ns + share(detect, TIME_FIRST_LEASE);
    else if (detect->lease_until_ns == UINT64_MAX)
        detect->lease_until_ns = detect->now_ns + share(detect, TIME_LEASE);
    detect->has_lease = true;
    uint64_t start = lease_start(detect);
    if (!start)
        return;
    /* From the first confirmation on the lease is one that was given, not the time to get one. */
    uint64_t before_ns = detect->is_confirmed ? detect->lease_until_ns : 0;
    detect->is_confirmed = true;
    detect->lease_until_ns = MAX_OF(before_ns, start + share(detect, TIME_LEASE));
}
