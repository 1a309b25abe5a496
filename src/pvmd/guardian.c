/* SPDX-License-Identifier: BSD-3-Clause */
/* The guardian process: see the header. */
#include "pvmd/guardian.h"

#include "base/mem.h"
#include "base/str.h"
#include "os/clock.h"
#include "os/proctable.h"
#include "os/signals.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#ifdef PLATFORM_LINUX
#include <sys/prctl.h>
#endif

enum {
    POLL_NS = 5 * 1000000,
    TERM_WAIT_MS = 1000, /* between SIGTERM and SIGKILL */
    KILL_WAIT_MS = 1000, /* for what SIGKILL ends */
    KILL_ROUNDS = 10,    /* processes that fork while they are looked for */
    FINISH_WAIT_MS = 4000,
    DESCRIPTORS_MAX = 65536
};

enum word_kind { WORD_RUNS = 1, WORD_ENDED, WORD_FILES_REMOVED };

struct word {
    uint32_t kind;
    int32_t pid;
};

/* What the guardian knows. */
struct ward {
    struct host_dir dir;
    bool keep_log;
    bool files_removed;
    char sock_mark[DIR_PATH_BYTES_MAX + 16]; /* PVMSOCK=<our socket> */
    pid_t *pids;
    size_t count;
    size_t capacity;
};

static void short_wait(void)
{
    struct timespec wait = {.tv_nsec = POLL_NS};
    nanosleep(&wait, NULL);
}

/* ---- what it is told ---- */

static void ward_forget(struct ward *ward, pid_t pid)
{
    for (size_t i = 0; i < ward->count; i++)
        if (ward->pids[i] == pid)
            ward->pids[i--] = ward->pids[--ward->count];
}

static void ward_add(struct ward *ward, pid_t pid)
{
    ward_forget(ward, pid);
    if (mem_grow((void **)&ward->pids, &ward->capacity, ward->count + 1, sizeof(pid_t)) == 0)
        ward->pids[ward->count++] = pid;
}

static void ward_listen(struct ward *ward, int fd)
{
    struct word word;
    ssize_t got;
    /* Words are smaller than PIPE_BUF, so they come whole, pipe(7). */
    while ((got = read(fd, &word, sizeof(word))) != 0) {
        if (got < 0 && errno == EINTR)
            continue;
        if (got != (ssize_t)sizeof(word))
            return;
        if (word.kind == WORD_RUNS)
            ward_add(ward, word.pid);
        else if (word.kind == WORD_ENDED)
            ward_forget(ward, word.pid);
        else if (word.kind == WORD_FILES_REMOVED)
            ward->files_removed = true;
    }
}

/* ---- what it does ---- */

static void add_found(void *context, pid_t pid)
{
    ward_add(context, pid);
}

/* All that still run: those we were told of, and whoever has the environment of one of the tasks.
 */
static size_t ward_look(struct ward *ward)
{
    const char *const marks[2] = {ward->sock_mark, "PVMEPID="};
    proctable_find(marks, add_found, ward);
    for (size_t i = 0; i < ward->count; i++)
        if (!proctable_runs(ward->pids[i]))
            ward->pids[i--] = ward->pids[--ward->count];
    return ward->count;
}

static void ward_signal(const struct ward *ward, int number)
{
    for (size_t i = 0; i < ward->count; i++)
        kill(ward->pids[i], number);
}

/* Waits until those known have ended; how many are left. */
static size_t ward_wait(struct ward *ward, uint64_t limit_ms)
{
    uint64_t until_ns = clock_now_ns() + limit_ms * 1000000;
    for (;;) {
        for (size_t i = 0; i < ward->count; i++)
            if (!proctable_runs(ward->pids[i]))
                ward->pids[i--] = ward->pids[--ward->count];
        if (ward->count == 0 || clock_now_ns() >= until_ns)
            return ward->count;
        short_wait();
    }
}

static void ward_end_all(struct ward *ward)
{
    if (ward_look(ward) == 0)
        return;
    ward_signal(ward, SIGTERM);
    ward_wait(ward, TERM_WAIT_MS);
    for (int round = 0; round < KILL_ROUNDS && ward_look(ward) > 0; round++) {
        ward_signal(ward, SIGKILL);
        ward_wait(ward, KILL_WAIT_MS);
    }
}

static void close_all_but(int keep1, int keep2)
{
    long limit = sysconf(_SC_OPEN_MAX);
    limit = limit < 0 || limit > DESCRIPTORS_MAX ? DESCRIPTORS_MAX : limit;
    for (int fd = 0; fd < limit; fd++)
        if (fd != keep1 && fd != keep2)
            close(fd);
    for (int i = 0; i < 3; i++)
        (void)!open("/dev/null", O_RDWR);
}

#if defined(__GNUC__)
__attribute__((noreturn))
#endif
static void
guardian_run(struct ward *ward, int fd)
{
    static const int ignored[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGPIPE, SIGTSTP};
    for (size_t i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++)
        signal_ignore(ignored[i]);
    setsid();
    close_all_but(fd, ward->dir.lock_fd);
    (void)!chdir("/"); /* no file system is kept busy */
#ifdef PLATFORM_LINUX
    prctl(PR_SET_NAME, "pvmd-guardian");
#endif
    ward_listen(ward, fd);
    ward_end_all(ward);
    if (!ward->files_removed)
        dir_remove(&ward->dir, ward->keep_log);
    _exit(0);
}

int guardian_start(struct guardian *guardian, const struct host_dir *dir, bool keep_log)
{
    int ends[2];
    guardian->fd = -1;
    if (pipe(ends) < 0)
        return -1;
    fcntl(ends[1], F_SETFD, FD_CLOEXEC);
    fcntl(ends[1], F_SETFL, O_NONBLOCK); /* a stopped guardian must not stop the daemon */
    guardian->pid = fork();
    if (guardian->pid == 0) {
        static struct ward ward;
        ward.dir = *dir;
        ward.keep_log = keep_log;
        str_format(ward.sock_mark, sizeof(ward.sock_mark), "PVMSOCK=%s", dir->sock_path);
        close(ends[1]);
        guardian_run(&ward, ends[0]);
    }
    close(ends[0]);
    if (guardian->pid < 0) {
        int saved = errno;
        close(ends[1]);
        errno = saved;
        return -1;
    }
    guardian->fd = ends[1];
    return 0;
}

static int say(struct guardian *guardian, enum word_kind kind, pid_t pid)
{
    struct word word = {.kind = kind, .pid = (int32_t)pid};
    if (guardian->fd < 0)
        return 0; /* said once that there is none */
    if (write(guardian->fd, &word, sizeof(word)) == (ssize_t)sizeof(word))
        return 0;
    if (errno == EPIPE) {
        close(guardian->fd);
        guardian->fd = -1;
    }
    return -1;
}

int guardian_tell(struct guardian *guardian, pid_t pid, bool runs)
{
    return say(guardian, runs ? WORD_RUNS : WORD_ENDED, pid);
}

void guardian_finish(struct guardian *guardian)
{
    if (guardian->fd < 0)
        return;
    say(guardian, WORD_FILES_REMOVED, 0);
    close(guardian->fd);
    guardian->fd = -1;
    uint64_t until_ns = clock_now_ns() + (uint64_t)FINISH_WAIT_MS * 1000000;
    while (waitpid(guardian->pid, NULL, WNOHANG) == 0 && clock_now_ns() < until_ns)
        short_wait();
}
