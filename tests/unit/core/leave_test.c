/* SPDX-License-Identifier: BSD-3-Clause */
/* Hosts that go by themselves, the master too, while the others go on. */
#include "fake.h"

#include "tap.h"

static const uint64_t second = UINT64_C(1000000000);

static void tell_to_stop(struct fake *fake, int node)
{
    struct event stop = {.kind = EVENT_STOP, .signal = 15};
    fake_event(fake, node, &stop);
    fake_run(fake);
}

static void test_master_leaves(void)
{
    struct fake *fake = fake_create("");
    fake_machine(fake, 2);
    struct fake_task *b = fake_task(fake, 1, 0, 0);
    tell_to_stop(fake, 0);
    OK(fake->nodes[0].is_stopped, "a master told to end ends");
    EQUAL(fake->nodes[0].stop_status, 15, "with the signal's number");
    EQUAL(fake_master(fake), 1, "the other host is master");
    EQUAL(node_host_count(fake->nodes[1].node), 1, "alone");
    fake_advance(fake, 20 * second);
    OK(!fake->nodes[1].is_stopped && !fake->nodes[1].is_lost, "and goes on");
    OK(fake_spawn(fake, b, 0, "", 1).tm_spawned.tids.items[0] > 0, "with its work");
    OK(fake_logged(fake, "host \"alpha\": left"), "the old one left, it did not fail");
    fake_destroy(fake);
}

static void test_one_after_the_other(void)
{
    struct fake *fake = fake_create("");
    fake_machine(fake, 6);
    for (int i = 0; i < 5; i++) {
        tell_to_stop(fake, i);
        OK(fake->nodes[i].is_stopped, "each goes");
        EQUAL(node_host_count(fake->nodes[5].node), (size_t)(5 - i), "and is let go");
    }
    EQUAL(fake_master(fake), 5, "the last one is master");
    tell_to_stop(fake, 5);
    OK(fake->nodes[5].is_stopped, "and goes at the end");
    fake_destroy(fake);
}

/* Nobody lets it go: it does not wait for ever. */
static void test_nobody_answers(void)
{
    struct fake *fake = fake_create("");
    fake_machine(fake, 2);
    fake->nodes[1].is_cut = true;
    tell_to_stop(fake, 0);
    OK(!fake->nodes[0].is_stopped, "it waits for somebody to take its place");
    fake_advance(fake, 4 * second);
    OK(fake->nodes[0].is_stopped, "not for ever");
    fake_destroy(fake);
}

static void test_all_told_while_one_leaves(void)
{
    struct fake *fake = fake_create("");
    struct fake_task *a = fake_machine(fake, 3);
    fake_spawn(fake, a, 1, "alpha-1", 1);
    fake->ignores_signals = true;
    tell_to_stop(fake, 1);
    OK(!fake->nodes[1].is_stopped, "a host that is leaving waits for its tasks");
    struct message halt = {.type = TM_HALT};
    fake_request(fake, a, &halt);
    fake_advance(fake, 3 * second);
    for (int i = 0; i < 3; i++)
        OK(fake->nodes[i].is_stopped, "a halt takes it along");
    fake_destroy(fake);
}

int main(void)
{
    TEST(test_master_leaves);
    TEST(test_one_after_the_other);
    TEST(test_nobody_answers);
    TEST(test_all_told_while_one_leaves);
    EQUAL(buf_live_count(), 0, "no buffer is left");
    return tap_done();
}
