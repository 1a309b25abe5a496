/* SPDX-License-Identifier: BSD-3-Clause */
/* Descriptors of tasks, the daemon's own segment, pairs, sleeping and waking: see the header. */
#include "pvmd/share.h"

#include "base/mem.h"
#include "core/status.h"
#include "os/clock.h"
#include "pvmd/share_state.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

_Static_assert((int)SHARE_FDS == (int)SHARE_FDS_COUNT && (int)SHARE_FDS == (int)FDS_MAX,
               "the same three everywhere");
_Static_assert((int)SHARE_INDEX_MAX == (int)SHM_INDEX_MAX, "the core gives indexes of inboxes");

#define TIDY_NS UINT64_C(1000000000) /* so long a sleeping task may keep what came back */
#define TRIM_NS UINT64_C(300000000) /* between two looks for memory that was not used */

bool share_is_possible(void)
{
    return share_limit_bytes() > 0;
}

/* ---- descriptors ---- */

static struct share *share_create(struct conn *conn)
{
    struct share *share = mem_calloc(1, sizeof(*share));
    if (!share)
        return NULL;
    share->conn = conn;
    share->peer.bell = -1;
    list_init(&share->lender);
    list_init(&share->gathers);
    return share;
}

/* share_peer_open() closes what it gets; we keep ours for others. */
static int open_copies(struct share_peer *peer, const int fds[SHARE_FDS])
{
    int copies[SHARE_FDS];
    for (size_t i = 0; i < SHARE_FDS; i++) {
        copies[i] = fcntl(fds[i], F_DUPFD_CLOEXEC, 0);
        if (copies[i] < 0) {
            fds_close(copies, i);
            return -1;
        }
    }
    return share_peer_open(peer, copies, false);
}

static int accept_fds(struct conn *conn, const int fds[SHARE_FDS])
{
    struct share_peer peer;
    struct fds *kept = NULL;
    struct share *share = share_create(conn);
    if (!share || open_copies(&peer, fds) < 0) {
        mem_free(share);
        fds_close(fds, SHARE_FDS);
        return -1;
    }
    kept = fds_create(fds, SHARE_FDS);
    if (!kept) {
        share_peer_close(&peer, true);
        mem_free(share);
        return -1;
    }
    share_free(conn); /* of one who left and enrolled again */
    share->fds = kept;
    share->peer = peer;
    share->owns_view = true;
    conn->share = share;
    return 0;
}

uint32_t share_accept(struct conn *conn)
{
    int fds[FDS_MAX];
    if (conn->share && conn->share->fds)
        return 0; /* others that came stay with the stream, and go with it */
    const size_t count = stream_take_fds(conn->stream, fds);
    if (count != SHARE_FDS) {
        fds_close(fds, count);
        return 0;
    }
    if (accept_fds(conn, fds) == 0)
        return SHARE_FDS;
    log_line(conn->daemon->log, LOG_LEVEL_WARN,
             "process %u: what it shows is not memory that can be shared (%s)", conn->pid,
             strerror(errno));
    return 0;
}

struct fds *share_fds(struct daemon *daemon, uint64_t fds_of)
{
    if (fds_of == EFFECT_FDS_DAEMON)
        return daemon->sharing ? daemon->sharing->own_fds : NULL;
    const struct conn *conn = fds_of ? map_get(&daemon->conns, fds_of) : NULL;
    return conn && conn->share ? conn->share->fds : NULL;
}

/* ---- pairs ---- */

/* The task has the same open file and may have changed it: a full bell must not hold us. */
static void ring_bell(const struct share *share)
{
    if (!share->fds)
        return;
    const int bell = share->fds->items[2];
    fcntl(bell, F_SETFL, O_RDWR | O_NONBLOCK);
    share_bell(bell);
}

void share_ring(const struct share *share)
{
    if (shm_bell_ring(share->peer.inbox, share->peer.header, SHM_INDEX_DAEMON))
        ring_bell(share);
}

void share_close_pair(struct share *share, const char *why)
{
    struct daemon *daemon = share->conn->daemon;
    struct shm_pair *pair = share->pair;
    if (!pair)
        return;
    if (why)
        log_line(daemon->log, LOG_LEVEL_WARN, "process %u: %s; it has the socket", share->conn->pid,
                 why);
    share->pair = NULL;
    feed_drop(share);
    gathers_to_socket(share);
    daemon->sharing->by_index[share->index] = NULL;
    list_remove(&share->lender);
    shm_pair_close(pair);
    mem_free(share->waiting);
    share->waiting = NULL;
    share->waiting_count = share->waiting_capacity = share->waiting_bytes = 0;
}

void share_free(struct conn *conn)
{
    struct share *share = conn->share;
    if (!share)
        return;
    gathers_drop(share);
    share_close_pair(share, NULL);
    share_peer_close(&share->peer, share->owns_view);
    fds_drop(share->fds);
    mem_free(share);
    conn->share = NULL;
}

/* ---- what is the daemon's own ---- */

static void bell_rings(void *context, int events)
{
    struct daemon *daemon = context;
    uint64_t count;
    (void)events;
    (void)!read(daemon->sharing->own.fds[2], &count, sizeof(count));
    shm_ears_awake(&daemon->sharing->ears);
}

static void sharing_free(struct sharing *sharing)
{
    loop_watch_close(sharing->watch);
    fds_drop(sharing->own_fds);
    share_own_close(&sharing->own);
    mem_free(sharing);
}

/* Descriptors that frames may hold longer than the segment lives. */
static struct fds *copy_own(const struct share_own *own)
{
    int copies[SHARE_FDS];
    for (size_t i = 0; i < SHARE_FDS; i++) {
        copies[i] = fcntl(own->fds[i], F_DUPFD_CLOEXEC, 0);
        if (copies[i] < 0) {
            fds_close(copies, i);
            return NULL;
        }
    }
    return fds_create(copies, SHARE_FDS);
}

static int sharing_start(struct daemon *daemon)
{
    const char *step = "memory";
    struct sharing *sharing = mem_calloc(1, sizeof(*sharing));
    if (!sharing)
        return -1;
    list_init(&sharing->lenders);
    sharing->retry_ns = sharing->tidy_ns = UINT64_MAX;
    if (share_own_create(&sharing->own, share_limit_bytes(), &step) < 0) {
        log_line(daemon->log, LOG_LEVEL_WARN, "no memory is shared with tasks: %s: %s", step,
                 strerror(errno));
        mem_free(sharing);
        return -1;
    }
    sharing->own_fds = copy_own(&sharing->own);
    sharing->watch = loop_watch_open(daemon->loop, sharing->own.fds[2], bell_rings, daemon);
    if (!sharing->watch || !sharing->own_fds) {
        log_line(daemon->log, LOG_LEVEL_WARN, "no memory is shared with tasks: no descriptors");
        sharing_free(sharing);
        return -1;
    }
    loop_watch_set(sharing->watch, LOOP_READABLE);
    shm_ears_init(&sharing->ears, sharing->own.inbox, sharing->own.header);
    daemon->sharing = sharing;
    return 0;
}

/* 0 and our side of a pair with it, or an error code. */
static int32_t attach(struct daemon *daemon, struct share *share, uint32_t index,
                      const struct share_offer *theirs, struct share_offer *ours)
{
    const struct shm_offer offer = {theirs->ring_offset, theirs->ring_slots, theirs->back_offset};
    if (!daemon->sharing && sharing_start(daemon) < 0)
        return STATUS_NO_MEM;
    /* The bit of one who had this index before must not be taken for a word of this one. */
    shm_ears_cool(&daemon->sharing->ears, index);
    struct shm_pair *pair = shm_pair_create(daemon->sharing->own.heap, share);
    if (!pair)
        return STATUS_NO_MEM;
    if (shm_pair_join(pair, &share->peer.view, &offer) != SHM_OK) {
        shm_pair_close(pair);
        return STATUS_BAD_PARAM;
    }
    const struct shm_offer side = shm_pair_offer(pair);
    *ours = (struct share_offer){side.ring_offset, side.ring_slots, side.back_offset};
    share->pair = pair;
    share->owns_view = false;
    share->index = index;
    daemon->sharing->by_index[index] = share;
    return STATUS_OK;
}

void perform_share_attach(struct daemon *daemon, struct effect *effect)
{
    struct conn *conn = map_get(&daemon->conns, effect->conn);
    struct event event = {.kind = EVENT_SHARE_ATTACHED, .conn = effect->conn};
    if (!conn || !conn->share || !conn->share->owns_view || effect->count >= SHM_INDEX_MAX)
        event.status = STATUS_SYS_ERR;
    else
        event.status = attach(daemon, conn->share, (uint32_t)effect->count, &effect->offer,
                              &event.offer);
    daemon_event(daemon, &event);
}

void perform_share_pause(struct daemon *daemon, struct effect *effect)
{
    struct conn *conn = map_get(&daemon->conns, effect->conn);
    if (!conn || !conn->share)
        return;
    conn->share->is_paused = effect->flag;
    if (!effect->flag)
        conn_make_ready(conn);
}

void perform_share_wake(struct daemon *daemon, struct effect *effect)
{
    const struct conn *conn = map_get(&daemon->conns, effect->conn);
    if (conn && conn->share)
        ring_bell(conn->share);
}

/* Its inbox stays: answers are still written to its socket. */
void perform_share_end(struct daemon *daemon, struct effect *effect)
{
    const struct conn *conn = map_get(&daemon->conns, effect->conn);
    if (!conn || !conn->share)
        return;
    share_close_pair(conn->share, NULL);
    fds_drop(conn->share->fds);
    conn->share->fds = NULL;
}

void share_wrote(const struct conn *conn)
{
    if (conn->share)
        shm_bell_socket(conn->share->peer.inbox);
}

/* ---- listening and sleeping ---- */

/* True: it has news, and gets a turn. */
static bool look_at(struct sharing *sharing, uint32_t index)
{
    struct share *share = sharing->by_index[index];
    if (!share) {
        shm_ears_cool(&sharing->ears, index); /* a bit that means nobody */
        return false;
    }
    share->is_heard = true; /* only who has mapped us sets the bit */
    if (share->is_paused || share->is_stalled || share->conn->is_cut)
        return false;
    if (!shm_pair_has_news(share->pair)) {
        if (++share->quiet < SHARE_QUIET_MAX)
            return false;
        share->quiet = 0;
        shm_ears_cool(&sharing->ears, index);
        if (!shm_pair_has_news(share->pair))
            return false;
        shm_ears_warm(&sharing->ears, index);
    }
    conn_make_ready(share->conn);
    return true;
}

static bool look_at_hot(struct sharing *sharing)
{
    bool is_found = false;
    if (!shm_ears_listen(&sharing->ears))
        return false;
    for (int at = shm_ears_next(&sharing->ears, 0); at >= 0;
         at = shm_ears_next(&sharing->ears, at + 1))
        is_found |= look_at(sharing, (uint32_t)at);
    return is_found;
}

void shares_look(struct daemon *daemon)
{
    struct sharing *sharing = daemon->sharing;
    for (size_t i = 0; sharing && i < daemon->conns.count; i++) {
        struct conn *conn = daemon->conns.entries[i].value;
        if (conn->share && conn->share->pair && shm_pair_has_news(conn->share->pair))
            conn_make_ready(conn);
    }
}

static void retry_all(struct daemon *daemon)
{
    for (size_t i = 0; i < daemon->conns.count; i++) {
        struct conn *conn = daemon->conns.entries[i].value;
        if (!conn->share || !conn->share->is_stalled)
            continue;
        conn->share->is_stalled = false;
        conn_make_ready(conn);
    }
}

void shares_listen(struct daemon *daemon)
{
    struct sharing *sharing = daemon->sharing;
    if (!sharing)
        return;
    shm_ears_awake(&sharing->ears);
    if (sharing->retry_ns <= clock_now_ns()) {
        sharing->retry_ns = UINT64_MAX;
        retry_all(daemon);
    }
    look_at_hot(sharing);
}

/* Gives back what the last frames of were done with meanwhile. That is no reason to wake a task
 * that sleeps; but one that sleeps for long shall not keep the memory of its last burst. */
static void release_all(struct sharing *sharing)
{
    LIST_EACH(pos, following, &sharing->lenders) {
        struct share *share = LIST_ENTRY(pos, struct share, lender);
        shm_pair_release(share->pair);
        const uint64_t untaken = shm_pair_waiting_slots(share->pair);
        const bool is_new = untaken != share->seen_untaken;
        share->seen_untaken = untaken;
        const bool sleeps =
            shm_bell_ring(share->peer.inbox, share->peer.header, SHM_INDEX_DAEMON);
        if (!is_new || untaken == 0 || !sleeps)
            continue;
        share->owes_ring = true;
        if (sharing->tidy_ns == UINT64_MAX)
            sharing->tidy_ns = clock_now_ns() + TIDY_NS;
    }
}

static void tidy(struct sharing *sharing)
{
    if (sharing->tidy_ns == UINT64_MAX || clock_now_ns() < sharing->tidy_ns)
        return;
    sharing->tidy_ns = UINT64_MAX;
    LIST_EACH(pos, following, &sharing->lenders) {
        struct share *share = LIST_ENTRY(pos, struct share, lender);
        if (share->owes_ring && shm_pair_waiting_slots(share->pair) > 0)
            ring_bell(share);
        share->owes_ring = false;
    }
}

/* Memory of a burst goes back when it was not used for a while. */
static void trim(struct sharing *sharing)
{
    const struct shm_heap_stats stats = shm_heap_stats(sharing->own.heap);
    const uint64_t now_ns = clock_now_ns();
    sharing->wants_trim = stats.populated_bytes > stats.used_bytes + 2 * SHM_TRIM_KEEP_BYTES;
    if (!sharing->wants_trim || now_ns < sharing->trim_ns)
        return;
    sharing->wants_trim = shm_heap_trim(sharing->own.heap);
    sharing->trim_ns = now_ns + TRIM_NS;
}

bool shares_sleep(struct daemon *daemon)
{
    struct sharing *sharing = daemon->sharing;
    if (!sharing || daemon->stopping)
        return true;
    release_all(sharing);
    tidy(sharing);
    trim(sharing);
    shm_ears_sleep(&sharing->ears);
    if (!look_at_hot(sharing))
        return true;
    shm_ears_awake(&sharing->ears);
    return false;
}

uint64_t shares_deadline(const struct daemon *daemon)
{
    const struct sharing *sharing = daemon->sharing;
    if (!sharing)
        return UINT64_MAX;
    const uint64_t at_ns = MIN_OF(sharing->retry_ns, sharing->tidy_ns);
    return MIN_OF(at_ns, sharing->wants_trim ? sharing->trim_ns : UINT64_MAX);
}

void shares_destroy(struct daemon *daemon)
{
    if (daemon->sharing)
        sharing_free(daemon->sharing);
    daemon->sharing = NULL;
}
