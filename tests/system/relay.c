/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A bad network between two daemons, for tests: a UDP relay that drops, reorders, copies and
 * spoils.
 *
 * It has two sockets on 127.0.0.1. What arrives at the near one goes out of the far one to the far
 * daemon, and the other way round, so that each daemon takes the relay for the other. It prints
 * "NEAR-PORT FAR-PORT" at the start and then obeys lines on its standard input, each answered by a
 * line; at end of file it ends.
 *
 *   far ADDRESS PORT   where the far daemon is (the near one is whoever last sent to the near
 *   socket)
 *   drop P             lose P of 1000 packets
 *   reorder P DEPTH    hold P of 1000 back until up to DEPTH others have passed, half a millisecond
 *                      at most
 *   spoil P            change one bit in P of 1000
 *   copy P             send P of 1000 once more, later: among the next 1000
 *   stats              in out dropped held spoilt copied
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { NEAR, FAR, SIDES };
enum { PACKET_BYTES_MAX = 65536, HELD_MAX = 64, BURST = 64, HOLD_NS = 500000, COPIES_MAX = 256 };

struct packet {
    uint8_t *bytes;
    size_t length;
    int to;
    uint64_t due_count; /* of packets that went the same way */
    uint64_t due_ns;
};

static int sockets[SIDES];
static struct sockaddr_in peers[SIDES];
static int known[SIDES];
static struct packet held[SIDES][HELD_MAX];
static int held_count[SIDES];
static struct packet copies[COPIES_MAX];
static int copy_count;
static uint64_t passed[SIDES];
static unsigned drop, reorder, depth, spoil, copy;
static unsigned long in, out, dropped, held_ever, spoilt, copied;
static uint64_t chance_state = 88172645463325252u;

static uint64_t chance(uint64_t below)
{
    chance_state ^= chance_state << 13;
    chance_state ^= chance_state >> 7;
    chance_state ^= chance_state << 17;
    return below ? chance_state % below : 0;
}

static uint64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void fail(const char *what)
{
    perror(what);
    exit(1);
}

static int open_socket(unsigned *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t length = sizeof(address);
    int size = 8 * 1024 * 1024;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, length) < 0 ||
        getsockname(fd, (struct sockaddr *)&address, &length) < 0)
        fail("relay: socket");
    if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) < 0)
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
    if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)) < 0)
        setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
    *port = ntohs(address.sin_port);
    return fd;
}

static void pass(int to, const uint8_t *bytes, size_t length)
{
    passed[to]++;
    if (!known[to])
        return;
    out += sendto(sockets[to], bytes, length, 0, (struct sockaddr *)&peers[to],
                  sizeof(peers[to])) >= 0;
}

static int keep(struct packet *packet, int to, const uint8_t *bytes, size_t length)
{
    *packet = (struct packet){.bytes = malloc(length ? length : 1), .length = length, .to = to};
    if (!packet->bytes)
        return -1;
    memcpy(packet->bytes, bytes, length);
    return 0;
}

static void maybe_copy(int to, const uint8_t *bytes, size_t length)
{
    if (chance(1000) >= copy || copy_count == COPIES_MAX)
        return;
    if (keep(&copies[copy_count], to, bytes, length) == 0) {
        copies[copy_count++].due_count = passed[to] + chance(1000);
        copied++;
    }
}

static void take(int from, uint8_t *bytes, size_t length)
{
    int to = !from;
    in++;
    if (chance(1000) < drop) {
        dropped++;
        return;
    }
    maybe_copy(to, bytes, length);
    if (length && chance(1000) < spoil) {
        bytes[chance(length)] ^= (uint8_t)(1u << chance(8));
        spoilt++;
    }
    if (chance(1000) >= reorder || held_count[to] == HELD_MAX) {
        pass(to, bytes, length);
        return;
    }
    struct packet *packet = &held[to][held_count[to]];
    if (keep(packet, to, bytes, length) < 0)
        return;
    packet->due_count = passed[to] + 1 + chance(depth);
    packet->due_ns = now_ns() + HOLD_NS;
    held_count[to]++;
    held_ever++;
}

/* Sends what was held long enough; returns nanoseconds until more is due, -1 for never. */
static long long release(void)
{
    uint64_t now = now_ns(), next = UINT64_MAX;
    for (int to = 0; to < SIDES; to++) {
        for (int i = 0; i < held_count[to];) {
            struct packet *packet = &held[to][i];
            if (packet->due_count > passed[to] && packet->due_ns > now) {
                next = packet->due_ns < next ? packet->due_ns : next;
                i++;
                continue;
            }
            pass(to, packet->bytes, packet->length);
            free(packet->bytes);
            *packet = held[to][--held_count[to]];
        }
    }
    for (int i = 0; i < copy_count;) {
        if (copies[i].due_count > passed[copies[i].to]) {
            i++;
            continue;
        }
        pass(copies[i].to, copies[i].bytes, copies[i].length);
        free(copies[i].bytes);
        copies[i] = copies[--copy_count];
    }
    return next == UINT64_MAX ? -1 : (long long)(next > now ? next - now : 0);
}

static void receive(int side)
{
    static uint8_t bytes[PACKET_BYTES_MAX];
    for (int i = 0; i < BURST; i++) {
        struct sockaddr_in from;
        socklen_t from_length = sizeof(from);
        ssize_t length = recvfrom(sockets[side], bytes, sizeof(bytes), 0, (struct sockaddr *)&from,
                                  &from_length);
        if (length < 0)
            return;
        if (side == NEAR || !known[side]) {
            peers[side] = from;
            known[side] = 1;
        }
        take(side, bytes, (size_t)length);
    }
}

static void obey(const char *line)
{
    char address[64];
    unsigned port;
    if (sscanf(line, "far %63s %u", address, &port) == 2) {
        peers[FAR] = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
        known[FAR] = inet_pton(AF_INET, address, &peers[FAR].sin_addr) == 1;
    } else if (strncmp(line, "stats", 5) == 0) {
        printf("%lu %lu %lu %lu %lu %lu\n", in, out, dropped, held_ever, spoilt, copied);
        fflush(stdout);
        return;
    } else if (sscanf(line, "drop %u", &drop) != 1 && sscanf(line, "spoil %u", &spoil) != 1 &&
               sscanf(line, "copy %u", &copy) != 1 &&
               sscanf(line, "reorder %u %u", &reorder, &depth) != 2) {
        printf("what?\n");
        fflush(stdout);
        return;
    }
    printf("ok\n");
    fflush(stdout);
}

/* Reads commands; 0 at end of file. */
static int read_commands(void)
{
    static char text[4096];
    static size_t length;
    ssize_t got = read(STDIN_FILENO, text + length, sizeof(text) - 1 - length);
    if (got <= 0)
        return got < 0 && errno == EINTR;
    length += (size_t)got;
    text[length] = '\0';
    char *end;
    while ((end = strchr(text, '\n'))) {
        *end = '\0';
        obey(text);
        length -= (size_t)(end + 1 - text);
        memmove(text, end + 1, length + 1);
    }
    return length < sizeof(text) - 1;
}

int main(void)
{
    unsigned ports[SIDES];
    for (int side = 0; side < SIDES; side++)
        sockets[side] = open_socket(&ports[side]);
    printf("%u %u\n", ports[NEAR], ports[FAR]);
    fflush(stdout);
    for (;;) {
        long long wait_ns = release();
        struct timespec wait = {.tv_sec = 0, .tv_nsec = (long)wait_ns};
        struct pollfd fds[] = {{.fd = sockets[NEAR], .events = POLLIN},
                               {.fd = sockets[FAR], .events = POLLIN},
                               {.fd = STDIN_FILENO, .events = POLLIN}};
        if (ppoll(fds, 3, wait_ns < 0 ? NULL : &wait, NULL) < 0 && errno != EINTR)
            fail("relay: poll");
        if (fds[NEAR].revents & POLLIN)
            receive(NEAR);
        if (fds[FAR].revents & POLLIN)
            receive(FAR);
        if (fds[2].revents && !read_commands())
            return 0;
    }
}
