/* SPDX-License-Identifier: BSD-3-Clause */
/* The tasks a daemon starts: see the header. */
#include "os/child.h"

#include "base/check.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/str.h"
#include "os/spawn.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

extern char **environ;

enum {
    OUTPUT_PIECE_BYTES = 16 * 1024,
    OUTPUT_BYTES_PER_TURN = 64 * 1024,
    OUTPUT_BYTES_AFTER_END =
        1024 * 1024, /* no pipe holds more, pipe(7): what comes later is not its own */
    PATH_BYTES_MAX = 4096
};

struct child {
    struct children *children;
    uint64_t ticket;
    pid_t pid;
    int output_fd; /* -1 once at its end */
    struct loop_watch *output_watch;
    struct pid_watch *end_watch; /* NULL once reaped */
    bool paused;
    bool ended; /* reaped, |wait_status| known */
    int wait_status;
};

struct children {
    struct loop *loop;
    struct pid_watcher *watcher;
    struct child_handler handler;
    struct map by_ticket;
    struct map by_pid;       /* those not reaped */
    struct loop_timer *kick; /* goes on with children that ended while paused */
};

static void finish_resumed(void *context);

struct children *children_create(struct loop *loop, struct pid_watcher *watcher,
                                 const struct child_handler *handler)
{
    struct children *children = mem_calloc(1, sizeof(*children));
    if (!children)
        return NULL;
    children->loop = loop;
    children->watcher = watcher;
    children->handler = *handler;
    map_init(&children->by_ticket);
    map_init(&children->by_pid);
    children->kick = loop_timer_open(loop, finish_resumed, children);
    if (!children->kick) {
        mem_free(children);
        return NULL;
    }
    return children;
}

static void child_close_output(struct child *child)
{
    loop_watch_close(child->output_watch);
    child->output_watch = NULL;
    if (child->output_fd >= 0)
        close(child->output_fd);
    child->output_fd = -1;
}

static void child_free(struct child *child)
{
    struct children *children = child->children;
    child_close_output(child);
    pid_watch_close(child->end_watch);
    map_remove(&children->by_ticket, child->ticket);
    if (!child->ended)
        map_remove(&children->by_pid, (uint64_t)child->pid);
    mem_free(child);
}

void children_destroy(struct children *children)
{
    if (!children)
        return;
    while (children->by_ticket.count > 0)
        child_free(children->by_ticket.entries[children->by_ticket.count - 1].value);
    map_fini(&children->by_ticket);
    map_fini(&children->by_pid);
    loop_timer_close(children->kick);
    mem_free(children);
}

/* ---- output and end ---- */

static void child_set_watch(struct child *child)
{
    if (child->output_watch)
        loop_watch_set(child->output_watch, child->paused ? 0 : LOOP_READABLE);
}

static void child_end_output(struct child *child)
{
    struct children *children = child->children;
    child_close_output(child);
    children->handler.output(children->handler.context, child->ticket, (struct slice){0});
}

enum read_result { READ_SOME, READ_NOTHING_NOW, READ_END };

static enum read_result child_read(struct child *child, size_t *total)
{
    uint8_t bytes[OUTPUT_PIECE_BYTES];
    ssize_t got = read(child->output_fd, bytes, sizeof(bytes));
    if (got < 0 && errno == EINTR)
        return READ_SOME;
    if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
        return READ_NOTHING_NOW;
    if (got <= 0)
        return READ_END;
    struct slice piece = slice_copy(bytes, (size_t)got);
    if (!piece.buf)
        return READ_NOTHING_NOW; /* no memory: a piece is lost, the child is not */
    *total += (size_t)got;
    struct children *children = child->children;
    children->handler.output(children->handler.context, child->ticket, piece);
    slice_drop(&piece);
    return READ_SOME;
}

/* Reads until nothing is there, the limit, a pause or the end. */
static enum read_result child_read_turn(struct child *child, size_t bytes_max)
{
    size_t total = 0;
    enum read_result result = READ_SOME;
    while (!child->paused && total < bytes_max && result == READ_SOME)
        result = child_read(child, &total);
    if (result == READ_END)
        child_end_output(child);
    return result;
}

/* Says the end once all output is out. The child is freed then. */
static void child_finish(struct child *child)
{
    if (child->output_fd >= 0 && !child->paused) {
        enum read_result result = child_read_turn(child, OUTPUT_BYTES_AFTER_END);
        if (child->output_fd >= 0 && (!child->paused || result == READ_NOTHING_NOW))
            child_end_output(child);
    }
    if (child->output_fd >= 0)
        return; /* paused: goes on when resumed */
    struct children *children = child->children;
    uint64_t ticket = child->ticket;
    uint32_t pid = (uint32_t)child->pid;
    int wait_status = child->wait_status;
    child_free(child);
    children->handler.exited(children->handler.context, ticket, pid, wait_status);
}

static void output_ready(void *context, int events)
{
    struct child *child = context;
    (void)events;
    if (child->ended)
        child_finish(child);
    else
        child_read_turn(child, OUTPUT_BYTES_PER_TURN);
}

static void child_ended(void *context, int wait_status)
{
    struct child *child = context;
    child->ended = true;
    child->wait_status = wait_status;
    pid_watch_close(child->end_watch);
    child->end_watch = NULL;
    map_remove(&child->children->by_pid, (uint64_t)child->pid);
    child_finish(child);
}

void child_pause(struct children *children, uint64_t ticket, bool paused)
{
    struct child *child = map_get(&children->by_ticket, ticket);
    if (!child)
        return;
    child->paused = paused;
    child_set_watch(child);
    if (child->ended && !paused)
        loop_timer_set(children->kick, 0);
}

static void finish_resumed(void *context)
{
    struct children *children = context;
    for (size_t i = children->by_ticket.count; i > 0; i--) {
        if (i > children->by_ticket.count)
            continue; /* a callback removed others */
        struct child *child = children->by_ticket.entries[i - 1].value;
        if (child->ended && !child->paused)
            child_finish(child);
    }
}

/* ---- start ---- */

/* argv of the process: [debugger] path arguments. */
static char **argv_make(const struct child_request *request, const char *path)
{
    size_t count = 0;
    while (request->argv && request->argv[count])
        count++;
    const char **argv = mem_calloc(count + 3, sizeof(*argv));
    if (!argv)
        return NULL;
    size_t used = 0;
    if (request->debugger)
        argv[used++] = request->debugger;
    argv[used++] = path;
    for (size_t i = 0; i < count; i++)
        argv[used++] = request->argv[i];
    return (char **)(uintptr_t)argv; /* execve() wants it without const, and changes nothing */
}

static int spawn_with_pipe(const struct child_request *request, const char *path, int *output_fd,
                           pid_t *pid)
{
    int write_fd = -1;
    const char *const *lists[] = {request->environment};
    char **argv = argv_make(request, path);
    char **environment = spawn_environment(environ, lists, 1, NULL);
    int failure = argv && environment ? spawn_pipe(output_fd, &write_fd) : ENOMEM;
    if (!failure) {
        struct spawn_plan plan = {.path = argv[0],
                                  .argv = argv,
                                  .environment = environment,
                                  .directory = request->directory,
                                  .stdin_fd = -1,
                                  .stdout_fd = write_fd,
                                  .stderr_fd = write_fd,
                                  .exec_failure_is_exit = true};
        failure = spawn_process(&plan, pid);
        close(write_fd);
        if (failure)
            close(*output_fd);
    }
    mem_free(argv);
    mem_free(environment);
    return failure;
}

/* Begins to watch a process that runs. 0, or -1 without memory (then nothing is kept). */
static int child_adopt(struct child *child)
{
    struct children *children = child->children;
    child->output_watch = loop_watch_open(children->loop, child->output_fd, output_ready, child);
    child->end_watch = pid_watch_open(children->watcher, child->pid, child_ended, child);
    if (child->output_watch && child->end_watch &&
        map_put(&children->by_ticket, child->ticket, child) == 0 &&
        map_put(&children->by_pid, (uint64_t)child->pid, child) == 0) {
        child_set_watch(child);
        return 0;
    }
    kill(child->pid, SIGKILL);
    child_free(child);
    return -1;
}

/* What the system's words leave out: which limit it is, and where it is set. */
static const char *limit_words(int failure)
{
    switch (failure) {
    case EAGAIN:
        return " (no more processes: `ulimit -u`, or the limit of the container)";
    case EMFILE:
        return " (of this daemon: `ulimit -n` where the virtual machine is started)";
    default:
        return "";
    }
}

enum child_result child_start(struct children *children, uint64_t ticket,
                              const struct child_request *request, uint32_t *pid,
                              char error[CHILD_ERROR_BYTES])
{
    char path[PATH_BYTES_MAX];
    const char *search = request->search ? request->search : "";
    if (spawn_find(request->file, search, path, sizeof(path)) < 0) {
        str_format(error, CHILD_ERROR_BYTES, "%s: no such program%s%s", request->file,
                   strchr(request->file, '/') ? "" : " along ",
                   strchr(request->file, '/') ? "" : search);
        return CHILD_NO_FILE;
    }
    struct child *child = mem_calloc(1, sizeof(*child));
    int failure = child ? 0 : ENOMEM;
    if (child) {
        *child = (struct child){.children = children, .ticket = ticket, .output_fd = -1};
        failure = spawn_with_pipe(request, path, &child->output_fd, &child->pid);
    }
    if (failure) {
        mem_free(child);
        str_format(error, CHILD_ERROR_BYTES, "%s: cannot start: %s%s",
                   request->debugger ? request->debugger : path, strerror(failure),
                   limit_words(failure));
        return CHILD_NO_RESOURCES;
    }
    *pid = (uint32_t)child->pid;
    if (child_adopt(child) < 0) {
        str_copy(error, CHILD_ERROR_BYTES, "no memory or descriptors to watch the process");
        return CHILD_NO_RESOURCES;
    }
    return CHILD_STARTED;
}

/* ---- signals ---- */

bool child_signal(struct children *children, uint32_t pid, int number)
{
    struct child *child = map_get(&children->by_pid, pid);
    if (!child)
        return false;
    kill(child->pid, number); /* not reaped yet, so the number is still its own */
    return true;
}

size_t children_signal_all(struct children *children, int number)
{
    for (size_t i = 0; i < children->by_pid.count; i++)
        kill((pid_t)children->by_pid.entries[i].key, number);
    return children->by_pid.count;
}
