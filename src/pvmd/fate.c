/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What becomes of this host when something dies: the daemon keeps its guardian informed and alive,
 * is held to its lease, begins anew as another host when that was lost, and ends when its starter
 * is gone before it is a host (docs/faults.md). The guardian itself: pvmd/guardian.h.
 */
#include "pvmd/daemon.h"

#include "base/mem.h"
#include "base/str.h"
#include "os/clock.h"
#include "os/proctable.h"
#include "os/rand.h"
#include "pvmd/address.h"
#include "pvmd/starting.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

enum { KILL_ROUNDS = 10 /* tasks that fork while they are looked for */ };
#define GUARDIAN_RETRY_NS UINT64_C(1000000000)
/* A process that SIGKILL does not end is left behind. */
#define REJOIN_LIMIT_NS UINT64_C(2000000000)

/* ---- the guardian ---- */

static void guardian_ended(void *context, int wait_status);

static void guardian_watch(struct daemon *daemon)
{
    if (daemon->guardian->fd >= 0)
        daemon->guardian_watch = pid_watch_open(daemon->pids, daemon->guardian->pid,
                                                guardian_ended, daemon);
}

static void guardian_again(void *context)
{
    struct daemon *daemon = context;
    if (daemon->guardian_watch)
        return;
    if (guardian_restart(daemon->guardian) == 0) {
        log_line(daemon->log, LOG_LEVEL_WARN, "another guardian process runs now");
        guardian_watch(daemon);
        return;
    }
    log_line(daemon->log, LOG_LEVEL_WARN,
             "no new guardian process (%s): trying again; if this pvmd is killed, its tasks stay",
             strerror(errno));
    loop_timer_set(daemon->guardian_retry, clock_now_ns() + GUARDIAN_RETRY_NS);
}

static void guardian_ended(void *context, int wait_status)
{
    struct daemon *daemon = context;
    (void)wait_status;
    pid_watch_close(daemon->guardian_watch);
    daemon->guardian_watch = NULL;
    log_line(daemon->log, LOG_LEVEL_WARN, "the guardian process was ended");
    guardian_again(daemon);
}

/* ---- the starter ---- */

static void starter_let_go(struct daemon *daemon)
{
    if (daemon->starter_fd < 0)
        return;
    loop_watch_close(daemon->starter_watch);
    daemon->starter_watch = NULL;
    close(daemon->starter_fd);
    daemon->starter_fd = -1;
}

/* It says nothing: this is its end. Without it nobody will make us a host. */
static void starter_gone(void *context, int events)
{
    struct daemon *daemon = context;
    (void)events;
    starter_let_go(daemon);
    if (!node_is_member(daemon->node))
        daemon_give_up(daemon, "whoever started this host is gone before it was one");
}

static int starter_watch(struct daemon *daemon)
{
    if (daemon->starter_fd < 0)
        return 0;
    daemon->starter_watch = loop_watch_open(daemon->loop, daemon->starter_fd, starter_gone, daemon);
    if (!daemon->starter_watch)
        return -1;
    loop_watch_set(daemon->starter_watch, LOOP_READABLE);
    return 0;
}

static void starter_tell(struct daemon *daemon)
{
    if (daemon->starter_fd < 0 || !node_is_member(daemon->node))
        return;
    starting_say(daemon->starter_fd, STARTING_IS_HOST);
    starter_let_go(daemon);
}

int fate_start(struct daemon *daemon)
{
    daemon->lease_until_ns = UINT64_MAX;
    daemon->guardian_retry = loop_timer_open(daemon->loop, guardian_again, daemon);
    if (!daemon->guardian_retry || starter_watch(daemon) < 0)
        return -1;
    guardian_watch(daemon);
    return 0;
}

void fate_destroy(struct daemon *daemon)
{
    starter_let_go(daemon);
    pid_watch_close(daemon->guardian_watch);
    daemon->guardian_watch = NULL;
    loop_timer_close(daemon->guardian_retry);
    daemon->guardian_retry = NULL;
    mem_free(daemon->mourners);
    daemon->mourners = NULL;
    daemon->mourner_count = 0;
}

void fate_tell_process(struct daemon *daemon, pid_t pid, bool runs)
{
    if (guardian_tell(daemon->guardian, pid, runs) < 0)
        log_line(daemon->log, LOG_LEVEL_WARN,
                 "the guardian can remember no more processes: if this pvmd is killed, some may "
                 "stay");
}

/* ---- tombstones ---- */

void perform_tombstones(struct daemon *daemon, struct effect *effect)
{
    uint64_t *peers = mem_dup(effect->peers, effect->peer_count * sizeof(*peers));
    if (!peers) {
        log_line(daemon->log, LOG_LEVEL_WARN, "no memory for who is to be told of our death");
        return;
    }
    mem_free(daemon->mourners);
    daemon->mourners = peers;
    daemon->mourner_count = effect->peer_count;
    daemon->tombstones_are_old = true;
}

void fate_session_changed(struct daemon *daemon, uint64_t peer)
{
    for (size_t i = 0; i < daemon->mourner_count; i++)
        daemon->tombstones_are_old |= daemon->mourners[i] == peer;
}

static void write_tombstones(struct daemon *daemon)
{
    struct guardian_tombstone tombstones[GUARDIAN_TOMBSTONES_MAX];
    size_t count = 0;
    _Static_assert((int)GUARDIAN_TOMBSTONE_BYTES_MAX >= (int)MESH_TOMBSTONE_BYTES_MAX,
                   "a tombstone has room");
    for (size_t i = 0; i < daemon->mourner_count && count < GUARDIAN_TOMBSTONES_MAX; i++) {
        struct mesh_address to;
        struct guardian_tombstone *tombstone = &tombstones[count];
        size_t length = mesh_tombstone(daemon->mesh, daemon->mourners[i], &to, tombstone->bytes);
        if (length == 0)
            continue; /* no session: MESH_SESSION will come if there is ever one */
        tombstone->to = address_from_mesh(&to);
        tombstone->length = (uint32_t)length;
        count++;
    }
    guardian_set_tombstones(daemon->guardian, tombstones, count);
}

/* ---- the lease ---- */

void perform_lease(struct daemon *daemon, struct effect *effect)
{
    daemon->lease_until_ns = effect->until_ns;
    guardian_set_lease(daemon->guardian, effect->until_ns);
}

bool fate_lease_is_over(struct daemon *daemon, uint64_t now_ns)
{
    if (now_ns < daemon->lease_until_ns)
        return false;
    daemon->lease_until_ns = UINT64_MAX; /* said once */
    return true;
}

/* ---- beginning anew ---- */

static void kill_one(void *context, pid_t pid)
{
    (void)context;
    kill(pid, SIGKILL);
}

/* What tasks started themselves. Reading the table of processes takes its time, but nothing else
 * may go on here before this is done. */
static void kill_descendants(const struct daemon *daemon)
{
    char mark[DIR_PATH_BYTES_MAX + 16];
    const char *const marks[2] = {mark, "PVMEPID="};
    str_format(mark, sizeof(mark), "PVMSOCK=%s", daemon->dir->sock_path);
    for (int round = 0; round < KILL_ROUNDS; round++)
        if (proctable_find(marks, kill_one, NULL) == 0)
            return;
}

void perform_rejoin(struct daemon *daemon, struct effect *effect)
{
    (void)effect;
    if (daemon->rejoin != REJOIN_NONE)
        return;
    log_line(daemon->log, LOG_LEVEL_WARN,
             "this host was cut off from the others for too long: its tasks are ended, and it "
             "joins "
             "again as a new host");
    children_signal_all(daemon->children, SIGKILL);
    kill_descendants(daemon);
    daemon->rejoin = REJOIN_DUE;
    daemon->rejoin_at_ns = clock_now_ns() + REJOIN_LIMIT_NS;
    daemon->lease_until_ns = UINT64_MAX;
    guardian_set_lease(daemon->guardian, UINT64_MAX); /* now that nothing acts any more */
}

/* From the turn of the loop, where nobody else walks through any of this. */
static int drop_everything(struct daemon *daemon)
{
    daemon_forget_posted(daemon);
    daemon->mourner_count = 0;
    daemon->tombstones_are_old = false;
    guardian_set_tombstones(daemon->guardian, NULL, 0);
    conns_drop(daemon);
    hosts_destroy(daemon);
    peers_drop(daemon);
    return hosts_start(daemon);
}

static void begin_anew(struct daemon *daemon)
{
    daemon->rejoin = REJOIN_NONE;
    daemon->tid_logged = false;
    daemon_rejoin(daemon);
}

/* One step towards it; true = something was done. */
static bool rejoin_step(struct daemon *daemon)
{
    int result = 0;
    if (daemon->rejoin == REJOIN_DUE) {
        daemon->rejoin = REJOIN_WAITING;
        result = drop_everything(daemon);
    } else if (children_signal_all(daemon->children, SIGKILL) == 0 ||
               clock_now_ns() >= daemon->rejoin_at_ns) {
        result = tasks_restart(daemon);
        if (result == 0)
            begin_anew(daemon);
    } else {
        return false;
    }
    if (result < 0)
        daemon_give_up(daemon, "no memory to begin anew");
    return true;
}

bool fate_turn(struct daemon *daemon)
{
    if (daemon->rejoin != REJOIN_NONE && !daemon->stopping && rejoin_step(daemon))
        return true;
    starter_tell(daemon);
    if (daemon->tombstones_are_old) {
        daemon->tombstones_are_old = false;
        write_tombstones(daemon);
    }
    return false;
}

uint64_t fate_deadline(const struct daemon *daemon)
{
    return daemon->rejoin == REJOIN_NONE ? UINT64_MAX : daemon->rejoin_at_ns;
}
