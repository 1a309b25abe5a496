/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A tiny shell for tests of the core: several nodes wired by hand, processes and tasks that are
 * only numbers, time that moves when a test says so. No link layer: what one node sends another
 * gets, in order, as soon as it knows the sender. The simulator does the same with real links and
 * real clients.
 *
 * Everything that happens is queued; fake_run() handles it until nothing is left.
 */
#ifndef TESTS_UNIT_CORE_FAKE_H
#define TESTS_UNIT_CORE_FAKE_H

#include "core/node.h"
#include "core/status.h"
#include "core/tid.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    FAKE_NODES_MAX = 16,
    FAKE_TASKS_MAX = 64,
    FAKE_CHILDREN_MAX = 256,
    FAKE_ORDER_MAX = 16,
    FAKE_LOG_BYTES = 65536
};

struct fake;

struct fake_item {
    struct fake_item *next;
    int node;              /* index; who it happens to */
    uint64_t as;           /* what the sender calls the receiver; 0 = of no interest */
    struct event event;    /* holds its slices and frames */
    uint8_t ips[8][16];
    struct wire_address addresses[8];
    char text[256];
};

/* A process that has a connection. */
struct fake_task {
    int node;
    uint64_t conn;
    uint32_t pid;
    uint32_t tid;
    int32_t parent;
    bool is_open;
    bool is_paused;
    bool takes_nothing;    /* what is written to it stays untaken */
    uint64_t untaken;
    enum frame_kind order[FAKE_ORDER_MAX]; /* kinds of what was written to it, oldest first */
    int order_count;
    uint32_t share_index;
    uint64_t last_ticket;  /* of the last frame written to it */
    uint64_t fds_of;       /* whose descriptors came last with a frame; */
    int fds_count;         /* so often */
    bool pair_is_paused;
    int wakes;             /* its bell was rung */
    int share_ends;
    int share_attaches;    /* the daemon was to make its side of a pair */
    struct frame *frames;  /* data, notices, aborts it got, oldest first */
    size_t frame_count;
    struct slice *answers; /* control messages it got */
    size_t answer_count;
    uint32_t last_wait;
};

struct fake_child {
    int node;
    uint64_t ticket;
    uint32_t pid;
    uint64_t cookie;
    bool is_running;
    bool is_paused;
    int32_t last_signal;
    char file[128];
    char directory[128];
    char environment[1024]; /* NAME=value joined by blanks */
    char argv[256];
    bool debug;
};

struct fake_node {
    struct node *node;     /* NULL once it is gone */
    struct effects effects;
    struct log_sink sink;
    struct fake *fake;
    int index;
    uint64_t epoch;
    char name[256];
    uint8_t key[WIRE_KEY_BYTES];
    uint64_t old_epoch;    /* of before it joined again */
    uint64_t known[FAKE_NODES_MAX * 4]; /* epochs it was told of */
    uint64_t self[FAKE_NODES_MAX * 4];  /* what they call it */
    uint32_t psk_epoch[FAKE_NODES_MAX * 4];
    size_t known_count;
    bool is_stopped;
    bool is_lost;          /* EFFECT_REJOIN: fake_rejoin() */
    uint64_t lease_until_ns;
    uint64_t tombstones[16]; /* who is to be told when it dies */
    size_t tombstone_count;
    uint64_t notes;        /* it sent so many */
    int32_t stop_status;
    bool is_cut;           /* what it sends is lost, and what is sent to it */
    bool is_behind;        /* what others send it waits */
    bool keeps_acks;       /* nothing it sends is acknowledged for now */
    uint64_t consumed;
    uint64_t received;     /* bytes of frames that came to it */
    int resets;
    char configured[512];
};

struct fake {
    uint64_t now_ns;
    struct fake_node nodes[FAKE_NODES_MAX];
    int node_count;
    struct fake_task tasks[FAKE_TASKS_MAX];
    int task_count;
    struct fake_child children[FAKE_CHILDREN_MAX];
    int child_count;
    struct fake_item *first, *last;
    uint64_t next_conn;
    uint32_t next_pid;
    uint64_t random;
    uint64_t steps;
    struct arena arena;    /* answers decoded; until fake_destroy() */
    /* what the world does */
    const char *hostfile;
    uint64_t dead_after_ns;
    uint64_t flow_window_bytes;
    uint64_t queue_bytes_max;
    uint32_t mcast_width;
    uint64_t request_timeout_ns;
    uint32_t tasks_max;
    uint32_t signature;        /* of the next tasks; 0 = the daemon's */
    bool shares_memory;
    int32_t share_status;      /* of the daemon's side of pairs */
    int32_t start_status;      /* of the next children */
    int32_t host_start_status; /* of the next hosts */
    uint32_t host_protocol;    /* in their answer */
    uint64_t token;            /* of the last host that is to come by one */
    bool hosts_are_silent;     /* new daemons never run */
    bool holds_starts;         /* children neither start nor fail for now */
    bool ignores_signals;      /* processes do not end by SIGTERM */
    uint64_t fail_step;        /* this step's allocation number fail_nth fails */
    uint64_t fail_nth;
    int fail_repeat;
    char log[FAKE_LOG_BYTES];
    size_t log_length;
};

/* One master, started. */
struct fake *fake_create(const char *hostfile);
/* The same, with the settings in |fake| changed by the caller first. */
struct fake *fake_create_unstarted(void);
void fake_start(struct fake *fake);
void fake_destroy(struct fake *fake);
void fake_run(struct fake *fake);
/* At most so many things that happen. */
void fake_run_some(struct fake *fake, int limit);
/* Moves time, deadlines on the way included. */
void fake_advance(struct fake *fake, uint64_t duration_ns);
bool fake_logged(const struct fake *fake, const char *text);

/* A process of host |node| connects and enrols with |cookie|; its tid is 0 when it was refused. */
struct fake_task *fake_task(struct fake *fake, int node, uint32_t pid, uint64_t cookie);
/* The process of |child| connects and enrols. */
struct fake_task *fake_enrol_child(struct fake *fake, struct fake_child *child);
/* Its connection ends. */
void fake_close(struct fake *fake, struct fake_task *task);
/* The process ends (and with it, first, the connection that has its pid). */
void fake_exit(struct fake *fake, struct fake_child *child);
struct fake_child *fake_child_of(struct fake *fake, uint32_t tid_order);
void fake_print(struct fake *fake, struct fake_child *child, const char *text);

/* Sends a request (its first field, |wait|, is set) and runs; the answer, or MESSAGE_NONE. */
struct message fake_request(struct fake *fake, struct fake_task *task, struct message *request);
/* The same without running: the answer comes later by fake_answer(). */
void fake_ask(struct fake *fake, struct fake_task *task, struct message *request);
struct message fake_answer(struct fake *fake, struct fake_task *task);
/* Sends one data frame, not run. */
void fake_send(struct fake *fake, struct fake_task *task, uint32_t destination, uint64_t sequence,
               uint8_t flags, const char *text);
void fake_send_frame(struct fake *fake, struct fake_task *task, const struct frame *frame);
/* Takes the oldest frame it got; kind 0 when there is none. The caller drops it. */
struct frame fake_take(struct fake_task *task);
/* The 32-bit value number |index| of a notice's or message's body, behind its heads. */
int32_t fake_int(const struct frame *frame, int index);
/* TM_ATTACH of |task| for |tid|, its ring at |ring_offset|; with descriptors, or |fds| 0. Not
 * run. */
void fake_attach(struct fake *fake, struct fake_task *task, uint32_t tid, uint64_t ring_offset,
                 uint32_t fds);
/* An event straight to a node. */
void fake_event(struct fake *fake, int node, const struct event *event);
void fake_peer_message(struct fake *fake, int node, int from, const struct message *message);

/* The usual requests. */
struct message fake_addhosts(struct fake *fake, struct fake_task *task, const char *const *names,
                             size_t count);
struct message fake_delhosts(struct fake *fake, struct fake_task *task, const char *const *names,
                             size_t count);
struct message fake_spawn(struct fake *fake, struct fake_task *task, uint32_t flags,
                          const char *where, uint32_t count);
void fake_notify(struct fake *fake, struct fake_task *task, int32_t what, int32_t tag,
                 int32_t count, const uint32_t *tids, size_t tid_count);
/* A machine of |hosts| hosts: the master and local ones; returns a task on the master. */
struct fake_task *fake_machine(struct fake *fake, int hosts);
/* All nodes that live have the same table. */
bool fake_tables_agree(const struct fake *fake);
/* The node dies; its guardian says so to those who were named. */
void fake_crash(struct fake *fake, int node);
/* The index of the node that acts as master; -1 = none, or more than one. */
int fake_master(const struct fake *fake);
/* A node with is_lost begins anew. */
void fake_rejoin(struct fake *fake, int node);

#endif
