/* SPDX-License-Identifier: BSD-3-Clause */
/* What the files share*.c of this folder know of each other. See pvmd/share.h. */
#ifndef PVMD_SHARE_STATE_H
#define PVMD_SHARE_STATE_H

#include "pvmd/share.h"
#include "share/segment.h"

enum {
    SHARE_COPY_BYTES_MAX = 1024, /* up to here a body is copied: to hold it costs no less */
    SHARE_TURN_FRAMES = 128,     /* of one task, then others have their turn */
    SHARE_WAIT_BYTES = 4 << 20,  /* so much may wait in a pair for its task, the rest goes by the
                                    socket, which says when there is room */
    SHARE_GATHER_BYTES_MAX = 16 << 20, /* longer messages go by the socket, where each fragment may
                                          go on before the next is there */
    SHARE_SLOT_COST = 2 * SHM_SLOT_BYTES,
    SHARE_QUIET_MAX = 8 /* so often nothing was found, then a task must announce itself again */
};

/* A message of a task on its way to the core, frame by frame. */
struct feed {
    bool is_active;
    bool is_begun;        /* the first frame is out */
    struct parcel parcel; /* its slot is taken when all is out */
    size_t piece;         /* where the rest of the body begins */
    size_t offset;
    size_t left;
};

/* A message for a task whose fragments come one by one, in blocks of our segment. */
struct gather {
    struct list link;
    uint32_t source;
    uint64_t sequence;
    struct message_head head;
    size_t filled;
    size_t room;
    size_t block_count;
    struct slice *blocks;
};

struct share {
    struct conn *conn;
    struct fds *fds;         /* NULL once it left */
    struct share_peer peer;  /* its inbox is mapped as long as this lives */
    struct shm_pair *pair;   /* with us; NULL = none, or it is done with */
    uint32_t index;          /* of the task, with |pair| */
    bool is_paused;          /* by the core */
    bool is_stalled;         /* there was no memory to read it: later */
    bool is_heard;           /* it has mapped our memory: what is sent there arrives */
    bool owns_view;          /* no pair has taken over the mapping */
    uint32_t quiet;          /* so often there was no news */
    uint64_t seen_untaken;   /* slots it had not taken when we slept last */
    bool owes_ring;          /* something came back to it while it slept */
    struct list lender;      /* in sharing->lenders from its first lent body on */
    struct feed feed;
    struct list gathers;
    size_t gathering_bytes;
    uint32_t *waiting;       /* costs of the messages it has not taken: a ring */
    size_t waiting_first;
    size_t waiting_count;
    size_t waiting_capacity; /* a power of two */
    size_t waiting_bytes;
};

/* What the daemon has for all of them, from the first who attaches on. */
struct sharing {
    struct share_own own;
    struct fds *own_fds;     /* copies to pass on */
    struct shm_ears ears;
    struct loop_watch *watch;
    struct list lenders;
    struct share *by_index[SHM_INDEX_MAX];
    uint64_t retry_ns; /* somebody could not be read without memory; UINT64_MAX = nobody */
    uint64_t tidy_ns;  /* those who sleep are rung for what came back; UINT64_MAX = nobody is */
    uint64_t trim_ns;  /* memory may be given back then */
    bool wants_trim;
};

/* The task published something; the bell only if it sleeps. */
void share_ring(const struct share *share);
/* Nothing more is read from the pair nor written to it; |why| NULL = in order. */
void share_close_pair(struct share *share, const char *why);

/* ---- share_in.c ---- */
void feed_drop(struct share *share);

/* ---- share_out.c ---- */
/* What was gathered goes by the socket: the pair is no more. */
void gathers_to_socket(struct share *share);
void gathers_drop(struct share *share);

#endif
