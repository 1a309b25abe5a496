/* SPDX-License-Identifier: BSD-3-Clause */
/* The ordered log, shaped as Raft with a fixed leader: see the header. */
#include "log/log.h"

#include "base/list.h"
#include "base/mem.h"

#include <string.h>

struct entry {
    uint64_t term;
    uint8_t *command;
    size_t length;
};

/* What the leader knows of one who follows (figure 3.1: nextIndex, matchIndex). */
struct follower {
    struct list link;
    uint64_t id;
    uint64_t next_index;
    uint64_t match_index;
    uint64_t applied_index;
    uint64_t commit_told;
    uint64_t sent_at_ns;
    bool waits_for_answer;
    bool is_voter; /* learners have no part in the commit rule (section 4.2.1) */
};

struct log {
    struct log_config config;
    uint64_t term;
    uint64_t leader;
    struct log_voters voters;
    /* entries[i] has index snapshot_index + 1 + i */
    struct entry *entries;
    size_t count;
    size_t capacity;
    uint64_t commit_index;
    uint64_t applied_index;
    /* the state after snapshot_index; without one (0) there is nothing before entry 1 */
    uint8_t *snapshot;
    size_t snapshot_length;
    uint64_t snapshot_index;
    uint64_t snapshot_term;
    struct list followers;
    uint64_t quiet_until_ns; /* before then no follower is due: not looked at; 0 = not known */
    /* a follower's answer that log_pull() has still to give */
    bool owes_answer;
    bool answer_matched;
    uint64_t answer_index;
    uint64_t answer_to;
};

struct log *log_create(const struct log_config *config)
{
    struct log *log = mem_calloc(1, sizeof(*log));
    if (!log)
        return NULL;
    log->config = *config;
    list_init(&log->followers);
    return log;
}

static void drop_entries(struct log *log, size_t from)
{
    for (size_t i = from; i < log->count; i++)
        mem_free(log->entries[i].command);
    log->count = MIN_OF(log->count, from);
}

void log_destroy(struct log *log)
{
    if (!log)
        return;
    LIST_EACH(pos, following, &log->followers)
        mem_free(LIST_ENTRY(pos, struct follower, link));
    drop_entries(log, 0);
    mem_free(log->entries);
    mem_free(log->snapshot);
    mem_free(log);
}

bool log_is_leader(const struct log *log)
{
    return log->config.self == log->leader;
}

uint64_t log_last_index(const struct log *log)
{
    return log->snapshot_index + log->count;
}

uint64_t log_applied_index(const struct log *log)
{
    return log->applied_index;
}

uint64_t log_leader(const struct log *log)
{
    return log->leader;
}

enum log_role log_role(const struct log *log)
{
    return log_is_leader(log) ? LOG_LEADER : LOG_LEARNER;
}

const struct log_voters *log_voters(const struct log *log)
{
    return &log->voters;
}

bool log_is_voter(const struct log *log, uint64_t id)
{
    return log->voters.count && log->voters.ids[0] == id;
}

uint64_t log_commit_index(const struct log *log)
{
    return log->commit_index;
}

uint64_t log_quorum_at(const struct log *log, uint64_t now_ns)
{
    return log_is_leader(log) ? now_ns : 0;
}

uint64_t log_term(const struct log *log)
{
    return log->term;
}

static const struct entry *entry_at(const struct log *log, uint64_t index)
{
    CHECK(index > log->snapshot_index && index <= log_last_index(log));
    return &log->entries[index - log->snapshot_index - 1];
}

/* The term of the entry |index|, 0 when it is not (or no longer) known. */
static uint64_t term_at(const struct log *log, uint64_t index)
{
    if (index == log->snapshot_index)
        return log->snapshot_term;
    if (index < log->snapshot_index || index > log_last_index(log))
        return 0;
    return entry_at(log, index)->term;
}

static int append_entry(struct log *log, uint64_t term, const void *command, size_t length)
{
    if (mem_grow((void **)&log->entries, &log->capacity, log->count + 1, sizeof(*log->entries)) < 0)
        return -1;
    uint8_t *copy = mem_dup(command, length);
    if (!copy)
        return -1;
    log->entries[log->count++] = (struct entry){term, copy, length};
    return 0;
}

/* ---- the leader ---- */

/* The highest index that a majority of the voters has; only an entry of the own term is committed
 * by counting (section 3.6.2). With the leader as the only voter that is its last entry. */
static void advance_commit(struct log *log)
{
    for (uint64_t index = log_last_index(log); index > log->commit_index; index--) {
        size_t voters = 1;
        size_t have = 1;
        LIST_EACH(pos, following, &log->followers) {
            const struct follower *follower = LIST_ENTRY(pos, struct follower, link);
            voters += follower->is_voter;
            have += follower->is_voter && follower->match_index >= index;
        }
        if (have * 2 > voters && term_at(log, index) == log->term) {
            log->commit_index = index;
            return;
        }
    }
}

uint64_t log_propose(struct log *log, const void *command, size_t length)
{
    if (!log_is_leader(log) || append_entry(log, log->term, command, length) < 0)
        return 0;
    advance_commit(log);
    log->quiet_until_ns = 0;
    return log_last_index(log);
}

int log_found(struct log *log, uint64_t now_ns)
{
    struct message noop = {.type = CMD_NOOP, .cmd_noop = {1, log->config.self}};
    struct wr wr;
    (void)now_ns;
    wr_init(&wr);
    message_encode(&wr, &noop);
    log->term = 1;
    log->leader = log->config.self;
    log->voters = (struct log_voters){.ids = {log->leader}, .count = 1, .tie = log->leader};
    uint64_t index = wr.bad ? 0 : log_propose(log, wr.bytes, wr.length);
    wr_fini(&wr);
    return index ? 0 : -1;
}

static struct follower *follower_find(const struct log *log, uint64_t id)
{
    LIST_EACH(pos, following, &log->followers) {
        struct follower *follower = LIST_ENTRY(pos, struct follower, link);
        if (follower->id == id)
            return follower;
    }
    return NULL;
}

int log_follower_add(struct log *log, uint64_t id)
{
    CHECK(log_is_leader(log) && !follower_find(log, id));
    struct follower *follower = mem_calloc(1, sizeof(*follower));
    if (!follower)
        return -1;
    follower->id = id;
    follower->next_index = 1;
    log->quiet_until_ns = 0;
    list_push_back(&log->followers, &follower->link);
    return 0;
}

void log_follower_remove(struct log *log, uint64_t id)
{
    struct follower *follower = follower_find(log, id);
    if (!follower)
        return;
    list_remove(&follower->link);
    mem_free(follower);
    log->quiet_until_ns = 0;
    if (log_is_leader(log))
        advance_commit(log);
}

void log_follower_retry(struct log *log, uint64_t id)
{
    struct follower *follower = follower_find(log, id);
    if (!follower)
        return;
    follower->waits_for_answer = false;
    log->quiet_until_ns = 0;
}

bool log_applied_by_all(const struct log *log, uint64_t index)
{
    LIST_EACH(pos, following, &log->followers) {
        if (LIST_ENTRY(pos, struct follower, link)->applied_index < index)
            return false;
    }
    return log->applied_index >= index;
}

/* Section 3.5: on success the follower has all up to |index|; else go back to where it stands. */
static int receive_appended(struct log *log, uint64_t from, const struct wire_dm_appended *answer)
{
    struct follower *follower = follower_find(log, from);
    if (!log_is_leader(log) || !follower || answer->term != log->term ||
        answer->index > log_last_index(log))
        return -1;
    follower->waits_for_answer = false;
    log->quiet_until_ns = 0;
    follower->applied_index = MIN_OF(answer->applied, log->commit_index);
    follower->next_index = answer->index + 1;
    if (answer->matched) {
        follower->match_index = MAX_OF(follower->match_index, answer->index);
        advance_commit(log);
    }
    return 0;
}

/* ---- those who follow ---- */

static void owe_answer(struct log *log, bool matched, uint64_t index)
{
    log->owes_answer = true;
    log->answer_matched = matched;
    log->answer_index = index;
}

/* Puts the entries of an append behind |previous|; entries of another term go first (section
 * 3.5). */
static uint64_t take_entries(struct log *log, const struct wire_dm_append *append)
{
    uint64_t last = append->previous_index;
    for (size_t i = 0; i < append->entries.count; i++) {
        const struct wire_entry *entry = &append->entries.items[i];
        if (entry->index != last + 1)
            break;
        if (entry->index > log->commit_index && term_at(log, entry->index) != entry->term) {
            if (entry->index <= log_last_index(log))
                drop_entries(log, (size_t)(entry->index - log->snapshot_index - 1));
            if (append_entry(log, entry->term, entry->command.data, entry->command.length) < 0)
                break;
        }
        last = entry->index;
    }
    return last;
}

static int receive_append(struct log *log, uint64_t from, const struct wire_dm_append *append)
{
    if (log_is_leader(log) || append->term < log->term)
        return -1;
    log->term = append->term;
    log->leader = append->leader;
    log->answer_to = from;
    bool known = append->previous_index <= log_last_index(log);
    /* What is committed here matches by the Leader Completeness property (section 3.6.3). */
    bool agreed = append->previous_index <= log->commit_index;
    if (!known || (!agreed && term_at(log, append->previous_index) != append->previous_term)) {
        owe_answer(log, false, MIN_OF(log_last_index(log), log->commit_index));
        return 0;
    }
    uint64_t last = take_entries(log, append);
    log->commit_index = MAX_OF(log->commit_index, MIN_OF(append->commit, last));
    owe_answer(log, true, last);
    return 0;
}

/* InstallSnapshot (section 5.1), in one piece: the control lane takes messages of any length. */
static int receive_snapshot(struct log *log, uint64_t from, const struct wire_dm_snapshot *snapshot)
{
    if (log_is_leader(log) || snapshot->term < log->term)
        return -1;
    log->term = snapshot->term;
    log->leader = snapshot->leader;
    log->answer_to = from;
    if (snapshot->index <= log->commit_index) {
        owe_answer(log, true, log->commit_index);
        return 0;
    }
    uint8_t *copy = mem_dup(snapshot->state.data, snapshot->state.length);
    if (!copy)
        return 0;
    mem_free(log->snapshot);
    drop_entries(log, 0);
    log->snapshot = copy;
    log->snapshot_length = snapshot->state.length;
    log->snapshot_index = snapshot->index;
    log->snapshot_term = snapshot->index_term;
    log->commit_index = snapshot->index;
    owe_answer(log, true, snapshot->index);
    return 0;
}

int log_receive(struct log *log, uint64_t from, const struct message *message, uint64_t now_ns)
{
    (void)now_ns;
    switch ((int)message->type) {
    case DM_APPEND:
        return receive_append(log, from, &message->dm_append);
    case DM_APPENDED:
        return receive_appended(log, from, &message->dm_appended);
    case DM_SNAPSHOT:
        return receive_snapshot(log, from, &message->dm_snapshot);
    default:
        return -1;
    }
}

/* ---- applying ---- */

bool log_next_committed(const struct log *log, struct log_entry *next)
{
    if (log->applied_index >= log->commit_index)
        return false;
    if (log->applied_index < log->snapshot_index) {
        *next = (struct log_entry){log->snapshot_index, log->snapshot_term, true, log->snapshot,
                                   log->snapshot_length};
        return true;
    }
    const struct entry *entry = entry_at(log, log->applied_index + 1);
    *next = (struct log_entry){log->applied_index + 1, entry->term, false, entry->command,
                               entry->length};
    return true;
}

void log_applied(struct log *log)
{
    CHECK(log->applied_index < log->commit_index);
    log->applied_index = MAX_OF(log->applied_index + 1, log->snapshot_index);
}

/* ---- sending ---- */

static bool follower_is_behind(const struct log *log, const struct follower *follower)
{
    return follower->next_index <= log_last_index(log) || follower->commit_told < log->commit_index;
}

static bool follower_is_due(const struct log *log, const struct follower *follower, uint64_t now_ns)
{
    if (follower->waits_for_answer)
        return now_ns - follower->sent_at_ns >= log->config.resend_ns;
    return follower_is_behind(log, follower);
}

static void make_snapshot(const struct log *log, struct message *message)
{
    message->type = DM_SNAPSHOT;
    message->dm_snapshot = (struct wire_dm_snapshot){
        .term = log->term,
        .leader = log->leader,
        .index = log->snapshot_index,
        .index_term = log->snapshot_term,
        .state = {log->snapshot, log->snapshot_length},
    };
}

static int make_append(const struct log *log, const struct follower *follower, struct arena *arena,
                       struct message *message)
{
    uint64_t previous = follower->next_index - 1;
    size_t count = (size_t)MIN_OF(log_last_index(log) - previous, (uint64_t)LOG_ENTRIES_PER_APPEND);
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
        .term = log->term,
        .leader = log->leader,
        .previous_index = previous,
        .previous_term = term_at(log, previous),
        .commit = log->commit_index,
        .entries = {.count = count, .items = items},
    };
    return 0;
}

static bool pull_for_follower(struct log *log, struct follower *follower, uint64_t now_ns,
                              struct arena *arena, struct message *message)
{
    if (follower->next_index <= log->snapshot_index)
        make_snapshot(log, message);
    else if (make_append(log, follower, arena, message) < 0)
        return false;
    follower->commit_told = log->commit_index;
    follower->sent_at_ns = now_ns;
    follower->waits_for_answer = true;
    return true;
}

/* When the next follower is due. */
static uint64_t next_due(const struct log *log)
{
    uint64_t due = UINT64_MAX;
    LIST_EACH(pos, following, &log->followers) {
        const struct follower *follower = LIST_ENTRY(pos, struct follower, link);
        if (follower->waits_for_answer)
            due = MIN_OF(due, follower->sent_at_ns + log->config.resend_ns);
        else if (follower_is_behind(log, follower))
            due = 0;
    }
    return due;
}

bool log_pull(struct log *log, uint64_t now_ns, struct arena *arena, uint64_t *to,
              struct message *message)
{
    memset(message, 0, sizeof(*message));
    if (log->owes_answer) {
        log->owes_answer = false;
        message->type = DM_APPENDED;
        message->dm_appended = (struct wire_dm_appended){.term = log->term,
                                                         .index = log->answer_index,
                                                         .applied = log->applied_index,
                                                         .matched = log->answer_matched};
        *to = log->answer_to;
        return true;
    }
    if (now_ns < log->quiet_until_ns)
        return false;
    LIST_EACH(pos, following, &log->followers) {
        struct follower *follower = LIST_ENTRY(pos, struct follower, link);
        if (!follower_is_due(log, follower, now_ns))
            continue;
        *to = follower->id;
        return pull_for_follower(log, follower, now_ns, arena, message);
    }
    log->quiet_until_ns = next_due(log);
    return false;
}

uint64_t log_deadline(const struct log *log)
{
    if (log->owes_answer)
        return 0;
    return log->quiet_until_ns ? log->quiet_until_ns : next_due(log);
}

/* ---- snapshots ---- */

int log_compact(struct log *log, const void *state, size_t length)
{
    uint8_t *copy = mem_dup(state, length);
    if (!copy)
        return -1;
    size_t gone = (size_t)(log->applied_index - log->snapshot_index);
    uint64_t term = term_at(log, log->applied_index);
    for (size_t i = 0; i < gone; i++)
        mem_free(log->entries[i].command);
    if (log->count > gone)
        memmove(log->entries, log->entries + gone, (log->count - gone) * sizeof(*log->entries));
    log->count -= gone;
    mem_free(log->snapshot);
    log->snapshot = copy;
    log->snapshot_length = length;
    log->snapshot_index = log->applied_index;
    log->snapshot_term = term;
    return 0;
}

bool log_wants_compaction(const struct log *log)
{
    return log->count > LOG_ENTRIES_MAX && log->applied_index > log->snapshot_index;
}
