/* SPDX-License-Identifier: BSD-3-Clause */
/* The failure detector in the node: see the header. */
#include "core/alive.h"

#include "core/master.h"
#include "core/member.h"
#include "core/rejoin.h"
#include "core/state.h"

#include <string.h>

int alive_begin(struct node *node)
{
    struct detect_config config = {.self = node->config.epoch,
                                   .dead_after_ns = node->config.dead_after_ns,
                                   .seed = node_random(node)};
    node->detect = detect_create(&config, node->now_ns);
    node->alive.lease_until_ns = UINT64_MAX;
    return node->detect ? 0 : -1;
}

void alive_fini(struct node *node)
{
    detect_destroy(node->detect);
    node->detect = NULL;
}

/* ---- what it is told ---- */

static uint32_t weight(const uint64_t *ids, size_t count, uint64_t tie, uint64_t id)
{
    for (size_t i = 0; i < count; i++) {
        if (ids[i] == id)
            return id == tie ? LOG_WEIGHT_TIE : LOG_WEIGHT;
    }
    return 0;
}

/* Those of both sets, each once. */
static size_t list_voters(const struct log_voters *now, struct detect_voter *list)
{
    size_t count = 0;
    for (size_t i = 0; i < now->count; i++)
        list[count++].id = now->ids[i];
    for (size_t i = 0; i < now->old_count; i++) {
        if (!weight(now->ids, now->count, now->tie, now->old_ids[i]))
            list[count++].id = now->old_ids[i];
    }
    for (size_t i = 0; i < count; i++) {
        list[i].weight = weight(now->ids, now->count, now->tie, list[i].id);
        list[i].old_weight = weight(now->old_ids, now->old_count, now->old_tie, list[i].id);
    }
    return count;
}

static int tell_members(struct node *node)
{
    size_t count = 0;
    uint64_t *members = arena_calloc(&node->scratch, node->hosts.count, sizeof(*members));
    if (!members)
        return -1;
    HOSTS_EACH(pos, following, &node->hosts)
        members[count++] = HOST_OF(pos)->info.epoch;
    return detect_set_members(node->detect, members, count, node->now_ns);
}

/* A voter hears of elections, the others of who came out of them. */
static uint64_t leader_here(const struct node *node)
{
    return log_is_voter(node->log, node->config.epoch) ? log_leader(node->log) : node->master;
}

static void tell_leader(struct node *node)
{
    uint64_t leader = leader_here(node);
    uint64_t term = log_term(node->log);
    if (leader == node->alive.leader && term == node->alive.term)
        return;
    node->alive.leader = leader;
    node->alive.term = term;
    detect_set_leader(node->detect, leader, term, node->now_ns);
}

void alive_members_changed(struct node *node)
{
    struct detect_voter voters[2 * LOG_VOTERS_MAX];
    if (!node->detect)
        return;
    tell_leader(node); /* first: it is from there that a voter has the new configuration */
    size_t count = list_voters(log_voters(node->log), voters);
    if (detect_set_voters(node->detect, voters, count, log_voters_index(node->log),
                          node->now_ns) < 0 ||
        tell_members(node) < 0)
        node_fatal(node, "no memory to watch the hosts");
    node->alive.is_due = true;
}

void alive_heard(struct node *node, uint64_t peer)
{
    if (node->detect)
        detect_heard(node->detect, peer, node->now_ns);
}

void alive_note(struct node *node, const struct event *event)
{
    struct message message;
    if (!node->detect)
        return;
    node->alive.is_due = true;
    tell_leader(node);
    if (message_decode(event->bytes.data, event->bytes.length, &node->scratch, &message) < 0 ||
        detect_receive(node->detect, event->peer, &message, node->now_ns) < 0)
        node->counters.peer_malformed++;
}

void alive_dead(struct node *node, uint64_t epoch, const char *why)
{
    const struct host *host = host_by_epoch(&node->hosts, epoch);
    if (!node->detect || !host)
        return;
    node_log(node, LOG_LEVEL_INFO, "host \"%s\": %s", host->info.name, why);
    node->alive.is_due = true;
    detect_dead(node->detect, epoch, node->now_ns);
}

void alive_tombstone(struct node *node, const struct event *event)
{
    alive_dead(node, event->peer, "its guardian says that it is dead");
}

/* ---- what it finds ---- */

static void hear(struct node *node, const struct detect_news *news)
{
    const struct host *host = host_by_epoch(&node->hosts, news->id);
    struct peer *peer = peer_find(node, news->id);
    const char *name = host ? host->info.name : "?";
    if (peer && (news->kind == DETECT_SUSPECTED || news->kind == DETECT_REFUTED))
        peer->is_silent = news->kind == DETECT_SUSPECTED;
    if (peer && news->kind == DETECT_DEAD)
        peer->is_dead = true;
    switch (news->kind) {
    case DETECT_SUSPECTED:
        node_log(node, LOG_LEVEL_INFO, "host \"%s\": silent", name);
        break;
    case DETECT_REFUTED:
        node_log(node, LOG_LEVEL_INFO, "host \"%s\": lives after all", name);
        master_doom(node, news->id, false);
        break;
    case DETECT_REMOVE:
        if (peer && !peer->is_doomed)
            node_log(node, LOG_LEVEL_INFO, "host \"%s\": silent for too long", name);
        master_doom(node, news->id, true);
        break;
    case DETECT_LEADER_HEARD:
        log_leader_heard(node->log, news->id, news->term, node->now_ns);
        break;
    case DETECT_VOTER_HEARD:
        log_voter_heard(node->log, news->id, news->at_ns);
        break;
    case DETECT_DEAD:
        log_dead(node->log, news->id, node->now_ns);
        master_doom(node, news->id, true);
        break;
    case DETECT_LEASE_LOST:
        rejoin_lost(node);
        break;
    }
}

void alive_listen(struct node *node)
{
    struct detect_news news;
    if (!node->detect || (!node->alive.is_due && node->now_ns < detect_deadline(node->detect)))
        return;
    node->alive.is_due = true;
    tell_leader(node);
    detect_expire(node->detect, node->now_ns);
    while (node->state != NODE_LOST && detect_next(node->detect, &news))
        hear(node, &news);
}

/* ---- what it says ---- */

static void send_note(struct node *node, uint64_t to, const struct message *message)
{
    struct slice bytes = node_encode(message);
    if (!bytes.buf) {
        node_fatal(node, "no memory");
    } else if (host_by_epoch(&node->hosts, to) && peer_find(node, to)) {
        struct effect *effect = node_effect(node, EFFECT_PEER_NOTE);
        effect->peer = to;
        effect->bytes = slice_hold(bytes);
    }
    slice_drop(&bytes);
}

static void tell_lease(struct node *node)
{
    uint64_t until_ns = detect_lease_until(node->detect);
    if (until_ns == node->alive.lease_until_ns)
        return;
    node->alive.lease_until_ns = until_ns;
    node_effect(node, EFFECT_LEASE)->until_ns = until_ns;
}

static size_t add_tombstone(const struct node *node, uint64_t *peers, size_t count, uint64_t epoch)
{
    if (epoch == node->config.epoch || !peer_find(node, epoch) || count == TOMBSTONES_MAX)
        return count;
    for (size_t i = 0; i < count; i++) {
        if (peers[i] == epoch)
            return count;
    }
    peers[count++] = epoch;
    return count;
}

/* Who is to be told by the guardian: the master and the voters, who can act on it, and those who
 * would find out. */
static void tell_tombstones(struct node *node)
{
    uint64_t peers[TOMBSTONES_MAX];
    uint64_t watchers[DETECT_WATCHERS_MAX];
    const struct log_voters *voters = log_voters(node->log);
    struct alive *alive = &node->alive;
    size_t count = add_tombstone(node, peers, 0, node->master);
    for (size_t i = 0; i < voters->count; i++)
        count = add_tombstone(node, peers, count, voters->ids[i]);
    size_t watcher_count = detect_watchers(node->detect, watchers);
    for (size_t i = 0; i < watcher_count; i++)
        count = add_tombstone(node, peers, count, watchers[i]);
    if (count == alive->tombstone_count &&
        memcmp(peers, alive->tombstones, count * sizeof(peers[0])) == 0)
        return;
    alive->tombstone_count = count;
    memcpy(alive->tombstones, peers, count * sizeof(peers[0]));
    struct effect *effect = node_effect(node, EFFECT_TOMBSTONES);
    uint64_t *copy = arena_calloc(&node->effects->arena, count, sizeof(*copy));
    if (!copy)
        node_fatal(node, "no memory");
    else
        memcpy(copy, peers, count * sizeof(peers[0]));
    effect->peers = copy;
    effect->peer_count = copy ? count : 0;
}

void alive_speak(struct node *node)
{
    struct message message;
    uint64_t to;
    if (!node->detect || !node->alive.is_due || node->state == NODE_LOST)
        return;
    node->alive.is_due = false;
    tell_leader(node);
    while (!node->is_broken && detect_pull(node->detect, &node->scratch, &to, &message))
        send_note(node, to, &message);
    tell_lease(node);
    tell_tombstones(node);
}

uint64_t alive_deadline(const struct node *node)
{
    return node->detect ? detect_deadline(node->detect) : UINT64_MAX;
}

uint64_t alive_lease_until(const struct node *node)
{
    return node->detect ? detect_lease_until(node->detect) : UINT64_MAX;
}
