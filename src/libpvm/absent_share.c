/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A platform where memory is not shared: no pair ever exists, no descriptor travels beside the
 * bytes, and the wait is poll() on the socket. Stands in for pairs.c, attach.c, news.c, scm.c,
 * spin.c and wait.c.
 */
#include "libpvm/pairs.h"
#include "libpvm/scm.h"
#include "libpvm/task.h"
#include "libpvm/wait.h"

#include "base/check.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>

struct pairs_glance pairs_glance = {.bell = -1};

/* ---- pairs.h ---- */

struct client_routes pairs_routes(void)
{
    return (struct client_routes){0};
}

void pairs_enrolled(struct client *client, uint32_t index)
{
    (void)client;
    (void)index;
}

void pairs_leave(void)
{
}

void pairs_forked(void)
{
}

int pairs_control(const struct message *message, struct xport *xport)
{
    (void)message;
    (void)xport;
    return 0;
}

void pairs_work(struct xport *xport)
{
    (void)xport;
}

int news_look(int most)
{
    (void)most;
    return 0;
}

int news_look_at(int tid, int most)
{
    (void)tid;
    (void)most;
    return -1;
}

bool news_exist(int tid)
{
    (void)tid;
    return false;
}

bool news_of_socket(void)
{
    return true;
}

int news_drain_daemon(void)
{
    return 0;
}

void news_sleep(void)
{
}

void news_awake(void)
{
}

bool news_idle(void)
{
    return false;
}

bool news_has_idle_work(void)
{
    return false;
}

/* ---- scm.h ---- */

ssize_t scm_read(int fd, struct iovec *vectors, int count, uint64_t position,
                 struct scm_queue *queue)
{
    (void)position;
    (void)queue;
    return readv(fd, vectors, count);
}

ssize_t scm_write(int fd, struct iovec *vectors, int count, const int *fds, size_t fd_count)
{
    const struct msghdr message = {.msg_iov = vectors, .msg_iovlen = count};
    (void)fds;
    CHECK(fd_count == 0);
    return sendmsg(fd, &message, MSG_NOSIGNAL);
}

int scm_take(struct scm_queue *queue, int *fds, size_t count)
{
    (void)queue;
    (void)fds;
    return count ? -1 : 0;
}

void scm_expire(struct scm_queue *queue, uint64_t position)
{
    (void)queue;
    (void)position;
}

/* ---- wait.h ---- */

static _Atomic int waiting_socket = -1;

void wait_begin(int socket)
{
    waiting_socket = socket;
}

struct wait_fds wait_end(void)
{
    waiting_socket = -1;
    return (struct wait_fds){-1, -1};
}

void wait_fds_close(struct wait_fds fds)
{
    (void)fds;
}

void wait_changed(void)
{
}

uint64_t wait_spin_ticks(void)
{
    return 0;
}

bool wait_spin(int tid)
{
    (void)tid;
    return false;
}

void wait_prepare(struct wait_for *wait)
{
    wait->socket = waiting_socket;
    wait->set = -1;
}

int wait_sleep(const struct wait_for *wait)
{
    for (;;) {
        struct pollfd fds[2] = {{.fd = wait->socket, .events = POLLIN},
                                {.fd = wait->kick, .events = POLLIN}};
        if (wait->wants_write)
            fds[0].events |= POLLOUT;
        if (poll(fds, ARRAY_LEN(fds), task_timeout_ms(wait->deadline_ns)) > 0 ||
            waiting_socket != wait->socket)
            return 1;
        if (wait->deadline_ns != INT64_MAX && task_now_ns() >= wait->deadline_ns)
            return 0;
    }
}

bool wait_socket_came(void)
{
    return true;
}

uint64_t wait_moment(void)
{
    return 0;
}

void wait_learn(uint64_t began)
{
    (void)began;
}

int wait_show(void)
{
    return -1;
}

bool wait_is_shown(void)
{
    return false;
}

void wait_show_waiting(bool is_waiting)
{
    (void)is_waiting;
}
