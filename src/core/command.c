/* SPDX-License-Identifier: BSD-3-Clause */
/* The way of requests that end in a command of the log: see the header. */
#include "core/command.h"

#include "base/check.h"
#include "base/mem.h"
#include "core/add.h"
#include "core/delete.h"
#include "core/member.h"
#include "core/mbox_request.h"
#include "core/state.h"

/* Requests that the master may append as they stand, and what it does with others first. */
static const struct {
    enum message_type type;
    command_work_f work; /* NULL = append */
} works[] = {
    {CMD_MBOX_PUT, NULL},   {CMD_MBOX_RECV, NULL},  {CMD_MBOX_DEL, NULL},
    {CMD_MBOX_LIST, NULL},  {CMD_MBOX_RESET, NULL}, {CMD_MBOX_ENDED, NULL},
    {CMD_MBOX_CONFIRM, NULL}, {DM_ADDHOSTS, addhosts_work}, {DM_DELHOSTS, delhosts_work},
    {CMD_BARRIER, NULL},
};

#define COMMAND_OF(pos) LIST_ENTRY(pos, struct command, link)

void commands_init(struct commands *commands)
{
    *commands = (struct commands){0};
    list_init(&commands->queued);
    list_init(&commands->open);
    list_init(&commands->waiting);
    timer_init(&commands->timer, TIMER_COMMANDS);
    applied_init(&commands->applied);
    map_init(&commands->in_work);
}

static void command_destroy(struct node *node, struct command *command)
{
    node->commands.count--;
    node->commands.bytes -= command->body.length;
    slice_drop(&command->body);
    list_remove(&command->link);
    mem_free(command);
}

static void destroy_all(struct node *node, struct list *commands)
{
    LIST_EACH(pos, following, commands)
        command_destroy(node, COMMAND_OF(pos));
}

void commands_fini(struct node *node)
{
    struct commands *commands = &node->commands;
    destroy_all(node, &commands->queued);
    destroy_all(node, &commands->open);
    destroy_all(node, &commands->waiting);
    timer_stop(node, &commands->timer);
    applied_fini(&commands->applied);
    map_fini(&commands->in_work);
}

/* ---- where it is asked ---- */

int command_ask(struct node *node, const struct command_ask *ask, const struct message *request)
{
    struct commands *commands = &node->commands;
    struct command *command = mem_calloc(1, sizeof(*command));
    struct slice body = node_encode(request);
    if (!command || !body.buf ||
        (ask->conn && commands->bytes + body.length > COMMANDS_BYTES_MAX)) {
        mem_free(command);
        slice_drop(&body);
        return -1;
    }
    command->id.asker = node->config.epoch;
    command->id.lane = ask->lane;
    command->conn = ask->conn;
    command->wait = ask->wait;
    command->order = ask->order;
    command->finish = ask->finish;
    command->body = body;
    list_push_back(&commands->queued, &command->link);
    commands->bytes += body.length;
    commands->count++;
    node->counters.requests++;
    return 0;
}

/* Below it all that was proposed is applied. Numbers are given in order, so the oldest that is open
 * has the lowest. */
static uint64_t floor_of(const struct commands *commands, enum command_lane lane)
{
    LIST_EACH(pos, following, &commands->open) {
        if (COMMAND_OF(pos)->id.lane == lane)
            return COMMAND_OF(pos)->id.number;
    }
    return commands->last_number[lane] + 1;
}

static bool order_is_open(const struct commands *commands, uint32_t order)
{
    LIST_EACH(pos, following, &commands->open) {
        if (order && COMMAND_OF(pos)->order == order)
            return true;
    }
    return false;
}

/* Requests of one order stand in one lane, so what is behind a full lane need not be looked at. */
static bool lane_is_full(const struct commands *commands, enum command_lane lane, size_t length)
{
    return commands->last_number[lane] + 1 - floor_of(commands, lane) >= COMMANDS_OPEN_MAX ||
           (commands->open_bytes[lane] &&
            commands->open_bytes[lane] + length > COMMANDS_OPEN_BYTES_MAX);
}

static void open_command(struct commands *commands, struct command *command)
{
    enum command_lane lane = command->id.lane;
    command->id.number = ++commands->last_number[lane];
    commands->open_bytes[lane] += command->body.length;
    list_remove(&command->link);
    list_push_back(&commands->open, &command->link);
}

static void open_what_may(struct commands *commands)
{
    bool full[COMMAND_LANES] = {false};
    LIST_EACH(pos, following, &commands->queued) {
        struct command *command = COMMAND_OF(pos);
        enum command_lane lane = command->id.lane;
        if (full[COMMAND_LONG] && full[COMMAND_SHORT])
            return;
        if (full[lane] || order_is_open(commands, command->order))
            continue;
        full[lane] = lane_is_full(commands, lane, command->body.length);
        if (!full[lane])
            open_command(commands, command);
    }
}

static bool take_on(struct node *node, const struct command_id *id, struct slice request);

/* True when it went into our own log. */
static bool propose(struct node *node, uint64_t master, struct command *command)
{
    struct command_id id = command->id;
    id.floor = floor_of(&node->commands, id.lane);
    command->is_sent = true;
    if (master == node->config.epoch)
        return take_on(node, &id, command->body);
    struct message message = {.type = DM_PROPOSE};
    message.dm_propose = (struct wire_dm_propose){
        .lane = (uint8_t)id.lane,
        .number = id.number,
        .floor = id.floor,
        .request = {command->body.data, command->body.length}};
    node_send(node, master, &message);
    return false;
}

bool commands_run(struct node *node)
{
    struct commands *commands = &node->commands;
    uint64_t master = node_master(node);
    bool appended = false;
    if (!commands->count || !master || commands->is_held || node->state == NODE_STOPPED)
        return false;
    open_what_may(commands);
    LIST_EACH(pos, following, &commands->open) {
        if (!COMMAND_OF(pos)->is_sent && !commands->is_held)
            appended |= propose(node, master, COMMAND_OF(pos));
    }
    return appended;
}

static void propose_all_again(struct commands *commands)
{
    LIST_EACH(pos, following, &commands->open)
        COMMAND_OF(pos)->is_sent = false;
}

void commands_master_changed(struct node *node)
{
    map_fini(&node->commands.in_work);
    map_init(&node->commands.in_work);
    propose_all_again(&node->commands);
}

void commands_peer_up(struct node *node, uint64_t peer)
{
    if (peer == node_master(node))
        propose_all_again(&node->commands);
}

static void forget_conn(struct node *node, struct list *commands, const struct conn *conn,
                        bool destroy)
{
    LIST_EACH(pos, following, commands) {
        struct command *command = COMMAND_OF(pos);
        if (command->conn != conn)
            continue;
        command->conn = NULL;
        if (destroy)
            command_destroy(node, command);
    }
}

void commands_forget_conn(struct node *node, const struct conn *conn)
{
    forget_conn(node, &node->commands.queued, conn, true);
    forget_conn(node, &node->commands.open, conn, false);
    forget_conn(node, &node->commands.waiting, conn, true);
}

/* Those behind it are held with it: they were meant to come after. */
static void hold(struct node *node)
{
    struct commands *commands = &node->commands;
    if (timer_set(node, &commands->timer, node->now_ns + COMMAND_RETRY_NS) < 0)
        node_fatal(node, "no memory for a deadline");
    commands->is_held = true;
}

static struct command *open_find(const struct commands *commands, const struct command_id *id)
{
    LIST_EACH(pos, following, &commands->open) {
        struct command *command = COMMAND_OF(pos);
        if (command->id.lane == id->lane && command->id.number == id->number)
            return command;
    }
    return NULL;
}

static void ask_again_later(struct node *node, const struct command_id *id)
{
    struct command *command = open_find(&node->commands, id);
    if (!command)
        return;
    command->is_sent = false;
    hold(node);
}

void propose_again_message(struct node *node, uint64_t peer, const struct message *message)
{
    const struct wire_dm_propose_again *again = &message->dm_propose_again;
    struct command_id id = {.lane = again->lane, .number = again->number};
    if (peer == node_master(node))
        ask_again_later(node, &id);
}

void commands_timer(struct node *node, struct timer *timer)
{
    (void)timer;
    node->commands.is_held = false;
}

size_t commands_count(const struct node *node)
{
    return node->commands.count;
}

/* ---- at the master ---- */

/* The second key of in_work. */
static uint64_t work_key(const struct command_id *id)
{
    return id->number * COMMAND_LANES + (uint64_t)id->lane;
}

bool command_is_in_work(const struct node *node, const struct command_id *id)
{
    return node_is_master(node) && map_get2(&node->commands.in_work, id->asker, work_key(id));
}

static void work_is_void(struct node *node, const struct command_id *id)
{
    struct message message = {.type = DM_PROPOSE_AGAIN};
    message.dm_propose_again.lane = (uint8_t)id->lane;
    message.dm_propose_again.number = id->number;
    map_remove2(&node->commands.in_work, id->asker, work_key(id));
    if (id->asker == node->config.epoch)
        ask_again_later(node, id);
    else
        node_send(node, id->asker, &message);
}

/* Appends the entry for |id| with |command| and |answer|, both encoded. */
static uint64_t append(struct node *node, const struct command_id *id, struct wire_bytes command,
                       struct wire_bytes answer)
{
    struct message entry = {.type = CMD_REQUEST};
    entry.cmd_request = (struct wire_cmd_request){.asker = id->asker,
                                                  .lane = (uint8_t)id->lane,
                                                  .number = id->number,
                                                  .floor = id->floor,
                                                  .command = command,
                                                  .answer = answer};
    uint64_t index = node_is_master(node) ? member_propose(node, &entry) : 0;
    if (!index)
        work_is_void(node, id);
    return index;
}

static struct wire_bytes bytes_of(struct slice slice)
{
    return (struct wire_bytes){slice.data, slice.length};
}

uint64_t command_append(struct node *node, const struct command_id *id,
                        const struct message *command, const struct message *answer)
{
    struct slice what = {0};
    struct slice said = {0};
    uint64_t index = 0;
    if (command)
        what = node_encode(command);
    if (answer)
        said = node_encode(answer);
    if ((command && !what.buf) || (answer && !said.buf))
        work_is_void(node, id);
    else
        index = append(node, id, bytes_of(what), bytes_of(said));
    slice_drop(&what);
    slice_drop(&said);
    return index;
}

/* How |type| is worked on: *|work|. False: it is no request for the log. */
static bool find_work(enum message_type type, command_work_f *work)
{
    for (size_t i = 0; i < sizeof(works) / sizeof(works[0]); i++) {
        *work = works[i].work;
        if (works[i].type == type)
            return true;
    }
    return false;
}

/* Once for each request while it is known here. True when something was appended. */
static bool take_on(struct node *node, const struct command_id *id, struct slice request)
{
    static char marker;
    struct commands *commands = &node->commands;
    struct message message;
    command_work_f work;
    uint64_t last = log_last_index(node->log);
    if (applied_knows(&commands->applied, id) || command_is_in_work(node, id))
        return false;
    if (message_decode(request.data, request.length, &node->scratch, &message) < 0 ||
        !find_work(message.type, &work)) {
        node->counters.peer_malformed++;
        return false;
    }
    if (map_put2(&commands->in_work, id->asker, work_key(id), &marker) < 0)
        work_is_void(node, id);
    else if (work)
        work(node, id, &message);
    else
        append(node, id, bytes_of(request), (struct wire_bytes){NULL, 0});
    return log_last_index(node->log) != last;
}

void propose_message(struct node *node, uint64_t peer, const struct message *message)
{
    const struct wire_dm_propose *propose = &message->dm_propose;
    struct command_id id = {peer, propose->lane, propose->number, propose->floor};
    struct slice request = {.data = propose->request.data, .length = propose->request.length};
    if (propose->lane >= COMMAND_LANES) {
        node->counters.peer_malformed++;
        return;
    }
    if (node_is_master(node) && host_by_epoch(&node->hosts, peer))
        take_on(node, &id, request);
}

/* ---- where it is applied ---- */

/* The asker's daemon stops proposing it. */
static struct command *close_open(struct node *node, const struct command_id *id)
{
    struct commands *commands = &node->commands;
    struct command *command = id->asker == node->config.epoch ? open_find(commands, id) : NULL;
    if (!command)
        return NULL;
    commands->open_bytes[id->lane] -= command->body.length;
    list_remove(&command->link);
    return command;
}

int commands_open(struct node *node, const struct message *entry, struct command_origin *origin,
                  struct message *inner)
{
    const struct wire_cmd_request *request = &entry->cmd_request;
    struct commands *commands = &node->commands;
    *origin = (struct command_origin){0};
    *inner = *entry;
    if (entry->type != CMD_REQUEST)
        return 1;
    inner->type = MESSAGE_NONE;
    struct command_id id = {request->asker, request->lane, request->number, request->floor};
    if (request->lane >= COMMAND_LANES)
        return 0;
    map_remove2(&commands->in_work, id.asker, work_key(&id));
    if (!host_by_epoch(&node->hosts, id.asker) || applied_knows(&commands->applied, &id))
        return 0;
    if (applied_note(&commands->applied, &id) < 0)
        return -1;
    origin->id = id;
    origin->answer = request->answer;
    origin->own = close_open(node, &id);
    if (request->command.length == 0)
        return 1;
    return message_decode(request->command.data, request->command.length, &node->scratch, inner) < 0
               ? -1
               : 1;
}

/* The wait number is the first field of every answer. */
static void number_answer(struct message *answer, uint32_t wait)
{
    switch ((int)answer->type) {
    case TM_DONE:
        answer->tm_done.wait = wait;
        break;
    case TM_ADDED:
        answer->tm_added.wait = wait;
        break;
    case TM_DELETED:
        answer->tm_deleted.wait = wait;
        break;
    case TM_INFO:
        answer->tm_info.wait = wait;
        break;
    case TM_INFOLIST:
        answer->tm_infolist.wait = wait;
        break;
    default:
        break;
    }
}

void command_finish(struct node *node, struct command *command, struct message *answer)
{
    if (command->finish) {
        command->finish(node, command, answer);
    } else if (command->conn) {
        number_answer(answer, command->wait);
        node_answer(node, command->conn, answer);
    }
    command_destroy(node, command);
}

static void finish_own(struct node *node, struct command_origin *origin, struct message *answer)
{
    struct command *own = origin->own;
    origin->own = NULL;
    command_finish(node, own, answer);
}

int command_answer(struct node *node, struct command_origin *origin, struct message *answer)
{
    struct slice bytes = node_encode(answer);
    int failed = -1;
    if (!origin->id.asker)
        return 0;
    if (bytes.buf)
        failed = applied_keep_answer(&node->commands.applied, &origin->id, bytes.data,
                                     bytes.length);
    slice_drop(&bytes);
    if (failed == 0 && origin->own)
        finish_own(node, origin, answer);
    return failed;
}

void command_answer_read(struct node *node, struct command_origin *origin, struct message *answer)
{
    finish_own(node, origin, answer);
}

/* One who is gone waits for nothing. */
void command_waits(struct node *node, struct command_origin *origin)
{
    struct command *own = origin->own;
    origin->own = NULL;
    if (own && own->conn)
        list_push_back(&node->commands.waiting, &own->link);
    else if (own)
        command_destroy(node, own);
}

struct command *command_waiting(const struct node *node, uint64_t number)
{
    LIST_EACH(pos, following, &node->commands.waiting) {
        if (COMMAND_OF(pos)->id.number == number)
            return COMMAND_OF(pos);
    }
    return NULL;
}

int commands_close(struct node *node, struct command_origin *origin)
{
    struct message answer = {.type = TM_DONE};
    if (origin->answer.length) {
        if (message_decode(origin->answer.data, origin->answer.length, &node->scratch, &answer) < 0)
            return -1;
        return command_answer(node, origin, &answer);
    }
    if (origin->own)
        finish_own(node, origin, &answer);
    return 0;
}

void commands_host_removed(struct node *node, uint64_t epoch)
{
    struct map *in_work = &node->commands.in_work;
    applied_forget(&node->commands.applied, epoch);
    for (size_t i = in_work->count; i-- > 0;) {
        if (in_work->entries[i].key == epoch)
            map_remove2(in_work, epoch, in_work->entries[i].key2);
    }
}

/* ---- snapshots ---- */

/* As if it had not been asked: it goes through the log once more, under another number. */
static void ask_anew(struct node *node, struct command *command)
{
    command->id.number = 0;
    command->is_sent = false;
    list_push_back(&node->commands.queued, &command->link);
}

static void restored(struct node *node, struct command *command)
{
    struct command_origin origin = {.id = command->id, .own = command};
    struct wire_bytes kept = applied_answer(&node->commands.applied, &command->id);
    struct message answer;
    if (kept.length) {
        if (message_decode(kept.data, kept.length, &node->scratch, &answer) < 0)
            node_fatal(node, "no memory for an answer");
        else
            finish_own(node, &origin, &answer);
    } else if (!mbox_restored(node, &origin)) {
        ask_anew(node, command);
    }
}

void commands_restored(struct node *node)
{
    struct commands *commands = &node->commands;
    struct list waiting;
    list_init(&waiting);
    list_splice_back(&waiting, &commands->waiting);
    LIST_EACH(pos, following, &waiting) {
        list_remove(pos);
        restored(node, COMMAND_OF(pos));
    }
    LIST_EACH(pos, following, &commands->open) {
        struct command *command = COMMAND_OF(pos);
        command->id.floor = command->id.number;
        if (!applied_knows(&commands->applied, &command->id))
            continue;
        close_open(node, &command->id);
        restored(node, command);
    }
    mbox_confirm_own(node);
}
