/* SPDX-License-Identifier: BSD-3-Clause */
/* The spawner's half of spawning: see the header. */
#include "core/spawn.h"

#include "core/child.h"
#include "core/member.h"
#include "core/place.h"

static void fill(struct wait *wait, uint32_t first, uint32_t count, int32_t result)
{
    for (uint32_t i = 0; i < count; i++)
        wait->tids[first + i] = result;
}

static void send_share(struct node *node, struct wait *wait, const struct host *host,
                       uint32_t first, uint32_t count)
{
    const struct wire_tm_spawn *request = &wait->request.tm_spawn;
    struct message share = {.type = DM_SPAWN};
    share.dm_spawn = (struct wire_dm_spawn){
        .wait = wait->number,
        .parent = request->flags & SPAWN_NO_PARENT ? STATUS_PARENT_NOT_SET : wait->parent,
        .file = request->file,
        .flags = request->flags,
        .directory = place_directory(request->where),
        .count = count,
        .argv = request->argv,
        .environment = request->environment,
        .context = request->context,
        .sinks = request->sinks,
        .instance = first,
        .total = (uint32_t)wait->tid_count,
    };
    if (!wait_expect(node, wait, host->info.epoch, first, count)) {
        fill(wait, first, count, STATUS_NO_MEM);
    } else if (host->info.epoch == node->config.epoch) {
        struct asker asker = {.peer = node->config.epoch, .wait = wait->number};
        start_share(node, asker, &share.dm_spawn);
    } else {
        node_send(node, host->info.epoch, &share);
    }
}

/* Leaves out hosts whose link is known to be dead, unless they were asked for by name. */
static size_t leave_out_dead(const struct node *node, uint32_t flags, uint32_t *numbers,
                             size_t count)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        const struct host *host = host_by_number(&node->hosts, numbers[i]);
        const struct peer *peer = peer_find(node, host->info.epoch);
        bool is_dead = peer && peer->is_down;
        if (!is_dead || (flags & (SPAWN_HOST | SPAWN_ARCH)))
            numbers[kept++] = numbers[i];
    }
    return kept;
}

/* Deals tasks |first| and following to the hosts that qualify now. */
static void deal(struct node *node, struct wait *wait, uint32_t first, uint32_t count)
{
    const struct wire_tm_spawn *request = &wait->request.tm_spawn;
    size_t hosts = node->hosts.count;
    uint32_t *numbers = arena_calloc(&wait->arena, hosts, sizeof(*numbers));
    struct share *shares = arena_calloc(&wait->arena, hosts, sizeof(*shares));
    if (!numbers || !shares) {
        fill(wait, first, count, STATUS_NO_MEM);
        return;
    }
    size_t chosen = place_choose(&node->hosts, request->flags, request->where,
                                 node->config.number, numbers);
    chosen = leave_out_dead(node, request->flags, numbers, chosen);
    size_t dealt = place_deal(numbers, chosen, count, &node->placement_next, shares);
    if (dealt == 0)
        fill(wait, first, count, STATUS_NO_HOST);
    for (size_t i = 0; i < dealt; i++) {
        const struct host *host = host_by_number(&node->hosts, shares[i].number);
        send_share(node, wait, host, first, shares[i].count);
        first += shares[i].count;
    }
}

static void refuse(struct node *node, struct conn *conn, uint32_t wait, int32_t status)
{
    struct message answer = {.type = TM_SPAWNED, .tm_spawned = {.wait = wait, .status = status}};
    node_answer(node, conn, &answer);
}

void spawn_request(struct node *node, struct conn *conn, const struct message *message)
{
    const struct wire_tm_spawn *request = &message->tm_spawn;
    struct asker asker = {.conn = conn, .wait = request->wait};
    if (request->count < 1 || request->count > SPAWN_COUNT_MAX) {
        refuse(node, conn, request->wait,
               request->count < 1 ? STATUS_BAD_PARAM : STATUS_OUT_OF_RES);
        return;
    }
    struct wait *wait = wait_create(node, WAIT_SPAWN, asker);
    if (wait)
        wait->tids = arena_calloc(&wait->arena, request->count, sizeof(*wait->tids));
    if (!wait || !wait->tids || wait_keep_request(node, wait) < 0) {
        if (wait)
            wait_destroy(node, wait);
        refuse(node, conn, request->wait, STATUS_NO_MEM);
        return;
    }
    wait->tid_count = request->count;
    wait->parent = (int32_t)conn->task->tid;
    deal(node, wait, 0, request->count);
    wait_start(node, wait);
}

/* API-29: a lost share of a default spawn is dealt again; who named hosts is told (API-26). */
void spawn_part_lost(struct node *node, struct wait *wait, struct wait_part *part)
{
    bool is_default = wait->request.type == TM_SPAWN &&
                      !(wait->request.tm_spawn.flags & (SPAWN_HOST | SPAWN_ARCH));
    if (is_default)
        deal(node, wait, part->first, part->count);
    else
        fill(wait, part->first, part->count, STATUS_HOST_FAIL);
}

static struct wait_part *find_part(struct wait *wait, uint64_t host, uint32_t first)
{
    for (size_t i = 0; i < wait->part_count; i++) {
        struct wait_part *part = &wait->parts[i];
        if (!part->is_done && part->host == host && part->first == first)
            return part;
    }
    return NULL;
}

void spawn_share_done(struct node *node, uint32_t number, uint64_t host, uint32_t first,
                      const struct wire_i32s *tids)
{
    struct wait_part *part;
    struct wait *wait = wait_find(node, number, WAIT_SPAWN, host, &part);
    part = wait ? find_part(wait, host, first) : NULL;
    if (!part)
        return;
    for (uint32_t i = 0; i < part->count; i++)
        wait->tids[part->first + i] = i < tids->count ? tids->items[i] : STATUS_DSYS_ERR;
    wait_answered(node, wait, part);
}

void spawn_answer(struct node *node, uint64_t peer, const struct message *message)
{
    const struct wire_dm_spawned *spawned = &message->dm_spawned;
    spawn_share_done(node, spawned->wait, peer, spawned->instance, &spawned->tids);
}

/* Tids of those that started first, in the order of the call, then the errors (API-26). */
static void sort_results(struct wait *wait, int32_t *sorted)
{
    size_t at = 0;
    for (int pass = 0; pass < 2; pass++) {
        for (size_t i = 0; i < wait->tid_count; i++) {
            if ((wait->tids[i] > 0) == (pass == 0))
                sorted[at++] = wait->tids[i];
        }
    }
}

void spawn_finish(struct node *node, struct wait *wait)
{
    int32_t *sorted = arena_calloc(&wait->arena, wait->tid_count, sizeof(*sorted));
    if (!sorted || wait->status < 0) {
        refuse(node, wait->asker.conn, wait->asker.wait, sorted ? wait->status : STATUS_NO_MEM);
        return;
    }
    sort_results(wait, sorted);
    for (size_t i = 0; i < wait->tid_count && sorted[i] > 0; i++) {
        if (wait->request.tm_spawn.sinks.count)
            output_tell(node, &wait->request.tm_spawn.sinks.items[0], (uint32_t)sorted[i],
                        OUTPUT_SPAWNED, wait->parent);
    }
    struct message answer = {.type = TM_SPAWNED};
    answer.tm_spawned.wait = wait->asker.wait;
    answer.tm_spawned.tids = (struct wire_i32s){.count = wait->tid_count, .items = sorted};
    node_answer(node, wait->asker.conn, &answer);
}
