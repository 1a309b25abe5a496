/* SPDX-License-Identifier: BSD-3-Clause */
/* Encode, decode and describe control messages, expanded from wire/msgs.def: see the header. */
#include "wire/msgs.h"

#include "base/check.h"

#include <inttypes.h>
#include <string.h>

/* Least bytes one item of a list takes on the wire: bounds what a count can make us allocate. */
enum { ITEM_BYTES_MIN = 4 };

/* ---- writing ---- */

static void write_U8(struct wr *wr, const uint8_t *value)
{
    wr_u8(wr, *value);
}

static void write_U16(struct wr *wr, const uint16_t *value)
{
    wr_u16(wr, *value);
}

static void write_U32(struct wr *wr, const uint32_t *value)
{
    wr_u32(wr, *value);
}

static void write_I32(struct wr *wr, const int32_t *value)
{
    wr_u32(wr, (uint32_t)*value);
}

static void write_U64(struct wr *wr, const uint64_t *value)
{
    wr_u64(wr, *value);
}

static void write_KEY(struct wr *wr, const struct wire_key *value)
{
    wr_bytes(wr, value->bytes, sizeof(value->bytes));
}

static void write_BYTES(struct wr *wr, const struct wire_bytes *value)
{
    if (value->length > WIRE_MESSAGE_BYTES_MAX) {
        wr->bad = true;
        return;
    }
    wr_u32(wr, (uint32_t)value->length);
    wr_bytes(wr, value->data, value->length);
}

static void write_TEXT(struct wr *wr, const char *const *value)
{
    const char *text = *value ? *value : "";
    size_t length = strlen(text);
    if (length > WIRE_TEXT_BYTES_MAX) {
        wr->bad = true;
        return;
    }
    wr_u32(wr, (uint32_t)length);
    wr_bytes(wr, text, length);
}

#define WRITE_LIST(KIND, list_type)                                                               \
    static void write_##KIND##S(struct wr *wr, const list_type *value)                            \
    {                                                                                             \
        wr_u32(wr, (uint32_t)value->count);                                                       \
        for (size_t i = 0; i < value->count; i++)                                                 \
            write_##KIND(wr, &value->items[i]);                                                   \
    }
WRITE_LIST(U32, struct wire_u32s)
WRITE_LIST(I32, struct wire_i32s)
WRITE_LIST(TEXT, struct wire_texts)

#define WRITE_FIELD(kind, name) write_##kind(wr, &value->name);
#define WRITE_RECORD(record)                                                                      \
    static void write_record_##record(struct wr *wr, const struct wire_##record *value)           \
    {                                                                                             \
        RECORD_##record(WRITE_FIELD)                                                              \
    }                                                                                             \
    static void write_LIST_##record(struct wr *wr, const struct wire_##record##_list *list)       \
    {                                                                                             \
        wr_u32(wr, (uint32_t)list->count);                                                        \
        for (size_t i = 0; i < list->count; i++)                                                  \
            write_record_##record(wr, &list->items[i]);                                           \
    }
RECORD_TABLE(WRITE_RECORD)

#define WRITE_MESSAGE(TYPE, message, number)                                                      \
    static void write_##message(struct wr *wr, const struct wire_##message *value)                \
    {                                                                                             \
        MSG_##message(WRITE_FIELD)                                                                \
    }
MSG_TABLE(WRITE_MESSAGE)

void message_encode(struct wr *wr, const struct message *message)
{
    wr_u16(wr, (uint16_t)message->type);
    switch (message->type) {
#define WRITE_CASE(TYPE, member, number)                                                          \
    case TYPE:                                                                                    \
        write_##member(wr, &message->member);                                                     \
        break;
        MSG_TABLE(WRITE_CASE)
    case MESSAGE_NONE:
        wr->bad = true;
        break;
    }
}

/* ---- reading ---- */

static void read_U8(struct rd *rd, struct arena *arena, uint8_t *value)
{
    (void)arena;
    *value = rd_u8(rd);
}

static void read_U16(struct rd *rd, struct arena *arena, uint16_t *value)
{
    (void)arena;
    *value = rd_u16(rd);
}

static void read_U32(struct rd *rd, struct arena *arena, uint32_t *value)
{
    (void)arena;
    *value = rd_u32(rd);
}

static void read_I32(struct rd *rd, struct arena *arena, int32_t *value)
{
    (void)arena;
    *value = (int32_t)rd_u32(rd);
}

static void read_U64(struct rd *rd, struct arena *arena, uint64_t *value)
{
    (void)arena;
    *value = rd_u64(rd);
}

static void read_KEY(struct rd *rd, struct arena *arena, struct wire_key *value)
{
    (void)arena;
    const uint8_t *bytes = rd_bytes(rd, sizeof(value->bytes));
    if (bytes)
        memcpy(value->bytes, bytes, sizeof(value->bytes));
}

static void read_BYTES(struct rd *rd, struct arena *arena, struct wire_bytes *value)
{
    uint32_t length = rd_count(rd, 1);
    const uint8_t *bytes = rd_bytes(rd, length);
    uint8_t *copy = bytes ? arena_alloc(arena, length) : NULL;
    if (!copy) {
        rd->bad = true;
        return;
    }
    if (length)
        memcpy(copy, bytes, length);
    *value = (struct wire_bytes){.data = copy, .length = length};
}

static void read_TEXT(struct rd *rd, struct arena *arena, const char **value)
{
    uint32_t length = rd_count(rd, 1);
    const uint8_t *bytes = rd_bytes(rd, length);
    *value = "";
    if (!bytes || length > WIRE_TEXT_BYTES_MAX || memchr(bytes, '\0', length)) {
        rd->bad = true;
        return;
    }
    const char *copy = arena_strndup(arena, (const char *)bytes, length);
    if (copy)
        *value = copy;
    else
        rd->bad = true;
}

#define READ_LIST(KIND, list_type, item_type)                                                     \
    static void read_##KIND##S(struct rd *rd, struct arena *arena, list_type *value)              \
    {                                                                                             \
        uint32_t count = rd_count(rd, ITEM_BYTES_MIN);                                            \
        item_type *items = arena_calloc(arena, count, sizeof(*items));                            \
        if (!items)                                                                               \
            rd->bad = true;                                                                       \
        for (uint32_t i = 0; i < count && !rd->bad; i++)                                          \
            read_##KIND(rd, arena, &items[i]);                                                    \
        *value = (list_type){.count = rd->bad ? 0 : count, .items = items};                       \
    }
READ_LIST(U32, struct wire_u32s, uint32_t)
READ_LIST(I32, struct wire_i32s, int32_t)
READ_LIST(TEXT, struct wire_texts, const char *)

#define READ_FIELD(kind, name) read_##kind(rd, arena, &value->name);
#define READ_RECORD(record)                                                                       \
    static void read_record_##record(struct rd *rd, struct arena *arena,                          \
                                     struct wire_##record *value)                                 \
    {                                                                                             \
        RECORD_##record(READ_FIELD)                                                               \
    }                                                                                             \
    static void read_LIST_##record(struct rd *rd, struct arena *arena,                            \
                                   struct wire_##record##_list *list)                             \
    {                                                                                             \
        uint32_t count = rd_count(rd, ITEM_BYTES_MIN);                                            \
        struct wire_##record *items = arena_calloc(arena, count, sizeof(*items));                 \
        if (!items)                                                                               \
            rd->bad = true;                                                                       \
        for (uint32_t i = 0; i < count && !rd->bad; i++)                                          \
            read_record_##record(rd, arena, &items[i]);                                           \
        list->count = rd->bad ? 0 : count;                                                        \
        list->items = items;                                                                      \
    }
RECORD_TABLE(READ_RECORD)

#define READ_MESSAGE(TYPE, message, number)                                                       \
    static void read_##message(struct rd *rd, struct arena *arena, struct wire_##message *value)  \
    {                                                                                             \
        MSG_##message(READ_FIELD)                                                                 \
    }
MSG_TABLE(READ_MESSAGE)

int message_decode(const void *bytes, size_t length, struct arena *arena, struct message *message)
{
    struct rd rd = rd_init(bytes, length);
    memset(message, 0, sizeof(*message));
    uint16_t type = rd_u16(&rd);
    switch (type) {
#define READ_CASE(TYPE, member, number)                                                           \
    case number:                                                                                  \
        message->type = TYPE;                                                                     \
        read_##member(&rd, arena, &message->member);                                              \
        break;
        MSG_TABLE(READ_CASE)
    default:
        return -1;
    }
    if (rd_done(&rd))
        return 0;
    message->type = MESSAGE_NONE;
    return -1;
}

/* ---- describing ---- */

const char *message_name(enum message_type type)
{
    switch (type) {
#define NAME_CASE(TYPE, member, number)                                                           \
    case TYPE:                                                                                    \
        return #TYPE;
        MSG_TABLE(NAME_CASE)
    case MESSAGE_NONE:
        break;
    }
    return "?";
}

#define DESCRIBE_U8(v) strbuf_addf(text, "%u", (unsigned)(v))
#define DESCRIBE_U16(v) strbuf_addf(text, "%u", (unsigned)(v))
#define DESCRIBE_U32(v) strbuf_addf(text, "%" PRIx32, (v))
#define DESCRIBE_I32(v) strbuf_addf(text, "%" PRId32, (v))
#define DESCRIBE_U64(v) strbuf_addf(text, "%" PRIu64, (v))
#define DESCRIBE_KEY(v) strbuf_addf(text, "(key)")
#define DESCRIBE_TEXT(v) strbuf_addf(text, "\"%s\"", (v) ? (v) : "")
#define DESCRIBE_BYTES(v) strbuf_addf(text, "%zu bytes", (v).length)
#define DESCRIBE_COUNT(v) strbuf_addf(text, "[%zu]", (v).count)
#define DESCRIBE_U32S DESCRIBE_COUNT
#define DESCRIBE_I32S DESCRIBE_COUNT
#define DESCRIBE_TEXTS DESCRIBE_COUNT
#define DESCRIBE_LIST_address DESCRIBE_COUNT
#define DESCRIBE_LIST_host DESCRIBE_COUNT
#define DESCRIBE_LIST_task DESCRIBE_COUNT
#define DESCRIBE_LIST_added DESCRIBE_COUNT
#define DESCRIBE_LIST_entry DESCRIBE_COUNT
#define DESCRIBE_LIST_voter DESCRIBE_COUNT
#define DESCRIBE_LIST_lost DESCRIBE_COUNT
#define DESCRIBE_LIST_sink DESCRIBE_COUNT
#define DESCRIBE_LIST_rider DESCRIBE_COUNT
#define DESCRIBE_LIST_mbox_place DESCRIBE_COUNT
#define DESCRIBE_LIST_mbox_entry DESCRIBE_COUNT
#define DESCRIBE_LIST_answer DESCRIBE_COUNT
#define DESCRIBE_LIST_applied DESCRIBE_COUNT
#define DESCRIBE_LIST_mbox_body DESCRIBE_COUNT
#define DESCRIBE_LIST_mbox_box DESCRIBE_COUNT
#define DESCRIBE_LIST_mbox_waiter DESCRIBE_COUNT
#define DESCRIBE_LIST_mbox_class DESCRIBE_COUNT
#define DESCRIBE_LIST_mbox_taken DESCRIBE_COUNT

#define DESCRIBE_FIELD(kind, name)                                                                \
    strbuf_addf(text, " %s=", #name);                                                             \
    DESCRIBE_##kind(value->name);
#define DESCRIBE_MESSAGE(TYPE, message, number)                                                   \
    static void describe_##message(const struct wire_##message *value, struct strbuf *text)       \
    {                                                                                             \
        MSG_##message(DESCRIBE_FIELD)                                                             \
    }
MSG_TABLE(DESCRIBE_MESSAGE)

void message_describe(const struct message *message, struct strbuf *text)
{
    strbuf_addf(text, "%s", message_name(message->type));
    switch (message->type) {
#define DESCRIBE_CASE(TYPE, member, number)                                                       \
    case TYPE:                                                                                    \
        describe_##member(&message->member, text);                                                \
        break;
        MSG_TABLE(DESCRIBE_CASE)
    case MESSAGE_NONE:
        break;
    }
}
