/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What lies in memory shared between processes: the one place that says which byte is whose.
 *
 * A process owns one segment. It alone writes there; others map it for reading. A segment holds the
 * header, message bodies (shm/heap.h), and for each pair (this process, another) a ring of slots
 * and a back block. Beside it stands the inbox, one page that everybody may write: nothing in it is
 * believed, it only says where to look. Shared values are of the machine's own byte order; two
 * processes whose data signatures differ do not share memory.
 *
 * A reader copies a value once, checks the copy, and uses the copy: the other side may write at any
 * moment, and may be hostile. Offsets are from the start of the segment.
 */
#ifndef SHM_LAYOUT_H
#define SHM_LAYOUT_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

enum {
    SHM_MAGIC = 0x53564d50, /* "PMVS" in memory */
    SHM_VERSION = 1,
    SHM_LINE_BYTES = 64,
    SHM_SLOT_BYTES = 128,
    SHM_INLINE_BYTES_MAX = 72,  /* bodies up to here travel in the slot */
    SHM_INLINE_FIRST_LINE = 24, /* up to here only the slot's first cache line moves */
    SHM_PIECES_DIRECT_MAX = 9,  /* more are listed in a block of the segment */
    SHM_PIECES_MAX = 65536,
    SHM_RELEASES_MAX = 18,      /* handles given back by one slot */
    SHM_RING_SLOTS_FIRST = 8,   /* 1 KiB: a pair that talks little costs little */
    SHM_RING_SLOTS_STEP = 4,    /* a ring found full is followed by one so many times as large */
    SHM_RING_SLOTS_MAX = 512,
    SHM_INBOX_WORDS = 64,
    SHM_INDEX_MAX = 64 * SHM_INBOX_WORDS, /* processes of one host that share memory */
    SHM_INDEX_DAEMON = 0
};

/* Offset 0 of a segment. */
struct shm_header {
    uint32_t magic;
    uint32_t version;
    uint64_t size_bytes; /* of the segment; fixed, sealed */
    uint8_t unused[SHM_LINE_BYTES - 16];
    /* A line of its own: peers read it after each message, so it stays in their caches. Not 0: the
     * owner sleeps, or is outside of the library with its descriptor in the program's hands, and
     * whoever publishes must signal it. Another number each time: who has signalled it need not
     * again while the number stays. */
    _Atomic uint32_t sleeping;
    uint8_t unused2[SHM_LINE_BYTES - 4];
};

enum shm_kind {
    SHM_BYTES = 1,   /* a message: |count| bytes of payload are the body */
    SHM_PIECES = 2,  /* a message: |count| piece references in the payload */
    SHM_LIST = 3,    /* a message: payload is one piece, which holds |pieces| u64 references */
    SHM_RELEASE = 4, /* |count| handles (u32) of messages of the other side that are done with */
    SHM_MOVE = 5     /* the ring goes on elsewhere: payload is u64 offset, u32 slots */
};

enum {
    SHM_HAS_EXTRA = 1, /* |wait_id| and |party| are set; else both are 0 and not looked at */
    SHM_IS_MCAST = 2   /* to a daemon: first piece the list of FRAME_MCAST, the rest the body */
};

/* One slot of a ring, two cache lines; a message takes exactly one. Its position p counts from 0
 * since the pair began and goes on across rings; it is published when |stamp| is
 * shm_stamp(p). */
struct shm_slot {
    _Atomic uint32_t stamp;
    uint8_t kind;  /* enum shm_kind */
    uint8_t flags;
    uint16_t count;
    int32_t tag;
    uint32_t context;
    uint64_t sequence; /* of the pair (sender, receiver), decision D4 */
    uint64_t time;     /* of the sender's clock: "oldest first" across senders */
    uint32_t encoding;
    uint32_t handle; /* PIECES, LIST: names the message when it is released */
    uint8_t payload[SHM_INLINE_BYTES_MAX];
    uint32_t wait_id;
    uint32_t party; /* to a daemon: destination tid; from a daemon: source tid */
    uint32_t pieces;
    uint32_t unused;
};
_Static_assert(sizeof(struct shm_slot) == SHM_SLOT_BYTES, "two cache lines");
_Static_assert(offsetof(struct shm_slot, payload) + SHM_INLINE_FIRST_LINE == SHM_LINE_BYTES,
               "small bodies move with the head");

/* Never 0: fresh rings are filled with zeros. */
static inline uint32_t shm_stamp(uint64_t position)
{
    return (uint32_t)position | UINT32_C(0x80000000);
}

/* A piece of a body: offset and length of bytes in the sender's segment. */
enum { SHM_PIECE_LENGTH_BITS = 24 };
static inline uint64_t shm_piece(uint64_t offset, uint32_t length)
{
    return offset << SHM_PIECE_LENGTH_BITS | length;
}
static inline uint64_t shm_piece_offset(uint64_t piece)
{
    return piece >> SHM_PIECE_LENGTH_BITS;
}
static inline uint32_t shm_piece_length(uint64_t piece)
{
    return (uint32_t)(piece & ((UINT32_C(1) << SHM_PIECE_LENGTH_BITS) - 1));
}

/* In the segment of the reader of a ring, for its writer. */
struct shm_back {
    _Atomic uint64_t consumed; /* slots taken since the pair began, MOVE included */
    uint8_t unused[SHM_LINE_BYTES - 8];
};

/* The inbox: bit i of words[w] says "process 64 w + i may have published something for you", bit w
 * of summary says "words[w] may be non-zero". */
struct shm_inbox {
    _Atomic uint64_t summary;
    _Atomic uint32_t socket; /* the daemon wrote to the socket */
    uint8_t unused[SHM_LINE_BYTES - 12];
    _Atomic uint64_t words[SHM_INBOX_WORDS];
};

#endif
