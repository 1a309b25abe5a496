/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Fuzzes a task's library from its daemon's side: frames of any kind with any contents, then
 * receives and unpacks whatever is there. The input is a row of { kind and flags, length, body }.
 */
#include "base/check.h"
#include "base/mem.h"
#include "client/client.h"
#include "wire/frame.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void unpack_some(struct client *client)
{
    char text[256];
    int numbers[16];
    long longs[4];
    (void)client_unpack(client, CLIENT_INT, numbers, 16, 1);
    (void)client_unpack_text_bound(client, text, sizeof(text));
    (void)client_unpack(client, CLIENT_BYTE, text, 100, 1);
    (void)client_unpack(client, CLIENT_LONG, longs, 4, 1);
    (void)client_upkmesg(client);
}

static void frame_feed(struct client *client, const uint8_t *piece, size_t length)
{
    struct frame frame = {.kind = (enum frame_kind)(piece[0] % 6), .flags = piece[0] >> 6,
                          .source = length > 1 && piece[1] & 1 ? 0x40001 : 0x80040000,
                          .destination = 0x40002, .sequence = length > 2 ? piece[2] % 4 : 0};
    frame.body = slice_copy(piece + 1, length - 1);
    if (!frame.body.data && length > 1)
        return;
    (void)client_feed(client, &frame);
    slice_drop(&frame.body);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct client_config config = {.signature = client_signature_native()};
    struct client *client = client_create(&config);
    CHECK(client);
    (void)client_enrol(client, 1, 0, "fuzz");
    while (size > 1) {
        size_t length = MIN_OF(size - 1, (size_t)bytes[0] + 1);
        frame_feed(client, bytes + 1, length);
        if (client_receive(client, -1, -1) > 0)
            unpack_some(client);
        bytes += length + 1;
        size -= length + 1;
    }
    client_destroy(client);
    return 0;
}
