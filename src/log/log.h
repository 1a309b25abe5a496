/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The ordered log: commands that a leader appends and everybody applies in the same order (D10).
 *
 * It is Raft (Ongaro, "Consensus: Bridging Theory and Practice", Stanford 2014; the sections are
 * named at the lines): elections with pre-vote and check-quorum, a no-op at the begin of each term,
 * joint consensus for every change of voters, leadership transfer, snapshots. What differs:
 *
 * - Nothing is on disk. A member that loses its memory comes back under another id, as another
 *   member, so forgetting a vote cannot be.
 * - Voters have weights: 2 each, 3 for the tie-holder, which the configuration names. A decision
 *   needs more than half of the weight, in both configurations while they are joint.
 * - Heartbeats are pulled: voters ask the leader (detect/detect.h), and what that showed is told
 *   here by log_leader_heard() and log_voter_heard(). A quiet log sends nothing.
 * - Learners are fed along a tree by members that give on committed entries alone; who feeds whom
 *   is the caller's business (log_feed). What a feeder gives can contradict nothing that is
 *   committed, so it is taken from anybody.
 *
 * Pure data: what to send is pulled as messages (log_pull), what to apply is pulled as entries
 * (log_next_committed), time is an argument. A member is named by a 64-bit id: the host epoch.
 */
#ifndef LOG_LOG_H
#define LOG_LOG_H

#include "base/arena.h"
#include "wire/msgs.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    LOG_ENTRIES_MAX = 256, /* kept beyond the snapshot before log_wants_compaction() says so */
    LOG_ENTRIES_PER_APPEND = 64,
    LOG_BYTES_MAX = 16 * 1024 * 1024, /* of entries, likewise: bodies of mailboxes are in them */
    LOG_BYTES_PER_APPEND = 4 * 1024 * 1024, /* unless one entry alone is longer */
    LOG_VOTERS_MAX = 7,
    LOG_WEIGHT = 2,
    LOG_WEIGHT_TIE = 3
};

struct log;

struct log_config {
    uint64_t self;
    uint64_t resend_ns;          /* an append without answer is sent again after this long */
    uint64_t election_ns;        /* no word of a leader for so long: an election, and not before */
    uint64_t election_spread_ns; /* ... and up to so much more, drawn anew each time */
    uint64_t seed;               /* of those draws */
};

/* Who votes. Two sets while a change is under way, else |old_count| is 0. */
struct log_voters {
    uint64_t ids[LOG_VOTERS_MAX];
    size_t count;
    uint64_t tie;
    uint64_t old_ids[LOG_VOTERS_MAX];
    size_t old_count;
    uint64_t old_tie;
};

/* X(role): what a member is. */
#define LOG_ROLES(X) X(LEARNER) X(FOLLOWER) X(PRE_CANDIDATE) X(CANDIDATE) X(LEADER)
enum log_role {
#define LOG_ROLE_ENUM(name) LOG_##name,
    LOG_ROLES(LOG_ROLE_ENUM)
#undef LOG_ROLE_ENUM
};

/* A learner that knows nothing. NULL without memory. */
struct log *log_create(const struct log_config *config);
void log_destroy(struct log *log);
/* The first member of a new log: leads term 1 as the only voter and tie-holder. 0, -1 without
 * memory. */
int log_found(struct log *log, uint64_t now_ns);

enum log_role log_role(const struct log *log);
bool log_is_leader(const struct log *log);
/* Who leads, as far as known here; 0 = not known (an election, or not yet told). */
uint64_t log_leader(const struct log *log);
uint64_t log_term(const struct log *log);
/* The newest configuration, committed or not (section 4.1). */
const struct log_voters *log_voters(const struct log *log);
/* The index of the entry, or of the snapshot, that says so: which configuration it is (detect.h).
 */
uint64_t log_voters_index(const struct log *log);
bool log_is_voter(const struct log *log, uint64_t id);

/* ---- the leader ---- */

/* Appends a command (copied; not empty). Its index, or 0: not the leader, it is giving its place
 * away, or no memory (nothing changed). It may be lost again if this member ceases to lead before
 * it is committed. */
uint64_t log_propose(struct log *log, const void *command, size_t length);
/* Changes who votes: first the joint configuration, when that is committed the new one (section
 * 4.3); a leader that is not in the new one steps down after it. 0; -1: not the leader, a change is
 * under way, nothing of the own term is committed yet, the set is none (1 to LOG_VOTERS_MAX
 * different ids, |tie| among them), or no memory. */
int log_change_voters(struct log *log, const uint64_t *ids, size_t count, uint64_t tie);
/* No change of voters is under way and the configuration in force is committed. */
bool log_voters_settled(const struct log *log);
/* |id| has all that is committed but for the last few entries: it may be made a voter. Of one who
 * is not fed from here it is not known (false): ask with log_follower_ask(). */
bool log_is_caught_up(const struct log *log, uint64_t id);
/* Gives its place to |to| (section 3.10), or, with 0, to the voter that knows most. Proposals fail
 * until that happened or election_ns went by. 0; -1: not the leader, or nobody to give it to. */
int log_transfer(struct log *log, uint64_t to, uint64_t now_ns);
/* A member that begins with nothing: it gets the snapshot, then the entries, from here, until it is
 * removed, log_feed() names it, or this member leads no more. 0; -1: not the leader, or no
 * memory. */
int log_follower_add(struct log *log, uint64_t id);
/* |id| has its place in the tree now, and knows it (it has applied the command that added it, so it
 * knows the member that feeds it, which may be as new): it is no longer fed for being new. Else the
 * leader would feed everybody in the end. */
void log_follower_hand_on(struct log *log, uint64_t id);
/* A member that is fed by another one: asks it where it stands and feeds it from here too, from
 * there on, until it is removed or log_feed() names it. 0 (also when it is fed from here already);
 * -1: not the leader, or no memory. */
int log_follower_ask(struct log *log, uint64_t id);
/* Nothing more is sent to |id|, not even if it votes. */
void log_follower_remove(struct log *log, uint64_t id);
/* True when everybody fed from here, and whoever they feed, has applied |index|. */
bool log_applied_by_all(const struct log *log, uint64_t index);
/* A round trip of |id| with this leader began at |began_ns|: evidence for check-quorum (6.2). */
void log_voter_heard(struct log *log, uint64_t id, uint64_t began_ns);
/* The last moment of which it is known that a majority followed this leader then (it was still the
 * only one); |now_ns| when it is a majority alone; 0 for others. */
uint64_t log_quorum_at(const struct log *log, uint64_t now_ns);

/* ---- everybody ---- */

/* The members to give committed entries to (without voters a leader feeds all voters anyway). */
int log_feed(struct log *log, const uint64_t *ids, size_t count);
/* The link to |id| is new or came back: what has no answer is sent again at once. */
void log_follower_retry(struct log *log, uint64_t id);
/* |leader| answered in |term|: no election for another election_ns. */
void log_leader_heard(struct log *log, uint64_t leader, uint64_t term, uint64_t now_ns);
/* |id| is dead for certain: if it led, an election begins at once, and votes are given at once. */
void log_dead(struct log *log, uint64_t id, uint64_t now_ns);

/* A message of the log (DM_APPEND, DM_APPENDED, DM_SNAPSHOT, DM_VOTE, DM_VOTED, DM_TAKE_OVER) from
 * |from|. 0; -1 when it is none of these, old, or not from one who may say it; without memory it
 * counts as lost: it is sent again. */
int log_receive(struct log *log, uint64_t from, const struct message *message, uint64_t now_ns);
/* Elections, steps down, what has waited long enough: at log_deadline() or later. */
void log_expire(struct log *log, uint64_t now_ns);

struct log_entry {
    uint64_t index;
    uint64_t term;
    bool is_snapshot;       /* |command| is a whole state, to be put in the place of the old one */
    const uint8_t *command; /* NULL: of the log itself (CMD_VOTERS), nothing to apply */
    size_t length;
};
/* The next entry to apply, valid until the next call on |log|; false when there is none. Asking
 * again gives the same until log_applied() was called. The first entry of each term is a CMD_NOOP
 * that names its leader: that is how learners know. */
bool log_next_committed(const struct log *log, struct log_entry *entry);
/* The entry given was applied. */
void log_applied(struct log *log);
uint64_t log_applied_index(const struct log *log);
uint64_t log_commit_index(const struct log *log);
uint64_t log_last_index(const struct log *log);

/* The next message to send to *|to|, pointing into |arena| and |log|: encode it before the next
 * call. False: none now (or no memory: ask again at log_deadline()). */
bool log_pull(struct log *log, uint64_t now_ns, struct arena *arena, uint64_t *to,
              struct message *message);
/* When log_expire() and log_pull() will have something that they have not now; UINT64_MAX = not
 * before another call. */
uint64_t log_deadline(const struct log *log);

/* Snapshots (section 5.1). |state| is what the commands up to log_applied_index() made (copied);
 * the entries up to there go. 0, -1 without memory (nothing changed). */
int log_compact(struct log *log, const void *state, size_t length);
/* Too many entries are kept. */
bool log_wants_compaction(const struct log *log);

#endif
