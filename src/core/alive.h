/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The failure detector (detect/detect.h) as a part of the node: what comes from other daemons is
 * told to it, what it wants said goes out as notes, and what it finds is carried to whom it
 * concerns: the log, the master's list of hosts to remove, and, when this host's own lease is over,
 * everything here (core/rejoin.h). The guardian is told the lease, and whom to tell when this
 * daemon dies.
 */
#ifndef CORE_ALIVE_H
#define CORE_ALIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct node;
struct event;

enum { TOMBSTONES_MAX = 12 };

/* What was told last: a part of struct node. */
struct alive {
    bool is_due;              /* something happened that the detector has not seen */
    uint64_t leader;
    uint64_t term;
    uint64_t lease_until_ns;
    uint64_t tombstones[TOMBSTONES_MAX];
    size_t tombstone_count;
};

/* This daemon is a host from now on. 0, -1 without memory. */
int alive_begin(struct node *node);
void alive_fini(struct node *node);
/* The table, the voters or the master changed. */
void alive_members_changed(struct node *node);
/* Something genuine came from |peer|. */
void alive_heard(struct node *node, uint64_t peer);
/* Takes in what the detector found: before the log is looked at, in every step. */
void alive_listen(struct node *node);
/* Lets it speak: after the log, in every step. */
void alive_speak(struct node *node);
/* |epoch| acts no more for certain. */
void alive_dead(struct node *node, uint64_t epoch, const char *why);
/* UINT64_MAX = not before something else happens. */
uint64_t alive_deadline(const struct node *node);
uint64_t alive_lease_until(const struct node *node);

/* EVENT_PEER_NOTE, EVENT_PEER_TOMBSTONE. */
void alive_note(struct node *node, const struct event *event);
void alive_tombstone(struct node *node, const struct event *event);

#endif
