/* SPDX-License-Identifier: BSD-3-Clause */
/* Checked reading and writing. */
#include "wire/rw.h"

#include "base/mem.h"
#include "tap.h"

static void test_there_and_back(void)
{
    struct wr wr;
    wr_init(&wr);
    wr_u8(&wr, 0xfe);
    wr_u16(&wr, 0x1234);
    wr_u32(&wr, 0x89abcdef);
    wr_u64(&wr, 0x0123456789abcdefu);
    wr_bytes(&wr, "xyz", 3);
    OK(!memcmp(wr.bytes, "\xfe\x12\x34\x89\xab\xcd\xef\x01", 8), "big-endian");
    struct rd rd = rd_init(wr.bytes, wr.length);
    OK(rd_u8(&rd) == 0xfe && rd_u16(&rd) == 0x1234 && rd_u32(&rd) == 0x89abcdef, "read back");
    OK(rd_u64(&rd) == 0x0123456789abcdefu, "all of it");
    OK(!rd_done(&rd), "three bytes are left");
    OK(!memcmp(rd_bytes(&rd, 3), "xyz", 3) && rd_done(&rd), "then none");
    wr_fini(&wr);
}

static void test_the_end(void)
{
    uint8_t bytes[] = {1, 2, 3};
    struct rd rd = rd_init(bytes, sizeof(bytes));
    EQUAL(rd_u32(&rd), 0, "more than there is gives 0");
    OK(!rd_ok(&rd), "and turns the reader bad");
    EQUAL(rd_u8(&rd), 0, "which it stays");
    EQUAL(rd_left(&rd), 0, "with nothing left");
    OK(!rd_bytes(&rd, 0), "not even nothing");
    rd = rd_init(NULL, 0);
    OK(rd_done(&rd), "an empty reader is done");
}

static void test_counts(void)
{
    uint8_t bytes[12] = {0, 0, 0, 2};
    struct rd rd = rd_init(bytes, sizeof(bytes));
    EQUAL(rd_count(&rd, 4), 2, "two items of four bytes fit into eight");
    rd = rd_init(bytes, sizeof(bytes));
    EQUAL(rd_count(&rd, 5), 0, "of five they do not");
    OK(!rd_ok(&rd), "so the count is a lie");
}

static void test_varints(void)
{
    static const struct {
        uint64_t value;
        size_t size;
    } rows[] = {{0, 1}, {63, 1}, {64, 2}, {16383, 2}, {16384, 4}, {1073741823, 4}, {1073741824, 8},
                {4611686018427387903u, 8}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct wr wr;
        wr_init(&wr);
        wr_varint(&wr, rows[i].value);
        struct rd rd = rd_init(wr.bytes, wr.length);
        OK(wr.length == rows[i].size && wr_varint_size(rows[i].value) == rows[i].size &&
           rd_varint(&rd) == rows[i].value && rd_done(&rd), "a varint of RFC 9000, section 16");
        rd = rd_init(wr.bytes, wr.length - 1);
        rd_varint(&rd);
        OK(!rd_ok(&rd), "cut short it is bad");
        wr_fini(&wr);
    }
    uint8_t example[] = {0xc2, 0x19, 0x7c, 0x5e, 0xff, 0x14, 0xe8, 0x8c};
    struct rd rd = rd_init(example, sizeof(example));
    OK(rd_varint(&rd) == 151288809941952652u, "the example of RFC 9000, appendix A.1");
}

static void test_fixed_and_failing(void)
{
    uint8_t room[4];
    struct wr wr;
    wr_init_fixed(&wr, room, sizeof(room));
    wr_u32(&wr, 7);
    OK(!wr.bad, "a fixed place that is filled");
    wr_u8(&wr, 1);
    OK(wr.bad, "and overfilled");
    mem_fail_at(1, 0);
    wr_init(&wr);
    wr_u32(&wr, 1);
    OK(wr.bad, "without memory a writer is bad");
    wr_u8(&wr, 1);
    OK(wr.bad, "and stays so");
    wr_fini(&wr);
}

int main(void)
{
    TEST(test_there_and_back);
    TEST(test_the_end);
    TEST(test_counts);
    TEST(test_varints);
    TEST(test_fixed_and_failing);
    return tap_done();
}
