/* SPDX-License-Identifier: BSD-3-Clause */
/* Requests to add hosts, where they are asked, where they are worked on, and their answers: see
 * add.h. */
#include "core/add.h"

#include "base/mem.h"
#include "core/addjob.h"
#include "core/member.h"

/* ---- at the daemon of who asks ---- */

static void refuse(struct node *node, struct conn *conn, uint32_t number, int32_t status)
{
    struct message answer = {.type = TM_ADDED, .tm_added = {.wait = number, .status = status}};
    node_answer(node, conn, &answer);
}

static bool has_success(const struct wire_added_list *results)
{
    for (size_t i = 0; i < results->count; i++) {
        if (results->items[i].result > 0)
            return true;
    }
    return false;
}

static int keep_answer(struct wait *wait, const struct message *answer)
{
    struct slice bytes = node_encode(answer);
    int failed = !bytes.buf ? -1
                            : message_decode(bytes.data, bytes.length, &wait->arena, &wait->answer);
    slice_drop(&bytes);
    return failed;
}

/* The hosts are in our table; the answer waits until they are in everybody's, but not long. */
static void added_finish(struct node *node, struct command *command, struct message *answer)
{
    struct asker asker = {.conn = command->conn, .wait = command->wait};
    if (!command->conn)
        return;
    answer->tm_added.wait = command->wait;
    struct wait *wait = has_success(&answer->tm_added.hosts)
                            ? wait_create(node, WAIT_ADDHOSTS, asker)
                            : NULL;
    if (!wait || keep_answer(wait, answer) < 0 || !wait_expect(node, wait, 0, 0, 0) ||
        timer_set(node, &wait->timer, node->now_ns + ADD_ANSWER_NS) < 0) {
        if (wait)
            wait_destroy(node, wait);
        node_answer(node, command->conn, answer);
        return;
    }
    wait->index = node->applying;
    wait->is_started = true;
}

void addhosts_request(struct node *node, struct conn *conn, const struct message *message)
{
    const struct wire_tm_addhosts *request = &message->tm_addhosts;
    struct command_ask ask = {
        .conn = conn, .wait = request->wait, .lane = COMMAND_LONG, .finish = added_finish};
    struct message passed = {.type = DM_ADDHOSTS};
    passed.dm_addhosts =
        (struct wire_dm_addhosts){.requester = conn->task->tid, .hosts = request->hosts};
    if (request->hosts.count < 1 || request->hosts.count > HOST_NUMBER_MAX)
        refuse(node, conn, request->wait, STATUS_BAD_PARAM);
    else if (command_ask(node, &ask, &passed) < 0)
        refuse(node, conn, request->wait, STATUS_NO_MEM);
}

static void all_have(struct node *node, uint64_t index)
{
    LIST_EACH(pos, following, &node->waits.all) {
        struct wait *wait = LIST_ENTRY(pos, struct wait, link);
        if (wait->kind == WAIT_ADDHOSTS && wait->index <= index)
            wait_answered(node, wait, &wait->parts[0]);
    }
}

void added_message(struct node *node, uint64_t peer, const struct message *message)
{
    (void)peer;
    all_have(node, message->dm_added.index);
}

void added_part_lost(struct node *node, struct wait *wait, struct wait_part *part)
{
    (void)node;
    (void)wait;
    (void)part;
}

void added_wait_finish(struct node *node, struct wait *wait)
{
    node_answer(node, wait->asker.conn, &wait->answer);
}

/* ---- where it is applied ---- */

struct add_told {
    struct list link; /* in node->lead.told, oldest first */
    uint64_t asker;
    uint64_t index;
};

static void will_tell(struct node *node, uint64_t asker)
{
    struct add_told *told = mem_calloc(1, sizeof(*told));
    if (!told)
        return; /* then the asker waits ADD_ANSWER_NS */
    told->asker = asker;
    told->index = node->applying;
    list_push_back(&node->lead.told, &told->link);
}

static void told_destroy(struct add_told *told)
{
    list_remove(&told->link);
    mem_free(told);
}

void add_told_run(struct node *node)
{
    LIST_EACH(pos, following, &node->lead.told) {
        struct add_told *told = LIST_ENTRY(pos, struct add_told, link);
        struct message added = {.type = DM_ADDED, .dm_added = {.index = told->index}};
        if (!log_applied_by_all(node->log, told->index))
            return;
        if (told->asker == node->config.epoch)
            all_have(node, told->index);
        else
            node_send(node, told->asker, &added);
        told_destroy(told);
    }
}

void add_told_fini(struct node *node)
{
    LIST_EACH(pos, following, &node->lead.told)
        told_destroy(LIST_ENTRY(pos, struct add_told, link));
}

int added_answer(struct node *node, struct command_origin *origin,
                 const struct wire_cmd_hosts_add *add)
{
    struct message answer = {.type = TM_ADDED};
    struct wire_added *results =
        arena_calloc(&node->scratch, add->results.count, sizeof(*results));
    if (!origin->id.asker)
        return 0;
    for (size_t i = 0; results && i < add->results.count; i++) {
        results[i] = add->results.items[i];
        const struct host *host = host_by_name(&node->hosts, results[i].name);
        if (results[i].result > 0)
            results[i].result = host ? (int32_t)tid_of_host(host->info.number) : STATUS_DUP_HOST;
    }
    answer.tm_added.hosts =
        (struct wire_added_list){.count = results ? add->results.count : 0, .items = results};
    if (log_is_leader(node->log))
        will_tell(node, origin->id.asker);
    return results ? command_answer(node, origin, &answer) : -1;
}

/* ---- at the master ---- */

static bool is_busy(const struct node *node)
{
    LIST_EACH(pos, following, &node->lead.jobs) {
        if (ADD_JOB_OF(pos)->kind != ADD_REJOIN && !ADD_JOB_OF(pos)->is_applied)
            return true;
    }
    return false;
}

static void answer_status(struct node *node, const struct command_id *id, int32_t status)
{
    struct message answer = {.type = TM_ADDED, .tm_added = {.status = status}};
    command_append(node, id, NULL, &answer);
}

void addhosts_work(struct node *node, const struct command_id *id, const struct message *request)
{
    const struct wire_texts *names = &request->dm_addhosts.hosts;
    if (is_busy(node)) {
        answer_status(node, id, STATUS_ALREADY);
        return;
    }
    struct add_job *job = addjob_create(node, ADD_ASKED, id);
    int failed = !job;
    for (size_t i = 0; !failed && i < names->count; i++)
        failed = addjob_add_name(node, job, names->items[i]);
    if (!failed) {
        add_begin(node, job);
        return;
    }
    if (job)
        addjob_destroy(node, job);
    answer_status(node, id, STATUS_NO_MEM);
}

/* A line that names the master itself only says how it works (HF-6). */
void add_hostfile(struct node *node)
{
    const struct hostfile *hostfile = &node->lead.hostfile;
    struct add_job *job = addjob_create(node, ADD_HOSTFILE, NULL);
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
    int32_t trying = 0;
    LIST_EACH(pos, following, &node->lead.jobs) {
        const struct add_job *job = ADD_JOB_OF(pos);
        for (size_t i = 0; job->kind != ADD_REJOIN && !job->is_applied && i < job->count; i++)
            trying += job->items[i].state != ADD_FAILED;
    }
    node_answer_done(node, conn, message->tm_starting.wait, trying);
}
