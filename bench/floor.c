/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The floors: what the machine itself needs, between two processes on two processors, with nothing
 * on top. Prints lines "name value", like patterns.c, so that they stand beside its results.
 *
 *   floor line                    a word handed over and back through one cache line each way
 *   floor wake                    from writing an eventfd to the other's return from epoll_wait,
 *                                 after it has been blocked for 5 ms or more
 *   floor copy SIZE               memcpy by one process alone
 *   floor shared SIZE             ping-pong of two copies each way: into a shared mapping and out
 *   floor unix|udp SIZE           ping-pong over a socketpair, over UDP on loopback
 *
 * MS in the environment is how long to measure, 200 unless told.
 */
#include "timing.h"

#include <netinet/in.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    SIZE_MAX_BYTES = 256 * 1024 * 1024, UDP_MAX_BYTES = 60000, BLOCK_TRIPS = 10, FAST_US = 5,
    SLEEP_US = 6000, SLEEPS_MIN = 20, ASLEEP_NS = 5000000, LINE_BYTES = 128
};

/* One direction of a shared mapping; the counter has its line to itself. */
struct lane {
    _Alignas(LINE_BYTES) atomic_int count;
    _Alignas(LINE_BYTES) char bytes[];
};

struct floor {
    size_t size;
    int side; /* 0 begins and measures, 1 answers */
    int fd;
    int turn;
    char *bytes;
    struct lane *lanes[2];
};

static struct samples samples;

static int die(const char *words)
{
    perror(words);
    exit(1);
}

static void *map_shared(size_t size)
{
    void *const memory =
        mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return memory == MAP_FAILED ? die("mmap"), NULL : memory;
}

/* A spinning pair needs two processors; with one it must give way. */
static void line_wait(atomic_int *count, int value)
{
    for (int spins = 0; atomic_load_explicit(count, memory_order_acquire) != value; spins++)
        if (spins > 10000)
            sched_yield();
}

static void shared_pass(struct floor *floor, int is_sending)
{
    struct lane *const lane = floor->lanes[is_sending ? floor->side : !floor->side];
    if (is_sending) {
        memcpy(lane->bytes, floor->bytes, floor->size);
        atomic_store_explicit(&lane->count, floor->turn, memory_order_release);
        return;
    }
    line_wait(&lane->count, floor->turn);
    memcpy(floor->bytes, lane->bytes, floor->size);
}

static void socket_pass(struct floor *floor, int is_sending)
{
    for (size_t done = 0; done < floor->size;) {
        const ssize_t count = is_sending
                                  ? write(floor->fd, floor->bytes + done, floor->size - done)
                                  : read(floor->fd, floor->bytes + done, floor->size - done);
        if (count <= 0)
            die("floor");
        done += (size_t)count;
    }
}

static void trip(struct floor *floor, void (*pass)(struct floor *, int), int is_last)
{
    floor->turn++;
    if (floor->side == 0)
        floor->bytes[0] = (char)is_last;
    pass(floor, floor->side == 0);
    pass(floor, floor->side != 0);
}

static int64_t trips_until(struct floor *floor, void (*pass)(struct floor *, int), int block,
                           int64_t end_ns)
{
    int64_t trips = 0;
    for (int64_t last = now_ns(); last < end_ns;) {
        for (int i = 0; i < block; i++)
            trip(floor, pass, 0);
        const int64_t now = now_ns();
        samples_add(&samples, (double)(now - last) / 1e3 / block / 2);
        trips += block;
        last = now;
    }
    return trips;
}

static void ping(struct floor *floor, void (*pass)(struct floor *, int), int64_t ns)
{
    floor->bytes = calloc(1, floor->size);
    if (!floor->bytes)
        die("floor");
    if (floor->side == 1) {
        do
            trip(floor, pass, 0);
        while (!floor->bytes[0]);
        return;
    }
    const int64_t warm_trips = trips_until(floor, pass, 1, now_ns() + ns / 10);
    const int is_fast = ns / 10 / warm_trips / 2 < FAST_US * 1000;
    const int64_t begin_ns = now_ns();
    samples.count = 0;
    const int64_t trips = trips_until(floor, pass, is_fast ? BLOCK_TRIPS : 1, begin_ns + ns);
    printf("us %.4f\n", (double)(now_ns() - begin_ns) / 1e3 / (double)trips / 2);
    samples_print(&samples);
    trip(floor, pass, 1);
}

static void make_udp(int fds[2])
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
            die("udp");
    }
    for (int i = 0; i < 2; i++)
        if (connect(fds[i], (struct sockaddr *)&names[1 - i], sizeof(names[0])) < 0)
            die("udp");
}

/* Side 1 waits, as a receiver that has gone to sleep; the stamp comes through shared memory. */
static void wake(int side, int event_fd, _Atomic int64_t *stamp, int64_t ns)
{
    struct epoll_event event = {.events = EPOLLIN};
    int64_t sent_ns = 1;
    uint64_t count = 1;
    if (side == 0) {
        const int64_t end_ns = now_ns() + ns;
        for (int i = 0; sent_ns; i++) {
            sleep_us(SLEEP_US);
            sent_ns = i < SLEEPS_MIN || now_ns() < end_ns ? now_ns() : 0;
            atomic_store(stamp, sent_ns);
            if (write(event_fd, &count, sizeof(count)) != sizeof(count))
                die("eventfd");
        }
        return;
    }
    const int poll_fd = epoll_create1(0);
    if (poll_fd < 0 || epoll_ctl(poll_fd, EPOLL_CTL_ADD, event_fd, &event) < 0)
        die("epoll");
    for (;;) {
        const int64_t before_ns = now_ns();
        if (epoll_wait(poll_fd, &event, 1, -1) != 1)
            die("epoll_wait");
        const int64_t after_ns = now_ns();
        sent_ns = atomic_load(stamp);
        if (!sent_ns)
            break;
        if (read(event_fd, &count, sizeof(count)) != sizeof(count))
            die("eventfd");
        if (sent_ns - before_ns >= ASLEEP_NS)
            samples_add(&samples, (double)(after_ns - sent_ns) / 1e3);
    }
    samples_print(&samples);
}

static void copy(size_t size, int64_t ns)
{
    char *const from = malloc(size);
    char *const into = malloc(size);
    if (!from || !into)
        die("floor");
    memset(from, 1, size);
    memset(into, 2, size);
    int64_t copies = 0, begin_ns = now_ns();
    for (; now_ns() - begin_ns < ns || copies < 2; copies++) {
        memcpy(into, from, size);
        __asm__ volatile("" : : "r"(into) : "memory"); /* each of them counts */
    }
    printf("us %.4f\n", (double)(now_ns() - begin_ns) / 1e3 / (double)copies);
}

static int usage(void)
{
    fputs("usage: floor line|wake, or copy|shared|unix|udp SIZE\n", stderr);
    return 2;
}

int main(int argc, char **argv)
{
    const char *const kind = argc > 1 ? argv[1] : "";
    const char *const ms = getenv("MS");
    const int64_t ns = (ms ? atol(ms) : 200) * 1000000;
    const int is_line = strcmp(kind, "line") == 0, is_wake = strcmp(kind, "wake") == 0;
    const int is_udp = strcmp(kind, "udp") == 0, is_unix = strcmp(kind, "unix") == 0;
    struct floor floor = {.size = sizeof(int)};
    int fds[2] = {-1, -1};
    if (!is_line && !is_wake && argc > 2)
        floor.size = strtoul(argv[2], NULL, 10);
    if (argc != (is_line || is_wake ? 2 : 3) || floor.size == 0 ||
        floor.size > (is_udp ? UDP_MAX_BYTES : SIZE_MAX_BYTES) || ns <= 0)
        return usage();
    if (strcmp(kind, "copy") == 0)
        return copy(floor.size, ns), 0;
    if (!is_line && !is_wake && !is_udp && !is_unix && strcmp(kind, "shared") != 0)
        return usage();
    for (int i = 0; i < 2; i++)
        floor.lanes[i] = map_shared(sizeof(struct lane) + floor.size);
    if (is_udp)
        make_udp(fds);
    if (is_unix && socketpair(AF_UNIX, SOCK_STREAM, 0, fds) < 0)
        die("socketpair");
    if (is_wake && (fds[0] = fds[1] = eventfd(0, 0)) < 0)
        die("eventfd");
    const pid_t child = fork();
    if (child < 0)
        die("fork");
    floor.side = child == 0;
    floor.fd = fds[floor.side];
    pin_to(floor.side);
    if (is_wake)
        wake(floor.side, floor.fd, (_Atomic int64_t *)floor.lanes[0]->bytes, ns);
    else
        ping(&floor, is_udp || is_unix ? socket_pass : shared_pass, ns);
    fflush(stdout);
    if (child)
        waitpid(child, NULL, 0);
    return 0;
}
