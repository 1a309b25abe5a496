/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Waiting: for the person or the script, for messages, for signals, all at once. Nothing else in
 * the console blocks, except inside a command, in the library.
 */
#include "console/console.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

enum { PVM_SOCKETS_MAX = 64 }; /* the console takes part in no direct links, so there is one */

static int signal_pipe[2] = {-1, -1};
static volatile sig_atomic_t signal_interrupt;
static volatile sig_atomic_t signal_end;

static void signal_note(int number)
{
    const int saved = errno;
    if (number == SIGINT)
        signal_interrupt = 1;
    else
        signal_end = number;
    /* A byte ends the poll even when the signal came just before it; a full pipe does too. */
    const ssize_t written = write(signal_pipe[1], "", 1);
    (void)written;
    errno = saved;
}

static int pipe_prepare(int fd)
{
    const int flags = fcntl(fd, F_GETFL);
    return flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) || fcntl(fd, F_SETFD, FD_CLOEXEC);
}

int signals_init(bool interactive)
{
    struct sigaction action = {0};
    if (pipe(signal_pipe) || pipe_prepare(signal_pipe[0]) || pipe_prepare(signal_pipe[1]))
        return -1;
    action.sa_handler = signal_note;
    sigemptyset(&action.sa_mask);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGHUP, &action, NULL);
    if (interactive)
        sigaction(SIGINT, &action, NULL);
    return 0;
}

int signal_pending(void)
{
    return signal_end;
}

/* Empties the pipe; the flags say what came. */
static void signals_read(void)
{
    char bytes[64];
    while (read(signal_pipe[0], bytes, sizeof(bytes)) > 0)
        continue;
}

int console_drain(struct console *console)
{
    int tag;
    int source;
    /* The loss of the daemon is said once, by us. */
    const int report = pvm_setopt(PvmAutoErr, 0);
    int mid;
    while ((mid = pvm_nrecv(-1, -1)) > 0) {
        if (pvm_bufinfo(mid, NULL, &tag, &source) >= 0)
            notice_handle(console, tag, source);
        pvm_freebuf(mid);
    }
    pvm_setopt(PvmAutoErr, report);
    console_announced(console);
    return mid < 0 ? -1 : 0;
}

static int polls_fill(struct pollfd *polls, int fd)
{
    int *sockets;
    int count = 2;
    polls[0] = (struct pollfd){.fd = signal_pipe[0], .events = POLLIN};
    polls[1] = (struct pollfd){.fd = fd, .events = POLLIN}; /* -1 is ignored by poll() */
    const int socket_count = pvm_getfds(&sockets);
    for (int i = 0; i < socket_count && i < PVM_SOCKETS_MAX; i++)
        polls[count++] = (struct pollfd){.fd = sockets[i], .events = POLLIN};
    return socket_count < 0 ? -1 : count;
}

enum wait_result console_wait(struct console *console, int fd)
{
    struct pollfd polls[2 + PVM_SOCKETS_MAX];
    for (;;) {
        if (signal_end)
            return WAIT_TERMINATED;
        if (signal_interrupt) {
            signal_interrupt = 0;
            return WAIT_INTERRUPTED;
        }
        if (console_drain(console))
            return WAIT_LOST;
        if (fd < 0 && job_set_is_empty(&console->jobs))
            return WAIT_IDLE;
        const int count = polls_fill(polls, fd);
        if (count < 0)
            return WAIT_LOST;
        if (poll(polls, (nfds_t)count, -1) < 0) {
            if (errno != EINTR)
                return WAIT_LOST;
            continue;
        }
        if (polls[0].revents)
            signals_read();
        else if (polls[1].revents)
            return WAIT_READABLE;
    }
}
