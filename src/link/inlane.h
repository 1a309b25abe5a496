/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The receiving half of a lane: parts of units go straight into the unit's own buffer, in any
 * order, twice or thrice; complete units come out in order, once.
 *
 * A unit whose start is at or behind the next one to deliver is new, all before it is a
 * repetition. What is held never exceeds the credit given (|limit|): a part beyond it is refused
 * before any memory is taken.
 */
#ifndef LINK_INLANE_H
#define LINK_INLANE_H

#include "base/buf.h"
#include "base/list.h"
#include "link/events.h"
#include "link/frame.h"
#include "link/ranges.h"

struct inframe {
    struct list node; /* in inlane.frames, by start; on its own once delivered */
    struct event_node event;
    uint64_t start;
    uint32_t length;
    struct buf *buf;
    struct ranges received;
};

struct inlane {
    uint64_t id; /* 0 = control */
    uint32_t source, destination;
    struct list frames; /* incomplete, or behind an incomplete one */
    struct list *hint;  /* where the last part went; NULL = unknown */
    uint64_t delivered; /* all before it came out */
    uint64_t highest;   /* end of the farthest unit seen */
    uint64_t consumed;
    uint64_t limit;        /* credit the peer was given */
    uint64_t held_bytes;   /* of units begun and not delivered */
    uint64_t window_bytes; /* how far |limit| is to be ahead of |consumed| */
};

enum inlane_result { INLANE_TAKEN, INLANE_REPEATED, INLANE_BAD, INLANE_NO_MEMORY };

void inlane_init(struct inlane *lane, uint64_t id, uint32_t source, uint32_t destination,
                 uint64_t window_bytes);
/* After inlane_init(): goes on behind |end|, where all before was delivered and consumed. */
void inlane_resume(struct inlane *lane, uint64_t end, uint64_t limit);
/* Forgets what was not delivered. */
void inlane_discard(struct inlane *lane);
/* INLANE_TAKEN when the part may be taken, without any effect. |unit_bytes_max| is the largest
 * unit. */
enum inlane_result inlane_check(struct inlane *lane, const struct frame_data *data,
                                uint64_t unit_bytes_max);
/* Takes a part. */
enum inlane_result inlane_take(struct inlane *lane, const struct frame_data *data,
                               uint64_t unit_bytes_max);
/* The next unit in order if it is complete, now the caller's (inframe_destroy), else NULL. */
struct inframe *inlane_next(struct inlane *lane);
void inframe_destroy(struct inframe *frame);

#endif
