/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What can happen to a daemon: the input vocabulary of core/node.h. A shell (pvmd in life, sim in
 * tests) turns happenings into these and nothing else.
 *
 * Memory: an event is borrowed for the length of node_step(); slices that the node keeps it holds.
 * Names: a |peer| is the epoch of another daemon (the id its link has in the mesh); a |conn| is a
 * number the shell gives to one connection of a task, never used again; a |ticket| is the number
 * the node gave in the effect that this event answers.
 */
#ifndef CORE_EVENT_H
#define CORE_EVENT_H

#include "base/buf.h"
#include "wire/frame.h"
#include "wire/msgs.h"

#include <stdbool.h>
#include <stdint.h>

enum event_kind {
    EVENT_START,         /* once, first: the master begins with its hostfile, a new host waits */
    EVENT_PEER_UP,       /* peer: the link stands */
    EVENT_PEER_DOWN,     /* peer, text: no sign of life, or it said goodbye */
    EVENT_PEER_MESSAGE,  /* peer, bytes: one control message */
    EVENT_PEER_FRAME,    /* peer, frame: came over the flow (frame.source, frame.destination);
                            frame.raw is set; in time EFFECT_PEER_CONSUME of its raw length comes */
    EVENT_PEER_ACKED,    /* peer, source, destination, count: so many bytes have arrived there */
    EVENT_PEER_RESET,    /* peer, source, destination: it will take no more of this flow */
    EVENT_PEER_NOTE,     /* peer, bytes: one note, see EFFECT_PEER_NOTE */
    EVENT_PEER_TOMBSTONE, /* peer: its guardian says that the daemon is dead */
    EVENT_PEER_SESSION,  /* peer: its tombstone here has to be made anew */
    EVENT_CONN_OPENED,   /* conn, pid: a process of this user connected (the shell checked whose it
                            is) */
    EVENT_CONN_FRAME,    /* conn, frame: control or data from the task; fds: descriptors of its
                            shared memory that came with it, tried and kept for others */
    EVENT_CONN_TAKEN,    /* conn, count: so many bytes of EFFECT_CONN_SEND were written, headers
                            included, in the order they were given; or ticket: that one was, whole,
                            out of the order */
    EVENT_CONN_CLOSED,   /* conn, text: the task closed, died, or sent what cannot be a frame */
    EVENT_SHARE_ATTACHED, /* conn, offer: the daemon's side of a pair, or status */
    EVENT_CHILD_STARTED, /* ticket; pid, or status (PVM error code) and text */
    EVENT_CHILD_OUTPUT,  /* ticket, bytes: what the child printed; length 0 = end of file */
    EVENT_CHILD_EXITED,  /* ticket, wait_status as of waitpid(); comes after the last output */
    EVENT_RESOLVED,      /* ticket; addresses and is_own, or status and text */
    EVENT_HOST_STARTED,  /* ticket; started, or status and text */
    EVENT_HOST_TOKEN,    /* ticket; answer.public_key of the token, text = the file it is in; then
                            EVENT_HOST_STARTED comes only when it could not be made */
    EVENT_DEADLINE,      /* the time node_deadline() named has come */
    EVENT_STOP,          /* signal: the user wants this daemon to end (SIGTERM, SIGINT) */
    EVENT_KINDS
};

/* Whose bytes these were, so that credit goes back to the right flow; peer 0 = not from a flow. */
struct origin {
    uint64_t peer;
    uint32_t source;
    uint32_t destination;
};

/* Where one side of a pair lies in its owner's segment: shm/pair.h, TM_ATTACH and TM_PEER. */
struct share_offer {
    uint64_t ring_offset;
    uint32_t ring_slots;
    uint64_t back_offset;
};

/* The answer line of a new daemon (`ddpro<...> arch<...> ...`), parsed by core/answer.h. */
struct host_answer {
    uint32_t protocol;
    char arch[32];
    uint32_t signature;
    uint8_t public_key[WIRE_KEY_BYTES];
    const struct wire_address *addresses;
    size_t address_count;
};

struct event {
    enum event_kind kind;
    uint64_t now_ns;       /* monotonic; never goes back */
    uint64_t wall_clock_us; /* for hostsync and nothing else */
    uint64_t peer;
    uint64_t conn;
    uint64_t ticket;
    uint32_t source;
    uint32_t destination;
    uint64_t count;
    int32_t status;
    int32_t signal;
    int32_t wait_status;
    uint32_t pid;
    uint32_t fds;
    struct share_offer offer;
    bool is_own;           /* EVENT_RESOLVED: one of this machine's own addresses */
    const char *text;      /* why, in words; may be NULL */
    struct slice bytes;
    struct frame frame;
    struct origin origin;
    struct host_answer answer;
    const struct wire_address *addresses;
    size_t address_count;
};

#endif
