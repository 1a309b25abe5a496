/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a datagram begins with: three kinds of packets, docs/protocol-link.md has every byte.
 */
#ifndef LINK_PACKET_H
#define LINK_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PACKET_NUMBER_END ((uint64_t)1 << 62) /* an ACK must be able to name it */
/*
 * The number of the one tombstone of a session, made in advance. It is a nonce like all others: no
 * other packet ever has it (a session is worn out long before), and a tombstone made twice for one
 * session is the same packet twice.
 */
#define PACKET_NUMBER_TOMBSTONE (PACKET_NUMBER_END - 1)

enum packet_type { PACKET_HELLO = 1, PACKET_ANSWER = 2, PACKET_SEALED = 3 };

enum {
    PACKET_VERSION = 1,
    PACKET_SEALED_HEADER_BYTES = 1 + 4 + 8, /* type, receiver's session, packet number */
    PACKET_OVERHEAD_BYTES = PACKET_SEALED_HEADER_BYTES + 16
};

#endif
