/* SPDX-License-Identifier: BSD-3-Clause */
/* Bounded strings. */
#include "base/str.h"

#include "base/mem.h"
#include "tap.h"

static void test_bounds(void)
{
    char room[4];
    EQUAL(str_format(room, sizeof(room), "%d", 12345), 3, "cut to fit");
    SAME_TEXT(room, "123", "and ended");
    EQUAL(str_copy(room, sizeof(room), "abc"), 0, "what fits");
    EQUAL(str_copy(room, sizeof(room), "abcd"), -1, "what does not is told");
    SAME_TEXT(room, "abc", "and cut");
    OK(str_has_prefix("abc", "") && str_has_prefix("abc", "ab") && !str_has_prefix("a", "ab"),
       "prefixes");
}

static void test_numbers(void)
{
    int64_t value;
    OK(str_to_i64("-12", &value) == 0 && value == -12, "decimal");
    OK(str_to_i64("0x1F", &value) == 0 && value == 31, "hexadecimal");
    OK(str_to_i64("010", &value) == 0 && value == 8, "octal");
    OK(str_to_i64("", &value) < 0 && str_to_i64("1x", &value) < 0 && str_to_i64(" 1", &value) < 0,
       "and nothing else");
}

static void test_hex(void)
{
    uint8_t bytes[2];
    char text[5];
    str_to_hex(text, (const uint8_t *)"\xab\x01", 2);
    SAME_TEXT(text, "ab01", "bytes as digits");
    EQUAL(str_from_hex(bytes, 2, "AB01rest"), 0, "and back, whatever follows");
    OK(bytes[0] == 0xab && bytes[1] == 1, "the same");
    OK(str_from_hex(bytes, 2, "ab0") < 0 && str_from_hex(bytes, 2, "ab0g") < 0,
       "half a byte is none");
}

static void test_strbuf(void)
{
    struct strbuf text;
    strbuf_init(&text);
    SAME_TEXT(strbuf_text(&text), "", "empty at first");
    for (int i = 0; i < 100; i++)
        strbuf_addf(&text, "%d,", i);
    EQUAL(text.length, 290, "it grows");
    strbuf_add(&text, "xyz", 2);
    SAME_TEXT(strbuf_text(&text) + 290, "xy", "by parts");
    mem_fail_at(1, 1);
    for (int i = 0; i < 100; i++)
        strbuf_addf(&text, "%d,", i);
    mem_fail_at(0, 0);
    OK(text.failed, "without memory it says so");
    OK(str_has_prefix(strbuf_text(&text), "0,1,2,"), "and keeps what it has");
    strbuf_fini(&text);
}

int main(void)
{
    TEST(test_bounds);
    TEST(test_numbers);
    TEST(test_hex);
    TEST(test_strbuf);
    return tap_done();
}
