/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * All times of the detector in one table, as thousandths of dead_after (D), each with its reason.
 * What they must do together is checked by tests/unit/detect/times_test.c and crowd_test.c:
 *
 *   silence that must be survived   0.70 + age of the lease when it begins + a round < LEASE
 *   safety                          LEASE <= 0.97 * REMOVE: clocks may differ by 3 in a hundred
 *   promptness                      REMOVE + one question and its answer < 1.00
 */
#ifndef DETECT_TIMES_H
#define DETECT_TIMES_H

#include <stdint.h>

/* X(name, thousandths of D, why) */
#define DETECT_TIMES(X)                                                                           \
    X(REMOVE, 950, "heard of by nobody for so long: removed; the rest of D is for the question")   \
    X(LEASE, 920, "over before REMOVE by any clock that is not slower than 0.97 of the leader's")  \
    X(FIRST_LEASE, 3000, "for a new host to be confirmed; nothing acts before, so it may be long: "\
                         "hundreds may be added at once")                                          \
    X(STALE_VOTERS, 1500, "a newer configuration may be known so long before its asker has it: a " \
                          "feeder of the log that died is replaced within this")                   \
    X(OLD_VOTERS, 2450, "STALE_VOTERS + REMOVE: so long leases given under it may be in force")    \
    X(ROUND, 150, "at the begin of a silence a lease is at most as old as this and a round trip")  \
    X(HARD_ROUND, 100, "after a round that needed more than a train: the next may be as hard")     \
    X(RIDE, 165, "of those who ride with others: later than ROUND, so that the same ones begin")   \
    X(JOIN, 120, "a voter rides along when its last departure is older: its own is near")          \
    X(REPLY, 40, "a train that is not home after this is asked for again, of each voter directly") \
    X(REPLY_MIN, 10, "the same as a multiple of the round trip, but not less than this")           \
    X(URGENT, 250, "so little is left of a lease: asked again each REPLY_MIN")                     \
    X(PROBE, 300, "between two probes of targets, one target each: three of them in 0.90")         \
    X(FRESH, 200, "who was heard of so recently needs no question")                                \
    X(SUSPECT, 250, "silent so long: asked, through others too, then suspected")                   \
    X(PROBE_REPLY, 40, "a probe is answered within this, or repeated")                             \
    X(TELL, 90, "a suspicion is told again to the leader")                                         \
    X(ASK_EARLY, 250, "the leader asks the voters again, too early for a verdict: they probe the " \
                      "suspect then")                                                              \
    X(ASK, 8, "between two questions of the leader that want a verdict")                           \
    X(GIVE_UP, 975, "voters that live but do not answer are waited for until then")                \
    X(TOMBSTONE, 40, "a certain death is told again, while its host is in the table")              \
    X(REMIND, 100, "a verdict is said again, while its host is in the table")                      \
    X(TOGETHER, 12, "timers so close are run in one wake-up")                                      \
    X(LATE, 40, "a timer that fires so late means that this daemon did not run")                   \
    X(HEALTH, 31, "SUSPECT grows by so much for each point of bad local health")

enum detect_time {
#define DETECT_TIME_ENUM(name, share, why) TIME_##name = share,
    DETECT_TIMES(DETECT_TIME_ENUM)
#undef DETECT_TIME_ENUM
};

/* enum values of equal shares are fine: they are numbers, not names. */
static inline uint64_t time_of(uint64_t dead_after_ns, enum detect_time share)
{
    return dead_after_ns / 1000 * (uint64_t)share;
}

#endif
