/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The shell of a daemon in life: what happens becomes events of core/node.h, its effects become
 * actions. It decides nothing about the virtual machine; its sister is sim/host.c.
 *
 * This header is for the files of this folder: daemon.c (events, effects, the turn of the loop),
 * peers.c (other daemons), conns.c (tasks' connections), share*.c (memory shared with tasks),
 * tasks.c (processes), hosts.c (names, new daemons), fate.c (guardian, lease, beginning anew).
 */
#ifndef PVMD_DAEMON_H
#define PVMD_DAEMON_H

#include "base/list.h"
#include "base/map.h"
#include "core/node.h"
#include "link/mesh.h"
#include "os/child.h"
#include "os/dir.h"
#include "os/logfile.h"
#include "os/loop.h"
#include "os/starter.h"
#include "os/starter_manual.h"
#include "os/udp.h"
#include "pvmd/config.h"
#include "pvmd/guardian.h"

#include <stdbool.h>
#include <stdint.h>

/* How tasks are started here: EFFECT_CONFIGURE, expanded; owned strings. */
struct task_settings {
    char *search;
    char *debugger; /* NULL = none was named */
};

/* On the way to being another host (EFFECT_REJOIN): nothing that happens is told to the node. */
enum rejoin {
    REJOIN_NONE,
    REJOIN_DUE,    /* tasks are killed; connections and links go with the turn of the loop */
    REJOIN_WAITING /* for the last process to end */
};

struct daemon {
    const struct config *config;
    const char *name;     /* of this host in the table */
    const char *own_path; /* of this program */
    struct host_dir *dir;
    struct logfile *logfile;
    const struct log_sink *log;
    struct guardian *guardian;
    struct pid_watch *guardian_watch;
    struct loop_timer *guardian_retry; /* without processes: another guardian later */
    uint64_t *mourners;                /* who is to be told when this daemon dies */
    size_t mourner_count;
    bool tombstones_are_old;           /* to be made anew before the loop sleeps */
    uint64_t lease_until_ns;           /* UINT64_MAX = never, or its end was told to the node */
    int starter_fd;                    /* of the process that holds us until we are a host; -1 */
    struct loop_watch *starter_watch;
    enum rejoin rejoin;
    uint64_t rejoin_at_ns;             /* at the latest */
    struct loop *loop;
    struct loop_timer *timer;
    struct pid_watcher *pids;

    struct node *node;
    uint64_t epoch;
    struct effects effects;
    struct list posted; /* events that arose while effects were performed: struct posted */
    bool stepping;
    bool tid_logged;

    struct mesh *mesh;
    struct udp *udp;
    struct map peers; /* ids of all peers of the mesh; the value only says so */

    int listener;
    struct loop_watch *listener_watch;
    struct loop_timer *listener_retry; /* without descriptors: accept again later */
    struct map conns;                  /* number -> struct conn */
    struct list ready_conns;           /* those that need a turn */
    uint64_t next_conn;
    struct sharing *sharing; /* memory shared with tasks; NULL before anybody asked: share.h */

    struct children *children;
    struct task_settings tasks;
    struct starters *starters;
    struct manual *manual;
    size_t lookups; /* names being resolved */

    bool stopping;
    uint64_t stop_at_ns; /* leave then at the latest */
    int status;
};

/* Steps the node with |event| (time is filled in) and performs what comes out; from inside of
 * performing, the event waits until that is done: then it must carry no slice and no addresses. */
void daemon_event(struct daemon *daemon, const struct event *event);
/* A promise can no longer be kept: says why and leaves with status 1. */
void daemon_give_up(struct daemon *daemon, const char *why);
/* Events that wait are dropped: whom they concern is gone. */
void daemon_forget_posted(struct daemon *daemon);
/* The node begins anew under daemon->epoch: to be called when nothing of the old one is left. */
void daemon_rejoin(struct daemon *daemon);

/* ---- peers.c ---- */
int peers_start(struct daemon *daemon);
/* Takes what the mesh has to say, then sends what it has to send. False: the socket is full. */
void peers_events(struct daemon *daemon);
bool peers_flush(struct daemon *daemon);
/* All that was said to every peer has arrived, or the peer is gone. */
bool peers_are_flushed(const struct daemon *daemon);
/* The last word to every peer: nobody need wait for us. */
void peers_say_goodbye(struct daemon *daemon);
/* All links go without a word. */
void peers_drop(struct daemon *daemon);
void perform_peer_add(struct daemon *daemon, struct effect *effect);
void perform_peer_psk(struct daemon *daemon, struct effect *effect);
void perform_peer_remove(struct daemon *daemon, struct effect *effect);
void perform_peer_send(struct daemon *daemon, struct effect *effect);
void perform_peer_note(struct daemon *daemon, struct effect *effect);
void perform_peer_frame(struct daemon *daemon, struct effect *effect);
void perform_peer_consume(struct daemon *daemon, struct effect *effect);
void perform_peer_reset(struct daemon *daemon, struct effect *effect);

/* ---- conns.c ---- */
int conns_start(struct daemon *daemon);
/* One turn of each connection that needs one; true = there is more. */
bool conns_turn(struct daemon *daemon);
/* A process with this pid is connected. */
bool conns_have_pid(const struct daemon *daemon, uint32_t pid);
/* No more are accepted; those there are end when what is queued was written. */
void conns_close(struct daemon *daemon);
bool conns_are_flushed(const struct daemon *daemon);
/* Those there are end at once; new ones are taken. */
void conns_drop(struct daemon *daemon);
void conns_destroy(struct daemon *daemon);
void perform_conn_send(struct daemon *daemon, struct effect *effect);
void perform_conn_pause(struct daemon *daemon, struct effect *effect);
void perform_conn_close(struct daemon *daemon, struct effect *effect);

/* ---- tasks.c ---- */
int tasks_start(struct daemon *daemon);
/* Forgets all processes, with the settings as they were. 0, -1 without memory. */
int tasks_restart(struct daemon *daemon);
void tasks_destroy(struct daemon *daemon);
void perform_child_start(struct daemon *daemon, struct effect *effect);
void perform_child_signal(struct daemon *daemon, struct effect *effect);
void perform_child_pause(struct daemon *daemon, struct effect *effect);
void perform_configure(struct daemon *daemon, struct effect *effect);

/* ---- hosts.c ---- */
int hosts_start(struct daemon *daemon);
void hosts_destroy(struct daemon *daemon);
void perform_resolve(struct daemon *daemon, struct effect *effect);
void perform_host_start(struct daemon *daemon, struct effect *effect);
void perform_host_cancel(struct daemon *daemon, struct effect *effect);

/* ---- fate.c ---- */
int fate_start(struct daemon *daemon);
void fate_destroy(struct daemon *daemon);
/* Before each sleep; true = something was done, look again. */
bool fate_turn(struct daemon *daemon);
/* When fate_turn() has to be called at the latest. */
uint64_t fate_deadline(const struct daemon *daemon);
/* |pid| belongs to us / was reaped: for the guardian. */
void fate_tell_process(struct daemon *daemon, pid_t pid, bool runs);
/* The link to |peer| stands anew. */
void fate_session_changed(struct daemon *daemon, uint64_t peer);
/* True once after each end of the lease: the node must know before anything else happens. */
bool fate_lease_is_over(struct daemon *daemon, uint64_t now_ns);
void perform_tombstones(struct daemon *daemon, struct effect *effect);
void perform_lease(struct daemon *daemon, struct effect *effect);
void perform_rejoin(struct daemon *daemon, struct effect *effect);

/* ---- daemon.c ---- */

/* What main() prepared; everything stays the caller's and outlives the daemon. */
struct daemon_parts {
    const struct config *config;
    const char *name;
    const char *own_path;
    struct host_dir *dir;
    struct logfile *logfile;
    struct guardian *guardian;
    struct mesh *mesh;
    struct udp *udp;
    int listener;
    int starter_fd; /* pvmd/starting.h; -1 = nobody holds it. The daemon closes it */
    uint64_t epoch;
    const struct node_config *node_config;
};

/* Runs until the node stops; returns the exit status. Words about a failing start go to the log. */
int daemon_run(const struct daemon_parts *parts);

#endif
