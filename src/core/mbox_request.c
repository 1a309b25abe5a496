/* SPDX-License-Identifier: BSD-3-Clause */
/* Requests of mailboxes: see the header. */
#include "core/mbox_request.h"

#include "core/mbox_state.h"

/* ---- asking ---- */

static void ask(struct node *node, struct conn *conn, uint32_t wait, const struct message *command)
{
    struct command_ask ask = {
        .conn = conn, .wait = wait, .lane = COMMAND_SHORT, .order = conn->task->tid};
    if (command_ask(node, &ask, command) < 0)
        node_answer_done(node, conn, wait, STATUS_NO_MEM);
}

void putinfo_request(struct node *node, struct conn *conn, const struct message *message)
{
    const struct wire_tm_putinfo *put = &message->tm_putinfo;
    struct message command = {.type = CMD_MBOX_PUT};
    command.cmd_mbox_put = (struct wire_cmd_mbox_put){.tid = conn->task->tid,
                                                      .name = put->name,
                                                      .index = put->index,
                                                      .flags = put->flags,
                                                      .message = put->message};
    conn->task->uses_mailboxes = true;
    if (put->message.length > WIRE_MBOX_BYTES_MAX)
        node_answer_done(node, conn, put->wait, STATUS_NO_MEM);
    else
        ask(node, conn, put->wait, &command);
}

void recvinfo_request(struct node *node, struct conn *conn, const struct message *message)
{
    const struct wire_tm_recvinfo *recv = &message->tm_recvinfo;
    struct message command = {.type = CMD_MBOX_RECV};
    command.cmd_mbox_recv = (struct wire_cmd_mbox_recv){.tid = conn->task->tid,
                                                        .name = recv->name,
                                                        .index = recv->index,
                                                        .flags = recv->flags};
    conn->task->uses_mailboxes |= recv->flags & MBOX_WAIT_FOR_INFO;
    ask(node, conn, recv->wait, &command);
}

void delinfo_request(struct node *node, struct conn *conn, const struct message *message)
{
    const struct wire_tm_delinfo *request = &message->tm_delinfo;
    struct message command = {.type = CMD_MBOX_DEL};
    command.cmd_mbox_del = (struct wire_cmd_mbox_del){.tid = conn->task->tid,
                                                      .name = request->name,
                                                      .index = request->index,
                                                      .flags = request->flags};
    ask(node, conn, request->wait, &command);
}

void listinfo_request(struct node *node, struct conn *conn, const struct message *message)
{
    const struct wire_tm_listinfo *list = &message->tm_listinfo;
    struct message command = {.type = CMD_MBOX_LIST};
    command.cmd_mbox_list.tid = conn->task->tid;
    command.cmd_mbox_list.pattern = list->pattern;
    ask(node, conn, list->wait, &command);
}

void resetinfo_request(struct node *node, struct conn *conn, const struct message *message)
{
    const struct wire_tm_resetinfo *reset = &message->tm_resetinfo;
    struct message command = {.type = CMD_MBOX_RESET};
    command.cmd_mbox_reset.name = reset->name;
    command.cmd_mbox_reset.index = reset->index;
    command.cmd_mbox_reset.tids = reset->tids;
    ask(node, conn, reset->wait, &command);
}

/* What the daemon itself has to say must be said. */
static void ask_for_node(struct node *node, uint32_t order, const struct message *command)
{
    struct command_ask ask = {.lane = COMMAND_SHORT, .order = order};
    if (command_ask(node, &ask, command) < 0)
        node_fatal(node, "no memory for a command");
}

/* After all that the task asked: it has the same order. */
void mbox_task_ended(struct node *node, const struct task *task)
{
    uint32_t tid = task->tid;
    struct message command = {.type = CMD_MBOX_ENDED};
    command.cmd_mbox_ended.tids = (struct wire_u32s){1, &tid};
    if (task->uses_mailboxes)
        ask_for_node(node, tid, &command);
}

static void confirm(struct node *node, uint64_t number)
{
    struct message command = {.type = CMD_MBOX_CONFIRM, .cmd_mbox_confirm = {.number = number}};
    ask_for_node(node, 0, &command);
}

void mbox_confirm_own(struct node *node)
{
    LIST_EACH(pos, following, &node->mboxes.taken) {
        if (MBOX_TAKEN_OF(pos)->epoch == node->config.epoch)
            confirm(node, MBOX_TAKEN_OF(pos)->number);
    }
}

/* ---- answering ---- */

static struct message info_of(const struct mbox_taken *taken)
{
    struct message answer = {.type = TM_INFO, .tm_info = {.status = taken->status}};
    if (taken->body)
        answer.tm_info.message = (struct wire_bytes){taken->body->bytes, taken->body->length};
    return answer;
}

static int answer_status(struct node *node, struct command_origin *origin, int32_t status)
{
    struct message answer = {.type = TM_DONE, .tm_done = {.status = status}};
    return command_answer(node, origin, &answer);
}

/* Those who were served by a put: they are behind |last| of those who took. */
static void answer_waiters(struct node *node, const struct list *last)
{
    for (struct list *pos = last->next; pos != &node->mboxes.taken; pos = pos->next) {
        const struct mbox_taken *taken = MBOX_TAKEN_OF(pos);
        struct message answer = info_of(taken);
        if (taken->epoch != node->config.epoch)
            continue;
        struct command *command = command_waiting(node, taken->number);
        if (command)
            command_finish(node, command, &answer);
        confirm(node, taken->number);
    }
}

bool mbox_restored(struct node *node, struct command_origin *origin)
{
    const struct command_id *id = &origin->id;
    if (id->lane != COMMAND_SHORT)
        return false;
    if (mboxes_waits(&node->mboxes, id->asker, id->number)) {
        command_waits(node, origin);
        return true;
    }
    const struct mbox_taken *taken = mboxes_taken(&node->mboxes, id->asker, id->number);
    if (!taken)
        return false;
    struct message answer = info_of(taken);
    command_answer_read(node, origin, &answer);
    return true;
}

/* ---- applying ---- */

static int apply_put(struct node *node, struct command_origin *origin,
                     const struct wire_cmd_mbox_put *put)
{
    struct mboxes *mboxes = &node->mboxes;
    const struct list *last = mboxes->taken.prev;
    int32_t status;
    if (mboxes_put(mboxes, put->tid, put->name, put->index, put->flags, put->message, &status) <
            0 ||
        answer_status(node, origin, status) < 0)
        return -1;
    answer_waiters(node, last);
    return 0;
}

static int apply_recv(struct node *node, struct command_origin *origin,
                      const struct wire_cmd_mbox_recv *recv)
{
    struct mboxes *mboxes = &node->mboxes;
    struct mbox_asker asker = {origin->id.asker, origin->id.number, recv->tid};
    struct message answer = {.type = TM_INFO};
    struct wire_tm_info *info = &answer.tm_info;
    int32_t status = 0;
    enum mbox_read read = mboxes_recv(mboxes, &asker, recv->name, recv->index, recv->flags,
                                      &info->message, &status);
    switch (read) {
    case MBOX_NO_MEMORY:
        return -1;
    case MBOX_WAITS:
        command_waits(node, origin);
        return 0;
    case MBOX_TOOK:
        answer = info_of(MBOX_TAKEN_OF(mboxes->taken.prev));
        if (asker.epoch == node->config.epoch)
            confirm(node, asker.number);
        break;
    case MBOX_FAILED:
    case MBOX_READ:
        info->status = status;
        break;
    }
    if (origin->own)
        command_answer_read(node, origin, &answer);
    return 0;
}

/* A list too long for a frame is no list. */
static void apply_list(struct node *node, struct command_origin *origin, const char *pattern)
{
    struct message answer = {.type = TM_INFOLIST};
    struct wire_tm_infolist *list = &answer.tm_infolist;
    if (!origin->own)
        return;
    if (mboxes_list(&node->mboxes, pattern, &node->scratch, &list->classes) < 0)
        list->status = STATUS_NO_MEM;
    struct slice bytes = node_encode(&answer);
    if (!bytes.buf || bytes.length > FRAME_CONTROL_BYTES_MAX)
        list->status = STATUS_NO_MEM;
    if (list->status < 0)
        list->classes.count = 0;
    slice_drop(&bytes);
    command_answer_read(node, origin, &answer);
}

int mbox_apply(struct node *node, struct command_origin *origin, const struct message *command)
{
    struct mboxes *mboxes = &node->mboxes;
    if (!origin->id.asker)
        return 0;
    switch ((int)command->type) {
    case CMD_MBOX_PUT:
        return apply_put(node, origin, &command->cmd_mbox_put);
    case CMD_MBOX_RECV:
        return apply_recv(node, origin, &command->cmd_mbox_recv);
    case CMD_MBOX_DEL:
        return answer_status(node, origin,
                             mboxes_delete(mboxes, command->cmd_mbox_del.tid,
                                           command->cmd_mbox_del.name,
                                           command->cmd_mbox_del.index));
    case CMD_MBOX_LIST:
        apply_list(node, origin, command->cmd_mbox_list.pattern);
        return 0;
    case CMD_MBOX_RESET:
        mboxes_reset(mboxes, command->cmd_mbox_reset.name, command->cmd_mbox_reset.index,
                     &command->cmd_mbox_reset.tids);
        return answer_status(node, origin, 0);
    case CMD_MBOX_ENDED:
        for (size_t i = 0; i < command->cmd_mbox_ended.tids.count; i++)
            mboxes_task_ended(mboxes, command->cmd_mbox_ended.tids.items[i]);
        return 0;
    case CMD_MBOX_CONFIRM:
        mboxes_confirm(mboxes, origin->id.asker, command->cmd_mbox_confirm.number);
        return 0;
    default:
        return 0;
    }
}
