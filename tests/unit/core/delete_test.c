/* SPDX-License-Identifier: BSD-3-Clause */
/* Deleting hosts: who may go, and what becomes of them. */
#include "fake.h"

#include "tap.h"

static void test_codes(void)
{
    static const char *const names[] = {"alpha-1", "alpha-1", "nowhere", "."};
    struct fake *fake = fake_create("");
    struct fake_task *a = fake_machine(fake, 3);
    struct message answer = fake_delhosts(fake, a, names, 4);
    const int32_t *results = answer.tm_deleted.results.items;
    EQUAL(answer.tm_deleted.results.count, 4, "an answer for each");
    EQUAL(results[0], 0, "a host");
    EQUAL(results[1], STATUS_DUP_HOST, "the same again");
    EQUAL(results[2], STATUS_NO_HOST, "one that is not");
    EQUAL(results[3], STATUS_BAD_PARAM, "the master by its other name");
    EQUAL(node_host_count(fake->nodes[2].node), 2, "the others know");
    OK(fake_tables_agree(fake), "and agree");
    EQUAL(fake->nodes[2].psk_epoch[0], 2, "with a new key");
    EQUAL(fake_delhosts(fake, a, names, 0).tm_deleted.status, STATUS_BAD_PARAM, "none: an error");
    fake_destroy(fake);
}

static void test_victim_ends_its_tasks(void)
{
    static const char *const name = "alpha-1";
    struct fake *fake = fake_create("");
    struct fake_task *a = fake_machine(fake, 2);
    fake_spawn(fake, a, 1, "alpha-1", 1);
    fake_delhosts(fake, a, &name, 1);
    EQUAL(fake_child_of(fake, 0)->last_signal, 15, "its tasks get SIGTERM");
    OK(fake->nodes[1].is_stopped, "and it stops");
    EQUAL(fake->nodes[1].stop_status, 0, "in order");
    EQUAL(fake->nodes[0].known_count, 0, "its link is dropped");
    fake_destroy(fake);
}

static void test_victim_that_does_not_answer(void)
{
    static const char *const name = "alpha-1";
    struct fake *fake = fake_create("");
    struct fake_task *a = fake_machine(fake, 2);
    fake->nodes[1].is_cut = true;
    EQUAL(fake_delhosts(fake, a, &name, 1).tm_deleted.results.items[0], 0,
          "one that is silent goes too");
    EQUAL(fake->nodes[0].known_count, 1, "its link is kept a little");
    fake_advance(fake, 3 * UINT64_C(1000000000));
    EQUAL(fake->nodes[0].known_count, 0, "not for ever");
    fake_destroy(fake);
}

static void test_asked_by_the_victim(void)
{
    static const char *const name = "alpha-1";
    struct fake *fake = fake_create("");
    fake_machine(fake, 2);
    struct fake_task *c = fake_task(fake, 1, 0, 0);
    fake_delhosts(fake, c, &name, 1);
    fake_advance(fake, 3 * UINT64_C(1000000000));
    OK(fake->nodes[1].is_stopped, "a task may delete its own host");
    EQUAL(node_host_count(fake->nodes[0].node), 1, "the master is alone");
    fake_destroy(fake);
}

/* It gives its place to somebody who stays, and that one removes it. */
static void test_the_master(void)
{
    static const char *const name = "alpha";
    struct fake *fake = fake_create("");
    fake_machine(fake, 3);
    struct fake_task *c = fake_task(fake, 2, 0, 0);
    struct message answer = fake_delhosts(fake, c, &name, 1);
    EQUAL(answer.tm_deleted.results.items[0], 0, "the master is deleted like any other");
    OK(fake->nodes[0].is_stopped, "it stops");
    OK(fake_master(fake) > 0, "another one is master");
    EQUAL(node_host_count(fake->nodes[2].node), 2, "of those who are left");
    OK(fake_tables_agree(fake), "who agree");
    fake_destroy(fake);
}

static void test_somebody_stays(void)
{
    static const char *const names[] = {"alpha-1", "alpha"};
    struct fake *fake = fake_create("");
    struct fake_task *a = fake_machine(fake, 2);
    struct message answer = fake_delhosts(fake, a, names, 2);
    EQUAL(answer.tm_deleted.results.items[0], 0, "all hosts at once: all but the master");
    EQUAL(answer.tm_deleted.results.items[1], STATUS_BAD_PARAM, "who stays");
    answer = fake_delhosts(fake, a, &names[1], 1);
    EQUAL(answer.tm_deleted.results.items[0], STATUS_BAD_PARAM, "so does one who is alone");
    fake_destroy(fake);
}

/* Both votes go before the hosts do: the third could not decide alone. */
static void test_two_voters_of_three(void)
{
    static const char *const names[] = {"alpha-1", "alpha-2"};
    struct fake *fake = fake_create("");
    struct fake_task *a = fake_machine(fake, 3);
    struct message answer = fake_delhosts(fake, a, names, 2);
    EQUAL(answer.tm_deleted.results.items[1], 0, "two of three voters at once");
    OK(fake->nodes[1].is_stopped && fake->nodes[2].is_stopped, "go");
    fake_advance(fake, 20 * UINT64_C(1000000000));
    OK(!fake->nodes[0].is_stopped && !fake->nodes[0].is_lost, "the third goes on alone");
    EQUAL(fake_master(fake), 0, "as master");
    fake_destroy(fake);
}

int main(void)
{
    TEST(test_codes);
    TEST(test_the_master);
    TEST(test_somebody_stays);
    TEST(test_two_voters_of_three);
    TEST(test_victim_ends_its_tasks);
    TEST(test_victim_that_does_not_answer);
    TEST(test_asked_by_the_victim);
    EQUAL(buf_live_count(), 0, "no buffer is left");
    return tap_done();
}
