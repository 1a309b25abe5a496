/* SPDX-License-Identifier: BSD-3-Clause */
/* The table of tasks and their life: see the header. */
#include "core/task.h"

#include "base/mem.h"
#include "base/str.h"
#include "core/status.h"

/*
 * The life of a task. |bound|: it ends with its process, as a child does that enrolled itself; not
 * bound is who came by itself, or was wrapped by a shell or debugger: that one ends with its
 * connection.
 */
enum { UNBOUND, BOUND };
static const uint8_t life[2][TASK_STATES][TASK_HAPPENINGS] = {
#define STAY(state) state, state, state, state, state
    /*                  gets process    enrols          leaves       closes       loses process */
    [BOUND] = {
        [TASK_STARTING] = {TASK_STARTED, TASK_CONNECTED, TASK_STARTING, TASK_STARTING, TASK_ENDED},
        [TASK_STARTED] = {TASK_STARTED, TASK_CONNECTED, TASK_STARTED, TASK_STARTED, TASK_ENDED},
        [TASK_CONNECTED] = {TASK_CONNECTED, TASK_CONNECTED, TASK_LEFT, TASK_LEFT, TASK_CLOSING},
        [TASK_CLOSING] = {TASK_CLOSING, TASK_CLOSING, TASK_ENDED, TASK_ENDED, TASK_CLOSING},
        [TASK_LEFT] = {TASK_LEFT, TASK_LEFT, TASK_LEFT, TASK_LEFT, TASK_ENDED},
        [TASK_ENDED] = {STAY(TASK_ENDED)},
    },
    [UNBOUND] = {
        [TASK_STARTING] = {TASK_STARTED, TASK_CONNECTED, TASK_STARTING, TASK_STARTING, TASK_ENDED},
        [TASK_STARTED] = {TASK_STARTED, TASK_CONNECTED, TASK_STARTED, TASK_STARTED, TASK_ENDED},
        [TASK_CONNECTED] = {TASK_CONNECTED, TASK_CONNECTED, TASK_ENDED, TASK_ENDED, TASK_CONNECTED},
        [TASK_CLOSING] = {TASK_CLOSING, TASK_CLOSING, TASK_ENDED, TASK_ENDED, TASK_CLOSING},
        [TASK_LEFT] = {TASK_LEFT, TASK_LEFT, TASK_LEFT, TASK_LEFT, TASK_ENDED},
        [TASK_ENDED] = {STAY(TASK_ENDED)},
    },
};

enum task_state task_happens(struct task *task, enum task_happening happening)
{
    int bound = task->child && !task->is_wrapped ? BOUND : UNBOUND;
    task->state = (enum task_state)life[bound][task->state][happening];
    return task->state;
}

const char *task_state_name(enum task_state state)
{
    static const char *const names[TASK_STATES] = {"starting", "started", "connected",
                                                   "closing",  "left",    "ended"};
    return state < TASK_STATES ? names[state] : "?";
}

void task_table_init(struct task_table *table, uint32_t host_number, uint32_t tasks_max)
{
    *table = (struct task_table){.host_number = host_number, .tasks_max = tasks_max};
    list_init(&table->tasks);
}

void task_table_fini(struct task_table *table)
{
    TASKS_EACH(pos, following, table)
        task_destroy(table, TASK_OF(pos));
    map_fini(&table->by_tid);
}

struct task *task_find(const struct task_table *table, uint32_t tid)
{
    return map_get(&table->by_tid, tid);
}

struct task *task_find_cookie(const struct task_table *table, uint64_t cookie)
{
    TASKS_EACH(pos, following, table) {
        if (cookie && TASK_OF(pos)->cookie == cookie)
            return TASK_OF(pos);
    }
    return NULL;
}

/* Round-robin through 18 bits (API-3): 0 when all are in use. */
static uint32_t next_tid(const struct task_table *table, bool (*is_taken)(void *, uint32_t),
                         void *context)
{
    uint32_t local = table->last_local;
    for (uint32_t step = 0; step < TID_LOCAL_MASK; step++) {
        local = local % TID_LOCAL_MASK + 1;
        uint32_t tid = tid_of_host(table->host_number) | local;
        if (!task_find(table, tid) && !is_taken(context, tid))
            return tid;
    }
    return 0;
}

static void task_free(struct task *task)
{
    sender_destroy(task->sender);
    mem_free(task->name);
    mem_free(task);
}

struct task *task_create(struct task_table *table, enum task_state state, const char *name,
                         bool (*is_taken)(void *context, uint32_t tid), void *context,
                         int32_t *status)
{
    bool is_full = table->tasks_max && table->count >= table->tasks_max;
    uint32_t tid = is_full ? 0 : next_tid(table, is_taken, context);
    *status = STATUS_OUT_OF_RES;
    if (!tid)
        return NULL;
    *status = STATUS_NO_MEM;
    struct task *task = mem_calloc(1, sizeof(*task));
    if (!task)
        return NULL;
    task->name = mem_strdup(name);
    task->sender = sender_create(tid);
    if (!task->name || !task->sender || map_put(&table->by_tid, tid, task) < 0) {
        task_free(task);
        return NULL;
    }
    task->tid = tid;
    task->state = state;
    list_init(&task->pending);
    list_init(&task->watchers);
    list_init(&task->attaches);
    timer_init(&task->linger, TIMER_LINGER);
    list_push_back(&table->tasks, &task->link);
    table->count++;
    table->last_local = tid & TID_LOCAL_MASK;
    *status = STATUS_OK;
    return task;
}

void task_destroy(struct task_table *table, struct task *task)
{
    CHECK(list_is_empty(&task->pending) && list_is_empty(&task->watchers) &&
          list_is_empty(&task->attaches));
    map_remove(&table->by_tid, task->tid);
    list_remove(&task->link);
    table->count--;
    task_free(task);
}

uint32_t task_flags(const struct task *task)
{
    bool is_connected = task->state == TASK_CONNECTED || task->state == TASK_CLOSING;
    return (task->was_forked ? TASK_FLAG_FORKED : 0) |
           (is_connected ? TASK_FLAG_CONNECTED : 0);
}
