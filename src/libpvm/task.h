/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * This process as a task: the client library, its link to the daemon, and the waiting. Every public
 * call goes through here, with the lock held (libpvm/lock.h). The parts: link.h the socket, pairs.h
 * shared memory, wait.h spinning and sleeping.
 *
 * A call that needs the daemon begins with task_enrol() and ends with result(). While a call waits,
 * in either direction, whatever comes in is read and queued (CONV-9).
 */
#ifndef LIBPVM_TASK_H
#define LIBPVM_TASK_H

#include "client/client.h"

#define TASK_FOREVER INT64_MAX

/* The client library of this process, made when first asked for; NULL without memory. */
struct client *task_client(void);
/* 0 when no task. */
int task_tid(void);
/* Connects and enrols if need be. 0, or an error; why is noted on stderr. */
int task_enrol(void);
/* Takes in what has come; does not wait. 1 = something did, 0, or an error. */
int task_pump(void);
/* For a receive from |tid| (-1: anybody) that may find its message at once: takes in what is next
 * of those who could have sent it. 0 or an error; who finds no message then pumps. */
int task_look(int tid);
/* Sends all that waits to be sent. 0 or an error; PvmSysErr: the daemon is gone and so is the
 * tid. */
int task_flush(void);
/* As task_pump(), but waits for something to come until |deadline_ns| of task_now_ns(). 1
 * something came, 0 the time is over, or an error. */
int task_wait(int64_t deadline_ns);
/* The same, for a message of |tid|, or of anybody with -1. */
int task_wait_for(int tid, int64_t deadline_ns);
/* The end of a call that took messages in or out: pvm_getfds()' descriptor is to tell. */
void task_show(void);
/* Waits for the answer to |wait| (an error is passed on). The answer is valid until the next
 * call of task_answer(). 0 or an error. */
int task_answer(int wait, struct message *answer);
/* As task_answer(); the result is the status in the answer, which is a TM_DONE. */
int task_done(int wait);
/* Leaves the virtual machine, in order if the daemon still answers. */
void task_leave(void);
/* The daemon went away from under this task, and it has not enrolled since. */
bool task_was_lost(void);
/* What pvm_getfds() shows: readable while messages wait, as far as the platform can. */
int task_descriptor(void);
int64_t task_now_ns(void);
/* Until |deadline_ns|, rounded up, as poll(2) wants it: in milliseconds, -1 for ever. */
int task_timeout_ms(int64_t deadline_ns);
/* Where the name shown by ps is kept; NULL = none. 0; PvmExists when enrolled. */
int task_set_name(const char *name);

#endif
