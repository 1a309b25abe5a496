/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Control messages and log commands as C structs, expanded from wire/msgs.def: one struct per
 * message, one union of all, and encode, decode, describe.
 *
 * A decoded message points into the arena given, and into nothing else: it lives as long as the
 * arena.
 */
#ifndef WIRE_MSGS_H
#define WIRE_MSGS_H

#include "base/arena.h"
#include "base/str.h"
#include "wire/msgs.def"
#include "wire/rw.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    PROTOCOL_TASK_VERSION = 2,
    PROTOCOL_DAEMON_VERSION = 2,
    WIRE_KEY_BYTES = 32,
    WIRE_TEXT_BYTES_MAX = 1024 * 1024,
    WIRE_MESSAGE_BYTES_MAX = 16 * 1024 * 1024,
    WIRE_MBOX_BYTES_MAX = 2 * 1024 * 1024, /* a message in a mailbox, with its head */
    WIRE_MBOX_NAME_BYTES_MAX = 4096
};

struct wire_bytes {
    const uint8_t *data;
    size_t length;
};
struct wire_key {
    uint8_t bytes[WIRE_KEY_BYTES];
};
struct wire_u32s {
    size_t count;
    const uint32_t *items;
};
struct wire_i32s {
    size_t count;
    const int32_t *items;
};
struct wire_texts {
    size_t count;
    const char *const *items;
};

#define WIRE_TYPE_U8 uint8_t
#define WIRE_TYPE_U16 uint16_t
#define WIRE_TYPE_U32 uint32_t
#define WIRE_TYPE_I32 int32_t
#define WIRE_TYPE_U64 uint64_t
#define WIRE_TYPE_KEY struct wire_key
#define WIRE_TYPE_TEXT const char *
#define WIRE_TYPE_BYTES struct wire_bytes
#define WIRE_TYPE_U32S struct wire_u32s
#define WIRE_TYPE_I32S struct wire_i32s
#define WIRE_TYPE_TEXTS struct wire_texts
#define WIRE_TYPE_LIST_address struct wire_address_list
#define WIRE_TYPE_LIST_host struct wire_host_list
#define WIRE_TYPE_LIST_task struct wire_task_list
#define WIRE_TYPE_LIST_added struct wire_added_list
#define WIRE_TYPE_LIST_entry struct wire_entry_list
#define WIRE_TYPE_LIST_voter struct wire_voter_list
#define WIRE_TYPE_LIST_lost struct wire_lost_list
#define WIRE_TYPE_LIST_sink struct wire_sink_list
#define WIRE_TYPE_LIST_rider struct wire_rider_list
#define WIRE_TYPE_LIST_answer struct wire_answer_list
#define WIRE_TYPE_LIST_applied struct wire_applied_list
#define WIRE_TYPE_LIST_mbox_place struct wire_mbox_place_list
#define WIRE_TYPE_LIST_mbox_class struct wire_mbox_class_list
#define WIRE_TYPE_LIST_mbox_entry struct wire_mbox_entry_list
#define WIRE_TYPE_LIST_mbox_box struct wire_mbox_box_list
#define WIRE_TYPE_LIST_mbox_body struct wire_mbox_body_list
#define WIRE_TYPE_LIST_mbox_waiter struct wire_mbox_waiter_list
#define WIRE_TYPE_LIST_mbox_taken struct wire_mbox_taken_list

#define WIRE_FIELD(kind, name) WIRE_TYPE_##kind name;

/* struct wire_host, struct wire_host_list and so on for each record. */
#define WIRE_RECORD(record)                                                                       \
    struct wire_##record {                                                                        \
        RECORD_##record(WIRE_FIELD)                                                               \
    };                                                                                            \
    struct wire_##record##_list {                                                                 \
        size_t count;                                                                             \
        const struct wire_##record *items;                                                        \
    };
RECORD_TABLE(WIRE_RECORD)

#define WIRE_MESSAGE(TYPE, message, number)                                                       \
    struct wire_##message {                                                                       \
        MSG_##message(WIRE_FIELD)                                                                 \
    };
MSG_TABLE(WIRE_MESSAGE)

enum message_type {
    MESSAGE_NONE = 0,
#define WIRE_NUMBER(TYPE, message, number) TYPE = number,
    MSG_TABLE(WIRE_NUMBER)
#undef WIRE_NUMBER
};

struct message {
    enum message_type type;
    union {
#define WIRE_MEMBER(TYPE, message, number) struct wire_##message message;
        MSG_TABLE(WIRE_MEMBER)
#undef WIRE_MEMBER
    };
};

/* Appends |message| to |wr|; a string with more than WIRE_TEXT_BYTES_MAX bytes, or no memory, makes
 * the writer bad. NULL texts are written as "". */
void message_encode(struct wr *wr, const struct message *message);
/* Decodes exactly |length| bytes. 0; -1 malformed, unknown, or no memory (then *message is of type
 * MESSAGE_NONE). */
int message_decode(const void *bytes, size_t length, struct arena *arena, struct message *message);
/* "DM_SPAWN", or "?" */
const char *message_name(enum message_type type);
/* One line for logs and simulated stories: `DM_WATCH subject=40001 watcher=80001`. Keys are left
 * out. */
void message_describe(const struct message *message, struct strbuf *text);

#endif
