/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Requests under way: each is a record of who asked, which hosts still owe an answer, and what was
 * gathered. Each ends exactly once (promise 2): with its last answer, with the failure of those who
 * owe, after request_timeout, or, unanswered, with the end of the one who asked.
 */
#ifndef CORE_WAIT_H
#define CORE_WAIT_H

#include "core/state.h"

enum wait_kind {
    WAIT_SPAWN,    /* tasks started by several hosts */
    WAIT_TASKS,    /* lists of tasks */
    WAIT_PSTAT,    /* does a task live? */
    WAIT_MSTAT,    /* does a host answer? */
    WAIT_CLOCK,    /* what time is it there? */
    WAIT_ADDHOSTS, /* hosts were added: has everybody heard? */
    WAIT_START,    /* processes of one share of a spawn being started here */
    WAIT_KINDS
};

/* Who asked: a task of this host, or a daemon by its own wait number. */
struct asker {
    struct conn *conn;
    uint64_t peer; /* 0 = a task */
    uint32_t wait;
};

/* One who owes an answer. */
struct wait_part {
    uint64_t host;  /* epoch */
    uint32_t first; /* spawn: which of the tasks */
    uint32_t count;
    bool is_done;
    struct wire_task_list tasks; /* task list: what it answered, in the arena of the wait */
};

struct wait {
    struct list link;
    uint32_t number;       /* names it in messages to others */
    enum wait_kind kind;
    struct asker asker;
    struct timer timer;
    struct wait_part *parts;
    size_t part_count;
    size_t part_capacity;
    size_t parts_open;
    bool is_started;       /* all parts are known: may end */
    uint64_t index;        /* added hosts: of the command */
    struct arena arena;    /* what was gathered */
    struct message request; /* decoded into the arena */
    struct message answer; /* being made, likewise */
    int32_t status;        /* gathered: of pstat and mstat, of a whole request */
    int32_t *tids;         /* spawn, start: one for each task */
    size_t tid_count;
    uint32_t first;        /* start: which task of the call is the first of this share */
    int32_t parent;        /* spawn: the task that asked */
};

/* NULL without memory. */
struct wait *wait_create(struct node *node, enum wait_kind kind, struct asker asker);
/* Decodes the message under way once more, into the wait. 0, or -1 without memory. */
int wait_keep_request(struct node *node, struct wait *wait);
/* |host| owes an answer. NULL without memory. */
struct wait_part *wait_expect(struct node *node, struct wait *wait, uint64_t host, uint32_t first,
                              uint32_t count);
/* All who owe are named: if none does, it ends now. */
void wait_start(struct node *node, struct wait *wait);
/* The open part that |host| owes |number|, or NULL: late, or never asked. */
struct wait *wait_find(const struct node *node, uint32_t number, enum wait_kind kind, uint64_t host,
                       struct wait_part **part);
/* |part| is answered; the last one ends the wait, and it is gone. */
void wait_answered(struct node *node, struct wait *wait, struct wait_part *part);
/* Ends it now with |status| as its answer. */
void wait_fail(struct node *node, struct wait *wait, int32_t status);
void wait_destroy(struct node *node, struct wait *wait);

/* |host| is gone (or hung): every part that it owes ends as its kind says. */
void waits_host_gone(struct node *node, uint64_t host);
/* Nobody wants the answers of |conn| or |peer| any more. */
void waits_forget_conn(struct node *node, const struct conn *conn);
void waits_forget_peer(struct node *node, uint64_t peer);
void wait_timer(struct node *node, struct timer *timer);

/* Sends the answer |message| to whoever asked. */
void asker_answer(struct node *node, const struct asker *asker, const struct message *message);

/* What each kind does: rows of the table in wait.c. */
void spawn_part_lost(struct node *node, struct wait *wait, struct wait_part *part);
void spawn_finish(struct node *node, struct wait *wait);
void start_part_lost(struct node *node, struct wait *wait, struct wait_part *part);
void start_finish(struct node *node, struct wait *wait);
void status_part_lost(struct node *node, struct wait *wait, struct wait_part *part);
void status_finish(struct node *node, struct wait *wait);
void tasklist_finish(struct node *node, struct wait *wait);
void tasklist_part_lost(struct node *node, struct wait *wait, struct wait_part *part);
void clock_finish(struct node *node, struct wait *wait);
void added_part_lost(struct node *node, struct wait *wait, struct wait_part *part);
void added_wait_finish(struct node *node, struct wait *wait);

#endif
