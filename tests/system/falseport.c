/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Makes a daemon tell everybody a false port: loaded by LD_PRELOAD into pvmd, for tests with
 * relay.c.
 *
 * A daemon learns the port of its UDP socket from getsockname(). This one registers the real port
 * at the relay (the UNIX socket in PVM_TEST_RELAY) and answers with that of the relay's face for
 * it. The connection stays open as long as the process lives: so the relay knows when it does not.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dlfcn.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static unsigned face_of(unsigned port)
{
    char text[64];
    unsigned face = 0;
    const char *path = getenv("PVM_TEST_RELAY");
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
        return port;
    dprintf(fd, "%u %d\n", port, (int)getpid());
    ssize_t got = read(fd, text, sizeof(text) - 1);
    if (got <= 0)
        return port;
    text[got] = '\0';
    return sscanf(text, "%u", &face) == 1 ? face : port;
}

int getsockname(int fd, struct sockaddr *address, socklen_t *length)
{
    static int (*real)(int, struct sockaddr *, socklen_t *);
    static unsigned known_port, known_face;
    int kind = 0;
    socklen_t kind_bytes = sizeof(kind);
    if (!real)
        *(void **)&real = dlsym(RTLD_NEXT, "getsockname");
    int status = real(fd, address, length);
    if (status < 0 || !getenv("PVM_TEST_RELAY") ||
        getsockopt(fd, SOL_SOCKET, SO_TYPE, &kind, &kind_bytes) < 0 || kind != SOCK_DGRAM)
        return status;
    /* The port lies at the same place in both families. */
    struct sockaddr_in *inet = (struct sockaddr_in *)address;
    if ((address->sa_family != AF_INET && address->sa_family != AF_INET6) || !inet->sin_port)
        return status;
    if (ntohs(inet->sin_port) != known_port) {
        known_port = ntohs(inet->sin_port);
        known_face = face_of(known_port);
    }
    inet->sin_port = htons((uint16_t)known_face);
    return status;
}
