/* SPDX-License-Identifier: BSD-3-Clause */
/* The daemon's side of the guardian: see the header. */
#include "pvmd/ward.h"

#include "base/check.h"
#include "base/mem.h"
#include "os/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    POLL_NS = 2 * 1000000,
    FINISH_WAIT_MS = 4000
};

static int guardian_fork(struct guardian *guardian)
{
    int ends[2];
    if (pipe(ends) < 0)
        return -1;
    fcntl(ends[1], F_SETFD, FD_CLOEXEC);
    fcntl(ends[1], F_SETFL, O_NONBLOCK); /* a stopped guardian must not stop the daemon */
    const struct ward ward = {.shared = guardian->shared,
                              .dir = guardian->dir,
                              .keep_log = guardian->keep_log,
                              .daemon = getpid()};
    sigset_t all, before;
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, &before); /* until it ignores them */
    guardian->pid = fork();
    if (guardian->pid == 0) {
        close(ends[1]);
        ward_run(&ward, ends[0]);
    }
    int saved = errno;
    sigprocmask(SIG_SETMASK, &before, NULL);
    close(ends[0]);
    if (guardian->pid < 0) {
        close(ends[1]);
        errno = saved;
        return -1;
    }
    guardian->fd = ends[1];
    return 0;
}

int guardian_start(struct guardian *guardian, const struct host_dir *dir, bool keep_log)
{
    *guardian = (struct guardian){.fd = -1, .dir = dir, .keep_log = keep_log};
    map_init(&guardian->slots);
    void *memory = mmap(NULL, sizeof(*guardian->shared), PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        return -1;
    guardian->shared = memory;
    atomic_store(&guardian->shared->lease_until_ns, UINT64_MAX);
    if (guardian_fork(guardian) == 0)
        return 0;
    int saved = errno;
    munmap(memory, sizeof(*guardian->shared));
    guardian->shared = NULL;
    errno = saved;
    return -1;
}

int guardian_restart(struct guardian *guardian)
{
    if (!guardian->shared)
        return 0;
    if (guardian->fd >= 0)
        close(guardian->fd);
    guardian->fd = -1;
    return guardian_fork(guardian);
}

/* ---- its processes ---- */

static int pid_add(struct guardian *guardian, pid_t pid)
{
    struct guardian_shared *shared = guardian->shared;
    uint32_t slot = atomic_load(&shared->pid_count);
    if (map_get(&guardian->slots, (uint64_t)pid))
        return 0;
    if (slot == GUARDIAN_PIDS_MAX)
        return -1;
    if (map_put(&guardian->slots, (uint64_t)pid, (void *)((uintptr_t)slot + 1)) < 0)
        return -1;
    atomic_store(&shared->pids[slot], (int32_t)pid);
    atomic_store(&shared->pid_count, slot + 1);
    return 0;
}

/* The last one moves into the hole; for a moment it stands twice, never not at all. */
static void pid_remove(struct guardian *guardian, pid_t pid)
{
    struct guardian_shared *shared = guardian->shared;
    uintptr_t found = (uintptr_t)map_get(&guardian->slots, (uint64_t)pid);
    if (!found)
        return;
    uint32_t hole = (uint32_t)found - 1, last = atomic_load(&shared->pid_count) - 1;
    map_remove(&guardian->slots, (uint64_t)pid);
    int32_t moved = atomic_load(&shared->pids[last]);
    atomic_store(&shared->pids[hole], moved);
    atomic_store(&shared->pid_count, last);
    if (hole != last) {
        /* It is in the map already, so there is room for it. */
        int result = map_put(&guardian->slots, (uint64_t)moved, (void *)((uintptr_t)hole + 1));
        CHECK(result == 0);
    }
}

int guardian_tell(struct guardian *guardian, pid_t pid, bool runs)
{
    if (!guardian->shared)
        return 0; /* said once that there is none */
    if (runs)
        return pid_add(guardian, pid);
    pid_remove(guardian, pid);
    return 0;
}

/* ---- what it is to do ---- */

void guardian_set_tombstones(struct guardian *guardian, const struct guardian_tombstone *tombstones,
                             size_t count)
{
    struct guardian_shared *shared = guardian->shared;
    if (!shared)
        return;
    uint32_t fresh = 1 - atomic_load(&shared->set_in_use);
    struct tombstone_set *set = &shared->sets[fresh];
    set->count = (uint32_t)MIN_OF(count, (size_t)GUARDIAN_TOMBSTONES_MAX);
    memcpy(set->items, tombstones, set->count * sizeof(set->items[0]));
    atomic_store(&shared->set_in_use, fresh);
}

void guardian_set_lease(struct guardian *guardian, uint64_t until_ns)
{
    struct guardian_shared *shared = guardian->shared;
    if (!shared)
        return;
    uint64_t before_ns = atomic_exchange(&shared->lease_until_ns, until_ns);
    /* It sleeps until the end that it saw last: later ones it sees then by itself. */
    if (until_ns < before_ns && guardian->fd >= 0)
        (void)!write(guardian->fd, "", 1);
}

void guardian_finish(struct guardian *guardian)
{
    if (guardian->shared)
        atomic_store(&guardian->shared->in_order, 1);
    if (guardian->fd >= 0) {
        close(guardian->fd);
        guardian->fd = -1;
        const struct timespec wait = {.tv_nsec = POLL_NS};
        uint64_t until_ns = clock_now_ns() + (uint64_t)FINISH_WAIT_MS * 1000000;
        while (waitpid(guardian->pid, NULL, WNOHANG) == 0 && clock_now_ns() < until_ns)
            nanosleep(&wait, NULL);
    }
    if (guardian->shared)
        munmap(guardian->shared, sizeof(*guardian->shared));
    guardian->shared = NULL;
    map_fini(&guardian->slots);
}
