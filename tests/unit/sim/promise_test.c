/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests of sim/promise.h: the checkers bite. Each breaks one promise on purpose. */
#include "sim/promise.h"

#include "sim/host.h"
#include "sim/world.h"

#include "tap.h"

enum { A = 0x40001, B = 0x40002 };
enum { TASK_EXIT = 1 };

static struct sim_world *start(void)
{
    struct sim_world *world = sim_world_create(1);
    struct sim_host *host = sim_host_create(world, "h1", NULL, 1);
    sim_promise_tid_given(world, A, "a", host);
    sim_promise_tid_given(world, B, "b", host);
    return world;
}

static void end(struct sim_world *world, uint32_t broken, const char *what)
{
    EQUAL(world->promises.broken, broken, what);
    sim_world_destroy(world);
}

static void test_order(void)
{
    struct sim_world *world = start();
    sim_promise_sent(world, A, B, 1, 10);
    sim_promise_sent(world, A, B, 2, 11);
    sim_promise_received(world, A, B, 1, 10, true);
    sim_promise_received(world, A, B, 2, 11, true);
    end(world, 0, "in order is fine");
    world = start();
    sim_promise_sent(world, A, B, 1, 10);
    sim_promise_sent(world, A, B, 2, 11);
    sim_promise_received(world, A, B, 2, 11, true);
    end(world, 1, "out of order is not");
    world = start();
    sim_promise_sent(world, A, B, 1, 10);
    sim_promise_sent(world, A, B, 2, 11);
    sim_promise_received(world, A, B, 2, 11, false);
    sim_promise_received(world, A, B, 1, 10, false);
    end(world, 0, "unless it was asked for by tag");
    world = start();
    sim_promise_sent(world, A, B, 1, 10);
    sim_promise_received(world, A, B, 1, 10, true);
    sim_promise_received(world, A, B, 1, 10, true);
    end(world, 1, "twice is not");
}

static void test_notice(void)
{
    struct sim_world *world = start();
    sim_promise_watch(world, B, TASK_EXIT, A, 0);
    sim_promise_sent(world, A, B, 1, 10);
    sim_promise_task_ended(world, A, true);
    sim_promise_noticed(world, B, TASK_EXIT, A);
    end(world, 1, "a notice before the last message");
    world = start();
    sim_promise_watch(world, B, TASK_EXIT, A, 0);
    sim_promise_sent(world, A, B, 1, 10);
    sim_promise_task_ended(world, A, false);
    sim_promise_noticed(world, B, TASK_EXIT, A);
    sim_promise_received(world, A, B, 1, 10, true);
    end(world, 1, "a message after the notice");
    world = start();
    sim_promise_watch(world, B, TASK_EXIT, A, 0);
    sim_promise_task_ended(world, A, true);
    sim_promise_noticed(world, B, TASK_EXIT, A);
    sim_promise_noticed(world, B, TASK_EXIT, A);
    end(world, 1, "a notice twice");
    world = start();
    sim_promise_task_ended(world, A, true);
    sim_promise_noticed(world, B, TASK_EXIT, A);
    end(world, 1, "a notice nobody asked for");
    world = start();
    sim_promise_watch(world, B, TASK_EXIT, A, 0);
    sim_promise_noticed(world, B, TASK_EXIT, A);
    end(world, 1, "a notice of the end of the living");
}

static void test_tids(void)
{
    struct sim_world *world = start();
    struct sim_host *host = sim_world_host(world, "h1");
    sim_promise_task_ended(world, A, true);
    sim_promise_tid_given(world, A, "c", host);
    end(world, 1, "a tid given again");
    world = start();
    sim_promise_tid_given(world, 0x40000, "c", sim_world_host(world, "h1"));
    end(world, 1, "a tid that is a host's");
}

int main(void)
{
    TEST(test_order);
    TEST(test_notice);
    TEST(test_tids);
    return tap_done();
}
