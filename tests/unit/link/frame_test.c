/* SPDX-License-Identifier: BSD-3-Clause */
/* Frames: each encodes and decodes to the same, and what is none is refused. */
#include "link/acks.h"
#include "link/frame.h"
#include "tap.h"

static uint8_t space[4096];

static void whole_and_part(void)
{
    static const uint8_t bytes[100] = {1, 2, 3};
    struct frame_data cases[] = {
        {.lane = 0, .start = 5, .length = 100, .part_length = 100},
        {.lane = 0, .start = 1 << 20, .length = 1 << 24, .part_offset = 70, .part_length = 100},
        {.lane = 7, .start = 0, .length = 100, .part_length = 100},
        {.lane = 7, .opens = true, .source = 1, .destination = 2, .length = 100, .part_length = 50},
        {.lane = 1 << 20,
         .start = (uint64_t)1 << 40,
         .length = 65536,
         .part_offset = 65436,
         .part_length = 100},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct wr wr;
        struct frame frame;
        cases[i].bytes = bytes;
        wr_init_fixed(&wr, space, sizeof(space));
        frame_encode_data(&wr, &cases[i]);
        EQUAL(wr.length, frame_data_overhead(&cases[i]) + cases[i].part_length, "length");
        OK(frame_data_overhead(&cases[i]) <= FRAME_DATA_OVERHEAD_MAX, "overhead is bounded");
        struct rd rd = rd_init(space, wr.length);
        OK(frame_decode(&rd, &frame) && rd_done(&rd), "decodes");
        OK(frame.data.lane == cases[i].lane && frame.data.opens == cases[i].opens &&
               frame.data.source == cases[i].source &&
               frame.data.destination == cases[i].destination &&
               frame.data.start == cases[i].start && frame.data.length == cases[i].length &&
               frame.data.part_offset == cases[i].part_offset &&
               frame.data.part_length == cases[i].part_length &&
               memcmp(frame.data.bytes, bytes, (size_t)cases[i].part_length) == 0,
           "to the same");
        for (size_t cut = 1; cut < wr.length; cut++) {
            rd = rd_init(space, cut);
            if (frame_decode(&rd, &frame) || rd_ok(&rd))
                OK(false, "cut short it is refused");
        }
    }
}

static void refused(const char *what, const uint8_t *bytes, size_t length)
{
    struct rd rd = rd_init(bytes, length);
    struct frame frame;
    while (frame_decode(&rd, &frame))
        continue;
    OK(!rd_ok(&rd), what);
}
#define REFUSED(what, ...)                                                                         \
    refused(what, (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}))

static void bad_frames(void)
{
    REFUSED("an unknown type", 0x3f);
    REFUSED("an unknown type after padding", 0, 0, 0x55);
    REFUSED("ACK: first range below zero", 2, 5, 0, 0, 6);
    REFUSED("ACK: gap below zero", 2, 5, 0, 1, 0, 9, 0);
    REFUSED("ACK: no gap", 2, 5, 0, 1, 0, 0, 0);
    REFUSED("ACK: too many ranges", 2, 63, 0, 63, 0);
    REFUSED("FLOW: id 0", 0x20, 0, 0, 1, 9);
    REFUSED("FLOW: empty", 0x20, 1, 0, 0);
    REFUSED("FLOW: longer than the packet", 0x20, 1, 0, 9, 1);
    REFUSED("FLOW_PART: behind the end", 0x22, 1, 0, 5, 5, 1, 0);
    REFUSED("FLOW_PART: over the end", 0x22, 1, 0, 5, 4, 2, 0, 0);
    REFUSED("CONTROL_PART: empty", 0x11, 0, 5, 1, 0);
    REFUSED("PATH_CHALLENGE: cut short", 4, 1, 2, 3);
}

/* What acks.c writes is what frame.c reads. */
static void acknowledgements(void)
{
    static const uint64_t numbers[] = {0, 1, 2, 5, 6, 9, 100, 101, 102};
    struct acks acks;
    struct wr wr;
    struct frame frame;
    acks_init(&acks);
    EQUAL(acks_size(&acks), 0, "nothing received, nothing to say");
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
        acks_record(&acks, numbers[i], true, 10, 1000);
    wr_init_fixed(&wr, space, sizeof(space));
    EQUAL(acks_encode(&acks, &wr, sizeof(space), 5001000), 102, "the largest is told");
    OK(wr.length <= FRAME_ACK_BYTES_MAX, "within bounds");
    struct rd rd = rd_init(space, wr.length);
    OK(frame_decode(&rd, &frame) && rd_done(&rd) && frame.type == FRAME_ACK, "decodes");
    EQUAL(frame.ack.delay_us, 5000, "with the delay");
    uint64_t first = 0, last = UINT64_MAX, wanted[4][2] = {{100, 102}, {9, 9}, {5, 6}, {0, 2}};
    unsigned count = 0;
    bool good = true;
    while (frame_ack_next(&frame.ack, &first, &last) && count < 4) {
        good &= first == wanted[count][0] && last == wanted[count][1];
        count++;
    }
    OK(good && count == 4, "all ranges, from the largest down");
    wr_init_fixed(&wr, space, sizeof(space));
    acks_record(&acks, 103, true, 10, 1000);
    OK(acks_encode(&acks, &wr, 24, 2000) == 103 && wr.length <= 24, "in little room fewer");
    wr_init_fixed(&wr, space, sizeof(space));
    EQUAL(acks_encode(&acks, &wr, 5, 2000), UINT64_MAX, "in none nothing");
    acks_confirmed(&acks, 50);
    EQUAL(acks.received.count, 1, "what the peer knows is forgotten");
    acks_fini(&acks);
}

static void when_to_acknowledge(void)
{
    struct acks acks;
    struct wr wr;
    acks_init(&acks);
    acks_record(&acks, 0, false, 10, 1000);
    EQUAL(acks.due_ns, UINT64_MAX, "what does not ask is not answered");
    acks_record(&acks, 1, true, 10, 1000);
    EQUAL(acks.due_ns, 1000 + ACK_DELAY_NS, "one packet may wait");
    acks_record(&acks, 2, true, 10, 2000);
    EQUAL(acks.due_ns, 2000, "two may not");
    wr_init_fixed(&wr, space, sizeof(space));
    acks_encode(&acks, &wr, sizeof(space), 2000);
    acks_record(&acks, 4, true, 10, 3000);
    EQUAL(acks.due_ns, 3000, "nor one after a gap");
    wr_init_fixed(&wr, space, sizeof(space));
    acks_encode(&acks, &wr, sizeof(space), 3000);
    acks_record(&acks, 3, true, 10, 4000);
    EQUAL(acks.due_ns, 4000, "nor one that fills it");
    wr_init_fixed(&wr, space, sizeof(space));
    acks_encode(&acks, &wr, sizeof(space), 4000);
    acks_record(&acks, 5, true, 60000, 5000);
    EQUAL(acks.due_ns, 5000, "nor a large one");
    acks_fini(&acks);
}

int main(void)
{
    TEST(whole_and_part);
    TEST(bad_frames);
    TEST(acknowledgements);
    TEST(when_to_acknowledge);
    return tap_done();
}
