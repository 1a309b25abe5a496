/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A simulated task: the real library core (client) over a simulated socket, and the calls a program
 * makes of it. Whatever it sends carries a number and a pattern, so that promise.h can follow it.
 *
 * A task takes every message at once (wildcard receive), unless it was told to take only what it
 * asks for (sim_task_hold), or not even to read its socket (sim_task_set_deaf).
 */
#ifndef SIM_TASK_H
#define SIM_TASK_H

#include "client/client.h"
#include "sim/proc.h"

#include <stdbool.h>
#include <stdint.h>

enum { SIM_TAG_NOTICE = 900000 }; /* tags of notices: this plus |what|; below are data */
enum { SIM_RESULTS_MAX = 256 };

/* One message as a program sees it; the active receive buffer is at its payload. */
struct sim_received {
    uint32_t source;
    int tag;
    uint32_t size_bytes; /* of the payload */
};

/* The last answer a task got, for tests and programs. */
struct sim_answer {
    enum message_type type;
    int32_t status;
    size_t count;
    int32_t results[SIM_RESULTS_MAX];
};

/* A receive that waits (of a task that holds). */
struct sim_wanted {
    struct list link;
    int tid;
    int tag;
};

struct sim_task {
    struct sim_proc *proc;
    struct client *client;
    uint32_t tid;        /* 0 until the daemon answered */
    bool asked;          /* TM_ENROL is on its way */
    bool exiting;        /* TM_EXIT was queued: ends when it is answered */
    bool lost;           /* the daemon closed the connection */
    bool holds;
    bool deaf;
    int exit_wait;
    size_t open_count;   /* requests without an answer */
    struct { int wait; enum message_type type; } *open;
    size_t open_capacity;
    struct list wanted;
    struct map asked_to_share; /* tids: sim/attach.h */
    struct map sharing;        /* tids of those whose memory it has */
    uint32_t share_index;      /* 0 = it cannot */
    bool fds_sent;
    uint64_t received_count;
    uint64_t received_bytes;
    uint64_t notice_count;
    struct sim_answer answer;
};

/* For the process; 0 or -1 without memory. */
int sim_task_create(struct sim_proc *proc);
void sim_task_destroy(struct sim_task *task);
/* Connects and says TM_ENROL. */
void sim_task_enrol(struct sim_task *task);
/* pvm_exit(), then the process ends. */
void sim_task_exit(struct sim_task *task);

/* Each returns what the library returned. |size_bytes| of payload. */
int sim_task_send(struct sim_task *task, uint32_t tid, int tag, uint32_t size_bytes);
int sim_task_mcast(struct sim_task *task, const uint32_t *tids, int count, int tag,
                   uint32_t size_bytes);
int sim_task_spawn(struct sim_task *task, const char *file, int flags, const char *where,
                   int count);
int sim_task_notify(struct sim_task *task, int what, int count, const uint32_t *tids);
int sim_task_addhosts(struct sim_task *task, char *const *names, int count);
int sim_task_delhosts(struct sim_task *task, char *const *names, int count);
int sim_task_signal(struct sim_task *task, uint32_t tid, int signal);
/* TM_CONFIG, TM_TASKS, TM_HALT and so on, with the fields set that they have. */
int sim_task_request(struct sim_task *task, struct message *message);

/* pvm_catchout(): what children spawned from now on print comes here. */
void sim_task_catch_output(struct sim_task *task);
/* From now on it takes only what sim_task_want() asks for. -1 = any. */
void sim_task_hold(struct sim_task *task);
void sim_task_want(struct sim_task *task, int tid, int tag);
void sim_task_set_deaf(struct sim_task *task, bool deaf);

/* ---- for proc.c: the socket ---- */

void sim_task_readable(struct sim_task *task);
void sim_task_writable(struct sim_task *task);
void sim_task_closed(struct sim_task *task);

/* ---- for the checkers ---- */

bool sim_task_is_enrolled(const struct sim_task *task);
static inline bool sim_task_is_deaf(const struct sim_task *task)
{
    return task->deaf;
}
static inline size_t sim_task_open_requests(const struct sim_task *task)
{
    return task->open_count;
}
/* Something of it is under way: enrolling, exiting, unsent frames, unanswered requests. */
bool sim_task_is_busy(const struct sim_task *task);
/* It does not take everything at once: messages may wait for it for ever. */
bool sim_task_holds_messages(const struct sim_host *host, uint32_t tid);
struct sim_task *sim_task_of_tid(const struct sim_host *host, uint32_t tid);
/* Anywhere in the world. */
struct sim_task *sim_world_task(const struct sim_world *world, uint32_t tid);

#endif
