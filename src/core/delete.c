/* SPDX-License-Identifier: BSD-3-Clause */
/* Deleting hosts: see the header. */
#include "core/delete.h"

#include "core/member.h"

static void refuse(struct node *node, struct conn *conn, uint32_t number, int32_t status)
{
    struct message answer = {.type = TM_DELETED, .tm_deleted = {.wait = number, .status = status}};
    node_answer(node, conn, &answer);
}

void delhosts_request(struct node *node, struct conn *conn, const struct message *message)
{
    const struct wire_tm_delhosts *request = &message->tm_delhosts;
    struct asker asker = {.conn = conn, .wait = request->wait};
    if (request->hosts.count < 1 || request->hosts.count > HOST_NUMBER_MAX) {
        refuse(node, conn, request->wait, STATUS_BAD_PARAM);
        return;
    }
    struct wait *wait = wait_create(node, WAIT_DELHOSTS, asker);
    if (!wait || !wait_expect(node, wait, node_master(node), 0, 0)) {
        if (wait)
            wait_destroy(node, wait);
        refuse(node, conn, request->wait, STATUS_NO_MEM);
        return;
    }
    wait->is_started = true;
    struct message passed = {.type = DM_DELHOSTS};
    passed.dm_delhosts = (struct wire_dm_delhosts){
        .wait = wait->number, .requester = conn->task->tid, .hosts = request->hosts};
    if (node_is_master(node))
        delhosts_message(node, node->config.epoch, &passed);
    else
        node_send(node, node_master(node), &passed);
}

void deleted_message(struct node *node, uint64_t peer, const struct message *message)
{
    const struct wire_dm_deleted *deleted = &message->dm_deleted;
    struct wait_part *part;
    struct wait *wait = wait_find(node, deleted->wait, WAIT_DELHOSTS, peer, &part);
    if (!wait)
        return;
    size_t count = deleted->results.count;
    wait->tids = arena_calloc(&wait->arena, count, sizeof(*wait->tids));
    wait->status = wait->tids ? deleted->status : STATUS_NO_MEM;
    for (size_t i = 0; wait->tids && i < count; i++)
        wait->tids[wait->tid_count++] = deleted->results.items[i];
    wait->index = deleted->index;
    wait_answered(node, wait, part);
}

void delhosts_finish(struct node *node, struct wait *wait)
{
    struct message answer = {.type = TM_DELETED};
    answer.tm_deleted.wait = wait->asker.wait;
    answer.tm_deleted.status = wait->status;
    answer.tm_deleted.results = (struct wire_i32s){.count = wait->tid_count, .items = wait->tids};
    node_answer(node, wait->asker.conn, &answer);
}

/* ---- at the master ---- */

static bool is_named_before(const struct wire_texts *names, size_t index)
{
    for (size_t i = 0; i < index; i++) {
        if (str_equal(names->items[i], names->items[index]))
            return true;
    }
    return false;
}

/* "." is the master's own host, whoever asks (API-11). */
static int32_t judge(const struct node *node, const struct wire_texts *names, size_t index)
{
    const char *name = names->items[index];
    const struct host *host = host_by_name(&node->hosts, name);
    if (str_equal(name, ".") || str_equal(name, node->config.name))
        return STATUS_BAD_PARAM;
    if (!host)
        return STATUS_NO_HOST;
    return is_named_before(names, index) ? STATUS_DUP_HOST : STATUS_OK;
}

static int32_t delete_hosts(struct node *node, const struct wire_texts *names, int32_t *results)
{
    uint32_t *numbers = arena_calloc(&node->scratch, names->count, sizeof(*numbers));
    size_t count = 0;
    if (!numbers)
        return STATUS_NO_MEM;
    for (size_t i = 0; i < names->count; i++) {
        results[i] = judge(node, names, i);
        if (results[i] == STATUS_OK)
            numbers[count++] = host_by_name(&node->hosts, names->items[i])->info.number;
    }
    return count ? member_propose_removal(node, numbers, count, REMOVAL_DELETED) : STATUS_OK;
}

void delhosts_message(struct node *node, uint64_t peer, const struct message *message)
{
    const struct wire_dm_delhosts *request = &message->dm_delhosts;
    struct message answer = {.type = DM_DELETED};
    struct wire_dm_deleted *deleted = &answer.dm_deleted;
    int32_t *results = arena_calloc(&node->scratch, request->hosts.count, sizeof(*results));
    deleted->wait = request->wait;
    if (!node_is_master(node))
        deleted->status = STATUS_SYS_ERR;
    else
        deleted->status = results ? delete_hosts(node, &request->hosts, results) : STATUS_NO_MEM;
    if (deleted->status == STATUS_OK) {
        deleted->results = (struct wire_i32s){.count = request->hosts.count, .items = results};
        deleted->index = log_last_index(node->log);
    }
    if (peer == node->config.epoch)
        deleted_message(node, peer, &answer);
    else
        node_send(node, peer, &answer);
}
