/* SPDX-License-Identifier: BSD-3-Clause */
/* One event in, a list of effects out: tables of who handles what. See node.h, then state.h. */
#include "core/node.h"

#include "base/hash.h"
#include "base/mem.h"
#include "core/add.h"
#include "core/alive.h"
#include "core/child.h"
#include "core/command.h"
#include "core/delete.h"
#include "core/early.h"
#include "core/enrol.h"
#include "core/flow.h"
#include "core/halt.h"
#include "core/info.h"
#include "core/join.h"
#include "core/life.h"
#include "core/master.h"
#include "core/mbox_request.h"
#include "core/mcast.h"
#include "core/member.h"
#include "core/notify.h"
#include "core/rejoin.h"
#include "core/replica.h"
#include "core/route.h"
#include "core/share.h"
#include "core/spawn.h"
#include "core/tickle.h"
#include "core/wait.h"

#include <string.h>

/* ---- messages of tasks ---- */

enum { MESSAGE_NUMBERS = 256 };

/* What a task may say. Before it is enrolled, TM_ENROL alone. */
static const task_handler_f task_handlers[MESSAGE_NUMBERS] = {
    [TM_ENROL] = enrol_request,       [TM_EXIT] = exit_request,
    [TM_CONFIG] = config_request,     [TM_ADDHOSTS] = addhosts_request,
    [TM_DELHOSTS] = delhosts_request, [TM_SPAWN] = spawn_request,
    [TM_TASKS] = tasks_request,       [TM_PSTAT] = pstat_request,
    [TM_MSTAT] = mstat_request,       [TM_SIGNAL] = signal_request,
    [TM_NOTIFY] = notify_request,     [TM_HALT] = halt_request,
    [TM_HOSTSYNC] = hostsync_request, [TM_SETSINKS] = setsinks_request,
    [TM_TICKLE] = tickle_request,     [TM_STARTING] = starting_request,
    [TM_ATTACH] = attach_request,     [TM_WAKE] = wake_request,
    [TM_PUTINFO] = putinfo_request,   [TM_RECVINFO] = recvinfo_request,
    [TM_DELINFO] = delinfo_request,   [TM_LISTINFO] = listinfo_request,
    [TM_RESETINFO] = resetinfo_request,
};

static void task_message(struct node *node, struct conn *conn, const struct frame *frame)
{
    struct message message;
    task_handler_f handler = NULL;
    if (message_decode(frame->body.data, frame->body.length, &node->scratch, &message) == 0)
        handler = task_handlers[message.type];
    if (!handler || (!conn->task && message.type != TM_ENROL)) {
        node->counters.task_malformed++;
        conn_close(node, conn, "a message that cannot be");
        return;
    }
    node->counters.task_messages++;
    node->current = frame->body;
    handler(node, conn, &message);
    node->current = (struct slice){0};
    node->fds_came = 0;
}

static void conn_frame(struct node *node, const struct event *event)
{
    struct conn *conn = conn_find(node, event->conn);
    if (!conn)
        return;
    if (conn->task && conn->task->state == TASK_CLOSING)
        timer_set(node, &conn->task->linger, node->now_ns + LINGER_NS);
    node->fds_came = event->fds;
    if (event->frame.kind == FRAME_CONTROL)
        task_message(node, conn, &event->frame);
    else
        route_from_task(node, conn, &event->frame);
}

/* ---- messages of daemons ---- */

/* Who may say it, by what the peer is (core/member.h). The log judges itself what it is told. */
enum {
    FROM_HOST = 1u << PEER_HOST,
    FROM_JOINER = 1u << PEER_JOINER,
    FROM_WELCOMER = 1u << PEER_WELCOMER,
    FROM_PARTING = 1u << PEER_PARTING,
    FROM_TOKEN = 1u << PEER_TOKEN,
    FROM_LOST = 1u << PEER_LOST
};

static const struct peer_rule {
    peer_handler_f handle;
    unsigned from;
} peer_rules[MESSAGE_NUMBERS] = {
    [DM_WELCOME] = {join_welcome, FROM_WELCOMER},
    [DM_READY] = {ready_message, FROM_JOINER},
    [DM_REJOIN] = {rejoin_message, FROM_LOST | FROM_HOST},
    [DM_ARRIVED] = {arrived_message, FROM_TOKEN},
    [DM_REJOINED] = {rejoined_message, FROM_WELCOMER},
    [DM_APPEND] = {member_log_message, FROM_HOST | FROM_WELCOMER},
    [DM_APPENDED] = {member_log_message, FROM_HOST | FROM_JOINER},
    [DM_SNAPSHOT] = {member_log_message, FROM_HOST | FROM_WELCOMER},
    [DM_VOTE] = {member_log_message, FROM_HOST},
    [DM_VOTED] = {member_log_message, FROM_HOST},
    [DM_TAKE_OVER] = {member_log_message, FROM_HOST},
    [DM_PROPOSE] = {propose_message, FROM_HOST},
    [DM_PROPOSE_AGAIN] = {propose_again_message, FROM_HOST},
    [DM_ADDED] = {added_message, FROM_HOST},
    [DM_SPAWN] = {start_request, FROM_HOST},
    [DM_SPAWNED] = {spawn_answer, FROM_HOST},
    [DM_TASKS] = {tasks_question, FROM_HOST},
    [DM_TASKLIST] = {tasks_answer, FROM_HOST},
    [DM_PSTAT] = {pstat_question, FROM_HOST},
    [DM_MSTAT] = {mstat_question, FROM_HOST},
    [DM_STATUS] = {status_answer, FROM_HOST},
    [DM_SIGNAL] = {signal_message, FROM_HOST},
    [DM_WATCH] = {notify_watch, FROM_HOST},
    [DM_ENDED] = {notify_ended, FROM_HOST},
    [DM_CLOCK] = {clock_question, FROM_HOST},
    [DM_CLOCKED] = {clock_answer, FROM_HOST},
    [DM_HALT] = {halt_message, FROM_HOST},
    [DM_GOODBYE] = {member_goodbye, FROM_HOST | FROM_JOINER | FROM_PARTING},
    [DM_OUTPUT] = {output_for_log, FROM_HOST},
    [DM_MCAST] = {mcast_message, FROM_HOST},
};

static bool may_say(const struct node *node, uint64_t peer, unsigned from)
{
    const struct peer *known = peer_find(node, peer);
    return known && (from & 1u << known->role);
}

/* Bad bytes of a peer are counted and told; its link is kept, for its tasks have done nothing. */
static void peer_message(struct node *node, const struct event *event)
{
    struct message message;
    const struct peer_rule *rule = NULL;
    if (message_decode(event->bytes.data, event->bytes.length, &node->scratch, &message) == 0)
        rule = &peer_rules[message.type];
    if (!rule || !rule->handle) {
        node->counters.peer_malformed++;
        node_log(node, LOG_LEVEL_WARN, "a message of a host cannot be read: %zu bytes",
                 event->bytes.length);
        return;
    }
    if (!may_say(node, event->peer, rule->from)) {
        node->counters.peer_malformed++;
        node_log(node, LOG_LEVEL_DEBUG, "%s from one who may not say it",
                 message_name(message.type));
        return;
    }
    node->counters.peer_messages++;
    node->current = event->bytes;
    rule->handle(node, event->peer, &message);
    node->current = (struct slice){0};
}

/* ---- deadlines ---- */

static void fire_join(struct node *node, struct timer *timer)
{
    (void)timer;
    join_timer(node);
}

static void fire_halt(struct node *node, struct timer *timer)
{
    (void)timer;
    halt_timer(node);
}

static void (*const fire[TIMER_KINDS])(struct node *node, struct timer *timer) = {
    [TIMER_COMMANDS] = commands_timer, [TIMER_MASTER] = master_timer, [TIMER_MCAST] = mcast_timer,
    [TIMER_WAIT] = wait_timer, [TIMER_JOIN] = fire_join,         [TIMER_HALT] = fire_halt,
    [TIMER_ADD] = add_timer,   [TIMER_PEER] = member_peer_timer, [TIMER_LINGER] = life_linger_timer,
};

static void deadline(struct node *node, const struct event *event)
{
    struct heap_node *first;
    (void)event;
    while ((first = heap_first(&node->timers)) && first->key <= node->now_ns) {
        struct timer *timer = CONTAINER_OF(first, struct timer, heap);
        heap_remove(&node->timers, first);
        fire[timer->kind](node, timer);
    }
}

/* ---- events ---- */

static void start(struct node *node, const struct event *event)
{
    (void)event;
    if (node->state != NODE_CREATED)
        return;
    if (node->config.is_founder)
        join_begin_founder(node);
    else
        join_begin(node);
}

static void (*const handlers[EVENT_KINDS])(struct node *node, const struct event *event) = {
    [EVENT_START] = start,
    [EVENT_PEER_UP] = member_peer_up,
    [EVENT_PEER_DOWN] = member_peer_down,
    [EVENT_PEER_MESSAGE] = peer_message,
    [EVENT_PEER_FRAME] = route_from_peer,
    [EVENT_PEER_ACKED] = flow_acked,
    [EVENT_PEER_RESET] = flow_reset,
    [EVENT_PEER_NOTE] = alive_note,
    [EVENT_PEER_TOMBSTONE] = alive_tombstone,
    [EVENT_CONN_OPENED] = conn_opened,
    [EVENT_CONN_FRAME] = conn_frame,
    [EVENT_CONN_TAKEN] = conn_taken,
    [EVENT_CONN_CLOSED] = conn_closed,
    [EVENT_SHARE_ATTACHED] = share_attached,
    [EVENT_CHILD_STARTED] = child_started,
    [EVENT_CHILD_OUTPUT] = child_output,
    [EVENT_CHILD_EXITED] = child_exited,
    [EVENT_RESOLVED] = add_resolved,
    [EVENT_HOST_STARTED] = add_started,
    [EVENT_HOST_TOKEN] = add_token_made,
    [EVENT_DEADLINE] = deadline,
    [EVENT_STOP] = halt_signal,
};

void node_step(struct node *node, const struct event *event, struct effects *effects)
{
    CHECK(event->kind < EVENT_KINDS && event->now_ns >= node->now_ns);
    if (node->state == NODE_STOPPED || node->state == NODE_LOST)
        return;
    node->now_ns = event->now_ns;
    node->wall_clock_us = event->wall_clock_us;
    node->effects = effects;
    if (event->kind <= EVENT_PEER_NOTE && event->kind >= EVENT_PEER_MESSAGE)
        alive_heard(node, event->peer);
    if (handlers[event->kind])
        handlers[event->kind](node, event);
    member_run_log(node);
    halt_check(node);
    if (node->state == NODE_HALTING)
        member_run_log(node); /* it may have given its place away */
    node_drop_lost(node);
    arena_reset(&node->scratch);
    if (node->is_broken) {
        struct effect *stop = effects_add(effects, EFFECT_STOP);
        if (stop) {
            stop->status = EXIT_STATUS_FAILED;
            node->state = NODE_STOPPED;
        }
    }
    node->effects = NULL;
}

uint64_t node_deadline(const struct node *node)
{
    const struct heap_node *first = heap_first(&node->timers);
    uint64_t at = first ? first->key : UINT64_MAX;
    if (node->state == NODE_STOPPED || node->state == NODE_LOST)
        return UINT64_MAX;
    if (node->is_broken)
        return node->now_ns;
    if (node->log)
        at = MIN_OF(at, log_deadline(node->log));
    at = MIN_OF(at, alive_deadline(node));
    return MAX_OF(at, node->now_ns);
}

/* ---- life of the node ---- */

static int copy_config(struct node *node, const struct node_config *config)
{
    struct arena *keep = &node->keep;
    struct wire_address_list own;
    struct wire_address_list master;
    node->config = *config;
    node->config.name = arena_format(keep, "%s", config->name);
    node->config.arch = arena_format(keep, "%s", config->arch);
    node->config.hostfile_name =
        arena_format(keep, "%s", config->hostfile_name ? config->hostfile_name : "");
    const char *text = config->hostfile_text ? config->hostfile_text : "";
    node->config.hostfile_text = arena_strndup(keep, text, strlen(text));
    if (!node->config.name || !node->config.arch || !node->config.hostfile_name ||
        !node->config.hostfile_text ||
        wire_addresses_copy(keep, &own, config->addresses, config->address_count) < 0 ||
        wire_addresses_copy(keep, &master, config->master_addresses,
                            config->master_address_count) < 0)
        return -1;
    node->config.addresses = own.items;
    node->config.master_addresses = master.items;
    if (config->is_founder) {
        node->config.number = 1;
        node->hostfile_name = arena_format(keep, "%s", node->config.hostfile_name);
        node->hostfile_text = slice_copy(text, strlen(text));
        if (!node->hostfile_name || (*text && !node->hostfile_text.buf))
            return -1;
    }
    if (node->config.dead_after_ns == 0)
        node->config.dead_after_ns = DEAD_AFTER_NS;
    return 0;
}

static const char *config_fault(const struct node_config *config)
{
    if (!config->name || !*config->name || strlen(config->name) > HOST_NAME_BYTES_MAX)
        return "a host needs a name of 1 to 255 bytes";
    if (!config->arch || !config->random_bytes)
        return "a host needs an architecture and a source of randomness";
    if (config->epoch == 0)
        return "an epoch is 0";
    if (config->hostfile_text && strlen(config->hostfile_text) > HOSTFILE_BYTES_MAX)
        return "a hostfile has at most 4 MiB";
    return NULL;
}

struct node *node_create(const struct node_config *config)
{
    const char *fault = config_fault(config);
    if (fault) {
        log_line(config->log, LOG_LEVEL_ERROR, "cannot be a host: %s", fault);
        return NULL;
    }
    struct node *node = mem_calloc(1, sizeof(*node));
    if (!node)
        return NULL;
    list_init(&node->ghosts);
    list_init(&node->early);
    list_init(&node->waits.all);
    commands_init(&node->commands);
    mboxes_init(&node->mboxes);
    list_init(&node->watches.all);
    host_table_init(&node->hosts);
    master_init(&node->lead);
    heap_init(&node->timers);
    timer_init(&node->timer, TIMER_JOIN);
    timer_init(&node->mcast_timer, TIMER_MCAST);
    /* Until the table says who we are (join_done()) there are no tasks and nothing is said. */
    task_table_init(&node->tasks, 1, config->tasks_max);
    node->own = sender_create(tid_of_daemon(1));
    if (!node->own || copy_config(node, config) < 0) {
        node_destroy(node);
        return NULL;
    }
    return node;
}

static void destroy_conns_and_children(struct node *node)
{
    for (size_t i = node->conns.count; i-- > 0;)
        conn_destroy(node, node->conns.entries[i].value);
    map_fini(&node->conns);
    for (size_t i = node->children.count; i-- > 0;)
        child_destroy(node, node->children.entries[i].value);
    map_fini(&node->children);
}

void node_destroy(struct node *node)
{
    if (!node)
        return;
    master_fini(node);
    commands_fini(node);
    mboxes_fini(&node->mboxes);
    alive_fini(node);
    LIST_EACH(pos, following, &node->waits.all)
        wait_destroy(node, LIST_ENTRY(pos, struct wait, link));
    map_fini(&node->waits.by_number);
    destroy_conns_and_children(node);
    notify_fini(node);
    life_fini(node);
    task_table_fini(&node->tasks);
    mcasts_fini(node);
    early_fini(node);
    flows_fini(node);
    for (size_t i = node->peers.count; i-- > 0;)
        peer_destroy(node, node->peers.entries[i].value);
    map_fini(&node->peers);
    sender_destroy(node->own);
    log_destroy(node->log);
    host_table_fini(&node->hosts);
    slice_drop(&node->hostfile_text);
    heap_fini(&node->timers);
    arena_fini(&node->scratch);
    arena_fini(&node->keep);
    mem_free(node);
}

/* ---- views ---- */

bool node_is_halting(const struct node *node)
{
    return node->state == NODE_HALTING || node->state == NODE_STOPPED;
}

bool node_is_member(const struct node *node)
{
    return node->state == NODE_RUNNING || node->state == NODE_HALTING;
}

uint64_t node_epoch(const struct node *node)
{
    return node->config.epoch;
}

uint32_t node_daemon_tid(const struct node *node)
{
    return node->detect ? tid_of_daemon(node->config.number) : 0;
}

size_t node_host_count(const struct node *node)
{
    return node->hosts.count;
}

uint64_t node_leads(const struct node *node)
{
    return node->log && log_is_leader(node->log) ? log_term(node->log) : 0;
}

const struct log_voters *node_voters(const struct node *node)
{
    return node->log ? log_voters(node->log) : NULL;
}

uint64_t node_applied_index(const struct node *node)
{
    return node->log ? log_applied_index(node->log) : 0;
}

uint64_t node_table_hash(const struct node *node)
{
    return replica_hash(node);
}

uint64_t node_chain(const struct node *node)
{
    return node->chain;
}

uint64_t node_term(const struct node *node)
{
    return node->log ? log_term(node->log) : 0;
}

uint64_t node_lease_until(const struct node *node)
{
    return alive_lease_until(node);
}

uint64_t node_mbox_hash(const struct node *node)
{
    return hash_number(mboxes_hash(&node->mboxes), applied_hash(&node->commands.applied));
}

size_t node_task_count(const struct node *node)
{
    return node->tasks.count;
}

size_t node_wait_count(const struct node *node)
{
    return node->waits.by_number.count;
}

size_t node_watch_count(const struct node *node)
{
    return node->watches.count;
}

uint64_t node_queued_bytes(const struct node *node)
{
    return node->queued_bytes;
}

uint32_t node_conn_tid(const struct node *node, uint64_t conn)
{
    const struct conn *found = conn_find(node, conn);
    return found && found->task ? found->task->tid : 0;
}
