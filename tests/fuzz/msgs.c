/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Fuzzes message_decode(): any bytes are refused or make a message that encodes to the same bytes
 * and can be described.
 */
#include "base/check.h"
#include "wire/msgs.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    struct message message;
    struct strbuf text;
    struct wr wr;
    arena_init(&arena);
    strbuf_init(&text);
    wr_init(&wr);
    if (message_decode(data, size, &arena, &message) == 0) {
        message_describe(&message, &text);
        message_encode(&wr, &message);
        CHECK(!wr.bad && wr.length == size && memcmp(wr.bytes, data, size) == 0);
    } else {
        CHECK(message.type == MESSAGE_NONE);
    }
    wr_fini(&wr);
    strbuf_fini(&text);
    arena_fini(&arena);
    return 0;
}
