/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Fuzzes the decoders of wire/: frame headers, and messages. What decodes must encode to something
 * that decodes to the same again.
 */
#include "base/arena.h"
#include "base/check.h"
#include "base/str.h"
#include "wire/frame.h"
#include "wire/msgs.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void header_feed(const uint8_t *bytes, size_t size)
{
    struct frame_header header;
    uint8_t again[FRAME_HEADER_BYTES];
    if (size < FRAME_HEADER_BYTES || frame_header_decode(bytes, &header) < 0)
        return;
    if (header.length > 0)
        return; /* encoding takes the length from a body */
    struct frame frame = {.kind = header.kind, .flags = header.flags, .source = header.source,
                          .destination = header.destination, .sequence = header.sequence};
    frame_header_encode(&frame, again);
    CHECK(memcmp(bytes, again, sizeof(again)) == 0);
}

static void message_feed(struct arena *arena, const uint8_t *bytes, size_t size)
{
    struct message message;
    struct strbuf words;
    struct wr wr;
    if (message_decode(bytes, size, arena, &message) < 0) {
        CHECK(message.type == MESSAGE_NONE);
        return;
    }
    wr_init(&wr);
    strbuf_init(&words);
    message_encode(&wr, &message);
    message_describe(&message, &words);
    if (!wr.bad)
        CHECK(wr.length == size && memcmp(wr.bytes, bytes, size) == 0);
    strbuf_fini(&words);
    wr_fini(&wr);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct arena arena;
    arena_init(&arena);
    header_feed(bytes, size);
    message_feed(&arena, bytes, size);
    arena_fini(&arena);
    return 0;
}
