/* SPDX-License-Identifier: BSD-3-Clause */
/* The battery over UNIX sockets, and what only they can do: paths of any length. */
#include "battery.h"
#include "tap.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#ifdef PLATFORM_LINUX
enum { PASSES_DESCRIPTORS = 1 };
#else
enum { PASSES_DESCRIPTORS = 0 };
#endif

static int unix_pair(struct xport *pair[2])
{
    int sockets[2];
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, sockets) < 0)
        return -1;
    pair[0] = xport_unix_create(sockets[0]);
    pair[1] = xport_unix_create(sockets[1]);
    return pair[0] && pair[1] ? 0 : -1;
}

static void unix_inject(struct xport *from, const void *bytes, size_t length)
{
    OK(write(from->ops->descriptor(from), bytes, length) == (ssize_t)length,
       "bytes of a peer gone mad");
}

/* Listens at |path|, which may be long: bound by a relative name. */
static int listen_at(const char *directory, const char *name)
{
    const int here = open(".", O_RDONLY), fd = socket(AF_UNIX, SOCK_STREAM, 0);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof(address.sun_path), "%s", name);
    const int failed = chdir(directory) < 0 ||
                       bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
                       listen(fd, 5) < 0 || fchdir(here) < 0;
    close(here);
    if (failed)
        close(fd);
    return failed ? -1 : fd;
}

static void paths(void)
{
    char directory[400] = "/tmp/pvm-xport-XXXXXX", path[512];
    if (!mkdtemp(directory)) {
        OK(0, "a directory for the test");
        return;
    }
    const size_t base = strlen(directory);
    int fd = listen_at(directory, "sock");
    snprintf(path, sizeof(path), "%s/sock", directory);
    struct xport *xport = xport_unix_connect(path);
    OK(xport != NULL, "a short path");
    if (xport) {
        OK(fcntl(xport->ops->descriptor(xport), F_GETFD) & FD_CLOEXEC, "closed on exec");
        OK(fcntl(xport->ops->descriptor(xport), F_GETFL) & O_NONBLOCK, "does not block");
        xport->ops->close(xport);
    }
    close(fd);
    OK(!xport_unix_connect(path) && errno == ECONNREFUSED, "nobody listens");
    unlink(path);
    OK(!xport_unix_connect(path) && errno == ENOENT, "nothing is there");
    snprintf(directory + base, sizeof(directory) - base, "/%0200d", 1);
    mkdir(directory, 0700);
    fd = listen_at(directory, "sock");
    snprintf(path, sizeof(path), "%s/sock", directory);
#ifdef PLATFORM_LINUX
    xport = xport_unix_connect(path);
    OK(xport != NULL, "a path longer than an address");
    if (xport)
        xport->ops->close(xport);
#else
    OK(!xport_unix_connect(path) && errno == ENAMETOOLONG, "a path too long is said");
#endif
    close(fd);
    unlink(path);
    rmdir(directory);
    directory[base] = '\0';
    rmdir(directory);
}

int main(void)
{
    static const struct battery battery = {"unix", unix_pair, unix_inject, PASSES_DESCRIPTORS};
    battery_run(&battery);
    TEST(paths);
    return tap_done();
}
