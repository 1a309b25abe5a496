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
    EQUAL(fake->nodes[0].known_count, 2, "of it a link is left that it could knock at");
    OK(fake_logged(fake, "host \"alpha-1\": failed"), "the log says so");
    fake_destroy(fake);
}

static void test_master_fails(void)
{
    struct fake *fake = fake_create("");
    struct fake_task *a = fake_machine(fake, 3);
    struct fake_task *c = fake_task(fake, 2, 0, 0);
    fake_notify(fake, c, 1, 5, 1, &a->tid, 1);
    fake_notify(fake, c, 3, 6, -1, NULL, 0);
    fake_crash(fake, 0);
    fake_advance(fake, second);
    int master = fake_master(fake);
    OK(master > 0, "another host is master");
    EQUAL(node_host_count(fake->nodes[1].node), 2, "the old one is removed");
    OK(fake_tables_agree(fake), "the tables agree");
    struct frame abort = fake_take(c);
    struct frame notice = fake_take(c);
    EQUAL(notice.kind, FRAME_NOTICE, "the end of its task is told");
    EQUAL(c->frame_count, 0, "once");
    frame_drop(&abort);
    frame_drop(&notice);
    static const char *const name = "local";
    struct message answer = fake_addhosts(fake, c, &name, 1);
    OK(answer.type == TM_ADDED && answer.tm_added.hosts.items[0].result > 0,
       "hosts are added as before");
    OK(fake_spawn(fake, c, 0, "", 3).tm_spawned.tids.items[2] > 0, "and tasks are started");
    notice = fake_take(c);
    EQUAL(fake_int(&notice, 0), 1, "who waited for new hosts still hears of them");
    frame_drop(&notice);
    fake_destroy(fake);
}

/* Without a word of anybody's guardian, and while it adds hosts. */
static void test_master_falls_silent(void)
{
    static const char *const name = "b";
    struct fake *fake = fake_create("");
    fake_machine(fake, 3);
    struct fake_task *c = fake_task(fake, 2, 0, 0);
    struct message request = {.type = TM_ADDHOSTS};
    request.tm_addhosts = (struct wire_tm_addhosts){.wait = 9, .hosts = {1, &name}};
    fake_advance(fake, 2 * second);
    fake->hosts_are_silent = true;
    fake_ask(fake, c, &request);
    fake_run(fake);
    fake->hosts_are_silent = false;
    fake->nodes[0].is_cut = true;
    fake_advance(fake, 5 * second);
    OK(fake->nodes[0].is_lost, "who hears nobody gives up first");
    fake_advance(fake, second);
    EQUAL(node_host_count(fake->nodes[2].node), 3, "the others go on, with the host asked for");
    struct message answer = fake_answer(fake, c);
    OK(answer.type == TM_ADDED && answer.tm_added.hosts.items[0].result > 0,
       "the request is answered once, by what the next master did");
    EQUAL(fake_answer(fake, c).type, MESSAGE_NONE, "and no more");
    fake_destroy(fake);
}

static void test_survivor_of_two(void)
{
    struct fake *fake = fake_create("");
    fake_machine(fake, 2);
    fake_advance(fake, 2 * second); /* its first lease is confirmed */
    fake->nodes[1].is_cut = true;
    fake_advance(fake, 6 * second);
    EQUAL(node_host_count(fake->nodes[0].node), 1, "of two hosts the tie-holder goes on alone");
    OK(fake->nodes[1].is_lost, "the other ends all that acts");
    fake_rejoin(fake, 1);
    fake_advance(fake, 61 * second);
    OK(fake->nodes[1].is_stopped, "and stops when nobody answers for long");
    OK(fake_logged(fake, "no host of the virtual machine answers"), "with words");
    fake_destroy(fake);
}

static void test_host_comes_back(void)
{
    struct fake *fake = fake_create("");
    struct fake_task *a = fake_machine(fake, 3);
    fake_spawn(fake, a, 1, "alpha-1", 1);
    fake_advance(fake, 2 * second);
    fake->nodes[1].is_cut = true;
    fake_advance(fake, 7 * second);
    EQUAL(node_host_count(fake->nodes[0].node), 2, "a host that was silent is removed");
    OK(fake->nodes[1].is_lost, "it knows");
    fake->nodes[1].is_cut = false;
    fake_rejoin(fake, 1);
    fake_advance(fake, 5 * second);
    EQUAL(node_host_count(fake->nodes[0].node), 3, "it comes back");
    EQUAL(node_host_count(fake->nodes[1].node), 3, "and has the table");
    OK(fake_tables_agree(fake), "the same as all");
    EQUAL(node_daemon_tid(fake->nodes[1].node), 0x80000000u | 4u << 18, "with a new number");
    struct fake_task *again = fake_task(fake, 1, 0, 0);
    EQUAL(tid_host_number(again->tid), 4, "its tasks have it too");
    fake_destroy(fake);
}

static void test_master_comes_back(void)
{
    struct fake *fake = fake_create("");
    fake_machine(fake, 3);
    fake->nodes[0].is_cut = true;
    fake_advance(fake, 7 * second);
    int master = fake_master(fake);
    OK(master > 0, "there is another master");
    fake->nodes[0].is_cut = false;
    fake_rejoin(fake, 0);
    fake_advance(fake, 5 * second);
    EQUAL(node_host_count(fake->nodes[0].node), 3, "the old one comes back");
    EQUAL(fake_master(fake), master, "as a host like any other");
    OK(fake_tables_agree(fake), "the tables agree");
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

/* A dead link alone is no dead host. */
static void test_dead_link_between_two(void)
{
    struct fake *fake = fake_create("");
    fake_machine(fake, 3);
    struct fake_task *b = fake_task(fake, 1, 0, 0);
    struct event down = {.kind = EVENT_PEER_DOWN, .peer = fake->nodes[2].epoch, .text = "silence"};
    fake_event(fake, 1, &down);
    fake_run(fake);
    struct message spawned = fake_spawn(fake, b, 0, "", 2);
    OK(tid_host_number((uint32_t)spawned.tm_spawned.tids.items[0]) != 3 &&
       tid_host_number((uint32_t)spawned.tm_spawned.tids.items[1]) != 3,
       "nothing is placed where nothing arrives");
    fake_advance(fake, 20 * second);
    EQUAL(node_host_count(fake->nodes[0].node), 3, "but all hosts stay");
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
    TEST(test_master_falls_silent);
    TEST(test_survivor_of_two);
    TEST(test_host_comes_back);
    TEST(test_master_comes_back);
    TEST(test_host_leaves);
    TEST(test_dead_link_between_two);
    TEST(test_many_changes_are_compacted);
    TEST(test_strangers);
    EQUAL(buf_live_count(), 0, "no buffer is left");
    return tap_done();
}
