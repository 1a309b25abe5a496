/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Reading and writing a UNIX stream socket with descriptors beside the bytes (SCM_RIGHTS, unix(7)),
 * and the queue of those that came. Where memory is not shared nobody passes any, and
 * absent_share.c has the plain calls instead.
 */
#ifndef LIBPVM_SCM_H
#define LIBPVM_SCM_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

enum { SCM_FDS_MAX = 12 };

/* Descriptors that came, oldest first, with the place in the stream where the bytes they came with
 * end. */
struct scm_queue {
    struct {
        int fd;
        uint64_t until;
    } items[SCM_FDS_MAX];
    size_t count;
};

/* As readv(2). |position| is how many bytes of the stream were read before. What does not fit the
 * queue is closed. */
ssize_t scm_read(int fd, struct iovec *vectors, int count, uint64_t position,
                 struct scm_queue *queue);
/* As writev(2), without a signal; the |fd_count| descriptors |fds| go with the first byte. */
ssize_t scm_write(int fd, struct iovec *vectors, int count, const int *fds, size_t fd_count);
/* Takes the |count| oldest; 0, or -1: there are not so many (then none is taken). */
int scm_take(struct scm_queue *queue, int *fds, size_t count);
/* Closes what came with bytes before |position|. */
void scm_expire(struct scm_queue *queue, uint64_t position);

#endif
