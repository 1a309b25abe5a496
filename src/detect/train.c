/* SPDX-License-Identifier: BSD-3-Clause */
/* Trains: see the header. */
#include "detect/train.h"

#include "base/mem.h"
#include "detect/lease.h"

#include <stdlib.h>
#include <string.h>

enum {
    HOPS_PER_STOP = 2,  /* round once for who began it, once more for those who got on */
    CROWD = 16,         /* so many members do not all begin at once */
    COMPANY = 6,        /* members that do not vote and go together */
    TRIES_MUTE = 2,     /* who did not confirm after so many is mute */
    TRIES_CALM = 10     /* from then on half as often */
};

/* ---- departures ---- */

static uint32_t depart(struct detect *detect)
{
    uint32_t round = ++detect->round;
    detect->departures[round % DEPARTURES_KEPT] =
        (struct departure){.round = round, .at_ns = detect->now_ns};
    detect->departed_ns = detect->now_ns;
    return round;
}

/* When departure |round| was; 0 = not one of the last. */
static uint64_t departure_ns(const struct detect *detect, uint32_t round)
{
    const struct departure *departure = &detect->departures[round % DEPARTURES_KEPT];
    return departure->round == round ? departure->at_ns : 0;
}

static uint64_t reply_ns(const struct detect *detect)
{
    bool is_urgent = detect->is_confirmed && detect->has_lease &&
                     detect->lease_until_ns < detect->now_ns + share(detect, TIME_URGENT);
    if (is_urgent)
        return share(detect, TIME_REPLY_MIN);
    uint64_t by_trips = detect->trip_ns ? detect->trip_ns * 4 : share(detect, TIME_REPLY);
    by_trips = MAX_OF(by_trips, share(detect, TIME_REPLY_MIN));
    /* Of many that were added at once each asks more and more seldom: nothing of it acts yet. */
    if (!detect->is_confirmed)
        return MIN_OF(share(detect, TIME_REPLY) * (1 + detect->tries), share(detect, TIME_ROUND));
    return MIN_OF(by_trips, share(detect, TIME_REPLY));
}

static uint64_t newest_voters(const struct detect *detect)
{
    const struct voters *now = voters_now(detect);
    return now ? now->index : 0;
}

static void train_board(struct detect *detect, struct train *train, size_t stop, uint32_t round)
{
    train->riders[train->rider_count++] = (struct rider){.stop = (uint8_t)stop, .round = round};
    if (is_leading(detect)) {
        train->leader = (uint8_t)(stop + 1);
        train->term = detect->term;
        train->follows = 0;
    }
}

static void train_post(struct detect *detect, const struct train *train)
{
    struct train *copy = mem_dup(train, sizeof(*train));
    struct letter *letter = copy ? post(detect, train->stops[train->next], DM_TRAIN) : NULL;
    if (letter)
        letter->train = copy;
    else
        mem_free(copy);
}

static void train_send(struct detect *detect, uint32_t round, const uint64_t *stops, size_t count)
{
    struct train train = {
        .next = 1, .stop_count = count + 1, .voters_index = newest_voters(detect)};
    train.stops[0] = detect->self;
    memcpy(train.stops + 1, stops, count * sizeof(*stops));
    train_board(detect, &train, 0, round);
    train_post(detect, &train);
}

/* ---- which way ---- */

struct candidate {
    uint64_t id;
    uint64_t order;
};

static int candidate_compare(const void *a, const void *b)
{
    uint64_t x = ((const struct candidate *)a)->order, y = ((const struct candidate *)b)->order;
    return x < y ? -1 : x > y;
}

/* The leader first if this member votes; then voters in the order of the ring, beginning behind
 * this member, so that the trains of neighbours go the same way. */
static uint64_t candidate_order(const struct detect *detect, const struct member *voter)
{
    if (member_votes(detect->me) && voter->id == detect->leader)
        return 0;
    return MAX_OF(voter->hash - detect->me->hash, 1);
}

static size_t candidates_find(const struct detect *detect, struct candidate *candidates)
{
    const struct voters *now = voters_now(detect);
    size_t count = 0;
    for (size_t i = 0; i < now->count; i++) {
        const struct member *voter = member_find(detect, now->list[i].id);
        if (voter && voter != detect->me && !voter->is_dead &&
            voter->mute_until_ns <= detect->now_ns)
            candidates[count++] = (struct candidate){
                .id = voter->id, .order = candidate_order(detect, voter)};
    }
    qsort(candidates, count, sizeof(*candidates), candidate_compare);
    return count;
}

struct chosen {
    uint64_t self;
    const uint64_t *ids;
    size_t count;
};

static bool is_chosen(const void *context, uint64_t id)
{
    const struct chosen *chosen = context;
    if (id == chosen->self)
        return true;
    for (size_t i = 0; i < chosen->count; i++) {
        if (chosen->ids[i] == id)
            return true;
    }
    return false;
}

/* Writes as many stops as make a majority; 0: those who are not mute are none. A voter goes on to
 * all others while the network is good: then one train serves them all. */
static size_t voters_choose(const struct detect *detect, uint64_t *stops)
{
    struct candidate candidates[DETECT_VOTERS_MAX];
    struct chosen chosen = {.self = detect->self, .ids = stops};
    size_t count = candidates_find(detect, candidates);
    bool to_all = member_votes(detect->me) && !detect->was_hard, enough = false;
    for (size_t i = 0; i < count && chosen.count < STOPS_MAX - 1 && (to_all || !enough); i++) {
        stops[chosen.count++] = candidates[i].id;
        enough = enough || voters_majority(voters_now(detect), is_chosen, &chosen);
    }
    return enough ? chosen.count : 0;
}

/* One that does not vote takes the next ones of the ring along, while the network is good and near:
 * the way past the voters is then paid for once. */
static size_t company_choose(const struct detect *detect, uint64_t *stops, size_t room)
{
    size_t count = 0, most = MIN_OF(room, (size_t)COMPANY - 1);
    bool is_near = detect->trip_ns && detect->trip_ns < share(detect, TIME_REPLY) / 4;
    if (member_votes(detect->me) || detect->was_hard || !is_near)
        return 0;
    for (size_t i = 1; i < detect->members.count && i < 2 * COMPANY && count < most; i++) {
        const struct member *member =
            detect->ring[(detect->ring_place + i) % detect->members.count];
        if (!member_votes(member) && !member->is_dead && !member->is_suspected)
            stops[count++] = member->id;
    }
    return count;
}

static size_t way_choose(const struct detect *detect, uint64_t *stops)
{
    uint64_t voters[STOPS_MAX];
    size_t count = voters_choose(detect, voters);
    if (!count)
        return 0;
    size_t company = company_choose(detect, stops, STOPS_MAX - 1 - count);
    memcpy(stops + company, voters, count * sizeof(*voters));
    return company + count;
}

/* ---- asking directly ---- */

/* Somebody to ask the others through: a voter that has confirmed since |goal_ns|, or else one of
 * the targets; NULL = none. */
static const struct member *go_between(struct detect *detect)
{
    const struct voters *now = voters_now(detect);
    size_t from = (size_t)rng_below(&detect->rng, now->count);
    for (size_t i = 0; i < now->count; i++) {
        const struct member *voter = member_find(detect, now->list[(from + i) % now->count].id);
        if (voter && voter != detect->me && voter->granted_ns >= detect->goal_ns)
            return voter;
    }
    /* One of the few that there are links to anyway: anybody would mean one more each time. */
    if (!detect->target_count)
        return NULL;
    const struct member *any = detect->targets[rng_below(&detect->rng, detect->target_count)];
    return !any->is_dead && !any->is_suspected ? any : NULL;
}

static void ask_directly(struct detect *detect)
{
    const struct voters *now = voters_now(detect);
    const struct member *through = detect->tries >= TRIES_MUTE ? go_between(detect) : NULL;
    bool only_leader = lease_start(detect) >= detect->goal_ns;
    uint32_t round = depart(detect);
    for (size_t i = 0; i < now->count; i++) {
        struct member *voter = member_find(detect, now->list[i].id);
        if (!voter || voter == detect->me || voter->is_dead ||
            (only_leader && voter->id != detect->leader) ||
            (voter->granted_ns && voter->granted_ns >= detect->goal_ns))
            continue;
        if (detect->tries >= TRIES_MUTE)
            voter->mute_until_ns = detect->now_ns + detect->dead_after_ns;
        train_send(detect, round, (const uint64_t[]){voter->id}, 1);
        if (through && through != voter)
            train_send(detect, round,
                       (const uint64_t[]){through->id, voter->id, through->id}, 3);
    }
    uint64_t wait_ns = reply_ns(detect);
    detect->round_ns = detect->now_ns + (detect->tries > TRIES_CALM ? 2 * wait_ns : wait_ns);
    detect->tries++;
    if (detect->tries == TRIES_MUTE)
        health_change(detect, 1);
}

static void round_begin(struct detect *detect)
{
    uint64_t stops[STOPS_MAX];
    size_t count = way_choose(detect, stops);
    detect->is_waiting = true;
    detect->is_riding = false;
    detect->goal_ns = detect->now_ns;
    detect->tries = 0;
    if (!count) {
        ask_directly(detect);
        return;
    }
    train_send(detect, depart(detect), stops, count);
    detect->round_ns = detect->now_ns + reply_ns(detect);
}

/* It waits for the leader alone, and meanwhile the next round is due. */
static bool round_overtaken(const struct detect *detect)
{
    uint64_t start = lease_start(detect);
    return start >= detect->goal_ns && detect->now_ns >= start + share(detect, TIME_ROUND);
}

void train_run(struct detect *detect)
{
    if (!detect->me || !detect->voters_count || voters_alone(detect)) {
        detect->round_ns = UINT64_MAX;
        detect->is_waiting = false;
    } else if (detect->is_waiting && !round_overtaken(detect)) {
        ask_directly(detect);
    } else {
        round_begin(detect);
    }
}

void train_hurry(struct detect *detect, bool spread)
{
    uint64_t within_ns = spread && detect->members.count > CROWD ? share(detect, TIME_ROUND) : 0;
    uint64_t at_ns = detect->now_ns + rng_below(&detect->rng, within_ns);
    if (detect->round_ns > at_ns)
        detect->round_ns = at_ns;
}

/* ---- arriving ---- */

/* The rider is home: who has seen it has confirmed its departure. */
static void rider_home(struct detect *detect, const struct train *train, const struct rider *rider)
{
    uint64_t at_ns = departure_ns(detect, rider->round);
    bool leads = is_leading(detect) && train->leader == rider->stop + 1 &&
                 train->term == detect->term;
    for (size_t i = 0; at_ns && i < train->stop_count; i++) {
        struct member *voter = member_find(detect, train->stops[i]);
        if (!(rider->seen >> i & 1) || !voter || voter == detect->me || !member_votes(voter))
            continue;
        voter->granted_ns = MAX_OF(voter->granted_ns, at_ns);
        voter->mute_until_ns = 0;
        if (leads && train->follows >> i & 1) {
            voter->voter_heard_ns = MAX_OF(voter->voter_heard_ns, at_ns);
            member_news(detect, voter, NEWS_VOTER_HEARD);
        }
    }
    uint64_t trip_ns = detect->now_ns - at_ns;
    if (at_ns && train->stop_count > 2 && trip_ns < share(detect, TIME_REPLY))
        detect->trip_ns = detect->trip_ns ? (detect->trip_ns * 7 + trip_ns) / 8 : trip_ns;
}

/* Must the leader confirm too? A voter that does not hear of it would begin an election. */
static bool leader_missing(const struct detect *detect)
{
    const struct member *leader = member_find(detect, detect->leader);
    return member_votes(detect->me) && leader && leader != detect->me && !leader->is_dead &&
           leader->granted_ns < detect->goal_ns;
}

/* After departures were confirmed: is the round done? */
static void round_check(struct detect *detect)
{
    lease_update(detect);
    uint64_t start = lease_start(detect);
    if (!detect->is_waiting || !start || start < detect->goal_ns || leader_missing(detect))
        return;
    detect->is_waiting = false;
    detect->was_hard = detect->tries > 0;
    detect->round_ns = start + share(detect, detect->was_hard    ? TIME_HARD_ROUND
                                             : detect->is_riding ? TIME_RIDE
                                                                 : TIME_ROUND);
}

static void rider_confirm(struct detect *detect, struct train *train, struct rider *rider,
                          size_t here)
{
    struct member *member = member_find(detect, train->stops[rider->stop]);
    if (!member || member->is_dead)
        return;
    if (member_votes(detect->me))
        member->rode_ns = running(detect); /* it will come by again */
    member->voters_index = MAX_OF(member->voters_index, train->voters_index);
    member_heard(detect, member);
    if (voters_may_confirm(detect, train->voters_index))
        rider->seen |= (uint16_t)(1u << here);
}

static void riders_pass(struct detect *detect, struct train *train, size_t here)
{
    size_t kept = 0;
    for (size_t i = 0; i < train->rider_count; i++) {
        struct rider *rider = &train->riders[i];
        if (rider->stop == here) {
            rider_home(detect, train, rider);
            continue;
        }
        rider_confirm(detect, train, rider, here);
        train->riders[kept++] = *rider;
    }
    train->rider_count = kept;
}

/* The leader's word: written by it, taken down by those who follow. */
static void leader_pass(struct detect *detect, struct train *train, size_t here)
{
    if (is_leading(detect)) {
        if (train->leader != here + 1 || train->term != detect->term) {
            train->leader = (uint8_t)(here + 1);
            train->term = detect->term;
            train->follows = 0;
        }
        return;
    }
    if (!train->leader || train->leader == here + 1)
        return;
    uint64_t leader = train->stops[train->leader - 1];
    if (train->term >= detect->term) {
        detect->has_leader_news = true;
        detect->leader_news = (struct detect_news){
            .kind = DETECT_LEADER_HEARD, .id = leader, .term = train->term};
    }
    if (leader == detect->leader && train->term == detect->term)
        train->follows |= (uint16_t)(1u << here);
}

/* Whose departure is not young any more gets on, if the train passes a majority: a voter on trains
 * of voters, if the leader is on the way (on those of others only some would get on, and two trains
 * cost more than one), others on trains of others. */
static void self_board(struct detect *detect, struct train *train, size_t here)
{
    if (!detect->voters_count || voters_alone(detect) || train->rider_count == STOPS_MAX ||
        train->voters_index != newest_voters(detect) ||
        detect->now_ns - detect->departed_ns < share(detect, TIME_JOIN))
        return;
    const struct member *first = member_find(detect, train->stops[0]);
    if (!first || member_votes(first) != member_votes(detect->me))
        return;
    struct chosen chosen = {.self = detect->self, .ids = train->stops, .count = train->stop_count};
    bool passes_leader = !member_votes(detect->me) || !detect->leader || is_leading(detect) ||
                         !member_find(detect, detect->leader) ||
                         is_chosen(&chosen, detect->leader);
    if (!passes_leader || !voters_majority(voters_now(detect), is_chosen, &chosen))
        return;
    train_board(detect, train, here, depart(detect));
    if (detect->is_waiting)
        return;
    detect->is_waiting = true;
    detect->is_riding = true;
    detect->goal_ns = detect->now_ns;
    detect->tries = 0;
    detect->round_ns = detect->now_ns + reply_ns(detect);
}

/* Is stop |at| of use to a rider: its home, or one that lives and has not seen it yet? One that
 * does not vote is only to get on, on the way out: as long as who began has not passed it. */
static bool stop_useful(const struct detect *detect, const struct train *train, size_t at)
{
    const struct member *member = member_find(detect, train->stops[at]);
    bool lives = member && !member->is_dead && !member->is_suspected;
    bool confirms = lives && member_votes(member);
    for (size_t i = 0; i < train->rider_count; i++) {
        const struct rider *rider = &train->riders[i];
        bool has_seen = rider->seen >> at & 1;
        if (rider->stop == at || (!has_seen && (confirms || (lives && rider->stop == 0))))
            return true;
    }
    return false;
}

static void train_forward(struct detect *detect, struct train *train, size_t here)
{
    if (!train->rider_count || train->hops >= HOPS_PER_STOP * train->stop_count)
        return;
    train->hops++;
    for (size_t i = 1; i < train->stop_count; i++) {
        size_t at = (here + i) % train->stop_count;
        if (train->stops[at] == detect->self || !stop_useful(detect, train, at))
            continue;
        train->next = (uint8_t)at;
        train_post(detect, train);
        return;
    }
}

static int train_read(const struct wire_dm_train *message, struct train *train)
{
    size_t stops = message->stops.count, riders = message->riders.count;
    if (stops < 2 || stops > STOPS_MAX || riders > stops || message->next >= stops ||
        message->leader > stops)
        return -1;
    *train = (struct train){.hops = message->hops,
                            .next = message->next,
                            .leader = message->leader,
                            .follows = message->follows,
                            .term = message->term,
                            .voters_index = message->voters_index,
                            .stop_count = stops,
                            .rider_count = riders};
    for (size_t i = 0; i < stops; i++)
        train->stops[i] = message->stops.items[i].id;
    for (size_t i = 0; i < riders; i++) {
        const struct wire_rider *rider = &message->riders.items[i];
        if (rider->stop >= stops)
            return -1;
        train->riders[i] = (struct rider){.stop = rider->stop,
                                          .round = rider->round,
                                          .seen = rider->seen};
    }
    return 0;
}

int train_receive(struct detect *detect, const struct wire_dm_train *message)
{
    struct train train;
    if (train_read(message, &train))
        return -1;
    size_t here = train.next;
    if (train.stops[here] != detect->self || !detect->me)
        return 0;
    /* The leader's word first: who gets off takes home what followed until here. */
    leader_pass(detect, &train, here);
    riders_pass(detect, &train, here);
    round_check(detect);
    self_board(detect, &train, here);
    train_forward(detect, &train, here);
    return 0;
}
