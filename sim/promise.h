/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The checkers: they watch from outside what every task does and gets, and say when a promise is
 * broken (docs/invariants.md has the promises by number).
 *
 * Safety is checked as things happen: order and exactly once, notices after the last message and
 * once each, every request answered once, no tid given twice. What must have happened by the time
 * nothing is under way any more is checked by sim_promises_check_quiet().
 */
#ifndef SIM_PROMISE_H
#define SIM_PROMISE_H

#include "base/map.h"
#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

struct sim_host;
struct sim_world;

struct sim_promises {
    struct map tasks;   /* tid -> struct known_task */
    struct map pairs;   /* (source, destination) -> struct pair */
    struct map watches; /* (watcher, what and subject) -> struct watch */
    struct map applied; /* index of the log -> hash of what it made: promise_host.c */
    struct map terms;   /* -> who led it */
    struct map drops;   /* (who, whose epoch): that was told */
    uint64_t applied_max; /* so much was committed, for somebody applied it */
    struct sim_mboxes *mboxes; /* the model of mailboxes: mbox.h */
    uint64_t removals, removals_false; /* hosts removed; those of which nobody could say why */
    uint64_t rejoins;   /* hosts that gave themselves up */
    uint64_t leaders;   /* how often somebody new led */
    uint64_t messages_sent, messages_received, notices, requests, answers;
    uint64_t next_message;
    uint32_t broken;    /* how many times a promise was broken */
    struct strbuf words; /* what was broken, a line each */
};

void sim_promises_init(struct sim_promises *promises);
void sim_promises_fini(struct sim_promises *promises);
void sim_promise_broken(struct sim_world *world, const char *format, ...) PRINTF_LIKE(2, 3);

/* A daemon named a task |tid|: nobody else may ever have had it. */
void sim_promise_tid_given(struct sim_world *world, uint32_t tid, const char *name,
                           struct sim_host *host);
/* The task is gone. |handed_over|: all it sent had reached its daemon. */
void sim_promise_task_ended(struct sim_world *world, uint32_t tid, bool handed_over);
/* It says TM_EXIT now: it will send nothing more. */
void sim_promise_task_leaves(struct sim_world *world, uint32_t tid);
/* Name of a task, host or daemon for the story; valid until the next four calls. */
const char *sim_tid_name(struct sim_world *world, uint32_t tid);
/* The tid last given to the task of that name, 0 = none; and whether it lives. */
uint32_t sim_tid_of_name(const struct sim_world *world, const char *name);
bool sim_tid_is_live(const struct sim_world *world, uint32_t tid);

/* Message number |id| went from |source| to |destination|. */
void sim_promise_sent(struct sim_world *world, uint32_t source, uint32_t destination, int tag,
                      uint64_t id);
/* |any_tag|: the receiver takes whatever is first; else the first of that tag. */
void sim_promise_received(struct sim_world *world, uint32_t source, uint32_t destination, int tag,
                          uint64_t id, bool any_tag);

/* pvm_notify() by |watcher| was queued; a notice came. |what| as in pvm3.h. Of host notices
 * |subject| is the host's tid; of PvmHostAdd it is 0 and |count| as given. */
void sim_promise_watch(struct sim_world *world, uint32_t watcher, int what, uint32_t subject,
                       int count);
void sim_promise_noticed(struct sim_world *world, uint32_t watcher, int what, uint32_t subject);

/* ---- hosts: promise_host.c ---- */

void sim_promise_hosts_init(struct sim_promises *promises);
void sim_promise_hosts_fini(struct sim_promises *promises);
/* The node of |host| took a step. */
void sim_promise_stepped(struct sim_world *world, struct sim_host *host);
/* |host| applied that |epoch| is no host any more. */
void sim_promise_dropped(struct sim_world *world, struct sim_host *host, uint64_t epoch);
/* |host| is no member any more, by its own judgement. */
void sim_promise_gives_up(struct sim_world *world, const struct sim_host *host);
/* Over all that is replicated: table, mailboxes, requests. */
uint64_t sim_host_state_hash(const struct sim_host *host);
/* A task on |host| does something. */
void sim_promise_acts(struct sim_world *world, const struct sim_host *host, const char *who);

/* Nothing is under way: what was sent has arrived, what ended was told, nothing is held. */
void sim_promises_check_quiet(struct sim_world *world);

#endif
