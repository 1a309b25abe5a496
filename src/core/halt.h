/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The end of this daemon, in order: its tasks get SIGTERM and a second, then SIGKILL; then it is
 * said to whom it concerns, then EFFECT_STOP (promise 7, DMN-14).
 *
 * pvm_halt() ends all: the master says so to everybody and stops last. Without a master, or when it
 * does not say so, the daemon that was asked says so itself. A signal ends this host alone: the
 * machine goes on without it, also when it was the master (core/leave.h).
 */
#ifndef CORE_HALT_H
#define CORE_HALT_H

#include <stdbool.h>
#include <stdint.h>

struct node;
struct conn;
struct event;
struct message;
struct timer;

enum halt_kind {
    HALT_TOLD,   /* somebody said so; or something went wrong */
    HALT_SAYS,   /* says so to all others, and waits for them */
    HALT_LEAVES  /* goes alone */
};

/* A part of struct node. */
struct halting {
    enum halt_kind kind;
    int32_t status;         /* to leave with */
    uint64_t told;          /* TOLD: who said so; LEAVES: the master that was told */
    uint64_t until_ns;      /* others are not waited for longer */
    bool tasks_are_killed;  /* SIGKILL was sent */
    bool is_asked;          /* the master was asked to halt all, and did not yet */
};

/* Begins; once is enough. */
void halt_begin(struct node *node, enum halt_kind kind, int32_t status, const char *why);
/* It is not this host alone that goes. */
bool halt_is_for_all(const struct node *node);
/* At the end of every step: is it time to stop? */
void halt_check(struct node *node);
void halt_timer(struct node *node);
/* EFFECT_STOP now. */
void node_stop(struct node *node, int32_t status);

/* TM_HALT, DM_HALT, EVENT_STOP. */
void halt_request(struct node *node, struct conn *conn, const struct message *message);
void halt_message(struct node *node, uint64_t peer, const struct message *message);
void halt_signal(struct node *node, const struct event *event);

#endif
