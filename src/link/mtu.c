/* SPDX-License-Identifier: BSD-3-Clause */
/* Path MTU discovery: see the header. */
#include "link/mtu.h"

#include "base/check.h"

enum { PROBES_LOST_MAX = 3, LOST_IN_ROW_MAX = 8 };
#define SEARCH_PAUSE_NS UINT64_C(600000000000) /* RFC 8899 section 5.1.1, PMTU_RAISE_TIMER */

static const size_t ladder[] = {MTU_BASE, 1452, 4000, 8900, 16000, 32000, 65000};

void mtu_init(struct mtu *mtu, size_t base, size_t datagram_bytes_max)
{
    *mtu = (struct mtu){.base = MIN_OF(base, datagram_bytes_max),
                        .current = MIN_OF(base, datagram_bytes_max),
                        .max = datagram_bytes_max};
}

size_t mtu_probe_size(const struct mtu *mtu, size_t size_max, uint64_t now_ns)
{
    size_max = MIN_OF(size_max, mtu->max);
    if (mtu->probing || now_ns < mtu->search_after_ns || size_max <= mtu->current)
        return 0;
    for (size_t i = 0; i < ARRAY_LEN(ladder); i++) {
        if (ladder[i] > mtu->current && ladder[i] <= size_max)
            return ladder[i];
    }
    /* Between two steps only the very end is worth a probe. */
    return size_max == mtu->max ? mtu->max : 0;
}

void mtu_probe_sent(struct mtu *mtu, size_t bytes)
{
    mtu->probing = bytes;
}

void mtu_probe_acked(struct mtu *mtu, size_t bytes)
{
    mtu->probing = 0;
    mtu->probes_lost = 0;
    mtu->lost_in_row = 0;
    mtu->current = MAX_OF(mtu->current, bytes);
}

void mtu_probe_lost(struct mtu *mtu, uint64_t now_ns)
{
    mtu->probing = 0;
    if (++mtu->probes_lost < PROBES_LOST_MAX)
        return;
    mtu->probes_lost = 0;
    mtu->search_after_ns = now_ns + SEARCH_PAUSE_NS;
}

void mtu_acked(struct mtu *mtu, size_t bytes)
{
    if (bytes > mtu->base)
        mtu->lost_in_row = 0;
}

bool mtu_lost(struct mtu *mtu, size_t bytes, uint64_t now_ns)
{
    if (bytes <= mtu->base || mtu->current <= mtu->base || ++mtu->lost_in_row < LOST_IN_ROW_MAX)
        return false;
    mtu->lost_in_row = 0;
    mtu->current = mtu->base;
    /* Something on the path changed: look again soon, it may have been for a moment. */
    mtu->search_after_ns = now_ns + SEARCH_PAUSE_NS / 60;
    return true;
}
