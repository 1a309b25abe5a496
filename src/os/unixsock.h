/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The socket that tasks connect to: listening, accepting, and who is at the other end.
 */
#ifndef OS_UNIXSOCK_H
#define OS_UNIXSOCK_H

#include <stddef.h>
#include <stdint.h>

/* Listens on |directory|/sock, 0600, however long the path is (sun_path holds only some 100 bytes:
 * the name is bound from inside the directory). The descriptor is non-blocking and close-on-exec;
 * -1 with words at |error|. To be called before there are threads: it changes the working directory
 * and back. */
int unixsock_listen(const char *directory, char *error, size_t error_bytes);

enum unixsock_result {
    UNIXSOCK_ACCEPTED,
    UNIXSOCK_NONE,     /* nobody waits */
    UNIXSOCK_STRANGER, /* another user: refused and closed; *uid says whose */
    UNIXSOCK_EXHAUSTED /* no descriptors or memory: try again when some are free */
};
/* Takes one connection. *pid 0 where the system does not tell. */
enum unixsock_result unixsock_accept(int listener, int *fd, uint32_t *pid, uint32_t *uid);

#endif
