/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The entries that are kept: an array behind a base. What the log itself has to know of a command
 * (who votes, who leads) is read when it is stored, so that nothing can fail later. What may be
 * stored, and when, is decided in lead.c and accept.c.
 */
#include "log/state.h"

#include "base/mem.h"
#include "wire/rw.h"

#include <string.h>

static void entry_fini(struct entry *entry)
{
    mem_free(entry->command);
    mem_free(entry->voters);
}

uint64_t log_last_index(const struct log *log)
{
    return log->base_index + log->count;
}

const struct entry *entry_at(const struct log *log, uint64_t index)
{
    CHECK(index > log->base_index && index <= log_last_index(log));
    return &log->entries[index - log->base_index - 1];
}

uint64_t entry_term(const struct log *log, uint64_t index)
{
    if (index == log->base_index)
        return log->base_term;
    if (index < log->base_index || index > log_last_index(log))
        return 0;
    return entry_at(log, index)->term;
}

static int understand_voters(struct entry *entry, const struct wire_cmd_voters *command)
{
    entry->voters = mem_alloc(sizeof(*entry->voters));
    return entry->voters ? voters_read(entry->voters, command) : -1;
}

/* Most commands are none of the log's business and may be long: they are not decoded. */
static int understand(struct entry *entry)
{
    struct rd rd = rd_init(entry->command, entry->length);
    uint16_t type = rd_u16(&rd);
    struct message message;
    struct arena arena;
    if (!rd_ok(&rd) || (type != CMD_VOTERS && type != CMD_NOOP))
        return 0;
    arena_init(&arena);
    int failed = message_decode(entry->command, entry->length, &arena, &message);
    if (failed == 0 && type == CMD_VOTERS)
        failed = understand_voters(entry, &message.cmd_voters);
    else if (failed == 0)
        entry->leader = message.cmd_noop.leader;
    arena_fini(&arena);
    return failed;
}

int entries_append(struct log *log, uint64_t term, const void *command, size_t length)
{
    struct entry entry = {.term = term, .length = length};
    if (mem_grow((void **)&log->entries, &log->capacity, log->count + 1, sizeof(entry)) < 0)
        return -1;
    entry.command = mem_dup(command, length);
    if (!entry.command || understand(&entry) < 0) {
        entry_fini(&entry);
        return -1;
    }
    log->entries[log->count++] = entry;
    log->bytes += length;
    return 0;
}

int entries_append_message(struct log *log, uint64_t term, const struct message *message)
{
    struct wr wr;
    wr_init(&wr);
    message_encode(&wr, message);
    int failed = wr.bad ? -1 : entries_append(log, term, wr.bytes, wr.length);
    wr_fini(&wr);
    return failed;
}

void entries_cut(struct log *log, uint64_t index)
{
    CHECK(index > log->commit_index);
    while (log_last_index(log) >= index) {
        log->bytes -= log->entries[--log->count].length;
        entry_fini(&log->entries[log->count]);
    }
}

void entries_forget(struct log *log, uint64_t index)
{
    uint64_t term = entry_term(log, index);
    CHECK(index >= log->base_index);
    size_t gone = (size_t)MIN_OF(index - log->base_index, (uint64_t)log->count);
    for (size_t i = 0; i < gone; i++) {
        log->bytes -= log->entries[i].length;
        entry_fini(&log->entries[i]);
    }
    if (gone)
        memmove(log->entries, log->entries + gone, (log->count - gone) * sizeof(*log->entries));
    log->count -= gone;
    log->base_index = index;
    log->base_term = term;
}

void entries_fini(struct log *log)
{
    for (size_t i = 0; i < log->count; i++)
        entry_fini(&log->entries[i]);
    mem_free(log->entries);
}

const struct log_voters *entries_voters(const struct log *log, uint64_t index, uint64_t *at)
{
    for (*at = index; *at > log->snapshot.index; (*at)--) {
        const struct entry *entry = entry_at(log, *at);
        if (entry->voters)
            return entry->voters;
    }
    return &log->snapshot.voters;
}
