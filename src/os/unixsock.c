/* SPDX-License-Identifier: BSD-3-Clause */
/* The tasks' socket: see the header. */
#include "os/unixsock.h"

#include "base/str.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { LISTEN_BACKLOG = 1024, SEND_BUFFER_BYTES = 1024 * 1024 };

static int bind_in_directory(int fd)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    str_copy(address.sun_path, sizeof(address.sun_path), "sock");
    mode_t before = umask(0177);
    int result = bind(fd, (const struct sockaddr *)&address, sizeof(address));
    umask(before);
    return result;
}

static int bind_from(int fd, const char *directory)
{
    int back = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (chdir(directory) < 0) {
        if (back >= 0)
            close(back);
        return -1;
    }
    int result = bind_in_directory(fd);
    int saved = errno;
    /* Where the former directory cannot be opened or entered any more, "/" is as good: the daemon
     * goes to its own working directory anyway. */
    if ((back < 0 || fchdir(back) < 0) && chdir("/") < 0)
        result = -1;
    if (back >= 0)
        close(back);
    errno = saved;
    return result;
}

int unixsock_listen(const char *directory, char *error, size_t error_bytes)
{
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    if (fd >= 0) {
        fcntl(fd, F_SETFD, FD_CLOEXEC);
        fcntl(fd, F_SETFL, O_NONBLOCK);
        if (bind_from(fd, directory) == 0 && listen(fd, LISTEN_BACKLOG) == 0)
            return fd;
    }
    str_format(error, error_bytes, "%s/sock: cannot listen: %s", directory, strerror(errno));
    if (fd >= 0)
        close(fd);
    return -1;
}

static int peer_of(int fd, uint32_t *pid, uint32_t *uid)
{
    *pid = 0;
#ifdef SO_PEERCRED
    struct {
        pid_t pid;
        uid_t uid;
        gid_t gid;
    } peer; /* struct ucred of unix(7), which strict POSIX headers do not show */
    socklen_t length = sizeof(peer);
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) < 0 || length != sizeof(peer))
        return -1;
    *pid = (uint32_t)peer.pid;
    *uid = (uint32_t)peer.uid;
#else
    uid_t peer_uid;
    gid_t peer_gid;
    if (getpeereid(fd, &peer_uid, &peer_gid) < 0)
        return -1;
    *uid = (uint32_t)peer_uid;
#endif
    return 0;
}

enum unixsock_result unixsock_accept(int listener, int *fd, uint32_t *pid, uint32_t *uid)
{
    int got = accept(listener, NULL, NULL);
    if (got < 0) {
        bool is_short = errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM;
        return is_short ? UNIXSOCK_EXHAUSTED : UNIXSOCK_NONE;
    }
    fcntl(got, F_SETFD, FD_CLOEXEC);
    fcntl(got, F_SETFL, O_NONBLOCK);
    *uid = UINT32_MAX;
    if (peer_of(got, pid, uid) < 0 || *uid != (uint32_t)geteuid()) {
        close(got);
        return UNIXSOCK_STRANGER;
    }
    int wanted = SEND_BUFFER_BYTES; /* the system cuts to its limit */
    setsockopt(got, SOL_SOCKET, SO_SNDBUF, &wanted, sizeof(wanted));
    *fd = got;
    return UNIXSOCK_ACCEPTED;
}
