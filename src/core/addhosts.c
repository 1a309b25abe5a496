/* SPDX-License-Identifier: BSD-3-Clause */
/* Requests to add hosts, on their way to the master and back: see add.h. */
#include "core/add.h"

#include "core/addjob.h"
#include "core/member.h"

/* ---- at the daemon of who asks ---- */

static void refuse(struct node *node, struct conn *conn, uint32_t number, int32_t status)
{
    struct message answer = {.type = TM_ADDED, .tm_added = {.wait = number, .status = status}};
    node_answer(node, conn, &answer);
}

void addhosts_request(struct node *node, struct conn *conn, const struct message *message)
{
    const struct wire_tm_addhosts *request = &message->tm_addhosts;
    struct asker asker = {.conn = conn, .wait = request->wait};
    if (request->hosts.count < 1 || request->hosts.count > HOST_NUMBER_MAX) {
        refuse(node, conn, request->wait, STATUS_BAD_PARAM);
        return;
    }
    struct wait *wait = wait_create(node, WAIT_ADDHOSTS, asker);
    if (!wait || !wait_expect(node, wait, node_master(node), 0, 0)) {
        if (wait)
            wait_destroy(node, wait);
        refuse(node, conn, request->wait, STATUS_NO_MEM);
        return;
    }
    wait->is_started = true;
    struct message passed = {.type = DM_ADDHOSTS};
    passed.dm_addhosts = (struct wire_dm_addhosts){
        .wait = wait->number, .requester = conn->task->tid, .hosts = request->hosts};
    if (node_is_master(node))
        addhosts_message(node, node->config.epoch, &passed);
    else
        node_send(node, node_master(node), &passed);
}

void added_message(struct node *node, uint64_t peer, const struct message *message)
{
    struct wait_part *part;
    struct wait *wait = wait_find(node, message->dm_added.wait, WAIT_ADDHOSTS, peer, &part);
    struct slice bytes = wait ? node_encode(message) : (struct slice){0};
    if (!wait)
        return;
    if (!bytes.buf ||
        message_decode(bytes.data, bytes.length, &wait->arena, &wait->answer) < 0)
        wait->status = STATUS_NO_MEM;
    else
        wait->status = wait->answer.dm_added.status;
    slice_drop(&bytes);
    /* Who asks for the table next must find them in it. */
    wait->index = message->dm_added.index;
    wait_answered(node, wait, part);
}

void addhosts_finish(struct node *node, struct wait *wait)
{
    struct message answer = {.type = TM_ADDED};
    answer.tm_added.wait = wait->asker.wait;
    answer.tm_added.status = wait->status;
    if (wait->status == STATUS_OK)
        answer.tm_added.hosts = wait->answer.dm_added.hosts;
    node_answer(node, wait->asker.conn, &answer);
}

/* ---- at the master ---- */

static void answer_status(struct node *node, struct asker asker, int32_t status)
{
    struct message answer = {.type = DM_ADDED,
                             .dm_added = {.wait = asker.wait, .status = status}};
    if (asker.peer == node->config.epoch)
        added_message(node, asker.peer, &answer);
    else
        node_send(node, asker.peer, &answer);
}

void addhosts_message(struct node *node, uint64_t peer, const struct message *message)
{
    const struct wire_dm_addhosts *request = &message->dm_addhosts;
    struct asker asker = {.peer = peer, .wait = request->wait};
    if (!node_is_master(node) || node->state != NODE_RUNNING) {
        answer_status(node, asker, STATUS_SYS_ERR);
        return;
    }
    if (node->adding) {
        answer_status(node, asker, STATUS_ALREADY);
        return;
    }
    struct add_job *job = addjob_create(node, asker);
    int failed = !job;
    for (size_t i = 0; !failed && i < request->hosts.count; i++)
        failed = addjob_add_name(node, job, request->hosts.items[i]);
    if (!failed) {
        add_begin(node, job);
        return;
    }
    if (job)
        addjob_destroy(node, job);
    answer_status(node, asker, STATUS_NO_MEM);
}

/* A line that names the master itself only says how it works (HF-6). */
void add_hostfile(struct node *node)
{
    const struct hostfile *hostfile = &node->hostfile;
    struct asker nobody = {0};
    struct add_job *job = addjob_create(node, nobody);
    int failed = !job;
    for (size_t i = 0; !failed && i < hostfile->count; i++) {
        const struct host_spec *spec = &hostfile->specs[i];
        if (!spec->deferred && !str_equal(spec->name, node->config.name))
            failed = addjob_add_spec(node, job, spec);
    }
    if (failed)
        node_fatal(node, "no memory for the hosts of the hostfile");
    else if (job->count)
        add_begin(node, job);
    if (job && (failed || job->count == 0))
        addjob_destroy(node, job);
}

void starting_request(struct node *node, struct conn *conn, const struct message *message)
{
    const struct add_job *job = node->adding;
    int32_t trying = 0;
    for (size_t i = 0; job && i < job->count; i++)
        trying += job->items[i].state != ADD_FAILED;
    node_answer_done(node, conn, message->tm_starting.wait, trying);
}
