/* SPDX-License-Identifier: BSD-3-Clause */
/* Processes of this host: how tasks are started, what they print, how they end. See pvmd/daemon.h.
 */
#include "pvmd/daemon.h"

#include "base/mem.h"
#include "base/str.h"
#include "core/status.h"
#include "os/expand.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- events ---- */

static void got_output(void *context, uint64_t ticket, struct slice bytes)
{
    struct event event = {.kind = EVENT_CHILD_OUTPUT, .ticket = ticket, .bytes = bytes};
    daemon_event(context, &event);
}

static void got_exited(void *context, uint64_t ticket, uint32_t pid, int wait_status)
{
    struct daemon *daemon = context;
    fate_tell_process(daemon, (pid_t)pid, false);
    struct event event = {
        .kind = EVENT_CHILD_EXITED, .ticket = ticket, .wait_status = wait_status, .pid = pid};
    daemon_event(daemon, &event);
}

/* ---- settings ---- */

/* HF-7: without ep=, wd=, bx=. */
static const char *default_search(void)
{
    const char *path = getenv("PVM_PATH");
    if (path && *path)
        return path;
    return getenv("PVM_ROOT") ? "$HOME/pvm3/bin/$PVM_ARCH:$PVM_ROOT/bin/$PVM_ARCH"
                              : "$HOME/pvm3/bin/$PVM_ARCH";
}

static const char *default_directory(void)
{
    const char *directory = getenv("PVM_WD");
    if (directory && *directory)
        return directory;
    directory = getenv("HOME");
    return directory && *directory ? directory : "/";
}

static const char *default_debugger(void)
{
    return getenv("PVM_ROOT") ? "$PVM_ROOT/lib/debugger" : "";
}

static const char *given_or(const char *given, const char *standard)
{
    return given && *given ? given : standard;
}

static void enter_directory(struct daemon *daemon, const char *directory)
{
    if (directory && chdir(directory) == 0)
        return;
    log_line(daemon->log, LOG_LEVEL_WARN, "working directory \"%s\": %s; staying where we are",
             directory ? directory : "", strerror(errno));
}

static void configure(struct daemon *daemon, const char *search, const char *directory,
                      const char *debugger)
{
    char *new_search = expand_variables(given_or(search, default_search()), getenv);
    char *new_debugger = expand_variables(given_or(debugger, default_debugger()), getenv);
    char *new_directory = expand_variables(given_or(directory, default_directory()), getenv);
    if (new_search && new_debugger) {
        mem_free(daemon->tasks.search);
        mem_free(daemon->tasks.debugger);
        daemon->tasks = (struct task_settings){.search = new_search, .debugger = new_debugger};
        enter_directory(daemon, new_directory);
    } else {
        log_line(daemon->log, LOG_LEVEL_ERROR, "no memory for the settings of tasks");
        mem_free(new_search);
        mem_free(new_debugger);
    }
    mem_free(new_directory);
}

void perform_configure(struct daemon *daemon, struct effect *effect)
{
    configure(daemon, effect->text, effect->text2, effect->text3);
}

static int children_open(struct daemon *daemon)
{
    struct child_handler handler = {.context = daemon, .output = got_output, .exited = got_exited};
    daemon->children = children_create(daemon->loop, daemon->pids, &handler);
    return daemon->children ? 0 : -1;
}

int tasks_start(struct daemon *daemon)
{
    if (children_open(daemon) < 0)
        return -1;
    configure(daemon, NULL, NULL, NULL);
    return 0;
}

int tasks_restart(struct daemon *daemon)
{
    children_destroy(daemon->children);
    return children_open(daemon);
}

void tasks_destroy(struct daemon *daemon)
{
    children_destroy(daemon->children);
    daemon->children = NULL;
    mem_free(daemon->tasks.search);
    mem_free(daemon->tasks.debugger);
    daemon->tasks = (struct task_settings){0};
}

/* ---- effects ---- */

/* API-32: PVM_DEBUGGER of the child, else what the host was told. */
static const char *debugger_of(const struct daemon *daemon, const struct child_start *child)
{
    static const char name[] = "PVM_DEBUGGER=";
    for (const char *const *entry = child->environment; entry && *entry; entry++)
        if (str_has_prefix(*entry, name) && (*entry)[sizeof(name) - 1])
            return *entry + sizeof(name) - 1;
    const char *ours = getenv("PVM_DEBUGGER");
    return ours && *ours ? ours : daemon->tasks.debugger;
}

void perform_child_start(struct daemon *daemon, struct effect *effect)
{
    static const int32_t codes[] = {[CHILD_STARTED] = STATUS_OK,
                                    [CHILD_NO_FILE] = STATUS_NO_FILE,
                                    [CHILD_NO_RESOURCES] = STATUS_OUT_OF_RES};
    const struct child_start *child = &effect->child;
    struct child_request request = {
        .file = child->file,
        .search = daemon->tasks.search,
        .directory = child->directory,
        .debugger = child->debug ? debugger_of(daemon, child) : NULL,
        .argv = child->argv,
        .environment = child->environment,
    };
    char error[CHILD_ERROR_BYTES];
    struct event event = {.kind = EVENT_CHILD_STARTED, .ticket = effect->ticket};
    enum child_result result = child_start(daemon->children, effect->ticket, &request, &event.pid,
                                           error);
    event.status = codes[result];
    if (result == CHILD_STARTED) {
        fate_tell_process(daemon, (pid_t)event.pid, true);
    } else {
        event.text = error;
        log_line(daemon->log, LOG_LEVEL_INFO, "%s", error);
    }
    daemon_event(daemon, &event);
}

void perform_child_signal(struct daemon *daemon, struct effect *effect)
{
    if (effect->pid <= 1 || child_signal(daemon->children, effect->pid, effect->signal))
        return;
    /* A task not started by us: its connection shows that the number is still its own. */
    if (conns_have_pid(daemon, effect->pid))
        kill((pid_t)effect->pid, effect->signal);
}

void perform_child_pause(struct daemon *daemon, struct effect *effect)
{
    child_pause(daemon->children, effect->ticket, effect->flag);
}
