/* SPDX-License-Identifier: BSD-3-Clause */
/* Frames to many. */
#include "fake.h"

#include "base/str.h"
#include "core/mcast.h"
#include "tap.h"

static void send(struct fake *fake, struct fake_task *task, uint64_t number, uint8_t flags,
                 const struct fake_task *const *to, size_t count, const char *text)
{
    struct wr wr;
    struct frame frame = {.kind = FRAME_MCAST, .flags = flags, .source = task->tid,
                          .sequence = number};
    wr_init(&wr);
    if (flags & FRAME_FIRST) {
        wr_u32(&wr, (uint32_t)count);
        for (size_t i = 0; i < count; i++) {
            wr_u32(&wr, to[i]->tid);
            wr_u64(&wr, 10 + i);
        }
    }
    wr_bytes(&wr, text, strlen(text));
    frame.body = slice_copy(wr.bytes, wr.length);
    wr_fini(&wr);
    fake_send_frame(fake, task, &frame);
    frame_drop(&frame);
}

/* The next frame but what says that a host is gone. */
static struct frame take(struct fake_task *task)
{
    struct frame frame = fake_take(task);
    while (frame.kind == FRAME_ABORT && frame.sequence == 0) {
        frame_drop(&frame);
        frame = fake_take(task);
    }
    return frame;
}

static bool got(struct fake_task *task, enum frame_kind kind, uint64_t sequence, const char *text)
{
    struct frame frame = take(task);
    bool same = frame.kind == kind && frame.sequence == sequence &&
                frame.destination == task->tid && frame.body.length == strlen(text) &&
                (!*text || memcmp(frame.body.data, text, strlen(text)) == 0);
    frame_drop(&frame);
    return same;
}

static void test_dealt_out(void)
{
    struct fake *fake = fake_create("");
    struct fake_task *a = fake_machine(fake, 3);
    const struct fake_task *to[] = {fake_task(fake, 0, 0, 0), fake_task(fake, 1, 0, 0),
                                    fake_task(fake, 1, 0, 0), fake_task(fake, 2, 0, 0)};
    send(fake, a, 1, FRAME_FIRST, to, 4, "one");
    send(fake, a, 1, FRAME_LAST, NULL, 0, "two");
    fake_run(fake);
    for (size_t i = 0; i < 4; i++) {
        struct fake_task *task = &fake->tasks[i + 1];
        OK(got(task, FRAME_DATA, 10 + i, "one") && got(task, FRAME_DATA, 10 + i, "two"),
           "each gets both fragments as data with its own number");
    }
    EQUAL(fake->nodes[1].consumed, fake->nodes[1].received, "the credit of the one copy goes back");
    fake_destroy(fake);
}

static void test_credit_waits_for_the_slowest(void)
{
    struct fake *fake = fake_create("");
    struct fake_task *a = fake_machine(fake, 2);
    struct fake_task *fast = fake_task(fake, 1, 0, 0);
    struct fake_task *slow = fake_task(fake, 1, 0, 0);
    const struct fake_task *to[] = {fast, slow};
    slow->takes_nothing = true;
    send(fake, a, 1, FRAME_FIRST | FRAME_LAST, to, 2, "x");
    fake_run(fake);
    EQUAL(fake->nodes[1].consumed, 0, "one of two has it: no credit");
    fake_close(fake, slow);
    EQUAL(fake->nodes[1].consumed, fake->nodes[1].received, "when the last is done with it, all");
    fake_destroy(fake);
}

static void test_torn(void)
{
    struct fake *fake = fake_create("");
    struct fake_task *a = fake_machine(fake, 2);
    struct fake_task *b = fake_task(fake, 0, 0, 0);
    struct fake_task *c = fake_task(fake, 1, 0, 0);
    const struct fake_task *to[] = {b, c};
    send(fake, a, 4, FRAME_FIRST, to, 2, "x");
    fake_run(fake);
    fake_close(fake, a);
    OK(got(b, FRAME_DATA, 10, "x") && got(b, FRAME_ABORT, 10, ""), "called off here");
    OK(got(c, FRAME_DATA, 11, "x") && got(c, FRAME_ABORT, 11, ""), "and elsewhere");
    fake_destroy(fake);
}

static void test_notice_counts_it(void)
{
    struct fake *fake = fake_create("");
    struct fake_task *a = fake_machine(fake, 2);
    struct fake_task *c = fake_task(fake, 1, 0, 0);
    const struct fake_task *to[] = {c};
    fake_notify(fake, c, 1, 5, 1, &a->tid, 1);
    send(fake, a, 1, FRAME_FIRST | FRAME_LAST, to, 1, "x");
    fake_run(fake);
    fake_close(fake, a);
    OK(got(c, FRAME_DATA, 10, "x"), "the message");
    struct frame notice = fake_take(c);
    struct rd rd = rd_init(notice.body.data, notice.body.length);
    EQUAL(rd_u32(&rd), a->tid, "the notice waits for a message of the sender");
    EQUAL(rd_u64(&rd), 10, "this one");
    frame_drop(&notice);
    fake_destroy(fake);
}

static void test_impossible(void)
{
    struct fake *fake = fake_create("");
    struct fake_task *a = fake_machine(fake, 1);
    send(fake, a, 9, FRAME_LAST, NULL, 0, "x");
    fake_run(fake);
    OK(!a->is_open, "an end without a beginning");
    struct fake_task *b = fake_task(fake, 0, 0, 0);
    struct frame frame = {.kind = FRAME_MCAST, .flags = FRAME_FIRST, .source = b->tid,
                          .body = slice_copy("\xff\xff\xff\xff", 4)};
    fake_send_frame(fake, b, &frame);
    frame_drop(&frame);
    fake_run(fake);
    OK(!b->is_open, "a list longer than its frame");
    fake_destroy(fake);
}

/* ---- to many hosts: width 2, so of the hosts 1 to 6 number 1 is the relay of 2 and 3, number 4 of
 * 5 and 6 ---- */

enum { WIDE = 7 };

static struct fake *wide(struct fake_task **a, const struct fake_task **to)
{
    struct fake *fake = fake_create_unstarted();
    fake->mcast_width = 2;
    fake_start(fake);
    *a = fake_machine(fake, WIDE);
    for (int i = 1; i < WIDE; i++)
        to[i - 1] = fake_task(fake, i, 0, 0);
    return fake;
}

/* How many of those behind relay 1 got |text| as their next frame. */
static int got_behind(struct fake_task *const *tasks, const char *text)
{
    return got(tasks[1], FRAME_DATA, 11, text) + got(tasks[2], FRAME_DATA, 12, text);
}

static bool has_more(struct fake_task *task)
{
    struct frame frame = take(task);
    frame_drop(&frame);
    return frame.kind != 0;
}

/* Nothing is kept anywhere, no credit is missing. */
static bool is_over(const struct fake *fake)
{
    bool over = true;
    for (int i = 0; i < fake->node_count; i++) {
        const struct fake_node *node = &fake->nodes[i];
        if (node->is_cut || !node->node)
            continue;
        over &= node->node->mcasts_out.count == 0 && node->node->mcasts_in.count == 0 &&
                node->consumed == node->received;
    }
    return over;
}

static void test_tree(void)
{
    struct fake_task *a, *to[WIDE - 1];
    struct fake *fake = wide(&a, (const struct fake_task **)to);
    send(fake, a, 1, FRAME_FIRST, (const struct fake_task **)to, WIDE - 1, "one");
    send(fake, a, 1, 0, NULL, 0, "two");
    send(fake, a, 1, FRAME_LAST, NULL, 0, "three");
    fake_run(fake);
    bool good = true;
    for (size_t i = 0; i < WIDE - 1; i++)
        good &= got(to[i], FRAME_DATA, 10 + i, "one") && got(to[i], FRAME_DATA, 10 + i, "two") &&
                got(to[i], FRAME_DATA, 10 + i, "three") && !has_more(to[i]);
    OK(good, "each gets every fragment once, by way of relays");
    EQUAL(fake->nodes[0].node->flows.count, 0, "all is there");
    OK(is_over(fake), "and nobody keeps anything");
    send(fake, a, 2, FRAME_FIRST | FRAME_LAST, (const struct fake_task **)to, WIDE - 1, "x");
    fake_run(fake);
    good = true;
    for (size_t i = 0; i < WIDE - 1; i++)
        good &= got(to[i], FRAME_DATA, 10 + i, "x");
    OK(good && is_over(fake), "also of one fragment");
    fake_destroy(fake);
}

static void test_relay_silent(void)
{
    struct fake_task *a, *to[WIDE - 1];
    struct fake *fake = wide(&a, (const struct fake_task **)to);
    send(fake, a, 1, FRAME_FIRST, (const struct fake_task **)to, WIDE - 1, "one");
    fake_run(fake);
    EQUAL(got_behind(to, "one"), 2, "the first fragment comes through the relay");
    fake->nodes[1].is_cut = true;
    send(fake, a, 1, 0, NULL, 0, "two");
    send(fake, a, 1, FRAME_LAST, NULL, 0, "three");
    fake_run(fake);
    OK(!has_more(to[1]) && !has_more(to[2]), "the others not, as it is silent");
    fake_advance(fake, MCAST_STALL_NS * 2);
    EQUAL(got_behind(to, "two"), 2, "so they come directly");
    EQUAL(got_behind(to, "three"), 2, "to the end");
    OK(!has_more(to[1]) && !has_more(to[2]), "each once");
    OK(got(to[4], FRAME_DATA, 14, "one"), "others have noticed nothing");
    send(fake, a, 2, FRAME_FIRST | FRAME_LAST, (const struct fake_task **)to, WIDE - 1, "x");
    fake_run(fake);
    EQUAL(got_behind(to, "x"), 2, "the next one does not go that way");
    fake_destroy(fake);
}

static void test_relay_dies(void)
{
    for (int fragments = 0; fragments < 4; fragments++) {
        struct fake_task *a, *to[WIDE - 1];
        struct fake *fake = wide(&a, (const struct fake_task **)to);
        static const char *const texts[] = {"one", "two", "three"};
        static const uint8_t flags[] = {FRAME_FIRST, 0, FRAME_LAST};
        for (int i = 0; i < 3; i++) {
            if (i == fragments) {
                fake_run(fake);
                fake_crash(fake, 1);
            }
            send(fake, a, 1, flags[i], (const struct fake_task **)to, WIDE - 1, texts[i]);
        }
        if (fragments == 3) { /* on its way to those behind */
            fake_run_some(fake, 8);
            fake_crash(fake, 1);
        }
        fake_run(fake);
        fake_advance(fake, MCAST_STALL_NS * 2);
        bool good = true;
        for (int i = 0; i < 3; i++)
            good &= got_behind(to, texts[i]) == 2;
        OK(good && !has_more(to[1]) && !has_more(to[2]),
           "a relay's death loses and doubles nothing");
        OK(is_over(fake), "and leaves nothing");
        fake_destroy(fake);
    }
}

static void test_relay_late(void)
{
    struct fake_task *a, *to[WIDE - 1];
    struct fake *fake = wide(&a, (const struct fake_task **)to);
    fake->nodes[1].is_behind = true;
    send(fake, a, 1, FRAME_FIRST, (const struct fake_task **)to, WIDE - 1, "one");
    send(fake, a, 1, FRAME_LAST, NULL, 0, "two");
    fake_run(fake);
    fake_advance(fake, MCAST_STALL_NS * 2);
    EQUAL(got_behind(to, "one") + got_behind(to, "two"), 4, "those behind have it directly");
    fake->nodes[1].is_behind = false;
    fake_run(fake);
    fake_advance(fake, NODE_SECOND);
    OK(!has_more(to[1]) && !has_more(to[2]), "what the relay sends afterwards is dropped");
    OK(got(to[0], FRAME_DATA, 10, "one") && got(to[0], FRAME_DATA, 10, "two") && !has_more(to[0]),
       "it has it itself");
    OK(is_over(fake), "nothing is left");
    fake_destroy(fake);
}

static void test_host_behind_dies(void)
{
    struct fake_task *a, *to[WIDE - 1];
    struct fake *fake = wide(&a, (const struct fake_task **)to);
    send(fake, a, 1, FRAME_FIRST, (const struct fake_task **)to, WIDE - 1, "one");
    fake_run(fake);
    fake_crash(fake, 2);
    send(fake, a, 1, FRAME_LAST, NULL, 0, "two");
    fake_run(fake);
    OK(got(to[2], FRAME_DATA, 12, "one") && got(to[2], FRAME_DATA, 12, "two"),
       "its neighbour goes on");
    OK(is_over(fake), "nobody waits for it");
    fake_destroy(fake);
}

static void test_torn_in_tree(void)
{
    struct fake_task *a, *to[WIDE - 1];
    struct fake *fake = wide(&a, (const struct fake_task **)to);
    send(fake, a, 1, FRAME_FIRST, (const struct fake_task **)to, WIDE - 1, "one");
    fake_run(fake);
    fake_close(fake, a);
    fake_run(fake);
    bool good = true;
    for (size_t i = 0; i < WIDE - 1; i++)
        good &= got(to[i], FRAME_DATA, 10 + i, "one") && got(to[i], FRAME_ABORT, 10 + i, "");
    OK(good, "a sender that ends tears it everywhere");
    OK(is_over(fake), "and nothing is left");
    fake_destroy(fake);
}

static void test_source_host_dies(void)
{
    struct fake_task *a, *to[WIDE - 1];
    struct fake *fake = wide(&a, (const struct fake_task **)to);
    struct fake_task *b = fake_task(fake, 6, 0, 0);
    send(fake, b, 1, FRAME_FIRST, (const struct fake_task **)to, WIDE - 2, "one");
    fake_run(fake);
    fake_crash(fake, 6);
    fake_run(fake);
    fake_advance(fake, NODE_SECOND);
    OK(is_over(fake), "when the host of the sender goes its multicasts are forgotten");
    (void)a;
    fake_destroy(fake);
}

int main(void)
{
    TEST(test_tree);
    TEST(test_relay_silent);
    TEST(test_relay_dies);
    TEST(test_relay_late);
    TEST(test_host_behind_dies);
    TEST(test_torn_in_tree);
    TEST(test_source_host_dies);
    TEST(test_dealt_out);
    TEST(test_credit_waits_for_the_slowest);
    TEST(test_torn);
    TEST(test_notice_counts_it);
    TEST(test_impossible);
    EQUAL(buf_live_count(), 0, "no buffer is left");
    return tap_done();
}
