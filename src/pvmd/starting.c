/* SPDX-License-Identifier: BSD-3-Clause */
/* The process in front of a new host: see the header. */
#include "pvmd/starting.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <unistd.h>

/* True when |wanted| came; false at the end of the daemon, or when nobody reads our stdout. */
static bool wait_for(int fd, enum starting_word wanted, bool is_held)
{
    for (;;) {
        /* Without events asked for, errors and hang-ups are reported all the same, poll(2). */
        struct pollfd looks[2] = {{.fd = fd, .events = POLLIN}, {.fd = STDOUT_FILENO}};
        char word;
        if (poll(looks, is_held ? 2 : 1, -1) < 0) {
            if (errno != EINTR)
                return false;
            continue;
        }
        if (looks[0].revents) {
            ssize_t got = read(fd, &word, 1);
            if (got == 0 || (got < 0 && errno != EINTR))
                return false;
            if (got > 0 && word == (char)wanted)
                return true;
        } else if (looks[1].revents) {
            return false;
        }
    }
}

int starting_fork(bool is_held)
{
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) < 0)
        return -1;
    pid_t pid = fork();
    if (pid < 0) {
        close(ends[0]);
        close(ends[1]);
        return -1;
    }
    if (pid == 0) {
        close(ends[0]);
        fcntl(ends[1], F_SETFD, FD_CLOEXEC);
        setsid();
        return ends[1];
    }
    close(ends[1]);
    _exit(wait_for(ends[0], is_held ? STARTING_IS_HOST : STARTING_STANDS, is_held) ? 0 : 1);
}

void starting_say(int fd, enum starting_word word)
{
    char byte = (char)word;
    (void)!send(fd, &byte, 1, MSG_NOSIGNAL); /* a parent that is gone is seen by its end */
}
