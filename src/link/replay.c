/* SPDX-License-Identifier: BSD-3-Clause */
/* Sliding bitmap of seen packet numbers: see the header. */
#include "link/replay.h"

#include <string.h>

void replay_init(struct replay *replay)
{
    memset(replay, 0, sizeof(*replay));
}

void replay_resume(struct replay *replay, uint64_t next)
{
    replay->next = next;
    memset(replay->bits, 0xff, sizeof(replay->bits));
    if (next % 64) /* the numbers from |next| on in its word are new */
        replay->bits[next / 64 % REPLAY_WORDS] = ((uint64_t)1 << (next % 64)) - 1;
}

bool replay_was_seen(const struct replay *replay, uint64_t number)
{
    if (number >= replay->next)
        return false;
    if (replay->next - 1 - number >= REPLAY_WINDOW)
        return true;
    return replay->bits[number / 64 % REPLAY_WORDS] >> (number % 64) & 1;
}

void replay_record(struct replay *replay, uint64_t number)
{
    if (number >= replay->next) {
        uint64_t from = replay->next ? (replay->next - 1) / 64 + 1 : 0;
        uint64_t to = number / 64;
        if (to >= REPLAY_WORDS && from + REPLAY_WORDS <= to)
            from = to - REPLAY_WORDS + 1;
        for (uint64_t word = from; word <= to; word++)
            replay->bits[word % REPLAY_WORDS] = 0;
        replay->next = number + 1;
    }
    replay->bits[number / 64 % REPLAY_WORDS] |= (uint64_t)1 << (number % 64);
}
