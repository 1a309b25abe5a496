/* SPDX-License-Identifier: BSD-3-Clause */
/* The end of daemons and of the whole machine. */
#include "fake.h"

#include "tap.h"

static const uint64_t second = UINT64_C(1000000000);

static void ask_halt(struct fake *fake, struct fake_task *task)
{
    struct message halt = {.type = TM_HALT};
    fake_request(fake, task, &halt);
}

static void test_from_another_host(void)
{
    struct fake *fake = fake_create("");
    fake_machine(fake, 3);
    ask_halt(fake, fake_task(fake, 2, 0, 0));
    for (int i = 0; i < 3; i++)
        OK(fake->nodes[i].is_stopped && fake->nodes[i].stop_status == 0, "all stop with status 0");
    fake_destroy(fake);
}

static void test_stubborn_tasks(void)
{
    struct fake *fake = fake_create("");
    struct fake_task *a = fake_machine(fake, 2);
    fake_spawn(fake, a, 0, "", 2);
    fake->ignores_signals = true;
    ask_halt(fake, a);
    OK(!fake->nodes[0].is_stopped && !fake->nodes[1].is_stopped, "tasks get a second");
    EQUAL(fake_child_of(fake, 0)->last_signal, 15, "after SIGTERM");
    fake_advance(fake, second);
    EQUAL(fake_child_of(fake, 0)->last_signal, 9, "then SIGKILL");
    fake_advance(fake, second);
    OK(fake->nodes[0].is_stopped && fake->nodes[1].is_stopped, "and the daemons stop");
    fake_destroy(fake);
}

static void test_patient_asker(void)
{
    struct fake *fake = fake_create("");
    struct fake_task *a = fake_machine(fake, 2);
    fake->ignores_signals = true;
    ask_halt(fake, a);
    OK(fake->nodes[0].is_stopped,
       "a task that waits for the end of its connection holds up nothing");
    fake_destroy(fake);
}

static void test_silent_host(void)
{
    struct fake *fake = fake_create("");
    struct fake_task *a = fake_machine(fake, 2);
    fake->nodes[1].is_cut = true;
    ask_halt(fake, a);
    OK(!fake->nodes[0].is_stopped, "the master waits for the others");
    fake_advance(fake, 3 * second);
    OK(fake->nodes[0].is_stopped, "not for ever");
    fake_destroy(fake);
}

/* The master is dead, and nobody knows it yet. */
static void test_dead_master(void)
{
    struct fake *fake = fake_create("");
    fake_machine(fake, 3);
    struct fake_task *c = fake_task(fake, 2, 0, 0);
    fake->nodes[0].is_cut = true;
    ask_halt(fake, c);
    OK(!fake->nodes[2].is_stopped, "the master is asked first");
    fake_advance(fake, second);
    OK(fake->nodes[1].is_stopped, "then whoever was asked says so itself");
    fake_advance(fake, 3 * second);
    OK(fake->nodes[2].is_stopped, "and stops last");
    fake_destroy(fake);
}

static void test_no_master(void)
{
    struct fake *fake = fake_create("");
    fake_machine(fake, 3);
    struct fake_task *c = fake_task(fake, 2, 0, 0);
    fake->nodes[0].is_cut = true;
    fake_advance(fake, 3 * second + second / 5);
    fake->nodes[1].is_cut = true; /* so that there is no election either */
    fake_advance(fake, second);
    fake->nodes[1].is_cut = false;
    ask_halt(fake, c);
    OK(fake->nodes[1].is_stopped, "without a master all are told at once");
    fake_advance(fake, 3 * second);
    OK(fake->nodes[2].is_stopped, "nobody waits for one");
    fake_destroy(fake);
}

/* Two say so at once, and neither waits for the other. */
static void test_asked_twice(void)
{
    struct fake *fake = fake_create("");
    struct fake_task *a = fake_machine(fake, 3);
    struct fake_task *c = fake_task(fake, 2, 0, 0);
    struct message halt = {.type = TM_HALT, .tm_halt = {.wait = 1}};
    fake_ask(fake, a, &halt);
    fake_ask(fake, c, &halt);
    fake_run(fake);
    for (int i = 0; i < 3; i++)
        OK(fake->nodes[i].is_stopped, "all stop at once");
    fake_destroy(fake);
}

static void test_while_hosts_are_added(void)
{
    static const char *const name = "b";
    struct fake *fake = fake_create("");
    struct fake_task *a = fake_task(fake, 0, 0, 0);
    struct message request = {.type = TM_ADDHOSTS};
    request.tm_addhosts = (struct wire_tm_addhosts){.wait = 1, .hosts = {1, &name}};
    fake->hosts_are_silent = true;
    fake_ask(fake, a, &request);
    fake_run(fake);
    ask_halt(fake, a);
    fake_advance(fake, 3 * second);
    OK(fake->nodes[0].is_stopped, "the end does not wait for hosts that are coming");
    fake_destroy(fake);
}

static void test_signals(void)
{
    struct fake *fake = fake_create("");
    fake_spawn(fake, fake_machine(fake, 2), 0, "", 2);
    struct event stop = {.kind = EVENT_STOP, .signal = 2};
    fake->ignores_signals = true;
    fake_event(fake, 0, &stop);
    fake_run(fake);
    OK(!fake->nodes[0].is_stopped, "a signal ends it in order");
    struct fake_task *late = fake_task(fake, 0, 0, 0);
    EQUAL(late->tid, 0, "nobody enrols any more");
    fake_event(fake, 0, &stop);
    fake_run(fake);
    OK(fake->nodes[0].is_stopped, "a second one at once");
    EQUAL(fake->nodes[0].stop_status, 2, "its number is the status");
    fake_destroy(fake);
}

int main(void)
{
    TEST(test_from_another_host);
    TEST(test_stubborn_tasks);
    TEST(test_patient_asker);
    TEST(test_silent_host);
    TEST(test_dead_master);
    TEST(test_no_master);
    TEST(test_asked_twice);
    TEST(test_while_hosts_are_added);
    TEST(test_signals);
    EQUAL(buf_live_count(), 0, "no buffer is left");
    return tap_done();
}
