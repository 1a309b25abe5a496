/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Which packet numbers were seen: a bitmap that slides behind the largest one (RFC 6479).
 *
 * A number that is too far behind counts as seen. Packets are checked before they are opened and
 * recorded only after they proved genuine.
 */
#ifndef LINK_REPLAY_H
#define LINK_REPLAY_H

#include <stdbool.h>
#include <stdint.h>

enum {
    REPLAY_WORDS = 64,
    REPLAY_WINDOW = (REPLAY_WORDS - 1) * 64
}; /* numbers behind the largest */

struct replay {
    uint64_t next; /* largest number seen plus one */
    uint64_t bits[REPLAY_WORDS];
};

void replay_init(struct replay *replay);
/* All numbers below |next| count as seen. */
void replay_resume(struct replay *replay, uint64_t next);
bool replay_was_seen(const struct replay *replay, uint64_t number);
void replay_record(struct replay *replay, uint64_t number);

#endif
