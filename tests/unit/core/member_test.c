/* SPDX-License-Identifier: BSD-3-Clause */
/* Losing hosts, links and the master. */
#include "fake.h"

#include "tap.h"

static const uint64_t second = UINT64_C(1000000000);

static void test_host_fails(void)
{
    struct fake *fake = fake_create("");
    fake_machine(fake, 3);
    fake_crash(fake, 1);
    EQUAL(node_host_count(fake->nodes[0].node), 2, "the master removes it");
    EQUAL(node_host_count(fake->nodes[2].node), 2, "the others hear of it");
    OK(fake_tables_agree(fake), "the tables agree");
    EQUAL(fake->nodes[0].known_count, 1, "no link to it is left");
    OK(fake_logged(fake, "host \"alpha-1\": failed"), "the log says so");
    fake_destroy(fake);
}

static void test_master_fails(void)
{
    struct fake *fake = fake_create("");
    struct fake_task *a = fake_machine(fake, 2);
    fake_spawn(fake, a, 1, "alpha-1", 1);
    fake_crash(fake, 0);
    EQUAL(fake_child_of(fake, 0)->last_signal, 15, "a host without master ends its tasks");
    OK(fake->nodes[1].is_stopped, "and stops");
    EQUAL(fake->nodes[1].stop_status, 1, "with a status that says so");
    fake_destroy(fake);
}

static void test_host_leaves(void)
{
    struct fake *fake = fake_create("");
    fake_machine(fake, 3);
    struct event stop = {.kind = EVENT_STOP, .signal = 15};
    fake_event(fake, 1, &stop);
    fake_run(fake);
    OK(fake->nodes[1].is_stopped, "a daemon told to end ends");
    EQUAL(fake->nodes[1].stop_status, 15, "with the signal's number");
    EQUAL(node_host_count(fake->nodes[0].node), 2, "the others go on without it");
    OK(fake_logged(fake, "host \"alpha-1\": left"), "it left, it did not fail");
    fake_destroy(fake);
}

/* Two hosts lose each other while the master sees both. */
static void test_dead_link_between_two(void)
{
    struct fake *fake = fake_create("");
    fake_machine(fake, 3);
    struct fake_task *b = fake_task(fake, 1, 0, 0);
    struct fake_task *c = fake_task(fake, 2, 0, 0);
    struct message ask = {.type = TM_PSTAT, .tm_pstat = {.wait = 7, .tid = c->tid}};
    struct event down = {.kind = EVENT_PEER_DOWN, .peer = fake->nodes[2].epoch, .text = "silence"};
    fake_ask(fake, b, &ask);
    fake_event(fake, 1, &down);
    fake->nodes[2].is_cut = true;
    fake_run(fake);
    EQUAL(fake_answer(fake, b).tm_done.status, STATUS_HOST_FAIL, "what waits for the other ends");
    EQUAL(node_host_count(fake->nodes[1].node), 3, "but only the master removes hosts");
    struct message spawned = fake_spawn(fake, b, 0, "", 2);
    OK(tid_host_number((uint32_t)spawned.tm_spawned.tids.items[0]) != 3 &&
       tid_host_number((uint32_t)spawned.tm_spawned.tids.items[1]) != 3,
       "nothing is placed where nothing arrives");
    fake->nodes[2].is_cut = false;
    fake_advance(fake, 11 * second);
    EQUAL(node_host_count(fake->nodes[0].node), 2, "which it does when it is told for long");
    EQUAL(node_host_count(fake->nodes[1].node), 2, "and all know");
    fake_destroy(fake);
}

static void test_many_changes_are_compacted(void)
{
    static const char *const add = "local";
    static const char *const gone = "alpha-2";
    struct fake *fake = fake_create("");
    struct fake_task *a = fake_machine(fake, 2);
    for (int i = 0; i < 5; i++) {
        fake_addhosts(fake, a, &add, 1);
        fake_delhosts(fake, a, &gone, 1);
        fake_advance(fake, 3 * second);
    }
    OK(fake_tables_agree(fake), "hosts come and go: the tables agree");
    EQUAL(node_applied_index(fake->nodes[0].node), node_applied_index(fake->nodes[1].node),
          "at the same index");
    fake_destroy(fake);
}

static void test_strangers(void)
{
    struct fake *fake = fake_create("");
    fake_machine(fake, 2);
    struct message halt = {.type = DM_HALT};
    struct event event = {.kind = EVENT_PEER_MESSAGE, .peer = 0x5eed,
                          .bytes = slice_copy("\0\x55", 2)};
    fake->nodes[0].known[fake->nodes[0].known_count++] = 0x5eed;
    fake_event(fake, 0, &event);
    slice_drop(&event.bytes);
    event.bytes = slice_copy("rubbish", 7);
    event.peer = fake->nodes[1].epoch;
    fake_event(fake, 0, &event);
    slice_drop(&event.bytes);
    fake_run(fake);
    EQUAL(node_host_count(fake->nodes[0].node), 2,
          "bytes that cannot be read cost nobody his link");
    OK(fake_logged(fake, "cannot be read"), "but are told");
    struct message welcome = {.type = DM_WELCOME};
    fake_peer_message(fake, 0, 1, &welcome);
    fake_run(fake);
    (void)halt;
    OK(!fake->nodes[0].is_stopped, "what only a master may say is not heard from others");
    fake_destroy(fake);
}

int main(void)
{
    TEST(test_host_fails);
    TEST(test_master_fails);
    TEST(test_host_leaves);
    TEST(test_dead_link_between_two);
    TEST(test_many_changes_are_compacted);
    TEST(test_strangers);
    EQUAL(buf_live_count(), 0, "no buffer is left");
    return tap_done();
}
