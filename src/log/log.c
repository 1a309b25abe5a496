/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The ordered log, seen from outside: made and ended, messages to their places, entries to be
 * applied, what is to be sent. The ideas are elsewhere: election.c who leads, lead.c what a leader
 * does, voters.c who votes, replicate.c and accept.c entries going out and coming in, followers.c
 * and feed.c who gives them to whom, snapshot.c and entries.c what is kept.
 */
#include "log/log.h"

#include "base/mem.h"
#include "log/state.h"

#include <string.h>

enum { OUTGOING_MAX = 4096 }; /* more are lost, as if on the way */

struct log *log_create(const struct log_config *config)
{
    struct log *log = mem_calloc(1, sizeof(*log));
    if (!log)
        return NULL;
    log->config = *config;
    rng_seed(&log->rng, config->seed);
    map_init(&log->followers);
    list_init(&log->ready);
    list_init(&log->waiting);
    list_init(&log->lagging);
    list_init(&log->idle);
    return log;
}

void log_destroy(struct log *log)
{
    if (!log)
        return;
    followers_fini(log);
    entries_fini(log);
    mem_free(log->snapshot.state);
    mem_free(log->out);
    mem_free(log);
}

/* ---- what is so ---- */

enum log_role log_role(const struct log *log)
{
    return log->role;
}

uint64_t log_leader(const struct log *log)
{
    return log->leader;
}

uint64_t log_term(const struct log *log)
{
    return log->term;
}

const struct log_voters *log_voters(const struct log *log)
{
    return &log->voters;
}

uint64_t log_voters_index(const struct log *log)
{
    return log->voters_index;
}

uint64_t log_applied_index(const struct log *log)
{
    return log->applied_index;
}

uint64_t log_commit_index(const struct log *log)
{
    return log->commit_index;
}

/* ---- applying ---- */

bool log_next_committed(const struct log *log, struct log_entry *next)
{
    if (log->applied_index >= log->commit_index)
        return false;
    if (log->applied_index < log->base_index) {
        *next = (struct log_entry){log->snapshot.index, log->snapshot.term, true,
                                   log->snapshot.state, log->snapshot.length};
        return true;
    }
    const struct entry *entry = entry_at(log, log->applied_index + 1);
    *next = (struct log_entry){log->applied_index + 1, entry->term, false,
                               entry->voters ? NULL : entry->command,
                               entry->voters ? 0 : entry->length};
    return true;
}

void log_applied(struct log *log)
{
    CHECK(log->applied_index < log->commit_index);
    log->applied_index = log->applied_index < log->base_index ? log->snapshot.index
                                                              : log->applied_index + 1;
    log->report_due = true;
    followers_wake(log);
}

/* ---- messages ---- */

int log_receive(struct log *log, uint64_t from, const struct message *message, uint64_t now_ns)
{
    log->now_ns = MAX_OF(log->now_ns, now_ns);
    if (from == log->config.self || from == 0)
        return -1;
    switch ((int)message->type) {
    case DM_APPEND:
        return accept_append(log, from, &message->dm_append);
    case DM_APPENDED:
        return replicate_receive_appended(log, from, &message->dm_appended);
    case DM_SNAPSHOT:
        return accept_snapshot(log, from, &message->dm_snapshot);
    case DM_VOTE:
        return election_receive_vote(log, from, &message->dm_vote);
    case DM_VOTED:
        return election_receive_voted(log, from, &message->dm_voted);
    case DM_TAKE_OVER:
        return election_receive_take_over(log, from, &message->dm_take_over);
    default:
        return -1;
    }
}

/* The place of an answer to |to| that waits to be pulled, or a new one. */
static struct outgoing *place_for(struct log *log, uint64_t to, enum message_type type)
{
    for (size_t i = log->out_first; type == DM_APPENDED && i < log->out_count; i++) {
        if (log->out[i].to == to && log->out[i].message.type == type)
            return &log->out[i];
    }
    if (log->out_count - log->out_first >= OUTGOING_MAX ||
        mem_grow((void **)&log->out, &log->out_capacity, log->out_count + 1, sizeof(*log->out)) < 0)
        return NULL;
    return &log->out[log->out_count++];
}

void log_send(struct log *log, uint64_t to, const struct message *message)
{
    struct outgoing *place = place_for(log, to, message->type);
    if (place)
        *place = (struct outgoing){to, *message};
}

static bool pull_outgoing(struct log *log, uint64_t *to, struct message *message)
{
    if (log->out_first == log->out_count)
        return false;
    const struct outgoing *next = &log->out[log->out_first++];
    *to = next->to;
    *message = next->message;
    if (log->out_first == log->out_count)
        log->out_first = log->out_count = 0;
    if (message->type == DM_APPENDED) {
        message->dm_appended.applied = followers_applied(log);
        feed_told(log, *to, message->dm_appended.applied);
    }
    return true;
}

bool log_pull(struct log *log, uint64_t now_ns, struct arena *arena, uint64_t *to,
              struct message *message)
{
    log->now_ns = MAX_OF(log->now_ns, now_ns);
    memset(message, 0, sizeof(*message));
    return pull_outgoing(log, to, message) || feed_pull(log, to, message) ||
           replicate_pull(log, arena, to, message);
}

/* ---- time ---- */

void log_expire(struct log *log, uint64_t now_ns)
{
    log->now_ns = MAX_OF(log->now_ns, now_ns);
    lead_expire(log);
    election_expire(log);
}

uint64_t log_deadline(const struct log *log)
{
    if (log->out_first < log->out_count || (log->report_due && log->feeder_count))
        return 0;
    uint64_t at = MIN_OF(lead_deadline(log), election_deadline(log));
    return MIN_OF(at, replicate_deadline(log));
}
