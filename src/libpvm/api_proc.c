/* SPDX-License-Identifier: BSD-3-Clause */
/* Tasks: who am I, start, end, be told (API-1 to API-5, API-15, API-26 to API-34), environment
 * to export. */
#include "base/mem.h"
#include "base/str.h"
#include "libpvm/api.h"
#include "libpvm/handler.h"
#include "libpvm/internal.h"

#include "pvm3.h"
#include "pvmtev.h"
#include "libpvm/data.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int pvm_mytid(void)
{
    lock_enter();
    const int status = task_enrol();
    return api_leave("pvm_mytid", status < 0 ? status : task_tid());
}

int pvm_parent(void)
{
    lock_enter();
    const int status = task_enrol();
    const int parent = status < 0 ? 0 : client_identity(task_client())->parent;
    lock_leave();
    return status < 0 ? result("pvm_parent", status) : parent;
}

/* Output of tasks that were collected is waited for (API-2). */
static void drain(void)
{
    if (output_is_expected() && pvmshowtaskid) {
        fflush(stdout);
        note("pvm_exit(): waiting for tasks whose output is collected");
    }
    int status = task_pump();
    while (status >= 0 && output_is_expected())
        status = task_wait(TASK_FOREVER);
    fflush(stdout);
    fflush(stderr);
}

/* A signal handler that interrupts a call in its middle leaves at once: no queue of the task's is
 * fit to be looked at. */
static int leave(void)
{
    if (task_tid() == 0)
        return task_was_lost() ? PvmSysErr : 0;
    const bool is_nested = lock_is_nested();
    if (!is_nested)
        drain();
    task_leave();
    if (!is_nested)
        handler_clear();
    return 0;
}

int pvm_exit(void)
{
    lock_enter();
    const int status = leave();
    lock_leave();
    return status;
}

int pvmsettaskname(char *name);

int pvmsettaskname(char *name)
{
    lock_enter();
    return api_leave("pvmsettaskname", name ? task_set_name(name) : PvmBadParam);
}

/* ---- environment for children (API-25, API-31) ---- */

static const char *export_list(void)
{
    const char *list = getenv("PVM_EXPORT");
    return list ? list : "";
}

/* Where |name| stands in the colon list, or NULL. */
static const char *list_find(const char *list, const char *name)
{
    const size_t length = strlen(name);
    for (const char *at = list; *at;) {
        const size_t part = strcspn(at, ":");
        if (part == length && memcmp(at, name, length) == 0)
            return at;
        at += part;
        at += *at == ':';
    }
    return NULL;
}

static void export_add(const char *name)
{
    const char *list = export_list();
    if (!*name || list_find(list, name))
        return;
    struct strbuf text;
    strbuf_init(&text);
    strbuf_addf(&text, "%s%s%s", list, *list ? ":" : "", name);
    if (!text.failed)
        setenv("PVM_EXPORT", strbuf_text(&text), 1);
    strbuf_fini(&text);
}

static void export_remove(const char *name)
{
    const char *list = export_list();
    const char *found = *name ? list_find(list, name) : NULL;
    if (!found)
        return;
    const char *rest = found + strlen(name);
    struct strbuf text;
    strbuf_init(&text);
    /* The colon before it goes with it, or the one behind it when it is the first. */
    if (found > list)
        strbuf_add(&text, list, (size_t)(found - list) - 1);
    else if (*rest == ':')
        rest++;
    strbuf_add(&text, rest, strlen(rest));
    if (!text.failed)
        setenv("PVM_EXPORT", strbuf_text(&text), 1);
    strbuf_fini(&text);
}

int pvm_export(char *name)
{
    lock_enter();
    export_add(name);
    lock_leave();
    return 0;
}

int pvm_unexport(char *name)
{
    lock_enter();
    export_remove(name);
    lock_leave();
    return 0;
}

/* NAME=value of one variable; nothing when it is not set. */
static int environment_add(struct arena *arena, char **list, size_t *count, const char *name,
                           size_t length)
{
    char *key = arena_strndup(arena, name, length);
    if (!key)
        return -1;
    const char *value = getenv(key);
    if (!value)
        return 0;
    list[*count] = arena_format(arena, "%s=%s", key, value);
    return list[(*count)++] ? 0 : -1;
}

/* What a child is given beyond its daemon's environment. NULL without memory. */
static char **environment_make(struct arena *arena)
{
    const char *names = export_list();
    size_t count = 0, room = 6;
    for (const char *at = names; *at; at++)
        room += *at == ':';
    char **list = arena_calloc(arena, room, sizeof(*list));
    if (!list)
        return NULL;
    for (const char *at = names; *at;) {
        const size_t length = strcspn(at, ":");
        if (length && environment_add(arena, list, &count, at, length) < 0)
            return NULL;
        at += length;
        at += *at == ':';
    }
    if (environment_add(arena, list, &count, "PVM_EXPORT", strlen("PVM_EXPORT")) < 0)
        return NULL;
    list[count++] = arena_format(arena, "PVMTMASK=%s", pvmctrc.tmask);
    list[count++] = arena_format(arena, "PVMTRCBUF=%d", pvmctrc.trcbuf);
    list[count++] = arena_format(arena, "PVMTRCOPT=%d", pvmctrc.trcopt);
    return list[count - 1] && list[count - 2] && list[count - 3] ? list : NULL;
}

/* ---- spawn ---- */

static int spawn_flags(int flags)
{
    int64_t more;
    const char *text = getenv("PVMTASK");
    return text && str_to_i64(text, &more) == 0 ? flags | (int)more : flags;
}

/* Started tasks first, then the errors (API-26). Returns how many were started. */
static int tids_deal(const struct wire_i32s *results, int count, int *tids)
{
    int started = 0, placed = 0;
    for (int pass = 0; pass < 2; pass++)
        for (size_t i = 0; i < results->count && placed < count; i++) {
            const bool is_task = results->items[i] > 0;
            if (is_task != (pass == 0))
                continue;
            if (tids)
                tids[placed] = results->items[i];
            placed++;
            started += is_task;
        }
    return started;
}

static int spawn_request(const char *file, char **argv, int flags, const char *where, int count)
{
    struct arena arena;
    arena_init(&arena);
    char **environment = environment_make(&arena);
    const int wait = environment ? client_spawn(task_client(), file, argv, spawn_flags(flags),
                                                where, count, environment)
                                 : PvmNoMem;
    arena_fini(&arena);
    return wait;
}

static int siblings_of(const struct wire_i32s *results)
{
    int *tids = mem_calloc(results->count, sizeof(*tids));
    if (!tids)
        return PvmNoMem;
    const int started = tids_deal(results, (int)results->count, tids);
    const int status = started ? siblings_tell(tids, started) : 0;
    mem_free(tids);
    return status;
}

static int spawn(const char *file, char **argv, int flags, const char *where, int count, int *tids)
{
    int status = task_enrol();
    if (status < 0)
        return status;
    struct message answer;
    status = task_answer(spawn_request(file, argv, flags, where, count), &answer);
    if (status < 0)
        return status;
    if (answer.type != TM_SPAWNED)
        return PvmBadMsg;
    if (answer.tm_spawned.status < 0)
        return answer.tm_spawned.status;
    const struct wire_i32s *results = &answer.tm_spawned.tids;
    const int started = tids_deal(results, count, tids);
    /* They wait for it in pvm_siblings(); the tasks run whatever becomes of it. */
    siblings_of(results);
    return started;
}

int pvm_spawn(char *file, char **argv, int flags, char *where, int count, int *tids)
{
    lock_enter();
    return api_leave("pvm_spawn", spawn(file, argv, flags, where, count, tids));
}

/* ---- signals, notices ---- */

static int send_signal(int tid, int signal)
{
    int status = task_enrol();
    if (status == 0)
        status = client_sendsig(task_client(), tid, signal);
    return status < 0 ? status : task_flush();
}

int pvm_sendsig(int tid, int signal)
{
    lock_enter();
    return api_leave("pvm_sendsig", send_signal(tid, signal));
}

int pvm_kill(int tid)
{
    return result("pvm_kill", pvm_sendsig(tid, SIGTERM));
}

static int notify(int what, int tag, int count, int *tids)
{
    int status = task_enrol();
    if (status == 0)
        status = client_notify(task_client(), what, tag, count, tids);
    return status < 0 ? status : task_flush();
}

int pvm_notify(int what, int tag, int count, int *tids)
{
    lock_enter();
    return api_leave("pvm_notify", notify(what, tag, count, tids));
}
