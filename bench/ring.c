/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a bare pair (shm/pair.h) costs beside the bare hand-over of a cache line: two threads, each
 * on a processor of its own, over ordinary memory; no bells, no library, nothing but send, receive
 * and taken. One way latency by ping-pong, messages a second one way, and what each call costs
 * alone (ring filled without a reader, then emptied). In turns, medians of the rounds.
 *
 *   ring [ROUNDS] [SIZE]
 */
#include "pair_pair.h"
#include "shm/hints.h"
#include "timing.h"

#include <pthread.h>
#include <string.h>

/* Short rounds, many of them: what others do on the machine spoils some, not the median. */
enum { TRIPS = 2000, STREAM = 50000, ALONE = 400, ALONE_TURNS = 100, ROUNDS_MAX = 1001 };

static struct pair_pair both;
static size_t size = 8;
static struct { _Alignas(128) _Atomic uint64_t value; } lines[2];
static pthread_barrier_t barrier;

static inline void pause_a_little(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

/* ---- the floor ---- */

static void line_write(int own, uint64_t value)
{
    atomic_store_explicit(&lines[own].value, value, memory_order_release);
}

static void line_await(int other, uint64_t value)
{
    while (atomic_load_explicit(&lines[other].value, memory_order_acquire) != value)
        ;
}

static void line_play(int side)
{
    for (uint64_t i = 1; i <= TRIPS; i++) {
        if (side == 0)
            line_write(0, i);
        line_await(1 - side, i);
        if (side == 1)
            line_write(1, i);
    }
}

/* ---- the pair ---- */

static void say(struct shm_pair *pair, uint64_t i)
{
    static _Thread_local _Alignas(64) uint8_t bytes[1024];
    memcpy(bytes, &i, sizeof(i));
    const struct parcel out = {.tag = 1, .sequence = i, .time = i, .bytes = bytes, .length = size};
    if (shm_pair_send(pair, &out) != SHM_OK)
        abort();
}

static void hear(struct shm_pair *pair, uint64_t i)
{
    struct parcel in;
    while (shm_pair_receive(pair, &in) != SHM_OK)
        ;
    if (in.sequence != i)
        abort();
    shm_pair_taken(pair);
}

static void pair_play(int side)
{
    struct shm_pair *pair = side == 0 ? both.a.pair : both.b.pair;
    for (uint64_t i = 1; i <= TRIPS; i++) {
        if (side == 0)
            say(pair, i);
        hear(pair, i);
        if (side == 1)
            say(pair, i);
    }
}

static void stream_play(int side)
{
    if (side == 0) {
        uint8_t bytes[1024] = {0};
        struct parcel out = {.tag = 1, .bytes = bytes, .length = size};
        for (uint64_t i = 0; i < STREAM; i++) {
            out.sequence = i;
            if (shm_pair_send(both.a.pair, &out) != SHM_OK)
                abort();
        }
        while (shm_pair_waiting_slots(both.a.pair) > 0)
            ;
        return;
    }
    uint64_t seen = 0;
    while (seen < STREAM) {
        struct parcel in;
        if (shm_pair_receive(both.b.pair, &in) != SHM_OK)
            continue;
        if (in.sequence != seen)
            abort();
        seen++;
        shm_pair_taken(both.b.pair);
    }
}

/* ---- turns ---- */

typedef void (*play_f)(int side);

static const play_f plays[] = {line_play, pair_play, stream_play};
enum { PLAYS = sizeof(plays) / sizeof(plays[0]) };
static int rounds = 201;

static void *other_side(void *unused)
{
    pin_to(1);
    for (int round = 0; round < rounds; round++)
        for (int i = 0; i < PLAYS; i++) {
            if (plays[i] == line_play)
                line_write(1, 0);
            pthread_barrier_wait(&barrier);
            plays[i](1);
            pthread_barrier_wait(&barrier);
        }
    return unused;
}

static double play(int i)
{
    if (plays[i] == line_play)
        line_write(0, 0);
    pthread_barrier_wait(&barrier);
    const int64_t start = now_ns();
    plays[i](0);
    const double took_ns = (double)(now_ns() - start);
    pthread_barrier_wait(&barrier);
    return took_ns;
}

/* One thread on both sides: nothing moves between processors. */
static void measure_alone(double *send_ns, double *receive_ns)
{
    int64_t sending = 0, receiving = 0;
    for (uint64_t turn = 0; turn < ALONE_TURNS; turn++) {
        const int64_t start = now_ns();
        for (uint64_t i = 0; i < ALONE; i++)
            say(both.a.pair, i);
        const int64_t middle = now_ns();
        for (uint64_t i = 0; i < ALONE; i++)
            hear(both.b.pair, i);
        sending += middle - start;
        receiving += now_ns() - middle;
    }
    *send_ns = (double)sending / ALONE_TURNS / ALONE;
    *receive_ns = (double)receiving / ALONE_TURNS / ALONE;
}

static int order(const void *left, const void *right)
{
    const double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

static double median(double *values)
{
    qsort(values, (size_t)rounds, sizeof(values[0]), order);
    return values[rounds / 2];
}

int main(int argc, char **argv)
{
    static double ns[PLAYS][ROUNDS_MAX];
    double send_ns, receive_ns;
    pthread_t thread;
    rounds = argc > 1 ? atoi(argv[1]) : rounds;
    size = argc > 2 ? (size_t)atoi(argv[2]) : size;
    if (rounds < 1 || rounds > ROUNDS_MAX || size < sizeof(uint64_t) || size > 1024)
        return fputs("usage: ring [ROUNDS] [SIZE]\n", stderr), 2;
    if (!pair_pair_open(&both, 32))
        return fputs("ring: no memory\n", stderr), 1;
    pthread_barrier_init(&barrier, NULL, 2);
    /* The thread first: it would inherit the choice. */
    if (pthread_create(&thread, NULL, other_side, NULL) != 0)
        return fputs("ring: no thread\n", stderr), 1;
    pin_to(0);
    for (int round = 0; round < rounds; round++)
        for (int i = 0; i < PLAYS; i++)
            ns[i][round] = play(i);
    pthread_join(thread, NULL);
    measure_alone(&send_ns, &receive_ns);
    const double line = median(ns[0]) / TRIPS / 2;
    const double pair = median(ns[1]) / TRIPS / 2;
    printf("line_ns %.1f\npair_ns %.1f\nratio %.2f\nrate_per_us %.1f\nsend_ns %.1f\n"
           "receive_ns %.1f\n", line, pair, pair / line, STREAM / (median(ns[2]) / 1e3), send_ns,
           receive_ns);
    pair_pair_close(&both);
    return 0;
}
