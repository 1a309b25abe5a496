/* SPDX-License-Identifier: BSD-3-Clause */
/* Requests and answers: wait numbers, parameters of each call, answers out of order, lost ones,
 * memory. */
#include "room.h"

static struct client *task;
static struct arena arena;

/* The next control frame of the task, decoded. */
static struct message sent(void)
{
    struct message message = {.type = MESSAGE_NONE};
    struct frame frame;
    if (client_pull(task, &frame) != 1)
        return message;
    message_decode(frame.body.data, frame.body.length, &arena, &message);
    frame_drop(&frame);
    return message;
}

static void answer(int wait, int status)
{
    const struct message message = {.type = TM_DONE,
                                    .tm_done = {.wait = (uint32_t)wait, .status = status}};
    feed_control(task, &message);
}

static void waits(void)
{
    struct message got;
    const int first = client_pstat(task, 0x40002), second = client_mstat(task, "host");
    OK(first > 0 && second > 0 && first != second, "each request has a number");
    EQUAL(sent().tm_pstat.wait, first, "which it carries");
    EQUAL(sent().tm_mstat.wait, second, "each its own");
    EQUAL(client_answer(task, first, &arena, &got), 0, "no answer yet");
    answer(second, -6);
    EQUAL(client_answer(task, first, &arena, &got), 0, "the other's is not ours");
    EQUAL(client_answer(task, second, &arena, &got), 1, "answers come in any order");
    EQUAL(got.tm_done.status, -6, "with their status");
    EQUAL(client_answer(task, second, &arena, &got), CLIENT_PvmSysErr, "once");
    answer(first, 0);
    answer(first, -1);
    EQUAL(client_answer(task, first, &arena, &got), 1, "the first");
    EQUAL(got.tm_done.status, 0, "counts");
    answer(4711, 0);
    const int third = client_pstat(task, 0x40002);
    client_forget(task, third);
    answer(third, 0);
    EQUAL(client_answer(task, third, &arena, &got), CLIENT_PvmSysErr, "forgotten is forgotten");
    const int fourth = client_pstat(task, 0x40002);
    client_leave(task);
    EQUAL(client_answer(task, fourth, &arena, &got), CLIENT_PvmSysErr, "a lost link answers all");
    OK(client_out_is_empty(task), "and sends nothing more");
    enrol(task, ROOM_TID, 0);
}

static void contents(void)
{
    char *argv[] = {"one", "two", NULL}, *environment[] = {"A=b", NULL}, *hosts[] = {"x", "y"};
    client_setcontext(task, 5);
    client_setopt(task, 4, ROOM_TID, NULL);
    client_spawn(task, "prog", argv, 3, NULL, 4, environment);
    const struct message spawn = sent();
    OK(spawn.type == TM_SPAWN && strcmp(spawn.tm_spawn.file, "prog") == 0 &&
           spawn.tm_spawn.flags == 3 && strcmp(spawn.tm_spawn.where, "") == 0 &&
           spawn.tm_spawn.count == 4 && spawn.tm_spawn.argv.count == 2 &&
           spawn.tm_spawn.environment.count == 1 && spawn.tm_spawn.context == 5,
       "a spawn carries all it is given");
    OK(spawn.tm_spawn.sinks.count == 2 && spawn.tm_spawn.sinks.items[0].tid == ROOM_TID,
       "and the sinks");
    client_addhosts(task, hosts, 2);
    const struct message add = sent();
    OK(add.type == TM_ADDHOSTS && add.tm_addhosts.hosts.count == 2, "hosts to add");
    client_delhosts(task, hosts, 1);
    const struct message del = sent();
    OK(del.type == TM_DELHOSTS && strcmp(del.tm_delhosts.hosts.items[0], "x") == 0,
       "hosts to delete");
    EQUAL(client_sendsig(task, 0x40002, 9), 0, "a signal has no answer");
    OK(sent().tm_signal.signal == 9, "it is sent");
    const int tids[] = {0x40002, 0x40003};
    EQUAL(client_notify(task, 1, 7, 2, tids), 0, "nor has a request to be told");
    const struct message notify = sent();
    OK(notify.tm_notify.what == 1 && notify.tm_notify.tag == 7 && notify.tm_notify.context == 5 &&
           notify.tm_notify.tids.count == 2,
       "it names the context of the call");
    client_notify(task, 3, 7, -1, NULL);
    OK(sent().tm_notify.count == -1, "hosts added: how many times");
    client_setcontext(task, 0);
}

static void parameters(void)
{
    char *hosts[] = {"x", NULL};
    const int task_tid = 0x40002, host = 0x40000;
    EQUAL(client_spawn(task, "p", NULL, 0, NULL, 0, NULL), CLIENT_PvmBadParam, "to spawn none");
    EQUAL(client_spawn(task, NULL, NULL, 0, NULL, 1, NULL), CLIENT_PvmBadParam, "to spawn nothing");
    EQUAL(client_spawn(task, "p", NULL, 0, NULL, 1 << 20, NULL), CLIENT_PvmBadParam,
          "more than there are tids");
    EQUAL(client_addhosts(task, hosts, 0), CLIENT_PvmBadParam, "no hosts");
    EQUAL(client_addhosts(task, hosts, 4096), CLIENT_PvmBadParam, "too many hosts");
    EQUAL(client_addhosts(task, hosts, 2), CLIENT_PvmBadParam, "no name");
    EQUAL(client_delhosts(task, NULL, 1), CLIENT_PvmBadParam, "no names");
    EQUAL(client_mstat(task, NULL), CLIENT_PvmBadParam, "no host");
    EQUAL(client_mstat(task, ""), CLIENT_PvmBadParam, "an empty name");
    EQUAL(client_pstat(task, host), CLIENT_PvmBadParam, "a host is no task");
    EQUAL(client_sendsig(task, -1, 9), CLIENT_PvmBadParam, "nor is -1");
    EQUAL(client_notify(task, 1, -1, 1, &task_tid), CLIENT_PvmBadParam, "a reserved tag");
    EQUAL(client_notify(task, 1, 1, 0, &task_tid), CLIENT_PvmBadParam, "the end of nobody");
    EQUAL(client_notify(task, 1, 1, 1, &host), CLIENT_PvmBadParam, "a host has no such end");
    EQUAL(client_notify(task, 2, 1, 1, &host), 0, "but may be deleted");
    EQUAL(client_notify(task, 99, 1, 1, &task_tid), CLIENT_PvmBadParam, "an unknown kind");
    EQUAL(client_notify(task, 1 | 256, 1, 1, &task_tid), 0, "to be told no more");
    struct frame frame;
    while (client_pull(task, &frame) == 1)
        frame_drop(&frame);
}

static void routes(void)
{
    const int tid = 0x40002;
    int body[2] = {0}, source = 0;
    EQUAL(client_notify(task, 4, 1, -1, NULL), 0, "routes to come");
    EQUAL(client_notify(task, 5, 2, 1, &tid), 0, "a route to go");
    const int mid = client_receive(task, -1, 2);
    client_bufinfo(task, mid, NULL, NULL, &source);
    client_unpack(task, CLIENT_INT, body, 2, 1);
    OK(source == ROOM_TID && body[0] == tid && body[1] == -1, "there is none: told at once");
    OK(client_out_is_empty(task), "without the daemon");
}

static void watches(void)
{
    EQUAL(client_watch(task, 0x40002), 0, "asks to be told of an end");
    struct message got = sent();
    OK(got.type == TM_NOTIFY && got.tm_notify.tids.items[0] == 0x40002, "of the task");
    const uint32_t context = got.tm_notify.context;
    const int tag = got.tm_notify.tag;
    client_watch(task, 0x40002);
    client_watch(task, ROOM_TID);
    client_watch(task, -1);
    OK(client_out_is_empty(task), "once, and of no other");
    EQUAL(client_end(task, 0x40002, false), 0, "it lives");
    struct wr wr;
    wr_init(&wr);
    wr_u32(&wr, 0x40002);
    wr_u64(&wr, 0);
    const struct message_head head = {
        .encoding = 0x10000000, .tag = tag, .context = context, .length = 4};
    message_head_write(&wr, &head);
    wr_u32(&wr, 0x40002);
    struct frame frame = {.kind = FRAME_NOTICE,
                          .flags = FRAME_FIRST | FRAME_LAST,
                          .source = TID_DAEMON,
                          .body = slice_copy(wr.bytes, wr.length)};
    wr_fini(&wr);
    client_feed(task, &frame);
    EQUAL(client_receive(task, -1, -1), 0, "the notice is none of the program's");
    EQUAL(client_end(task, 0x40002, false), CLIENT_PvmNoTask, "its end is known");
    EQUAL(client_end(task, 0x40002, false), 0, "once: the tid may come again");
    EQUAL(client_end(task, 0x40002, true), CLIENT_PvmNoTask, "or again, for who asks so");
    const struct frame gone = {.kind = FRAME_ABORT, .source = 0x40000};
    client_watch(task, 0x40002);
    sent();
    client_feed(task, &gone);
    client_feed(task, &frame);
    EQUAL(client_end(task, 0x40002, false), CLIENT_PvmHostFail, "its host went");
    frame_drop(&frame);
}

static void no_memory(void)
{
    char *argv[] = {"one", NULL};
    int wrong = 0, wait = -1;
    struct message got;
    for (uint64_t nth = 1; nth < 60 && wait < 0; nth++) {
        mem_fail_at(nth, 0);
        wait = client_spawn(task, "p", argv, 0, NULL, 1, NULL);
        mem_fail_at(0, 0);
        wrong += wait < 0 && (wait != CLIENT_PvmNoMem || !client_out_is_empty(task));
    }
    OK(wait > 0 && wrong == 0, "a request without memory is not made");
    OK(sent().type == TM_SPAWN, "or is");
    const struct message done = {.type = TM_DONE, .tm_done = {.wait = (uint32_t)wait}};
    int status = CLIENT_PvmNoMem;
    for (uint64_t nth = 1; nth < 20 && status < 0; nth++) {
        struct frame frame = control_frame(&done);
        mem_fail_at(nth, 0);
        status = client_feed(task, &frame);
        mem_fail_at(0, 0);
        frame_drop(&frame);
        /* A message that cannot be decoded for want of memory looks malformed: it is lost, not
         * half. */
        if (status == 0 && client_answer(task, wait, &arena, &got) == 0)
            status = CLIENT_PvmNoMem;
    }
    EQUAL(status, 0, "its answer comes at last");
}

int main(void)
{
    arena_init(&arena);
    task = task_new(ROOM_TID, client_signature_native());
    TEST(waits);
    TEST(contents);
    TEST(parameters);
    TEST(routes);
    TEST(watches);
    TEST(no_memory);
    client_destroy(task);
    arena_fini(&arena);
    EQUAL(buf_live_count(), 0, "no buffer is left");
    return tap_done();
}
