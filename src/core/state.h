/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * struct node from inside: the tables of one daemon, each explained where it is used, and the few
 * helpers that all request files need to speak: effects, messages, log lines.
 *
 * Memory that runs out. A request that cannot be kept ends with PvmNoMem. What cannot be given up
 * without breaking a promise (an effect, an entry of the log) goes through node_effect() and
 * node_fatal(): the rest of the step is void, and the daemon stops.
 */
#ifndef CORE_STATE_H
#define CORE_STATE_H

#include "base/heap.h"
#include "core/alive.h"
#include "core/command.h"
#include "core/conn.h"
#include "core/halt.h"
#include "core/host.h"
#include "core/hostfile.h"
#include "core/join.h"
#include "core/lost.h"
#include "core/master.h"
#include "core/mbox.h"
#include "core/node.h"
#include "core/status.h"
#include "core/task.h"
#include "core/timer.h"
#include "detect/detect.h"
#include "log/log.h"

enum node_state {
    NODE_CREATED,  /* before EVENT_START */
    NODE_JOINING,  /* until the log says that we are a host */
    NODE_RUNNING,
    NODE_HALTING,  /* ends its tasks */
    NODE_LOST,     /* its lease is over: nothing happens until node_rejoin() */
    NODE_STOPPED   /* EFFECT_STOP was given: nothing happens any more */
};

enum {
    GHOSTS_MAX = 1024, /* ended tasks remembered beyond those with flows under way */
    MCASTS_DONE = 256  /* multicasts remembered, in case one comes again by another way */
};

#define NODE_SECOND UINT64_C(1000000000)
#define HALT_TASKS_NS NODE_SECOND            /* tasks may take so long to follow SIGTERM */
#define HALT_HOSTS_NS (2 * NODE_SECOND)      /* the master waits so long for the others */
#define ADD_ANSWER_NS (2 * NODE_SECOND)      /* for all hosts to apply the new table */
#define ADD_ITEM_NS (90 * NODE_SECOND)       /* from the start of a host to its DM_READY */
#define PARTING_NS (2 * NODE_SECOND)         /* a deleted host may take so long to say goodbye */
#define LINGER_NS NODE_SECOND                /* an open socket of a dead process */
#define DEAD_AFTER_NS (5 * NODE_SECOND)      /* when the configuration does not say */
#define HALT_ASK_NS NODE_SECOND              /* the master may take so long to say halt */
#define READY_AGAIN_NS NODE_SECOND           /* a new host asks whether it is one */
#define REJOIN_NS (60 * NODE_SECOND)         /* one that lost its lease seeks the others so long */
#define REJOIN_AGAIN_NS NODE_SECOND          /* and asks so often */
#define LOG_RESEND_NS (3 * NODE_SECOND)

/* Exit statuses of the daemon besides a signal's number. */
enum { EXIT_STATUS_OK = 0, EXIT_STATUS_FAILED = 1 };

enum { SIGNAL_KILL = 9, SIGNAL_TERM = 15 };

struct waits {
    struct list all;     /* struct wait, oldest first */
    struct map by_number;
    uint32_t last_number;
};

struct watches {
    struct list all;      /* struct watch, oldest first */
    size_t count;
};

/* A multicast: the task and its number for it. */
struct mcast_name {
    uint32_t source;
    uint64_t number;
};

/* Counted, never answered: shown by tickle 9. */
struct node_counters {
    uint64_t task_messages;
    uint64_t peer_messages;
    uint64_t peer_malformed;
    uint64_t task_malformed;
    uint64_t frames_dropped;
    uint64_t requests;
};

struct node {
    struct node_config config;  /* its pointers lead into |keep| */
    struct arena keep;
    struct arena scratch;       /* of one step */
    enum node_state state;
    uint64_t now_ns;
    uint64_t wall_clock_us;
    struct effects *effects;    /* of this step */
    struct effect lost_effect;  /* where an effect goes that had no memory */
    bool is_broken;             /* a promise could not be kept: stop */
    struct slice current;       /* the bytes of the message being handled */

    struct heap timers;
    uint64_t last_ticket;
    struct host_table hosts;
    struct log *log;
    struct detect *detect;      /* core/alive.h; NULL before this is a host */
    uint64_t chain;             /* hash over all commands applied */
    uint64_t master;            /* by the last CMD_NOOP applied; 0 = none yet */
    uint64_t master_term;
    struct lost lost;           /* failed hosts that may knock again */
    char *hostfile_name;        /* of the founder, with its text: every master's defaults */
    struct slice hostfile_text;
    uint64_t applying;          /* index of the entry that is being applied */
    bool members_changed;       /* table or voters: core/master.h */
    uint64_t voters_mark;       /* to see that the voters changed */
    struct map peers;           /* epoch -> struct peer: core/member.h */
    struct map conns;           /* id -> struct conn */
    struct task_table tasks;
    struct map children;        /* ticket -> struct child: core/child.h */
    struct waits waits;
    struct commands commands;
    struct mboxes mboxes;       /* replicated */
    struct watches watches;
    struct map senders;         /* tid -> struct sender, of tasks and ghosts */
    struct list ghosts;
    size_t ghost_count;
    size_t ends_since_sweep;    /* of tasks: core/life.c */
    struct map flows;           /* (peer, source and destination) -> struct flow: core/flow.h */
    struct map mcasts_in;       /* (source, number) -> struct mcast under way from another host */
    struct map mcasts_out;      /* the same for trees that begin here: core/mcast.h */
    struct timer mcast_timer;
    struct mcast_name mcasts_done[MCASTS_DONE]; /* the last from other hosts that were finished */
    size_t mcasts_done_next;
    struct list early;          /* frames to hosts yet to come: core/early.h */
    uint64_t early_bytes;
    uint64_t share_used[SHARE_INDEX_MAX / 64]; /* indexes in use: core/share.h */
    uint32_t fds_came;          /* with the frame being handled */
    struct sender *own;         /* messages of this daemon itself: output of tasks */
    size_t conns_waiting;       /* for queued_bytes to shrink */
    uint64_t queued_bytes;      /* in our memory: written to tasks or pending for them and not yet
                                   taken; small and on their way to other hosts */
    uint32_t placement_next;    /* host number where the next spawn begins (API-29) */
    uint32_t debug_mask;

    struct master_state lead;   /* core/master.h */
    struct alive alive;         /* core/alive.h */
    struct joining joining;     /* core/join.h */
    struct rejoin *rejoin;      /* core/rejoin.h; NULL: it was a host of no machine before */
    struct halting halting;     /* core/halt.h */
    struct timer timer;         /* JOIN, then HALT */
    struct node_counters counters;
};

/* ---- speaking ---- */

/* A new effect; never NULL: without memory a place that leads nowhere, and the node stops. */
struct effect *node_effect(struct node *node, enum effect_kind kind);
/* Frees what the last effect without a place held. */
void node_drop_lost(struct node *node);
/* A promise cannot be kept. */
void node_fatal(struct node *node, const char *why);
/* Copies that live as long as the effects of this step; "" and NULL without memory (then fatal). */
const char *node_text(struct node *node, const char *text);
struct wire_address *node_addresses(struct node *node, const struct wire_address *addresses,
                                    size_t count);
/* |message| to another daemon; one that is not a peer is ignored. */
void node_send(struct node *node, uint64_t peer, const struct message *message);
/* |message| to every other host of the table. */
void node_send_all(struct node *node, const struct message *message);
/* |message| to the task on |conn|; nothing when that is NULL. */
void node_answer(struct node *node, struct conn *conn, const struct message *message);
void node_answer_done(struct node *node, struct conn *conn, uint32_t wait, int32_t status);
/* An encoded message; .buf NULL without memory. */
struct slice node_encode(const struct message *message);
void node_log(const struct node *node, enum log_level level, const char *format, ...)
    PRINTF_LIKE(3, 4);

uint64_t node_ticket(struct node *node);
uint64_t node_random(struct node *node); /* never 0 */

/* ---- who ---- */

static inline bool node_is_own_tid(const struct node *node, uint32_t tid)
{
    return tid_host_number(tid) == node->config.number;
}

/* Messages and requests: one function for each, found by the tables in core/node.c. */
typedef void (*task_handler_f)(struct node *node, struct conn *conn, const struct message *message);
typedef void (*peer_handler_f)(struct node *node, uint64_t peer, const struct message *message);

#endif
