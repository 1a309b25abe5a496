/* SPDX-License-Identifier: BSD-3-Clause */
/* Checkers of the promises: see the header. */
#include "sim/promise.h"

#include "base/mem.h"
#include "sim/host.h"
#include "sim/mbox.h"
#include "sim/proc.h"
#include "sim/task.h"
#include "sim/world.h"

#include <string.h>

enum { WORDS_BYTES_MAX = 16 * 1024 };
enum { WHAT_TASK_EXIT = 1, WHAT_HOST_DELETE = 2, WHAT_HOST_ADD = 3 };

struct known_task {
    char name[64];
    struct sim_host *host;
    uint64_t epoch;   /* of the host then */
    bool live;
    bool leaving;     /* has said TM_EXIT: its daemon may call it ended, and has all it sent */
    bool handed_over;
};

struct expected {
    uint64_t id;
    int tag;
};

/* What one task sent another and has not been received yet, oldest first. */
struct pair {
    struct expected *items;
    size_t first;
    size_t count; /* past |first| */
    size_t capacity;
    bool closed;  /* the destination was told that the source ended */
};

struct watch {
    uint32_t armed;
    uint32_t fired;
    int count_left; /* PvmHostAdd: notices still to come, -1 endless */
};

void sim_promises_init(struct sim_promises *promises)
{
    *promises = (struct sim_promises){0};
    map_init(&promises->tasks);
    map_init(&promises->pairs);
    map_init(&promises->watches);
    strbuf_init(&promises->words);
    sim_promise_hosts_init(promises);
    promises->mboxes = mem_calloc(1, sizeof(*promises->mboxes));
    CHECK(promises->mboxes);
    sim_mboxes_init(promises->mboxes);
}

void sim_promises_fini(struct sim_promises *promises)
{
    for (size_t i = 0; i < promises->tasks.count; i++)
        mem_free(promises->tasks.entries[i].value);
    for (size_t i = 0; i < promises->pairs.count; i++) {
        struct pair *pair = promises->pairs.entries[i].value;
        mem_free(pair->items);
        mem_free(pair);
    }
    for (size_t i = 0; i < promises->watches.count; i++)
        mem_free(promises->watches.entries[i].value);
    map_fini(&promises->tasks);
    map_fini(&promises->pairs);
    map_fini(&promises->watches);
    strbuf_fini(&promises->words);
    sim_promise_hosts_fini(promises);
    sim_mboxes_fini(promises->mboxes);
    mem_free(promises->mboxes);
}

void sim_promise_broken(struct sim_world *world, const char *format, ...)
{
    char line[512];
    va_list args;
    va_start(args, format);
    str_format_args(line, sizeof(line), format, args);
    va_end(args);
    struct sim_promises *promises = &world->promises;
    promises->broken++;
    if (promises->words.length < WORDS_BYTES_MAX)
        strbuf_addf(&promises->words, "%.3f ms: %s\n", (double)world->now_ns / 1e6, line);
    SIM_TELL(world, SIM_TRACE_FAULT, "BROKEN", "%s", line);
}

static void *get_or_make(struct map *map, uint64_t key, uint64_t key2, size_t size_bytes)
{
    void *value = map_get2(map, key, key2);
    if (value)
        return value;
    value = mem_calloc(1, size_bytes);
    CHECK(value && map_put2(map, key, key2, value) == 0);
    return value;
}

/* ---- tasks ---- */

void sim_promise_tid_given(struct sim_world *world, uint32_t tid, const char *name,
                           struct sim_host *host)
{
    struct sim_promises *promises = &world->promises;
    struct known_task *task = map_get(&promises->tasks, tid);
    if (task) {
        sim_promise_broken(world, "tid %x of %s was given again, to %s", (unsigned)tid, task->name,
                           name);
        return;
    }
    if (!tid_is_task((int)tid))
        sim_promise_broken(world, "%s was given %x, which is no task's tid", name, (unsigned)tid);
    task = mem_calloc(1, sizeof(*task));
    CHECK(task && map_put(&promises->tasks, tid, task) == 0);
    task->host = host;
    task->epoch = host->epoch;
    task->live = true;
    str_copy(task->name, sizeof(task->name), name);
}

void sim_promise_task_ended(struct sim_world *world, uint32_t tid, bool handed_over)
{
    struct known_task *task = map_get(&world->promises.tasks, tid);
    if (!task)
        return;
    task->live = false;
    task->handed_over = handed_over;
}

void sim_promise_task_leaves(struct sim_world *world, uint32_t tid)
{
    struct known_task *task = map_get(&world->promises.tasks, tid);
    if (task)
        task->leaving = true;
}

const char *sim_tid_name(struct sim_world *world, uint32_t tid)
{
    static _Thread_local char names[4][64];
    static _Thread_local int next;
    const struct known_task *task = map_get(&world->promises.tasks, tid);
    if (task)
        return task->name;
    char *name = names[next++ % 4];
    str_format(name, sizeof(names[0]), "t%x", (unsigned)tid);
    LIST_EACH(pos, following, &world->hosts) {
        const struct sim_host *host = LIST_ENTRY(pos, struct sim_host, link);
        if (host->tid == (tid & TID_HOST) && !(tid & TID_LOCAL) && tid)
            return host->name;
    }
    return name;
}

uint32_t sim_tid_of_name(const struct sim_world *world, const char *name)
{
    const struct map *tasks = &world->promises.tasks;
    for (size_t i = tasks->count; i > 0; i--) {
        const struct known_task *task = tasks->entries[i - 1].value;
        if (str_equal(task->name, name))
            return (uint32_t)tasks->entries[i - 1].key;
    }
    return 0;
}

bool sim_tid_is_live(const struct sim_world *world, uint32_t tid)
{
    const struct known_task *task = map_get(&world->promises.tasks, tid);
    return task && task->live && sim_host_is_running(task->host);
}

/* Its host is where it was then, and a part of the virtual machine. */
static bool host_is_sound(const struct known_task *task)
{
    const struct sim_host *host = task->host;
    return sim_host_is_running(host) && !host->removed && !host->leaving && !host->mute &&
           host->epoch == task->epoch;
}

/* What a host that was lost had sent and nobody got is lost. */
static bool host_is_lost(const struct sim_world *world, uint32_t tid)
{
    const struct known_task *task = map_get(&world->promises.tasks, tid);
    return task && !host_is_sound(task);
}

/* ---- messages ---- */

void sim_promise_sent(struct sim_world *world, uint32_t source, uint32_t destination, int tag,
                      uint64_t id)
{
    struct pair *pair = get_or_make(&world->promises.pairs, source, destination, sizeof(*pair));
    if (pair->first > 64 && pair->first > pair->count) {
        memmove(pair->items, pair->items + pair->first, pair->count * sizeof(pair->items[0]));
        pair->first = 0;
    }
    CHECK(mem_grow((void **)&pair->items, &pair->capacity, pair->first + pair->count + 1,
                   sizeof(pair->items[0])) == 0);
    pair->items[pair->first + pair->count++] = (struct expected){id, tag};
    world->promises.messages_sent++;
}

/* There the rest may have holes. */
static void skip_lost(struct pair *pair, uint64_t id)
{
    size_t at = 0;
    while (at < pair->count && pair->items[pair->first + at].id != id)
        at++;
    if (at == pair->count)
        return;
    pair->first += at;
    pair->count -= at;
}

void sim_promise_received(struct sim_world *world, uint32_t source, uint32_t destination, int tag,
                          uint64_t id, bool any_tag)
{
    struct pair *pair = map_get2(&world->promises.pairs, source, destination);
    world->promises.messages_received++;
    size_t at = 0;
    if (pair && host_is_lost(world, source))
        skip_lost(pair, id);
    while (pair && at < pair->count && !any_tag && pair->items[pair->first + at].tag != tag)
        at++;
    if (!pair || at == pair->count) {
        sim_promise_broken(world, "%s got message %llu of %s again, or one never sent",
                           sim_tid_name(world, destination), (unsigned long long)id,
                           sim_tid_name(world, source));
        return;
    }
    struct expected *expected = &pair->items[pair->first];
    if (expected[at].id != id)
        sim_promise_broken(world, "%s got message %llu of %s, message %llu is next",
                           sim_tid_name(world, destination), (unsigned long long)id,
                           sim_tid_name(world, source), (unsigned long long)expected[at].id);
    if (pair->closed)
        sim_promise_broken(world, "%s got a message of %s after the notice of its end",
                           sim_tid_name(world, destination), sim_tid_name(world, source));
    memmove(expected + 1, expected, at * sizeof(expected[0]));
    pair->first++;
    pair->count--;
}

/* ---- notices ---- */

static uint64_t watch_key(int what, uint32_t subject)
{
    return (uint64_t)what << 32 | subject;
}

void sim_promise_watch(struct sim_world *world, uint32_t watcher, int what, uint32_t subject,
                       int count)
{
    struct watch *watch = get_or_make(&world->promises.watches, watcher, watch_key(what, subject),
                                      sizeof(*watch));
    watch->armed++;
    watch->count_left = count;
}

static void check_task_notice(struct sim_world *world, uint32_t watcher, uint32_t subject)
{
    const struct known_task *task = map_get(&world->promises.tasks, subject);
    /* Who is cut off or being deleted takes all others for gone. */
    if (!task || host_is_lost(world, watcher))
        return;
    const bool is_sound = host_is_sound(task);
    if (task->live && !task->leaving && is_sound)
        sim_promise_broken(world, "%s was told of the end of %s, which lives",
                           sim_tid_name(world, watcher), task->name);
    struct pair *pair = get_or_make(&world->promises.pairs, subject, watcher, sizeof(*pair));
    if (pair->count && (task->live || task->handed_over) && is_sound)
        sim_promise_broken(world, "%s was told of the end of %s with %zu of its messages to come",
                           sim_tid_name(world, watcher), task->name, pair->count);
    pair->closed = true;
}

void sim_promise_noticed(struct sim_world *world, uint32_t watcher, int what, uint32_t subject)
{
    struct sim_promises *promises = &world->promises;
    promises->notices++;
    struct watch *watch = map_get2(&promises->watches, watcher, watch_key(what, subject));
    if (!watch) {
        sim_promise_broken(world, "%s got a notice (%d) it did not ask for, of %s",
                           sim_tid_name(world, watcher), what, sim_tid_name(world, subject));
        return;
    }
    watch->fired++;
    if (what == WHAT_HOST_ADD)
        return;
    if (watch->fired > watch->armed)
        sim_promise_broken(world, "%s got a notice (%d) twice, of %s", sim_tid_name(world, watcher),
                           what, sim_tid_name(world, subject));
    if (what == WHAT_TASK_EXIT)
        check_task_notice(world, watcher, subject);
}

/* ---- when nothing is under way ---- */

static bool task_is_sound(const struct known_task *task)
{
    return task && host_is_sound(task);
}

static void check_pairs(struct sim_world *world)
{
    const struct map *pairs = &world->promises.pairs;
    for (size_t i = 0; i < pairs->count; i++) {
        const struct pair *pair = pairs->entries[i].value;
        const struct known_task *source = map_get(&world->promises.tasks, pairs->entries[i].key);
        const struct known_task *destination = map_get(&world->promises.tasks,
                                                       pairs->entries[i].key2);
        if (!pair->count || !task_is_sound(source) || !task_is_sound(destination))
            continue;
        if (!destination->live || !(source->live || source->handed_over))
            continue;
        if (sim_task_holds_messages(destination->host, (uint32_t)pairs->entries[i].key2))
            continue;
        sim_promise_broken(world, "%zu messages of %s to %s never arrived", pair->count,
                           source->name, destination->name);
    }
}

static bool subject_is_gone(const struct sim_world *world, int what, uint32_t subject)
{
    if (what == WHAT_TASK_EXIT)
        return !sim_tid_is_live(world, subject);
    LIST_EACH(pos, following, &world->hosts) {
        const struct sim_host *host = LIST_ENTRY(pos, struct sim_host, link);
        if (sim_host_is_running(host) && host->tid == (subject & TID_HOST))
            return false;
    }
    return true;
}

static void check_watches(struct sim_world *world)
{
    const struct map *watches = &world->promises.watches;
    for (size_t i = 0; i < watches->count; i++) {
        const struct watch *watch = watches->entries[i].value;
        const uint32_t watcher = (uint32_t)watches->entries[i].key;
        const int what = (int)(watches->entries[i].key2 >> 32);
        const uint32_t subject = (uint32_t)watches->entries[i].key2;
        const struct known_task *task = map_get(&world->promises.tasks, watcher);
        if (what == WHAT_HOST_ADD || !sim_tid_is_live(world, watcher) ||
            sim_task_holds_messages(task->host, watcher))
            continue;
        if (watch->fired < watch->armed && subject_is_gone(world, what, subject))
            sim_promise_broken(world, "%s waits for ever for %u notices (%d) of %s", task->name,
                               (unsigned)(watch->armed - watch->fired), what,
                               sim_tid_name(world, subject));
    }
}

static void check_host(struct sim_world *world, const struct sim_host *host)
{
    size_t known_here = 0;
    LIST_EACH(pos, following, &host->procs) {
        const struct sim_proc *proc = LIST_ENTRY(pos, struct sim_proc, link);
        known_here += proc->ticket || (proc->task && sim_task_is_enrolled(proc->task));
        if (!proc->task)
            continue;
        if (sim_task_open_requests(proc->task))
            sim_promise_broken(world, "%s waits for ever for an answer", proc->name);
        const struct client_stats stats = client_stats(proc->task->client);
        if (stats.frames_bad)
            sim_promise_broken(world, "%s got %llu frames that make no sense", proc->name,
                               (unsigned long long)stats.frames_bad);
        if (stats.duplicates)
            sim_promise_broken(world, "%s got %llu messages again", proc->name,
                               (unsigned long long)stats.duplicates);
    }
    if (host->bad_frames)
        sim_promise_broken(world, "%s got %llu frames that are none", host->name,
                           (unsigned long long)host->bad_frames);
    const size_t known = node_task_count(host->node);
    if (known != known_here)
        sim_promise_broken(world, "%s knows %zu tasks, %zu are there", host->name, known,
                           known_here);
}

void sim_promises_check_quiet(struct sim_world *world)
{
    const char *why;
    if (!sim_world_is_quiet(world, &why))
        sim_promise_broken(world, "not quiet: %s", why);
    check_pairs(world);
    check_watches(world);
    LIST_EACH(pos, following, &world->hosts) {
        const struct sim_host *host = LIST_ENTRY(pos, struct sim_host, link);
        if (sim_host_is_running(host) && !host->mute)
            check_host(world, host);
    }
}
