/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the files of this folder share: the state of one log (figure 3.1 of the dissertation, all of
 * it volatile here) and the functions they offer each other. For nobody else; begin with log/log.h.
 */
#ifndef LOG_STATE_H
#define LOG_STATE_H

#include "base/list.h"
#include "base/map.h"
#include "base/rng.h"
#include "log/log.h"

enum {
    LOG_UNION_MAX = 2 * LOG_VOTERS_MAX, /* voters while two sets are joint */
    LOG_TAIL = 32,                      /* entries kept behind a snapshot for those a little late */
    LOG_TAIL_BYTES = 4 * 1024 * 1024,   /* and no more than so much */
    LOG_SLACK = 16,                     /* so far behind is still caught up */
    LOG_FEEDERS_MAX = 4,                /* the leader, a feeder, and those before them */
    LOG_DEAD_MAX = 8
};

struct entry {
    uint64_t term;
    uint8_t *command;
    size_t length;
    struct log_voters *voters; /* of a CMD_VOTERS, else NULL */
    uint64_t leader;           /* of a CMD_NOOP, else 0 */
};

/* The state after entry |index|, and who votes then (section 5.1). Index 0: there is none. */
struct snapshot {
    uint8_t *state;
    size_t length;
    uint64_t index;
    uint64_t term;
    struct log_voters voters;
};

/* Why somebody gets entries from here. */
enum {
    FOLLOWS_AS_VOTER = 1, /* this member leads */
    FOLLOWS_IN_TREE = 2,  /* log_feed() */
    FOLLOWS_AT_FIRST = 4  /* log_follower_add(), log_follower_ask() */
};

/* One who gets entries from here. In one of four lists: ready (to be looked at by the next pull),
 * waiting (for an answer) and lagging (has not applied all it knows to be committed), both in the
 * order of at_ns, and idle. So nobody is looked at who has nothing to get. */
struct follower {
    struct list link;
    uint64_t id;
    uint64_t next_index; /* figure 3.1: nextIndex, matchIndex */
    uint64_t match_index;
    uint64_t applied_index; /* by it and all whom it feeds */
    uint64_t commit_told;
    uint64_t sent_index; /* the last entry of what is under way */
    uint64_t at_ns;      /* when it came to wait or to lag */
    uint64_t heard_ns;   /* a voter: evidence for check-quorum */
    uint8_t why;         /* FOLLOWS_... */
    bool waits;          /* for the answer to what is under way */
    bool answered;       /* at least once */
    bool has_nothing;    /* begins with the snapshot */
    bool ask;            /* send something, if only a question */
    bool muted;          /* log_follower_remove() of a voter */
};

/* One who gives entries to this member, and wants to know what was applied. */
struct feeder {
    uint64_t id;
    uint64_t matched;
    uint64_t told; /* applied index */
};

struct outgoing {
    uint64_t to;
    struct message message; /* without pointers */
};

struct log {
    struct log_config config;
    struct rng rng;
    uint64_t now_ns; /* the newest time that a caller told */

    uint64_t term;
    uint64_t voted_for;
    enum log_role role;
    uint64_t leader; /* of |term|, 0 = not known */
    /* the newest term of which the leader is known, for those fed from here */
    uint64_t known_term;
    uint64_t known_leader;

    /* entries[i] has index base_index + 1 + i; the base is not after the snapshot */
    struct entry *entries;
    size_t count;
    size_t capacity;
    uint64_t bytes; /* of their commands */
    uint64_t base_index;
    uint64_t base_term;
    struct snapshot snapshot;
    uint64_t commit_index;
    uint64_t applied_index;
    struct log_voters voters; /* the newest, and the entry (or snapshot) that says so */
    uint64_t voters_index;

    /* elections */
    uint64_t election_at_ns; /* of a voter that does not lead */
    uint64_t contact_ns;     /* when a leader was last heard of, or led here */
    bool had_contact;
    uint64_t granted[LOG_UNION_MAX];
    size_t granted_count;
    uint64_t campaign_ns;
    bool is_transfer; /* of this campaign */
    uint64_t dead[LOG_DEAD_MAX];
    size_t dead_next;
    uint64_t dead_leader; /* why this member wants another one, 0 = because of silence */

    /* the leader */
    uint64_t quorum_ns; /* log_quorum_at() was at least so much */
    uint64_t transfer_to;
    uint64_t transfer_until_ns;
    bool transfer_sent;
    uint64_t retry_at_ns; /* an own entry had no memory; 0 = all well */

    struct map followers; /* id -> struct follower */
    struct list ready;
    struct list waiting;
    struct list lagging;
    struct list idle;

    struct feeder feeders[LOG_FEEDERS_MAX];
    size_t feeder_count;
    bool report_due;

    struct outgoing *out;
    size_t out_first;
    size_t out_count;
    size_t out_capacity;
};

/* ---- entries.c: what is stored ---- */

const struct entry *entry_at(const struct log *log, uint64_t index);
/* The term of the entry |index|, 0 when it is not (or no longer) known. */
uint64_t entry_term(const struct log *log, uint64_t index);
/* Appends a copy; what the log itself has to know is read from it. 0; -1 without memory, or what
 * the log has to know makes no sense. */
int entries_append(struct log *log, uint64_t term, const void *command, size_t length);
int entries_append_message(struct log *log, uint64_t term, const struct message *message);
/* |index| and all after it go. */
void entries_cut(struct log *log, uint64_t index);
/* All up to |index| go. */
void entries_forget(struct log *log, uint64_t index);
void entries_fini(struct log *log);
/* Who votes according to the entries up to |index|; *|at| is the entry that says so. */
const struct log_voters *entries_voters(const struct log *log, uint64_t index, uint64_t *at);

/* ---- voters.c: sets and weights ---- */

typedef uint64_t (*voter_value_f)(const void *context, uint64_t id);
bool voters_contain(const struct log_voters *voters, uint64_t id);
bool voters_are_joint(const struct log_voters *voters);
/* All ids once; how many. */
size_t voters_all(const struct log_voters *voters, uint64_t ids[LOG_UNION_MAX]);
/* The highest value that members with more than half of the weight have or exceed, in both sets
 * while they are joint; 0 when nobody votes. */
uint64_t voters_agree(const struct log_voters *voters, voter_value_f value, const void *context);
/* 1 to LOG_VOTERS_MAX different ids, the tie-holder among them. */
bool voters_are_sound(const uint64_t *ids, size_t count, uint64_t tie);
/* The fields of a message, which point into |records|. */
struct voter_records {
    struct wire_voter ids[LOG_VOTERS_MAX];
    struct wire_voter old_ids[LOG_VOTERS_MAX];
};
void voters_write(const struct log_voters *voters, struct voter_records *records,
                  struct wire_cmd_voters *to);
/* 0; -1 when the fields make no sense. */
int voters_read(struct log_voters *voters, const struct wire_cmd_voters *from);
/* A CMD_VOTERS of the own term. 0, -1 without memory. */
int voters_append(struct log *log, const struct log_voters *voters);
/* The newest configuration is another one now: roles and followers follow. */
void voters_changed(struct log *log);
/* The leader: what a configuration that is committed now asks for. */
void voters_committed(struct log *log);

/* ---- election.c ---- */

/* Somebody leads |term|, not older than ours, and spoke just now. */
void election_follow(struct log *log, uint64_t term, uint64_t leader);
/* The same by hearsay: no contact. */
void election_learn(struct log *log, uint64_t term, uint64_t leader);
/* |term| has begun, whoever leads it; or, with our own, this member leads or stands no more. */
void election_step_down(struct log *log, uint64_t term);
/* An election soon, unless somebody else is faster. */
void election_hurry(struct log *log, uint64_t within_ns);
/* This member has become a voter, or is none any more. */
void election_role_changed(struct log *log);
int election_receive_vote(struct log *log, uint64_t from, const struct wire_dm_vote *vote);
int election_receive_voted(struct log *log, uint64_t from, const struct wire_dm_voted *voted);
int election_receive_take_over(struct log *log, uint64_t from,
                               const struct wire_dm_take_over *order);
void election_expire(struct log *log);
uint64_t election_deadline(const struct log *log);
/* The question to |id| may be lost: asks it again. */
void election_retry(struct log *log, uint64_t id);

/* ---- lead.c: what only a leader does ---- */

/* 0; -1 without memory (then this member does not lead). */
int lead_begin(struct log *log);
void lead_end(struct log *log);
/* More may be committed now. */
void lead_advance(struct log *log);
void lead_expire(struct log *log);
uint64_t lead_deadline(const struct log *log);
/* A place that is given away goes when its heir knows all. */
void lead_hand_over(struct log *log);
void lead_remember_quorum(struct log *log);
/* The voter that knows most, besides this member; 0 = none. */
uint64_t lead_heir(const struct log *log);

/* ---- followers.c: who gets entries from here ---- */

struct follower *follower_find(const struct log *log, uint64_t id);
/* Adds the reason |why|; NULL without memory. */
struct follower *follower_want(struct log *log, uint64_t id, uint8_t why);
/* Takes the reason away; without any the follower goes. */
void follower_release(struct log *log, struct follower *follower, uint8_t why);
void followers_release_all(struct log *log, uint8_t why);
/* To be looked at by the next pull. */
void follower_wake(struct log *log, struct follower *follower);
void followers_wake(struct log *log);
void followers_fini(struct log *log);
/* What this member and all whom it feeds have applied. */
uint64_t followers_applied(const struct log *log);

/* ---- replicate.c: entries going out ---- */

bool replicate_pull(struct log *log, struct arena *arena, uint64_t *to, struct message *message);
uint64_t replicate_deadline(const struct log *log);
int replicate_receive_appended(struct log *log, uint64_t from,
                               const struct wire_dm_appended *answer);

/* ---- accept.c: entries coming in ---- */

int accept_append(struct log *log, uint64_t from, const struct wire_dm_append *append);
int accept_snapshot(struct log *log, uint64_t from, const struct wire_dm_snapshot *snapshot);
/* Says to |from|, who takes himself for a leader, that there is a newer term. */
void accept_refuse(struct log *log, uint64_t from);
/* All up to |index| is committed. */
void accept_commit(struct log *log, uint64_t index);

/* ---- feed.c: what was applied is told to those who feed this member ---- */

void feed_note(struct log *log, uint64_t from, uint64_t matched);
/* |id| is told nothing any more. */
void feed_forget(struct log *log, uint64_t id);
bool feed_pull(struct log *log, uint64_t *to, struct message *message);
/* |applied| goes to |id| with another message. */
void feed_told(struct log *log, uint64_t id, uint64_t applied);
/* The link to |id| is new: what it was told may be lost. */
void feed_retry(struct log *log, uint64_t id);

/* ---- snapshot.c ---- */

/* The own snapshot for |follower|; -1 without memory. */
int snapshot_message(const struct log *log, const struct follower *follower, struct arena *arena,
                     struct message *message);
/* Puts what was received in the place of everything. 0, -1 without memory (nothing changed). */
int snapshot_install(struct log *log, const struct wire_dm_snapshot *from,
                     const struct log_voters *voters);

/* ---- log.c ---- */

/* |message|, which has no pointers, to |to|; lost without memory. An answer takes the place of an
 * older one to the same. */
void log_send(struct log *log, uint64_t to, const struct message *message);

#endif
