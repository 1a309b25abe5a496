/* SPDX-License-Identifier: BSD-3-Clause */
/* Probing, suspicion and certain deaths: see the header. */
#include "detect/watch.h"

#include "detect/lease.h"
#include "detect/verdict.h"

enum {
    TRIES_SUSPECT = 2, /* probes without answer before a suspicion */
    TRIES_RARE = 6,    /* from then on a suspect is probed as often as the leader is told */
    THROUGH = 2,       /* so many others are asked to probe too */
    MANY = 3           /* so many suspects at once: perhaps it is us */
};

/* ---- the ring ---- */

size_t detect_watchers(const struct detect *detect, uint64_t *ids)
{
    size_t count = detect->members.count, written = 0;
    if (!detect->me)
        return 0;
    for (size_t i = 1; i <= DETECT_WATCHERS_MAX && i < count; i++) {
        size_t step = count <= DETECT_WATCHERS_MAX + 1 ? i : 1 + (i - 1) * count / 3;
        ids[written++] = detect->ring[(detect->ring_place + count - step) % count]->id;
    }
    return written;
}

void watch_ring(struct detect *detect)
{
    size_t count = detect->members.count;
    for (size_t i = 0; i < detect->target_count; i++)
        detect->targets[i]->is_target = false;
    detect->target_count = 0;
    for (size_t i = 1; detect->me && i <= DETECT_WATCHERS_MAX && i < count; i++) {
        size_t step = count <= DETECT_WATCHERS_MAX + 1 ? i : 1 + (i - 1) * count / 3;
        struct member *target = detect->ring[(detect->ring_place + step) % count];
        target->is_target = true;
        detect->targets[detect->target_count++] = target;
    }
    detect->probe_ns = detect->target_count
                           ? detect->now_ns + rng_below(&detect->rng, share(detect, TIME_PROBE))
                           : UINT64_MAX;
}

/* ---- lists ---- */

static void unlist(struct member *member)
{
    list_remove(&member->watch_node);
    member->is_watched = member->is_asked = false;
}

void watch_forget(struct detect *detect, struct member *member)
{
    unlist(member);
    verdict_drop(detect, member);
    list_remove(&member->news_node);
}

/* Is its silence our business, without being asked? */
static bool is_expected(const struct detect *detect, const struct member *member)
{
    if (member == detect->me || member->is_dead)
        return false;
    bool rides = member->rode_ns && running(detect) - member->rode_ns < detect->dead_after_ns;
    bool leads = member->id == detect->leader && detect->me && member_votes(detect->me);
    return rides || leads || (is_leading(detect) && member_votes(member));
}

static void watch(struct detect *detect, struct member *member)
{
    /* In the order of signs of life: nearly always the last. */
    struct list *before = detect->watched.prev;
    while (before != &detect->watched &&
           LIST_ENTRY(before, struct member, watch_node)->heard_ns > member->heard_ns)
        before = before->prev;
    list_insert_between(&member->watch_node, before, before->next);
    member->is_watched = true;
}

void watch_heard(struct detect *detect, struct member *member)
{
    if (member->is_suspected) {
        member->is_suspected = false;
        if (member->news & NEWS_SUSPECTED)
            member->news &= (uint8_t)~NEWS_SUSPECTED;
        else
            member_news(detect, member, NEWS_REFUTED);
    }
    verdict_heard(detect, member);
    unlist(member);
    if (is_expected(detect, member))
        watch(detect, member);
}

/* ---- probes ---- */

static void send_probe(struct detect *detect, uint64_t to, const struct member *about)
{
    struct letter *letter = post(detect, to, DM_PROBE);
    if (!letter)
        return;
    letter->about = about->id;
    letter->origin = detect->self;
    letter->round = about->probe_round;
}

static void probe_through_others(struct detect *detect, const struct member *about)
{
    size_t count = detect->members.count;
    for (size_t i = 0, asked = 0; i < 4 * THROUGH && asked < THROUGH; i++) {
        const struct member *other =
            detect->members.entries[rng_below(&detect->rng, count)].value;
        if (other == detect->me || other == about || other->is_dead || other->is_suspected)
            continue;
        send_probe(detect, other->id, about);
        asked++;
    }
}

static void probe(struct detect *detect, struct member *member)
{
    send_probe(detect, member->id, member);
    if (member->tries)
        probe_through_others(detect, member);
    if (member->tries < UINT8_MAX)
        member->tries++;
    member->probe_ns = detect->now_ns + share(detect, member->tries > TRIES_RARE ? TIME_TELL
                                                                               : TIME_PROBE_REPLY);
    detect->asked_ns = MIN_OF(detect->asked_ns, member->probe_ns);
}

void watch_ask(struct detect *detect, struct member *member)
{
    if (member->is_asked || member->is_dead || member == detect->me)
        return;
    unlist(member);
    list_push_back(&detect->asked, &member->watch_node);
    member->is_asked = true;
    member->tries = 0;
    member->probe_round = ++detect->round;
    probe(detect, member);
}

void watch_receive_probe(struct detect *detect, uint64_t from, const struct wire_dm_probe *asked)
{
    if (!member_find(detect, from))
        return;
    bool is_for_us = asked->about == detect->self;
    /* Passed on once, and only for whom we have it from: never a chain. */
    if (!is_for_us && (asked->origin != from || !member_find(detect, asked->about)))
        return;
    struct letter *letter =
        post(detect, is_for_us ? from : asked->about, is_for_us ? DM_PROBED : DM_PROBE);
    if (!letter)
        return;
    letter->about = asked->about;
    letter->origin = asked->origin;
    letter->round = asked->round;
}

void watch_receive_probed(struct detect *detect, uint64_t from,
                          const struct wire_dm_probed *probed)
{
    struct member *about = member_find(detect, probed->about);
    if (!about || !member_find(detect, from))
        return;
    if (probed->origin == detect->self) {
        if (about->is_asked && about->probe_round == probed->round)
            member_heard(detect, about);
    } else if (probed->about == from && member_find(detect, probed->origin)) {
        struct letter *letter = post(detect, probed->origin, DM_PROBED);
        if (!letter)
            return;
        letter->about = probed->about;
        letter->origin = probed->origin;
        letter->round = probed->round;
    }
}

/* ---- suspicion ---- */

static uint64_t suspect_after_ns(const struct detect *detect)
{
    return share(detect, TIME_SUSPECT) + detect->health * share(detect, TIME_HEALTH);
}

static void tell_leader(struct detect *detect, struct member *member)
{
    member->told_ns = detect->now_ns;
    if (is_leading(detect)) {
        verdict_open(detect, member);
        return;
    }
    struct letter *letter = detect->leader && detect->leader != member->id
                                ? post(detect, detect->leader, DM_SUSPECTED)
                                : NULL;
    if (!letter)
        return;
    letter->about = member->id;
    letter->silent_ns = member_silence(detect, member);
}

static void suspect(struct detect *detect, struct member *member)
{
    size_t suspects = 1;
    member->is_suspected = true;
    member_news(detect, member, NEWS_SUSPECTED);
    LIST_EACH(pos, following, &detect->asked)
        suspects += LIST_ENTRY(pos, struct member, watch_node)->is_suspected;
    if (suspects == MANY)
        health_change(detect, 1);
    tell_leader(detect, member);
}

static void asked_run(struct detect *detect)
{
    uint64_t soon_ns = detect->now_ns + share(detect, TIME_TOGETHER), next_ns = UINT64_MAX;
    detect->asked_ns = UINT64_MAX;
    LIST_EACH(pos, following, &detect->asked) {
        struct member *member = LIST_ENTRY(pos, struct member, watch_node);
        if (member->probe_ns <= soon_ns) {
            if (!member->is_suspected && member->tries >= TRIES_SUSPECT &&
                member_silence(detect, member) >= suspect_after_ns(detect))
                suspect(detect, member);
            else if (member->is_suspected &&
                     detect->now_ns - member->told_ns >= share(detect, TIME_TELL))
                tell_leader(detect, member);
            probe(detect, member);
        }
        next_ns = MIN_OF(next_ns, member->probe_ns);
    }
    detect->asked_ns = next_ns;
}

/* The watched that have been silent for FRESH are asked now. */
static void watched_run(struct detect *detect)
{
    uint64_t enough_ns = share(detect, TIME_FRESH) - share(detect, TIME_TOGETHER);
    while (!list_is_empty(&detect->watched)) {
        struct member *member = LIST_ENTRY(list_first(&detect->watched), struct member, watch_node);
        if (!is_expected(detect, member))
            unlist(member);
        else if (member_silence(detect, member) >= enough_ns)
            watch_ask(detect, member);
        else
            return;
    }
}

static void targets_run(struct detect *detect)
{
    if (detect->now_ns + share(detect, TIME_TOGETHER) < detect->probe_ns)
        return;
    struct member *target = detect->targets[detect->target_next++ % detect->target_count];
    if (member_silence(detect, target) >= share(detect, TIME_FRESH))
        watch_ask(detect, target);
    uint64_t step_ns = share(detect, TIME_PROBE);
    /* In random order, drawn anew for each round of all of them. */
    if (detect->target_next % detect->target_count == 0) {
        size_t other = (size_t)rng_below(&detect->rng, detect->target_count);
        struct member *moved = detect->targets[0];
        detect->targets[0] = detect->targets[other];
        detect->targets[other] = moved;
    }
    detect->probe_ns = detect->now_ns + step_ns - rng_below(&detect->rng, step_ns / 16 + 1);
}

/* ---- certain deaths ---- */

static void tell_dead(struct detect *detect, struct member *dead)
{
    dead->told_ns = detect->now_ns;
    if (is_leading(detect))
        return;
    if (detect->leader && detect->leader != dead->id) {
        struct letter *letter = post(detect, detect->leader, DM_DEAD);
        if (letter)
            letter->about = dead->id;
        return;
    }
    /* Nobody leads, or the dead one: whoever votes will elect another one the sooner. */
    const struct voters *now = voters_now(detect);
    for (size_t i = 0; now && i < now->count; i++) {
        const struct member *voter = member_find(detect, now->list[i].id);
        struct letter *letter = voter && voter != detect->me && !voter->is_dead
                                    ? post(detect, voter->id, DM_DEAD)
                                    : NULL;
        if (letter)
            letter->about = dead->id;
    }
}

void watch_dead(struct detect *detect, struct member *member)
{
    if (member->is_dead || member == detect->me)
        return;
    member->is_dead = true;
    member->is_suspected = false;
    unlist(member);
    member_news(detect, member, NEWS_DEAD);
    if (is_leading(detect))
        verdict_condemn(detect, member);
    tell_dead(detect, member);
    detect->tombstone_ns =
        MIN_OF(detect->tombstone_ns, detect->now_ns + share(detect, TIME_TOMBSTONE));
}

static void tombstones_run(struct detect *detect)
{
    if (detect->now_ns + share(detect, TIME_TOGETHER) < detect->tombstone_ns)
        return;
    bool any = false;
    for (size_t i = 0; i < detect->members.count; i++) {
        struct member *member = detect->members.entries[i].value;
        if (!member->is_dead)
            continue;
        any = true;
        tell_dead(detect, member);
    }
    detect->tombstone_ns =
        any && !is_leading(detect) ? detect->now_ns + share(detect, TIME_TOMBSTONE) : UINT64_MAX;
}

void watch_leader_changed(struct detect *detect)
{
    for (size_t i = 0; i < detect->members.count; i++) {
        struct member *member = detect->members.entries[i].value;
        member->is_condemned = false;
        if (member->is_dead) {
            if (is_leading(detect))
                verdict_condemn(detect, member);
            tell_dead(detect, member);
            if (!is_leading(detect))
                detect->tombstone_ns = MIN_OF(detect->tombstone_ns,
                                              detect->now_ns + share(detect, TIME_TOMBSTONE));
        } else if (member->is_suspected) {
            tell_leader(detect, member);
        } else if (!member->is_asked && !member->is_watched && is_expected(detect, member)) {
            watch(detect, member);
        }
    }
}

/* ---- together ---- */

void watch_postpone(struct detect *detect)
{
    uint64_t at_ns = detect->now_ns + share(detect, TIME_PROBE_REPLY);
    LIST_EACH(pos, following, &detect->asked) {
        struct member *member = LIST_ENTRY(pos, struct member, watch_node);
        member->probe_ns = MAX_OF(member->probe_ns, at_ns);
    }
    if (!list_is_empty(&detect->asked))
        detect->asked_ns = MAX_OF(detect->asked_ns, at_ns);
}

void watch_run(struct detect *detect)
{
    if (!detect->me)
        return;
    if (detect->target_count)
        targets_run(detect);
    watched_run(detect);
    if (detect->asked_ns <= detect->now_ns + share(detect, TIME_TOGETHER))
        asked_run(detect);
    tombstones_run(detect);
}

uint64_t watch_deadline(const struct detect *detect)
{
    uint64_t at_ns = MIN_OF(detect->asked_ns, detect->tombstone_ns);
    if (!list_is_empty(&detect->watched)) {
        const struct member *first =
            LIST_ENTRY(list_first(&detect->watched), struct member, watch_node);
        at_ns = MIN_OF(at_ns, first->heard_ns + detect->lost_ns + share(detect, TIME_FRESH));
    }
    if (detect->target_count) {
        const struct member *target = detect->targets[detect->target_next % detect->target_count];
        uint64_t due_ns = target->is_asked || target->is_dead
                              ? detect->probe_ns
                              : target->heard_ns + detect->lost_ns + share(detect, TIME_FRESH);
        at_ns = MIN_OF(at_ns, MAX_OF(due_ns, detect->probe_ns));
    }
    return at_ns;
}
