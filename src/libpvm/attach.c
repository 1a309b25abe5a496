/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How a pair comes and goes: TM_ATTACH out, TM_PEER and TM_GONE in (docs/datapath.md, "Attaching").
 *
 * Who has joined a peer sets its own bit in that peer's inbox; who finds the bit knows that the
 * peer can read what is sent to it. So a peer that could not map this task's memory, for want of
 * descriptors or addresses, is sent nothing there. The daemon joins before it says TM_PEER.
 */
#include "libpvm/error.h"
#include "libpvm/pairs_state.h"

#include "pvm3.h"

#include <sys/resource.h>
#include <unistd.h>

enum { BELLS_DIVISOR = 4 }; /* part of the descriptor limit that peers' bells may take */

static void fds_close(int *fds)
{
    for (size_t i = 0; i < SHARE_FDS; i++)
        close(fds[i]);
}

/* ---- out ---- */

/* Queues TM_ATTACH; the first one has the descriptors with it. 0 or PvmNoMem. */
static int attach(struct pair *pair, struct xport *xport)
{
    const struct shm_offer offer = shm_pair_offer(pair->shm);
    struct message message = {.type = TM_ATTACH,
                              .tm_attach = {.tid = (uint32_t)pair->tid,
                                            .ring_offset = offer.ring_offset,
                                            .ring_slots = offer.ring_slots,
                                            .back_offset = offer.back_offset,
                                            .fds = pairs.fds_sent ? 0 : SHARE_FDS}};
    const int status = client_request(pairs.client, &message);
    if (status < 0)
        return status;
    if (!pairs.fds_sent)
        xport->ops->give(xport, pairs.own.fds, SHARE_FDS);
    pairs.fds_sent = true;
    pair->must_attach = false;
    return 0;
}

/* A pair for each tid the client asked for; those that fail are forgotten: the daemon carries
 * it. */
static void take_wants(void)
{
    for (size_t i = 0; i < pairs.want_count; i++) {
        if (pair_of_tid(pairs.wants[i]) || own_open() < 0)
            continue;
        struct pair *pair = pair_create(pairs.wants[i]);
        if (pair)
            pair->must_attach = true;
    }
    pairs.want_count = 0;
}

static bool wake(struct pair *pair)
{
    struct message message = {.type = TM_WAKE, .tm_wake = {.tid = (uint32_t)pair->tid}};
    pair->must_wake = client_request(pairs.client, &message) < 0;
    return pair->must_wake;
}

void pairs_work(struct xport *xport)
{
    if (pairs.watchers)
        return;
    take_wants();
    bool is_left = false;
    for (size_t i = pairs.by_tid.count; i > 0; i--) {
        struct pair *pair = pairs.by_tid.entries[i - 1].value;
        if (pair->is_bad) {
            note("t%x broke the rules of shared memory: messages take the long way",
                 (unsigned)pair->tid);
            pair_close(pair);
            continue;
        }
        if (pair->must_attach)
            is_left |= attach(pair, xport) < 0;
        if (pair->must_wake)
            is_left |= wake(pair);
    }
    pairs_glance.has_work = is_left;
}

/* ---- in ---- */

static bool may_keep_bell(void)
{
    struct rlimit limit;
    return getrlimit(RLIMIT_NOFILE, &limit) < 0 || pairs.bells < limit.rlim_cur / BELLS_DIVISOR;
}

/* Maps the peer and joins it. |pair| is not joined; on failure it is as before. */
static int join(struct pair *pair, const struct wire_tm_peer *peer, const int *fds)
{
    if (share_peer_open(&pair->peer, fds, may_keep_bell()) < 0)
        return -1;
    const struct shm_offer offer = {peer->ring_offset, peer->ring_slots, peer->back_offset};
    /* The place in the books first: what is joined is unmapped by closing only. */
    if (pair_enter(pair, peer->index) < 0) {
        share_peer_close(&pair->peer, true);
        return -1;
    }
    if (shm_pair_join(pair->shm, &pair->peer.view, &offer) != SHM_OK) {
        pair->peer.view.gone(pair->peer.view.context);
        pair_spoil(pair);
        return -1;
    }
    return 0;
}

static bool is_index_free(uint32_t index)
{
    return index < SHM_INDEX_MAX && index != pairs.index && !pair_of_index((int)index);
}

/* |fds| are taken over. */
static void peer_came(const struct wire_tm_peer *peer, int *fds)
{
    struct pair *pair = pair_of_tid((int)peer->tid);
    const bool is_ours = !pair;
    const bool is_daemon = (int)peer->tid == client_identity(pairs.client)->daemon_tid;
    if ((pair && pair->is_joined) || !is_index_free(peer->index) ||
        is_daemon != (peer->index == SHM_INDEX_DAEMON) || pairs.watchers || own_open() < 0 ||
        (!pair && !(pair = pair_create((int)peer->tid)))) {
        fds_close(fds);
        return;
    }
    if (join(pair, peer, fds) < 0) {
        if (!pair->is_bad && is_ours)
            pair_close(pair);
        return;
    }
    pair->must_attach |= is_ours;
    pairs_glance.has_work |= pair->must_attach;
    shm_bell_ring(pair->peer.inbox, pair->peer.header, pairs.index);
    if (is_daemon) {
        pair_use(pair); /* without memory for it: when news_look() comes by */
        shm_ears_warm(&pairs.ears, peer->index);
    }
}

static void peer_answer(const struct wire_tm_peer *peer, struct xport *xport)
{
    int fds[SHARE_FDS];
    const bool has_fds = peer->fds == SHARE_FDS && xport->ops->take(xport, fds, SHARE_FDS) == 0;
    if (peer->status >= 0 && has_fds) {
        peer_came(peer, fds);
        return;
    }
    if (has_fds)
        fds_close(fds);
    struct pair *pair = pair_of_tid((int)peer->tid);
    if (pair && !pair->is_joined)
        pair_close(pair);
}

/* All it published is taken in first. */
static int peer_gone(int tid)
{
    struct pair *pair = pair_of_tid(tid);
    if (!pair)
        return 0;
    int taken = pair->is_joined && !pair->is_bad ? 1 : 0;
    while (taken > 0 && !pair->is_bad)
        taken = pair_take(pair, INT32_MAX);
    if (taken < 0)
        return taken;
    pair_close(pair);
    return 0;
}

int pairs_control(const struct message *message, struct xport *xport)
{
    if (message->type != TM_PEER && message->type != TM_GONE)
        return 0;
    if (!pairs.index)
        return 1;
    if (message->type == TM_PEER) {
        peer_answer(&message->tm_peer, xport);
        return 1;
    }
    const int status = peer_gone((int)message->tm_gone.tid);
    return status < 0 ? status : 1;
}
