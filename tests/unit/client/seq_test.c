/* SPDX-License-Identifier: BSD-3-Clause */
/* Frames in, messages out in order: fragments, sequences, torn messages, notices held, lost
 * hosts. */
#include "room.h"

enum { SENDER = 0x40009, OTHER = 0x8000a };

static struct client *task;

/* A fragment of a message with tag |sequence|; |total| is what its head says. */
static struct frame data_frame(int source, uint64_t sequence, int flags, const char *bytes,
                               int total)
{
    struct wr wr;
    wr_init(&wr);
    const struct message_head head = {
        .encoding = client_signature_native(), .tag = (int32_t)sequence, .length = (uint64_t)total};
    if (flags & FRAME_FIRST)
        message_head_write(&wr, &head);
    wr_bytes(&wr, bytes, strlen(bytes));
    struct frame frame = {.kind = FRAME_DATA,
                          .flags = (uint8_t)flags,
                          .source = (uint32_t)source,
                          .destination = ROOM_TID,
                          .sequence = sequence,
                          .body = slice_copy(wr.bytes, wr.length)};
    wr_fini(&wr);
    return frame;
}

static int feed_part(int source, uint64_t sequence, int flags, const char *bytes, int total)
{
    struct frame frame = data_frame(source, sequence, flags, bytes, total);
    const int status = client_feed(task, &frame);
    frame_drop(&frame);
    return status;
}

static int feed_whole(int source, uint64_t sequence)
{
    return feed_part(source, sequence, FRAME_FIRST | FRAME_LAST, "data", 4);
}

static int feed_abort(int source, uint64_t sequence)
{
    const struct frame frame = {
        .kind = FRAME_ABORT, .source = (uint32_t)source, .sequence = sequence};
    return client_feed(task, &frame);
}

static uint64_t notice_fails_at; /* this allocation of the feeding fails */

static int feed_notice(int subject, uint64_t after, int tag)
{
    struct wr wr;
    wr_init(&wr);
    wr_u32(&wr, (uint32_t)subject);
    wr_u64(&wr, after);
    const struct message_head head = {.encoding = 0x10000000, .tag = tag, .length = 4};
    message_head_write(&wr, &head);
    wr_u32(&wr, (uint32_t)subject);
    struct frame frame = {.kind = FRAME_NOTICE,
                          .flags = FRAME_FIRST | FRAME_LAST,
                          .source = TID_DAEMON | 0x40000,
                          .destination = ROOM_TID,
                          .body = slice_copy(wr.bytes, wr.length)};
    wr_fini(&wr);
    mem_fail_at(notice_fails_at, 0);
    const int status = client_feed(task, &frame);
    mem_fail_at(0, 0);
    frame_drop(&frame);
    return status;
}

/* Tags of what waits, taken in order: "1 2 3". */
static const char *taken(void)
{
    static char text[256];
    int tag;
    text[0] = '\0';
    for (int mid; (mid = client_receive(task, -1, -1)) > 0;) {
        client_bufinfo(task, mid, NULL, &tag, NULL);
        snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%d", text[0] ? " " : "", tag);
    }
    return text;
}

static void fresh(void)
{
    client_destroy(task);
    task = task_new(ROOM_TID, client_signature_native());
}

static void order(void)
{
    fresh();
    feed_whole(SENDER, 1);
    feed_whole(SENDER, 2);
    SAME_TEXT(taken(), "1 2", "in order they pass at once");
    feed_whole(SENDER, 5);
    feed_whole(SENDER, 4);
    SAME_TEXT(taken(), "", "what came too early waits");
    feed_whole(SENDER, 3);
    SAME_TEXT(taken(), "3 4 5", "until those before it are there");
    feed_whole(SENDER, 4);
    SAME_TEXT(taken(), "", "a message comes once");
    EQUAL(client_stats(task).duplicates, 1, "and its double is counted");
    feed_whole(OTHER, 1);
    feed_whole(SENDER, 7);
    SAME_TEXT(taken(), "1", "one sender does not wait for another");
}

static void fragments(void)
{
    char body[16] = "";
    int length = 0;
    fresh();
    feed_part(SENDER, 2, FRAME_FIRST, "ab", 4);
    feed_part(SENDER, 1, FRAME_FIRST, "x", 3);
    feed_part(SENDER, 2, FRAME_LAST, "cd", 4);
    feed_part(SENDER, 1, 0, "y", 3);
    SAME_TEXT(taken(), "", "two messages at once by two ways");
    feed_part(SENDER, 1, FRAME_LAST, "z", 3);
    OK(client_receive(task, SENDER, 1) > 0, "the first is whole");
    client_bufinfo(task, client_getrbuf(task), &length, NULL, NULL);
    client_unpack(task, CLIENT_BYTE, body, 3, 1);
    OK(length == 3 && memcmp(body, "xyz", 3) == 0, "with its bytes in order");
    SAME_TEXT(taken(), "2", "and the second follows");
}

static void bad_frames(void)
{
    fresh();
    uint64_t bad = 0;
    feed_part(SENDER, 1, 0, "??", 2);
    EQUAL(client_stats(task).frames_bad, ++bad, "a middle without a beginning");
    feed_part(SENDER, 1, FRAME_FIRST, "a", 3);
    feed_part(SENDER, 1, FRAME_FIRST, "a", 3);
    EQUAL(client_stats(task).frames_bad, ++bad, "two beginnings");
    feed_part(SENDER, 1, 0, "too much", 3);
    feed_part(SENDER, 1, FRAME_LAST, "", 3);
    EQUAL(client_stats(task).messages_torn, 1, "more bytes than the head said");
    feed_part(SENDER, 2, FRAME_FIRST | FRAME_LAST, "ab", 3);
    EQUAL(client_stats(task).messages_torn, 2, "or less");
    feed_whole(SENDER, 3);
    SAME_TEXT(taken(), "3", "the next passes");
    struct frame frame = {
        .kind = FRAME_DATA, .flags = FRAME_FIRST, .source = SENDER, .sequence = 4};
    client_feed(task, &frame);
    EQUAL(client_stats(task).frames_bad, ++bad, "no head");
    frame.kind = FRAME_MCAST;
    client_feed(task, &frame);
    EQUAL(client_stats(task).frames_bad, ++bad, "a multicast that nobody dealt out");
    frame.kind = FRAME_NOTICE;
    client_feed(task, &frame);
    EQUAL(client_stats(task).frames_bad, ++bad, "an empty notice");
    frame.kind = FRAME_CONTROL;
    client_feed(task, &frame);
    EQUAL(client_stats(task).frames_bad, ++bad, "an empty control message");
}

static void aborts(void)
{
    fresh();
    feed_part(SENDER, 1, FRAME_FIRST, "half", 100);
    feed_whole(SENDER, 2);
    feed_abort(SENDER, 1);
    SAME_TEXT(taken(), "2", "a torn message gives way");
    feed_abort(SENDER, 3);
    feed_whole(SENDER, 4);
    SAME_TEXT(taken(), "4", "also one of which nothing came");
    feed_abort(SENDER, 2);
    EQUAL(client_stats(task).messages_torn, 2, "what was delivered stays delivered");
}

static void notices(void)
{
    fresh();
    feed_notice(SENDER, 0, 90);
    SAME_TEXT(taken(), "90", "nothing to wait for");
    feed_notice(SENDER, 2, 91);
    feed_whole(SENDER, 1);
    SAME_TEXT(taken(), "1", "the end waits for the last message");
    EQUAL(client_stats(task).notices_held, 1, "held");
    feed_whole(SENDER, 2);
    SAME_TEXT(taken(), "2 91", "and comes after it");
    feed_whole(SENDER, 3);
    feed_notice(SENDER, 3, 92);
    int tid = 0;
    client_receive(task, SENDER, 3);
    OK(client_receive(task, -1, 92) > 0, "later notices pass at once");
    client_bufinfo(task, client_getrbuf(task), NULL, NULL, &tid);
    EQUAL((unsigned)tid, TID_DAEMON, "they are from the daemon");
    int subject = 0;
    client_unpack(task, CLIENT_INT, &subject, 1, 1);
    EQUAL(subject, SENDER, "and tell the tid");
    feed_notice(SENDER, 5, 93);
    feed_notice(OTHER, 1, 94);
    feed_part(SENDER, 4, FRAME_FIRST, "ha", 4);
    SAME_TEXT(taken(), "", "two tasks' ends wait each for its own");
    feed_whole(OTHER, 1);
    SAME_TEXT(taken(), "1 94", "the other's came");
    feed_abort(SENDER, 4);
    feed_abort(SENDER, 5);
    SAME_TEXT(taken(), "93", "an aborted last message lets the notice go");
}

/* A task ended, its tid came again: the new one's messages count from one; what the program
 * asked for of the old one's end still comes after the old one's messages. */
static void same_tid_again(void)
{
    fresh();
    client_watch(task, SENDER);
    feed_whole(SENDER, 1);
    feed_whole(SENDER, 2);
    struct wr wr;
    wr_init(&wr);
    wr_u32(&wr, SENDER);
    wr_u64(&wr, 2);
    const struct message_head head = {.encoding = 0x10000000,
                                      .tag = TAG_CONTROL_TASKEXIT,
                                      .context = TID_CONTEXT_CONTROL,
                                      .length = 4};
    message_head_write(&wr, &head);
    wr_u32(&wr, SENDER);
    struct frame frame = {.kind = FRAME_NOTICE,
                          .flags = FRAME_FIRST | FRAME_LAST,
                          .source = TID_DAEMON,
                          .body = slice_copy(wr.bytes, wr.length)};
    wr_fini(&wr);
    client_feed(task, &frame);
    feed_notice(SENDER, 2, 98);
    SAME_TEXT(taken(), "1 2 98", "two notices of one end");
    feed_whole(SENDER, 1);
    SAME_TEXT(taken(), "1", "another task of that tid begins at one");
    EQUAL(client_end(task, SENDER, true), 0, "and is alive");
    feed_notice(SENDER, 2, 99);
    SAME_TEXT(taken(), "", "its end waits for its own messages");
    feed_whole(SENDER, 2);
    SAME_TEXT(taken(), "2 99", "and comes");
    frame_drop(&frame);
}

static void on_lost(void *argument, int host)
{
    *(int *)argument = host;
}

static void lost_host(void)
{
    int lost = 0;
    fresh();
    feed_whole(SENDER, 2);
    feed_part(SENDER, 3, FRAME_FIRST, "ha", 4);
    feed_whole(SENDER, 4);
    feed_notice(SENDER, 9, 95);
    feed_whole(OTHER, 2);
    client_set_lost(task, on_lost, &lost);
    feed_abort(0x40000, 0);
    EQUAL(lost, 0x40000, "who asked is told");
    SAME_TEXT(taken(), "2 4 95",
              "what is whole is delivered, the notice after it, the rest dropped");
    feed_whole(SENDER, 1);
    SAME_TEXT(taken(), "1", "a task of a new host with that number begins at one");
    feed_whole(OTHER, 1);
    SAME_TEXT(taken(), "1 2", "another host's messages are untouched");
}

static void without_memory(void)
{
    int wrong = 0, finished = 0;
    fresh();
    for (uint64_t nth = 1; nth < 40 && !finished; nth++) {
        struct frame frame = data_frame(SENDER, 1, FRAME_FIRST | FRAME_LAST, "data", 4);
        mem_fail_at(nth, 0);
        const int status = client_feed(task, &frame);
        mem_fail_at(0, 0);
        finished = status == 0;
        wrong += !finished && (status != CLIENT_PvmNoMem || client_stats(task).messages_queued);
        frame_drop(&frame);
    }
    OK(finished && wrong == 0, "a frame without memory can be fed again");
    SAME_TEXT(taken(), "1", "and is then delivered once");
    int status = CLIENT_PvmNoMem;
    for (notice_fails_at = 1; notice_fails_at < 40 && status < 0; notice_fails_at++)
        status = feed_notice(SENDER, 1, 96);
    notice_fails_at = 0;
    SAME_TEXT(taken(), "96", "a notice too");
}

static void leaving(void)
{
    fresh();
    feed_whole(SENDER, 1);
    feed_whole(SENDER, 3);
    feed_notice(OTHER, 4, 97);
    const int mid = client_receive(task, -1, -1);
    feed_whole(SENDER, 2);
    client_leave(task);
    EQUAL(client_receive(task, -1, -1), 0, "who leaves forgets what waited");
    EQUAL(client_stats(task).messages_queued, 0, "all of it");
    EQUAL(client_freebuf(task, mid), CLIENT_PvmNoSuchBuf,
          "the active one was freed by the receive before");
    enrol(task, ROOM_TID + 1, 0);
    feed_whole(SENDER, 1);
    SAME_TEXT(taken(), "1", "and begins anew");
}

int main(void)
{
    TEST(order);
    TEST(fragments);
    TEST(bad_frames);
    TEST(aborts);
    TEST(notices);
    TEST(same_tid_again);
    TEST(lost_host);
    TEST(without_memory);
    TEST(leaving);
    client_destroy(task);
    EQUAL(buf_live_count(), 0, "no buffer is left");
    return tap_done();
}
