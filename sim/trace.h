/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The story of a simulated run: one fixed-width line per event, `[    12.345] h2     < h1 DM_SPAWN
 * ...` (milliseconds of virtual time, who, what), and a 64-bit hash over everything that happened.
 *
 * The hash covers every event, effect, message and datagram, and the lines of what tasks, hosts and
 * faults do, shown or not: two runs of one seed are the same exactly when their hashes are. The
 * text is kept only for the classes that were asked for; that of the frequent classes is not even
 * made.
 */
#ifndef SIM_TRACE_H
#define SIM_TRACE_H

#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

/* What a line is about; a story shows some classes and leaves out others. */
#define SIM_TRACE_TABLE(C)                                                                        \
    C(SIM_TRACE_TASK, "task")     /* what programs do and get */                                  \
    C(SIM_TRACE_HOST, "host")     /* hosts start, join, lose each other, stop; children */        \
    C(SIM_TRACE_LINK, "link")     /* links come up and go down */                                 \
    C(SIM_TRACE_FAULT, "fault")   /* what the script or the swarm does to the world */            \
    C(SIM_TRACE_DM, "dm")         /* control messages between daemons, as they arrive */          \
    C(SIM_TRACE_TM, "tm")         /* control messages between tasks and daemons */                \
    C(SIM_TRACE_LOG, "log")       /* log lines of the daemons */                                  \
    C(SIM_TRACE_NET, "net")       /* every datagram sent, lost, dropped, received */

enum sim_trace_class {
#define SIM_TRACE_ENUM(name, text) name,
    SIM_TRACE_TABLE(SIM_TRACE_ENUM)
#undef SIM_TRACE_ENUM
    SIM_TRACE_CLASSES
};

struct sim_trace {
    uint64_t hash;
    uint32_t shown;       /* bit per class: kept in |story| or written */
    struct strbuf story;  /* lines since the last sim_trace_forget(), when |write| is NULL */
    void (*write)(void *context, const char *line); /* instead of keeping; may be NULL */
    void *context;
};

void sim_trace_init(struct sim_trace *trace);
void sim_trace_fini(struct sim_trace *trace);
/* Adds a line of |actor| at |now_ns|. */
void sim_trace_line(struct sim_trace *trace, enum sim_trace_class class, uint64_t now_ns,
                    const char *actor, const char *format, ...) PRINTF_LIKE(5, 6);
/* Adds numbers to the hash alone: for what happens too often to be told. */
void sim_trace_mix(struct sim_trace *trace, uint64_t a, uint64_t b);
/* The same for bytes. */
void sim_trace_mix_bytes(struct sim_trace *trace, const void *bytes, size_t length);
static inline bool sim_trace_is_shown(const struct sim_trace *trace, enum sim_trace_class class)
{
    return (trace->shown & (UINT32_C(1) << class)) != 0;
}
/* Lines of this class are part of the hash; of the others what they tell is, see above. */
static inline bool sim_trace_is_hashed(enum sim_trace_class class)
{
    return class == SIM_TRACE_TASK || class == SIM_TRACE_HOST || class == SIM_TRACE_FAULT;
}
/* Empties the story that was kept; the hash stays. */
void sim_trace_forget(struct sim_trace *trace);
/* Reads a list such as "task,host"; "all" and "none" are known. 0; -1 unknown word. */
int sim_trace_parse(const char *text, uint32_t *shown);

#endif
