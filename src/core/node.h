/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The rules of the virtual machine as one state machine: one event in, a list of effects out.
 *
 * A node is one daemon's whole knowledge: host table (from the log), tasks, requests under way,
 * watches, routes. The same code runs in pvmd and in sim. It never blocks, never looks at a clock,
 * never calls out; it is never re-entered. Read event.h and effect.h first, then host.h, task.h,
 * wait.h.
 */
#ifndef CORE_NODE_H
#define CORE_NODE_H

#include "base/log.h"
#include "core/effect.h"
#include "core/event.h"

#include <stdbool.h>
#include <stdint.h>

struct node;
struct log_voters;

struct node_config {
    bool is_founder;          /* of a new virtual machine; else started by one of its hosts, see
                                 joining below */
    const char *name;         /* of this host in the table */
    const char *arch;         /* "LINUX64" */
    uint32_t signature;
    int32_t speed;
    uint32_t number;          /* 1 for a founder; else a guess: the table decides */
    uint64_t epoch;           /* random; of a new host: given on the command line */
    uint8_t public_key[WIRE_KEY_BYTES];
    const struct wire_address *addresses; /* of our own socket, best first */
    size_t address_count;
    /* joining: the master that started us */
    uint64_t master_epoch;
    uint8_t master_key[WIRE_KEY_BYTES];
    const struct wire_address *master_addresses;
    size_t master_address_count;
    uint64_t join_timeout_ns; /* give up when the master did not call; 300 s (DMN-4) */
    uint64_t dead_after_ns;   /* a silent host is removed within this; 0 = 5 s */
    /* founder: the text of its hostfile ("" = none) and its name for messages */
    const char *hostfile_name;
    const char *hostfile_text;
    uint64_t flow_window_bytes; /* unacknowledged, of one task in one flow to another host, and
                                   in our memory */
    uint64_t queue_bytes_max; /* so much may be untaken in our memory before senders wait */
    uint32_t mcast_width;     /* a multicast to more hosts is passed on by so many; 0 = 8 */
    bool shares_memory;       /* tasks of our data signature may share memory with each other and
                                 with us */
    uint32_t tasks_max;       /* PVM_MAX_TASKS, 0 = no limit but the tid space */
    uint64_t request_timeout_ns; /* a host that does not answer is not waited for; 0 = for ever */
    /* random bytes fit for keys and cookies */
    void (*random_bytes)(void *context, uint8_t *bytes, size_t length);
    void *random_context;
    const struct log_sink *log;
};

/* NULL without memory, or when the configuration cannot be (then the reason was logged). The config
 * is copied. */
struct node *node_create(const struct node_config *config);
void node_destroy(struct node *node);
/* After EFFECT_REJOIN was carried out (no child, no connection and no link is left): a new node in
 * the place of |node|, which is destroyed. It has another epoch (node_epoch()), asks the voters of
 * the old machine to take it as a new host, and stops with words when none does within a minute. It
 * wants EVENT_START first, as any. NULL without memory (then |node| stays as it is). */
struct node *node_rejoin(struct node *node);
/* Takes one event; appends to |effects| (which the caller resets before). Never fails: without
 * memory the request concerned ends with PvmNoMem, or, where a promise would break, the effects end
 * in EFFECT_STOP. */
void node_step(struct node *node, const struct event *event, struct effects *effects);
/* When EVENT_DEADLINE is due; UINT64_MAX = not before something else happens. */
uint64_t node_deadline(const struct node *node);

/* ---- read-only views, for the shell, the simulator's checkers and tests ---- */

bool node_is_halting(const struct node *node);
bool node_is_member(const struct node *node); /* the table has us */
uint64_t node_epoch(const struct node *node);
/* 0x80000000 | host base; of us; 0 before this is a host. */
uint32_t node_daemon_tid(const struct node *node);
size_t node_host_count(const struct node *node);
/* The term this daemon leads, 0 = it does not; and who votes as far as it knows,
 * NULL = it has no log yet. */
uint64_t node_leads(const struct node *node);
const struct log_voters *node_voters(const struct node *node);
/* Index of the last log command applied. On all hosts at the same index equal: a hash over all that
 * the log made (host table, requests, mailboxes), and one over the commands up to there. */
uint64_t node_applied_index(const struct node *node);
uint64_t node_table_hash(const struct node *node);
uint64_t node_chain(const struct node *node);
/* A hash over the mailboxes and the requests applied alone. */
uint64_t node_mbox_hash(const struct node *node);
/* The log's term here; whether this daemon leads and has applied all that was committed before it
 * did, so that it acts as master; and who is master as far as known here (0 = nobody is known). */
uint64_t node_term(const struct node *node);
bool node_is_master(const struct node *node);
uint64_t node_master(const struct node *node);
/* Until when this host may act without hearing from the others (D12). */
uint64_t node_lease_until(const struct node *node);
size_t node_task_count(const struct node *node);
size_t node_wait_count(const struct node *node);  /* unfinished requests */
size_t node_watch_count(const struct node *node); /* armed notifications */
uint64_t node_queued_bytes(const struct node *node);
/* The tid a connection has, 0 = not enrolled. */
uint32_t node_conn_tid(const struct node *node, uint64_t conn);

#endif
