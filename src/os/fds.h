/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A few descriptors with one owner count: they are open until the last who holds them lets go, so
 * that a frame that still waits to be written may carry those of a task that has gone. And passing
 * them through a socket (unix(7), SCM_RIGHTS); where the platform does not share memory nothing is
 * passed and nothing is taken.
 */
#ifndef OS_FDS_H
#define OS_FDS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

enum { FDS_MAX = 3 };

struct fds {
    uint32_t references;
    size_t count;
    int items[FDS_MAX];
};

/* Takes over |count| descriptors, at most FDS_MAX, also when it fails (then they are closed). One
 * reference, or NULL without memory. */
struct fds *fds_create(const int *items, size_t count);
struct fds *fds_hold(struct fds *fds);
/* The last one closes. NULL is fine. */
void fds_drop(struct fds *fds);
void fds_close(const int *items, size_t count);

/* sendmsg(2) with |fds| beside the first byte; NULL = none. As its result. */
ssize_t fds_send(int socket, struct msghdr *message, const struct fds *fds);
/* One read. Descriptors that came go behind the *count that are in |items| already; those above
 * FDS_MAX are closed. As read(2). */
ssize_t fds_receive(int socket, void *bytes, size_t length, int items[FDS_MAX], size_t *count);

#endif
