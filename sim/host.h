/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One simulated host: a real node (core) and a real mesh (link), the machine's clock, its guardian
 * (guard.h), its processes (proc.h). This file is its life; how events become effects: shell.h.
 *
 * A host is never freed before the world is: one that stopped or crashed stays as a name for its
 * events to be dropped by.
 */
#ifndef SIM_HOST_H
#define SIM_HOST_H

#include "core/answer.h"
#include "core/node.h"
#include "link/mesh.h"
#include "sim/clock.h"
#include "sim/guard.h"
#include "sim/net.h"
#include "sim/world.h"

#include <stdbool.h>
#include <stdint.h>

enum sim_host_state { SIM_HOST_RUNNING, SIM_HOST_STOPPED, SIM_HOST_KILLED, SIM_HOST_CRASHED };

/* Why nothing happens on a host that runs; bits. */
enum sim_standstill {
    SIM_DAEMON_STOPPED = 1, /* SIGSTOP to the daemon alone */
    SIM_SUSPENDED = 2,      /* the machine sleeps: what is sent to it is lost */
    SIM_STARVED = 4         /* others have the processor */
};

struct sim_host {
    struct list link;
    struct sim_world *world;
    enum sim_host_state state;
    uint32_t standstill; /* enum sim_standstill */
    bool settling;       /* inside the loop over what the mesh has to say */
    bool rejoins;        /* EFFECT_REJOIN was met */
    bool mute;           /* its socket is dead: never hears from its master */
    bool stopping;       /* EFFECT_STOP was met: flushes its links, then is gone */
    bool disk_full;      /* what its daemon logs is lost */
    uint64_t stop_by_ns;
    int32_t stop_status;
    char name[64];
    uint32_t place;
    uint64_t serial;
    uint64_t life;       /* how often it joined again: what was asked in another life comes to
                            nobody */
    uint64_t epoch;
    uint32_t tid;        /* number in the host part of a tid */
    struct mesh_address address;
    struct sim_clock clock;
    struct node *node;   /* NULL once it is gone */
    struct mesh *mesh;
    uint8_t private_key[SEAL_KEY_BYTES];
    const struct seal_crypto *crypto;
    struct rng rng;      /* its random bytes */
    struct log_sink log;
    struct sim_guard guard;

    struct sim_socket socket;
    uint64_t busy_until_ns; /* the daemon reads its socket at a bounded rate */
    struct sim_event receive_turn;
    struct sim_event node_timer;
    struct sim_event mesh_timer;
    struct sim_event stop_turn;
    struct sim_event starve_turn;
    uint64_t starve_ns;     /* of every so long it runs a little; 0 = always */
    uint64_t starve_until_ns;
    uint64_t timer_at_ns; /* when a timer ran last, and how often at that moment */
    uint32_t timer_turns;
    struct list held;    /* events that wait until it goes on */

    struct list procs;   /* struct sim_proc */
    struct map conns;    /* number -> struct sim_conn */
    struct map starts;   /* tickets of EFFECT_HOST_START under way */
    uint64_t next_conn;
    uint32_t next_pid;
    size_t under_way;    /* children, starts, names being resolved: must end before it is quiet */
    uint64_t bad_frames; /* frames from a peer that could not be decoded */

    /* What the checkers know of it: promise_host.c. */
    bool leaving;        /* somebody asked to delete it, or it was told to stop */
    bool removed;        /* a leader has removed it, under the epoch it has now */
    uint64_t removed_ns;
    uint64_t troubled_ns; /* the last moment at which a fault kept it from being heard, or from
                             acting */
    uint64_t struck_ns;   /* befall.c: when it was struck last, 0 = never */
    uint64_t leads;       /* the term that it leads, 0 = none */
    uint64_t applied;     /* last log index seen applied by it */
};

#define SIM_ARCH "LINUX64"
enum { SIM_SIGNATURE = 4230209 }; /* data signature of every simulated machine */

/* A host with a socket and no node yet, of a fresh epoch when that is 0, at the address of its
 * place when |ip| is NULL. NULL without memory. */
struct sim_host *sim_host_create(struct sim_world *world, const char *name, const uint8_t *ip,
                                 uint64_t epoch);
/* Fills in what every node is told alike, makes the node and starts it. 0 or -1. */
int sim_host_begin(struct sim_host *host, struct node_config *config);
/* Where its socket is; points into |host|. */
void sim_host_address(const struct sim_host *host, struct wire_address *address);
/* A master; its hostfile is the world's settings.hostfile. NULL without memory. */
struct sim_host *sim_host_create_master(struct sim_world *world, const char *name);
/* Frees everything; for the end of the world. */
void sim_host_destroy(struct sim_host *host);

static inline bool sim_host_is_running(const struct sim_host *host)
{
    return host->state == SIM_HOST_RUNNING;
}

/* Its daemon can do something now. */
static inline bool sim_host_is_awake(const struct sim_host *host)
{
    return sim_host_is_running(host) && !host->standstill;
}

/* Its other processes can. */
static inline bool sim_host_has_power(const struct sim_host *host)
{
    return sim_host_is_running(host) && !(host->standstill & (SIM_SUSPENDED | SIM_STARVED));
}

static inline uint64_t sim_host_now(const struct sim_host *host)
{
    return sim_clock_local(&host->clock, host->world->now_ns);
}

/* The host that has or had that epoch, or NULL. */
struct sim_host *sim_host_of_epoch(const struct sim_world *world, uint64_t epoch);
/* Its epoch is another now: it asks to join again. */
void sim_host_set_epoch(struct sim_host *host, uint64_t epoch);

/* Power off: no word to anybody. */
void sim_host_crash(struct sim_host *host);
/* kill -9 of the daemon: the guardian acts. */
void sim_host_kill(struct sim_host *host);
/* One more reason why nothing happens there; one less. */
void sim_host_halt(struct sim_host *host, enum sim_standstill why);
void sim_host_go_on(struct sim_host *host, enum sim_standstill why);
/* For |duration_ns| it runs only for a moment out of every |period_ns|; 0 ends that. */
void sim_host_starve(struct sim_host *host, uint64_t period_ns, uint64_t duration_ns);
/* From now on its clock runs so much fast. */
void sim_host_drift(struct sim_host *host, int64_t drift_ppm);
/* SIGTERM to the daemon. */
void sim_host_terminate(struct sim_host *host);
/* Lost its place in the virtual machine (EFFECT_REJOIN was performed): the node starts over. */
void sim_host_rejoin(struct sim_host *host);
/* Links are flushed, or that took too long: what the daemon does at its end. */
void sim_host_stop(struct sim_host *host, int32_t status);

#endif
