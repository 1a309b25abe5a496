/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The ordered log: commands that one leader appends and everybody applies in the same order (D10).
 *
 * It is Raft (Ongaro, "Consensus: Bridging Theory and Practice", Stanford 2014; the sections are
 * named at the lines) with a leader that is fixed for now: terms, entries, the check of the
 * previous entry, the commit rule and snapshots are there; elections are not. The only voter is the
 * leader, everybody else learns (section 4.2.1). Pure data: what to send is pulled as messages
 * (log_pull), what to apply is pulled as entries (log_next_committed). A member is named by a
 * 64-bit id: the host epoch.
 */
#ifndef LOG_LOG_H
#define LOG_LOG_H

#include "base/arena.h"
#include "wire/msgs.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    LOG_ENTRIES_MAX = 256,       /* kept beyond the snapshot before log_wants_compaction() says so
                                    */
    LOG_ENTRIES_PER_APPEND = 64
};

struct log;

struct log_config {
    uint64_t self;
    uint64_t leader;    /* who leads |term| */
    uint64_t term;
    uint64_t resend_ns; /* an append without answer is sent again after this long */
};

/* NULL without memory. */
struct log *log_create(const struct log_config *config);
void log_destroy(struct log *log);
bool log_is_leader(const struct log *log);

/* ---- the leader ---- */

/* Appends a command (copied). Its index, or 0: not the leader, or no memory (nothing changed). */
uint64_t log_propose(struct log *log, const void *command, size_t length);
/* A learner that begins with nothing: it gets the snapshot, then the entries. 0, -1 without
 * memory. */
int log_follower_add(struct log *log, uint64_t id);
/* Nothing more is sent to |id|. */
void log_follower_remove(struct log *log, uint64_t id);
/* The link to |id| is new or came back: what has no answer is sent again at once. */
void log_follower_retry(struct log *log, uint64_t id);
/* True when every follower said that it has applied |index|. */
bool log_applied_by_all(const struct log *log, uint64_t index);

/* ---- everybody ---- */

/* A DM_APPEND, DM_APPENDED or DM_SNAPSHOT from |from|. 0; -1 when it is none of these, old, or not
 * from one who may say it; without memory it counts as lost: the leader sends it again. */
int log_receive(struct log *log, uint64_t from, const struct message *message, uint64_t now_ns);

struct log_entry {
    uint64_t index;
    uint64_t term;
    bool is_snapshot;      /* then |command| is a whole state, to be put in the place of the old
                              one */
    const uint8_t *command;
    size_t length;
};
/* The next entry to apply, valid until the next call on |log|; false when there is none. Asking
 * again gives the same until log_applied() was called. */
bool log_next_committed(const struct log *log, struct log_entry *entry);
/* The entry given was applied. */
void log_applied(struct log *log);
uint64_t log_applied_index(const struct log *log);
uint64_t log_last_index(const struct log *log);
uint64_t log_term(const struct log *log);

/* The next message to send to *|to|, pointing into |arena| and |log|: encode it before the next
 * call. False: none now (or no memory: ask again at log_deadline()). */
bool log_pull(struct log *log, uint64_t now_ns, struct arena *arena, uint64_t *to,
              struct message *message);
/* When log_pull() will have something that it has not now; UINT64_MAX = not before another call. */
uint64_t log_deadline(const struct log *log);

/* Snapshots (section 5.1). |state| is what the commands up to log_applied_index() made (copied);
 * the entries up to there go. 0, -1 without memory (nothing changed). */
int log_compact(struct log *log, const void *state, size_t length);
/* Too many entries are kept. */
bool log_wants_compaction(const struct log *log);

#endif
