/* SPDX-License-Identifier: BSD-3-Clause */
/* A new daemon and its master. */
#include "fake.h"

#include "tap.h"

static const uint64_t second = UINT64_C(1000000000);

/* A master whose new host hears nothing it says. */
static struct fake *half_joined(void)
{
    static const char *const name = "b";
    struct fake *fake = fake_create("");
    struct fake_task *a = fake_task(fake, 0, 0, 0);
    struct message request = {.type = TM_ADDHOSTS};
    request.tm_addhosts = (struct wire_tm_addhosts){.wait = 1, .hosts = {1, &name}};
    fake->hosts_are_silent = true;
    fake_ask(fake, a, &request);
    fake_run(fake);
    fake->nodes[1].is_cut = false;
    return fake;
}

static void test_nobody_calls(void)
{
    struct fake *fake = half_joined();
    struct fake_task *task = fake_task(fake, 1, 0, 0);
    EQUAL(task->tid, 0, "nobody enrols with a daemon that is no host yet");
    fake->nodes[1].is_cut = true;
    fake_advance(fake, 301 * second);
    OK(fake->nodes[1].is_stopped, "a daemon that is not called gives up");
    EQUAL(fake->nodes[1].stop_status, 1, "with a status that says so");
    OK(fake_logged(fake, "the master did not call"), "and words");
    fake_destroy(fake);
}

static void test_other_version(void)
{
    struct fake *fake = half_joined();
    struct message welcome = {.type = DM_WELCOME, .dm_welcome = {.version = 7}};
    fake_peer_message(fake, 1, 0, &welcome);
    fake_run(fake);
    OK(fake->nodes[1].is_stopped, "a master of another version is none");
    OK(fake_logged(fake, "the master speaks version 7"), "in words");
    EQUAL(fake_answer(fake, &fake->tasks[0]).tm_added.hosts.items[0].result, STATUS_BAD_VERSION,
          "which the one who asked for the host gets to hear as well");
    fake_destroy(fake);
}

static void test_master_goes(void)
{
    struct fake *fake = half_joined();
    struct event down = {.kind = EVENT_PEER_DOWN, .peer = fake->nodes[0].epoch, .text = "silence"};
    fake_event(fake, 1, &down);
    fake_run(fake);
    OK(fake->nodes[1].is_stopped, "a master that goes takes the new daemon along");
    fake_destroy(fake);
}

static void test_bad_configurations(void)
{
    struct node_config config = {.is_founder = true, .name = "x", .arch = "y", .epoch = 1};
    OK(!node_create(&config), "no randomness");
    config.name = "";
    OK(!node_create(&config), "no name");
}

int main(void)
{
    TEST(test_nobody_calls);
    TEST(test_other_version);
    TEST(test_master_goes);
    TEST(test_bad_configurations);
    EQUAL(buf_live_count(), 0, "no buffer is left");
    return tap_done();
}
