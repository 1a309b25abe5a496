/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a daemon wants done: the output vocabulary of core/node.h. Effects are data; the shell
 * performs them in list order after node_step() returned, and never calls the node from inside.
 *
 * Memory: everything an effect points to lives until effects_reset(); the slices and frames in it
 * belong to the list (the shell holds what it keeps).
 */
#ifndef CORE_EFFECT_H
#define CORE_EFFECT_H

#include "base/arena.h"
#include "core/event.h"
#include "core/hostspec.h"

enum effect_kind {
    EFFECT_PEER_ADD,       /* peer, self, addresses, public_key, psk, psk_epoch: a link may be
                              needed */
    EFFECT_PEER_PSK,       /* peer, psk, psk_epoch */
    EFFECT_PEER_REMOVE,    /* peer; flag = say goodbye */
    EFFECT_PEER_SEND,      /* peer, bytes: one control message */
    EFFECT_PEER_NOTE,      /* peer, bytes: sent once, may be lost */
    EFFECT_PEER_FRAME,     /* peer, frame: over flow (frame.source, frame.destination) */
    EFFECT_PEER_CONSUME,   /* origin, count: credit back to the sender */
    EFFECT_PEER_RESET,     /* origin: nobody here will take more of this flow */
    EFFECT_CONN_SEND,      /* conn, frame, origin, ticket: write it; EVENT_CONN_TAKEN when written.
                              fds_of: and the descriptors of that connection with it */
    EFFECT_CONN_PAUSE,     /* conn; flag true = stop reading from the task, false = read again */
    EFFECT_CONN_CLOSE,     /* conn: after what was sent before has been written */
    EFFECT_SHARE_ATTACH,   /* conn, offer, count = its index: make the daemon's side of a pair
                              with it; EVENT_SHARE_ATTACHED */
    EFFECT_SHARE_PAUSE,    /* conn; flag true = take nothing more from the pair with it */
    EFFECT_SHARE_WAKE,     /* conn: ring its bell */
    EFFECT_SHARE_END,      /* conn: it left; its pair is done with */
    EFFECT_CHILD_START,    /* ticket, child */
    EFFECT_CHILD_SIGNAL,   /* pid, signal: to a process of this host, child or not */
    EFFECT_CHILD_PAUSE,    /* ticket; flag true = stop reading its output, false = read again */
    EFFECT_RESOLVE,        /* ticket, text = name */
    EFFECT_HOST_START,     /* ticket, start */
    EFFECT_HOST_CANCEL,    /* ticket: nobody waits any more */
    EFFECT_CONFIGURE,      /* text = search path, text2 = directory, text3 = debugger ("" = the
                              default): how children are started here; the shell expands variables
                              (HF-5) */
    EFFECT_TOMBSTONES,     /* peers, peer_count: who is to be told by the guardian when this daemon
                              is dead; replaces the list before */
    EFFECT_LEASE,          /* until_ns: the guardian ends everything when this passes and no later
                              one was told; UINT64_MAX = never */
    EFFECT_REJOIN,         /* this daemon is no host any more: end all children, drop all
                              connections and links, then node_rejoin() (D12) */
    EFFECT_STOP,           /* status: flush, end children that are left, remove files, leave with
                              it */
    EFFECT_KINDS
};

enum {
    SHARE_FDS_COUNT = 3,   /* descriptors of a TM_ATTACH or TM_PEER that carries some */
    SHARE_INDEX_MAX = 4096 /* processes of a host that share memory; 0 is the daemon */
};

/* fds_of: the daemon's own. */
#define EFFECT_FDS_DAEMON UINT64_MAX

/* A process to start (API-30, API-31). */
struct child_start {
    const char *file;        /* searched along the path when it has no '/' */
    const char *directory;   /* "" = the daemon's */
    bool debug;              /* PvmTaskDebug: run the debugger with file and argv */
    const char *const *argv; /* without the program's name; NULL-terminated */
    const char *const *environment; /* NAME=value, NULL-terminated: added to the daemon's own */
};

/* A daemon to start elsewhere (D13). */
struct host_start {
    enum host_starter starter;
    const struct host_spec *spec; /* name, login, daemon path and so on as the user gave them */
    const struct wire_address *addresses; /* resolved; the first is where to go */
    size_t address_count;
    uint32_t number;
    uint64_t epoch;
    uint64_t token;    /* HOST_STARTER_TOKEN: what the link by its key is called, */
    uint32_t token_life_s; /* and how long it is good */
    uint64_t master_epoch;
    uint8_t master_key[WIRE_KEY_BYTES];
    const struct wire_address *master_addresses;
    size_t master_address_count;
};

struct effect {
    enum effect_kind kind;
    uint64_t peer;
    uint64_t self;           /* what the peer calls us: our epoch, or the one of before */
    uint64_t conn;
    uint64_t ticket;
    uint64_t count;
    uint64_t fds_of;
    struct share_offer offer;
    int32_t status;
    int32_t signal;
    uint32_t pid;
    uint32_t psk_epoch;
    bool flag;
    const char *text;
    const char *text2;
    const char *text3;
    struct slice bytes;
    struct frame frame;
    struct origin origin;
    const uint64_t *peers;
    size_t peer_count;
    uint64_t until_ns;
    struct child_start child;
    struct host_start start;
    uint8_t public_key[WIRE_KEY_BYTES];
    uint8_t psk[WIRE_KEY_BYTES];
    const struct wire_address *addresses;
    size_t address_count;
};

struct effects {
    struct effect *items;
    size_t count;
    size_t capacity;
    struct arena arena;
};

void effects_init(struct effects *effects);
void effects_fini(struct effects *effects);
/* Drops every slice and frees what the effects pointed to. */
void effects_reset(struct effects *effects);
/* A new zeroed effect at the end of the list, or NULL without memory. */
struct effect *effects_add(struct effects *effects, enum effect_kind kind);
/* "PEER_SEND" and so on. */
const char *effect_name(enum effect_kind kind);

#endif
