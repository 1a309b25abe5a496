/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Entries coming in (sections 3.5 and 3.6), from the leader or from the member that feeds this one.
 * What a feeder gives is committed, so it can be trusted whoever gives it; only the leader's word
 * holds an election back.
 */
#include "log/state.h"

/* ---- answers ---- */

static void answer(struct log *log, uint64_t to, bool matched, uint64_t index)
{
    struct message message = {.type = DM_APPENDED};
    message.dm_appended = (struct wire_dm_appended){
        .term = log->term, .index = index, .matched = matched};
    log_send(log, to, &message); /* |applied| is filled in when it is pulled */
    if (matched)
        feed_note(log, to, index);
}

/* The newer term of one who votes must reach the leader: they could do nothing together otherwise.
 * A leader does not listen to one who does not vote. */
void accept_refuse(struct log *log, uint64_t from)
{
    answer(log, from, false, log->commit_index);
}

/* ---- committing ---- */

void accept_commit(struct log *log, uint64_t index)
{
    uint64_t before = log->commit_index;
    CHECK(index >= before && index <= log_last_index(log));
    log->commit_index = index;
    for (uint64_t i = MAX_OF(before, log->base_index) + 1; i <= index; i++) {
        const struct entry *entry = entry_at(log, i);
        if (entry->leader)
            election_learn(log, entry->term, entry->leader);
    }
    if (index == before)
        return;
    followers_wake(log);
    voters_committed(log);
    election_role_changed(log);
}

/* ---- entries ---- */

/* Who speaks, and may he? */
static int hear(struct log *log, uint64_t from, bool fed, uint64_t term, uint64_t leader)
{
    if (fed) {
        election_learn(log, term, leader);
        return 0;
    }
    if (from != leader)
        return -1;
    if (term < log->term) {
        accept_refuse(log, from);
        return -1;
    }
    if (term == log->term && log->role == LOG_LEADER)
        return -1;
    election_follow(log, term, leader);
    return 0;
}

/* Section 3.5: entries of another term go first, with all behind them. Never what is committed, and
 * never a leader's own (section 3.6: Leader Append-Only). */
static int make_room(struct log *log, uint64_t index)
{
    if (index > log_last_index(log))
        return 0;
    if (log->role == LOG_LEADER)
        return -1;
    entries_cut(log, index);
    voters_changed(log);
    return 0;
}

static int take_entry(struct log *log, const struct wire_entry *entry)
{
    if (entry->index <= log->commit_index)
        return 0;
    if (entry->term == 0)
        return -1; /* there is no such term */
    if (entry_term(log, entry->index) == entry->term)
        return 0;
    if (make_room(log, entry->index) < 0 || log->role == LOG_LEADER ||
        entries_append(log, entry->term, entry->command.data, entry->command.length) < 0)
        return -1;
    if (entry_at(log, entry->index)->voters)
        voters_changed(log);
    return 0;
}

/* The last entry that is here now as it is there. */
static uint64_t take_entries(struct log *log, const struct wire_dm_append *append)
{
    uint64_t last = append->previous_index;
    for (size_t i = 0; i < append->entries.count; i++) {
        const struct wire_entry *entry = &append->entries.items[i];
        if (entry->index != last + 1 || take_entry(log, entry) < 0)
            break;
        last = entry->index;
    }
    return last;
}

/* The consistency check of section 3.5. What is committed here is so everywhere. */
static bool fits(const struct log *log, uint64_t index, uint64_t term)
{
    return index <= log->commit_index ||
           (index <= log_last_index(log) && entry_term(log, index) == term);
}

int accept_append(struct log *log, uint64_t from, const struct wire_dm_append *append)
{
    if (hear(log, from, append->fed, append->term, append->leader) < 0)
        return -1;
    if (!fits(log, append->previous_index, append->previous_term)) {
        answer(log, from, false, log->commit_index);
        return 0;
    }
    uint64_t last = take_entries(log, append);
    accept_commit(log, MAX_OF(log->commit_index, MIN_OF(append->commit, last)));
    answer(log, from, true, last);
    return 0;
}

/* InstallSnapshot (section 5.1), in one piece: the control lane takes messages of any length. Who
 * has the entry that it ends with keeps what he has behind it: he may have said so. */
int accept_snapshot(struct log *log, uint64_t from, const struct wire_dm_snapshot *snapshot)
{
    struct wire_cmd_voters fields = {snapshot->voters, snapshot->tie, snapshot->old_voters,
                                     snapshot->old_tie};
    struct log_voters voters;
    if (snapshot->index == 0 || snapshot->index_term == 0 || voters_read(&voters, &fields) < 0 ||
        hear(log, from, snapshot->fed, snapshot->term, snapshot->leader) < 0)
        return -1;
    if (fits(log, snapshot->index, snapshot->index_term)) {
        accept_commit(log, MAX_OF(log->commit_index, snapshot->index));
    } else if (log->role == LOG_LEADER) {
        return -1;
    } else if (snapshot_install(log, snapshot, &voters) < 0) {
        return 0;
    }
    answer(log, from, true, snapshot->index);
    return 0;
}
