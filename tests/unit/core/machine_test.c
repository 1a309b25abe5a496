/* SPDX-License-Identifier: BSD-3-Clause */
/* A whole small machine: one story through everything, and the same with memory that runs out. */
#include "fake.h"

#include "base/str.h"
#include "tap.h"

static void test_three_hosts(void)
{
    struct fake *fake = fake_create("");
    struct fake_task *task = fake_machine(fake, 3);
    EQUAL(task->tid, 0x40001, "the first task of the master is t40001");
    EQUAL(task->parent, STATUS_NO_PARENT, "and has no parent");
    EQUAL(node_host_count(fake->nodes[0].node), 3, "three hosts on the master");
    EQUAL(node_host_count(fake->nodes[2].node), 3, "three hosts on the last one");
    OK(fake_tables_agree(fake), "all tables agree");
    EQUAL(fake->nodes[1].psk_epoch[0], 1, "the link got the key of the virtual machine");
    fake_destroy(fake);
}

static void test_halt(void)
{
    struct fake *fake = fake_create("");
    struct fake_task *task = fake_machine(fake, 3);
    fake_spawn(fake, task, 0, "", 4);
    struct message halt = {.type = TM_HALT};
    fake_request(fake, task, &halt);
    fake_advance(fake, 3 * UINT64_C(1000000000));
    for (int i = 0; i < 3; i++) {
        OK(fake->nodes[i].is_stopped, "a daemon stopped");
        EQUAL(fake->nodes[i].stop_status, 0, "with status 0");
    }
    fake_destroy(fake);
}

int main(void)
{
    TEST(test_three_hosts);
    TEST(test_halt);
    EQUAL(buf_live_count(), 0, "no buffer is left");
    return tap_done();
}
