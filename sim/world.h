/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The simulated world: a virtual clock, one heap of events ordered by (time, order of insertion),
 * the hosts, and streams of chance split by purpose. Nothing here knows what a daemon or a task is.
 *
 * Everything that happens later is a struct sim_event queued by sim_at(); the world jumps from one
 * to the next. A run is a function of its seed and its script alone. Read next: net.h, host.h,
 * proc.h, task.h, then script.h (stories in text) and swarm.h (stories drawn from a seed).
 */
#ifndef SIM_WORLD_H
#define SIM_WORLD_H

#include "base/heap.h"
#include "base/list.h"
#include "base/rng.h"
#include "core/effect.h"
#include "sim/event.h"
#include "sim/fault.h"
#include "sim/net.h"
#include "sim/promise.h"
#include "sim/trace.h"

#include <stdbool.h>
#include <stdint.h>

#define SIM_NS_PER_US UINT64_C(1000)
#define SIM_NS_PER_MS UINT64_C(1000000)
#define SIM_NS_PER_S UINT64_C(1000000000)

struct sim_host;
struct sim_world;

/* The streams of chance. */
enum sim_stream {
    SIM_STREAM_WIRE, SIM_STREAM_FAULTS, SIM_STREAM_WORKLOAD, SIM_STREAM_NODES, SIM_STREAM_CLOCKS
};

struct sim_settings {
    uint64_t receive_buffer_bytes; /* of each daemon's UDP socket, as the kernel counts */
    uint64_t conn_buffer_bytes;    /* each way of a task's socket */
    uint64_t flow_window_bytes;
    uint64_t queue_bytes_max;
    uint64_t dead_after_ns;
    uint64_t rekey_after_ns;
    uint64_t join_timeout_ns;
    uint64_t request_timeout_ns;
    uint64_t shares_memory;        /* 1: tasks may say that they share memory, */
    uint64_t shares_always;        /* and 1: they do, with everybody they send to */
    uint64_t drift_ppm_max;        /* clocks of new hosts run so much fast or slow at most */
    uint64_t same_address;         /* 1: a daemon gets the port that the last one there had */
    uint32_t tasks_max;
    uint32_t datagram_bytes_max;
    const char *hostfile; /* text for masters created from now on; "" = none */
};

struct sim_world {
    uint64_t seed;
    uint64_t now_ns;
    uint64_t events_run;
    uint64_t serial; /* of everything that needs a number of its own in this world */
    struct heap heap;
    struct effects effects; /* of the step that is being taken: one at a time in the whole world */
    struct arena arena;     /* for telling messages */
    struct list hosts; /* every host there ever was, oldest first */
    struct map epochs; /* epoch -> struct sim_host: also those it had before */
    struct rng wire, faults_rng, workload, nodes, clocks;
    struct sim_settings settings;
    struct sim_trace trace;
    struct sim_net net;
    struct sim_faults faults;
    struct sim_promises promises;
    uint32_t program_runs[16]; /* how often each program was started: their names */
    bool stuck;                /* a script waited for quiet and it never came */
    char hostfile_text[4096];  /* what settings.hostfile points to when a script set it */
};

/* NULL without memory. */
struct sim_world *sim_world_create(uint64_t seed);
/* Frees hosts, tasks, everything in flight. */
void sim_world_destroy(struct sim_world *world);

void sim_event_init(struct sim_event *event, struct sim_host *host,
                    void (*run)(struct sim_world *, struct sim_event *),
                    void (*cancel)(struct sim_event *));
/* Queues or moves |event| to |at_ns| (the past counts as now). */
void sim_at(struct sim_world *world, struct sim_event *event, uint64_t at_ns);
void sim_after(struct sim_world *world, struct sim_event *event, uint64_t delay_ns);
/* Takes |event| out of wherever it waits; |cancel| is not called. */
void sim_forget(struct sim_world *world, struct sim_event *event);
/* Runs the earliest event if it is due at |until_ns| or before. False: none was; then now is
 * |until_ns|. */
bool sim_step(struct sim_world *world, uint64_t until_ns);
/* Runs everything that is due within |duration_ns|. */
void sim_run_for(struct sim_world *world, uint64_t duration_ns);
/* Runs until nothing is under way any more, see sim_world_is_quiet(). True, or false when it was
 * not so within |limit_ns|. */
bool sim_run_until_quiet(struct sim_world *world, uint64_t limit_ns);
/* No request, start, child or byte is under way, all hosts know the same table, every task waits
 * or is gone; if not, *why says what in words (valid until the next call). */
bool sim_world_is_quiet(const struct sim_world *world, const char **why);

/* The living host of that name, or NULL. */
struct sim_host *sim_world_host(const struct sim_world *world, const char *name);
size_t sim_world_host_count(const struct sim_world *world); /* the living */

#define SIM_TELL(world, class, actor, ...)                                                        \
    sim_trace_line(&(world)->trace, class, (world)->now_ns, actor, __VA_ARGS__)

#endif
