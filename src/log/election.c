/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Who leads: time-outs, pre-votes, votes (chapter 3.4, sections 6.2, 9.6, 3.10). What a leader does
 * then is in lead.c.
 */
#include "log/state.h"

#include <string.h>

enum { RANK_STEPS = 8 }; /* of election_spread_ns, after a tombstone */

/* One whom the newest configuration leaves out still stands, and leads, until that is committed:
 * the others may need what only it has (section 4.2.2). Its own vote counts only where it votes. */
static bool is_voter_here(const struct log *log)
{
    uint64_t at;
    if (voters_contain(&log->voters, log->config.self))
        return true;
    return log->voters_index > log->commit_index &&
           voters_contain(entries_voters(log, log->commit_index, &at), log->config.self);
}

bool log_is_voter(const struct log *log, uint64_t id)
{
    return voters_contain(&log->voters, id);
}

/* ---- time-outs ---- */

/* Drawn anew each time, so that two rarely stand at once (section 3.4). */
static void set_timer(struct log *log, uint64_t wait_ns)
{
    log->election_at_ns = log->now_ns + wait_ns +
                          rng_below(&log->rng, log->config.election_spread_ns);
}

/* A leader was heard of within the shortest time-out, or led here. */
static bool contact_is_fresh(const struct log *log)
{
    return log->had_contact && log->now_ns - log->contact_ns < log->config.election_ns;
}

static bool is_dead(const struct log *log, uint64_t id)
{
    for (size_t i = 0; i < LOG_DEAD_MAX; i++) {
        if (id && log->dead[i] == id)
            return true;
    }
    return false;
}

void election_hurry(struct log *log, uint64_t within_ns)
{
    log->election_at_ns = log->now_ns + rng_below(&log->rng, within_ns);
}

/* ---- terms and roles ---- */

static void enter_term(struct log *log, uint64_t term)
{
    if (term <= log->term)
        return;
    log->term = term;
    log->voted_for = 0;
    log->leader = 0;
}

static void become_follower(struct log *log)
{
    if (log->role == LOG_LEADER)
        lead_end(log);
    log->role = is_voter_here(log) ? LOG_FOLLOWER : LOG_LEARNER;
    log->granted_count = 0;
}

void election_learn(struct log *log, uint64_t term, uint64_t leader)
{
    if (leader && term >= log->known_term) {
        log->known_term = term;
        log->known_leader = leader;
    }
    if (term > log->term) {
        enter_term(log, term);
        become_follower(log);
        set_timer(log, log->config.election_ns);
    } else if (term == log->term && log->role == LOG_CANDIDATE) {
        /* Its term has a leader. It must not stand on with entries of this term: with them come
         * voters who did not vote for that leader (tests/model/log.pml, BREAK_FEED). */
        become_follower(log);
    }
    if (term == log->term && log->leader == 0 && leader != log->config.self &&
        log->role <= LOG_FOLLOWER && !is_dead(log, leader))
        log->leader = leader;
}

void election_follow(struct log *log, uint64_t term, uint64_t leader)
{
    CHECK(term >= log->term && (term > log->term || log->role != LOG_LEADER));
    enter_term(log, term);
    become_follower(log);
    election_learn(log, term, leader);
    if (is_dead(log, leader))
        return; /* its last words */
    log->had_contact = true;
    log->contact_ns = log->now_ns;
    log->dead_leader = 0;
    set_timer(log, log->config.election_ns);
}

void election_step_down(struct log *log, uint64_t term)
{
    bool led = log->role == LOG_LEADER;
    if (led) {
        log->had_contact = true;
        log->contact_ns = log_quorum_at(log, log->now_ns);
    }
    enter_term(log, term);
    become_follower(log);
    log->leader = 0;
    if (led)
        election_hurry(log, log->config.election_spread_ns);
    else
        set_timer(log, log->config.election_spread_ns);
}

void election_role_changed(struct log *log)
{
    if (log->role == LOG_LEARNER && is_voter_here(log)) {
        log->role = LOG_FOLLOWER;
        set_timer(log, log->config.election_ns);
    } else if (log->role != LOG_LEADER && !is_voter_here(log)) {
        become_follower(log);
        election_learn(log, log->known_term, log->known_leader);
    }
}

/* ---- standing ---- */

static bool may_stand(const struct log *log)
{
    return log->role != LOG_LEADER && log->role != LOG_LEARNER;
}

static uint64_t has_granted(const void *context, uint64_t id)
{
    const struct log *log = context;
    for (size_t i = 0; i < log->granted_count; i++) {
        if (log->granted[i] == id)
            return 1;
    }
    return 0;
}

static void ask_for_vote(struct log *log, uint64_t id)
{
    bool pre = log->role == LOG_PRE_CANDIDATE;
    struct message message = {.type = DM_VOTE};
    message.dm_vote = (struct wire_dm_vote){
        .term = log->term + pre,
        .pre = pre,
        .last_index = log_last_index(log),
        .last_term = entry_term(log, log_last_index(log)),
        .transfer = log->is_transfer,
        .dead = log->dead_leader,
    };
    log_send(log, id, &message);
}

static void begin_campaign(struct log *log);

static void count_votes(struct log *log)
{
    if (!voters_agree(&log->voters, has_granted, log))
        return;
    if (log->role == LOG_PRE_CANDIDATE) {
        begin_campaign(log);
    } else if (lead_begin(log) < 0) {
        become_follower(log);
        set_timer(log, log->config.election_spread_ns);
    }
}

/* Asks everybody, in both sets while they are joint; its own vote it has. */
static void stand(struct log *log, enum log_role role)
{
    uint64_t ids[LOG_UNION_MAX];
    size_t count = voters_all(&log->voters, ids);
    log->role = role;
    log->leader = 0;
    log->granted_count = 1;
    log->granted[0] = log->config.self;
    set_timer(log, log->config.election_spread_ns);
    for (size_t i = 0; i < count; i++) {
        if (ids[i] != log->config.self)
            ask_for_vote(log, ids[i]);
    }
    count_votes(log);
}

/* Section 3.4: a new term, the own vote, and the others asked. */
static void begin_campaign(struct log *log)
{
    enter_term(log, log->term + 1);
    log->voted_for = log->config.self;
    log->campaign_ns = log->now_ns;
    stand(log, LOG_CANDIDATE);
}

/* Section 9.6: first it asks whether it would win; nobody's term changes by that, so one who was
 * cut off, or is no voter any more, disturbs nobody when it comes back. */
static void begin_pre_campaign(struct log *log)
{
    log->is_transfer = false;
    stand(log, LOG_PRE_CANDIDATE);
}

void election_retry(struct log *log, uint64_t id)
{
    if ((log->role == LOG_PRE_CANDIDATE || log->role == LOG_CANDIDATE) &&
        voters_contain(&log->voters, id) && !has_granted(log, id))
        ask_for_vote(log, id);
}

/* ---- a death ---- */

static void note_dead(struct log *log, uint64_t id)
{
    if (id == 0 || id == log->config.self || is_dead(log, id))
        return;
    log->dead[log->dead_next] = id;
    log->dead_next = (log->dead_next + 1) % LOG_DEAD_MAX;
}

/* All voters hear of a death at about the same time: those with the lower places go first, so that
 * they do not take each other's votes. */
static uint64_t rank(const struct log *log, uint64_t dead)
{
    uint64_t ids[LOG_UNION_MAX];
    size_t count = voters_all(&log->voters, ids);
    uint64_t before = 0;
    for (size_t i = 0; i < count; i++)
        before += ids[i] != dead && ids[i] < log->config.self;
    return before;
}

static void leader_died(struct log *log, uint64_t id)
{
    note_dead(log, id);
    if (id == 0 || id != log->leader || id == log->config.self)
        return;
    log->leader = 0;
    log->dead_leader = id;
    log->election_at_ns = log->now_ns +
                          rank(log, id) * (log->config.election_spread_ns / RANK_STEPS);
}

/* ---- voting ---- */

/* Section 3.6.1: a log is newer with a later last term, or the same and more entries. */
static bool is_up_to_date(const struct log *log, const struct wire_dm_vote *vote)
{
    uint64_t last_term = entry_term(log, log_last_index(log));
    if (vote->last_term != last_term)
        return vote->last_term > last_term;
    return vote->last_index >= log_last_index(log);
}

/* Sections 4.2.3 and 6.2: who has a leader keeps it, and says so by changing nothing at all. A
 * leader itself may let go, and a dead one cannot be kept. */
static bool keeps_its_leader(const struct log *log, uint64_t from, const struct wire_dm_vote *vote)
{
    if (vote->transfer)
        return false;
    if (log->role == LOG_LEADER)
        return log->now_ns - log_quorum_at(log, log->now_ns) < log->config.election_ns;
    return log->leader && log->leader != from && !is_dead(log, log->leader) &&
           contact_is_fresh(log);
}

/* Whom this member follows now for good reason. */
static uint64_t kept_leader(const struct log *log)
{
    return log->role == LOG_LEADER || contact_is_fresh(log) ? log->leader : 0;
}

static void answer_vote(struct log *log, uint64_t to, const struct wire_dm_vote *vote, bool granted)
{
    struct message message = {.type = DM_VOTED};
    message.dm_voted = (struct wire_dm_voted){.term = granted ? vote->term : log->term,
                                              .pre = vote->pre,
                                              .granted = granted,
                                              .leader = granted ? 0 : kept_leader(log)};
    log_send(log, to, &message);
}

/* A pre-vote is an opinion: it is given to as many as ask. */
static bool would_vote(const struct log *log, uint64_t from, const struct wire_dm_vote *vote)
{
    return vote->term > log->term && !keeps_its_leader(log, from, vote) && is_up_to_date(log, vote);
}

/* One vote in a term (section 3.4). Members vote for whoever asks, also when they do not know him
 * or themselves for a voter: their log may be older than the one that says so (section 4.2.2). */
static bool give_vote(struct log *log, uint64_t from, const struct wire_dm_vote *vote)
{
    if (vote->term < log->term || (vote->term > log->term && keeps_its_leader(log, from, vote)))
        return false;
    if (vote->term > log->term)
        election_step_down(log, vote->term);
    if ((log->voted_for && log->voted_for != from) || log->leader || !is_up_to_date(log, vote))
        return false;
    log->voted_for = from;
    set_timer(log, 2 * log->config.election_spread_ns);
    return true;
}

/* A voter that went on to a newer term, because it won pre-votes and then lost, can follow this
 * leader no more: it goes on too, or would never have that voter back. */
static bool is_stuck_ahead(const struct log *log, uint64_t from, const struct wire_dm_vote *vote)
{
    return log->role == LOG_LEADER && vote->pre && vote->term > log->term + 1 &&
           voters_contain(&log->voters, from);
}

int election_receive_vote(struct log *log, uint64_t from, const struct wire_dm_vote *vote)
{
    if (is_stuck_ahead(log, from, vote))
        election_step_down(log, vote->term - 1);
    if (vote->dead)
        leader_died(log, vote->dead);
    bool granted = vote->pre ? would_vote(log, from, vote) : give_vote(log, from, vote);
    answer_vote(log, from, vote, granted);
    return 0;
}

/* Somebody knows a newer term, or a leader of whom this member lost sight: then it asks that one
 * (detect does, when log_leader() names him), and stands again soon if he does not answer. */
static void take_refusal(struct log *log, const struct wire_dm_voted *voted)
{
    if (voted->term > log->term) {
        election_step_down(log, voted->term);
        election_hurry(log, log->config.election_spread_ns);
    }
    if (voted->leader == 0 || is_dead(log, voted->leader) || voted->term < log->term ||
        log->leader || !may_stand(log))
        return;
    become_follower(log);
    election_learn(log, voted->term, voted->leader);
    set_timer(log, 2 * log->config.election_spread_ns);
}

int election_receive_voted(struct log *log, uint64_t from, const struct wire_dm_voted *voted)
{
    enum log_role role = voted->pre ? LOG_PRE_CANDIDATE : LOG_CANDIDATE;
    if (!voters_contain(&log->voters, from))
        return -1;
    if (!voted->granted) {
        take_refusal(log, voted);
        return 0;
    }
    if (log->role != role || voted->term != log->term + voted->pre)
        return -1; /* of an election that is over */
    if (has_granted(log, from))
        return 0;
    log->granted[log->granted_count++] = from;
    count_votes(log);
    return 0;
}

/* Section 3.10: the leader's word stands for the time-out, and for the pre-vote. */
int election_receive_take_over(struct log *log, uint64_t from,
                               const struct wire_dm_take_over *order)
{
    if (order->term != log->term || log->leader != from || log->role != LOG_FOLLOWER)
        return -1;
    log->is_transfer = true;
    begin_campaign(log);
    return 0;
}

/* ---- what the failure detector says ---- */

void log_leader_heard(struct log *log, uint64_t leader, uint64_t term, uint64_t now_ns)
{
    log->now_ns = MAX_OF(log->now_ns, now_ns);
    if (leader == 0 || leader == log->config.self)
        return;
    if (term > log->term || (term == log->term && log->role != LOG_LEADER))
        election_follow(log, term, leader);
    else if (term < log->term && log->role != LOG_LEARNER)
        accept_refuse(log, leader);
}

void log_dead(struct log *log, uint64_t id, uint64_t now_ns)
{
    log->now_ns = MAX_OF(log->now_ns, now_ns);
    leader_died(log, id);
}

/* ---- time ---- */

void election_expire(struct log *log)
{
    if (may_stand(log) && log->now_ns >= log->election_at_ns)
        begin_pre_campaign(log);
}

uint64_t election_deadline(const struct log *log)
{
    return may_stand(log) ? log->election_at_ns : UINT64_MAX;
}
