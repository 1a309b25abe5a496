/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Processes of a simulated host and the stream sockets between them and the daemon.
 *
 * A process is a child of the daemon (EFFECT_CHILD_START) or was started by a user. It may have one
 * connection to the daemon, whose two directions hold a bounded number of bytes, whole frames at a
 * time. What the process does is told by its program (program.h); how it speaks PVM: task.h.
 */
#ifndef SIM_PROC_H
#define SIM_PROC_H

#include "core/effect.h"
#include "sim/host.h"

#include <stdbool.h>
#include <stdint.h>

struct sim_task;
struct sim_program;

/* Frames in one direction of a socket, or waiting to get into it. */
struct sim_queue {
    struct list frames;
    size_t bytes;
};

struct sim_proc;

struct sim_conn {
    struct sim_proc *proc; /* NULL: the process has closed its end */
    struct sim_host *host; /* the daemon's; NULL: it has closed its end */
    uint64_t number;
    bool paused;        /* the daemon does not read */
    bool closing;       /* the daemon closes when |waiting| is empty */
    struct sim_queue up;      /* in the socket, to the daemon */
    struct sim_queue waiting; /* in the daemon's memory */
    struct sim_queue down;    /* in the socket, to the process */
    struct sim_event up_turn;
    struct sim_event down_turn;
};

struct sim_proc {
    struct list link;   /* in the host's procs */
    struct sim_host *host;
    uint32_t pid;
    uint64_t ticket;    /* 0: not a child of the daemon */
    char name[64];
    uint64_t cookie;    /* PVMEPID */
    struct sim_conn *conn;
    struct sim_task *task;
    const struct sim_program *program;
    struct list output; /* pieces printed and not yet read by the daemon */
    bool output_paused;
    bool begun;         /* the program has said its first word */
    bool ignores_term;  /* SIGTERM does not end it */
    bool end_of_file_told;
    bool ended;         /* has exited; stays until its output was read */
    int32_t wait_status;
    struct sim_event turn;        /* the program's next step */
    struct sim_event output_turn; /* the daemon reads its pipe, at the end reaps it */
};

/* A process of a user's on |host|; NULL without memory. It does nothing by itself. */
struct sim_proc *sim_proc_create(struct sim_host *host, const char *name, uint64_t ticket);
/* Connects to the daemon. 0, or -1 without memory. */
int sim_proc_connect(struct sim_proc *proc);
void sim_proc_disconnect(struct sim_proc *proc);
/* Room for another frame in the socket to the daemon? */
bool sim_proc_can_write(const struct sim_proc *proc);
/* Writes one frame, taking over its references. */
void sim_proc_write(struct sim_proc *proc, struct frame *frame);
/* The next frame that has come, with its references. */
bool sim_proc_read(struct sim_proc *proc, struct frame *frame);
void sim_proc_print(struct sim_proc *proc, const char *text);
/* Ends with |wait_status| (as waitpid gives it): closes the connection, then the daemon reaps
 * it. The process must not be used by the caller afterwards. */
void sim_proc_end(struct sim_proc *proc, int32_t wait_status);
/* Frees at once and tells nobody: the host lost its power. */
void sim_proc_destroy(struct sim_proc *proc);

/* ---- for the daemon's shell ---- */

struct sim_proc *sim_proc_find(struct sim_host *host, uint32_t pid);
struct sim_proc *sim_proc_of_ticket(struct sim_host *host, uint64_t ticket);
void sim_conn_send(struct sim_conn *conn, const struct frame *frame, const struct origin *origin);
void sim_conn_pause(struct sim_conn *conn, bool pause);
void sim_conn_close(struct sim_conn *conn);
void sim_proc_pause_output(struct sim_proc *proc, bool pause);
/* A signal other than SIGTERM and SIGKILL is only told. */
void sim_proc_signal(struct sim_proc *proc, int32_t signal);
/* All children get |signal|. */
void sim_children_end(struct sim_host *host, int32_t signal);
/* The daemon is gone: connections break, children die. */
void sim_procs_orphan(struct sim_host *host);
/* The same at once, and children are gone: the daemon begins a new life. */
void sim_procs_end(struct sim_host *host);
/* The daemon can write again. */
void sim_conns_go_on(struct sim_host *host);
/* Frees the connections of a host that is gone. */
void sim_conns_fini(struct sim_host *host);
/* EFFECT_CHILD_START. */
void sim_child_start(struct sim_host *host, uint64_t ticket, const struct child_start *child);

#endif
