/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Every message of msgs.def: filled, encoded, decoded, encoded again; cut at every length; without
 * memory. The filling is expanded from the same table.
 */
#include "wire/msgs.h"

#include "base/mem.h"
#include "tap.h"

static uint32_t next_value;

static uint8_t ip_bytes[16] = {1, 2, 3, 4, 5, 6, 7, 8};
static const uint32_t some_u32s[] = {1, 0xffffffff};
static const int32_t some_i32s[] = {-1, 7};
static const char *const some_texts[] = {"", "two words"};

#define FILL_U8(v) ((v) = (uint8_t)++next_value)
#define FILL_U16(v) ((v) = (uint16_t)(++next_value * 257))
#define FILL_U32(v) ((v) = ++next_value * 65537)
#define FILL_I32(v) ((v) = -(int32_t)++next_value)
#define FILL_U64(v) ((v) = ++next_value * UINT64_C(0x100000001))
#define FILL_KEY(v) memset((v).bytes, (int)++next_value, sizeof((v).bytes))
#define FILL_TEXT(v) ((v) = "text")
#define FILL_BYTES(v) ((v) = (struct wire_bytes){ip_bytes, sizeof(ip_bytes)})
#define FILL_U32S(v) ((v) = (struct wire_u32s){2, some_u32s})
#define FILL_I32S(v) ((v) = (struct wire_i32s){2, some_i32s})
#define FILL_TEXTS(v) ((v) = (struct wire_texts){2, some_texts})
#define FILL_LIST_address(v) ((v) = fill_list_address())
#define FILL_LIST_host(v) ((v) = fill_list_host())
#define FILL_LIST_task(v) ((v) = fill_list_task())
#define FILL_LIST_added(v) ((v) = fill_list_added())
#define FILL_LIST_entry(v) ((v) = fill_list_entry())
#define FILL_LIST_voter(v) ((v) = fill_list_voter())
#define FILL_LIST_lost(v) ((v) = fill_list_lost())
#define FILL_LIST_rider(v) ((v) = fill_list_rider())
#define FILL_LIST_answer(v) ((v) = fill_list_answer())
#define FILL_LIST_applied(v) ((v) = fill_list_applied())
#define FILL_LIST_mbox_place(v) ((v) = fill_list_mbox_place())
#define FILL_LIST_mbox_class(v) ((v) = fill_list_mbox_class())
#define FILL_LIST_mbox_entry(v) ((v) = fill_list_mbox_entry())
#define FILL_LIST_mbox_box(v) ((v) = fill_list_mbox_box())
#define FILL_LIST_mbox_body(v) ((v) = fill_list_mbox_body())
#define FILL_LIST_mbox_waiter(v) ((v) = fill_list_mbox_waiter())
#define FILL_LIST_mbox_taken(v) ((v) = fill_list_mbox_taken())
#define FILL_LIST_sink(v) ((v) = fill_list_sink())

#define FILL_FIELD(kind, name) FILL_##kind(value->name);
#define FILL_RECORD(record)                                                                       \
    static struct wire_##record##_list fill_list_##record(void)                                   \
    {                                                                                             \
        static struct wire_##record items[2];                                                     \
        for (size_t i = 0; i < 2; i++) {                                                          \
            struct wire_##record *value = &items[i];                                              \
            RECORD_##record(FILL_FIELD)                                                           \
        }                                                                                         \
        return (struct wire_##record##_list){2, items};                                           \
    }
RECORD_TABLE(FILL_RECORD)

#define FILL_MESSAGE(TYPE, message, number)                                                       \
    static void fill_##message(struct wire_##message *value)                                      \
    {                                                                                             \
        MSG_##message(FILL_FIELD)                                                                 \
    }
MSG_TABLE(FILL_MESSAGE)

static void fill(struct message *message, enum message_type type)
{
    memset(message, 0, sizeof(*message));
    message->type = type;
    switch (type) {
#define FILL_CASE(TYPE, member, number)                                                           \
    case TYPE:                                                                                    \
        fill_##member(&message->member);                                                          \
        break;
        MSG_TABLE(FILL_CASE)
    case MESSAGE_NONE:
        break;
    }
}

static bool cut_is_refused(const struct wr *wr)
{
    struct message message;
    struct arena arena;
    arena_init(&arena);
    bool refused = true;
    for (size_t cut = 0; cut < wr->length; cut++) {
        arena_reset(&arena);
        refused &= message_decode(wr->bytes, cut, &arena, &message) < 0 &&
                   message.type == MESSAGE_NONE;
    }
    arena_fini(&arena);
    return refused;
}

static void check_message(enum message_type type)
{
    struct message message;
    struct message back;
    struct arena arena;
    struct strbuf text;
    struct wr wr;
    struct wr again;
    arena_init(&arena);
    strbuf_init(&text);
    wr_init(&wr);
    wr_init(&again);
    fill(&message, type);
    message_encode(&wr, &message);
    int result = message_decode(wr.bytes, wr.length, &arena, &back);
    message_encode(&again, &back);
    OK(result == 0 && back.type == type && again.length == wr.length &&
       !memcmp(again.bytes, wr.bytes, wr.length), message_name(type));
    OK(cut_is_refused(&wr), "cut anywhere it is refused");
    wr_u8(&wr, 0);
    EQUAL(message_decode(wr.bytes, wr.length, &arena, &back), -1, "with a byte too many too");
    message_describe(&message, &text);
    OK(str_has_prefix(strbuf_text(&text), message_name(type)), strbuf_text(&text));
    mem_fail_at(1, 0);
    struct arena none;
    arena_init(&none);
    result = message_decode(again.bytes, again.length, &none, &back);
    mem_fail_at(0, 0);
    OK(result == 0 || back.type == MESSAGE_NONE, "without memory there is no message");
    arena_fini(&none);
    wr_fini(&wr);
    wr_fini(&again);
    strbuf_fini(&text);
    arena_fini(&arena);
}

static void test_every_message(void)
{
#define CHECK_MESSAGE(TYPE, member, number) check_message(TYPE);
    MSG_TABLE(CHECK_MESSAGE)
}

static void test_numbers_are_unique(void)
{
    bool seen[256] = {false};
    bool unique = true;
#define SEE(TYPE, member, number)                                                                 \
    unique &= !seen[number];                                                                      \
    seen[number] = true;
    MSG_TABLE(SEE)
    OK(unique, "no number is given twice");
}

static void test_lies(void)
{
    struct message message;
    struct arena arena;
    arena_init(&arena);
    EQUAL(message_decode("\0\x07\0\0\0\1\xff\xff\xff\xff", 10, &arena, &message), -1,
          "a count of four thousand million texts");
    EQUAL(message_decode("\xff\xff", 2, &arena, &message), -1, "a message that is none");
    EQUAL(message_decode("\0\x10\0\0\0\1\0\0\0\3a\0b", 13, &arena, &message), -1,
          "a text with a zero in it");
    arena_fini(&arena);
}

int main(void)
{
    TEST(test_every_message);
    TEST(test_numbers_are_unique);
    TEST(test_lies);
    return tap_done();
}
