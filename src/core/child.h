/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Processes this daemon started: each belongs to a task, and what it prints goes to the task's sink
 * as messages (INT-11), or line by line to the master's log when there is no sink.
 *
 * A child may outlive its task (wrapped by a shell, NTF-2); its output then still carries the tid.
 */
#ifndef CORE_CHILD_H
#define CORE_CHILD_H

#include "core/state.h"

enum {
    OUTPUT_PIECE_BYTES_MAX = 3999, /* in one message, as ever (INT-11) */
    OUTPUT_LINE_BYTES_MAX = 960    /* a longer line is cut for the log */
};

/* Second int of an output message. */
enum { OUTPUT_EOF = 0, OUTPUT_SPAWNED = -1, OUTPUT_NEW = -2 };

struct child {
    uint64_t ticket;
    uint32_t tid;
    int32_t parent;
    uint32_t pid;           /* 0 until it runs */
    bool is_running;
    bool is_at_eof;
    bool is_paused;
    struct task *task;      /* NULL once it ended */
    struct wire_sink sink;  /* of its output */
    uint32_t wait;          /* WAIT_START under way, 0 = none */
    uint32_t part;          /* which part of that */
    char *line;             /* output of an unfinished line, for the log */
    size_t line_length;
};

/* NULL without memory. */
struct child *child_create(struct node *node, struct task *task);
void child_destroy(struct node *node, struct child *child);
/* What a slow sink |tid| means for those who print to it. */
void children_update_pause(struct node *node, uint32_t sink);
/* Sends (tid, |operation|, parent) to |sink|. */
void output_tell(struct node *node, const struct wire_sink *sink, uint32_t tid, int32_t operation,
                 int32_t parent);

/* Events. */
void child_started(struct node *node, const struct event *event);
void child_output(struct node *node, const struct event *event);
void child_exited(struct node *node, const struct event *event);
/* DM_OUTPUT. */
void output_for_log(struct node *node, uint64_t peer, const struct message *message);

#endif
