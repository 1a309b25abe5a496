/* SPDX-License-Identifier: BSD-3-Clause */
/* Who is in the virtual machine: see the header. */
#include "core/member.h"

#include "base/mem.h"
#include "core/add.h"
#include "core/early.h"
#include "core/flow.h"
#include "core/halt.h"
#include "core/join.h"
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

static struct peer *peer_create(struct node *node, uint64_t epoch)
{
    struct peer *peer = mem_calloc(1, sizeof(*peer));
    if (!peer)
        return NULL;
    peer->epoch = epoch;
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

static void tell_mesh(struct node *node, const struct peer *peer, const uint8_t *public_key,
                      const struct wire_address *addresses, size_t address_count)
{
    struct effect *effect = node_effect(node, EFFECT_PEER_ADD);
    effect->peer = peer->epoch;
    effect->psk_epoch = peer->psk_epoch;
    memcpy(effect->public_key, public_key, WIRE_KEY_BYTES);
    if (peer->psk_epoch)
        memcpy(effect->psk, node->hosts.psk, WIRE_KEY_BYTES);
    struct wire_address *copy = node_addresses(node, addresses, address_count);
    effect->addresses = copy;
    effect->address_count = copy ? address_count : 0;
}

struct peer *peer_add(struct node *node, uint64_t epoch, const uint8_t *public_key,
                      const struct wire_address *addresses, size_t address_count)
{
    struct peer *peer = peer_create(node, epoch);
    if (peer)
        tell_mesh(node, peer, public_key, addresses, address_count);
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

/* Every other host of the table is a peer with the key of the virtual machine. */
static void sync_peer(struct node *node, const struct wire_host *info)
{
    struct peer *peer = peer_find(node, info->epoch);
    if (info->epoch == node->config.epoch)
        return;
    if (!peer) {
        peer = peer_create(node, info->epoch);
        if (!peer) {
            node_fatal(node, "no memory for a host");
            return;
        }
        peer->psk_epoch = node->hosts.psk_epoch;
        tell_mesh(node, peer, info->public_key.bytes, info->addresses.items,
                  info->addresses.count);
    } else if (peer->psk_epoch != node->hosts.psk_epoch) {
        peer->psk_epoch = node->hosts.psk_epoch;
        struct effect *effect = node_effect(node, EFFECT_PEER_PSK);
        effect->peer = info->epoch;
        effect->psk_epoch = peer->psk_epoch;
        memcpy(effect->psk, node->hosts.psk, WIRE_KEY_BYTES);
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
    struct message halt = {.type = DM_HALT};
    if (!peer)
        return;
    if (!node_is_master(node) || reason != REMOVAL_DELETED || peer->is_down ||
        timer_set(node, &peer->timer, node->now_ns + PARTING_NS) < 0) {
        peer_remove(node, epoch, true);
        return;
    }
    peer->is_parting = true;
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
        halt_begin(node, EXIT_STATUS_OK, "this host was removed from the virtual machine");
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
    if (log_is_leader(node->log))
        log_follower_remove(node->log, epoch);
}

static void table_changed(struct node *node, const struct hosts_change *change)
{
    LIST_EACH(pos, following, &change->removed)
        host_gone(node, HOST_OF(pos), change->reason);
    HOSTS_EACH(pos, following, &node->hosts) {
        const struct wire_host *info = &HOST_OF(pos)->info;
        sync_peer(node, info);
        if (!HOST_OF(pos)->is_new)
            continue;
        node_log(node, LOG_LEVEL_INFO, "host \"%s\": added, number %u, %s", info->name,
                 info->number, info->arch);
        if (info->epoch == node->config.epoch)
            join_done(node, info);
    }
    early_release(node);
    if (change->added_count)
        notify_hosts_added(node, change->added_count);
}

/* ---- the log ---- */

static int apply(struct node *node, const struct log_entry *entry, struct hosts_change *change)
{
    struct message command;
    if (!entry->command)
        return 0; /* of the log itself */
    if (message_decode(entry->command, entry->length, &node->scratch, &command) < 0)
        return -1;
    if (!entry->is_snapshot)
        return replica_apply(node, &command, change);
    return command.type == CMD_STATE ? replica_restore(node, &command.cmd_state, change) : -1;
}

static void apply_committed(struct node *node)
{
    struct log_entry entry;
    while (!node->is_broken && log_next_committed(node->log, &entry)) {
        struct hosts_change change;
        bool is_snapshot = entry.is_snapshot;
        hosts_change_init(&change);
        if (apply(node, &entry, &change) < 0) {
            node_fatal(node, "a command of the log could not be applied");
        } else {
            log_applied(node->log);
            table_changed(node, &change);
            if (is_snapshot) {
                replica_restored(node);
                join_has_table(node);
            }
        }
        hosts_change_fini(&change);
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

void member_run_log(struct node *node)
{
    uint64_t to;
    struct message message;
    if (!node->log)
        return;
    uint64_t applied = log_applied_index(node->log);
    do
        apply_committed(node);
    while (commands_run(node));
    if (log_applied_index(node->log) != applied)
        waits_log_applied(node);
    add_log_applied(node);
    if (log_wants_compaction(node->log))
        compact(node); /* without memory: tried again at the next step */
    while (!node->is_broken && log_pull(node->log, node->now_ns, &node->scratch, &to, &message))
        node_send(node, to, &message);
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

int32_t member_propose_removal(struct node *node, const uint32_t *numbers, size_t count,
                               int32_t reason)
{
    struct message command = {.type = CMD_HOSTS_REMOVE};
    struct wire_cmd_hosts_remove *remove = &command.cmd_hosts_remove;
    remove->numbers = (struct wire_u32s){.count = count, .items = numbers};
    remove->reason = reason;
    remove->psk_epoch = node->hosts.psk_epoch + 1;
    node->config.random_bytes(node->config.random_context, remove->psk.bytes,
                              sizeof(remove->psk.bytes));
    if (!member_propose(node, &command))
        return STATUS_NO_MEM;
    /* Those who leave are not told the new key (D6). */
    for (size_t i = 0; i < count; i++) {
        const struct host *host = host_by_number(&node->hosts, numbers[i]);
        if (host)
            log_follower_remove(node->log, host->info.epoch);
    }
    return STATUS_OK;
}

void member_log_message(struct node *node, uint64_t peer, const struct message *message)
{
    if (!node->log || log_receive(node->log, peer, message, node->now_ns) < 0)
        node->counters.peer_malformed++;
}

/* ---- links ---- */

void member_peer_up(struct node *node, const struct event *event)
{
    struct peer *peer = peer_find(node, event->peer);
    if (!peer)
        return;
    peer->is_down = false;
    if (!peer->is_parting)
        timer_stop(node, &peer->timer);
    if (node->log && log_is_leader(node->log))
        log_follower_retry(node->log, event->peer);
    commands_peer_up(node, event->peer);
}

static void remove_host(struct node *node, const struct host *host, int32_t reason)
{
    uint32_t number = host->info.number;
    if (member_propose_removal(node, &number, 1, reason) < 0)
        node_fatal(node, "no memory to remove a host");
}

/* Another host's link is dead, but only the master removes hosts: what waits for it here ends
 * now. */
static void lost_sight(struct node *node, struct peer *peer)
{
    peer->is_down = true;
    if (timer_set(node, &peer->timer, node->now_ns + SUSPECT_NS) < 0)
        node_fatal(node, "no memory for a deadline");
    waits_host_gone(node, peer->epoch);
}

void member_peer_down(struct node *node, const struct event *event)
{
    struct peer *peer = peer_find(node, event->peer);
    const struct host *host = host_by_epoch(&node->hosts, event->peer);
    if (!peer)
        return;
    node_log(node, LOG_LEVEL_INFO, "host \"%s\": link lost, %s", host ? host->info.name : "?",
             event->text ? event->text : "no reason given");
    if (peer->is_parting || node->state == NODE_HALTING) {
        peer_remove(node, event->peer, false);
    } else if (!node_is_master(node) && event->peer == node_master(node)) {
        halt_begin(node, EXIT_STATUS_FAILED, "the master is gone");
    } else if (!host) {
        add_peer_down(node, event->peer);
    } else if (node_is_master(node)) {
        peer->is_down = true;
        remove_host(node, host, REMOVAL_FAILED);
    } else {
        lost_sight(node, peer);
    }
}

/* The sender is stopping in order, with its tasks gone. */
void member_goodbye(struct node *node, uint64_t epoch, const struct message *message)
{
    struct peer *peer = peer_find(node, epoch);
    const struct host *host = host_by_epoch(&node->hosts, epoch);
    node_log(node, LOG_LEVEL_INFO, "host \"%s\": says goodbye, %s", host ? host->info.name : "?",
             message->dm_goodbye.text);
    if (!peer)
        return;
    if (peer->is_parting || node->state == NODE_HALTING)
        peer_remove(node, epoch, true); /* it waits until its word has arrived */
    else if (!node_is_master(node) && epoch == node_master(node))
        halt_begin(node, EXIT_STATUS_FAILED, "the master is stopping");
    else if (node_is_master(node) && host)
        remove_host(node, host, REMOVAL_LEFT);
}

/* One host cannot reach another though the master can: one of them must go, and the one that cannot
 * be reached is the one that is named. */
void member_suspect(struct node *node, uint64_t epoch, const struct message *message)
{
    const struct host *suspect = host_by_epoch(&node->hosts, message->dm_suspect.epoch);
    const struct host *from = host_by_epoch(&node->hosts, epoch);
    if (!suspect || suspect == from || suspect->info.epoch == node->config.epoch)
        return;
    node_log(node, LOG_LEVEL_WARN, "host \"%s\": cannot be reached from host \"%s\"",
             suspect->info.name, from ? from->info.name : "?");
    remove_host(node, suspect, REMOVAL_FAILED);
}

void member_peer_timer(struct node *node, struct timer *timer)
{
    struct peer *peer = CONTAINER_OF(timer, struct peer, timer);
    struct message suspect = {.type = DM_SUSPECT, .dm_suspect = {.epoch = peer->epoch}};
    if (peer->is_parting) {
        peer_remove(node, peer->epoch, true);
        return;
    }
    node_send(node, node_master(node), &suspect);
    timer_set(node, timer, node->now_ns + SUSPECT_NS);
}
