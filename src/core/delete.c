/* SPDX-License-Identifier: BSD-3-Clause */
/* Deleting hosts: see the header. */
#include "core/delete.h"

#include "core/leave.h"
#include "core/member.h"

static void refuse(struct node *node, struct conn *conn, uint32_t number, int32_t status)
{
    struct message answer = {.type = TM_DELETED, .tm_deleted = {.wait = number, .status = status}};
    node_answer(node, conn, &answer);
}

void delhosts_request(struct node *node, struct conn *conn, const struct message *message)
{
    const struct wire_tm_delhosts *request = &message->tm_delhosts;
    struct command_ask ask = {.conn = conn, .wait = request->wait, .lane = COMMAND_LONG};
    struct message passed = {.type = DM_DELHOSTS};
    passed.dm_delhosts =
        (struct wire_dm_delhosts){.requester = conn->task->tid, .hosts = request->hosts};
    if (request->hosts.count < 1 || request->hosts.count > HOST_NUMBER_MAX)
        refuse(node, conn, request->wait, STATUS_BAD_PARAM);
    else if (command_ask(node, &ask, &passed) < 0)
        refuse(node, conn, request->wait, STATUS_NO_MEM);
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

/* "." is the master's own host, whoever asks, and that is refused as ever (API-11): by the time it
 * has given its place away the name means another one. By its name the master may be deleted. */
static int32_t judge(const struct node *node, const struct wire_texts *names, size_t index)
{
    const char *name = names->items[index];
    if (str_equal(name, "."))
        return STATUS_BAD_PARAM;
    if (!host_by_name(&node->hosts, name))
        return STATUS_NO_HOST;
    return is_named_before(names, index) ? STATUS_DUP_HOST : STATUS_OK;
}

/* Somebody has to stay: then it is the master. */
static void keep_master(const struct node *node, const struct wire_texts *names, size_t count,
                        int32_t *results)
{
    for (size_t i = 0; count == node->hosts.count && i < names->count; i++) {
        if (str_equal(names->items[i], node->config.name))
            results[i] = STATUS_BAD_PARAM;
    }
}

/* The epochs of those that go; how many. */
static size_t choose(const struct node *node, const struct wire_texts *names, int32_t *results,
                     uint64_t *epochs)
{
    size_t count = 0;
    for (size_t i = 0; i < names->count; i++) {
        results[i] = judge(node, names, i);
        count += results[i] == STATUS_OK;
    }
    keep_master(node, names, count, results);
    count = 0;
    for (size_t i = 0; i < names->count; i++) {
        if (results[i] == STATUS_OK)
            epochs[count++] = host_by_name(&node->hosts, names->items[i])->info.epoch;
    }
    return count;
}

void delhosts_work(struct node *node, const struct command_id *id, const struct message *request)
{
    const struct wire_texts *names = &request->dm_delhosts.hosts;
    struct message answer = {.type = TM_DELETED};
    int32_t *results = arena_calloc(&node->scratch, names->count, sizeof(*results));
    uint64_t *epochs = arena_calloc(&node->scratch, names->count, sizeof(*epochs));
    if (!results || !epochs) {
        answer.tm_deleted.status = STATUS_NO_MEM;
        command_append(node, id, NULL, &answer);
        return;
    }
    size_t count = choose(node, names, results, epochs);
    if (count && leave_begin(node, id, REMOVAL_DELETED, epochs, count, results, names->count) == 0)
        return;
    if (count)
        answer.tm_deleted.status = STATUS_NO_MEM;
    else
        answer.tm_deleted.results = (struct wire_i32s){.count = names->count, .items = results};
    command_append(node, id, NULL, &answer);
}
