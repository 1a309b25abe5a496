/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Processes that share memory and kill themselves at every marked point (shm/point.h), the first
 * time they pass it, the second, and so on. All of a group send to each other, small messages and
 * lent ones, more than a first ring holds, and receive at the same time, so each point is met as
 * sender and as receiver. A first run without deaths tells which points there are.
 *
 * The survivors must end by themselves and in time, and have received, whole and in order, every
 * message that the dead one had published (each process counts in memory they all see the stamps
 * it has stored); get all blocks back; and lose nothing among each other.
 *
 *   kill_pair [SECONDS]    goes on with points and times by chance for so long
 */
#include "base/check.h"
#include "base/rng.h"
#include "peers.h"
#include "shm/pair_state.h"
#include "tap.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    POINTS_MAX = 100,
    MESSAGES = 24,
    BURST = 12,
    LIMIT_S = 20,
    LARGE_BYTES = 200000,
    COLLECTING_RUNS = 5,
    TRIES_MAX = 20
};

/* In memory of all. */
static struct shared {
    uint32_t stamped[PEERS_MAX][PEERS_MAX]; /* slots of i's ring to j */
    const char *names[POINTS_MAX];          /* the same addresses in every process */
    uint32_t passed[POINTS_MAX][PEERS_MAX];
} * shared;

/* What the run that begins is about. */
static const char *victim_point; /* NULL: nobody dies, points are collected */
static int victim;
static uint32_t victim_nth;

static struct group *self_group;
static int sends_to; /* whose ring is written to */

/* ---- points ---- */

static void collect(const char *name)
{
    int i = 0;
    while (i < POINTS_MAX - 1 && shared->names[i] && shared->names[i] != name)
        i++;
    shared->names[i] = name;
    shared->passed[i][self_group->self]++;
}

static void at_point(const char *name)
{
    static uint32_t passed;
    if (strcmp(name, "slot stamped") == 0)
        shared->stamped[self_group->self][sends_to]++;
    if (victim_point == name && self_group->self == victim && ++passed == victim_nth)
        kill(getpid(), SIGKILL);
}

static void at_point_first(const char *name)
{
    at_point(name);
    if (self_group->self == 0) /* one of them, for the table has no lock */
        collect(name);
}

/* ---- messages ---- */

static size_t length_of(int message)
{
    static const size_t lengths[] = {0, 8, 24, 25, 72, 73, 16, 5000, 70000, 1000, LARGE_BYTES, 300};
    return lengths[(size_t)message % ARRAY_LEN(lengths)];
}

static uint8_t byte_of(int from, int message, size_t at)
{
    return (uint8_t)(from * 101 + message * 31 + (int)(at % 251) * 7 + (int)(at >> 12));
}

static int fail(const char *words, int peer)
{
    printf("# process %d, peer %d: %s\n", self_group->self, peer, words);
    fflush(stdout);
    _exit(1);
}

/* The third kind lies in private memory, and is copied; others of size lie in the segment. */
static void send_next(struct group *group, int to)
{
    struct peer *peer = &group->peers[to];
    const size_t length = length_of(peer->sent);
    struct buf *buf = NULL;
    uint8_t *bytes = NULL;
    if (length > SHM_INLINE_BYTES_MAX && peer->sent % 3)
        buf = shm_heap_get(group->own.heap, length);
    if (!buf || buf->capacity < length) {
        buf_drop(buf);
        buf = buf_create(length);
    }
    bytes = buf->data;
    for (size_t i = 0; i < length; i++)
        bytes[i] = byte_of(group->self, peer->sent, i);
    const struct slice piece = {.buf = buf, .data = bytes, .length = length};
    const struct parcel parcel = {.tag = peer->sent,
                                  .sequence = (uint64_t)peer->sent,
                                  .pieces = &piece,
                                  .piece_count = 1,
                                  .length = length};
    sends_to = to;
    if (shm_pair_send(peer->pair, &parcel) != SHM_OK)
        fail("sending failed", to);
    buf_drop(buf);
    peer->sent++;
    group_ring(group, to);
}

static void check_bytes(int from, int message, const struct slice *pieces, size_t count)
{
    size_t at = 0;
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < pieces[i].length; k++, at++)
            if (pieces[i].data[k] != byte_of(from, message, at))
                fail("a torn body", from);
}

/* One message, if there is one. Of lent ones the last is held until the next comes. */
static bool take(struct group *group, int from)
{
    struct peer *peer = &group->peers[from];
    struct parcel parcel;
    sends_to = from; /* RELEASE */
    const enum shm_result result = shm_pair_receive(peer->pair, &parcel);
    if (result != SHM_OK && result != SHM_NONE)
        fail("the pair is said to be bad", from);
    if (result == SHM_NONE)
        return false;
    if (parcel.tag != peer->taken || parcel.sequence != (uint64_t)peer->taken)
        fail("a message lost, doubled or torn", from);
    if (parcel.length != length_of(parcel.tag))
        fail("a torn length", from);
    const struct slice whole = {.data = parcel.bytes, .length = parcel.length};
    check_bytes(from, parcel.tag, parcel.pieces ? parcel.pieces : &whole,
                parcel.pieces ? parcel.piece_count : 1);
    if (parcel.pieces) {
        slice_drop(&peer->held);
        peer->held = slice_hold(parcel.pieces[0]);
        peer->held_message = parcel.tag;
    }
    peer->taken++;
    shm_pair_taken(peer->pair);
    return true;
}

/* ---- a process ---- */

/* What a dead or ended peer left is read, then the pair is closed. */
static void bury(struct group *group, int peer)
{
    struct peer *gone = &group->peers[peer];
    if (gone->is_attached) {
        while (take(group, peer))
            ;
        if (gone->pair->in_next != shared->stamped[peer][group->self])
            fail("what it published is lost", peer);
    }
    group_close(group, peer);
    if (gone->held.buf) {
        check_bytes(peer, gone->held_message, &gone->held, 1);
        slice_drop(&gone->held);
    }
}

static bool look_at_all(struct group *group)
{
    bool found = false;
    group_hear(group);
    for (int i = 0; i < group->count; i++) {
        struct peer *peer = &group->peers[i];
        if (i == group->self || !peer->pair)
            continue;
        if (peer->is_gone) {
            bury(group, i);
            found = true;
            continue;
        }
        if (shm_ears_listen(&group->ears) && shm_ears_next(&group->ears, i) == i) {
            if (take(group, i))
                found = true;
            else if (peer->taken % 2) { /* a pair that has been quiet, now and then */
                shm_ears_cool(&group->ears, (uint32_t)i);
                if (shm_pair_has_news(peer->pair))
                    shm_ears_warm(&group->ears, (uint32_t)i);
            }
        }
        if (peer->pair && peer->sent < MESSAGES && peer->sent <= peer->taken + BURST) {
            send_next(group, i);
            found = true;
        }
    }
    return found;
}

static bool is_done(const struct group *group)
{
    for (int i = 0; i < group->count; i++) {
        const struct peer *peer = &group->peers[i];
        if (i != group->self && peer->pair &&
            (peer->sent < MESSAGES || peer->taken < MESSAGES || shm_pair_lent_bytes(peer->pair)))
            return false;
    }
    return true;
}

/* Gives back what is held; then sleeps, unless something came in between. */
static void rest(struct group *group)
{
    for (int i = 0; i < group->count; i++) {
        struct peer *peer = &group->peers[i];
        if (i == group->self || !peer->pair)
            continue;
        if (peer->taken == MESSAGES)
            slice_drop(&peer->held);
        sends_to = i;
        if (shm_pair_release(peer->pair) == SHM_OK)
            group_ring(group, i);
    }
    if (is_done(group))
        return;
    shm_ears_sleep(&group->ears);
    if (!look_at_all(group) && !is_done(group))
        group_sleep(group, -1);
    shm_ears_awake(&group->ears);
}

static int process_main(struct group *group)
{
    self_group = group;
    if (!group_attach(group))
        return 77;
    for (int i = 0; i < group->count; i++)
        if (i != group->self && !group->peers[i].is_attached)
            group_close(group, i);
    for (int i = 0; i < group->count; i++)
        while (i != group->self && group->peers[i].pair && group->peers[i].sent < BURST)
            send_next(group, i);
    while (!is_done(group))
        if (!look_at_all(group))
            rest(group);
    rest(group);
    for (int i = 0; i < group->count; i++)
        if (i != group->self && group->peers[i].pair) {
            slice_drop(&group->peers[i].held);
            group_close(group, i);
        }
    if (shm_heap_stats(group->own.heap).used_bytes != 0)
        fail("blocks are missing", group->self);
    share_own_close(&group->own);
    return buf_live_count() ? fail("buffers are left", group->self) : 0;
}

/* ---- the parent ---- */

/* One run: words that say what is wrong, or NULL. */
static const char *run(int count, bool *died)
{
    int status[PEERS_MAX];
    memset(shared->stamped, 0, sizeof(shared->stamped));
    shm_point_hook = victim_point ? at_point : at_point_first;
    if (!group_run(count, process_main, status, LIMIT_S))
        return "a survivor waits for ever";
    *died = false;
    for (int i = 0; i < count; i++) {
        if (WIFEXITED(status[i]) && WEXITSTATUS(status[i]) == 0)
            continue;
        if (victim_point && i == victim && WIFSIGNALED(status[i]) && WTERMSIG(status[i]) == SIGKILL)
            *died = true;
        else if (WIFEXITED(status[i]) && WEXITSTATUS(status[i]) == 77)
            return "no shared memory";
        else
            return "a survivor failed";
    }
    return NULL;
}

/* The 1st, 2nd, 3rd, 5th, 8th ... time of one point, each time on both sides; again when the run
 * went another way and did not come there so often, the first time until it did. */
static void kill_at(int point)
{
    const uint32_t passed = shared->passed[point][0] / COLLECTING_RUNS + 1;
    const char *wrong = NULL;
    int runs = 0, deaths = 0;
    char what[120];
    victim_point = shared->names[point];
    uint32_t last = 0;
    for (uint32_t nth = 1; nth <= passed && !wrong;) {
        unsigned dead = 0; /* sides that died here at this time */
        for (int i = 0; i < (nth == 1 ? TRIES_MAX : 2) && dead != 3 && !wrong; i++) {
            bool died = false;
            victim = i % 2;
            victim_nth = nth;
            wrong = run(runs++ % 4 == 3 ? 3 : 2, &died);
            dead |= (unsigned)died << victim;
            deaths += died;
        }
        const uint32_t next = nth + MAX_OF(last, 1);
        last = nth;
        nth = next;
    }
    snprintf(what, sizeof(what), "killed at \"%s\"", victim_point);
    if (wrong)
        printf("# %s; process %d at time %u\n", wrong, victim, victim_nth);
    printf("# %d runs, %d deaths\n", runs, deaths);
    if (!wrong && deaths == 0)
        SKIP(what, "no run came there again");
    else
        OK(!wrong, what);
}

static void kill_by_chance(int points, int seconds)
{
    struct rng rng;
    const time_t end = time(NULL) + seconds;
    const char *wrong = NULL;
    int runs = 0, deaths = 0;
    rng_seed(&rng, (uint64_t)end);
    while (time(NULL) < end && !wrong) {
        bool died = false;
        const int point = (int)rng_below(&rng, (uint64_t)points);
        victim_point = shared->names[point];
        victim = (int)rng_below(&rng, 2);
        victim_nth = 1 + (uint32_t)rng_below(&rng, shared->passed[point][0]);
        wrong = run(2 + (int)rng_below(&rng, 2), &died);
        runs++;
        deaths += died;
    }
    if (wrong)
        printf("# %s at \"%s\", process %d, time %u\n", wrong, victim_point, victim, victim_nth);
    printf("# %d runs, %d deaths\n", runs, deaths);
    OK(!wrong, "killed at points by chance");
}

int main(int argc, char **argv)
{
    bool died;
    int points = 0;
    shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(shared != MAP_FAILED);
    const char *wrong = NULL;
    for (int i = 0; i < COLLECTING_RUNS && !wrong; i++)
        wrong = run(3 - i % 2, &died);
    if (wrong && strcmp(wrong, "no shared memory") == 0) {
        printf("1..0 # skip no shared memory here\n");
        return 0;
    }
    if (!OK(!wrong, wrong ? wrong : "nobody dies"))
        return tap_done();
    while (points < POINTS_MAX && shared->names[points])
        points++;
    for (int i = 0; i < points; i++)
        kill_at(i);
    if (argc > 1)
        kill_by_chance(points, atoi(argv[1]));
    return tap_done();
}
