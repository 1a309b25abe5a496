/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Snapshots (section 5.1): what the commands up to an entry made, in place of the commands, and who
 * votes after that entry. Each member makes its own. A few entries before its end are kept, for
 * those who are only a little late.
 */
#include "log/state.h"

#include "base/mem.h"

/* The entry before those that are kept behind the snapshot. */
static uint64_t tail_begin(const struct log *log)
{
    uint64_t index = log->applied_index;
    uint64_t bytes = 0;
    while (index > log->base_index && log->applied_index - index < LOG_TAIL &&
           bytes + entry_at(log, index)->length <= LOG_TAIL_BYTES)
        bytes += entry_at(log, index--)->length;
    return index;
}

int log_compact(struct log *log, const void *state, size_t length)
{
    uint64_t at;
    uint8_t *copy = mem_dup(state, length);
    if (!copy)
        return -1;
    log->snapshot.voters = *entries_voters(log, log->applied_index, &at);
    log->snapshot.term = entry_term(log, log->applied_index);
    log->snapshot.index = log->applied_index;
    mem_free(log->snapshot.state);
    log->snapshot.state = copy;
    log->snapshot.length = length;
    entries_forget(log, tail_begin(log));
    return 0;
}

bool log_wants_compaction(const struct log *log)
{
    return (log->count > LOG_ENTRIES_MAX || log->bytes > LOG_BYTES_MAX) &&
           log->applied_index > log->snapshot.index;
}

int snapshot_install(struct log *log, const struct wire_dm_snapshot *from,
                     const struct log_voters *voters)
{
    uint8_t *copy = mem_dup(from->state.data, from->state.length);
    if (!copy)
        return -1;
    mem_free(log->snapshot.state);
    log->snapshot = (struct snapshot){
        .state = copy,
        .length = from->state.length,
        .index = from->index,
        .term = from->index_term,
        .voters = *voters,
    };
    entries_forget(log, MAX_OF(from->index, log_last_index(log)));
    log->base_index = log->commit_index = from->index;
    log->base_term = from->index_term;
    voters_changed(log);
    return 0;
}

static struct voter_records *write_voters(const struct log *log, struct arena *arena,
                                          struct wire_cmd_voters *fields)
{
    struct voter_records *records = arena_alloc(arena, sizeof(*records));
    if (records)
        voters_write(&log->snapshot.voters, records, fields);
    return records;
}

int snapshot_message(const struct log *log, const struct follower *follower, struct arena *arena,
                     struct message *message)
{
    bool direct = follower->why & FOLLOWS_AS_VOTER;
    struct wire_cmd_voters fields;
    if (!write_voters(log, arena, &fields))
        return -1;
    message->type = DM_SNAPSHOT;
    message->dm_snapshot = (struct wire_dm_snapshot){
        .term = direct ? log->term : log->known_term,
        .leader = direct ? log->config.self : log->known_leader,
        .fed = !direct,
        .index = log->snapshot.index,
        .index_term = log->snapshot.term,
        .voters = fields.voters,
        .tie = fields.tie,
        .old_voters = fields.old_voters,
        .old_tie = fields.old_tie,
        .state = {log->snapshot.state, log->snapshot.length},
    };
    return 0;
}
