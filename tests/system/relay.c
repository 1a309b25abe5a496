/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A bad network between daemons on one computer, for tests: a UDP relay that loses, delays,
 * reorders, copies and spoils packets, and cuts connections, by a seed.
 *
 * Each daemon has a *face* here, a port that the others take for its own. What daemon 2 sends to
 * the face of daemon 5 goes to daemon 5 from the face of daemon 2, so that none of them ever sees
 * the real port of another. In two ways:
 *
 *   relay            two faces on 127.0.0.1 for two daemons, of which pvmrelay.py tells: prints
 *                    "NEAR-PORT FAR-PORT", the faces of the far and of the near daemon. The line
 *                    `far ADDRESS PORT` says where the far one is; the near one is whoever last
 *                    sent to NEAR-PORT.
 *   relay SOCKET     any number of daemons: each registers itself at this UNIX socket (falseport.c)
 *                    and gets a face; prints "ready".
 *
 * Then it obeys lines on its standard input, each answered by one line; at end of file it ends. The
 * faults below hold for all packets, or with " @ FROM TO" behind them (numbers of faces, or *) for
 * those on that way. P is of 1000 packets.
 *
 *   drop P             lose P
 *   burst P LENGTH     begin to lose the next 1..LENGTH, at P
 *   delay MS JITTER    hold each back for MS milliseconds, and up to JITTER more
 *   reorder P DEPTH    hold P back until up to DEPTH others have passed, half a millisecond at most
 *   copy P             send P once more, up to 50 ms later
 *   spoil P            change one bit in P
 *   cut 0|1            let nothing through
 *   heal               none of all these
 *   seed N
 *   faces              "NUMBER:PID ..." of the daemons that registered and live
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
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { NEAR = 0, FAR = 1, FACES_MAX = 128 };
enum { PACKET_BYTES_MAX = 65536, HELD_MAX = 64, BURST = 64, LATER_MAX = 65536 };
enum { HOLD_NS = 500000, COPY_SPREAD_NS = 50000000, REST_S = 30 };

struct fault {
    unsigned drop, burst, burst_length, delay_ms, jitter_ms, reorder, depth, copy, spoil, cut;
};

struct packet {
    uint8_t *bytes;
    size_t length;
    int from, to;
    uint64_t due_count; /* of packets that went to the same daemon */
    uint64_t due_ns;
    uint64_t order;     /* of two that are due at once, who came first */
};

struct face {
    int is_used;
    int fd;                  /* of the face; -1 = never opened */
    int registered;          /* connection to the daemon, -1 = it ended, or there is none */
    int pid;
    uint64_t free_ns;        /* it ended: its guardian may still have something to say until then */
    struct sockaddr_in peer; /* where the daemon really is */
    int is_known;
    uint64_t passed;         /* packets to it */
    struct packet held[HELD_MAX];
    int held_count;
};

static struct face faces[FACES_MAX];
static int face_count, listener = -1;
static int stranger_fd; /* what comes from nobody we know goes on from here */
static struct fault faults[FACES_MAX][FACES_MAX], fault_of_all;
static unsigned bursts[FACES_MAX][FACES_MAX]; /* packets still to be lost */
static struct packet later[LATER_MAX];        /* a heap: the one that is due next is at 0 */
static int later_count;
static uint64_t order;
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

/* ---- faces ---- */

static int open_socket(in_addr_t at, unsigned *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(at)};
    socklen_t length = sizeof(address);
    int size = 8 * 1024 * 1024;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
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

/* A face that is free, with a new port; -1 when there are too many. */
static int face_open(in_addr_t at, unsigned *port)
{
    int i = 0;
    while (i < FACES_MAX && faces[i].is_used)
        i++;
    if (i == FACES_MAX)
        return -1;
    faces[i] = (struct face){.is_used = 1, .registered = -1, .fd = open_socket(at, port)};
    for (int k = 0; k < FACES_MAX; k++)
        faults[i][k] = faults[k][i] = fault_of_all;
    face_count = i >= face_count ? i + 1 : face_count;
    return i;
}

static void face_close(int i)
{
    struct face *face = &faces[i];
    for (int k = 0; k < face->held_count; k++)
        free(face->held[k].bytes);
    close(face->fd);
    *face = (struct face){.fd = -1, .registered = -1};
}

/* A daemon says "PORT PID" and is told the port of its face. */
static void registration(void)
{
    char text[64];
    unsigned port, own_port;
    int pid;
    int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    ssize_t got = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
    int i = -1;
    if (got > 0) {
        text[got] = '\0';
        if (sscanf(text, "%u %d", &port, &pid) == 2)
            i = face_open(INADDR_ANY, &own_port);
    }
    if (i < 0) {
        close(fd);
        return;
    }
    faces[i].peer = (struct sockaddr_in){.sin_family = AF_INET,
                                         .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                                         .sin_port = htons((uint16_t)port)};
    faces[i].is_known = 1;
    faces[i].registered = fd;
    faces[i].pid = pid;
    dprintf(fd, "%u\n", own_port);
}

/* Who sent this to the face |at|? -1 = nobody we know: a guardian, which sends from a port of its
 * own. */
static int sender(int at, const struct sockaddr_in *from)
{
    if (listener < 0) {
        int i = !at;
        if (at == FAR || !faces[i].is_known)
            faces[i].peer = *from;
        faces[i].is_known = 1;
        return i;
    }
    for (int i = 0; i < face_count; i++)
        if (faces[i].is_used && faces[i].peer.sin_port == from->sin_port)
            return i;
    return -1;
}

/* ---- packets ---- */

static void pass(int from, int to, const uint8_t *bytes, size_t length)
{
    faces[to].passed++;
    if (!faces[to].is_used || !faces[to].is_known || (from >= 0 && !faces[from].is_used))
        return;
    out += sendto(from < 0 ? stranger_fd : faces[from].fd, bytes, length, 0,
                  (struct sockaddr *)&faces[to].peer, sizeof(faces[to].peer)) >= 0;
}

static int keep(struct packet *packet, int from, int to, const uint8_t *bytes, size_t length)
{
    *packet = (struct packet){.bytes = malloc(length ? length : 1), .length = length,
                              .from = from, .to = to, .order = order++};
    if (!packet->bytes)
        return -1;
    memcpy(packet->bytes, bytes, length);
    return 0;
}

static int is_before(const struct packet *a, const struct packet *b)
{
    return a->due_ns != b->due_ns ? a->due_ns < b->due_ns : a->order < b->order;
}

static void swap(int i, int k)
{
    struct packet packet = later[i];
    later[i] = later[k];
    later[k] = packet;
}

static void send_later(int from, int to, const uint8_t *bytes, size_t length, uint64_t due_ns)
{
    int i = later_count;
    if (i == LATER_MAX || keep(&later[i], from, to, bytes, length) < 0)
        return;
    later[i].due_ns = due_ns;
    later_count++;
    for (; i > 0 && is_before(&later[i], &later[(i - 1) / 2]); i = (i - 1) / 2)
        swap(i, (i - 1) / 2);
}

static void send_first(void)
{
    pass(later[0].from, later[0].to, later[0].bytes, later[0].length);
    free(later[0].bytes);
    later[0] = later[--later_count];
    for (int i = 0, least = 0;; i = least) {
        for (int child = 2 * i + 1; child <= 2 * i + 2 && child < later_count; child++)
            if (is_before(&later[child], &later[least]))
                least = child;
        if (least == i)
            return;
        swap(i, least);
    }
}

/* Of a stranger: what holds for all that goes to |to|, which includes itself. */
static const struct fault *fault_between(int from, int to)
{
    return &faults[from < 0 ? to : from][to];
}

static int is_lost(int from, int to)
{
    const struct fault *fault = fault_between(from, to);
    from = from < 0 ? to : from;
    if (fault->burst && chance(1000) < fault->burst)
        bursts[from][to] = 1 + (unsigned)chance(fault->burst_length);
    if (bursts[from][to] > 0) {
        bursts[from][to]--;
        return 1;
    }
    return fault->cut || chance(1000) < fault->drop;
}

static void take(int from, int to, uint8_t *bytes, size_t length)
{
    const struct fault *fault = fault_between(from, to);
    in++;
    if (is_lost(from, to)) {
        dropped++;
        return;
    }
    uint64_t due_ns = now_ns() + fault->delay_ms * UINT64_C(1000000) +
                      chance(fault->jitter_ms * UINT64_C(1000000));
    if (chance(1000) < fault->copy) {
        send_later(from, to, bytes, length, due_ns + chance(COPY_SPREAD_NS));
        copied++;
    }
    if (length && chance(1000) < fault->spoil) {
        bytes[chance(length)] ^= (uint8_t)(1u << chance(8));
        spoilt++;
    }
    struct face *face = &faces[to];
    int is_held = chance(1000) < fault->reorder && face->held_count < HELD_MAX;
    if (fault->delay_ms || fault->jitter_ms) {
        send_later(from, to, bytes, length, due_ns + (is_held ? chance(4 * HOLD_NS) : 0));
        held_ever += (unsigned)is_held;
        return;
    }
    if (!is_held || keep(&face->held[face->held_count], from, to, bytes, length) < 0) {
        pass(from, to, bytes, length);
        return;
    }
    face->held[face->held_count].due_count = face->passed + 1 + chance(fault->depth);
    face->held[face->held_count++].due_ns = due_ns + HOLD_NS;
    held_ever++;
}

/* Sends what is due; returns nanoseconds until more is, -1 for never. */
static long long release(void)
{
    uint64_t now = now_ns(), next = UINT64_MAX;
    for (int to = 0; to < face_count; to++) {
        struct face *face = &faces[to];
        for (int i = 0; i < face->held_count;) {
            struct packet *packet = &face->held[i];
            if (packet->due_count > face->passed && packet->due_ns > now) {
                next = packet->due_ns < next ? packet->due_ns : next;
                i++;
                continue;
            }
            pass(packet->from, to, packet->bytes, packet->length);
            free(packet->bytes);
            *packet = face->held[--face->held_count];
        }
        if (face->is_used && face->free_ns && face->free_ns < now)
            face_close(to);
    }
    while (later_count > 0 && later[0].due_ns <= now)
        send_first();
    if (later_count > 0 && later[0].due_ns < next)
        next = later[0].due_ns;
    return next == UINT64_MAX ? -1 : (long long)(next > now ? next - now : 0);
}

static void receive(int at)
{
    static uint8_t bytes[PACKET_BYTES_MAX];
    for (int i = 0; i < BURST; i++) {
        struct sockaddr_in address;
        socklen_t address_length = sizeof(address);
        ssize_t length = recvfrom(faces[at].fd, bytes, sizeof(bytes), 0,
                                  (struct sockaddr *)&address, &address_length);
        if (length < 0)
            return;
        take(sender(at, &address), at, bytes, (size_t)length);
    }
}

/* ---- commands ---- */

static int set_fault(const char *line, struct fault *fault)
{
    if (strncmp(line, "heal", 4) == 0) {
        *fault = (struct fault){0};
        return 1;
    }
    return sscanf(line, "drop %u", &fault->drop) == 1 ||
           sscanf(line, "spoil %u", &fault->spoil) == 1 ||
           sscanf(line, "copy %u", &fault->copy) == 1 ||
           sscanf(line, "cut %u", &fault->cut) == 1 ||
           sscanf(line, "burst %u %u", &fault->burst, &fault->burst_length) == 2 ||
           sscanf(line, "delay %u %u", &fault->delay_ms, &fault->jitter_ms) == 2 ||
           sscanf(line, "reorder %u %u", &fault->reorder, &fault->depth) == 2;
}

static int is_named(const char *word, int i)
{
    return strcmp(word, "*") == 0 || atoi(word) == i;
}

static int obey_fault(const char *line)
{
    char from[16] = "*", to[16] = "*";
    const char *where = strchr(line, '@');
    if (where && sscanf(where, "@ %15s %15s", from, to) != 2)
        return 0;
    for (int i = 0; i < FACES_MAX; i++)
        for (int k = 0; k < FACES_MAX; k++)
            if (is_named(from, i) && is_named(to, k) && !set_fault(line, &faults[i][k]))
                return 0;
    return where || set_fault(line, &fault_of_all);
}

static void print_faces(void)
{
    for (int i = 0; i < face_count; i++)
        if (faces[i].is_used && faces[i].registered >= 0)
            printf("%d:%d ", i, faces[i].pid);
    printf("\n");
}

static void obey(const char *line)
{
    char address[64];
    unsigned port;
    unsigned long long seed;
    if (sscanf(line, "far %63s %u", address, &port) == 2) {
        faces[FAR].peer = (struct sockaddr_in){.sin_family = AF_INET,
                                               .sin_port = htons((uint16_t)port)};
        faces[FAR].is_known = inet_pton(AF_INET, address, &faces[FAR].peer.sin_addr) == 1;
        printf("ok\n");
    } else if (sscanf(line, "seed %llu", &seed) == 1) {
        chance_state = seed * 2 + 1;
        printf("ok\n");
    } else if (strncmp(line, "stats", 5) == 0) {
        printf("%lu %lu %lu %lu %lu %lu\n", in, out, dropped, held_ever, spoilt, copied);
    } else if (strncmp(line, "faces", 5) == 0) {
        print_faces();
    } else {
        printf(obey_fault(line) ? "ok\n" : "what?\n");
    }
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

/* ---- the loop ---- */

static void begin(const char *path)
{
    unsigned ports[2];
    if (!path) {
        face_open(INADDR_LOOPBACK, &ports[NEAR]);
        face_open(INADDR_LOOPBACK, &ports[FAR]);
        printf("%u %u\n", ports[FAR], ports[NEAR]);
    } else {
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
        listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (listener < 0 || bind(listener, (struct sockaddr *)&address, sizeof(address)) < 0 ||
            listen(listener, 64) < 0)
            fail(path);
        stranger_fd = open_socket(INADDR_ANY, &ports[NEAR]);
        printf("ready\n");
    }
    fflush(stdout);
}

/* A daemon that closed its connection is dead; its face stays for what others say about it. */
static void look_for_end(struct face *face)
{
    char byte;
    if (read(face->registered, &byte, 1) > 0)
        return;
    close(face->registered);
    face->registered = -1;
    face->free_ns = now_ns() + REST_S * UINT64_C(1000000000);
}

static int turn(void)
{
    struct pollfd fds[2 + 2 * FACES_MAX];
    int count = face_count;
    long long wait_ns = release();
    struct timespec wait = {.tv_sec = (time_t)(wait_ns / 1000000000),
                            .tv_nsec = (long)(wait_ns % 1000000000)};
    for (int i = 0; i < count; i++) {
        fds[2 * i] = (struct pollfd){.fd = faces[i].is_used ? faces[i].fd : -1, .events = POLLIN};
        fds[2 * i + 1] = (struct pollfd){.fd = faces[i].is_used ? faces[i].registered : -1,
                                         .events = POLLIN};
    }
    fds[2 * count] = (struct pollfd){.fd = STDIN_FILENO, .events = POLLIN};
    fds[2 * count + 1] = (struct pollfd){.fd = listener, .events = POLLIN};
    if (ppoll(fds, (nfds_t)(2 * count + 2), wait_ns < 0 ? NULL : &wait, NULL) < 0)
        return errno == EINTR;
    for (int i = 0; i < count; i++) {
        if (fds[2 * i].revents & POLLIN)
            receive(i);
        if (fds[2 * i + 1].revents)
            look_for_end(&faces[i]);
    }
    if (fds[2 * count + 1].revents)
        registration();
    return !fds[2 * count].revents || read_commands();
}

int main(int argc, char **argv)
{
    begin(argc > 1 ? argv[1] : NULL);
    while (turn())
        ;
    return 0;
}
