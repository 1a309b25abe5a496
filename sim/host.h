/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One simulated host: a real node (core) and a real mesh (link) in a shell of the shape of
 * src/pvmd/daemon.c: happenings become events, effects are performed by a table.
 *
 * A host is never freed before the world is: one that stopped or crashed stays as a name for its
 * events to be dropped by. Its processes and their sockets: proc.h.
 */
#ifndef SIM_HOST_H
#define SIM_HOST_H

#include "core/answer.h"
#include "core/node.h"
#include "link/mesh.h"
#include "sim/net.h"
#include "sim/world.h"

#include <stdbool.h>
#include <stdint.h>

enum sim_host_state { SIM_HOST_RUNNING, SIM_HOST_STOPPED, SIM_HOST_CRASHED };

struct sim_host {
    struct list link;
    struct sim_world *world;
    enum sim_host_state state;
    bool frozen;
    bool settling;       /* inside the loop over what the mesh has to say */
    bool mute;           /* its socket is dead: never hears from its master */
    bool stopping;       /* EFFECT_STOP was met: flushes its links, then is gone */
    uint64_t stop_by_ns;
    int32_t stop_status;
    bool doubtful;       /* was cut off or frozen: others may rightly take it for dead */
    char name[256];
    uint32_t place;
    uint64_t serial;
    uint64_t epoch;
    uint32_t tid;        /* number in the host part of a tid */
    struct mesh_address address;
    struct node *node;   /* NULL once it is gone */
    struct mesh *mesh;
    const struct seal_crypto *crypto;
    struct effects effects;
    struct rng rng;      /* its random bytes */
    struct log_sink log;
    struct arena arena;  /* for telling messages */

    struct sim_socket socket;
    uint64_t busy_until_ns; /* the daemon reads its socket at a bounded rate */
    struct sim_event receive_turn;
    struct sim_event node_timer;
    struct sim_event mesh_timer;
    struct sim_event stop_turn;
    uint64_t timer_at_ns; /* when a timer ran last, and how often at that moment */
    uint32_t timer_turns;
    struct list held;    /* events that wait for a frozen host */

    struct list procs;   /* struct sim_proc */
    struct map conns;    /* number -> struct sim_conn */
    struct map starts;   /* tickets of EFFECT_HOST_START under way */
    uint64_t next_conn;
    uint32_t next_pid;
    size_t under_way;    /* children, starts, names being resolved: must end before it is quiet */
    uint64_t bad_frames; /* frames from a peer that could not be decoded */
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

/* Gives the node an event and performs what it wants; then what the mesh has to say. Takes over the
 * references in |event|. */
void sim_host_step(struct sim_host *host, struct event *event);
/* The same after |delay_ns|; strings and addresses in |event| must be static or live in the
 * host. */
void sim_host_step_later(struct sim_host *host, const struct event *event, uint64_t delay_ns);
/* Called by the network. */
void sim_host_socket_readable(struct sim_world *world, struct sim_host *host);
void sim_host_receive(struct sim_world *world, struct sim_host *host,
                      const struct mesh_address *from, const uint8_t *bytes, size_t length);

/* Power off: no word to anybody. */
void sim_host_crash(struct sim_host *host);
void sim_host_freeze(struct sim_host *host);
void sim_host_thaw(struct sim_host *host);
/* SIGTERM to the daemon. */
void sim_host_terminate(struct sim_host *host);

#endif
