/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Threads in one task (decision D14), each case a small story that ends with "ok" or with words:
 *
 *   threads CASE [ROUNDS]
 *
 * Where a case needs another task, the program spawns itself as "threads CASE peer ROUNDS". A case
 * that hangs is ended by whoever runs it.
 */
#include <pvm3.h>

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { THREADS = 8, TAG_BASE = 100, TAG_ALL = 7, TAG_DONE = 8, TAG_NEVER = 9, TASKS = 2 };

static int rounds, self;
static atomic_int failures;

static void fail(const char *what, long got, long wanted)
{
    if (atomic_fetch_add(&failures, 1) < 10)
        printf("%s: %ld, wanted %ld\n", what, got, wanted);
}

static void expect(const char *what, long got, long wanted)
{
    if (got != wanted)
        fail(what, got, wanted);
}

static int64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void nap_ms(int ms)
{
    const struct timespec time = {.tv_nsec = ms * 1000000L};
    nanosleep(&time, NULL);
}

/* |count| threads run |body| with their numbers. */
static void start(pthread_t *threads, int count, void *(*body)(void *))
{
    for (long i = 0; i < count; i++)
        if (pthread_create(&threads[i], NULL, body, (void *)i) != 0)
            abort();
}

static void join(const pthread_t *threads, int count)
{
    for (int i = 0; i < count; i++)
        pthread_join(threads[i], NULL);
}

static int spawn_peer(const char *name)
{
    char count[16], story[16], role[] = "peer";
    char *argv[] = {story, role, count, NULL};
    int tid;
    snprintf(story, sizeof(story), "%s", name);
    snprintf(count, sizeof(count), "%d", rounds);
    char file[] = "threads";
    if (pvm_spawn(file, argv, PvmTaskDefault, NULL, 1, &tid) != 1) {
        printf("no peer: %d\n", tid);
        exit(1);
    }
    return tid;
}

static int send_ints(int tid, int tag, int *values, int count)
{
    pvm_initsend(PvmDataRaw);
    pvm_pkint(values, count, 1);
    return pvm_send(tid, tag);
}

static int send_empty(int tid, int tag)
{
    return send_ints(tid, tag, NULL, 0);
}

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

static void *forever_thread(void *argument)
{
    expect("recv", pvm_recv(-1, TAG_DONE) > 0, 1);
    return argument;
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

/* ---- exit: whoever waits is told ---- */

static void *exit_thread(void *argument)
{
    struct timeval limit = {100, 0};
    int body = 0, status = 0;
    switch ((int)(long)argument % 4) {
    case 0:
        status = pvm_recv(-1, -1);
        break;
    case 1:
        status = pvm_recv(self, TAG_NEVER);
        break;
    case 2:
        status = pvm_trecv(-1, TAG_NEVER, &limit);
        break;
    case 3:
        status = pvm_precv(-1, TAG_NEVER, &body, 1, PVM_INT, NULL, NULL, NULL);
        break;
    }
    /* A task that began late is another one than that it waits for. */
    if (status != PvmNoTask || (int)(long)argument % 4 != 1)
        expect("a wait that pvm_exit ends", status, PvmSysErr);
    return NULL;
}

/* Joins threads that end when the task leaves. Who had not begun to wait when it did enrols anew, and
 * waits as that task. */
static void join_leaving(const pthread_t *threads, int count)
{
    for (int n = 0; n < count; n++) {
        struct timespec limit;
        clock_gettime(CLOCK_REALTIME, &limit);
        do {
            pvm_exit();
            limit.tv_nsec += 5000000;
            limit.tv_sec += limit.tv_nsec / 1000000000;
            limit.tv_nsec %= 1000000000;
        } while (pthread_timedjoin_np(threads[n], NULL, &limit) == ETIMEDOUT);
    }
}

static atomic_int told;

static void *leaving_thread(void *argument)
{
    do {
        nap_ms(20);
        expect("exit", pvm_exit(), 0);
    } while (!told);
    return argument;
}

static void leaving(int peer)
{
    (void)peer;
    pvm_setopt(PvmAutoErr, 0);
    for (int i = 0; i < rounds; i++) {
        pthread_t threads[THREADS], other;
        start(threads, THREADS, exit_thread);
        if (i % 3)
            nap_ms(i % 5);
        if (i % 2) {
            told = 0;
            start(&other, 1, leaving_thread);
            expect("main", pvm_recv(-1, TAG_NEVER), PvmSysErr);
            told = 1;
            join(&other, 1);
        } else {
            expect("exit", pvm_exit(), 0);
        }
        join_leaving(threads, THREADS);
        self = pvm_mytid();
        send_empty(self, TAG_ALL);
        expect("and all is well again", pvm_recv(self, TAG_ALL) > 0, 1);
    }
}

/* ---- own: contexts, buffers, errors belong to a thread ---- */

static pthread_barrier_t barrier;

static void *own_thread(void *argument)
{
    const int me = (int)(long)argument;
    expect("begins in the context of the first", pvm_getcontext(), 3);
    expect("no buffers yet", pvm_getsbuf() + pvm_getrbuf(), 0);
    pvm_setcontext(1000 + me);
    pthread_barrier_wait(&barrier);
    for (int i = 0; i < rounds; i++) {
        int body[2] = {me, i}, back[2] = {-1, -1};
        pvm_initsend(PvmDataDefault);
        const int mid = pvm_getsbuf();
        pvm_pkint(body, 1, 1);
        if (i % 16 == 0)
            pthread_barrier_wait(&barrier);
        pvm_pkint(body + 1, 1, 1);
        expect("my send buffer", pvm_getsbuf(), mid);
        pvm_send(self, TAG_ALL);
        const int got = pvm_recv(self, TAG_ALL);
        expect("my receive buffer", pvm_getrbuf(), got);
        pvm_upkint(back, 2, 1);
        expect("of my context", back[0], me);
        expect("in order", back[1], i);
    }
    expect("my context", pvm_getcontext(), 1000 + me);
    expect("an error", pvm_setrbuf(-1), PvmBadParam);
    expect("is mine", strcmp(pvm_strerror(), "Bad parameter"), 0);
    return NULL;
}

static void own(int peer)
{
    pthread_t threads[THREADS];
    (void)peer;
    pvm_setopt(PvmAutoErr, 0);
    pvm_setcontext(3);
    expect("an error of the first", pvm_setrbuf(9999), PvmNoSuchBuf);
    pthread_barrier_init(&barrier, NULL, THREADS);
    start(threads, THREADS, own_thread);
    join(threads, THREADS);
    expect("its context", pvm_getcontext(), 3);
    expect("its error", pvm_errno, PvmNoSuchBuf);
    expect("nothing is left", pvm_probe(-1, -1), 0);
}

/* ---- ends: what a thread leaves active is freed ---- */

static void *ends_thread(void *argument)
{
    int value = 1, hosts, tasks;
    struct pvmhostinfo *infos;
    struct pvmtaskinfo *tasks_found;
    send_ints(self, TAG_ALL, &value, 1);
    pvm_recv(self, TAG_ALL);
    pvm_config(&hosts, NULL, &infos);
    pvm_tasks(0, &tasks, &tasks_found);
    return argument;
}

static void *kept_thread(void *argument)
{
    int value = 77;
    send_ints(self, TAG_ALL, &value, 1);
    *(int *)argument = pvm_recv(self, TAG_ALL);
    pvm_setrbuf(0);
    return NULL;
}

/* pvm_probe() shows it and pvm_setrbuf() opens it, but it is nobody's yet. */
static void *probing_thread(void *argument)
{
    int value = 78;
    send_ints(self, TAG_ALL, &value, 1);
    while ((value = pvm_probe(self, TAG_ALL)) == 0)
        nap_ms(1);
    pvm_setrbuf(value);
    return argument;
}

static void *exit_buffers(void *argument)
{
    int value = 1;
    pvm_initsend(PvmDataDefault);
    pvm_pkint(&value, 1, 1);
    pthread_exit(argument);
}

static void ends(int peer)
{
    pthread_t thread;
    int mid = 0, value = 0;
    (void)peer;
    const int first = pvm_mkbuf(PvmDataDefault);
    for (int i = 0; i < rounds; i++) {
        start(&thread, 1, i % 2 ? ends_thread : exit_buffers);
        join(&thread, 1);
    }
    int highest = first;
    for (int i = 0; i < 16; i++) {
        mid = pvm_mkbuf(PvmDataDefault);
        highest = mid > highest ? mid : highest;
    }
    expect("ids of buffers are used again", highest < 64, 1);
    pthread_create(&thread, NULL, kept_thread, &mid);
    join(&thread, 1);
    pvm_setrbuf(mid);
    pvm_upkint(&value, 1, 1);
    expect("what was put aside stays", value, 77);
    start(&thread, 1, probing_thread);
    join(&thread, 1);
    expect("what was only looked at waits", pvm_recv(self, TAG_ALL) > 0, 1);
    pvm_upkint(&value, 1, 1);
    expect("whole", value, 78);
}

/* ---- forks: a child of a threaded task ---- */

static atomic_int forks_over;

static void *busy_thread(void *argument)
{
    const int me = (int)(long)argument;
    while (!forks_over) {
        int value = me, back = -1;
        send_ints(self, TAG_BASE + me, &value, 1);
        expect("recv", pvm_recv(self, TAG_BASE + me) > 0, 1);
        pvm_upkint(&back, 1, 1);
        expect("mine", back, me);
    }
    return NULL;
}

static void forked_child(int parent)
{
    const int tid = pvm_mytid();
    if (tid <= 0 || tid == parent)
        _exit(2);
    const int status = send_empty(parent, TAG_DONE);
    pvm_exit();
    _exit(status ? 3 : 0);
}

static void *forking_thread(void *argument)
{
    for (int i = 0; i < rounds; i++) {
        const int parent = self;
        const pid_t child = fork();
        if (child == 0)
            forked_child(parent);
        int status = -1;
        while (waitpid(child, &status, 0) < 0 && errno == EINTR)
            continue;
        expect("a child ends", status, 0);
        expect("and was heard of", pvm_recv(-1, TAG_DONE) > 0, 1);
    }
    return argument;
}

static void forks(int peer)
{
    pthread_t threads[4], forking;
    (void)peer;
    start(threads, 4, busy_thread);
    forking_thread(NULL); /* by the first thread, and by another */
    start(&forking, 1, forking_thread);
    join(&forking, 1);
    forks_over = 1;
    join(threads, 4);
}

/* ---- signals: a handler that leaves, wherever the thread is ---- */

static atomic_int terminated;

static void on_term(int number)
{
    (void)number;
    pvm_exit();
    terminated = 1;
}

static void *waiting_thread(void *argument)
{
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, NULL);
    expect("recv", pvm_recv(-1, TAG_NEVER), PvmSysErr);
    return argument;
}

static void *killing_thread(void *argument)
{
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, NULL);
    nap_ms(30);
    kill(getpid(), SIGTERM);
    return argument;
}

/* How the first thread is met: 0 as the poller, 1 asleep while another polls, 2 busy. */
static void signals_once(int how)
{
    pthread_t waiting[2], killing;
    terminated = 0;
    self = pvm_mytid();
    if (how == 1) {
        start(waiting, 2, waiting_thread);
        nap_ms(30);
    }
    start(&killing, 1, killing_thread);
    if (how == 2) {
        while (!terminated) {
            const int tid = pvm_mytid();
            if (send_empty(tid, TAG_ALL) == 0 && !terminated)
                pvm_nrecv(tid, TAG_ALL);
        }
    } else {
        expect("recv", pvm_recv(-1, TAG_NEVER), PvmSysErr);
    }
    join(&killing, 1);
    expect("the handler came to its end", terminated, 1);
    if (how == 1)
        join_leaving(waiting, 2);
    pvm_exit();
}

static void signals(int peer)
{
    struct sigaction action = {.sa_handler = on_term};
    (void)peer;
    pvm_setopt(PvmAutoErr, 0);
    sigaction(SIGTERM, &action, NULL);
    for (int i = 0; i < rounds; i++)
        signals_once(i % 3);
}

/* ---- first: many first calls at once ---- */

static void *first_thread(void *argument)
{
    static atomic_int tid;
    pthread_barrier_wait(&barrier);
    const int mine = pvm_mytid();
    int none = 0;
    expect("enrolled", mine > 0, 1);
    if (!atomic_compare_exchange_strong(&tid, &none, mine))
        expect("one tid", mine, none);
    return argument;
}

static void first(int peer)
{
    pthread_t threads[THREADS];
    (void)peer;
    pthread_barrier_init(&barrier, NULL, THREADS);
    start(threads, THREADS, first_thread);
    join(threads, THREADS);
}

/* ---- cancel: a thread is not cancelled inside, and takes nothing with it ---- */

static void *cancelled_thread(void *argument)
{
    expect("recv", pvm_recv(-1, TAG_ALL) > 0, 1);
    for (;;)
        pthread_testcancel();
    return argument;
}

static void cancel(int peer)
{
    (void)peer;
    for (int i = 0; i < rounds; i++) {
        pthread_t cancelled[2], forever;
        start(cancelled, 2, cancelled_thread);
        start(&forever, 1, forever_thread);
        nap_ms(i % 3 * 5);
        pthread_cancel(cancelled[0]);
        pthread_cancel(cancelled[1]);
        send_empty(self, TAG_ALL);
        send_empty(self, TAG_ALL);
        send_empty(self, TAG_DONE);
        join(cancelled, 2);
        join(&forever, 1);
        while (pvm_nrecv(-1, TAG_ALL) > 0) /* what a thread that was cancelled before did not take */
            continue;
    }
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
