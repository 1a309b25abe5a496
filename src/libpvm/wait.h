/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How this task waits (docs/datapath.md, "Waiting"): a bounded spin where that has paid lately and
 * a core is to spare, then one sleep on everything that can bring news. And fds[0] of pvm_getfds().
 *
 * With a segment, or once pvm_getfds() was called, the sleep is in one epoll descriptor that holds
 * the socket, the bell (edge-triggered: it is never read) and for the program a second bell that
 * rings exactly while messages wait. Until then it is poll() on the socket.
 */
#ifndef LIBPVM_WAIT_H
#define LIBPVM_WAIT_H

#include <stdbool.h>
#include <stdint.h>

#pragma GCC visibility push(hidden)

/* The link stands, on |socket|: what is to be learnt about this machine is learnt. */
void wait_begin(int socket);
/* It is gone: what waits on is taken out of the task, so that nobody begins to; close it when
 * nobody waits on it any more. */
struct wait_fds {
    int set;
    int shown;
};
struct wait_fds wait_end(void);
void wait_fds_close(struct wait_fds fds);
/* The segment has come; other threads that sleep are woken, to sleep on it too. */
void wait_changed(void);

/* For this wait, in share_ticks(); 0 = sleep at once. */
uint64_t wait_spin_ticks(void);
/* Spins until there is news of |tid| (-1: of anybody), at most as long as has paid lately. The lock
 * is free meanwhile if nobody else could take it. True: there is news. */
bool wait_spin(int tid);
/* A processor that spins says so to its other half. */
static inline void wait_pause(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

/* What the wait is for, and where. */
struct wait_for {
    int64_t deadline_ns; /* of task_now_ns(); INT64_MAX: for ever */
    bool wants_write;    /* room for output too */
    int kick;            /* another descriptor that ends it; -1 */
    int socket, set;     /* wait_prepare() */
};
/* Fills in what only a thread with the lock may look at. */
void wait_prepare(struct wait_for *wait);
/* Sleeps; without the lock. 1 = something may have come, 0 = it is late. A signal ends no wait
 * (CONV-8), but its handler may: by leaving the machine. */
int wait_sleep(const struct wait_for *wait);
/* A sleep found the socket readable since this was last asked. */
bool wait_socket_came(void);
/* A moment, for wait_learn(): a wait that slept is over, and began then. */
uint64_t wait_moment(void);
void wait_learn(uint64_t began);

/* ---- pvm_getfds() ---- */

/* The descriptor to show, or -1: the socket. */
int wait_show(void);
/* The program has it: this task counts as sleeping while it is outside of the library. */
bool wait_is_shown(void);
/* Makes what is shown readable, or not; rings that were heard are forgotten. */
void wait_show_waiting(bool is_waiting);

#pragma GCC visibility pop

#endif
