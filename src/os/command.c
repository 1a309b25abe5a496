/* SPDX-License-Identifier: BSD-3-Clause */
/* One command beside the daemon: see the header. */
#include "os/command.h"

#include "base/mem.h"
#include "base/str.h"
#include "os/clock.h"
#include "os/spawn.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

struct line_reader {
    struct command *command;
    enum command_stream stream;
    int fd; /* -1 at its end */
    struct loop_watch *watch;
    size_t length;
    char line[COMMAND_LINE_BYTES_MAX];
};

struct command {
    struct loop *loop;
    struct command_handler handler;
    pid_t pid;
    struct pid_watch *end_watch;
    struct loop_timer *limit;
    uint64_t limit_at_ns;
    bool timed_out;
    bool reaped;
    struct line_reader readers[2];
};

static void reader_close(struct line_reader *reader)
{
    loop_watch_close(reader->watch);
    reader->watch = NULL;
    if (reader->fd >= 0)
        close(reader->fd);
    reader->fd = -1;
}

static void command_free(struct command *command)
{
    for (int i = 0; i < 2; i++)
        reader_close(&command->readers[i]);
    pid_watch_close(command->end_watch);
    loop_timer_close(command->limit);
    mem_free(command);
}

static void reader_say_line(struct line_reader *reader)
{
    struct command *command = reader->command;
    size_t length = reader->length;
    while (length > 0 && (reader->line[length - 1] == '\r' || reader->line[length - 1] == ' '))
        length--;
    reader->line[length] = '\0';
    reader->length = 0;
    if (length > 0)
        command->handler.line(command->handler.context, reader->stream, reader->line);
}

static void reader_take(struct line_reader *reader, const char *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (bytes[i] == '\n')
            reader_say_line(reader);
        else if (bytes[i] != '\0' && reader->length + 1 < sizeof(reader->line))
            reader->line[reader->length++] = bytes[i];
    }
}

/* Reads what is there. */
static void reader_read(struct line_reader *reader)
{
    char bytes[4096];
    ssize_t got;
    while (reader->fd >= 0 && (got = read(reader->fd, bytes, sizeof(bytes))) != 0) {
        if (got > 0)
            reader_take(reader, bytes, (size_t)got);
        else if (errno == EAGAIN || errno == EWOULDBLOCK)
            return;
        else if (errno != EINTR)
            break;
    }
    reader_say_line(reader);
    reader_close(reader);
}

static void reader_ready(void *context, int events)
{
    (void)events;
    reader_read(context);
}

static void command_ended(void *context, int wait_status)
{
    struct command *command = context;
    command->reaped = true;
    for (int i = 0; i < 2; i++)
        if (command->readers[i].fd >= 0) {
            reader_read(&command->readers[i]);
            reader_say_line(&command->readers[i]); /* some process may still hold the pipe */
        }
    command->handler.ended(command->handler.context, wait_status, command->timed_out);
    command_free(command);
}

static void limit_reached(void *context)
{
    struct command *command = context;
    if (command->limit_at_ns == UINT64_MAX)
        return;
    if (clock_now_ns() < command->limit_at_ns) {
        loop_timer_set(command->limit, command->limit_at_ns);
        return;
    }
    command->timed_out = true;
    command_kill(command);
}

static int find_program(const char *name, char *path, size_t size_bytes)
{
    const char *search = getenv("PATH");
    return spawn_find(name, search && *search ? search : "/usr/local/bin:/usr/bin:/bin", path,
                      size_bytes);
}

static int command_spawn(struct command *command, char *const *argv, char *const *environment)
{
    char path[4096];
    int write_fds[2] = {-1, -1};
    if (find_program(argv[0], path, sizeof(path)) < 0)
        return ENOENT;
    int failure = spawn_pipe(&command->readers[0].fd, &write_fds[0]);
    if (!failure)
        failure = spawn_pipe(&command->readers[1].fd, &write_fds[1]);
    if (!failure) {
        struct spawn_plan plan = {.path = path,
                                  .argv = argv,
                                  .environment = environment,
                                  .stdin_fd = -1,
                                  .stdout_fd = write_fds[0],
                                  .stderr_fd = write_fds[1],
                                  .new_session = true};
        failure = spawn_process(&plan, &command->pid);
    }
    for (int i = 0; i < 2; i++)
        if (write_fds[i] >= 0)
            close(write_fds[i]);
    return failure;
}

static int command_watch(struct command *command, struct pid_watcher *watcher)
{
    command->end_watch = pid_watch_open(watcher, command->pid, command_ended, command);
    command->limit = loop_timer_open(command->loop, limit_reached, command);
    for (int i = 0; i < 2; i++) {
        struct line_reader *reader = &command->readers[i];
        reader->watch = loop_watch_open(command->loop, reader->fd, reader_ready, reader);
        if (!reader->watch)
            return -1;
        loop_watch_set(reader->watch, LOOP_READABLE);
    }
    return command->end_watch && command->limit ? 0 : -1;
}

struct command *command_start(struct loop *loop, struct pid_watcher *watcher, char *const *argv,
                              char *const *environment, uint64_t limit_ns,
                              const struct command_handler *handler, int *failure)
{
    struct command *command = mem_calloc(1, sizeof(*command));
    if (!command) {
        *failure = ENOMEM;
        return NULL;
    }
    command->loop = loop;
    command->handler = *handler;
    for (int i = 0; i < 2; i++)
        command->readers[i] = (struct line_reader){
            .command = command, .fd = -1, .stream = (enum command_stream)i};
    *failure = command_spawn(command, argv, environment);
    if (*failure) {
        command->reaped = true;
        command_free(command);
        return NULL;
    }
    if (command_watch(command, watcher) < 0) {
        *failure = ENOMEM;
        command_destroy(command);
        return NULL;
    }
    if (limit_ns) {
        command->limit_at_ns = clock_now_ns() + limit_ns;
        loop_timer_set(command->limit, command->limit_at_ns);
    }
    return command;
}

pid_t command_pid(const struct command *command)
{
    return command->pid;
}

void command_no_limit(struct command *command)
{
    command->limit_at_ns = UINT64_MAX;
}

void command_kill(struct command *command)
{
    if (!command->reaped)
        kill(-command->pid, SIGKILL); /* its session: what it started too */
}

void command_destroy(struct command *command)
{
    if (!command)
        return;
    command_kill(command);
    command_free(command);
}

void command_status_text(int wait_status, char *text, size_t size_bytes)
{
    if (WIFEXITED(wait_status))
        str_format(text, size_bytes, "exited with %d", WEXITSTATUS(wait_status));
    else if (WIFSIGNALED(wait_status))
        str_format(text, size_bytes, "was ended by signal %d", WTERMSIG(wait_status));
    else
        str_copy(text, size_bytes, "ended");
}
