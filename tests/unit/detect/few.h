/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A few detectors whose messages a test passes on, or not: for stories by hand. All clocks are one.
 * Members are 1, 2, ... and the first leads term 1; D is 1 s, so times.h reads as milliseconds.
 */
#ifndef TESTS_DETECT_FEW_H
#define TESTS_DETECT_FEW_H

#include "detect/detect.h"
#include "detect/times.h"
#include "wire/rw.h"

#include <stdlib.h>

#define MS UINT64_C(1000000)

enum { FEW_MAX = 8, FEW_START_MS = 10000 };

struct few {
    size_t count;
    struct detect *at[FEW_MAX + 1]; /* [id] */
    uint64_t now_ns;
    bool cut[FEW_MAX + 1][FEW_MAX + 1]; /* from, to */
    bool is_frozen[FEW_MAX + 1];
    struct detect_news news[FEW_MAX + 1][32]; /* the last ones */
    size_t news_count[FEW_MAX + 1];
    unsigned sent[FEW_MAX + 1][128]; /* by message type */
};

static inline void few_members(struct few *few, size_t count)
{
    uint64_t ids[FEW_MAX];
    for (size_t i = 0; i < count; i++)
        ids[i] = i + 1;
    for (size_t i = 1; i <= few->count; i++)
        if (few->at[i] && detect_set_members(few->at[i], ids, count, few->now_ns))
            abort();
}

/* Voters 1 to |count|, the first with weight 3. */
static inline size_t few_voter_list(struct detect_voter *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        list[i] = (struct detect_voter){.id = i + 1, .weight = i ? 2 : 3};
    return count;
}

static inline void few_start(struct few *few, size_t count, size_t voters)
{
    struct detect_voter list[FEW_MAX];
    *few = (struct few){.count = count, .now_ns = FEW_START_MS * MS};
    few_voter_list(list, voters);
    for (size_t i = 1; i <= count; i++) {
        const struct detect_config config = {
            .self = i, .dead_after_ns = 1000 * MS, .seed = i};
        few->at[i] = detect_create(&config, few->now_ns);
        detect_set_leader(few->at[i], 1, 1, few->now_ns);
    }
    few_members(few, count);
    for (size_t i = 1; i <= count; i++)
        if (detect_set_voters(few->at[i], list, voters, 1, few->now_ns))
            abort();
}

static inline void few_end(struct few *few)
{
    for (size_t i = 1; i <= few->count; i++)
        detect_destroy(few->at[i]);
}

static inline bool few_step(struct few *few, size_t from)
{
    struct arena arena;
    uint64_t to;
    struct message message;
    struct detect_news news;
    bool any = false;
    arena_init(&arena);
    while (detect_pull(few->at[from], &arena, &to, &message)) {
        any = true;
        few->sent[from][message.type]++;
        if (to <= few->count && few->at[to] && !few->cut[from][to] && !few->is_frozen[to])
            detect_receive(few->at[to], from, &message, few->now_ns);
        arena_reset(&arena);
    }
    arena_fini(&arena);
    while (detect_next(few->at[from], &news))
        few->news[from][few->news_count[from]++ % 32] = news;
    return any;
}

/* Passes messages on until there are none. They take no time. */
static inline void few_settle(struct few *few)
{
    for (bool any = true; any;) {
        any = false;
        for (size_t i = 1; i <= few->count; i++)
            any |= few->at[i] && !few->is_frozen[i] && few_step(few, i);
    }
}

static inline void few_run(struct few *few, uint64_t for_ms)
{
    few_settle(few);
    for (uint64_t end_ns = few->now_ns + for_ms * MS; few->now_ns < end_ns;) {
        few->now_ns += MS;
        for (size_t i = 1; i <= few->count; i++)
            if (few->at[i] && !few->is_frozen[i] && detect_deadline(few->at[i]) <= few->now_ns)
                detect_expire(few->at[i], few->now_ns);
        few_settle(few);
    }
}

/* Nothing goes between |id| and all others. */
static inline void few_cut_off(struct few *few, size_t id, bool cut)
{
    for (size_t i = 1; i <= few->count; i++)
        few->cut[i][id] = few->cut[id][i] = cut && i != id;
}

static inline void few_forget_news(struct few *few)
{
    for (size_t i = 1; i <= few->count; i++)
        few->news_count[i] = 0;
}

/* How often |kind| about |about| was told to |id| since the news were forgotten. */
static inline unsigned few_told(const struct few *few, size_t id, enum detect_news_kind kind,
                                uint64_t about)
{
    unsigned count = 0;
    for (size_t i = 0; i < few->news_count[id] && i < 32; i++)
        count += few->news[id][i].kind == kind && few->news[id][i].id == about;
    return count;
}

static inline uint64_t few_lease_left_ms(const struct few *few, size_t id)
{
    uint64_t until_ns = detect_lease_until(few->at[id]);
    if (until_ns == UINT64_MAX)
        return UINT64_MAX;
    return until_ns > few->now_ns ? (until_ns - few->now_ns) / MS : 0;
}

#endif
