/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests of sim/trace.h: classes shown, the form of a line, a hash over what is not shown too. */
#include "sim/trace.h"

#include "tap.h"

static void test_line(void)
{
    struct sim_trace trace;
    sim_trace_init(&trace);
    OK(sim_trace_parse("task,dm", &trace.shown) == 0, "a list of classes is understood");
    sim_trace_line(&trace, SIM_TRACE_TASK, 1234567, "a", "sends %d", 7);
    sim_trace_line(&trace, SIM_TRACE_NET, 1234567, "h1", "not shown");
    SAME_TEXT(strbuf_text(&trace.story), "[     1.234] a      sends 7\n",
              "a line has milliseconds, who, what; other classes are left out");
    sim_trace_forget(&trace);
    SAME_TEXT(strbuf_text(&trace.story), "", "a story can be forgotten");
    sim_trace_fini(&trace);
}

static void test_hash(void)
{
    struct sim_trace a, b;
    sim_trace_init(&a);
    sim_trace_init(&b);
    sim_trace_parse("all", &a.shown);
    sim_trace_parse("none", &b.shown);
    sim_trace_line(&a, SIM_TRACE_NET, 5, "h1", "x");
    sim_trace_line(&b, SIM_TRACE_NET, 5, "h1", "x");
    OK(a.hash == b.hash, "the hash does not depend on what is shown");
    sim_trace_mix(&a, 1, 2);
    sim_trace_mix(&b, 2, 1);
    OK(a.hash != b.hash, "it depends on every number mixed in, and on their places");
    sim_trace_fini(&a);
    sim_trace_fini(&b);
}

static void test_parse(void)
{
    uint32_t shown = 77;
    OK(sim_trace_parse("task,nonsense", &shown) < 0 && shown == 77,
       "an unknown class is refused and nothing changes");
    OK(sim_trace_parse("", &shown) == 0 && shown == 0, "an empty list is no class");
}

int main(void)
{
    TEST(test_line);
    TEST(test_hash);
    TEST(test_parse);
    return tap_done();
}
