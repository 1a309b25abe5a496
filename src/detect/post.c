/* SPDX-License-Identifier: BSD-3-Clause */
/* What waits to be sent, and what waits to be told: detect_pull() and detect_next(). */
#include "base/mem.h"
#include "detect/state.h"

struct letter *post(struct detect *detect, uint64_t to, enum message_type type)
{
    if (detect->is_lost ||
        mem_grow((void **)&detect->letters, &detect->letter_capacity, detect->letter_count + 1,
                 sizeof(*detect->letters)))
        return NULL;
    struct letter *letter = &detect->letters[detect->letter_count++];
    *letter = (struct letter){.to = to, .type = type};
    return letter;
}

void post_clear(struct detect *detect)
{
    for (size_t i = detect->letter_head; i < detect->letter_count; i++)
        mem_free(detect->letters[i].train);
    detect->letter_head = detect->letter_count = 0;
}

static bool train_write(const struct train *train, struct arena *arena, struct wire_dm_train *out)
{
    struct wire_voter *stops = arena_calloc(arena, train->stop_count, sizeof(*stops));
    struct wire_rider *riders = arena_calloc(arena, train->rider_count, sizeof(*riders));
    if (!stops || !riders)
        return false;
    for (size_t i = 0; i < train->stop_count; i++)
        stops[i].id = train->stops[i];
    for (size_t i = 0; i < train->rider_count; i++) {
        const struct rider *rider = &train->riders[i];
        riders[i] = (struct wire_rider){.stop = rider->stop,
                                        .round = rider->round,
                                        .seen = rider->seen};
    }
    *out = (struct wire_dm_train){.hops = train->hops,
                                  .next = train->next,
                                  .leader = train->leader,
                                  .follows = train->follows,
                                  .term = train->term,
                                  .voters_index = train->voters_index,
                                  .stops = {.count = train->stop_count, .items = stops},
                                  .riders = {.count = train->rider_count, .items = riders}};
    return true;
}

static bool letter_write(const struct letter *letter, struct arena *arena,
                         struct message *message)
{
    *message = (struct message){.type = letter->type};
    switch (letter->type) {
    case DM_TRAIN:
        return train_write(letter->train, arena, &message->dm_train);
    case DM_PROBE:
        message->dm_probe = (struct wire_dm_probe){letter->about, letter->origin, letter->round};
        return true;
    case DM_PROBED:
        message->dm_probed = (struct wire_dm_probed){letter->about, letter->origin, letter->round};
        return true;
    case DM_SUSPECTED:
        message->dm_suspected = (struct wire_dm_suspected){letter->about, letter->silent_ns};
        return true;
    case DM_ASK_HEARD:
        message->dm_ask_heard = (struct wire_dm_ask_heard){letter->about, letter->round};
        return true;
    case DM_LAST_HEARD:
        message->dm_last_heard = (struct wire_dm_last_heard){letter->about, letter->round,
                                                             letter->silent_ns,
                                                             letter->voters_index};
        return true;
    case DM_DEAD:
        message->dm_dead = (struct wire_dm_dead){letter->about};
        return true;
    default:
        CHECK(!"a letter of another layer");
        return false;
    }
}

bool detect_pull(struct detect *detect, struct arena *arena, uint64_t *to, struct message *message)
{
    bool is_written = false;
    while (!is_written && detect->letter_head < detect->letter_count) {
        struct letter *letter = &detect->letters[detect->letter_head++];
        *to = letter->to;
        /* Without memory it is lost, as notes may be. */
        is_written = letter_write(letter, arena, message);
        mem_free(letter->train);
        letter->train = NULL;
    }
    if (!is_written)
        detect->letter_head = detect->letter_count = 0;
    return is_written;
}

static const struct {
    unsigned bit;
    enum detect_news_kind kind;
} news_order[] = {
    {NEWS_VOTER_HEARD, DETECT_VOTER_HEARD}, {NEWS_DEAD, DETECT_DEAD},
    {NEWS_SUSPECTED, DETECT_SUSPECTED},     {NEWS_REFUTED, DETECT_REFUTED},
    {NEWS_REMOVE, DETECT_REMOVE},
};

static bool next_of_member(struct member *member, struct detect_news *news)
{
    for (size_t i = 0; i < ARRAY_LEN(news_order); i++) {
        if (!(member->news & news_order[i].bit))
            continue;
        member->news &= (uint8_t)~news_order[i].bit;
        *news = (struct detect_news){.kind = news_order[i].kind, .id = member->id};
        if (news->kind == DETECT_VOTER_HEARD)
            news->at_ns = member->voter_heard_ns;
        return true;
    }
    return false;
}

bool detect_next(struct detect *detect, struct detect_news *news)
{
    if (detect->has_loss_news) {
        detect->has_loss_news = false;
        *news = (struct detect_news){.kind = DETECT_LEASE_LOST, .id = detect->self};
        return true;
    }
    if (detect->is_lost)
        return false;
    if (detect->has_leader_news) {
        detect->has_leader_news = false;
        *news = detect->leader_news;
        return true;
    }
    while (!list_is_empty(&detect->newsworthy)) {
        struct member *member =
            LIST_ENTRY(list_first(&detect->newsworthy), struct member, news_node);
        if (next_of_member(member, news))
            return true;
        list_remove(&member->news_node);
    }
    return false;
}
