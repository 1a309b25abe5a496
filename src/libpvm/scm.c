/* SPDX-License-Identifier: BSD-3-Clause */
/* Descriptors beside bytes: see the header. */
#include "libpvm/scm.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Room and alignment for the descriptors of one message. */
union control {
    struct cmsghdr head;
    char bytes[CMSG_SPACE(SCM_FDS_MAX * sizeof(int))];
};

static void keep(struct scm_queue *queue, const struct cmsghdr *head, uint64_t until)
{
    const size_t count = (head->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (size_t i = 0; i < count; i++) {
        int fd;
        memcpy(&fd, CMSG_DATA(head) + i * sizeof(int), sizeof(fd));
        if (queue->count == SCM_FDS_MAX) {
            close(fd);
            continue;
        }
        queue->items[queue->count].fd = fd;
        queue->items[queue->count++].until = until;
    }
}

ssize_t scm_read(int fd, struct iovec *vectors, int count, uint64_t position,
                 struct scm_queue *queue)
{
    union control control;
    struct msghdr message = {.msg_iov = vectors,
                             .msg_iovlen = (size_t)count,
                             .msg_control = control.bytes,
                             .msg_controllen = sizeof(control.bytes)};
    const ssize_t got = recvmsg(fd, &message, MSG_CMSG_CLOEXEC);
    if (got < 0)
        return got;
    for (struct cmsghdr *head = CMSG_FIRSTHDR(&message); head; head = CMSG_NXTHDR(&message, head))
        if (head->cmsg_level == SOL_SOCKET && head->cmsg_type == SCM_RIGHTS)
            keep(queue, head, position + (uint64_t)got);
    return got;
}

ssize_t scm_write(int fd, struct iovec *vectors, int count, const int *fds, size_t fd_count)
{
    union control control = {0};
    struct msghdr message = {.msg_iov = vectors, .msg_iovlen = (size_t)count};
    if (fd_count) {
        message.msg_control = control.bytes;
        message.msg_controllen = CMSG_SPACE(fd_count * sizeof(int));
        struct cmsghdr *head = CMSG_FIRSTHDR(&message);
        head->cmsg_level = SOL_SOCKET;
        head->cmsg_type = SCM_RIGHTS;
        head->cmsg_len = CMSG_LEN(fd_count * sizeof(int));
        memcpy(CMSG_DATA(head), fds, fd_count * sizeof(int));
    }
    return sendmsg(fd, &message, MSG_NOSIGNAL);
}

int scm_take(struct scm_queue *queue, int *fds, size_t count)
{
    if (queue->count < count)
        return -1;
    for (size_t i = 0; i < count; i++)
        fds[i] = queue->items[i].fd;
    queue->count -= count;
    memmove(queue->items, queue->items + count, queue->count * sizeof(queue->items[0]));
    return 0;
}

void scm_expire(struct scm_queue *queue, uint64_t position)
{
    size_t old = 0;
    while (old < queue->count && queue->items[old].until <= position)
        close(queue->items[old++].fd);
    queue->count -= old;
    memmove(queue->items, queue->items + old, queue->count * sizeof(queue->items[0]));
}
