/* SPDX-License-Identifier: BSD-3-Clause */
/* What children print: to a sink as messages, else to the master's log (INT-11, API-35, DMN-10). */
#include "fake.h"

#include "base/str.h"
#include "core/child.h"
#include "tap.h"

static uint32_t spawn(struct fake *fake, struct fake_task *task, const char *where, bool with_sink)
{
    struct wire_sink sinks[2] = {{(int32_t)task->tid, 0x7ffff, (int32_t)0x80030005u}, {0, 0, 0}};
    struct message request = {.type = TM_SPAWN};
    request.tm_spawn = (struct wire_tm_spawn){.file = "w", .flags = 1, .where = where, .count = 1};
    if (with_sink)
        request.tm_spawn.sinks = (struct wire_sink_list){2, sinks};
    return (uint32_t)fake_request(fake, task, &request).tm_spawned.tids.items[0];
}

/* The second int of the next message, which must be of |tid|. */
static int32_t operation(struct fake_task *sink, uint32_t tid, uint32_t daemon)
{
    struct frame frame = fake_take(sink);
    int32_t value = -99;
    if (frame.kind == FRAME_DATA && frame.source == daemon && fake_int(&frame, 0) == (int32_t)tid)
        value = fake_int(&frame, 1);
    frame_drop(&frame);
    return value;
}

static void story(const char *where, int node)
{
    struct fake *fake = fake_create("");
    struct fake_task *a = fake_machine(fake, 2);
    uint32_t tid = spawn(fake, a, where, true);
    struct fake_child *child = fake_child_of(fake, 0);
    uint32_t there = TID_DAEMON | (uint32_t)(node + 1) << 18;
    EQUAL(operation(a, tid, there), OUTPUT_NEW, "its daemon says that it is new");
    EQUAL(operation(a, tid, TID_DAEMON | 1u << 18), OUTPUT_SPAWNED,
          "the spawner's, that it was spawned");
    fake_print(fake, child, "hello\n");
    struct frame frame = fake_take(a);
    EQUAL(fake_int(&frame, 1), 6, "text with its length");
    OK(!memcmp(frame.body.data + MESSAGE_HEAD_BYTES + 8, "hello\n\0\0", 8), "padded to four");
    EQUAL(frame.body.length, MESSAGE_HEAD_BYTES + 16, "and nothing more");
    struct rd rd = rd_init(frame.body.data, frame.body.length);
    struct message_head head;
    message_head_read(&rd, &head);
    OK(head.tag == (int32_t)0x80030005u && head.context == 0x7ffff && head.encoding == 0x10000000,
       "with tag, context and encoding of the contract");
    frame_drop(&frame);
    fake_exit(fake, child);
    EQUAL(operation(a, tid, there), OUTPUT_EOF, "at last the end");
    EQUAL(a->frame_count, 0, "once");
    fake_destroy(fake);
}

static void test_sink(void)
{
    story(".", 0);
    story("alpha-1", 1);
}

static void test_big_pieces(void)
{
    struct fake *fake = fake_create("");
    struct fake_task *a = fake_machine(fake, 1);
    spawn(fake, a, ".", true);
    char text[10001];
    memset(text, 'x', 10000);
    text[10000] = '\0';
    a->frame_count -= 2; /* new and spawned */
    frame_drop(&a->frames[0]);
    frame_drop(&a->frames[1]);
    fake_print(fake, fake_child_of(fake, 0), text);
    EQUAL(a->frame_count, 3, "10000 bytes are three pieces");
    EQUAL(fake_int(&a->frames[0], 1), 3999, "the largest as it ever was");
    EQUAL(fake_int(&a->frames[2], 1), 2002, "the last the rest");
    OK(a->frames[2].sequence == a->frames[0].sequence + 2, "in the order of the daemon's messages");
    fake_destroy(fake);
}

static void test_log(void)
{
    struct fake *fake = fake_create("");
    struct fake_task *a = fake_machine(fake, 2);
    spawn(fake, a, ".", false);
    spawn(fake, a, "alpha-1", false);
    fake_print(fake, fake_child_of(fake, 0), "one\ntw");
    OK(fake_logged(fake, "[alpha] [t40002] one\n"), "a line goes to the log");
    OK(!fake_logged(fake, "tw"), "half a line waits");
    fake_print(fake, fake_child_of(fake, 0), "o\n");
    OK(fake_logged(fake, "[alpha] [t40002] two\n"), "until it is whole");
    fake_print(fake, fake_child_of(fake, 1), "far");
    fake_exit(fake, fake_child_of(fake, 1));
    OK(fake_logged(fake, "[alpha] [t80001] far\n"),
       "of another host to the master's log; the end ends a line");
    fake_destroy(fake);
}

static void test_redirected(void)
{
    struct fake *fake = fake_create("");
    struct fake_task *a = fake_machine(fake, 1);
    uint32_t tid = spawn(fake, a, ".", false);
    struct fake_task *child = fake_enrol_child(fake, fake_child_of(fake, 0));
    struct wire_sink sink = {(int32_t)a->tid, 3, 4};
    struct message set = {.type = TM_SETSINKS, .tm_setsinks = {.sinks = {1, &sink}}};
    EQUAL(fake_request(fake, child, &set).tm_done.status, 0,
          "a task sends its own output elsewhere");
    fake_print(fake, fake_child_of(fake, 0), "x");
    EQUAL(operation(a, tid, TID_DAEMON | 1u << 18), 1, "from now on it comes there");
    fake_destroy(fake);
}

static void test_slow_sink(void)
{
    struct fake *fake = fake_create_unstarted();
    fake->flow_window_bytes = 300;
    fake_start(fake);
    struct fake_task *a = fake_machine(fake, 2);
    spawn(fake, a, ".", true);
    spawn(fake, a, "alpha-1", true);
    a->takes_nothing = true;
    a->untaken = 0;
    for (int i = 0; i < 4; i++)
        fake_print(fake, fake_child_of(fake, 0), "0123456789012345678901234567890123456789");
    OK(fake_child_of(fake, 0)->is_paused, "who prints more than the sink takes is not read");
    spawn(fake, a, ".", true);
    fake_print(fake, fake_child_of(fake, 2), "x");
    OK(fake_child_of(fake, 2)->is_paused, "nor is one who begins then");
    struct event taken = {.kind = EVENT_CONN_TAKEN, .conn = a->conn, .count = a->untaken};
    fake_event(fake, 0, &taken);
    fake_run(fake);
    OK(!fake_child_of(fake, 0)->is_paused, "until it took it");
    fake->nodes[1].keeps_acks = true;
    for (int i = 0; i < 4; i++)
        fake_print(fake, fake_child_of(fake, 1), "0123456789012345678901234567890123456789");
    OK(fake_child_of(fake, 1)->is_paused, "elsewhere when the link does not take it");
    fake_close(fake, a);
    fake_destroy(fake);
}

static void test_log_of_the_next_master(void)
{
    struct fake *fake = fake_create("");
    fake_machine(fake, 3);
    struct fake_task *c = fake_task(fake, 2, 0, 0);
    spawn(fake, c, "alpha-1", false);
    fake_crash(fake, 0);
    fake_print(fake, fake_child_of(fake, 0), "after\n");
    char line[64];
    str_format(line, sizeof(line), "[%s] [t80001] after", fake->nodes[fake_master(fake)].name);
    OK(fake_logged(fake, line), "output goes to the log of the next master");
    fake_destroy(fake);
}

int main(void)
{
    TEST(test_sink);
    TEST(test_big_pieces);
    TEST(test_log);
    TEST(test_redirected);
    TEST(test_slow_sink);
    TEST(test_log_of_the_next_master);
    EQUAL(buf_live_count(), 0, "no buffer is left");
    return tap_done();
}
