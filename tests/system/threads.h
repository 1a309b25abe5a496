/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the stories of threads.c (messages) and threads_life.c (threads and tasks that come and go)
 * share. A story says fail() or expect(); words it printed are its end.
 */
#ifndef TESTS_SYSTEM_THREADS_H
#define TESTS_SYSTEM_THREADS_H

#include <pvm3.h>

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

enum { THREADS = 8, TAG_BASE = 100, TAG_ALL = 7, TAG_DONE = 8, TAG_NEVER = 9, TASKS = 2 };

extern int rounds, self;
extern atomic_int failures;

static inline void fail(const char *what, long got, long wanted)
{
    if (atomic_fetch_add(&failures, 1) < 10)
        printf("%s: %ld, wanted %ld\n", what, got, wanted);
}

static inline void expect(const char *what, long got, long wanted)
{
    if (got != wanted)
        fail(what, got, wanted);
}

static inline int64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static inline void nap_ms(int ms)
{
    const struct timespec time = {.tv_nsec = ms * 1000000L};
    nanosleep(&time, NULL);
}

/* |count| threads run |body| with their numbers. */
static inline void start(pthread_t *threads, int count, void *(*body)(void *))
{
    for (long i = 0; i < count; i++)
        if (pthread_create(&threads[i], NULL, body, (void *)i) != 0)
            abort();
}

static inline void join(const pthread_t *threads, int count)
{
    for (int i = 0; i < count; i++)
        pthread_join(threads[i], NULL);
}

static inline int spawn_peer(const char *name)
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

static inline int send_ints(int tid, int tag, int *values, int count)
{
    pvm_initsend(PvmDataRaw);
    pvm_pkint(values, count, 1);
    return pvm_send(tid, tag);
}

static inline int send_empty(int tid, int tag)
{
    return send_ints(tid, tag, NULL, 0);
}

/* A thread that waits until TAG_DONE comes. */
static inline void *forever_thread(void *argument)
{
    expect("recv", pvm_recv(-1, TAG_DONE) > 0, 1);
    return argument;
}

/* ---- threads_life.c; |peer|: as the task that was spawned for it ---- */

void first(int peer);
void own(int peer);
void leaving(int peer);
void signals(int peer);
void forks(int peer);
void cancel(int peer);
void ends(int peer);

#endif
