/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Fuzzes one log with what members may send it that lie: the input is a list of steps: messages
 * of small numbers or of the fuzzer's bytes as they are, calls of its own daemon, and time. It may
 * be led astray, for it trusts members; but it must not stop, what it committed must stay, and
 * nothing may be left in the end.
 */
#include "base/check.h"
#include "base/mem.h"
#include "log/log.h"
#include "wire/rw.h"

#include <string.h>

enum { SELF = 1, STEPS_MAX = 400, ENTRIES_MAX = 4 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct log *log_;
static struct arena arena;
static uint64_t now_ns;
static uint64_t committed;

/* ---- messages of small numbers ---- */

static uint64_t near(struct rd *rd, uint64_t value)
{
    uint64_t off = rd_u8(rd) % 8;
    return value + off < 4 ? 0 : value + off - 4;
}

static struct wire_voter_list make_voters(struct rd *rd)
{
    size_t count = rd_u8(rd) % (LOG_VOTERS_MAX + 2);
    struct wire_voter *items = arena_calloc(&arena, count, sizeof(*items));
    CHECK(items);
    for (size_t i = 0; i < count; i++)
        items[i].id = 1 + rd_u8(rd) % 8;
    return (struct wire_voter_list){count, items};
}

static struct message make_command(struct rd *rd)
{
    struct message message = {.type = CMD_NOOP};
    uint8_t kind = rd_u8(rd) % 4;
    if (kind == 0) {
        message.type = CMD_VOTERS;
        message.cmd_voters.voters = make_voters(rd);
        message.cmd_voters.tie = rd_u8(rd) % 8;
        if (rd_u8(rd) % 2) {
            message.cmd_voters.old_voters = make_voters(rd);
            message.cmd_voters.old_tie = rd_u8(rd) % 8;
        }
    } else {
        message.cmd_noop = (struct wire_cmd_noop){rd_u8(rd) % 8, kind > 1 ? rd_u8(rd) % 8 : 0};
    }
    return message;
}

static struct wire_entry make_entry(struct rd *rd, uint64_t index)
{
    struct message command = make_command(rd);
    struct wr wr;
    wr_init(&wr);
    message_encode(&wr, &command);
    uint8_t *bytes = arena_alloc(&arena, wr.length);
    CHECK(bytes && !wr.bad);
    memcpy(bytes, wr.bytes, wr.length);
    size_t length = rd_u8(rd) % 8 ? wr.length : wr.length / 2;
    wr_fini(&wr);
    return (struct wire_entry){index, near(rd, log_term(log_)), {bytes, length}};
}

static void make_append(struct rd *rd, uint64_t from, struct message *message)
{
    size_t count = rd_u8(rd) % (ENTRIES_MAX + 1);
    struct wire_entry *items = arena_calloc(&arena, count, sizeof(*items));
    uint64_t previous = near(rd, log_last_index(log_));
    CHECK(items);
    for (size_t i = 0; i < count; i++)
        items[i] = make_entry(rd, rd_u8(rd) % 16 ? previous + 1 + i : rd_u8(rd));
    message->type = DM_APPEND;
    message->dm_append = (struct wire_dm_append){
        .term = near(rd, log_term(log_)),
        .leader = rd_u8(rd) % 4 ? from : rd_u8(rd) % 8,
        .fed = rd_u8(rd) % 2,
        .previous_index = previous,
        .previous_term = near(rd, log_term(log_)),
        .commit = near(rd, log_last_index(log_)),
        .entries = {count, items},
    };
}

static void make_snapshot(struct rd *rd, uint64_t from, struct message *message)
{
    static const uint8_t state[] = "state";
    message->type = DM_SNAPSHOT;
    message->dm_snapshot = (struct wire_dm_snapshot){
        .term = near(rd, log_term(log_)),
        .leader = rd_u8(rd) % 4 ? from : rd_u8(rd) % 8,
        .fed = rd_u8(rd) % 2,
        .index = near(rd, log_last_index(log_)),
        .index_term = near(rd, log_term(log_)),
        .voters = make_voters(rd),
        .tie = rd_u8(rd) % 8,
        .state = {state, sizeof(state)},
    };
}

static void make_message(struct rd *rd, uint64_t from, struct message *message)
{
    uint64_t term = near(rd, log_term(log_));
    switch (rd_u8(rd) % 6) {
    case 0:
        make_append(rd, from, message);
        break;
    case 1:
        message->type = DM_APPENDED;
        message->dm_appended = (struct wire_dm_appended){
            term, near(rd, log_last_index(log_)), near(rd, log_commit_index(log_)), rd_u8(rd) % 2};
        break;
    case 2:
        make_snapshot(rd, from, message);
        break;
    case 3:
        message->type = DM_VOTE;
        message->dm_vote = (struct wire_dm_vote){
            term,          rd_u8(rd) % 2, near(rd, log_last_index(log_)), near(rd, log_term(log_)),
            rd_u8(rd) % 2, rd_u8(rd) % 8};
        break;
    case 4:
        message->type = DM_VOTED;
        message->dm_voted = (struct wire_dm_voted){term, rd_u8(rd) % 2, rd_u8(rd) % 2,
                                                   rd_u8(rd) % 8};
        break;
    default:
        message->type = DM_TAKE_OVER;
        message->dm_take_over.term = term;
        break;
    }
}

static void hear(struct rd *rd, bool raw)
{
    uint64_t from = rd_u8(rd) % 8;
    struct message message = {0};
    if (raw) {
        size_t length = rd_u8(rd);
        const uint8_t *bytes = rd_bytes(rd, length);
        if (!bytes || message_decode(bytes, length, &arena, &message) < 0)
            return;
    } else {
        make_message(rd, from, &message);
    }
    log_receive(log_, from, &message, now_ns);
}

/* ---- its own daemon ---- */

static void apply_and_pull(void)
{
    struct log_entry entry;
    struct message message;
    uint64_t to;
    CHECK(log_commit_index(log_) >= committed && log_applied_index(log_) <= log_commit_index(log_));
    CHECK(log_commit_index(log_) <= log_last_index(log_));
    committed = log_commit_index(log_);
    while (log_next_committed(log_, &entry)) {
        CHECK(entry.index > log_applied_index(log_));
        log_applied(log_);
    }
    for (int i = 0; i < 100 && log_pull(log_, now_ns, &arena, &to, &message); i++)
        CHECK(to != SELF && message.type != MESSAGE_NONE);
}

static void change_voters(struct rd *rd)
{
    uint64_t ids[LOG_VOTERS_MAX + 1];
    size_t count = rd_u8(rd) % (LOG_VOTERS_MAX + 2);
    for (size_t i = 0; i < count; i++)
        ids[i] = rd_u8(rd) % 9;
    log_change_voters(log_, ids, count, count ? ids[0] : 0);
}

static void feed(struct rd *rd)
{
    uint64_t ids[4];
    size_t count = rd_u8(rd) % 5;
    for (size_t i = 0; i < count; i++)
        ids[i] = rd_u8(rd) % 9;
    log_feed(log_, ids, count);
}

static void follower_call(struct rd *rd)
{
    uint64_t id = 2 + rd_u8(rd) % 7;
    switch (rd_u8(rd) % 5) {
    case 0:
        log_follower_add(log_, id);
        break;
    case 1:
        log_follower_ask(log_, id);
        break;
    case 2:
        log_follower_remove(log_, id);
        break;
    case 3:
        log_follower_retry(log_, id);
        break;
    default:
        log_follower_hand_on(log_, id);
        break;
    }
}

static void own_call(struct rd *rd)
{
    switch (rd_u8(rd) % 8) {
    case 0:
        log_propose(log_, "command", 7);
        break;
    case 1:
        change_voters(rd);
        break;
    case 2:
        feed(rd);
        break;
    case 3:
        follower_call(rd);
        break;
    case 4:
        log_transfer(log_, rd_u8(rd) % 9, now_ns);
        break;
    case 5:
        log_leader_heard(log_, rd_u8(rd) % 9, near(rd, log_term(log_)), now_ns);
        break;
    case 6:
        log_dead(log_, rd_u8(rd) % 9, now_ns);
        break;
    default:
        log_voter_heard(log_, rd_u8(rd) % 9, now_ns);
        break;
    }
}

static void step(struct rd *rd)
{
    uint8_t what = rd_u8(rd);
    switch (what % 8) {
    case 0:
    case 1:
    case 2:
        hear(rd, false);
        break;
    case 3:
        hear(rd, true);
        break;
    case 4:
    case 5:
        own_call(rd);
        break;
    case 6:
        now_ns += (uint64_t)rd_u8(rd) * 50;
        log_expire(log_, now_ns);
        break;
    default:
        if (log_applied_index(log_) > 0)
            log_compact(log_, "state", 5);
        break;
    }
    apply_and_pull();
    arena_reset(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rd rd = rd_init(data, size);
    struct log_config config = {
        .self = SELF, .resend_ns = 1000, .election_ns = 5000, .election_spread_ns = 500, .seed = 7};
    now_ns = 1;
    committed = 0;
    arena_init(&arena);
    log_ = log_create(&config);
    CHECK(log_);
    if (rd_u8(&rd) % 2)
        CHECK(log_found(log_, now_ns) == 0);
    for (int i = 0; i < STEPS_MAX && rd_left(&rd) > 0; i++)
        step(&rd);
    log_destroy(log_);
    arena_fini(&arena);
    return 0;
}
