/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The sending half of a lane: units (control messages, or frames of a flow) in order, cut into
 * parts that fit packets, sent again when lost, forgotten when acknowledged.
 *
 * A lane is limited by the peer's credit in bytes of units; a unit is started only when all of it
 * fits. Parts already started are free to go again. Which lane sends next is link_send.c's
 * business.
 */
#ifndef LINK_OUTLANE_H
#define LINK_OUTLANE_H

#include "base/buf.h"
#include "base/list.h"
#include "link/loss.h"
#include "link/ranges.h"

enum { OUTLANE_HEAD_BYTES_MAX = 31 };

/* One unit. Packets in flight refer to it, so it may outlive its data and its lane. */
struct outframe {
    struct list all;      /* in outlane.frames */
    struct list pending;  /* in outlane.pending while it has bytes to send */
    struct outlane *lane; /* NULL once done or discarded */
    struct slice data;
    uint8_t head_length;
    uint8_t head[OUTLANE_HEAD_BYTES_MAX]; /* goes before |data| */
    uint64_t start;
    uint32_t length;
    uint32_t references; /* items of packets that name it */
    bool started;        /* counted against the credit */
    struct ranges to_send;
    struct ranges acked;
};

struct outlane {
    uint64_t id; /* 0 = control */
    uint32_t source, destination;
    bool opened; /* the peer is known to have seen source and destination */
    struct list frames, pending;
    uint64_t end;           /* of everything written */
    uint64_t started_end;   /* of everything started */
    uint64_t limit;         /* started_end may go that far */
    uint64_t unacked_bytes; /* of units written and not completely acknowledged */
};

/* What the peer lets all flows together start; NULL where the control lane is meant. */
struct outcredit {
    uint64_t started, limit;
};

/* Where outlane_fill() notes what went into the packet. */
struct sent_items {
    struct sent_item *items;
    uint32_t count, capacity;
};

void outlane_init(struct outlane *lane, uint64_t id, uint32_t source, uint32_t destination,
                  uint64_t limit);
/* After outlane_init(): goes on behind |end|, where all before was acknowledged. */
void outlane_resume(struct outlane *lane, uint64_t end, uint64_t limit);
/* Forgets all units: those not yet acknowledged are lost. */
void outlane_discard(struct outlane *lane);
/* Queues a unit: |head_length| bytes at |head|, copied, then |data|, taking a reference to it. 0 or
 * -1 without memory. */
int outlane_write(struct outlane *lane, const void *head, size_t head_length, struct slice data);
/* Something may be sent now. |blocked_by_peer| (may be NULL): false only for lack of |credit|. */
bool outlane_may_send(const struct outlane *lane, const struct outcredit *credit,
                      bool *blocked_by_peer);
/* Encodes parts until |wr| has no room, |items| are full, |budget| bytes are spent or nothing
 * may be sent. Returns the bytes of data written. */
size_t outlane_fill(struct outlane *lane, struct outcredit *credit, struct wr *wr,
                    struct sent_items *items, size_t budget);

/* The part [offset, offset + length) arrived. Returns the length of the unit if that completes
 * it (its data are dropped then), else 0. */
uint32_t outframe_acked(struct outframe *frame, uint64_t offset, uint32_t length);
/* The part is lost: what is not known to have arrived goes again, before newer data. True when the
 * lane has something to send through it. */
bool outframe_lost(struct outframe *frame, uint64_t offset, uint32_t length);
/* One packet less refers to it. */
void outframe_release(struct outframe *frame);

#endif
