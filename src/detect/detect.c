/* SPDX-License-Identifier: BSD-3-Clause */
/* The detector's entries: members, time, messages. What it does with them: lease.c, train.c,
 * watch.c and verdict.c, each with its header. */
#include "detect/detect.h"

#include "base/mem.h"
#include "detect/lease.h"
#include "detect/state.h"
#include "detect/train.h"
#include "detect/verdict.h"
#include "detect/watch.h"

#include <stdlib.h>
#include <string.h>

/* One point of health comes back in this many thousandths of D without trouble. */
enum { HEALTH_BACK = 300, HEALTH_OF_LATE = 2 };

/* A mixer (splitmix64's): epochs need not be random for the ring to be. */
static uint64_t hash_of(uint64_t id)
{
    uint64_t z = id + 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

struct detect *detect_create(const struct detect_config *config, uint64_t now_ns)
{
    struct detect *detect = mem_calloc(1, sizeof(*detect));
    if (!detect)
        return NULL;
    detect->self = config->self;
    detect->dead_after_ns = config->dead_after_ns;
    detect->now_ns = now_ns;
    detect->health_ns = now_ns;
    rng_seed(&detect->rng, config->seed);
    map_init(&detect->members);
    list_init(&detect->watched);
    list_init(&detect->asked);
    list_init(&detect->inquiries);
    list_init(&detect->newsworthy);
    detect->lease_until_ns = detect->deadline_ns = detect->round_ns = UINT64_MAX;
    detect->asked_ns = detect->probe_ns = detect->tombstone_ns = detect->inquiry_ns = UINT64_MAX;
    return detect;
}

static void member_free(struct detect *detect, struct member *member)
{
    watch_forget(detect, member);
    mem_free(member);
}

void detect_destroy(struct detect *detect)
{
    if (!detect)
        return;
    for (size_t i = 0; i < detect->members.count; i++)
        member_free(detect, detect->members.entries[i].value);
    map_fini(&detect->members);
    mem_free(detect->ring);
    mem_free(detect->voters);
    post_clear(detect);
    mem_free(detect->letters);
    mem_free(detect);
}

/* ---- time ---- */

void health_change(struct detect *detect, int by)
{
    int health = (int)detect->health + by;
    detect->health = (unsigned)(health < 0 ? 0 : MIN_OF(health, DETECT_HEALTH_MAX));
    detect->health_ns = detect->now_ns;
}

unsigned detect_local_health(const struct detect *detect)
{
    return detect->health;
}

/* The first thing in every call. Whoever was to be called long ago did not run: that time, since it
 * was due or since the last call, is not silence of the others. */
static void time_goes(struct detect *detect, uint64_t now_ns)
{
    uint64_t due_ns = MAX_OF(detect->deadline_ns, detect->now_ns);
    detect->now_ns = MAX_OF(detect->now_ns, now_ns);
    if (due_ns != UINT64_MAX && detect->now_ns > due_ns &&
        detect->now_ns - due_ns > share(detect, TIME_LATE)) {
        detect->lost_ns += detect->now_ns - due_ns;
        health_change(detect, HEALTH_OF_LATE);
        watch_postpone(detect);
        verdict_postpone(detect);
        train_hurry(detect, false);
    }
    while (detect->health &&
           detect->now_ns - detect->health_ns >= detect->dead_after_ns / 1000 * HEALTH_BACK) {
        detect->health--;
        detect->health_ns += detect->dead_after_ns / 1000 * HEALTH_BACK;
    }
    lease_expire(detect);
}

static void deadline_settle(struct detect *detect)
{
    uint64_t at_ns = UINT64_MAX;
    if (!detect->is_lost && detect->me) {
        at_ns = MIN_OF(detect->round_ns, watch_deadline(detect));
        at_ns = MIN_OF(at_ns, verdict_deadline(detect));
        at_ns = MIN_OF(at_ns, detect->lease_until_ns);
    }
    detect->deadline_ns = at_ns;
}

uint64_t detect_deadline(const struct detect *detect)
{
    return detect->deadline_ns;
}

static void due_run(struct detect *detect)
{
    if (detect->is_lost || !detect->me)
        return;
    uint64_t together_ns = detect->is_waiting ? 0 : share(detect, TIME_TOGETHER);
    if (detect->now_ns + together_ns >= detect->round_ns)
        train_run(detect);
    watch_run(detect);
    verdict_run(detect);
}

void detect_expire(struct detect *detect, uint64_t now_ns)
{
    time_goes(detect, now_ns);
    due_run(detect);
    deadline_settle(detect);
}

bool detect_may_act(const struct detect *detect)
{
    return detect->is_confirmed && !detect->is_lost;
}

uint64_t detect_lease_until(const struct detect *detect)
{
    return detect->has_lease ? detect->lease_until_ns : UINT64_MAX;
}

/* ---- members ---- */

uint64_t member_silence(const struct detect *detect, const struct member *member)
{
    uint64_t at_ns = running(detect);
    return at_ns > member->heard_ns ? at_ns - member->heard_ns : 0;
}

void member_heard(struct detect *detect, struct member *member)
{
    if (member->is_dead || member == detect->me)
        return;
    member->heard_ns = running(detect);
    watch_heard(detect, member);
}

void member_news(struct detect *detect, struct member *member, unsigned bit)
{
    member->news |= (uint8_t)bit;
    list_remove(&member->news_node);
    list_push_back(&detect->newsworthy, &member->news_node);
}

static struct member *member_create(struct detect *detect, uint64_t id)
{
    struct member *member = mem_calloc(1, sizeof(*member));
    if (!member)
        return NULL;
    member->id = id;
    member->hash = hash_of(id);
    member->heard_ns = running(detect);
    list_init(&member->watch_node);
    list_init(&member->news_node);
    return member;
}

static int ring_compare(const void *a, const void *b)
{
    const struct member *x = *(struct member *const *)a, *y = *(struct member *const *)b;
    if (x->hash != y->hash)
        return x->hash < y->hash ? -1 : 1;
    return x->id < y->id ? -1 : x->id > y->id;
}

/* All of |ids| as members, those known already and new ones. 0; -1: *|map| holds what to undo. */
static int members_gather(struct detect *detect, const uint64_t *ids, size_t count,
                          struct map *map)
{
    for (size_t i = 0; i < count; i++) {
        struct member *known = member_find(detect, ids[i]);
        struct member *member = known ? known : map_get(map, ids[i]);
        if (!member)
            member = member_create(detect, ids[i]);
        if (!member)
            return -1;
        if (map_put(map, ids[i], member)) {
            if (!known)
                member_free(detect, member);
            return -1;
        }
    }
    return 0;
}

static void members_undo(struct detect *detect, struct map *map)
{
    for (size_t i = 0; i < map->count; i++) {
        if (!member_find(detect, map->entries[i].key))
            member_free(detect, map->entries[i].value);
    }
    map_fini(map);
}

static void members_replace(struct detect *detect, struct map *map, struct member **ring)
{
    for (size_t i = 0; i < detect->target_count; i++)
        detect->targets[i]->is_target = false;
    detect->target_count = 0;
    for (size_t i = 0; i < detect->members.count; i++) {
        uint64_t id = detect->members.entries[i].key;
        if (map_get(map, id))
            continue;
        detect->gone[detect->gone_next++ % GONE_KEPT] = (struct gone){id, detect->now_ns};
        member_free(detect, detect->members.entries[i].value);
    }
    map_fini(&detect->members);
    mem_free(detect->ring);
    detect->members = *map;
    detect->ring = ring;
    detect->me = member_find(detect, detect->self);
    for (size_t i = 0; i < map->count; i++) {
        if (ring[i] == detect->me)
            detect->ring_place = i;
    }
}

/* What follows from other members or voters. */
static void members_changed(struct detect *detect)
{
    lease_update(detect);
    watch_ring(detect);
    watch_leader_changed(detect);
}

int detect_set_members(struct detect *detect, const uint64_t *ids, size_t count, uint64_t now_ns)
{
    time_goes(detect, now_ns);
    struct map map;
    map_init(&map);
    struct member **ring = mem_calloc(count ? count : 1, sizeof(struct member *));
    if (!ring || members_gather(detect, ids, count, &map)) {
        members_undo(detect, &map);
        mem_free(ring);
        deadline_settle(detect);
        return -1;
    }
    for (size_t i = 0; i < map.count; i++)
        ring[i] = map.entries[i].value;
    qsort(ring, map.count, sizeof(struct member *), ring_compare);
    members_replace(detect, &map, ring);
    const struct voters *now = voters_now(detect);
    if (now)
        (void)voters_set(detect, now->list, now->count, now->index); /* the same: never fails */
    bool is_first = !detect->has_lease;
    members_changed(detect);
    if (is_first)
        train_hurry(detect, true);
    deadline_settle(detect);
    return 0;
}

int detect_set_voters(struct detect *detect, const struct detect_voter *voters, size_t count,
                      uint64_t index, uint64_t now_ns)
{
    time_goes(detect, now_ns);
    bool is_first = !detect->has_lease, was_voter = detect->me && member_votes(detect->me);
    int status = voters_set(detect, voters, count, index);
    struct member *leader = member_find(detect, detect->leader);
    /* A voter has it from its leader, which therefore knows it. */
    if (status == 0 && leader && detect->me && member_votes(detect->me))
        leader->voters_index = MAX_OF(leader->voters_index, index);
    if (status == 0) {
        members_changed(detect);
        if (detect->round_ns == UINT64_MAX || is_first ||
            (detect->me && member_votes(detect->me) != was_voter))
            train_hurry(detect, is_first);
    }
    deadline_settle(detect);
    return status;
}

void detect_set_leader(struct detect *detect, uint64_t leader, uint64_t term, uint64_t now_ns)
{
    time_goes(detect, now_ns);
    bool is_new = leader != detect->leader || term != detect->term;
    detect->leader = leader;
    detect->term = term;
    if (is_new && !is_leading(detect))
        verdict_drop_all(detect);
    if (is_new)
        watch_leader_changed(detect);
    deadline_settle(detect);
}

/* ---- what comes in ---- */

void detect_heard(struct detect *detect, uint64_t id, uint64_t now_ns)
{
    time_goes(detect, now_ns);
    struct member *member = member_find(detect, id);
    if (member)
        member_heard(detect, member);
    deadline_settle(detect);
}

void detect_dead(struct detect *detect, uint64_t id, uint64_t now_ns)
{
    time_goes(detect, now_ns);
    struct member *member = member_find(detect, id);
    if (member && !detect->is_lost)
        watch_dead(detect, member);
    deadline_settle(detect);
}

static int message_take(struct detect *detect, uint64_t from, const struct message *message)
{
    struct member *dead;
    switch (message->type) {
    case DM_TRAIN:
        return train_receive(detect, &message->dm_train);
    case DM_PROBE:
        watch_receive_probe(detect, from, &message->dm_probe);
        return 0;
    case DM_PROBED:
        watch_receive_probed(detect, from, &message->dm_probed);
        return 0;
    case DM_SUSPECTED:
        verdict_receive_suspected(detect, &message->dm_suspected);
        return 0;
    case DM_ASK_HEARD:
        verdict_receive_ask(detect, from, &message->dm_ask_heard);
        return 0;
    case DM_LAST_HEARD:
        verdict_receive_last(detect, from, &message->dm_last_heard);
        return 0;
    case DM_DEAD:
        dead = member_find(detect, message->dm_dead.about);
        if (dead)
            watch_dead(detect, dead);
        return 0;
    default:
        return -1;
    }
}

int detect_receive(struct detect *detect, uint64_t from, const struct message *message,
                   uint64_t now_ns)
{
    time_goes(detect, now_ns);
    int status = 0;
    if (!detect->is_lost && from != detect->self) {
        struct member *sender = member_find(detect, from);
        if (sender)
            member_heard(detect, sender);
        status = message_take(detect, from, message);
        /* What is due is done now: perhaps timers are late where messages are not. */
        if (detect->now_ns >= detect->deadline_ns)
            due_run(detect);
    }
    deadline_settle(detect);
    return status;
}
