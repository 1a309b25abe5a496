/* SPDX-License-Identifier: BSD-3-Clause */
/* Groups of processes that share memory: see the header. */
#include "peers.h"

#include "base/check.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { LIMIT_BYTES = 64 * 1024 * 1024 };

/* ends[i][j]: of process i, to process j; [i][i] is its end of the parent's socket. */
static int ends[PEERS_MAX][PEERS_MAX];
static int parent_ends[PEERS_MAX];

/* ---- the parent ---- */

static void socket_pair(int *one, int *other)
{
    int both[2];
    CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, both) == 0);
    *one = both[0];
    *other = both[1];
}

static void make_sockets(int count)
{
    for (int i = 0; i < count; i++) {
        socket_pair(&parent_ends[i], &ends[i][i]);
        for (int k = i + 1; k < count; k++)
            socket_pair(&ends[i][k], &ends[k][i]);
    }
}

/* Keeps only the ends of |self|; -1: the parent's. */
static void close_sockets(int count, int self)
{
    for (int i = 0; i < count; i++) {
        if (self >= 0)
            close(parent_ends[i]);
        for (int k = 0; k < count && i != self; k++)
            close(ends[i][k]);
    }
}

static void run_process(int count, int self, int (*main)(struct group *group))
{
    static struct group group;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    group.count = count;
    group.self = self;
    group.control = ends[self][self];
    close_sockets(count, self);
    _exit(main(&group));
}

static void tell(int count, const pid_t *pids, int gone)
{
    const uint8_t byte = (uint8_t)gone;
    for (int i = 0; i < count; i++)
        if (pids[i] > 0)
            send(parent_ends[i], &byte, 1, MSG_NOSIGNAL);
}

/* Waits for the next end; -1 at the deadline. */
static pid_t next_end(int *status, const struct timespec *deadline)
{
    sigset_t set;
    struct timespec now;
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    for (;;) {
        const pid_t pid = waitpid(-1, status, WNOHANG);
        if (pid > 0)
            return pid;
        clock_gettime(CLOCK_MONOTONIC, &now);
        const int64_t left_ns = (deadline->tv_sec - now.tv_sec) * INT64_C(1000000000) +
                                (deadline->tv_nsec - now.tv_nsec);
        if (left_ns <= 0)
            return -1;
        const struct timespec left = {left_ns / 1000000000, left_ns % 1000000000};
        sigtimedwait(&set, NULL, &left);
    }
}

bool group_run(int count, int (*main)(struct group *group), int status[PEERS_MAX], int limit_s)
{
    pid_t pids[PEERS_MAX];
    struct timespec deadline;
    sigset_t set;
    bool in_time = true;
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    sigprocmask(SIG_BLOCK, &set, NULL);
    clock_gettime(CLOCK_MONOTONIC, &deadline);
    deadline.tv_sec += limit_s;
    make_sockets(count);
    fflush(stdout);
    for (int i = 0; i < count; i++) {
        pids[i] = fork();
        CHECK(pids[i] >= 0);
        if (pids[i] == 0)
            run_process(count, i, main);
    }
    close_sockets(count, -1);
    for (int left = count; left > 0;) {
        int how;
        const pid_t pid = next_end(&how, &deadline);
        for (int i = 0; pid < 0 && i < count; i++)
            if (pids[i] > 0)
                kill(pids[i], SIGKILL);
        if (pid < 0) {
            in_time = false;
            deadline.tv_sec += 10;
        }
        for (int i = 0; i < count; i++)
            if (pids[i] == pid) {
                pids[i] = 0;
                status[i] = how;
                left--;
                tell(count, pids, i);
            }
    }
    for (int i = 0; i < count; i++)
        close(parent_ends[i]);
    return in_time;
}

/* ---- attaching ---- */

static void send_offer(const struct group *group, int to, const struct shm_offer *offer)
{
    union {
        struct cmsghdr head;
        char bytes[CMSG_SPACE(SHARE_FDS * sizeof(int))];
    } control = {0};
    struct iovec part = {(void *)(uintptr_t)offer, sizeof(*offer)};
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = control.bytes,
                             .msg_controllen = sizeof(control.bytes)};
    struct cmsghdr *head = CMSG_FIRSTHDR(&message);
    head->cmsg_level = SOL_SOCKET;
    head->cmsg_type = SCM_RIGHTS;
    head->cmsg_len = CMSG_LEN(SHARE_FDS * sizeof(int));
    memcpy(CMSG_DATA(head), group->own.fds, SHARE_FDS * sizeof(int));
    sendmsg(ends[group->self][to], &message, MSG_NOSIGNAL);
}

/* False: the other died before it could share. */
static bool receive_offer(const struct group *group, int from, struct shm_offer *offer,
                          int fds[SHARE_FDS])
{
    union {
        struct cmsghdr head;
        char bytes[CMSG_SPACE(SHARE_FDS * sizeof(int))];
    } control = {0};
    struct iovec part = {offer, sizeof(*offer)};
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = control.bytes,
                             .msg_controllen = sizeof(control.bytes)};
    ssize_t got;
    do
        got = recvmsg(ends[group->self][from], &message, MSG_CMSG_CLOEXEC);
    while (got < 0 && errno == EINTR);
    const struct cmsghdr *head = CMSG_FIRSTHDR(&message);
    if (got != sizeof(*offer) || !head)
        return false;
    memcpy(fds, CMSG_DATA(head), SHARE_FDS * sizeof(int));
    return true;
}

static void attach_one(struct group *group, int other)
{
    struct peer *peer = &group->peers[other];
    struct shm_offer offer;
    int fds[SHARE_FDS];
    if (!receive_offer(group, other, &offer, fds) || share_peer_open(&peer->share, fds, true) != 0)
        return;
    peer->is_attached = shm_pair_join(peer->pair, &peer->share.view, &offer) == SHM_OK;
    if (!peer->is_attached)
        share_peer_close(&peer->share, true);
}

bool group_attach(struct group *group)
{
    const char *step;
    if (share_own_create(&group->own, LIMIT_BYTES, &step) != 0) {
        printf("# no shared memory: %s\n", step);
        return false;
    }
    shm_ears_init(&group->ears, group->own.inbox, group->own.header);
    for (int i = 0; i < group->count; i++)
        if (i != group->self) {
            group->peers[i].pair = shm_pair_create(group->own.heap, NULL);
            CHECK(group->peers[i].pair);
            const struct shm_offer offer = shm_pair_offer(group->peers[i].pair);
            send_offer(group, i, &offer);
        }
    for (int i = 0; i < group->count; i++)
        if (i != group->self)
            attach_one(group, i);
    return true;
}

/* ---- the life of a process ---- */

void group_hear(struct group *group)
{
    uint8_t gone;
    while (recv(group->control, &gone, 1, MSG_DONTWAIT) == 1)
        if (gone < group->count)
            group->peers[gone].is_gone = true;
}

void group_sleep(struct group *group, int timeout_ms)
{
    struct pollfd fds[2] = {{.fd = group->own.fds[2], .events = POLLIN},
                            {.fd = group->control, .events = POLLIN}};
    uint64_t count;
    poll(fds, 2, timeout_ms);
    if (fds[0].revents && read(group->own.fds[2], &count, sizeof(count)) < 0)
        CHECK(errno == EAGAIN);
    group_hear(group);
}

void group_ring(struct group *group, int peer)
{
    struct peer *to = &group->peers[peer];
    if (to->is_attached && shm_bell_ring(to->share.inbox, to->share.header, (uint32_t)group->self))
        share_bell(to->share.bell);
}

void group_close(struct group *group, int peer)
{
    struct peer *gone = &group->peers[peer];
    shm_pair_close(gone->pair);
    gone->pair = NULL;
    if (gone->is_attached)
        share_peer_close(&gone->share, false);
    gone->is_attached = false;
}
