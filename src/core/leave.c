/* SPDX-License-Identifier: BSD-3-Clause */
/* Hosts that go in order: see the header. */
#include "core/leave.h"

#include "base/mem.h"
#include "core/halt.h"
#include "core/member.h"
#include "core/state.h"

#include <string.h>

#define LEAVE_OF(pos) LIST_ENTRY(pos, struct leave, link)

static void leave_destroy(struct leave *leave)
{
    list_remove(&leave->link);
    mem_free(leave->epochs);
    mem_free(leave->results);
    mem_free(leave);
}

int leave_begin(struct node *node, const struct command_id *id, int32_t reason,
                const uint64_t *epochs, size_t count, const int32_t *results, size_t result_count)
{
    struct leave *leave = mem_calloc(1, sizeof(*leave));
    if (!leave)
        return -1;
    list_init(&leave->link);
    leave->id = *id;
    leave->reason = reason;
    leave->epochs = mem_dup(epochs, count * sizeof(*epochs));
    leave->count = count;
    leave->results = mem_dup(results, result_count * sizeof(*results));
    leave->result_count = result_count;
    if (!leave->epochs || (result_count && !leave->results)) {
        leave_destroy(leave);
        return -1;
    }
    list_push_back(&node->lead.leaving, &leave->link);
    node->lead.is_stirred = true;
    return 0;
}

bool leave_wants(const struct node *node, uint64_t epoch)
{
    LIST_EACH(pos, following, &node->lead.leaving) {
        const struct leave *leave = LEAVE_OF(pos);
        for (size_t i = 0; i < leave->count; i++) {
            if (leave->epochs[i] == epoch)
                return true;
        }
    }
    return false;
}

/* Those that are still in the table. */
static size_t numbers_of(const struct node *node, const struct leave *leave, uint32_t *numbers)
{
    size_t count = 0;
    for (size_t i = 0; i < leave->count; i++) {
        const struct host *host = host_by_epoch(&node->hosts, leave->epochs[i]);
        if (host)
            numbers[count++] = host->info.number;
    }
    return count;
}

static bool has_voter(const struct node *node, const struct leave *leave)
{
    for (size_t i = 0; i < leave->count; i++) {
        if (log_is_voter(node->log, leave->epochs[i]))
            return true;
    }
    return false;
}

/* To a voter that stays. Proposals fail until that is done or has failed. */
static void give_away(struct node *node)
{
    const struct log_voters *voters = log_voters(node->log);
    if (node->lead.is_giving_away || !log_voters_settled(node->log))
        return;
    for (size_t i = 0; i < voters->count; i++) {
        uint64_t to = voters->ids[i];
        if (to == node->config.epoch || leave_wants(node, to) ||
            log_transfer(node->log, to, node->now_ns) < 0)
            continue;
        node->lead.is_giving_away = true;
        if (timer_set(node, &node->lead.timer, node->now_ns + node->config.dead_after_ns) < 0)
            node_fatal(node, "no memory for a deadline");
        node_log(node, LOG_LEVEL_INFO, "this host goes: another one becomes master");
        return;
    }
}

static void propose(struct node *node, struct leave *leave, const uint32_t *numbers, size_t count)
{
    struct message answer = {.type = TM_DELETED};
    const struct command_id *id = leave->id.asker ? &leave->id : NULL;
    answer.tm_deleted.results =
        (struct wire_i32s){.count = leave->result_count, .items = leave->results};
    leave->index =
        member_propose_removal(node, numbers, count, leave->reason, id, id ? &answer : NULL);
    if (!leave->index && id) /* the asker was told to ask again */
        leave_destroy(leave);
}

static void advance(struct node *node, struct leave *leave)
{
    uint32_t *numbers = arena_calloc(&node->scratch, leave->count, sizeof(*numbers));
    if (leave->index) {
        if (log_applied_index(node->log) >= leave->index)
            leave_destroy(leave);
        return;
    }
    if (!numbers)
        return;
    size_t count = numbers_of(node, leave, numbers);
    if (count == 0 && !leave->id.asker)
        leave_destroy(leave);
    else if (leave_wants(node, node->config.epoch))
        give_away(node);
    else if (!has_voter(node, leave) && log_voters_settled(node->log))
        propose(node, leave, numbers, count);
}

void leave_run(struct node *node)
{
    LIST_EACH(pos, following, &node->lead.leaving)
        advance(node, LEAVE_OF(pos));
}

void leave_fini(struct node *node)
{
    LIST_EACH(pos, following, &node->lead.leaving)
        leave_destroy(LEAVE_OF(pos));
}

void leave_master_ended(struct node *node)
{
    leave_fini(node);
    timer_stop(node, &node->lead.timer);
    node->lead.is_giving_away = false;
}

/* ---- at the one who goes ---- */

static void say_goodbye(struct node *node, uint64_t master)
{
    struct message goodbye = {.type = DM_GOODBYE};
    goodbye.dm_goodbye =
        (struct wire_dm_goodbye){.reason = node->halting.status, .text = "leaving"};
    node->halting.told = master;
    node_send(node, master, &goodbye);
}

static void hand_over(struct node *node)
{
    struct command_id nobody = {0};
    if (!leave_wants(node, node->config.epoch) &&
        leave_begin(node, &nobody, REMOVAL_LEFT, &node->config.epoch, 1, NULL, 0) < 0)
        node_fatal(node, "no memory to leave");
    give_away(node);
}

bool leave_is_done(struct node *node)
{
    uint64_t master = node_master(node);
    if (!node->log || node->hosts.count <= 1 || !node->detect)
        return true;
    if (node->halting.told && !peer_find(node, node->halting.told))
        return true; /* it let us go */
    if (log_is_leader(node->log))
        hand_over(node);
    else if (master && master != node->halting.told)
        say_goodbye(node, master);
    return false;
}

void leave_master_changed(struct node *node)
{
    node->halting.told = 0;
}
