/* SPDX-License-Identifier: BSD-3-Clause */
/* Descriptors that are held and passed on: see the header. */
#include "os/fds.h"

#include "base/check.h"
#include "base/mem.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

void fds_close(const int *items, size_t count)
{
    for (size_t i = 0; i < count; i++)
        close(items[i]);
}

struct fds *fds_create(const int *items, size_t count)
{
    CHECK(count <= FDS_MAX);
    struct fds *fds = mem_calloc(1, sizeof(*fds));
    if (!fds) {
        fds_close(items, count);
        return NULL;
    }
    fds->references = 1;
    fds->count = count;
    memcpy(fds->items, items, count * sizeof(*items));
    return fds;
}

struct fds *fds_hold(struct fds *fds)
{
    if (fds)
        fds->references++;
    return fds;
}

void fds_drop(struct fds *fds)
{
    if (!fds || --fds->references > 0)
        return;
    fds_close(fds->items, fds->count);
    mem_free(fds);
}

#ifdef PLATFORM_LINUX

/* cmsg(3): aligned as a header, room for the descriptors. */
union ancillary {
    struct cmsghdr header;
    char room[CMSG_SPACE(sizeof(int) * FDS_MAX)];
};

ssize_t fds_send(int socket, struct msghdr *message, const struct fds *fds)
{
    union ancillary ancillary;
    if (fds && fds->count) {
        memset(&ancillary, 0, sizeof(ancillary));
        message->msg_control = &ancillary;
        message->msg_controllen = CMSG_SPACE(sizeof(int) * fds->count);
        struct cmsghdr *header = CMSG_FIRSTHDR(message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof(int) * fds->count);
        memcpy(CMSG_DATA(header), fds->items, sizeof(int) * fds->count);
    }
    ssize_t sent = sendmsg(socket, message, MSG_NOSIGNAL);
    if (sent < 0 && errno == ETOOMANYREFS && message->msg_control) {
        /* Too many are on their way to tasks that do not read: this one does without. */
        message->msg_control = NULL;
        message->msg_controllen = 0;
        sent = sendmsg(socket, message, MSG_NOSIGNAL);
    }
    return sent;
}

static void keep(const struct cmsghdr *header, int items[FDS_MAX], size_t *count)
{
    if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS)
        return;
    const size_t came = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (size_t i = 0; i < came; i++) {
        int fd;
        memcpy(&fd, CMSG_DATA(header) + i * sizeof(int), sizeof(fd));
        if (*count < FDS_MAX)
            items[(*count)++] = fd;
        else
            close(fd);
    }
}

ssize_t fds_receive(int socket, void *bytes, size_t length, int items[FDS_MAX], size_t *count)
{
    union ancillary ancillary;
    struct iovec part = {bytes, length};
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = &ancillary,
                             .msg_controllen = sizeof(ancillary)};
    const ssize_t got = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
    if (got < 0)
        return got;
    /* The system closes what there was no room for. */
    for (struct cmsghdr *header = CMSG_FIRSTHDR(&message); header;
         header = CMSG_NXTHDR(&message, header))
        keep(header, items, count);
    return got;
}

#else

ssize_t fds_send(int socket, struct msghdr *message, const struct fds *fds)
{
    (void)fds;
    return sendmsg(socket, message, MSG_NOSIGNAL);
}

ssize_t fds_receive(int socket, void *bytes, size_t length, int items[FDS_MAX], size_t *count)
{
    (void)items;
    (void)count;
    return read(socket, bytes, length);
}

#endif
