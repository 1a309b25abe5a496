/* SPDX-License-Identifier: BSD-3-Clause */
/* The other half of spawning: the tasks of one share, started on this host. See spawn.h. */
#include "core/spawn.h"

#include "core/child.h"
#include "core/life.h"
#include "core/place.h"

#include <inttypes.h>
#include <string.h>

/* A child's mask when the spawner sent none: no trace event is on (CST-21). */
#define TRACE_MASK_NONE "@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@"

/* What every child gets beside the variables of its spawner (API-31). */
static const char *const defaults[] = {("PVMTMASK=" TRACE_MASK_NONE), "PVMTRCBUF=0",
                                       "PVMTRCOPT=0"};
enum { OWN_VARIABLES_MAX = ARRAY_LEN(defaults) + 3 };

static bool is_given(const struct wire_texts *environment, const char *variable)
{
    size_t length = strcspn(variable, "=") + 1;
    for (size_t i = 0; i < environment->count; i++) {
        if (strncmp(environment->items[i], variable, length) == 0)
            return true;
    }
    return false;
}

/* |text| was just formatted. */
static const char *made(struct node *node, const char *text)
{
    if (!text)
        node_fatal(node, "no memory for an environment");
    return text;
}

static const char *const *make_environment(struct node *node, const struct wire_dm_spawn *spawn,
                                           uint64_t cookie)
{
    struct arena *arena = &node->effects->arena;
    size_t count = 0;
    const char **items =
        arena_calloc(arena, spawn->environment.count + OWN_VARIABLES_MAX + 1, sizeof(*items));
    if (!items) {
        node_fatal(node, "no memory for an environment");
        return NULL;
    }
    for (size_t i = 0; i < spawn->environment.count; i++)
        items[count++] = node_text(node, spawn->environment.items[i]);
    for (size_t i = 0; i < ARRAY_LEN(defaults); i++) {
        if (!is_given(&spawn->environment, defaults[i]))
            items[count++] = defaults[i];
    }
    items[count++] = made(node, arena_format(arena, "PVMEPID=%" PRIu64, cookie));
    items[count++] = made(node, arena_format(arena, "PVMCTX=0x%" PRIx32, spawn->context));
    if (*spawn->directory)
        items[count++] = made(node, arena_format(arena, "PVMSPAWNWD=%s", spawn->directory));
    return items;
}

static const char *const *make_argv(struct node *node, const struct wire_texts *argv)
{
    const char **items =
        arena_calloc(&node->effects->arena, argv->count + 1, sizeof(*items));
    if (!items)
        node_fatal(node, "no memory for arguments");
    for (size_t i = 0; items && i < argv->count; i++)
        items[i] = node_text(node, argv->items[i]);
    return items;
}

static void take_sinks(struct task *task, const struct wire_sink_list *sinks)
{
    for (size_t i = 0; i < ARRAY_LEN(task->sinks) && i < sinks->count; i++)
        task->sinks[i] = sinks->items[i];
}

static void start_process(struct node *node, const struct child *child, struct task *task,
                          const struct wire_dm_spawn *spawn)
{
    struct effect *effect = node_effect(node, EFFECT_CHILD_START);
    struct child_start start = {
        .file = node_text(node, spawn->file),
        .directory = node_text(node, spawn->directory),
        .debug = spawn->flags & SPAWN_DEBUG,
        .argv = make_argv(node, &spawn->argv),
        .environment = make_environment(node, spawn, task->cookie),
    };
    effect->ticket = child->ticket;
    effect->child = start;
}

/* 0, or why not. */
static int32_t start_one(struct node *node, struct wait *wait, uint32_t instance,
                         const struct wire_dm_spawn *spawn)
{
    int32_t status;
    struct task *task = life_begin(node, TASK_STARTING, spawn->file, &status);
    if (!task)
        return status;
    task->was_forked = true;
    task->parent = spawn->parent;
    task->cookie = node_random(node) >> 2 | 1; /* fits a signed number, whoever reads it */
    take_sinks(task, &spawn->sinks);
    struct child *child = child_create(node, task);
    if (!child || !wait_expect(node, wait, node->config.epoch, instance, 1)) {
        if (child)
            child_destroy(node, child);
        life_undo(node, task);
        return STATUS_NO_MEM;
    }
    child->wait = wait->number;
    child->part = (uint32_t)wait->part_count - 1;
    start_process(node, child, task, spawn);
    return STATUS_OK;
}

static void answer(struct node *node, const struct asker *asker, uint32_t first,
                   const struct wire_i32s *tids)
{
    if (asker->peer == node->config.epoch) {
        spawn_share_done(node, asker->wait, asker->peer, first, tids);
        return;
    }
    struct message spawned = {
        .type = DM_SPAWNED,
        .dm_spawned = {.wait = asker->wait, .tids = *tids, .instance = first}};
    asker_answer(node, asker, &spawned);
}

void start_finish(struct node *node, struct wait *wait)
{
    struct wire_i32s tids = {.count = wait->tid_count, .items = wait->tids};
    answer(node, &wait->asker, wait->first, &tids);
}

void start_part_lost(struct node *node, struct wait *wait, struct wait_part *part)
{
    (void)node;
    wait->tids[part->first] = STATUS_HOST_FAIL;
}

void start_share(struct node *node, struct asker asker, const struct wire_dm_spawn *spawn)
{
    struct wire_i32s nothing = {0};
    bool is_refused = spawn->count < 1 || spawn->count > SPAWN_COUNT_MAX ||
                      node->state != NODE_RUNNING;
    struct wait *wait = is_refused ? NULL : wait_create(node, WAIT_START, asker);
    if (wait)
        wait->tids = arena_calloc(&wait->arena, spawn->count, sizeof(*wait->tids));
    if (!wait || !wait->tids) {
        if (wait)
            wait_destroy(node, wait);
        answer(node, &asker, spawn->instance, &nothing);
        return;
    }
    wait->tid_count = spawn->count;
    wait->first = spawn->instance;
    for (uint32_t i = 0; i < spawn->count; i++)
        wait->tids[i] = start_one(node, wait, i, spawn);
    wait_start(node, wait);
}

void start_request(struct node *node, uint64_t peer, const struct message *message)
{
    struct asker asker = {.peer = peer, .wait = message->dm_spawn.wait};
    start_share(node, asker, &message->dm_spawn);
}

void start_resolved(struct node *node, uint32_t number, uint32_t part, int32_t result)
{
    struct wait *wait = map_get(&node->waits.by_number, number);
    if (!wait || wait->kind != WAIT_START || part >= wait->part_count || wait->parts[part].is_done)
        return;
    wait->tids[wait->parts[part].first] = result;
    wait_answered(node, wait, &wait->parts[part]);
}
