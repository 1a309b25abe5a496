/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Who votes: sets of members with weights, what a quorum is, and how one set becomes another by way
 * of both (sections 3.3 and 4.3). Which members ought to vote is not decided here (core/voters.c).
 */
#include "log/state.h"

#include <string.h>

/* ---- sets ---- */

static bool set_has(const uint64_t *ids, size_t count, uint64_t id)
{
    for (size_t i = 0; i < count; i++) {
        if (ids[i] == id)
            return true;
    }
    return false;
}

bool voters_are_joint(const struct log_voters *voters)
{
    return voters->old_count > 0;
}

bool voters_contain(const struct log_voters *voters, uint64_t id)
{
    return set_has(voters->ids, voters->count, id) ||
           set_has(voters->old_ids, voters->old_count, id);
}

size_t voters_all(const struct log_voters *voters, uint64_t ids[LOG_UNION_MAX])
{
    size_t count = voters->count;
    memcpy(ids, voters->ids, count * sizeof(*ids));
    for (size_t i = 0; i < voters->old_count; i++) {
        if (!set_has(voters->ids, voters->count, voters->old_ids[i]))
            ids[count++] = voters->old_ids[i];
    }
    return count;
}

bool voters_are_sound(const uint64_t *ids, size_t count, uint64_t tie)
{
    if (count < 1 || count > LOG_VOTERS_MAX || !set_has(ids, count, tie))
        return false;
    for (size_t i = 0; i < count; i++) {
        if (ids[i] == 0 || set_has(ids, i, ids[i]))
            return false;
    }
    return true;
}

/* ---- weights ---- */

struct ballot {
    uint64_t value;
    unsigned weight;
};

static void insert_ballot(struct ballot *ballots, size_t count, struct ballot ballot)
{
    size_t at = count;
    for (; at > 0 && ballots[at - 1].value < ballot.value; at--)
        ballots[at] = ballots[at - 1];
    ballots[at] = ballot;
}

/* More than half of the weight, not of the number: any two such groups share a member, also when
 * the tie-holder is worth one more. */
static uint64_t set_agrees(const uint64_t *ids, size_t count, uint64_t tie, voter_value_f value,
                           const void *context)
{
    struct ballot ballots[LOG_VOTERS_MAX];
    unsigned total = 0;
    unsigned sum = 0;
    for (size_t i = 0; i < count; i++) {
        unsigned weight = ids[i] == tie ? LOG_WEIGHT_TIE : LOG_WEIGHT;
        insert_ballot(ballots, i, (struct ballot){value(context, ids[i]), weight});
        total += weight;
    }
    for (size_t i = 0; i < count; i++) {
        sum += ballots[i].weight;
        if (sum * 2 > total)
            return ballots[i].value;
    }
    return 0;
}

/* While two sets are joint, a decision needs a majority of each (section 4.3). */
uint64_t voters_agree(const struct log_voters *voters, voter_value_f value, const void *context)
{
    uint64_t agreed = set_agrees(voters->ids, voters->count, voters->tie, value, context);
    if (!voters_are_joint(voters))
        return agreed;
    uint64_t old = set_agrees(voters->old_ids, voters->old_count, voters->old_tie, value, context);
    return MIN_OF(agreed, old);
}

/* ---- in messages ---- */

static struct wire_voter_list write_ids(const uint64_t *ids, size_t count,
                                        struct wire_voter *records)
{
    for (size_t i = 0; i < count; i++)
        records[i].id = ids[i];
    return (struct wire_voter_list){count, records};
}

void voters_write(const struct log_voters *voters, struct voter_records *records,
                  struct wire_cmd_voters *to)
{
    *to = (struct wire_cmd_voters){
        .voters = write_ids(voters->ids, voters->count, records->ids),
        .tie = voters->tie,
        .old_voters = write_ids(voters->old_ids, voters->old_count, records->old_ids),
        .old_tie = voters->old_tie,
    };
}

static int read_ids(const struct wire_voter_list *list, uint64_t *ids, size_t *count)
{
    if (list->count > LOG_VOTERS_MAX)
        return -1;
    for (size_t i = 0; i < list->count; i++)
        ids[i] = list->items[i].id;
    *count = list->count;
    return 0;
}

int voters_read(struct log_voters *voters, const struct wire_cmd_voters *from)
{
    *voters = (struct log_voters){.tie = from->tie, .old_tie = from->old_tie};
    if (read_ids(&from->voters, voters->ids, &voters->count) < 0 ||
        read_ids(&from->old_voters, voters->old_ids, &voters->old_count) < 0 ||
        !voters_are_sound(voters->ids, voters->count, voters->tie))
        return -1;
    if (voters->old_count == 0)
        return 0;
    return voters_are_sound(voters->old_ids, voters->old_count, voters->old_tie) ? 0 : -1;
}

/* ---- changes ---- */

int voters_append(struct log *log, const struct log_voters *voters)
{
    struct voter_records records;
    struct message message = {.type = CMD_VOTERS};
    voters_write(voters, &records, &message.cmd_voters);
    return entries_append_message(log, log->term, &message);
}

/* A leader gives entries to all voters but itself. The followers of new ones are there already (see
 * log_change_voters), or memory was found for them when this member began to lead. */
static void sync_followers(struct log *log)
{
    for (size_t i = log->followers.count; i-- > 0;) {
        struct follower *follower = log->followers.entries[i].value;
        if (!voters_contain(&log->voters, follower->id))
            follower_release(log, follower, FOLLOWS_AS_VOTER);
    }
}

/* A member goes by the newest configuration in its log, committed or not (section 4.1). */
void voters_changed(struct log *log)
{
    uint64_t at;
    const struct log_voters *voters = entries_voters(log, log_last_index(log), &at);
    log->voters = *voters;
    log->voters_index = at;
    if (log->role == LOG_LEADER)
        sync_followers(log);
    election_role_changed(log);
}

static int want_followers(struct log *log, const uint64_t *ids, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (ids[i] != log->config.self && !follower_want(log, ids[i], FOLLOWS_AS_VOTER))
            return -1;
    }
    return 0;
}

static bool is_same_set(const struct log_voters *voters, const uint64_t *ids, size_t count,
                        uint64_t tie)
{
    if (voters->count != count || voters->tie != tie)
        return false;
    for (size_t i = 0; i < count; i++) {
        if (!set_has(voters->ids, voters->count, ids[i]))
            return false;
    }
    return true;
}

bool log_voters_settled(const struct log *log)
{
    return !voters_are_joint(&log->voters) && log->voters_index <= log->commit_index;
}

/* The first step of a change: both sets (section 4.3). Not before an entry of the own term is
 * committed: else two leaders could each commit a change of which the other does not know. */
int log_change_voters(struct log *log, const uint64_t *ids, size_t count, uint64_t tie)
{
    struct log_voters joint = {.count = count, .tie = tie};
    if (log->role != LOG_LEADER || log->transfer_to || !log_voters_settled(log) ||
        entry_term(log, log->commit_index) != log->term || !voters_are_sound(ids, count, tie))
        return -1;
    if (is_same_set(&log->voters, ids, count, tie))
        return 0;
    memcpy(joint.ids, ids, count * sizeof(*ids));
    memcpy(joint.old_ids, log->voters.ids, log->voters.count * sizeof(*ids));
    joint.old_count = log->voters.count;
    joint.old_tie = log->voters.tie;
    lead_remember_quorum(log);
    int failed = want_followers(log, ids, count) < 0 ? -1 : voters_append(log, &joint);
    voters_changed(log); /* or takes back what was wanted */
    if (failed < 0)
        return -1;
    followers_wake(log);
    lead_advance(log);
    return 0;
}

/* The second step, which whoever leads then takes: the new set alone. */
static void finish_change(struct log *log)
{
    struct log_voters settled = log->voters;
    settled.old_count = 0;
    settled.old_tie = 0;
    memset(settled.old_ids, 0, sizeof(settled.old_ids));
    lead_remember_quorum(log);
    if (voters_append(log, &settled) < 0) {
        log->retry_at_ns = log->now_ns + log->config.resend_ns;
        return;
    }
    log->retry_at_ns = 0;
    voters_changed(log);
    followers_wake(log);
    lead_advance(log);
}

/* A leader that is not in the new set has managed the others as long as it took; now one of them
 * has to (section 4.2.2). Telling the one that knows most spares them the time-out. */
static void leave(struct log *log)
{
    struct message order = {.type = DM_TAKE_OVER, .dm_take_over = {.term = log->term}};
    uint64_t heir = lead_heir(log);
    if (heir)
        log_send(log, heir, &order);
    election_step_down(log, log->term);
}

void voters_committed(struct log *log)
{
    if (log->role != LOG_LEADER || log->voters_index > log->commit_index ||
        entry_term(log, log->commit_index) != log->term)
        return;
    if (voters_are_joint(&log->voters))
        finish_change(log);
    else if (!voters_contain(&log->voters, log->config.self))
        leave(log);
}
