/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Requests named and counted: which were applied, what is kept of them, and that one which comes
 * twice, to the master or in the log, acts once. Whole machines: mailbox_test.c.
 */
#include "core/command.h"

#include "base/mem.h"
#include "base/rng.h"
#include "core/replica.h"
#include "fake.h"
#include "tap.h"

static struct command_id id_of(uint64_t asker, uint64_t number, uint64_t floor)
{
    return (struct command_id){asker, COMMAND_SHORT, number, floor};
}

/* 1 = acted, 0 = was known. */
static int apply(struct applied *applied, uint64_t asker, uint64_t number, uint64_t floor)
{
    struct command_id id = id_of(asker, number, floor);
    if (applied_knows(applied, &id))
        return 0;
    return applied_note(applied, &id) < 0 ? -1 : 1;
}

static void test_set(void)
{
    struct applied set;
    applied_init(&set);
    EQUAL(apply(&set, 7, 1, 1), 1, "the first");
    EQUAL(apply(&set, 7, 1, 1), 0, "once");
    EQUAL(apply(&set, 7, 3, 1), 1, "not in order");
    EQUAL(apply(&set, 7, 2, 1), 1, "what was left out");
    EQUAL(apply(&set, 8, 2, 1), 1, "each asker has its own numbers");
    struct command_id other = {7, COMMAND_LONG, 1, 1};
    OK(!applied_knows(&set, &other), "and each lane");
    EQUAL(apply(&set, 7, 9, 8), 1, "the floor rises");
    EQUAL(apply(&set, 7, 3, 1), 0, "below it all was applied, or never will be");
    EQUAL(apply(&set, 7, 8, 1), 1, "at it not");
    EQUAL(apply(&set, 7, 72, 8), 0, "no number is far above its floor");
    EQUAL(apply(&set, 7, 10, 11), 0, "nor below it");
    EQUAL(apply(&set, 0, 1, 1), 0, "nobody asks for nothing");
    applied_forget(&set, 7);
    EQUAL(apply(&set, 7, 1, 1), 1, "who is gone is forgotten");
    applied_fini(&set);
}

static void test_answers(void)
{
    struct applied set;
    struct applied copy;
    struct arena arena;
    struct wire_applied_list list;
    struct command_id one = id_of(7, 1, 1);
    struct command_id two = id_of(7, 2, 1);
    applied_init(&set);
    applied_init(&copy);
    arena_init(&arena);
    apply(&set, 7, 1, 1);
    apply(&set, 7, 2, 1);
    apply(&set, 9, 5, 4);
    EQUAL(applied_keep_answer(&set, &one, "yes", 3), 0, "an answer");
    EQUAL(applied_answer(&set, &one).length, 3, "is kept");
    OK(!applied_answer(&set, &two).data, "another has none");
    EQUAL(applied_save(&set, &arena, &list), 0, "the set is saved");
    EQUAL(applied_restore(&copy, &list), 0, "and restored");
    OK(applied_hash(&set) == applied_hash(&copy), "the same");
    OK(memcmp(applied_answer(&copy, &one).data, "yes", 3) == 0, "with the answer");
    EQUAL(apply(&copy, 9, 3, 1), 0, "and the floor");
    apply(&set, 7, 3, 2);
    OK(!applied_answer(&set, &one).data, "below the floor nothing is kept");
    OK(applied_hash(&set) != applied_hash(&copy), "the hash tells");
    arena_fini(&arena);
    applied_fini(&set);
    applied_fini(&copy);
}

static void test_bad_sets(void)
{
    struct applied set;
    struct wire_answer answers[] = {{.number = 4}, {.number = 4}};
    struct wire_applied record = {.asker = 7, .lane = 1, .floor = 4, .answers = {1, answers}};
    struct wire_applied_list list = {1, &record};
    applied_init(&set);
    EQUAL(applied_restore(&set, &list), 0, "a set");
    record.answers.count = 2;
    EQUAL(applied_restore(&set, &list), -1, "a number twice");
    record.answers.count = 1;
    record.lane = COMMAND_LANES;
    EQUAL(applied_restore(&set, &list), -1, "no such lane");
    record.lane = 0;
    record.floor = 0;
    EQUAL(applied_restore(&set, &list), -1, "no floor");
    record.floor = 400;
    EQUAL(applied_restore(&set, &list), -1, "below the floor");
    applied_fini(&set);
}

static void test_without_memory(void)
{
    int told = 0;
    for (uint64_t nth = 1; nth <= 4; nth++) {
        struct applied set;
        struct command_id id = id_of(7, 1, 1);
        applied_init(&set);
        mem_fail_at(nth, 0);
        int noted = apply(&set, 7, 1, 1);
        told += noted < 0 || applied_keep_answer(&set, &id, "x", 1) < 0;
        mem_fail_at(0, 0);
        applied_fini(&set);
    }
    EQUAL(told, 4, "no memory is told");
}

/* Any order, any doubles, as long as each asker keeps its promise: no floor above what is open. */
static void test_random_order(void)
{
    enum { REQUESTS = 3000, WINDOW = COMMANDS_OPEN_MAX };
    int wrong = 0;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct applied set;
        struct rng rng;
        static uint8_t acted[REQUESTS + WINDOW];
        uint64_t floor = 1;
        memset(acted, 0, sizeof(acted));
        applied_init(&set);
        rng_seed(&rng, seed);
        while (floor < REQUESTS) {
            uint64_t number = floor + rng_below(&rng, WINDOW);
            uint64_t back = rng_below(&rng, 3) ? 0 : rng_below(&rng, 100);
            if (number > back && rng_below(&rng, 4) == 0) {
                number -= back; /* comes late, with the floor it had when it was first sent */
                uint64_t then = number < floor ? number : floor;
                wrong += apply(&set, 7, number, then) == 1 && acted[number]++;
            } else {
                wrong += apply(&set, 7, number, floor) == 1 && acted[number]++;
            }
            while (acted[floor])
                floor++;
        }
        for (uint64_t i = 1; i < floor; i++)
            wrong += acted[i] != 1;
        applied_fini(&set);
    }
    EQUAL(wrong, 0, "each acts exactly once");
}

/* ---- in a machine ---- */

static struct message encoded(const struct message *inner, struct wr *wr, uint64_t number,
                              uint64_t floor)
{
    struct message propose = {.type = DM_PROPOSE};
    message_encode(wr, inner);
    propose.dm_propose = (struct wire_dm_propose){
        .lane = COMMAND_SHORT,
        .number = number,
        .floor = floor,
        .request = {wr->bytes, wr->length}};
    return propose;
}

static struct message put_of(uint32_t tid)
{
    struct message put = {.type = CMD_MBOX_PUT};
    put.cmd_mbox_put = (struct wire_cmd_mbox_put){
        .tid = tid, .name = "twice", .index = -1, .flags = MBOX_MULTI_INSTANCE};
    return put;
}

static size_t entries_of(const struct fake *fake, int node)
{
    return fake->nodes[node].node->mboxes.entry_count;
}

static void test_proposed_twice(void)
{
    struct fake *fake = fake_create("");
    struct wr wr;
    fake_machine(fake, 2);
    wr_init(&wr);
    struct message put = put_of(2 << 18 | 9);
    struct message propose = encoded(&put, &wr, 1, 1);
    fake_peer_message(fake, 0, 1, &propose);
    fake_peer_message(fake, 0, 1, &propose);
    fake_run(fake);
    EQUAL(entries_of(fake, 0), 1, "twice while it is under way");
    uint64_t index = node_applied_index(fake->nodes[0].node);
    fake_peer_message(fake, 0, 1, &propose);
    fake_run(fake);
    EQUAL(node_applied_index(fake->nodes[0].node), index, "and once more later: not even appended");
    EQUAL(entries_of(fake, 1), 1, "the same everywhere");
    propose.dm_propose.number = 2;
    propose.dm_propose.lane = COMMAND_LANES;
    fake_peer_message(fake, 0, 1, &propose);
    struct message halt = {.type = DM_HALT};
    struct wr bad;
    wr_init(&bad);
    struct message wrong = encoded(&halt, &bad, 3, 1);
    fake_peer_message(fake, 0, 1, &wrong);
    fake_run(fake);
    EQUAL(node_applied_index(fake->nodes[0].node), index, "what is no request is nothing");
    wr_fini(&bad);
    wr_fini(&wr);
    fake_destroy(fake);
}

/* As two masters may have appended it, and one after its host has left. */
static void test_in_the_log_twice(void)
{
    struct fake *fake = fake_create("");
    struct effects effects;
    struct wr wr;
    fake_machine(fake, 2);
    struct node *node = fake->nodes[0].node;
    wr_init(&wr);
    effects_init(&effects);
    node->effects = &effects;
    struct message put = put_of(2 << 18 | 9);
    message_encode(&wr, &put);
    struct message entry = {.type = CMD_REQUEST};
    entry.cmd_request = (struct wire_cmd_request){.asker = fake->nodes[1].epoch,
                                                  .lane = COMMAND_SHORT,
                                                  .number = 1,
                                                  .floor = 1,
                                                  .command = {wr.bytes, wr.length}};
    struct hosts_change change;
    hosts_change_init(&change);
    EQUAL(replica_apply(node, &entry, &change), 0, "it is applied");
    EQUAL(replica_apply(node, &entry, &change), 0, "and comes again");
    EQUAL(entries_of(fake, 0), 1, "it acted once");
    entry.cmd_request.asker = 12345;
    EQUAL(replica_apply(node, &entry, &change), 0, "of one who is no host");
    EQUAL(entries_of(fake, 0), 1, "nothing acts");
    hosts_change_fini(&change);
    node->effects = NULL;
    effects_fini(&effects);
    wr_fini(&wr);
    fake_destroy(fake);
}

int main(void)
{
    TEST(test_set);
    TEST(test_answers);
    TEST(test_bad_sets);
    TEST(test_without_memory);
    TEST(test_random_order);
    TEST(test_proposed_twice);
    TEST(test_in_the_log_twice);
    return tap_done();
}
