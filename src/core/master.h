/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the daemon that leads the log does for all: removes the dead, chooses the voters, works on
 * requests to add and delete hosts. It begins when the first command of its term was applied here
 * (then it has everything that was committed before), and ends when the log says so. Whatever it
 * had under way is then dropped: who asked asks the next one (core/command.h).
 */
#ifndef CORE_MASTER_H
#define CORE_MASTER_H

#include "base/list.h"
#include "core/hostfile.h"
#include "core/timer.h"

struct node;

/* A part of struct node. */
struct master_state {
    bool is_begun;
    uint64_t told_master;      /* as everybody here was told last */
    uint64_t told_term;
    bool is_stirred;           /* something new to do came up */
    bool has_doomed;           /* a peer with is_doomed may be there */
    struct hostfile hostfile;  /* the founder's, for defaults */
    struct list jobs;          /* struct add_job: hosts being added, core/addjob.h */
    struct list leaving;       /* struct leave: hosts that go in order, core/leave.h */
    struct list told;          /* struct add_told: who hears when all have applied an addition */
    struct timer timer;        /* TIMER_MASTER: tries again to give its place away */
    bool is_giving_away;
};

void master_init(struct master_state *lead);
void master_fini(struct node *node);
/* After commands were applied: begins, ends, tells everybody here who is master now, and does what
 * a master has to do. In every step, until nothing more is applied. */
void master_run(struct node *node);
void master_timer(struct node *node, struct timer *timer);
/* |epoch| is dead, or (false) lives after all: the master removes it, this one or the next. */
void master_doom(struct node *node, uint64_t epoch, bool is_doomed);
/* The table or the voters changed: who is fed, watched, known as lost. */
void master_members_changed(struct node *node);

#endif
