/* SPDX-License-Identifier: BSD-3-Clause */
/* Counted buffers and slices of them. */
#include "base/buf.h"

#include "base/mem.h"
#include "tap.h"

int main(void)
{
    struct slice whole = slice_copy("0123456789", 10);
    struct slice part = slice_part(whole, 3, 4);
    struct slice held = slice_hold(part);
    EQUAL(whole.buf->references, 3, "three slices hold one buffer");
    slice_drop(&whole);
    slice_drop(&part);
    OK(!part.buf && part.length == 0, "a dropped slice is empty");
    OK(!memcmp(held.data, "3456", 4), "the last one keeps the bytes");
    slice_drop(&held);
    slice_drop(&held);
    EQUAL(buf_live_count(), 0, "dropped twice is dropped once");
    struct slice empty = slice_copy("", 0);
    OK(!empty.buf, "an empty slice needs no buffer");
    mem_fail_at(1, 0);
    struct slice none = slice_copy("x", 1);
    OK(!none.buf && none.length == 0, "without memory it is empty");
    OK(!buf_create(SIZE_MAX), "more than there is");
    buf_drop(NULL);
    return tap_done();
}
