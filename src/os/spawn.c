/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Starting a process: see the header. On Linux by vfork(2), which costs the same however large the
 * daemon is; elsewhere by fork() and a close-on-exec pipe that carries the errno of a failed exec.
 *
 * posix_spawn() would do neither the change of directory nor "close everything" in POSIX 2008.
 */
#include "os/spawn.h"

#include "base/check.h"
#include "base/mem.h"
#include "base/str.h"
#include "os/limits.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#ifdef PLATFORM_LINUX
#include <sys/syscall.h>
#endif

enum { SIGNALS_MAX = 65, CLOSE_MAX_FALLBACK = 65536 };

/* ---- in the child: async-signal-safe calls only ---- */

static void child_reset_signals(const sigset_t *mask)
{
    struct sigaction standard = {.sa_handler = SIG_DFL};
    for (int number = 1; number < SIGNALS_MAX; number++)
        if (number != SIGKILL && number != SIGSTOP)
            sigaction(number, &standard, NULL);
    sigprocmask(SIG_SETMASK, mask, NULL);
}

static void child_close_from(int first, int keep)
{
#if defined(PLATFORM_LINUX) && defined(SYS_close_range)
    if (keep < 0 && syscall(SYS_close_range, first, ~0u, 0) == 0)
        return;
#endif
    long limit = sysconf(_SC_OPEN_MAX);
    if (limit < 0 || limit > CLOSE_MAX_FALLBACK)
        limit = CLOSE_MAX_FALLBACK;
    for (int fd = first; fd < limit; fd++)
        if (fd != keep)
            close(fd);
}

/* Puts the three descriptors in place and closes all others, without needing a further one: the
 * daemon may have come to its limit. */
static int child_set_files(const struct spawn_plan *plan, int keep_fd)
{
    const int wanted[3] = {plan->stdin_fd, plan->stdout_fd, plan->stderr_fd};
    for (int i = 0; i < 3; i++) {
        if (wanted[i] < 0)
            close(i);
        else if (dup2(wanted[i], i) < 0)
            return -1;
    }
    child_close_from(3, keep_fd);
    for (int i = 0; i < 3; i++) /* open() gives the lowest number that is free: this one */
        if (wanted[i] < 0 && open("/dev/null", i == 0 ? O_RDONLY : O_WRONLY) != i)
            return -1;
    return 0;
}

static void child_say(const char *text)
{
    (void)!write(STDERR_FILENO, text, strlen(text));
}

/* Returns only on failure: its errno, or 0 when it is to count as the end of a process that ran. */
static int child_exec(const struct spawn_plan *plan, const sigset_t *mask, int keep_fd)
{
    if (plan->new_session)
        setsid();
    if (child_set_files(plan, keep_fd) < 0)
        return errno;
    if (plan->directory && plan->directory[0])
        (void)!chdir(plan->directory); /* API-28: the default directory is used silently */
    limits_restore_files();
    child_reset_signals(mask);
    execve(plan->path, plan->argv, plan->environment);
    int failure = errno;
    if (!plan->exec_failure_is_exit)
        return failure;
    child_say(plan->argv[0]);
    child_say(": cannot execute: ");
    child_say(strerror(failure)); /* a look into a table: no locale was ever set */
    child_say("\n");
    return 0;
}

/* ---- in the parent ---- */

#ifdef PLATFORM_LINUX

static int launch(const struct spawn_plan *plan, const sigset_t *mask, pid_t *pid)
{
    /* The child runs in our memory until it executes: what it writes here we can read, vfork(2). */
    volatile int failure = 0;
    pid_t child = vfork();
    if (child < 0)
        return errno;
    if (child == 0) {
        failure = child_exec(plan, mask, -1);
        _exit(127);
    }
    if (failure) {
        waitpid(child, NULL, 0);
        return failure;
    }
    *pid = child;
    return 0;
}

#else

/* What the child said through the pipe before it ended, or 0 when the pipe closed by exec. */
static int read_failure(int fd)
{
    int failure = 0;
    ssize_t got;
    do
        got = read(fd, &failure, sizeof(failure));
    while (got < 0 && errno == EINTR);
    return got == (ssize_t)sizeof(failure) ? failure : 0;
}

static int launch(const struct spawn_plan *plan, const sigset_t *mask, pid_t *pid)
{
    int report[2];
    if (pipe(report) < 0)
        return errno;
    fcntl(report[1], F_SETFD, FD_CLOEXEC);
    pid_t child = fork();
    if (child == 0) {
        int failure = child_exec(plan, mask, report[1]);
        if (failure)
            (void)!write(report[1], &failure, sizeof(failure));
        _exit(127);
    }
    int saved = errno;
    close(report[1]);
    int failure = child < 0 ? saved : read_failure(report[0]);
    close(report[0]);
    if (child > 0 && failure)
        waitpid(child, NULL, 0);
    if (!failure)
        *pid = child;
    return failure;
}

#endif

int spawn_process(const struct spawn_plan *plan, pid_t *pid)
{
    CHECK(plan->stdin_fd < 0 || plan->stdin_fd > 2);
    CHECK(plan->stdout_fd < 0 || plan->stdout_fd > 2);
    CHECK(plan->stderr_fd < 0 || plan->stderr_fd > 2);
    /* No handler of ours may run in the child while it shares our memory. */
    sigset_t all, before;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &before);
    int failure = launch(plan, &before, pid);
    sigprocmask(SIG_SETMASK, &before, NULL);
    return failure;
}

int spawn_pipe(int *read_fd, int *write_fd)
{
    int ends[2];
    if (pipe(ends) < 0)
        return errno;
    for (int i = 0; i < 2; i++)
        fcntl(ends[i], F_SETFD, FD_CLOEXEC);
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    *read_fd = ends[0];
    *write_fd = ends[1];
    return 0;
}

/* ---- files and environments ---- */

static bool is_program(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISREG(st.st_mode) && (st.st_mode & S_IXUSR);
}

static int find_as_given(const char *file, char *path, size_t size_bytes)
{
    char directory[4096];
    size_t length;
    if (file[0] == '/')
        length = str_format(path, size_bytes, "%s", file);
    else if (getcwd(directory, sizeof(directory)))
        length = str_format(path, size_bytes, "%s/%s", directory, file);
    else
        return -1;
    return length + 1 < size_bytes && is_program(path) ? 0 : -1;
}

int spawn_find(const char *file, const char *search, char *path, size_t size_bytes)
{
    if (file[0] == '\0')
        return -1;
    if (strchr(file, '/'))
        return find_as_given(file, path, size_bytes);
    while (*search) {
        size_t length = strcspn(search, ":");
        char candidate[4096];
        size_t written = str_format(candidate, sizeof(candidate), "%.*s/%s", (int)length, search,
                                    file);
        if (length > 0 && written + 1 < sizeof(candidate) &&
            find_as_given(candidate, path, size_bytes) == 0)
            return 0;
        search += length + (search[length] == ':');
    }
    return -1;
}

/* Does |entry| (NAME=value or NAME) name the same variable as |other|? */
static bool same_name(const char *entry, const char *other)
{
    size_t length = strcspn(entry, "=");
    return length == strcspn(other, "=") && strncmp(entry, other, length) == 0;
}

static void environment_set(char **result, size_t *count, const char *entry)
{
    size_t i = 0;
    while (i < *count && !same_name(result[i], entry))
        i++;
    result[i] = (char *)(uintptr_t)
        entry; /* execve() takes them without const, and leaves them alone */
    *count += i == *count;
}

static bool is_named(const char *entry, const char *const *names)
{
    for (; names && *names; names++)
        if (same_name(entry, *names))
            return true;
    return false;
}

static size_t list_length(const char *const *list)
{
    size_t length = 0;
    while (list && list[length])
        length++;
    return length;
}

char **spawn_environment(char *const *base, const char *const *const *lists, size_t count,
                         const char *const *without)
{
    size_t total = list_length((const char *const *)(const void *)base), used = 0;
    for (size_t i = 0; i < count; i++)
        total += list_length(lists[i]);
    char **result = mem_calloc(total + 1, sizeof(*result));
    if (!result)
        return NULL;
    for (; base && *base; base++)
        if (!is_named(*base, without))
            result[used++] = *base;
    for (size_t i = 0; i < count; i++)
        for (const char *const *at = lists[i]; at && *at; at++)
            environment_set(result, &used, *at);
    return result;
}
