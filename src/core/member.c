/* SPDX-License-Identifier: BSD-3-Clause */
/* Who is in the virtual machine: see the header. */
#include "core/member.h"

#include "base/hash.h"
#include "base/mem.h"
#include "core/add.h"
#include "core/alive.h"
#include "core/delete.h"
#include "core/early.h"
#include "core/flow.h"
#include "core/halt.h"
#include "core/join.h"
#include "core/leave.h"
#include "core/master.h"
#include "core/mcast.h"
#include "core/notify.h"
#include "core/replica.h"
#include "core/route.h"
#include "core/wait.h"

#include <string.h>

/* ---- peers ---- */

struct peer *peer_find(const struct node *node, uint64_t epoch)
{
    return map_get(&node->peers, epoch);
}

static struct peer *peer_create(struct node *node, uint64_t epoch, enum peer_role role)
{
    struct peer *peer = mem_calloc(1, sizeof(*peer));
    if (!peer)
        return NULL;
    peer->epoch = epoch;
    peer->role = role;
    timer_init(&peer->timer, TIMER_PEER);
    if (map_put(&node->peers, epoch, peer) == 0)
        return peer;
    mem_free(peer);
    return NULL;
}

void peer_destroy(struct node *node, struct peer *peer)
{
    timer_stop(node, &peer->timer);
    map_remove(&node->peers, peer->epoch);
    mem_free(peer);
}

static void tell_mesh(struct node *node, const struct peer *peer, const struct wire_host *info,
                      uint64_t self)
{
    struct effect *effect = node_effect(node, EFFECT_PEER_ADD);
    effect->peer = peer->epoch;
    effect->self = self ? self : node->config.epoch;
    effect->psk_epoch = peer->psk_epoch;
    memcpy(effect->public_key, info->public_key.bytes, WIRE_KEY_BYTES);
    if (peer->psk_epoch)
        memcpy(effect->psk, node->hosts.psk, WIRE_KEY_BYTES);
    struct wire_address *copy =
        node_addresses(node, info->addresses.items, info->addresses.count);
    effect->addresses = copy;
    effect->address_count = copy ? info->addresses.count : 0;
}

struct peer *peer_add_as(struct node *node, enum peer_role role, const struct wire_host *info,
                         uint64_t self)
{
    struct peer *peer = peer_create(node, info->epoch, role);
    if (peer)
        tell_mesh(node, peer, info, self);
    return peer;
}

void peer_remove(struct node *node, uint64_t epoch, bool say_goodbye)
{
    struct peer *peer = peer_find(node, epoch);
    if (!peer)
        return;
    flows_forget_peer(node, epoch);
    mcasts_forget_peer(node, epoch);
    peer_destroy(node, peer);
    struct effect *effect = node_effect(node, EFFECT_PEER_REMOVE);
    effect->peer = epoch;
    effect->flag = say_goodbye;
}

void peer_part(struct node *node, uint64_t epoch)
{
    struct peer *peer = peer_find(node, epoch);
    if (!peer)
        return;
    peer->role = PEER_PARTING;
    if (timer_set(node, &peer->timer, node->now_ns + PARTING_NS) < 0)
        peer_remove(node, epoch, true);
}

/* Every other host of the table is a peer with the key of the virtual machine. */
static void sync_peer(struct node *node, const struct wire_host *info)
{
    struct peer *peer = peer_find(node, info->epoch);
    if (info->epoch == node->config.epoch)
        return;
    if (!peer) {
        peer = peer_create(node, info->epoch, PEER_HOST);
        if (!peer) {
            node_fatal(node, "no memory for a host");
            return;
        }
        peer->psk_epoch = node->hosts.psk_epoch;
        tell_mesh(node, peer, info, 0);
        return;
    }
    peer->role = PEER_HOST;
    if (peer->psk_epoch != node->hosts.psk_epoch) {
        peer->psk_epoch = node->hosts.psk_epoch;
        struct effect *effect = node_effect(node, EFFECT_PEER_PSK);
        effect->peer = info->epoch;
        effect->psk_epoch = peer->psk_epoch;
        memcpy(effect->psk, node->hosts.psk, WIRE_KEY_BYTES);
    }
}

void member_sync_lost(struct node *node)
{
    const struct lost *lost = &node->lost;
    bool is_voter = log_is_voter(node->log, node->config.epoch);
    for (size_t i = node->peers.count; i-- > 0;) {
        const struct peer *peer = node->peers.entries[i].value;
        if (peer->role == PEER_LOST && (!is_voter || !lost_find(lost, peer->epoch)))
            peer_remove(node, peer->epoch, false);
    }
    for (size_t i = 0; is_voter && i < lost->count; i++) {
        const struct wire_lost *one = &lost->hosts[i];
        struct wire_host info = {.epoch = one->epoch, .public_key = one->public_key};
        if (!peer_find(node, one->epoch) && !peer_add_as(node, PEER_LOST, &info, 0))
            node_fatal(node, "no memory for a lost host");
    }
}

/* ---- what a change of the table means ---- */

static const char *removal_words(int32_t reason)
{
    return reason == REMOVAL_DELETED  ? "deleted"
           : reason == REMOVAL_LEFT   ? "left"
           : reason == REMOVAL_FAILED ? "failed"
                                      : "removed";
}

static void forget_host_counts(struct node *node, uint32_t number)
{
    sender_forget_host(node->own, number);
    TASKS_EACH(pos, following, &node->tasks)
        sender_forget_host(TASK_OF(pos)->sender, number);
}

/* A deleted host is told to halt and has a little time to say goodbye; the others just drop the
 * link. */
static void part_from(struct node *node, uint64_t epoch, int32_t reason)
{
    struct peer *peer = peer_find(node, epoch);
    struct message halt = {.type = DM_HALT, .dm_halt = {.order = 1}};
    if (!peer)
        return;
    if (!node_is_master(node) || reason != REMOVAL_DELETED || peer->is_down ||
        timer_set(node, &peer->timer, node->now_ns + PARTING_NS) < 0) {
        peer_remove(node, epoch, true);
        return;
    }
    peer->role = PEER_PARTING;
    flows_forget_peer(node, epoch);
    mcasts_forget_peer(node, epoch);
    node_send(node, epoch, &halt);
}

/* The host is out of the table already: what waits for it ends, then its tasks' watchers are
 * told. */
static void host_gone(struct node *node, const struct host *host, int32_t reason)
{
    uint64_t epoch = host->info.epoch;
    if (epoch == node->config.epoch) {
        halt_begin(node, HALT_TOLD, EXIT_STATUS_OK,
                   "this host was removed from the virtual machine");
        return;
    }
    node_log(node, LOG_LEVEL_INFO, "host \"%s\": %s", host->info.name, removal_words(reason));
    part_from(node, epoch, reason);
    waits_host_gone(node, epoch);
    waits_forget_peer(node, epoch);
    route_host_gone(node, host->info.number);
    notify_host_gone(node, host);
    notify_forget_peer(node, epoch);
    forget_host_counts(node, host->info.number);
    /* Who was deleted is still to learn it, from whoever feeds it. */
    if (log_is_leader(node->log) || reason == REMOVAL_FAILED)
        log_follower_remove(node->log, epoch);
}

static void host_came(struct node *node, const struct wire_host *info)
{
    sync_peer(node, info);
    node_log(node, LOG_LEVEL_INFO, "host \"%s\": added, number %u, %s", info->name, info->number,
             info->arch);
    if (info->epoch == node->config.epoch)
        join_done(node, info);
}

static void table_changed(struct node *node, const struct hosts_change *change)
{
    LIST_EACH(pos, following, &change->removed)
        host_gone(node, HOST_OF(pos), change->reason);
    LIST_EACH(pos, following, &change->added)
        host_came(node, &HOST_ADDED(pos)->info);
    if (!list_is_empty(&change->removed)) { /* the key is another one */
        HOSTS_EACH(pos, following, &node->hosts)
            sync_peer(node, &HOST_OF(pos)->info);
    }
    early_release(node);
    if (change->added_count)
        notify_hosts_added(node, change);
    notify_early(node);
    node->members_changed = true;
}

/* ---- the log ---- */

static int restore(struct node *node, const struct message *state)
{
    struct hosts_change change;
    hosts_change_init(&change);
    int failed = state->type != CMD_STATE ||
                 replica_restore(node, &state->cmd_state, &change) < 0;
    if (!failed) {
        table_changed(node, &change);
        commands_restored(node);
        join_has_table(node);
    }
    hosts_change_fini(&change);
    return failed ? -1 : 0;
}

static int apply_entry(struct node *node, const struct log_entry *entry)
{
    struct message command;
    struct hosts_change change;
    if (!entry->command) {
        node->members_changed = true;
        return 0; /* of the log itself: who votes */
    }
    if (message_decode(entry->command, entry->length, &node->scratch, &command) < 0)
        return -1;
    if (entry->is_snapshot)
        return restore(node, &command);
    node->chain = hash_bytes(node->chain, entry->command, entry->length);
    hosts_change_init(&change);
    int failed = replica_apply(node, &command, &change);
    if (!failed && (change.added_count || !list_is_empty(&change.removed)))
        table_changed(node, &change);
    hosts_change_fini(&change);
    return failed;
}

static void apply_committed(struct node *node)
{
    struct log_entry entry;
    while (!node->is_broken && log_next_committed(node->log, &entry)) {
        node->applying = entry.index;
        if (apply_entry(node, &entry) < 0)
            node_fatal(node, "a command of the log could not be applied");
        else
            log_applied(node->log);
    }
}

static int compact(struct node *node)
{
    struct wr wr;
    int failed = -1;
    wr_init(&wr);
    replica_encode(node, &wr);
    if (!wr.bad)
        failed = log_compact(node->log, wr.bytes, wr.length);
    wr_fini(&wr);
    return failed;
}

/* Proposals of a master that is its own majority are applied in the same step. */
static void settle(struct node *node)
{
    struct log_entry entry;
    do {
        apply_committed(node);
        if (node->voters_mark != log_voters_index(node->log))
            node->members_changed = true;
        node->voters_mark = log_voters_index(node->log);
        if (node->members_changed && !node->is_broken)
            master_members_changed(node);
        if (!node->is_broken)
            master_run(node);
    } while (!node->is_broken && (commands_run(node) || node->lead.is_stirred ||
                                  log_next_committed(node->log, &entry)));
}

void member_run_log(struct node *node)
{
    uint64_t to;
    struct message message;
    if (!node->log || node->state == NODE_LOST || node->state == NODE_STOPPED)
        return;
    alive_listen(node);
    if (node->state == NODE_LOST)
        return;
    if (log_deadline(node->log) <= node->now_ns)
        log_expire(node->log, node->now_ns);
    settle(node);
    if (log_wants_compaction(node->log))
        compact(node); /* without memory: tried again at the next step */
    while (!node->is_broken && log_pull(node->log, node->now_ns, &node->scratch, &to, &message))
        node_send(node, to, &message);
    alive_speak(node);
}

uint64_t member_propose(struct node *node, const struct message *command)
{
    struct slice bytes = node_encode(command);
    uint64_t index = bytes.buf ? log_propose(node->log, bytes.data, bytes.length) : 0;
    slice_drop(&bytes);
    return index;
}

int member_follow(struct node *node, uint64_t epoch)
{
    return compact(node) < 0 ? -1 : log_follower_add(node->log, epoch);
}

uint64_t member_propose_removal(struct node *node, const uint32_t *numbers, size_t count,
                                int32_t reason, const struct command_id *id,
                                const struct message *answer)
{
    struct message command = {.type = CMD_HOSTS_REMOVE};
    struct wire_cmd_hosts_remove *remove = &command.cmd_hosts_remove;
    remove->numbers = (struct wire_u32s){.count = count, .items = numbers};
    remove->reason = reason;
    node->config.random_bytes(node->config.random_context, remove->psk.bytes,
                              sizeof(remove->psk.bytes));
    uint64_t index = id ? command_append(node, id, &command, answer)
                        : member_propose(node, &command);
    /* Those who leave are not told the new key (D6). */
    for (size_t i = 0; index && i < count; i++) {
        const struct host *host = host_by_number(&node->hosts, numbers[i]);
        if (host)
            log_follower_remove(node->log, host->info.epoch);
    }
    return index;
}

void member_log_message(struct node *node, uint64_t peer, const struct message *message)
{
    /* Who asks to come back is still known under its old name to those it asks: what they tell that
     * one is not for the new one, who remembers no vote and no entry. With the table come links of
     * its own to all hosts, and one of them may feed it before it is a host. */
    const bool is_stranger = node->state == NODE_JOINING && node->joining.welcomer != peer &&
                             !node->joining.has_table;
    if (!node->log || is_stranger || log_receive(node->log, peer, message, node->now_ns) < 0)
        node->counters.peer_malformed++;
}

/* ---- links ---- */

void member_peer_up(struct node *node, const struct event *event)
{
    struct peer *peer = peer_find(node, event->peer);
    if (!peer)
        return;
    /* What was said before the link stood for the first time is on its way. */
    const bool lost_something = peer->is_down || peer->was_up;
    peer->is_down = false;
    peer->was_up = true;
    if (!lost_something)
        return;
    if (node->log)
        log_follower_retry(node->log, event->peer);
    commands_peer_up(node, event->peer);
}

/* A dead link alone removes no host: that is the detector's business. */
void member_peer_down(struct node *node, const struct event *event)
{
    struct peer *peer = peer_find(node, event->peer);
    const struct host *host = host_by_epoch(&node->hosts, event->peer);
    if (!peer)
        return;
    if (peer->role != PEER_LOST)
        node_log(node, LOG_LEVEL_INFO, "host \"%s\": link lost, %s", host ? host->info.name : "?",
                 event->text ? event->text : "no reason given");
    peer->is_down = true;
    if (peer->role == PEER_PARTING || halt_is_for_all(node) ||
        (node->state == NODE_HALTING && node->halting.told == event->peer))
        peer_remove(node, event->peer, false);
    else if (node->state == NODE_JOINING)
        join_peer_down(node, event->peer);
    else if (peer->role == PEER_JOINER)
        add_peer_down(node, event->peer);
}

/* The sender is stopping in order, with its tasks gone. */
void member_goodbye(struct node *node, uint64_t epoch, const struct message *message)
{
    struct peer *peer = peer_find(node, epoch);
    const struct host *host = host_by_epoch(&node->hosts, epoch);
    struct command_id nobody = {0};
    node_log(node, LOG_LEVEL_INFO, "host \"%s\": says goodbye, %s", host ? host->info.name : "?",
             message->dm_goodbye.text);
    if (!peer)
        return;
    if (peer->role == PEER_PARTING || node->state == NODE_HALTING)
        peer_remove(node, epoch, true); /* it waits until its word has arrived */
    else if (node_is_master(node) && host && !leave_wants(node, epoch) &&
             leave_begin(node, &nobody, REMOVAL_LEFT, &epoch, 1, NULL, 0) < 0)
        node_fatal(node, "no memory to remove a host");
}

void member_peer_timer(struct node *node, struct timer *timer)
{
    struct peer *peer = CONTAINER_OF(timer, struct peer, timer);
    peer_remove(node, peer->epoch, true);
}
