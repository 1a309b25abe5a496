/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The tasks of this host: tids, states, and what belongs to each.
 *
 * A task is a tid with a life: a child of the daemon has one before it connects, and keeps it, when
 * it left PVM, until its process is gone; a process that came by itself has one from enrolment to
 * the end of its connection. The life is the table in task.c. What ending a task means to others is
 * not here: core/life.h.
 */
#ifndef CORE_TASK_H
#define CORE_TASK_H

#include "base/list.h"
#include "base/map.h"
#include "core/sender.h"
#include "core/tid.h"
#include "core/timer.h"
#include "wire/msgs.h"

struct conn;
struct child;

enum task_state {
    TASK_STARTING,  /* its process is being started */
    TASK_STARTED,   /* runs, did not enrol yet */
    TASK_CONNECTED, /* enrolled */
    TASK_CLOSING,   /* its process is gone; its connection is still being read */
    TASK_LEFT,      /* left PVM; its process lives on */
    TASK_ENDED,
    TASK_STATES
};

enum task_happening {
    TASK_GETS_PROCESS, /* the child runs */
    TASK_ENROLS,
    TASK_LEAVES,       /* TM_EXIT */
    TASK_CLOSES,       /* its connection is gone */
    TASK_LOSES_PROCESS,
    TASK_HAPPENINGS
};

/* ti_flag bits, CST-14 */
enum { TASK_FLAG_FORKED = 2, TASK_FLAG_CONNECTED = 4 };

struct task {
    struct list link;      /* in the table, oldest first */
    enum task_state state;
    uint32_t tid;
    int32_t parent;        /* tid, 0 = none, STATUS_PARENT_NOT_SET = hidden */
    uint32_t pid;          /* of the process that enrolled, before that of the child; 0 = unknown */
    uint64_t cookie;       /* by which its process names itself in TM_ENROL; 0 = used or none */
    bool was_forked;       /* started by this daemon */
    bool uses_mailboxes;   /* has put something, or waited */
    bool is_wrapped;       /* enrolled from another process than the one started (NTF-2) */
    char *name;
    struct conn *conn;     /* while CONNECTED or CLOSING */
    struct child *child;   /* its process, while that lives */
    struct sender *sender; /* owned until the end */
    struct list pending;   /* struct pending_frame: came before it enrolled */
    struct list watchers;  /* struct remote_watch: core/notify.h */
    struct list attaches;  /* who will share memory with it once it enrolled: core/share.c */
    struct wire_sink sinks[2]; /* output and trace, as inherited or set */
    struct timer linger;   /* TIMER_LINGER, in CLOSING */
};

/* A frame for a task that has not enrolled yet. */
struct pending_frame {
    struct list link;
    struct frame frame;
    struct credit *credit; /* core/conn.h; NULL = not from a flow */
};

struct task_table {
    struct list tasks;
    size_t count;
    struct map by_tid;
    uint32_t host_number;
    uint32_t last_local; /* local part given last: tids go round before one is used again (promise
                            3) */
    uint32_t tasks_max;  /* 0 = only the space of tids */
};

void task_table_init(struct task_table *table, uint32_t host_number, uint32_t tasks_max);
/* Destroys all tasks. */
void task_table_fini(struct task_table *table);
/* A new task in |state| with the next free tid; |is_taken| says of a tid that somebody may still
 * hold it. NULL: no memory (*status PvmNoMem) or no tid or too many tasks (PvmOutOfRes). */
struct task *task_create(struct task_table *table, enum task_state state, const char *name,
                         bool (*is_taken)(void *context, uint32_t tid), void *context,
                         int32_t *status);
/* Takes it out of the table and frees it with what it owns; |pending|, |watchers| and |attaches|
 * must be empty. */
void task_destroy(struct task_table *table, struct task *task);
struct task *task_find(const struct task_table *table, uint32_t tid);
/* The one that waits for |cookie|, or NULL. */
struct task *task_find_cookie(const struct task_table *table, uint64_t cookie);
/* Moves the task to where |happening| leads and returns that; a happening that cannot be leaves
 * it. */
enum task_state task_happens(struct task *task, enum task_happening happening);
uint32_t task_flags(const struct task *task);
const char *task_state_name(enum task_state state);

#define TASKS_EACH(pos, following, table) LIST_EACH(pos, following, &(table)->tasks)
#define TASK_OF(pos) LIST_ENTRY(pos, struct task, link)

#endif
