/* SPDX-License-Identifier: BSD-3-Clause */
/* Frames and message heads. */
#include "wire/frame.h"

#include "base/mem.h"
#include "tap.h"

static struct frame example(void)
{
    return (struct frame){.kind = FRAME_DATA, .flags = FRAME_FIRST, .source = 0x40001,
                          .destination = 0x80002, .sequence = 0x1122334455667788u,
                          .body = slice_copy("hello", 5)};
}

static void test_layout(void)
{
    static const uint8_t wanted[] = {0, 0, 0, 5, 2, 1, 0, 0, 0, 4, 0, 1, 0, 8, 0, 2,
                                     0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88};
    struct frame frame = example();
    uint8_t bytes[FRAME_HEADER_BYTES];
    frame_header_encode(&frame, bytes);
    OK(!memcmp(bytes, wanted, sizeof(wanted)), "the header byte by byte");
    frame_drop(&frame);
}

static void test_there_and_back(void)
{
    struct frame frame = example();
    struct frame back;
    EQUAL(frame_make_raw(&frame), 0, "in one piece");
    EQUAL(frame_from_raw(frame.raw, &back), 0, "and taken apart");
    OK(back.kind == frame.kind && back.flags == frame.flags && back.source == frame.source &&
       back.destination == frame.destination && back.sequence == frame.sequence, "the same");
    OK(back.body.length == 5 && !memcmp(back.body.data, "hello", 5), "with its body");
    struct frame held = frame_hold(&back);
    frame_drop(&back);
    OK(!memcmp(held.body.data, "hello", 5), "held, it lives on");
    frame_drop(&held);
    frame_drop(&frame);
}

static int decode(uint32_t length, uint8_t kind, uint8_t flags, uint8_t zero)
{
    struct frame_header header;
    uint8_t bytes[FRAME_HEADER_BYTES] = {(uint8_t)(length >> 24), (uint8_t)(length >> 16),
                                         (uint8_t)(length >> 8), (uint8_t)length, kind, flags,
                                         zero};
    return frame_header_decode(bytes, &header);
}

static void test_rules(void)
{
    EQUAL(decode(0, 0, 0, 0), -1, "kind 0 is none");
    EQUAL(decode(0, 6, 0, 0), -1, "nor is 6");
    EQUAL(decode(0, FRAME_DATA, 4, 0), -1, "a flag that is none");
    EQUAL(decode(0, FRAME_DATA, 3, 1), -1, "what is zero must be");
    EQUAL(decode(FRAME_BODY_BYTES_MAX, FRAME_DATA, 3, 0), 0, "the longest fragment");
    EQUAL(decode(FRAME_BODY_BYTES_MAX + 1, FRAME_DATA, 3, 0), -1, "one longer");
    EQUAL(decode(FRAME_CONTROL_BYTES_MAX, FRAME_CONTROL, 0, 0), 0, "the longest control message");
    EQUAL(decode(FRAME_CONTROL_BYTES_MAX + 1, FRAME_CONTROL, 0, 0), -1, "one longer");
    EQUAL(decode(1, FRAME_CONTROL, 1, 0), -1, "control has no flags");
    EQUAL(decode(1, FRAME_NOTICE, 1, 0), -1, "a notice is one fragment");
    EQUAL(decode(1, FRAME_NOTICE, 3, 0), 0, "first and last");
    EQUAL(decode(1, FRAME_ABORT, 0, 0), -1, "an abort has no body");
    struct slice raw = slice_copy("0123456789012345678901234567", 28);
    struct frame frame;
    EQUAL(frame_from_raw(raw, &frame), -1, "bytes that are no frame");
    slice_drop(&raw);
}

static void test_head(void)
{
    struct message_head head = {0x10000000, -5, 7, 9, INT32_MAX};
    struct message_head back;
    struct wr wr;
    wr_init(&wr);
    message_head_write(&wr, &head);
    EQUAL(wr.length, MESSAGE_HEAD_BYTES, "a head has its length");
    struct rd rd = rd_init(wr.bytes, wr.length);
    EQUAL(message_head_read(&rd, &back), 0, "and is read");
    OK(back.encoding == head.encoding && back.tag == -5 && back.context == 7 &&
       back.wait_id == 9 && back.length == INT32_MAX, "as it was");
    wr_fini(&wr);
    wr_init(&wr);
    head.length = (uint64_t)INT32_MAX + 1;
    message_head_write(&wr, &head);
    rd = rd_init(wr.bytes, wr.length);
    EQUAL(message_head_read(&rd, &back), -1, "2 GiB are too long");
    wr_fini(&wr);
}

static void test_without_memory(void)
{
    struct frame frame = example();
    mem_fail_at(1, 0);
    EQUAL(frame_make_raw(&frame), -1, "no memory for one piece");
    OK(!frame.raw.buf, "nothing changed");
    frame_drop(&frame);
}

int main(void)
{
    TEST(test_layout);
    TEST(test_there_and_back);
    TEST(test_rules);
    TEST(test_head);
    TEST(test_without_memory);
    EQUAL(buf_live_count(), 0, "no buffer is left");
    return tap_done();
}
