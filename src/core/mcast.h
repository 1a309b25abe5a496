/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Frames to many: from a task to its daemon one FRAME_MCAST with the list of receivers, from there
 * copies to other hosts, dealt out there as ordinary data with the same body and no copy. The list
 * comes with the first fragment; it is remembered, by the sender's number, until the last.
 *
 * Up to |width| (8) other hosts: each gets its copy from here. More: a tree of two levels
 * (core/mcast_tree.c). At most |width| of them, the relays, get a copy with the list of those
 * behind them too, and pass each fragment on as it comes, one copy for each host.
 * - Every host behind a relay tells it how many fragments it has (DM_MCAST), the relay tells the
 *   source the least of these and its own. The source keeps each fragment until all relays said so.
 * - When a relay goes, or nothing was said for MCAST_STALL_NS, the source sends to each host behind
 *   it directly, from what was confirmed on: a first frame whose list begins with tid 0 and the
 *   index of the fragment that comes next. A host that has more skips what it has: nothing is dealt
 *   out twice; and once it has it from the source it takes it from no relay. The last finished ones
 *   are remembered; of one that is not, what comes twice is dropped by its sequence in the library
 *   (D4).
 * - Whoever is slow gets its copies directly for MCAST_SLOW_NS: a task that sleeps holds up no
 *   other host for longer than one stall.
 * - Memory. A relay gives credit back when all behind it have a fragment, so it holds at most the
 *   window of a flow for each task that sends (MESH_FLOW_WINDOW_BYTES), and passes nothing on to a
 *   host for which more than that is under way already. The source keeps what relays have not
 *   confirmed: as much again, and lent bytes stay in the memory of their sender. Nothing waits in a
 *   circle: relays pass on what the source sent and nothing else, and the source can do without.
 * - When the source's host goes, what is unfinished is torn at each receiver by itself, as ever.
 */
#ifndef CORE_MCAST_H
#define CORE_MCAST_H

#include "core/state.h"

#define MCAST_STALL_NS NODE_SECOND
#define MCAST_IDLE_NS (5 * NODE_SECOND) /* the same for little of a message that goes on later */
#define MCAST_SLOW_NS (10 * NODE_SECOND)
#define MCAST_STUCK_NS (3 * MCAST_IDLE_NS) /* a relay waits no longer */

enum {
    MCAST_WIDTH = 8,               /* copies that a source sends, if the configuration is silent */
    MCAST_TELL_BYTES = 16 * 1024   /* a host says what it has after so many, and at the end */
};

struct mcast_entry {
    uint32_t tid;
    uint64_t sequence;
    bool is_apart; /* on a host of which this daemon has not heard yet: core/early.h */
};

/* Another host that has receivers in the list. */
struct mcast_host {
    uint32_t number;
    uint64_t epoch;
    size_t behind;       /* index of the relay that passes it on; its own = it gets it from here */
    bool is_awaited;     /* it tells what it, and all behind it, have: */
    uint64_t confirmed;  /* so many fragments */
    uint64_t since_ns;   /* it has owed more for so long */
    bool is_passed_over; /* too much is under way to it already: the source will have to */
};

/* A fragment that is kept: by the source to send it again, by a relay for its credit. */
struct mcast_kept {
    struct frame frame;
    struct credit *credit;
};

struct mcast {
    struct list link;   /* sender->mcasts while it is unfinished here */
    uint32_t source;
    uint64_t number;
    uint64_t peer;      /* where it comes from; 0 = here */
    uint64_t source_epoch;
    struct mcast_entry *entries;
    size_t count;
    struct mcast_host *hosts;
    size_t host_count;
    uint64_t seen;      /* fragments dealt out here */
    uint64_t next;      /* index of the next one from |peer| */
    bool is_whole;      /* the last one, or an abort, was among them */
    bool is_tree;       /* some are awaited, or were: in node->mcasts_out when it began here */
    uint64_t told;      /* to |peer|: so many */
    uint64_t untold_bytes;
    struct mcast_kept *kept; /* fragments [kept_from, kept_from + kept_count) */
    uint64_t kept_from;
    size_t kept_count;
    size_t kept_capacity;
};

/* False: it cannot be (and nothing was sent). */
bool mcast_from_task(struct node *node, struct task *task, const struct frame *frame);
/* A MCAST or ABORT frame for this daemon; takes over the reference to |credit|. */
void mcast_from_peer(struct node *node, uint64_t peer, const struct frame *frame,
                     struct credit *credit);
/* DM_MCAST */
void mcast_message(struct node *node, uint64_t peer, const struct message *message);
void mcast_timer(struct node *node, struct timer *timer);
/* The multicasts that |sender| did not finish: their receivers are told. */
void mcasts_abort(struct node *node, struct sender *sender);
/* The same without a word: the node is coming to its end. */
void mcasts_drop(struct sender *sender);
/* The host |peer| is gone: what its tasks did not finish is forgotten, what it was to pass on goes
 * another way. */
void mcasts_forget_peer(struct node *node, uint64_t peer);
void mcasts_fini(struct node *node);

/* ---- mcast_tree.c, for mcast.c ---- */

/* Finds the other hosts of the list and, in the source, who is to be a relay. 0, -1 without
 * memory. */
int mcast_plan(struct node *node, struct mcast *mcast);
/* One fragment to all hosts that get it from here; |rest| is the body behind the list. */
void mcast_pass_on(struct node *node, struct mcast *mcast, const struct frame *frame,
                   struct slice rest);
/* Keeps fragment number |seen|; takes over the reference to |credit|. */
void mcast_keep(struct node *node, struct mcast *mcast, const struct frame *frame,
                struct slice rest, struct credit *credit);
/* Says what is to be said and lets go of what all have. True: nothing is left to do, and it is
 * gone. */
bool mcast_settle(struct node *node, struct mcast *mcast);
/* Passes nothing on any more, and says nothing more of who has it. */
void mcast_stand_alone(struct node *node, struct mcast *mcast);
/* Tells |peer| that this host needs nothing of it from there. */
void mcast_refuse(struct node *node, uint64_t peer, const struct frame *frame);
void mcast_destroy(struct node *node, struct mcast *mcast);
void mcast_watch(struct node *node);

#endif
