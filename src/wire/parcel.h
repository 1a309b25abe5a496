/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A whole message in memory on its way by a route that moves messages, not frames (shm/pair.h):
 * head, order and body. Nothing is encoded. The body is either |length| bytes at |bytes| or pieces;
 * who gives a parcel keeps everything it points to alive for the call, who takes one holds what it
 * keeps.
 */
#ifndef WIRE_PARCEL_H
#define WIRE_PARCEL_H

#include "base/buf.h"

#include <stdbool.h>
#include <stdint.h>

struct parcel {
    int32_t tag;
    uint32_t context;
    uint32_t encoding;
    uint32_t wait_id;
    uint32_t party;       /* to a daemon: destination tid; from a daemon: source tid; else 0 */
    bool is_mcast;        /* the first piece is the target list of FRAME_MCAST, the rest the body */
    uint64_t sequence;    /* of (source, destination), decision D4; of the multicast */
    uint64_t time;        /* of the sender's clock; 0 = none */
    const uint8_t *bytes; /* NULL: pieces */
    const struct slice *pieces;
    size_t piece_count;
    size_t length; /* of all bytes or pieces together */
};

#endif
