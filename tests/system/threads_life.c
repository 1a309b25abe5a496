/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Stories of threads that begin and end, of tasks that leave and fork, and of what belongs to a
 * thread: see threads.c, which runs them.
 */
#include "threads.h"

#include <signal.h>
#include <sys/wait.h>

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

/* Joins threads that end when the task leaves. Who had not begun to wait when it did enrols anew,
 * and waits as that task. */
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

void leaving(int peer)
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

void own(int peer)
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

void ends(int peer)
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

void forks(int peer)
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

void signals(int peer)
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

void first(int peer)
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

void cancel(int peer)
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
        while (pvm_nrecv(-1, TAG_ALL) > 0) /* a thread that was cancelled before did not */
            continue;
    }
}
