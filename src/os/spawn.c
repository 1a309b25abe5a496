/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Starting a process: see the header. On Linux by clone(2) as vfork() does it, and without a copy
 * of the table of descriptors: the cost is the same however large the daemon is and however many
 * tasks it has. Elsewhere by fork() and a close-on-exec pipe that carries the errno of a failed
 * exec.
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
#include <sched.h>
#include <sys/syscall.h>
#endif

enum { SIGNALS_MAX = 65, CLOSE_MAX_FALLBACK = 65536 };

/* What the child needs to know beside its plan; the parent's, looked at in both. */
struct launch {
    const struct spawn_plan *plan;
    const sigset_t *mask;    /* of the program */
    const sigset_t *ignored; /* signals that are to be as a program expects them */
    int files[3];            /* as in the plan, or where they were put for the child */
    int keep_fd;             /* not closed; -1 = none */
    int shared_above;        /* the table of descriptors is the parent's: away with all above; -1 */
    volatile int failure;    /* errno of what went wrong before the program ran */
};

/* ---- in the child: async-signal-safe calls only ---- */

/* Handlers go with the old program, execve(2); what is ignored would stay ignored. */
static void child_reset_signals(const struct launch *launch)
{
    struct sigaction standard = {.sa_handler = SIG_DFL};
    for (int number = 1; number < SIGNALS_MAX; number++)
        if (sigismember(launch->ignored, number) == 1)
            sigaction(number, &standard, NULL);
    sigprocmask(SIG_SETMASK, launch->mask, NULL);
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

/* From here on the table of descriptors is the child's own. */
static int child_own_files(const struct launch *launch)
{
#if defined(PLATFORM_LINUX) && defined(SYS_close_range)
    enum { UNSHARE = 1 << 1 }; /* CLOSE_RANGE_UNSHARE, which old headers lack */
    if (launch->shared_above < 0 ||
        syscall(SYS_close_range, launch->shared_above + 1, ~0u, UNSHARE) == 0)
        return 0;
    return unshare(CLONE_FILES); /* before Linux 5.9: a copy of all */
#else
    (void)launch;
    return 0;
#endif
}

/* Puts the three descriptors in place and closes all others, without needing a further one: the
 * daemon may have come to its limit. */
static int child_set_files(const struct launch *launch)
{
    if (child_own_files(launch) < 0)
        return -1;
    for (int i = 0; i < 3; i++) {
        if (launch->files[i] < 0)
            close(i);
        else if (dup2(launch->files[i], i) < 0)
            return -1;
    }
    child_close_from(3, launch->keep_fd);
    for (int i = 0; i < 3; i++) /* open() gives the lowest number that is free: this one */
        if (launch->files[i] < 0 && open("/dev/null", i == 0 ? O_RDONLY : O_WRONLY) != i)
            return -1;
    return 0;
}

static void child_say(const char *text)
{
    (void)!write(STDERR_FILENO, text, strlen(text));
}

/* Returns only on failure: its errno, or 0 when it is to count as the end of a process that ran. */
static int child_exec(const struct launch *launch)
{
    const struct spawn_plan *plan = launch->plan;
    if (plan->new_session)
        setsid();
    if (child_set_files(launch) < 0)
        return errno;
    if (plan->directory && plan->directory[0])
        (void)!chdir(plan->directory); /* API-28: the default directory is used silently */
    limits_restore_files();
    child_reset_signals(launch);
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

/* A process says what it ignores when it begins: asked once, since 64 questions for every child
 * would be a good part of its start. */
static const sigset_t *ignored_signals(void)
{
    static sigset_t ignored;
    static bool is_known;
    if (is_known)
        return &ignored;
    sigemptyset(&ignored);
    for (int number = 1; number < SIGNALS_MAX; number++) {
        struct sigaction now;
        if (sigaction(number, NULL, &now) == 0 && !(now.sa_flags & SA_SIGINFO) &&
            now.sa_handler == SIG_IGN)
            sigaddset(&ignored, number);
    }
    is_known = true;
    return &ignored;
}

#ifdef PLATFORM_LINUX

/*
 * The child begins in our table of descriptors (CLONE_FILES) and lets go of it by close_range(2)
 * with CLOSE_RANGE_UNSHARE, which copies only what is below the range. A copy of all, as vfork()
 * makes it and exec closes it again, takes 100 us with 2,000 descriptors. So that what the child
 * keeps has low numbers, three are set aside when the first is started; the fourth is what stands
 * in them in between. Without them (no descriptor was left): the copy.
 */
enum { SLOTS = 4, SLOT_PARKED = 3 };
static int slots[SLOTS];
static bool slots_stand;

/* Their run-time libraries believe that they know every stack. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { CAN_CLONE = 0 };
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) ||                         \
    __has_feature(memory_sanitizer)
enum { CAN_CLONE = 0 };
#else
enum { CAN_CLONE = 1 };
#endif
#else
enum { CAN_CLONE = 1 };
#endif

static bool slots_prepare(void)
{
    if (slots_stand || !CAN_CLONE)
        return slots_stand;
    int count = 0;
    while (count < SLOTS) {
        slots[count] = open("/dev/null", O_RDONLY | O_CLOEXEC);
        if (slots[count] < 0)
            break;
        count++;
    }
    slots_stand = count == SLOTS;
    while (!slots_stand && count > 0)
        close(slots[--count]);
    return slots_stand;
}

/* Fails for nothing: both descriptors stand. A number that is being given out by another thread
 * just now (EBUSY, dup(2)) is none of ours. */
static void slot_set(int slot, int fd)
{
    CHECK(dup3(fd, slots[slot], O_CLOEXEC) == slots[slot]);
}

static void slots_fill(struct launch *launch)
{
    const int given[3] = {launch->files[0], launch->files[1], launch->files[2]};
    for (int i = 0; i < 3; i++) {
        int same = 0;
        while (given[same] != given[i])
            same++;
        if (given[i] < 0)
            continue;
        if (same == i)
            slot_set(i, given[i]);
        launch->files[i] = slots[same];
        launch->shared_above = MAX_OF(launch->shared_above, slots[same]);
    }
    launch->shared_above = MAX_OF(launch->shared_above, 2);
}

static void slots_empty(const struct launch *launch)
{
    for (int i = 0; i < 3; i++)
        if (launch->files[i] == slots[i])
            slot_set(i, slots[SLOT_PARKED]);
}

/* In memory that is ours until it executes: what it writes here we can read, vfork(2). */
static int child_main(void *context)
{
    struct launch *launch = context;
    launch->failure = child_exec(launch);
    _exit(127);
}

/* clone() wants a stack; we sleep until the child has let go of it. */
static pid_t clone_child(struct launch *launch)
{
    static _Alignas(64) char stack[64 * 1024];
    return clone(child_main, stack + sizeof(stack), CLONE_VM | CLONE_VFORK | CLONE_FILES | SIGCHLD,
                 launch);
}

static pid_t vfork_child(struct launch *launch)
{
    pid_t child = vfork();
    if (child == 0) {
        launch->failure = child_exec(launch);
        _exit(127);
    }
    return child;
}

static int start(struct launch *launch, pid_t *pid)
{
    pid_t child;
    if (slots_prepare()) {
        slots_fill(launch);
        child = clone_child(launch);
        int saved = errno;
        slots_empty(launch);
        errno = saved;
    } else {
        child = vfork_child(launch);
    }
    if (child < 0)
        return errno;
    if (launch->failure) {
        waitpid(child, NULL, 0);
        return launch->failure;
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

static int start(struct launch *launch, pid_t *pid)
{
    int report[2];
    if (pipe(report) < 0)
        return errno;
    fcntl(report[1], F_SETFD, FD_CLOEXEC);
    launch->keep_fd = report[1];
    pid_t child = fork();
    if (child == 0) {
        int failure = child_exec(launch);
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
    struct launch launch = {.plan = plan,
                            .mask = &before,
                            .ignored = ignored_signals(),
                            .files = {plan->stdin_fd, plan->stdout_fd, plan->stderr_fd},
                            .keep_fd = -1,
                            .shared_above = -1};
    int failure = start(&launch, pid);
    sigprocmask(SIG_SETMASK, &before, NULL);
    return failure;
}

int spawn_pipe(int *read_fd, int *write_fd)
{
    int ends[2];
#ifdef PLATFORM_LINUX
    if (pipe2(ends, O_CLOEXEC) < 0)
        return errno;
#else
    if (pipe(ends) < 0)
        return errno;
    for (int i = 0; i < 2; i++)
        fcntl(ends[i], F_SETFD, FD_CLOEXEC);
#endif
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
