/* SPDX-License-Identifier: BSD-3-Clause */
/* Leaving and coming back: see the header. */
#include "core/rejoin.h"

#include "core/add.h"
#include "core/alive.h"
#include "core/addjob.h"
#include "core/join.h"
#include "core/halt.h"
#include "core/member.h"

#include <string.h>

enum { REJOIN_VOTERS_MAX = 32, REJOIN_LATER = 1 };

/* ---- at the one who is lost ---- */

void rejoin_lost(struct node *node)
{
    if (node->state != NODE_RUNNING)
        return; /* it is stopping anyway */
    node_log(node, LOG_LEVEL_WARN, "the other hosts cannot be heard: all tasks here end, for this "
                                   "host may be given up by now");
    node->state = NODE_LOST;
    node_effect(node, EFFECT_REJOIN);
}

static struct wire_host *rejoin_find(const struct node *node, uint64_t epoch)
{
    for (size_t i = 0; i < node->rejoin->count; i++) {
        if (node->rejoin->voters[i].epoch == epoch)
            return &node->rejoin->voters[i];
    }
    return NULL;
}

static void ask(struct node *node, const struct wire_host *voter)
{
    const struct node_config *config = &node->config;
    struct message message = {.type = DM_REJOIN};
    message.dm_rejoin = (struct wire_dm_rejoin){
        .version = PROTOCOL_DAEMON_VERSION,
        .old_epoch = node->rejoin->old_epoch,
        .epoch = config->epoch,
        .name = config->name,
        .arch = config->arch,
        .speed = config->speed,
        .signature = config->signature,
        .addresses = {.count = config->address_count, .items = config->addresses},
    };
    if (!peer_find(node, voter->epoch) &&
        !peer_add_as(node, PEER_WELCOMER, voter, node->rejoin->old_epoch))
        node_fatal(node, "no memory to join again");
    node_send(node, voter->epoch, &message);
}

static void ask_all(struct node *node)
{
    for (size_t i = 0; i < node->rejoin->count; i++)
        ask(node, &node->rejoin->voters[i]);
}

static void set_timer(struct node *node)
{
    if (timer_set(node, &node->timer, node->now_ns + REJOIN_AGAIN_NS) < 0)
        node_fatal(node, "no memory for a deadline");
}

void rejoin_begin(struct node *node)
{
    node_log(node, LOG_LEVEL_INFO, "asking to join again, %zu hosts are known",
             node->rejoin->count);
    node->rejoin->until_ns = node->now_ns + REJOIN_NS;
    ask_all(node);
    set_timer(node);
}

void rejoin_timer(struct node *node)
{
    if (node->now_ns >= node->rejoin->until_ns) {
        node_log(node, LOG_LEVEL_ERROR, "no host of the virtual machine answers: giving up");
        node_stop(node, EXIT_STATUS_FAILED);
        return;
    }
    for (size_t i = 0; !node->rejoin->accepted_by && i < node->rejoin->count; i++) {
        if (!peer_find(node, node->rejoin->voters[i].epoch))
            ask(node, &node->rejoin->voters[i]);
    }
    set_timer(node);
}

static void forget_peers(struct node *node)
{
    for (size_t i = 0; i < node->rejoin->count; i++)
        peer_remove(node, node->rejoin->voters[i].epoch, true);
}

/* It may have been given up before the other knew us as lost: begin anew. */
void rejoin_peer_down(struct node *node, uint64_t peer)
{
    peer_remove(node, peer, false);
    if (node->rejoin->accepted_by == peer)
        node->rejoin->accepted_by = 0; /* the timer asks again */
}

/* From now on the link is that of a new host. */
static void accepted(struct node *node, uint64_t peer)
{
    const struct wire_host *voter = rejoin_find(node, peer);
    node_log(node, LOG_LEVEL_INFO, "the master takes us as a new host");
    forget_peers(node);
    node->rejoin->accepted_by = peer;
    if (!peer_add_as(node, PEER_WELCOMER, voter, 0))
        node_fatal(node, "no memory to join again");
}

static void ask_other(struct node *node, const struct wire_dm_rejoined *answer)
{
    struct rejoin *rejoin = node->rejoin;
    struct wire_host other = {.epoch = answer->master, .public_key = answer->public_key};
    struct wire_host *known = rejoin_find(node, answer->master);
    if (known) {
        ask(node, known);
        return;
    }
    if (rejoin->count == REJOIN_VOTERS_MAX)
        return;
    if (wire_addresses_copy(&node->keep, &other.addresses, answer->addresses.items,
                            answer->addresses.count) < 0) {
        node_fatal(node, "no memory to join again");
        return;
    }
    rejoin->voters[rejoin->count++] = other;
    ask(node, &rejoin->voters[rejoin->count - 1]);
}

void rejoined_message(struct node *node, uint64_t peer, const struct message *message)
{
    const struct wire_dm_rejoined *answer = &message->dm_rejoined;
    if (node->state != NODE_JOINING || !node->rejoin || node->rejoin->accepted_by ||
        !rejoin_find(node, peer))
        return;
    if (answer->status < 0) {
        node_log(node, LOG_LEVEL_ERROR, "cannot join again: %s", answer->error);
        node_stop(node, EXIT_STATUS_FAILED);
    } else if (answer->status == REJOIN_LATER) {
        peer_remove(node, peer, true); /* the timer asks again */
    } else if (answer->master) {
        ask_other(node, answer);
    } else {
        accepted(node, peer);
    }
}

/* ---- a new node in the place of the lost one ---- */

static int keep_voters(struct node *node, const struct node *old)
{
    const struct log_voters *voters = log_voters(old->log);
    struct rejoin *rejoin = arena_alloc(&node->keep, sizeof(*rejoin));
    if (!rejoin)
        return -1;
    node->rejoin = rejoin;
    rejoin->old_epoch = old->config.epoch;
    rejoin->voters = arena_calloc(&node->keep, REJOIN_VOTERS_MAX, sizeof(*rejoin->voters));
    for (size_t i = 0; rejoin->voters && i < voters->count; i++) {
        const struct host *host = host_by_epoch(&old->hosts, voters->ids[i]);
        if (!host || host->info.epoch == old->config.epoch)
            continue;
        if (wire_host_copy(&node->keep, &rejoin->voters[rejoin->count++], &host->info) < 0)
            return -1;
    }
    return rejoin->voters ? 0 : -1;
}

struct node *node_rejoin(struct node *old)
{
    struct node_config config = old->config;
    CHECK(old->state == NODE_LOST);
    config.is_founder = false;
    config.hostfile_text = NULL;
    config.number = 0;
    config.epoch = node_random(old);
    struct node *node = node_create(&config);
    if (node && keep_voters(node, old) < 0) {
        node_destroy(node);
        node = NULL;
    }
    if (node)
        node_destroy(old);
    return node;
}

/* ---- at one who stayed ---- */

static void answer(struct node *node, uint64_t peer, int32_t status, const char *error)
{
    struct message message = {.type = DM_REJOINED};
    message.dm_rejoined = (struct wire_dm_rejoined){.status = status, .error = error};
    node_send(node, peer, &message);
}

static void name_master(struct node *node, uint64_t peer, const struct host *master)
{
    struct message message = {.type = DM_REJOINED};
    message.dm_rejoined = (struct wire_dm_rejoined){.master = master->info.epoch,
                                                    .public_key = master->info.public_key,
                                                    .addresses = master->info.addresses};
    node_send(node, peer, &message);
}

static bool is_possible(const struct wire_dm_rejoin *request, uint64_t peer)
{
    size_t length = strlen(request->name);
    return request->old_epoch == peer && request->epoch && request->epoch != peer && length > 0 &&
           length <= HOST_NAME_BYTES_MAX && *request->arch && request->addresses.count > 0;
}

void rejoin_message(struct node *node, uint64_t peer, const struct message *message)
{
    const struct wire_dm_rejoin *request = &message->dm_rejoin;
    const struct host *master = host_by_epoch(&node->hosts, node_master(node));
    const struct wire_lost *lost = lost_find(&node->lost, peer);
    if (!lost) /* it is not even removed, and says itself that its lease is over */
        alive_dead(node, peer, "its lease is over");
    if (!lost || node->state != NODE_RUNNING) {
        answer(node, peer, REJOIN_LATER, "");
    } else if (!node_is_master(node)) {
        if (master && master->info.epoch != node->config.epoch)
            name_master(node, peer, master);
        else
            answer(node, peer, REJOIN_LATER, "");
    } else if (request->version != PROTOCOL_DAEMON_VERSION) {
        answer(node, peer, STATUS_BAD_VERSION, "the master speaks another version");
    } else if (!is_possible(request, peer)) {
        answer(node, peer, STATUS_BAD_PARAM, "a request that cannot be");
    } else {
        const char *why = NULL;
        int32_t status = add_rejoined(node, request, &lost->public_key, &why);
        answer(node, peer, status, why);
    }
}
