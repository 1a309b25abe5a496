/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Entries going out (section 3.5): to each follower one message at a time, the next one when it has
 * answered. Voters get what the leader has; all others get what was applied here, so that nobody
 * gets a command that removed him, and what a feeder gives is committed.
 */
#include "log/state.h"

static bool is_voter(const struct follower *follower)
{
    return follower->why & FOLLOWS_AS_VOTER;
}

static uint64_t last_for(const struct log *log, const struct follower *follower)
{
    return is_voter(follower) ? log_last_index(log) : log->applied_index;
}

static uint64_t commit_for(const struct log *log, const struct follower *follower)
{
    return is_voter(follower) ? log->commit_index : log->applied_index;
}

static bool is_behind(const struct log *log, const struct follower *follower)
{
    return follower->has_nothing || follower->next_index <= last_for(log, follower) ||
           follower->commit_told < commit_for(log, follower);
}

static bool is_due(const struct log *log, const struct follower *follower)
{
    return !follower->muted && (follower->ask || is_behind(log, follower));
}

static void move_to(struct log *log, struct follower *follower, struct list *list)
{
    list_remove(&follower->link);
    list_push_back(list, &follower->link);
    follower->at_ns = log->now_ns;
}

/* ---- messages ---- */

/* How many entries from |first| to |last| go into one message. */
static size_t append_count(const struct log *log, uint64_t first, uint64_t last)
{
    size_t count = 0;
    uint64_t bytes = 0;
    while (first + count <= last && count < LOG_ENTRIES_PER_APPEND) {
        bytes += entry_at(log, first + count)->length;
        if (count > 0 && bytes > LOG_BYTES_PER_APPEND)
            break;
        count++;
    }
    return count;
}

static int make_append(const struct log *log, struct follower *follower, struct arena *arena,
                       struct message *message)
{
    uint64_t last = last_for(log, follower);
    uint64_t previous = MIN_OF(follower->next_index - 1, last); /* it may be ahead of its feeder */
    size_t count = append_count(log, previous + 1, last);
    struct wire_entry *items = arena_calloc(arena, count, sizeof(*items));
    if (!items)
        return -1;
    for (size_t i = 0; i < count; i++) {
        const struct entry *entry = entry_at(log, previous + 1 + i);
        items[i] = (struct wire_entry){.index = previous + 1 + i,
                                       .term = entry->term,
                                       .command = {entry->command, entry->length}};
    }
    message->type = DM_APPEND;
    message->dm_append = (struct wire_dm_append){
        .term = is_voter(follower) ? log->term : log->known_term,
        .leader = is_voter(follower) ? log->config.self : log->known_leader,
        .fed = !is_voter(follower),
        .previous_index = previous,
        .previous_term = entry_term(log, previous),
        .commit = commit_for(log, follower),
        .entries = {.count = count, .items = items},
    };
    follower->sent_index = previous + count;
    return 0;
}

static int make_snapshot(const struct log *log, struct follower *follower, struct arena *arena,
                         struct message *message)
{
    follower->sent_index = log->snapshot.index;
    return snapshot_message(log, follower, arena, message);
}

/* Entries that are kept no more come as the snapshot (section 5.1). */
static int make_next(const struct log *log, struct follower *follower, struct arena *arena,
                     struct message *message)
{
    if (follower->next_index <= log->base_index || (follower->has_nothing && log->snapshot.index))
        return make_snapshot(log, follower, arena, message);
    return make_append(log, follower, arena, message);
}

/* ---- pulling ---- */

static void ask_again(struct log *log, struct list *list)
{
    LIST_EACH(pos, following, list) {
        struct follower *follower = LIST_ENTRY(pos, struct follower, link);
        if (log->now_ns - follower->at_ns < log->config.resend_ns)
            return;
        follower->ask = true;
        follower_wake(log, follower);
    }
}

static bool send_to(struct log *log, struct follower *follower, struct arena *arena,
                    struct message *message)
{
    follower->waits = true; /* without memory too: then it is tried again as if it were lost */
    move_to(log, follower, &log->waiting);
    if (make_next(log, follower, arena, message) < 0)
        return false;
    follower->ask = false;
    if (message->type == DM_APPEND)
        follower->commit_told = commit_for(log, follower);
    return true;
}

bool replicate_pull(struct log *log, struct arena *arena, uint64_t *to, struct message *message)
{
    ask_again(log, &log->waiting);
    ask_again(log, &log->lagging);
    while (!list_is_empty(&log->ready)) {
        struct follower *follower = LIST_ENTRY(list_first(&log->ready), struct follower, link);
        *to = follower->id;
        if (!is_due(log, follower))
            move_to(log, follower,
                    follower->muted || follower->applied_index >= commit_for(log, follower)
                        ? &log->idle
                        : &log->lagging);
        else if (send_to(log, follower, arena, message))
            return true;
    }
    return false;
}

static uint64_t list_deadline(const struct log *log, const struct list *list)
{
    if (list_is_empty(list))
        return UINT64_MAX;
    return LIST_ENTRY(list->next, struct follower, link)->at_ns + log->config.resend_ns;
}

uint64_t replicate_deadline(const struct log *log)
{
    LIST_EACH(pos, following, &log->ready) {
        if (is_due(log, LIST_ENTRY(pos, struct follower, link)))
            return 0;
    }
    return MIN_OF(list_deadline(log, &log->waiting), list_deadline(log, &log->lagging));
}

/* ---- answers ---- */

/* Section 3.5: on success the follower has all up to |index|; else go back to where it stands. A
 * match is never taken back, and what is under way is answered only by an answer that covers it:
 * others are reports of what was applied, or late. */
static void take_answer(struct log *log, struct follower *follower,
                        const struct wire_dm_appended *answer)
{
    uint64_t index = MIN_OF(answer->index, log_last_index(log));
    if (answer->matched) {
        follower->match_index = MAX_OF(follower->match_index, index);
        follower->next_index = follower->match_index + 1;
        follower->has_nothing = false;
    } else {
        follower->next_index = index + 1;
    }
    follower->answered = true;
    follower->applied_index = MIN_OF(answer->applied, log_last_index(log));
    if (!follower->waits || !answer->matched || answer->index >= follower->sent_index)
        follower_wake(log, follower);
    if (log->feeder_count)
        log->report_due = true;
}

/* Of a voter only what it says in this term counts: before, it may have held other entries. One
 * with a newer term ends this one (section 3.3), if it votes: that of others is their affair. */
int replicate_receive_appended(struct log *log, uint64_t from,
                               const struct wire_dm_appended *answer)
{
    struct follower *follower = follower_find(log, from);
    if (log->role == LOG_LEADER && answer->term > log->term && voters_contain(&log->voters, from)) {
        election_step_down(log, answer->term);
        return 0;
    }
    if (!follower ||
        (is_voter(follower) && (answer->term != log->term || answer->index > log_last_index(log))))
        return -1;
    take_answer(log, follower, answer);
    if (log->role != LOG_LEADER)
        return 0;
    lead_advance(log);
    lead_hand_over(log);
    return 0;
}
