/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Fuzzes frame_header_decode() and frame_from_raw(): a header that is taken encodes to the same
 * bytes, and a whole frame lies within its bytes.
 */
#include "base/check.h"
#include "wire/frame.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct frame_header header;
    struct frame frame;
    uint8_t bytes[FRAME_HEADER_BYTES];
    if (size < FRAME_HEADER_BYTES || frame_header_decode(data, &header) < 0)
        return 0;
    struct slice raw = slice_copy(data, size);
    if (frame_from_raw(raw, &frame) == 0) {
        CHECK(frame.body.length == header.length &&
              frame.body.data == raw.data + FRAME_HEADER_BYTES);
        frame_header_encode(&frame, bytes);
        CHECK(memcmp(bytes, data, sizeof(bytes)) == 0);
        frame_drop(&frame);
    }
    slice_drop(&raw);
    CHECK(buf_live_count() == 0);
    return 0;
}
