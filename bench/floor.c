/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The floor that the system's own sockets set: ping-pong between two processes over a UNIX stream
 * socketpair or over UDP on loopback, with nothing on top. Prints the one-way time in microseconds.
 *
 *   floor unix|udp SIZE REPEATS
 */
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { SIZE_MAX_BYTES = 16 * 1024 * 1024, UDP_MAX_BYTES = 60000, WARM_UP = 20 };

static char bytes[SIZE_MAX_BYTES];

static int make_udp(int fds[2])
{
    struct sockaddr_in names[2];
    for (int i = 0; i < 2; i++) {
        socklen_t length = sizeof(names[i]);
        memset(&names[i], 0, sizeof(names[i]));
        names[i].sin_family = AF_INET;
        names[i].sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        fds[i] = socket(AF_INET, SOCK_DGRAM, 0);
        if (fds[i] < 0 || bind(fds[i], (struct sockaddr *)&names[i], sizeof(names[i])) < 0 ||
            getsockname(fds[i], (struct sockaddr *)&names[i], &length) < 0)
            return -1;
    }
    for (int i = 0; i < 2; i++)
        if (connect(fds[i], (struct sockaddr *)&names[1 - i], sizeof(names[0])) < 0)
            return -1;
    return 0;
}

static int pass(int fd, size_t size, int writing)
{
    for (size_t done = 0; done < size;) {
        const ssize_t count = writing ? write(fd, bytes + done, size - done)
                                      : read(fd, bytes + done, size - done);
        if (count <= 0)
            return -1;
        done += (size_t)count;
    }
    return 0;
}

static double now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static int play(int fd, size_t size, int rounds, int first)
{
    for (int i = 0; i < rounds; i++)
        if (pass(fd, size, first) < 0 || pass(fd, size, !first) < 0)
            return -1;
    return 0;
}

int main(int argc, char **argv)
{
    int fds[2];
    if (argc != 4)
        return fputs("usage: floor unix|udp SIZE REPEATS\n", stderr), 2;
    const size_t size = strtoul(argv[2], NULL, 10);
    const int repeats = (int)strtol(argv[3], NULL, 10);
    const int is_udp = strcmp(argv[1], "udp") == 0;
    if (size == 0 || size > (is_udp ? UDP_MAX_BYTES : SIZE_MAX_BYTES) || repeats < 1)
        return fputs("floor: no such size\n", stderr), 2;
    if (is_udp ? make_udp(fds) < 0 : socketpair(AF_UNIX, SOCK_STREAM, 0, fds) < 0)
        return perror("floor"), 1;
    const pid_t child = fork();
    if (child < 0)
        return perror("floor"), 1;
    if (child == 0) {
        close(fds[0]);
        _exit(play(fds[1], size, WARM_UP + repeats, 0) < 0);
    }
    close(fds[1]);
    if (play(fds[0], size, WARM_UP, 1) < 0)
        return fputs("floor: the other side is gone\n", stderr), 1;
    const double start = now_us();
    if (play(fds[0], size, repeats, 1) < 0)
        return fputs("floor: the other side is gone\n", stderr), 1;
    printf("%.3f\n", (now_us() - start) / repeats / 2);
    waitpid(child, NULL, 0);
    return 0;
}
