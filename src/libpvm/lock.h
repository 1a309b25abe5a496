/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Threads in one task (decision D14): one lock round the library, one waiter at a time.
 *
 * Every public call that touches the task begins with lock_enter() and ends with lock_leave(); with
 * a single thread both cost a load and a branch. A call that must wait asks lock_wait_begin(): the
 * one who gets true polls for all, without the lock, and then says lock_wait_end(), which wakes the
 * others to look again; who gets false has slept until somebody else's poll found something, or
 * until its deadline, and looks again too. So a message goes to exactly one matching receive, and
 * when the poller leaves another takes over.
 *
 * What belongs to a thread (active buffers, context, last error) is client_thread of client.h.
 */
#ifndef LIBPVM_LOCK_H
#define LIBPVM_LOCK_H

#include <stdbool.h>
#include <stdint.h>

void lock_enter(void);
void lock_leave(void);
/* True: the lock is released, the caller waits for events, then calls lock_wait_end(). False: has
 * waited for another thread's poll, at most until |deadline_ns|; the lock is held again. */
bool lock_wait_begin(int64_t deadline_ns);
/* Takes the lock again. The caller deals with what came, then calls lock_wait_done() so that the
 * other threads look for what is theirs. */
void lock_wait_end(void);
void lock_wait_done(void);
/* Round a function of the program (message handler, matcher): the lock is dropped. */
void lock_drop(void);
void lock_take(void);
/* In the child of a fork: as if nobody held anything. */
void lock_forked(void);

#endif
