/* SPDX-License-Identifier: BSD-3-Clause */
/* Requests under way: see the header. */
#include "core/wait.h"

#include "base/mem.h"

/* What the loss of one who owes means, and how the answer is made. */
static const struct {
    void (*part_lost)(struct node *node, struct wait *wait, struct wait_part *part);
    void (*finish)(struct node *node, struct wait *wait);
    bool has_timeout;
} rules[WAIT_KINDS] = {
    [WAIT_SPAWN] = {spawn_part_lost, spawn_finish, true},
    [WAIT_TASKS] = {tasklist_part_lost, tasklist_finish, true},
    [WAIT_PSTAT] = {status_part_lost, status_finish, true},
    [WAIT_MSTAT] = {status_part_lost, status_finish, true},
    [WAIT_CLOCK] = {status_part_lost, clock_finish, true},
    [WAIT_ADDHOSTS] = {added_part_lost, added_wait_finish, false},
    [WAIT_START] = {start_part_lost, start_finish, false},
};

struct wait *wait_create(struct node *node, enum wait_kind kind, struct asker asker)
{
    struct wait *wait = mem_calloc(1, sizeof(*wait));
    if (!wait)
        return NULL;
    wait->kind = kind;
    wait->asker = asker;
    list_init(&wait->link);
    arena_init(&wait->arena);
    timer_init(&wait->timer, TIMER_WAIT);
    do {
        wait->number = ++node->waits.last_number;
    } while (wait->number == 0 || map_get(&node->waits.by_number, wait->number));
    uint64_t timeout = rules[kind].has_timeout ? node->config.request_timeout_ns : 0;
    if (map_put(&node->waits.by_number, wait->number, wait) < 0 ||
        (timeout && timer_set(node, &wait->timer, node->now_ns + timeout) < 0)) {
        wait_destroy(node, wait);
        return NULL;
    }
    list_push_back(&node->waits.all, &wait->link);
    node->counters.requests++;
    return wait;
}

void wait_destroy(struct node *node, struct wait *wait)
{
    if (map_get(&node->waits.by_number, wait->number) == wait)
        map_remove(&node->waits.by_number, wait->number);
    list_remove(&wait->link);
    timer_stop(node, &wait->timer);
    arena_fini(&wait->arena);
    mem_free(wait->parts);
    mem_free(wait);
}

int wait_keep_request(struct node *node, struct wait *wait)
{
    return message_decode(node->current.data, node->current.length, &wait->arena, &wait->request);
}

struct wait_part *wait_expect(struct node *node, struct wait *wait, uint64_t host, uint32_t first,
                              uint32_t count)
{
    (void)node;
    if (mem_grow((void **)&wait->parts, &wait->part_capacity, wait->part_count + 1,
                 sizeof(*wait->parts)) < 0)
        return NULL;
    struct wait_part *part = &wait->parts[wait->part_count++];
    *part = (struct wait_part){.host = host, .first = first, .count = count};
    wait->parts_open++;
    return part;
}

/* Ends the wait when nothing is missing any more. */
static void finish_if_done(struct node *node, struct wait *wait)
{
    if (!wait->is_started || wait->parts_open)
        return;
    rules[wait->kind].finish(node, wait);
    wait_destroy(node, wait);
}

void wait_start(struct node *node, struct wait *wait)
{
    wait->is_started = true;
    finish_if_done(node, wait);
}

struct wait *wait_find(const struct node *node, uint32_t number, enum wait_kind kind, uint64_t host,
                       struct wait_part **part)
{
    struct wait *wait = map_get(&node->waits.by_number, number);
    if (!wait || wait->kind != kind)
        return NULL;
    for (size_t i = 0; i < wait->part_count; i++) {
        if (wait->parts[i].host == host && !wait->parts[i].is_done) {
            *part = &wait->parts[i];
            return wait;
        }
    }
    return NULL;
}

void wait_answered(struct node *node, struct wait *wait, struct wait_part *part)
{
    CHECK(!part->is_done);
    part->is_done = true;
    wait->parts_open--;
    finish_if_done(node, wait);
}

void wait_fail(struct node *node, struct wait *wait, int32_t status)
{
    wait->status = status;
    wait->parts_open = 0;
    wait_start(node, wait);
}

/* Ends all parts of |host| (0 = of everybody). The wait may be gone afterwards. */
static void lose_parts(struct node *node, struct wait *wait, uint64_t host)
{
    bool lost = false;
    bool was_started = wait->is_started;
    /* part_lost() may add parts (a share dealt again), which are of other hosts, and may find them
     * answered at once: the wait must not end before the walk does. */
    wait->is_started = false;
    for (size_t i = 0, count = wait->part_count; i < count; i++) {
        if (wait->parts[i].is_done || (host && wait->parts[i].host != host))
            continue;
        wait->parts[i].is_done = true;
        wait->parts_open--;
        lost = true;
        struct wait_part part = wait->parts[i];
        rules[wait->kind].part_lost(node, wait, &part);
    }
    wait->is_started = was_started;
    if (lost)
        finish_if_done(node, wait);
}

void waits_host_gone(struct node *node, uint64_t host)
{
    LIST_EACH(pos, following, &node->waits.all)
        lose_parts(node, LIST_ENTRY(pos, struct wait, link), host);
}

void wait_timer(struct node *node, struct timer *timer)
{
    struct wait *wait = CONTAINER_OF(timer, struct wait, timer);
    if (wait->kind != WAIT_ADDHOSTS)
        node_log(node, LOG_LEVEL_WARN, "request %u: no answer in time", wait->number);
    wait->request.type = MESSAGE_NONE; /* nothing is dealt again */
    lose_parts(node, wait, 0);
}

void waits_forget_conn(struct node *node, const struct conn *conn)
{
    LIST_EACH(pos, following, &node->waits.all) {
        struct wait *wait = LIST_ENTRY(pos, struct wait, link);
        if (wait->asker.conn != conn)
            continue;
        /* Children already started here belong to a spawn that goes on. */
        if (wait->kind == WAIT_START)
            wait->asker.conn = NULL;
        else
            wait_destroy(node, wait);
    }
}

void waits_forget_peer(struct node *node, uint64_t peer)
{
    LIST_EACH(pos, following, &node->waits.all) {
        struct wait *wait = LIST_ENTRY(pos, struct wait, link);
        if (wait->asker.peer == peer && wait->kind != WAIT_START)
            wait_destroy(node, wait);
    }
}

void asker_answer(struct node *node, const struct asker *asker, const struct message *message)
{
    if (asker->peer)
        node_send(node, asker->peer, message);
    else
        node_answer(node, asker->conn, message);
}
