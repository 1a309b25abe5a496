/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The leader: it begins its term with an entry, commits what a quorum has, keeps its place only as
 * long as a quorum answers, and gives it away when asked to (sections 3.6.2, 6.2, 3.10, 6.4).
 * Sending entries is in replicate.c, changes of voters in voters.c.
 */
#include "log/state.h"

bool log_is_leader(const struct log *log)
{
    return log->role == LOG_LEADER;
}

/* ---- commits ---- */

static uint64_t match_of(const void *context, uint64_t id)
{
    const struct log *log = context;
    const struct follower *follower = follower_find(log, id);
    if (id == log->config.self)
        return log_last_index(log);
    return follower ? follower->match_index : 0;
}

/* Counting makes an entry of the own term committed, and all before it with it; one of an older
 * term is never counted alone (section 3.6.2, figure 3.7). */
void lead_advance(struct log *log)
{
    uint64_t agreed = voters_agree(&log->voters, match_of, log);
    if (agreed > log->commit_index && entry_term(log, agreed) == log->term)
        accept_commit(log, agreed);
}

/* ---- begin and end ---- */

static int append_noop(struct log *log)
{
    struct message noop = {.type = CMD_NOOP};
    noop.cmd_noop = (struct wire_cmd_noop){.term = log->term, .leader = log->config.self};
    return entries_append_message(log, log->term, &noop);
}

static void begin_follower(const struct log *log, struct follower *follower)
{
    follower->next_index = log_last_index(log) + 1;
    follower->match_index = 0;
    follower->applied_index = 0;
    follower->commit_told = 0;
    follower->heard_ns = 0;
    follower->waits = follower->answered = follower->has_nothing = follower->muted = false;
    follower->ask = true;
}

static bool voted_here(const struct log *log, uint64_t id)
{
    for (size_t i = 0; i < log->granted_count; i++) {
        if (log->granted[i] == id)
            return true;
    }
    return false;
}

static int begin_followers(struct log *log)
{
    uint64_t ids[LOG_UNION_MAX];
    size_t count = voters_all(&log->voters, ids);
    for (size_t i = 0; i < count; i++) {
        if (ids[i] == log->config.self)
            continue;
        struct follower *follower = follower_want(log, ids[i], FOLLOWS_AS_VOTER);
        if (!follower)
            return -1;
        begin_follower(log, follower);
        if (voted_here(log, ids[i]))
            follower->heard_ns = log->campaign_ns; /* it voted after that */
        follower_wake(log, follower);
    }
    return 0;
}

/* A new leader cannot know which entries are committed until one of its own is: so it appends one
 * that does nothing (section 6.4). This one also says who leads. */
int lead_begin(struct log *log)
{
    if (begin_followers(log) < 0 || append_noop(log) < 0) {
        followers_release_all(log, FOLLOWS_AS_VOTER);
        return -1;
    }
    log->role = LOG_LEADER;
    log->leader = log->known_leader = log->config.self;
    log->known_term = log->term;
    log->dead_leader = 0;
    log->transfer_to = 0;
    log->retry_at_ns = 0;
    log->quorum_ns = 0;
    lead_remember_quorum(log);
    followers_wake(log);
    lead_advance(log);
    return 0;
}

void lead_end(struct log *log)
{
    log->transfer_to = 0;
    log->retry_at_ns = 0;
    followers_release_all(log, FOLLOWS_AS_VOTER | FOLLOWS_AT_FIRST);
}

int log_found(struct log *log, uint64_t now_ns)
{
    uint64_t self = log->config.self;
    struct log_voters voters = {.ids = {self}, .count = 1, .tie = self};
    CHECK(log->term == 0 && log_last_index(log) == 0);
    log->now_ns = MAX_OF(log->now_ns, now_ns);
    log->snapshot.voters = log->voters = voters;
    log->term = 1;
    log->voted_for = self;
    log->campaign_ns = log->now_ns;
    if (lead_begin(log) < 0 || voters_append(log, &voters) < 0)
        return -1;
    voters_changed(log);
    lead_advance(log);
    return 0;
}

uint64_t log_propose(struct log *log, const void *command, size_t length)
{
    if (log->role != LOG_LEADER || log->transfer_to ||
        entries_append(log, log->term, command, length) < 0)
        return 0;
    uint64_t index = log_last_index(log);
    followers_wake(log);
    lead_advance(log);
    return index;
}

/* ---- check-quorum ---- */

struct moment {
    const struct log *log;
    uint64_t now_ns;
};

static uint64_t heard_of(const void *context, uint64_t id)
{
    const struct moment *moment = context;
    const struct follower *follower = follower_find(moment->log, id);
    if (id == moment->log->config.self)
        return moment->now_ns;
    return follower ? follower->heard_ns : 0;
}

static uint64_t quorum_at(const struct log *log, uint64_t now_ns)
{
    struct moment moment = {log, now_ns};
    return MAX_OF(log->quorum_ns, voters_agree(&log->voters, heard_of, &moment));
}

uint64_t log_quorum_at(const struct log *log, uint64_t now_ns)
{
    return log->role == LOG_LEADER ? quorum_at(log, now_ns) : 0;
}

/* What was known once stays true when the set of voters changes. */
void lead_remember_quorum(struct log *log)
{
    log->quorum_ns = quorum_at(log, log->now_ns);
}

void log_voter_heard(struct log *log, uint64_t id, uint64_t began_ns)
{
    struct follower *follower = follower_find(log, id);
    if (log->role == LOG_LEADER && follower)
        follower->heard_ns = MAX_OF(follower->heard_ns, began_ns);
}

/* ---- giving the place away ---- */

static bool may_inherit(const struct log *log, uint64_t id)
{
    const struct follower *follower = follower_find(log, id);
    return id != log->config.self && follower && !follower->muted &&
           (follower->why & FOLLOWS_AS_VOTER);
}

uint64_t lead_heir(const struct log *log)
{
    uint64_t best = 0;
    for (size_t i = 0; i < log->voters.count; i++) {
        uint64_t id = log->voters.ids[i];
        if (may_inherit(log, id) && (best == 0 || match_of(log, id) > match_of(log, best)))
            best = id;
    }
    return best;
}

int log_transfer(struct log *log, uint64_t to, uint64_t now_ns)
{
    log->now_ns = MAX_OF(log->now_ns, now_ns);
    if (log->role != LOG_LEADER)
        return -1;
    if (to == 0)
        to = lead_heir(log);
    if (to == 0 || !may_inherit(log, to) || !voters_contain(&log->voters, to))
        return -1;
    log->transfer_to = to;
    log->transfer_until_ns = log->now_ns + log->config.election_ns;
    log->transfer_sent = false;
    lead_hand_over(log);
    return 0;
}

/* Section 3.10: no proposals any more, the heir gets all there is, then the word to stand. */
void lead_hand_over(struct log *log)
{
    struct message order = {.type = DM_TAKE_OVER, .dm_take_over = {.term = log->term}};
    if (!log->transfer_to || log->transfer_sent ||
        match_of(log, log->transfer_to) < log_last_index(log))
        return;
    log->transfer_sent = true;
    log_send(log, log->transfer_to, &order);
}

/* ---- time ---- */

/* Section 6.2: a leader that a quorum has not answered for a time-out is none, and says so to
 * those who ask it by not being one. */
void lead_expire(struct log *log)
{
    if (log->role != LOG_LEADER)
        return;
    if (log->transfer_to && log->now_ns >= log->transfer_until_ns)
        log->transfer_to = 0;
    if (log->retry_at_ns && log->now_ns >= log->retry_at_ns)
        voters_committed(log);
    if (log->role == LOG_LEADER &&
        log->now_ns - quorum_at(log, log->now_ns) >= MAX_OF(log->config.election_ns, 1))
        election_step_down(log, log->term);
}

uint64_t lead_deadline(const struct log *log)
{
    if (log->role != LOG_LEADER)
        return UINT64_MAX;
    uint64_t quorum_ns = quorum_at(log, UINT64_MAX);
    uint64_t at = quorum_ns == UINT64_MAX ? UINT64_MAX : quorum_ns + log->config.election_ns;
    if (log->transfer_to)
        at = MIN_OF(at, log->transfer_until_ns);
    if (log->retry_at_ns)
        at = MIN_OF(at, log->retry_at_ns);
    return at;
}
