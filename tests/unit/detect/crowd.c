/* SPDX-License-Identifier: BSD-3-Clause */
/* Many detectors in virtual time: see the header. */
#include "crowd.h"

#include "base/mem.h"
#include "wire/rw.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ELECTION = 720, BUSY_NS = 30000, MESSAGE_BYTES_MAX = 512 };

enum crowd_event_kind { DELIVER, TABLE, LEADER, THAW };

struct crowd_event {
    struct heap_node node;
    struct crowd_event *next;
    enum crowd_event_kind kind;
    size_t to;
    uint64_t to_id;
    uint64_t from;
    uint64_t sent_ns;
    uint64_t number;  /* table version; term */
    uint64_t leader;
    size_t length;
    uint8_t bytes[];
};

struct path {
    uint64_t change_ns; /* when it turns good or bad */
    bool is_bad;
    uint64_t cut_until_ns;
};

static void need(const void *memory)
{
    if (!memory)
        abort();
}

/* ---- clocks ---- */

static uint64_t local_ns(const struct crowd *crowd, const struct crowd_node *node)
{
    int64_t drifted = (int64_t)(crowd->now_ns / 1000000) * node->drift_ppm +
                      (int64_t)(crowd->now_ns % 1000000) * node->drift_ppm / 1000000;
    return node->clock_offset_ns + crowd->now_ns + (uint64_t)drifted;
}

/* The moment of the world at which the clock of |node| shows |at_ns| or a little later. */
static uint64_t world_ns(const struct crowd *crowd, const struct crowd_node *node, uint64_t at_ns)
{
    uint64_t local = local_ns(crowd, node);
    if (at_ns <= local)
        return crowd->now_ns;
    uint64_t left = at_ns - local;
    return crowd->now_ns + left - (uint64_t)((int64_t)(left / 1000000) * node->drift_ppm) +
           (uint64_t)(left / 1000000 * 300) + 1;
}

/* ---- events ---- */

static struct crowd_event *event_new(enum crowd_event_kind kind, size_t to, size_t length)
{
    struct crowd_event *event = calloc(1, sizeof(*event) + length);
    need(event);
    event->kind = kind;
    event->to = to;
    event->length = length;
    heap_node_init(&event->node);
    return event;
}

static void event_at(struct crowd *crowd, struct crowd_event *event, uint64_t at_ns)
{
    if (heap_set(&crowd->events, &event->node, at_ns))
        abort();
}

/* ---- network ---- */

static uint64_t draw_length(struct crowd *crowd, uint64_t mean_ns)
{
    /* A tenth to nineteen tenths: enough spread, and no logarithm. */
    return mean_ns / 10 + rng_below(&crowd->net, mean_ns * 9 / 5);
}

static bool path_is_bad(struct crowd *crowd, size_t from, size_t to)
{
    struct path *path = &crowd->paths[from * CROWD_NODES_MAX + to];
    uint64_t bad_ns = crowd->config.burst_ns, ppm = crowd->config.loss_ppm;
    if (crowd->now_ns < path->cut_until_ns || crowd->now_ns < crowd->blackout_until_ns)
        return true;
    if (rng_chance(&crowd->net, crowd->config.one_by_one_ppm))
        return true;
    if (!ppm)
        return false;
    uint64_t good_ns = bad_ns * (1000000 - ppm) / ppm;
    if (path->change_ns + 100 * (bad_ns + good_ns) < crowd->now_ns) { /* long unused: draw anew */
        path->is_bad = rng_chance(&crowd->net, (uint32_t)ppm);
        path->change_ns =
            crowd->now_ns + rng_below(&crowd->net, path->is_bad ? bad_ns : good_ns);
    }
    while (path->change_ns <= crowd->now_ns) {
        path->is_bad = !path->is_bad;
        path->change_ns += draw_length(crowd, path->is_bad ? bad_ns : good_ns);
    }
    return path->is_bad;
}

static bool is_up(const struct crowd *crowd, const struct crowd_node *node)
{
    return node->is_running && node->frozen_until_ns <= crowd->now_ns;
}

static void send_out(struct crowd *crowd, size_t from, uint64_t to_id,
                     const struct message *message)
{
    struct crowd_node *node = &crowd->nodes[from];
    const struct crowd_node *peer = map_get(&crowd->by_id, to_id);
    uint8_t bytes[MESSAGE_BYTES_MAX];
    struct wr wr;
    wr_init(&wr);
    message_encode(&wr, message);
    if (wr.bad || wr.length > sizeof(bytes))
        abort();
    memcpy(bytes, wr.bytes, wr.length);
    size_t length = wr.length;
    wr_fini(&wr);
    node->sent++;
    node->sent_bytes += length;
    crowd->messages++;
    if (length > crowd->bytes_max)
        crowd->bytes_max = length;
    if (!peer || path_is_bad(crowd, from, (size_t)(peer - crowd->nodes)))
        return;
    struct crowd_event *event = event_new(DELIVER, (size_t)(peer - crowd->nodes), length);
    memcpy(event->bytes, bytes, length);
    event->from = node->id;
    event->to_id = to_id;
    event->sent_ns = crowd->now_ns;
    event_at(crowd, event,
             crowd->now_ns + crowd->config.delay_ns +
                 rng_below(&crowd->net, crowd->config.delay_ns));
}

/* ---- the log, played ---- */

static const struct crowd_table *table_now(const struct crowd *crowd)
{
    return &crowd->tables[crowd->table_count - 1];
}

bool crowd_is_voter(const struct crowd *crowd, size_t node)
{
    const struct crowd_table *table = table_now(crowd);
    for (size_t i = 0; i < table->voter_count; i++) {
        if (table->voters[i].id == crowd->nodes[node].id && table->voters[i].weight)
            return true;
    }
    return false;
}

static bool path_is_cut(const struct crowd *crowd, size_t from, size_t to)
{
    return from != to &&
           (crowd->paths[from * CROWD_NODES_MAX + to].cut_until_ns > crowd->now_ns ||
            crowd->blackout_until_ns > crowd->now_ns);
}

/* Does |node| reach voters with a majority, both ways? (Bursts are the log's to repair.) */
static bool has_quorum(const struct crowd *crowd, size_t node)
{
    const struct crowd_table *table = table_now(crowd);
    uint32_t whole = 0, part = 0, old_whole = 0, old_part = 0;
    if (!is_up(crowd, &crowd->nodes[node]))
        return false;
    for (size_t i = 0; i < table->voter_count; i++) {
        const struct detect_voter *voter = &table->voters[i];
        const struct crowd_node *peer = map_get(&crowd->by_id, voter->id);
        size_t at = peer ? (size_t)(peer - crowd->nodes) : 0;
        whole += voter->weight;
        old_whole += voter->old_weight;
        if (peer && is_up(crowd, peer) && !path_is_cut(crowd, node, at) &&
            !path_is_cut(crowd, at, node)) {
            part += voter->weight;
            old_part += voter->old_weight;
        }
    }
    return part * 2 > whole && (!old_whole || old_part * 2 > old_whole);
}

static void table_spread(struct crowd *crowd)
{
    for (size_t i = 0; i < crowd->node_count; i++) {
        struct crowd_event *event = event_new(TABLE, i, 0);
        event->to_id = crowd->nodes[i].id;
        event->number = crowd->table_count - 1;
        event_at(crowd, event,
                 i == crowd->leader
                     ? crowd->now_ns
                     : crowd->now_ns + MS + rng_below(&crowd->chance,
                                                      crowd->config.dead_after_ns / 20));
    }
}

static struct crowd_table *table_next(struct crowd *crowd)
{
    if (mem_grow((void **)&crowd->tables, &crowd->table_capacity, crowd->table_count + 1,
                 sizeof(*crowd->tables)))
        abort();
    struct crowd_table *table = &crowd->tables[crowd->table_count];
    *table = (struct crowd_table){.index = 1};
    if (crowd->table_count)
        *table = crowd->tables[crowd->table_count - 1];
    table->ids = calloc(CROWD_NODES_MAX, sizeof(*table->ids));
    need(table->ids);
    table->count = 0;
    for (size_t i = 0; i < crowd->node_count; i++) {
        if (crowd->nodes[i].is_member)
            table->ids[table->count++] = crowd->nodes[i].id;
    }
    crowd->table_count++;
    return table;
}

/* Who should vote: those who do and are members, then the lowest. */
static size_t voters_wanted(const struct crowd *crowd, uint64_t *ids)
{
    const struct crowd_table *table = table_now(crowd);
    size_t count = 0;
    for (int pass = 0; pass < 2; pass++) {
        for (size_t i = 0; i < crowd->node_count && count < CROWD_VOTERS; i++) {
            const struct crowd_node *node = &crowd->nodes[i];
            bool votes = false;
            for (size_t j = 0; j < table->voter_count; j++)
                votes |= table->voters[j].id == node->id && table->voters[j].weight;
            if (node->is_member && votes == (pass == 0) && (pass == 0 || is_up(crowd, node)))
                ids[count++] = node->id;
        }
    }
    return count;
}

static void voters_step(struct crowd *crowd)
{
    const struct crowd_table *old = table_now(crowd);
    struct detect_voter voters[DETECT_VOTERS_MAX] = {{0}};
    uint64_t wanted[CROWD_VOTERS];
    size_t count = voters_wanted(crowd, wanted), n = 0, same = 0, weighty = 0;
    for (size_t i = 0; i < old->voter_count; i++) {
        weighty += old->voters[i].weight != 0;
        for (size_t j = 0; j < count; j++)
            same += old->voters[i].id == wanted[j] && old->voters[i].weight;
    }
    if ((!crowd->is_changing && same == count && weighty == count) ||
        !has_quorum(crowd, crowd->leader))
        return;
    uint64_t tie = crowd->nodes[crowd->leader].id;
    if (crowd->is_changing) { /* the new set alone */
        for (size_t i = 0; i < old->voter_count; i++) {
            if (old->voters[i].weight) {
                voters[n] = old->voters[i];
                voters[n++].old_weight = 0;
            }
        }
    } else {
        for (size_t j = 0; j < count; j++)
            voters[n++] = (struct detect_voter){wanted[j], wanted[j] == tie ? 3 : 2, 0};
        for (size_t i = 0; i < old->voter_count; i++) {
            size_t at = 0;
            while (at < n && voters[at].id != old->voters[i].id)
                at++;
            if (at == n)
                voters[n++] = (struct detect_voter){old->voters[i].id, 0, 0};
            voters[at].old_weight = old->voters[i].weight;
        }
    }
    crowd->is_changing = !crowd->is_changing;
    struct crowd_table *table = table_next(crowd);
    memcpy(table->voters, voters, sizeof(voters));
    table->voter_count = n;
    table->index++;
    table_spread(crowd);
}

static void leader_spread(struct crowd *crowd)
{
    for (size_t i = 0; i < crowd->node_count; i++) {
        struct crowd_event *event = event_new(LEADER, i, 0);
        event->to_id = crowd->nodes[i].id;
        event->number = crowd->term;
        event->leader = crowd->nodes[crowd->leader].id;
        event_at(crowd, event,
                 i == crowd->leader
                     ? crowd->now_ns
                     : crowd->now_ns + MS + rng_below(&crowd->chance, 30 * MS));
    }
}

static void log_step(struct crowd *crowd)
{
    const struct crowd_node *leader = &crowd->nodes[crowd->leader];
    if (leader->is_member && has_quorum(crowd, crowd->leader)) {
        crowd->leader_lost_ns = 0;
        if (crowd->now_ns >= crowd->change_ns) {
            crowd->change_ns = crowd->now_ns + 20 * MS;
            voters_step(crowd);
        }
        return;
    }
    if (!crowd->leader_lost_ns)
        crowd->leader_lost_ns = crowd->now_ns;
    if (leader->is_member &&
        crowd->now_ns - crowd->leader_lost_ns < crowd->config.dead_after_ns / 1000 * ELECTION)
        return;
    for (size_t i = 0; i < crowd->node_count; i++) {
        size_t at = (crowd->leader + 1 + i) % crowd->node_count;
        if (crowd->nodes[at].is_member && crowd_is_voter(crowd, at) && has_quorum(crowd, at)) {
            crowd->leader = at;
            crowd->term++;
            crowd->leader_lost_ns = 0;
            leader_spread(crowd);
            return;
        }
    }
}

static bool can_act(const struct crowd *crowd, const struct crowd_node *node)
{
    return node->is_running && detect_may_act(node->detect) &&
           detect_lease_until(node->detect) > local_ns(crowd, node);
}

static void removal_commit(struct crowd *crowd, struct crowd_node *node)
{
    node->is_member = false;
    node->removed_ns = crowd->now_ns;
    if (can_act(crowd, node))
        crowd->unsafe++;
    if (node->is_running && node->silent_max_ns <= crowd->silence_allowed_ns)
        crowd->removed_alive++;
    if (crowd->verbose)
        printf("# %8.3f s node %d removed, %s, longest silence %.3f s\n",
               (double)crowd->now_ns / 1e9, (int)(node - crowd->nodes),
               node->is_running ? "RUNNING" : "dead", (double)node->silent_max_ns / 1e9);
    if (node->killed_ns) {
        if (mem_grow((void **)&crowd->detected_ns, &crowd->detected_capacity,
                     crowd->detected_count + 1, sizeof(*crowd->detected_ns)))
            abort();
        crowd->detected_ns[crowd->detected_count++] = crowd->now_ns - node->killed_ns;
    }
    table_next(crowd);
    table_spread(crowd);
}

/* ---- a node ---- */

static void heard_of(struct crowd *crowd, struct crowd_node *node)
{
    uint64_t silent_ns = crowd->now_ns - node->heard_ns;
    if (silent_ns > node->silent_max_ns)
        node->silent_max_ns = silent_ns;
    node->heard_ns = crowd->now_ns;
}

static void news_take(struct crowd *crowd, size_t at, const struct detect_news *news)
{
    struct crowd_node *node = &crowd->nodes[at], *about;
    switch (news->kind) {
    case DETECT_REMOVE:
        about = map_get(&crowd->by_id, news->id);
        if (at == crowd->leader && about && about->is_member && has_quorum(crowd, at))
            removal_commit(crowd, about);
        break;
    case DETECT_LEASE_LOST:
        node->lost_lease_ns = crowd->now_ns;
        node->is_running = false;
        if (crowd->now_ns - node->heard_ns > node->silent_max_ns)
            node->silent_max_ns = crowd->now_ns - node->heard_ns;
        if (node->silent_max_ns <= crowd->silence_allowed_ns)
            crowd->leases_lost++;
        if (crowd->verbose)
            printf("# %8.3f s node %d lost its lease\n", (double)crowd->now_ns / 1e9, (int)at);
        break;
    case DETECT_LEADER_HEARD:
        if (node->leader_heard_ns && crowd->now_ns - node->leader_heard_ns > node->leader_gap_ns)
            node->leader_gap_ns = crowd->now_ns - node->leader_heard_ns;
        node->leader_heard_ns = crowd->now_ns;
        break;
    case DETECT_SUSPECTED:
        node->suspected++;
        if (crowd->verbose)
            printf("# %8.3f s node %d suspects %d\n", (double)crowd->now_ns / 1e9, (int)at,
                   (int)((struct crowd_node *)map_get(&crowd->by_id, news->id) - crowd->nodes));
        break;
    case DETECT_REFUTED:
        node->refuted++;
        break;
    case DETECT_DEAD:
    case DETECT_VOTER_HEARD:
        break;
    }
}

static void node_settle(struct crowd *crowd, size_t at)
{
    struct crowd_node *node = &crowd->nodes[at];
    struct arena arena;
    uint64_t to;
    struct message message;
    struct detect_news news;
    arena_init(&arena);
    while (detect_pull(node->detect, &arena, &to, &message)) {
        send_out(crowd, at, to, &message);
        arena_reset(&arena);
    }
    arena_fini(&arena);
    while (node->is_running && detect_next(node->detect, &news))
        news_take(crowd, at, &news);
    uint64_t until = detect_lease_until(node->detect), local = local_ns(crowd, node);
    if (until != UINT64_MAX && until > local && until - local < node->lease_left_min_ns)
        node->lease_left_min_ns = until - local;
    uint64_t deadline = node->is_running ? detect_deadline(node->detect) : UINT64_MAX;
    if (deadline == UINT64_MAX) {
        heap_remove(&crowd->timers, &node->timer);
        return;
    }
    uint64_t due = world_ns(crowd, node, deadline);
    if (node->starved_until_ns > crowd->now_ns) {
        if (deadline != node->late_deadline_ns)
            node->late_until_ns = due + rng_below(&crowd->chance, crowd->config.dead_after_ns / 10);
        node->late_deadline_ns = deadline;
        due = MAX_OF(due, node->late_until_ns);
    }
    if (heap_set(&crowd->timers, &node->timer, due))
        abort();
}

static void wake_count(struct crowd *crowd, struct crowd_node *node)
{
    if (crowd->now_ns >= node->busy_until_ns) {
        node->wakes++;
        node->busy_until_ns = crowd->now_ns;
    }
    node->busy_until_ns += BUSY_NS;
}

static void deliver(struct crowd *crowd, size_t at, const struct crowd_event *event)
{
    struct crowd_node *node = &crowd->nodes[at];
    struct arena arena;
    struct message message;
    struct crowd_node *from = map_get(&crowd->by_id, event->from);
    if (event->to_id != node->id)
        return;
    wake_count(crowd, node);
    node->received++;
    if (from)
        heard_of(crowd, from);
    arena_init(&arena);
    if (message_decode(event->bytes, event->length, &arena, &message))
        abort();
    if (detect_receive(node->detect, event->from, &message, local_ns(crowd, node)))
        abort();
    arena_fini(&arena);
    node_settle(crowd, at);
}

static void table_apply(struct crowd *crowd, size_t at, size_t version)
{
    struct crowd_node *node = &crowd->nodes[at];
    if (version < node->table)
        return;
    node->table = version;
    const struct crowd_table *table = &crowd->tables[version];
    if (detect_set_members(node->detect, table->ids, table->count, local_ns(crowd, node)) ||
        detect_set_voters(node->detect, table->voters, table->voter_count, table->index,
                          local_ns(crowd, node)))
        abort();
    node_settle(crowd, at);
}

static void hold(struct crowd_node *node, struct crowd_event *event)
{
    event->next = NULL;
    if (node->held_last)
        node->held_last->next = event;
    else
        node->held_first = event;
    node->held_last = event;
}

static void handle(struct crowd *crowd, struct crowd_event *event)
{
    struct crowd_node *node = &crowd->nodes[event->to];
    if (event->kind == DELIVER)
        deliver(crowd, event->to, event);
    else if (event->to_id == node->id && event->kind == TABLE)
        table_apply(crowd, event->to, event->number);
    else if (event->to_id == node->id && event->kind == LEADER) {
        detect_set_leader(node->detect, event->leader, event->number, local_ns(crowd, node));
        node_settle(crowd, event->to);
    }
}

static void thaw(struct crowd *crowd, size_t at)
{
    struct crowd_node *node = &crowd->nodes[at];
    if (node->frozen_until_ns > crowd->now_ns || !node->is_running)
        return;
    /* The guardian killed it when its lease ended: it does not wake. */
    if (detect_lease_until(node->detect) <= local_ns(crowd, node)) {
        struct detect_news lost = {.kind = DETECT_LEASE_LOST};
        news_take(crowd, at, &lost);
        return;
    }
    bool timers_first = rng_chance(&crowd->chance, 500000);
    if (timers_first) {
        detect_expire(node->detect, local_ns(crowd, node));
        node_settle(crowd, at);
    }
    struct crowd_event *event = node->held_first;
    node->held_first = node->held_last = NULL;
    while (event) {
        struct crowd_event *next = event->next;
        if (node->is_running)
            handle(crowd, event);
        free(event);
        event = next;
    }
    if (node->is_running)
        node_settle(crowd, at);
}

static void event_run(struct crowd *crowd, struct crowd_event *event)
{
    struct crowd_node *node = &crowd->nodes[event->to];
    if (event->kind == THAW)
        thaw(crowd, event->to);
    else if (!node->is_running)
        ;
    else if (node->frozen_until_ns > crowd->now_ns) {
        hold(node, event);
        return;
    } else
        handle(crowd, event);
    free(event);
}

static void timer_run(struct crowd *crowd, struct crowd_node *node)
{
    size_t at = (size_t)(node - crowd->nodes);
    heap_remove(&crowd->timers, &node->timer);
    if (!is_up(crowd, node))
        return;
    wake_count(crowd, node);
    detect_expire(node->detect, local_ns(crowd, node));
    node_settle(crowd, at);
}

/* ---- the world ---- */

static void node_start(struct crowd *crowd, size_t at)
{
    struct crowd_node *node = &crowd->nodes[at];
    struct crowd_event *held = node->held_first;
    while (held) {
        struct crowd_event *next = held->next;
        free(held);
        held = next;
    }
    *node = (struct crowd_node){.id = rng_next(&crowd->chance) | 1, .is_running = true,
                                .is_member = true, .heard_ns = crowd->now_ns,
                                .lease_left_min_ns = UINT64_MAX};
    heap_node_init(&node->timer);
    if (crowd->config.drift_ppm)
        node->drift_ppm = (int64_t)rng_below(&crowd->chance, 2 * crowd->config.drift_ppm + 1) -
                          (int64_t)crowd->config.drift_ppm;
    node->clock_offset_ns = rng_below(&crowd->chance, 1000 * SECOND);
    const struct detect_config config = {.self = node->id,
                                         .dead_after_ns = crowd->config.dead_after_ns,
                                         .seed = rng_next(&crowd->chance)};
    node->detect = detect_create(&config, local_ns(crowd, node));
    need(node->detect);
    if (map_put(&crowd->by_id, node->id, node))
        abort();
}

int crowd_init(struct crowd *crowd, const struct crowd_config *config)
{
    struct rng rng;
    memset(crowd, 0, sizeof(*crowd));
    crowd->config = *config;
    crowd->silence_allowed_ns = UINT64_MAX;
    rng_seed(&rng, config->seed);
    rng_split(&rng, 1, &crowd->net);
    rng_split(&rng, 2, &crowd->chance);
    heap_init(&crowd->events);
    heap_init(&crowd->timers);
    map_init(&crowd->by_id);
    crowd->paths = calloc((size_t)CROWD_NODES_MAX * CROWD_NODES_MAX, sizeof(*crowd->paths));
    need(crowd->paths);
    crowd->now_ns = SECOND;
    crowd->node_count = config->nodes;
    crowd->term = 1;
    for (size_t i = 0; i < config->nodes; i++)
        node_start(crowd, i);
    struct crowd_table *table = table_next(crowd);
    for (size_t i = 0; i < config->nodes && i < CROWD_VOTERS; i++)
        table->voters[table->voter_count++] =
            (struct detect_voter){crowd->nodes[i].id, i == 0 ? 3 : 2, 0};
    for (size_t i = 0; i < config->nodes; i++) {
        detect_set_leader(crowd->nodes[i].detect, crowd->nodes[0].id, 1,
                          local_ns(crowd, &crowd->nodes[i]));
        table_apply(crowd, i, 0);
    }
    return 0;
}

void crowd_fini(struct crowd *crowd)
{
    struct heap_node *node;
    while ((node = heap_first(&crowd->events))) {
        heap_remove(&crowd->events, node);
        free(CONTAINER_OF(node, struct crowd_event, node));
    }
    for (size_t i = 0; i < crowd->node_count; i++) {
        detect_destroy(crowd->nodes[i].detect);
        for (struct crowd_event *held = crowd->nodes[i].held_first; held;) {
            struct crowd_event *next = held->next;
            free(held);
            held = next;
        }
    }
    for (size_t i = 0; i < crowd->table_count; i++)
        free(crowd->tables[i].ids);
    mem_free(crowd->tables);
    mem_free(crowd->detected_ns);
    heap_fini(&crowd->events);
    heap_fini(&crowd->timers);
    map_fini(&crowd->by_id);
    free(crowd->paths);
}

void crowd_run(struct crowd *crowd, uint64_t for_ns)
{
    uint64_t until_ns = crowd->now_ns + for_ns, log_ns = crowd->now_ns;
    for (;;) {
        struct heap_node *event = heap_first(&crowd->events), *timer = heap_first(&crowd->timers);
        uint64_t event_ns = event ? event->key : UINT64_MAX;
        uint64_t timer_ns = timer ? timer->key : UINT64_MAX;
        uint64_t next_ns = MIN_OF(MIN_OF(event_ns, timer_ns), log_ns);
        if (next_ns > until_ns)
            break;
        crowd->now_ns = MAX_OF(crowd->now_ns, next_ns);
        if (next_ns == log_ns) {
            log_step(crowd);
            log_ns += 5 * MS;
        } else if (event_ns <= timer_ns) {
            heap_remove(&crowd->events, event);
            event_run(crowd, CONTAINER_OF(event, struct crowd_event, node));
        } else {
            timer_run(crowd, CONTAINER_OF(timer, struct crowd_node, timer));
        }
    }
    crowd->now_ns = until_ns;
}

/* ---- faults ---- */

void crowd_kill(struct crowd *crowd, size_t at, bool tombstone)
{
    struct crowd_node *node = &crowd->nodes[at];
    uint64_t ids[DETECT_WATCHERS_MAX];
    size_t count = detect_watchers(node->detect, ids);
    node->is_running = false;
    node->killed_ns = crowd->now_ns;
    if (tombstone && at == crowd->leader) /* an election begins at once: 20 ms */
        crowd->leader_lost_ns =
            crowd->now_ns + 20 * MS - crowd->config.dead_after_ns / 1000 * ELECTION;
    heap_remove(&crowd->timers, &node->timer);
    for (size_t i = 0; tombstone && i < crowd->node_count; i++) {
        bool told = crowd_is_voter(crowd, i);
        for (size_t j = 0; j < count; j++)
            told |= ids[j] == crowd->nodes[i].id;
        if (!told || !is_up(crowd, &crowd->nodes[i]) || path_is_bad(crowd, at, i))
            continue;
        detect_dead(crowd->nodes[i].detect, node->id, local_ns(crowd, &crowd->nodes[i]));
        node_settle(crowd, i);
    }
}

void crowd_freeze(struct crowd *crowd, size_t at, uint64_t for_ns)
{
    struct crowd_node *node = &crowd->nodes[at];
    struct crowd_event *event = event_new(THAW, at, 0);
    node->frozen_until_ns = MAX_OF(node->frozen_until_ns, crowd->now_ns + for_ns);
    heap_remove(&crowd->timers, &node->timer);
    event_at(crowd, event, node->frozen_until_ns);
}

void crowd_starve(struct crowd *crowd, size_t node, uint64_t for_ns)
{
    crowd->nodes[node].starved_until_ns = crowd->now_ns + for_ns;
}

void crowd_blackout(struct crowd *crowd, uint64_t for_ns)
{
    crowd->blackout_until_ns = crowd->now_ns + for_ns;
}

void crowd_cut(struct crowd *crowd, size_t from, size_t to, uint64_t for_ns)
{
    crowd->paths[from * CROWD_NODES_MAX + to].cut_until_ns = crowd->now_ns + for_ns;
}

void crowd_replace(struct crowd *crowd, size_t at)
{
    struct crowd_node *node = &crowd->nodes[at];
    if (node->is_member || node->is_running)
        return;
    heap_remove(&crowd->timers, &node->timer);
    detect_destroy(node->detect);
    map_remove(&crowd->by_id, node->id);
    node_start(crowd, at);
    table_next(crowd);
    table_spread(crowd);
    struct crowd_event *event = event_new(LEADER, at, 0);
    event->to_id = node->id;
    event->number = crowd->term;
    event->leader = crowd->nodes[crowd->leader].id;
    event_at(crowd, event, crowd->now_ns + MS);
}

void crowd_reset_counters(struct crowd *crowd)
{
    crowd->messages = 0;
    for (size_t i = 0; i < crowd->node_count; i++) {
        struct crowd_node *node = &crowd->nodes[i];
        node->sent = node->received = node->sent_bytes = node->wakes = 0;
        node->leader_gap_ns = node->suspected = node->refuted = 0;
        node->lease_left_min_ns = UINT64_MAX;
        node->silent_max_ns = 0;
    }
}
