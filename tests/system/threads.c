/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Threads in one task (decision D14), each case a small story that ends with "ok" or with words:
 *
 *   threads CASE [ROUNDS]
 *
 * The stories of threads and tasks that come and go are in threads_life.c.
 * Where a case needs another task, the program spawns itself as "threads CASE peer ROUNDS". A case
 * that hangs is ended by whoever runs it.
 */
#include "threads.h"

int rounds, self;
atomic_int failures;

/* ---- storm: threads of two tasks send to all threads of both ---- */

static int storm_tasks[TASKS];

static int check_sum(const int *body)
{
    return body[0] * 31 + body[1] * 17 + body[2] * 7;
}

static void storm_send(int task, int thread, int to, int sequence)
{
    int body[4] = {task, thread, sequence, 0};
    body[3] = check_sum(body);
    for (int other = 0; other < TASKS; other++)
        if (sequence % 3 == 2)
            expect("psend", pvm_psend(storm_tasks[other], TAG_BASE + to, body, 4, PVM_INT), 0);
        else
            expect("send", send_ints(storm_tasks[other], TAG_BASE + to, body, 4), 0);
}

static void storm_receive(int thread, int next[TASKS][THREADS], int which)
{
    int body[4] = {-1, -1, -1, -1}, length = 0;
    if (which % 2) {
        expect("recv", pvm_recv(-1, TAG_BASE + thread) > 0, 1);
        expect("unpack", pvm_upkint(body, 4, 1), 0);
    } else {
        expect("precv", pvm_precv(-1, TAG_BASE + thread, body, 4, PVM_INT, NULL, NULL, &length), 0);
    }
    if (body[0] < 0 || body[0] >= TASKS || body[1] < 0 || body[1] >= THREADS ||
        body[3] != check_sum(body)) {
        fail("torn", body[3], 0);
        return;
    }
    expect("order", body[2], next[body[0]][body[1]]);
    next[body[0]][body[1]] = body[2] + 1;
}

static void *storm_thread(void *argument)
{
    const int me = (int)(long)argument, task = self == storm_tasks[1];
    int next[TASKS][THREADS] = {0};
    for (int i = 0; i < rounds; i++) {
        for (int to = 0; to < THREADS; to++)
            storm_send(task, me, to, i);
        for (int n = 0; n < TASKS * THREADS; n++)
            storm_receive(me, next, n);
    }
    expect("nothing is left", pvm_nrecv(-1, TAG_BASE + me), 0);
    return NULL;
}

static void storm(int peer)
{
    pthread_t threads[THREADS];
    if (peer) {
        storm_tasks[0] = pvm_parent();
        storm_tasks[1] = self;
    } else {
        storm_tasks[0] = self;
        storm_tasks[1] = spawn_peer("storm");
    }
    start(threads, THREADS, storm_thread);
    join(threads, THREADS);
    int count = failures;
    if (peer) {
        send_ints(pvm_parent(), TAG_DONE, &count, 1);
        return;
    }
    pvm_recv(storm_tasks[1], TAG_DONE);
    pvm_upkint(&count, 1, 1);
    expect("failures of the peer", count, 0);
}

/* ---- share: who takes from one queue takes what nobody else took ---- */

static atomic_char *share_seen;
static atomic_int share_taken;

static void *share_thread(void *argument)
{
    int last = -1;
    for (;;) {
        int number = -2;
        expect("recv", pvm_recv(-1, TAG_ALL) > 0, 1);
        pvm_upkint(&number, 1, 1);
        if (number < 0)
            break;
        expect("taken before", atomic_exchange(&share_seen[number], 1), 0);
        expect("in order", number > last, 1);
        last = number;
        atomic_fetch_add(&share_taken, 1);
    }
    return argument;
}

static void share(int peer)
{
    if (peer) {
        for (int i = 0; i < rounds; i++)
            send_ints(pvm_parent(), TAG_ALL, &i, 1);
        int stop = -1;
        for (int i = 0; i < THREADS; i++)
            send_ints(pvm_parent(), TAG_ALL, &stop, 1);
        return;
    }
    pthread_t threads[THREADS];
    share_seen = calloc((size_t)rounds, sizeof(*share_seen));
    start(threads, THREADS, share_thread);
    spawn_peer("share");
    join(threads, THREADS);
    expect("taken", share_taken, rounds);
}

/* ---- tags: each its own, while one looks without waiting ---- */

static atomic_int tags_done;

static void *tags_thread(void *argument)
{
    const int me = (int)(long)argument;
    for (int i = 0; i < rounds; i++) {
        int body[2] = {-1, -1};
        expect("recv", pvm_recv(-1, TAG_BASE + me) > 0, 1);
        pvm_upkint(body, 2, 1);
        expect("mine", body[0], me);
        expect("in order", body[1], i);
    }
    atomic_fetch_add(&tags_done, 1);
    return NULL;
}

static void tags(int peer)
{
    if (peer) {
        for (int i = 0; i < rounds; i++)
            for (int to = THREADS - 1; to >= 0; to--) {
                int body[2] = {to, i};
                send_ints(pvm_parent(), TAG_BASE + to, body, 2);
            }
        return;
    }
    pthread_t threads[THREADS];
    start(threads, THREADS, tags_thread);
    spawn_peer("tags");
    /* It takes everything in, and none of it is for it. */
    while (tags_done < THREADS)
        expect("nrecv", pvm_nrecv(-1, TAG_NEVER), 0);
    join(threads, THREADS);
}

/* ---- handover: the poller leaves, and another must poll ---- */

static atomic_int handover_got;

static void *handover_thread(void *argument)
{
    expect("recv", pvm_recv(-1, TAG_BASE + (int)(long)argument) > 0, 1);
    atomic_fetch_add(&handover_got, 1);
    return NULL;
}

static void handover(int peer)
{
    if (peer) {
        /* One at a time, and the next not before the last was taken. */
        for (int i = 0; i < rounds * THREADS; i++) {
            pvm_recv(pvm_parent(), TAG_DONE);
            int which;
            pvm_upkint(&which, 1, 1);
            send_empty(pvm_parent(), TAG_BASE + which);
        }
        return;
    }
    const int mate = spawn_peer("handover");
    for (int i = 0; i < rounds; i++) {
        pthread_t threads[THREADS];
        handover_got = 0;
        start(threads, THREADS, handover_thread);
        for (int n = 0; n < THREADS; n++) {
            int which = (n * 3 + i) % THREADS;
            send_ints(mate, TAG_DONE, &which, 1);
            while (handover_got <= n)
                nap_ms(1);
        }
        join(threads, THREADS);
    }
}

/* ---- times: time-outs hold beside threads that wait for ever ---- */

static void *times_thread(void *argument)
{
    const int me = (int)(long)argument;
    struct timeval limit = {0, 100000 + 50000 * me};
    for (int i = 0; i < rounds; i++) {
        const int64_t before_ns = now_ns();
        expect("trecv", pvm_trecv(-1, TAG_NEVER, &limit), 0);
        const int64_t late_ns = now_ns() - before_ns - (int64_t)limit.tv_usec * 1000;
        expect("not early", late_ns >= 0, 1);
        expect("not late", late_ns < 500000000, 1);
    }
    return NULL;
}

static void times(int peer)
{
    pthread_t timed[4], forever[2];
    (void)peer;
    start(&forever[0], 1, forever_thread); /* the poller is one who waits for ever... */
    nap_ms(20);
    start(timed, 4, times_thread);
    join(timed, 4);
    send_empty(self, TAG_DONE);
    join(&forever[0], 1);
    start(timed, 4, times_thread); /* ...or one whose time runs out */
    nap_ms(20);
    start(&forever[1], 1, forever_thread);
    join(timed, 4);
    send_empty(self, TAG_DONE);
    join(&forever[1], 1);
}

/* ---- handlers: they send, whichever thread takes the message in ---- */

static atomic_int handled;

static int handler(int mid)
{
    int bytes, tag, from, value = -1;
    pvm_bufinfo(mid, &bytes, &tag, &from);
    expect("unpack in a handler", pvm_upkint(&value, 1, 1), 0);
    value++;
    pvm_initsend(PvmDataDefault);
    pvm_pkint(&value, 1, 1);
    expect("send in a handler", pvm_send(from, TAG_DONE), 0);
    atomic_fetch_add(&handled, 1);
    return 0;
}

static void *handlers_thread(void *argument)
{
    const int me = (int)(long)argument;
    pvm_initsend(PvmDataDefault);
    const int mid = pvm_getsbuf();
    expect("recv", pvm_recv(-1, TAG_BASE + me) > 0, 1);
    expect("the send buffer stays", pvm_getsbuf(), mid);
    return NULL;
}

static void handlers(int peer)
{
    if (peer) {
        for (int i = 0; i < rounds; i++) {
            int value = i;
            send_ints(pvm_parent(), TAG_ALL, &value, 1);
        }
        for (int i = 0; i < rounds; i++) {
            int value = -1;
            pvm_recv(pvm_parent(), TAG_DONE);
            pvm_upkint(&value, 1, 1);
            expect("answer", value, i + 1);
        }
        for (int to = 0; to < THREADS; to++)
            send_empty(pvm_parent(), TAG_BASE + to);
        int count = failures;
        send_ints(pvm_parent(), TAG_NEVER, &count, 1);
        return;
    }
    if (pvm_addmhf(-1, TAG_ALL, pvm_getcontext(), handler) < 0) {
        printf("skip no message handlers\n");
        exit(0);
    }
    pthread_t threads[THREADS];
    start(threads, THREADS, handlers_thread);
    spawn_peer("handlers");
    join(threads, THREADS);
    int count = -1;
    pvm_recv(-1, TAG_NEVER);
    pvm_upkint(&count, 1, 1);
    expect("failures of the peer", count, 0);
    expect("handled", handled, rounds);
}

/* A matcher is asked about a queue that stands still meanwhile. */
static int odd_tags(int mid, int tid, int tag)
{
    int bytes, found, from;
    (void)tid;
    pvm_bufinfo(mid, &bytes, &found, &from);
    return found == tag && pvm_getrbuf() != mid;
}

static void *matcher_thread(void *argument)
{
    pthread_t threads[THREADS];
    start(threads, THREADS, tags_thread);
    join(threads, THREADS);
    return argument;
}

static void matcher(int peer)
{
    if (peer) {
        tags(1);
        return;
    }
    pthread_t thread;
    pvm_recvf(odd_tags);
    start(&thread, 1, matcher_thread);
    spawn_peer("matcher");
    join(&thread, 1);
}

/* A thread that begins while the only other one is inside a call, in its matcher. */
static pthread_t late;
static atomic_int late_runs;

static void *late_thread(void *argument)
{
    late_runs = 1;
    send_empty(self, TAG_DONE);
    late_runs = 2;
    for (int i = 0; i < rounds; i++)
        expect("late trecv", pvm_nrecv(-1, TAG_NEVER), 0);
    return argument;
}

static int starting_matcher(int mid, int tid, int tag)
{
    int bytes, found, from;
    (void)tid;
    if (!late_runs) {
        start(&late, 1, late_thread);
        while (!late_runs)
            nap_ms(1);
        nap_ms(20);
        expect("nobody is inside beside a matcher", late_runs, 1);
    }
    pvm_bufinfo(mid, &bytes, &found, &from);
    return found == tag;
}

static void beginning(int peer)
{
    (void)peer;
    send_empty(self, TAG_ALL);
    pvm_recvf(starting_matcher);
    expect("recv", pvm_recv(-1, TAG_ALL) > 0, 1);
    expect("recv", pvm_recv(-1, TAG_DONE) > 0, 1);
    join(&late, 1);
}

/* ---- large: all send more than the link takes at once ---- */

enum { LARGE_INTS = 1 << 18 };

static void *large_thread(void *argument)
{
    const int me = (int)(long)argument;
    int *body = malloc(LARGE_INTS * sizeof(*body)), *back = malloc(LARGE_INTS * sizeof(*back));
    for (int i = 0; i < LARGE_INTS; i++)
        body[i] = me * 1000003 + i;
    for (int i = 0; i < rounds; i++) {
        pvm_initsend(i % 2 ? PvmDataInPlace : PvmDataRaw);
        pvm_pkint(body, LARGE_INTS, 1);
        expect("send", pvm_send(self, TAG_BASE + me), 0);
        expect("recv", pvm_recv(self, TAG_BASE + me) > 0, 1);
        memset(back, 0, LARGE_INTS * sizeof(*back));
        pvm_upkint(back, LARGE_INTS, 1);
        expect("the same", memcmp(body, back, LARGE_INTS * sizeof(*back)), 0);
    }
    free(body);
    free(back);
    return NULL;
}

static void large(int peer)
{
    pthread_t threads[THREADS];
    (void)peer;
    start(threads, THREADS, large_thread);
    join(threads, THREADS);
}

/* ---- all ---- */

static const struct {
    const char *name;
    void (*story)(int peer);
    int rounds;
} stories[] = {
    {"storm", storm, 200},        {"share", share, 5000},      {"tags", tags, 500},
    {"handover", handover, 20},   {"times", times, 3},         {"handlers", handlers, 1000},
    {"matcher", matcher, 200},    {"beginning", beginning, 200}, {"leaving", leaving, 60},
    {"own", own, 800},            {"ends", ends, 400},         {"forks", forks, 30},
    {"signals", signals, 60},     {"first", first, 1},         {"cancel", cancel, 30},
    {"large", large, 12},
};

int main(int argc, char **argv)
{
    const int peer = argc > 3 && strcmp(argv[2], "peer") == 0;
    const size_t count = sizeof(stories) / sizeof(stories[0]);
    size_t which = 0;
    while (which < count && (argc < 2 || strcmp(stories[which].name, argv[1]) != 0))
        which++;
    if (which == count)
        return 2;
    rounds = peer ? atoi(argv[3]) : argc > 2 ? atoi(argv[2]) : stories[which].rounds;
    if (strcmp(argv[1], "first") != 0)
        self = pvm_mytid();
    stories[which].story(peer);
    pvm_exit();
    if (failures == 0)
        printf("ok\n");
    return failures != 0;
}
