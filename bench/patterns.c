/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What is measured between tasks, written once against world.h for PVM and MPI. Rank 0 prints lines
 * "name value".
 *
 *   patterns PATTERN n=RANKS [size=BYTES] [ms=HOW_LONG] [count=N] [mode=MODE] [pin=none|one|spread]
 *
 *   ping     ranks i and i + n/2 play ping-pong, all pairs at once
 *   asleep   one way to a receiver that has been blocked for 5 ms or more
 *   out      rank 0 sends windows to each of the others; with n=2 this is the rate of one pair
 *   in       each of the others sends windows to rank 0, which asks for them by rank
 *   any      the same, and rank 0 takes them as they come
 *   queue    count messages wait, then are received in the reverse order of their tags
 *   all      everyone sends one message to everyone, and what that costs in memory
 *   idle     everyone but rank 0 is blocked until rank 0's standard input ends
 *
 * Measured for ms milliseconds after a warm-up of a tenth of it: the first word of a message says
 * whether it is the last, so nobody needs to know beforehand how many there will be.
 */
#include "world.h"

#include "timing.h"

#include <string.h>
#include <unistd.h>

enum {
    TAG = 1, TAG_ANSWER, TAG_READY, TAG_GO, TAG_DONE, TAG_QUEUE,
    SMALL = 8, WINDOW = 64, SLEEP_US = 6000, SLEEPS_MIN = 20, ASLEEP_NS = 5000000,
    BLOCK_TRIPS = 10, FAST_US = 5
};

static struct {
    int n, count, pin;
    size_t size;
    int64_t ns;
    char mode[16];
} options = {2, 1000, 0, SMALL, 200000000, "psend"};

static int rank;
static struct samples samples;

/* Everyone is there and waits; then rank 0 lets them go. */
static void barrier(void)
{
    int word[2] = {0, 0};
    for (int i = 1; i < options.n && rank == 0; i++)
        world_get(WORLD_ANY, TAG_READY, word, sizeof(word));
    for (int i = 1; i < options.n && rank == 0; i++)
        world_put(i, TAG_GO, word, sizeof(word));
    if (rank != 0) {
        world_put(0, TAG_READY, word, sizeof(word));
        world_get(0, TAG_GO, word, sizeof(word));
    }
}

static void trip(int peer, int *bytes, int is_last)
{
    bytes[0] = is_last;
    world_put(peer, TAG, bytes, options.size);
    world_get(peer, TAG, bytes, options.size);
}

/* Returns the number of trips until |end_ns|; each block of them is a sample. */
static int64_t trips_until(int peer, int *bytes, int block, int64_t end_ns)
{
    int64_t trips = 0;
    for (int64_t last = now_ns(); last < end_ns;) {
        for (int i = 0; i < block; i++)
            trip(peer, bytes, 0);
        const int64_t now = now_ns();
        samples_add(&samples, (double)(now - last) / 1e3 / block / 2);
        trips += block;
        last = now;
    }
    return trips;
}

struct lead { /* what one pair did: 8 bytes each */
    int64_t trips, begin_ns, end_ns;
};

static struct lead ping_lead(int peer, int *bytes)
{
    const int64_t warm_trips = trips_until(peer, bytes, 1, now_ns() + options.ns / 10);
    const int is_fast = options.ns / 10 / warm_trips / 2 < FAST_US * 1000;
    struct lead lead = {0, now_ns(), 0};
    samples.count = 0;
    lead.trips = trips_until(peer, bytes, is_fast ? BLOCK_TRIPS : 1, lead.begin_ns + options.ns);
    lead.end_ns = now_ns();
    trip(peer, bytes, 1);
    return lead;
}

static void ping(void)
{
    const int pairs = options.n / 2;
    int *const bytes = calloc(1, options.size);
    if (!bytes)
        exit(1);
    barrier();
    if (rank >= pairs) {
        do {
            world_get(rank - pairs, TAG, bytes, options.size);
            world_put(rank - pairs, TAG, bytes, options.size);
        } while (!bytes[0]);
        return;
    }
    struct lead lead = ping_lead(rank + pairs, bytes);
    if (rank != 0) {
        world_put(0, TAG_DONE, &lead, sizeof(lead));
        return;
    }
    for (int i = 1; i < pairs; i++) {
        struct lead other;
        world_get(i, TAG_DONE, &other, sizeof(other));
        lead.trips += other.trips;
        lead.begin_ns = other.begin_ns < lead.begin_ns ? other.begin_ns : lead.begin_ns;
        lead.end_ns = other.end_ns > lead.end_ns ? other.end_ns : lead.end_ns;
    }
    printf("us %.4f\n", (double)(lead.end_ns - lead.begin_ns) / 1e3 / (double)lead.trips / 2);
    if (pairs == 1)
        samples_print(&samples);
}

static void asleep(void)
{
    int64_t word = 0, before;
    if (rank == 0) {
        const int64_t end_ns = now_ns() + options.ns;
        for (int i = 0; i == 0 || word; i++) {
            sleep_us(SLEEP_US);
            word = i < SLEEPS_MIN || now_ns() < end_ns ? now_ns() : 0;
            world_put(1, TAG, &word, sizeof(word));
        }
        world_get(1, TAG_DONE, &samples, sizeof(samples));
        samples_print(&samples);
        return;
    }
    for (;;) {
        before = now_ns();
        world_get(0, TAG, &word, sizeof(word));
        if (!word)
            break;
        if (word - before >= ASLEEP_NS)
            samples_add(&samples, (double)(now_ns() - word) / 1e3);
    }
    world_put(0, TAG_DONE, &samples, sizeof(samples));
}

/* The side of a stream that the others answer: they hold their windows until it says to go on. */
static void stream_lead(int is_sender, int is_any)
{
    int word[2] = {0, 0};
    int64_t rounds = 0, begin_ns = now_ns();
    for (int is_warm = 0; !word[0]; rounds++) {
        const int64_t passed_ns = now_ns() - begin_ns;
        if (!is_warm && passed_ns > options.ns / 10) {
            is_warm = 1;
            rounds = 0;
            begin_ns = now_ns();
        }
        word[0] = is_warm && passed_ns > options.ns;
        for (int i = 1; i < options.n && is_sender; i++)
            world_put_many(i, TAG, word, SMALL, WINDOW);
        for (int i = 1; i < options.n; i++) {
            int heard[2];
            if (is_sender)
                world_get(i, TAG_ANSWER, heard, SMALL);
            else if (!is_any)
                world_get_many(i, TAG, heard, SMALL, WINDOW);
            else
                for (int k = 0; k < WINDOW; k++)
                    world_get(WORLD_ANY, TAG, heard, SMALL);
        }
        for (int i = 1; i < options.n && !is_sender; i++)
            world_put(i, TAG_ANSWER, word, SMALL);
    }
    printf("per_s %.0f\n", (double)rounds * (options.n - 1) * WINDOW * 1e9 /
                               (double)(now_ns() - begin_ns));
}

static void stream(int is_sender, int is_any)
{
    int word[2] = {0, 0};
    barrier();
    if (rank == 0) {
        stream_lead(is_sender, is_any);
        return;
    }
    while (!word[0]) {
        if (is_sender) {
            world_get_many(0, TAG, word, SMALL, WINDOW);
            world_put(0, TAG_ANSWER, word, SMALL);
        } else {
            world_put_many(0, TAG, word, SMALL, WINDOW);
            world_get(0, TAG_ANSWER, word, SMALL);
        }
    }
}

static void out(void)
{
    stream(1, 0);
}

static void in(void)
{
    stream(0, 0);
}

static void any(void)
{
    stream(0, 1);
}

static void queue(void)
{
    int word[2] = {0, 0};
    const int tag_end = TAG_QUEUE + options.count;
    if (rank == 1) {
        for (int i = 0; i <= options.count; i++) {
            word[0] = i;
            world_put(0, TAG_QUEUE + i, word, SMALL);
        }
        world_get(0, TAG_DONE, word, SMALL); /* stay: what a task sent may go with it elsewhere */
        return;
    }
    world_get(1, tag_end, word, SMALL);
    const int64_t begin_ns = now_ns();
    for (int i = options.count - 1; i >= 0; i--) {
        world_get(1, TAG_QUEUE + i, word, SMALL);
        if (word[0] != i) {
            fprintf(stderr, "the message of tag %d is that of %d\n", i, word[0]);
            exit(1);
        }
    }
    printf("us %.4f\n", (double)(now_ns() - begin_ns) / 1e3 / options.count);
    world_put(1, TAG_DONE, word, SMALL);
}

/* KiB of |name| in smaps_rollup summed over |pids|. */
static double memory_kib(const int pids[], const char *name)
{
    double sum = 0;
    for (int i = 0; i < options.n; i++) {
        char path[64], line[256];
        snprintf(path, sizeof(path), "/proc/%d/smaps_rollup", pids[i]);
        FILE *const file = fopen(path, "r");
        while (file && fgets(line, sizeof(line), file))
            if (strncmp(line, name, strlen(name)) == 0)
                sum += atof(line + strlen(name));
        if (file)
            fclose(file);
    }
    return sum;
}

static void all_lead(const int pids[])
{
    int word[2] = {0, 0};
    const double pairs = (double)options.n * (options.n - 1);
    const double before_kib = memory_kib(pids, "Pss:");
    printf("idle_kib %.1f\n", before_kib / options.n);
    const int64_t begin_ns = now_ns();
    for (int i = 1; i < options.n; i++)
        world_put(i, TAG_GO, word, SMALL);
    for (int i = 1; i < options.n; i++) {
        world_put(i, TAG, word, SMALL);
        world_get(WORLD_ANY, TAG, word, SMALL);
    }
    for (int i = 1; i < options.n; i++)
        world_get(WORLD_ANY, TAG_DONE, word, SMALL);
    const double passed_ns = (double)(now_ns() - begin_ns);
    printf("s %.3f\nper_s %.0f\n", passed_ns / 1e9, pairs * 1e9 / passed_ns);
    printf("pair_bytes %.0f\n", (memory_kib(pids, "Pss:") - before_kib) * 1024 / pairs);
    printf("shared_kib %.1f\n", memory_kib(pids, "Pss_Shmem:") / options.n);
    for (int i = 1; i < options.n; i++)
        world_put(i, TAG_GO, word, SMALL);
}

static void all(void)
{
    static int pids[WORLD_MAX];
    int word[2] = {getpid(), 0};
    if (rank == 0) {
        pids[0] = word[0];
        for (int i = 1; i < options.n; i++) {
            const int from = world_get(WORLD_ANY, TAG_READY, word, SMALL);
            pids[from] = word[0];
        }
        all_lead(pids);
        return;
    }
    world_put(0, TAG_READY, word, SMALL);
    world_get(0, TAG_GO, word, SMALL);
    for (int i = 1; i < options.n; i++) {
        world_put((rank + i) % options.n, TAG, word, SMALL);
        world_get(WORLD_ANY, TAG, word, SMALL);
    }
    world_put(0, TAG_DONE, word, SMALL);
    world_get(0, TAG_GO, word, SMALL);
}

static void idle(void)
{
    int word[2] = {0, 0};
    if (rank != 0) {
        world_put(0, TAG_READY, word, SMALL);
        world_get(0, TAG_GO, word, SMALL);
        return;
    }
    for (int i = 1; i < options.n; i++)
        world_get(WORLD_ANY, TAG_READY, word, SMALL);
    puts("ready");
    fflush(stdout);
    while (getchar() != EOF)
        ;
    for (int i = 1; i < options.n; i++)
        world_put(i, TAG_GO, word, SMALL);
}

static const struct {
    const char *name;
    void (*play)(void);
} patterns[] = {
    {"ping", ping}, {"asleep", asleep}, {"out", out}, {"in", in},
    {"any", any},   {"queue", queue},   {"all", all}, {"idle", idle},
};

static int option_read(const char *word)
{
    long number = 0;
    char text[16] = "";
    char name[16] = "";
    if (sscanf(word, "%15[a-z]=%15s", name, text) != 2)
        return -1;
    number = strtol(text, NULL, 10);
    if (strcmp(name, "n") == 0 && number >= 2 && number <= WORLD_MAX)
        options.n = (int)number;
    else if (strcmp(name, "size") == 0 && number >= SMALL && number % 4 == 0)
        options.size = (size_t)number;
    else if (strcmp(name, "ms") == 0 && number > 0)
        options.ns = number * 1000000;
    else if (strcmp(name, "count") == 0 && number > 0)
        options.count = (int)number;
    else if (strcmp(name, "mode") == 0)
        memcpy(options.mode, text, sizeof(text));
    else if (strcmp(name, "pin") == 0)
        options.pin = text[0];
    else
        return -1;
    return 0;
}

int main(int argc, char **argv)
{
    size_t which = 0;
    const size_t count = sizeof(patterns) / sizeof(patterns[0]);
    while (which < count && (argc < 2 || strcmp(argv[1], patterns[which].name) != 0))
        which++;
    for (int i = 2; i < argc; i++)
        if (option_read(argv[i]) < 0)
            which = count;
    if (which == count)
        return fputs("usage: patterns PATTERN n=RANKS [NAME=VALUE...]\n", stderr), 2;
    /* Before the library looks at how many processors there are. */
    if (options.pin == 'o')
        pin_to(0);
    rank = world_open(argc, argv, options.n, options.mode);
    if (options.pin == 's')
        pin_to(rank);
    patterns[which].play();
    world_close();
    return 0;
}
