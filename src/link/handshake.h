/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The two packets of a handshake: HELLO and ANSWER. Bytes only: who calls whom, when and how often
 * is link_handshake.c; the cryptography is noise.h.
 *
 * A HELLO ends with a keyed hash that only somebody who knows our public key can make (as in
 * WireGuard, section 5.4.4 of its paper): noise from strangers costs one hash, not a key exchange.
 */
#ifndef LINK_HANDSHAKE_H
#define LINK_HANDSHAKE_H

#include "link/noise.h"
#include "link/packet.h"

enum {
    HANDSHAKE_EPOCHS_MAX = 2,
    HELLO_PAYLOAD_BYTES = 4 * 8 + 1 + 4 + 1 + HANDSHAKE_EPOCHS_MAX * 4,
    HELLO_HEADER_BYTES = 8,
    HELLO_MAC_BYTES = 16,
    HELLO_BYTES = HELLO_HEADER_BYTES + NOISE_FIRST_OVERHEAD + HELLO_PAYLOAD_BYTES + HELLO_MAC_BYTES,
    ANSWER_PAYLOAD_BYTES = 8 + 1 + 4 + 4,
    ANSWER_HEADER_BYTES = 12,
    ANSWER_BYTES = ANSWER_HEADER_BYTES + NOISE_SECOND_OVERHEAD + ANSWER_PAYLOAD_BYTES
};

/* What the caller says, sealed to the called side. */
struct hello {
    uint64_t from; /* the caller, as the called side names it */
    uint64_t to;   /* the called side, as the caller names it */
    uint64_t
        instance;    /* random, of the caller's state of this link: another one = state was lost */
    uint64_t number; /* rises with every HELLO of the instance: an old one is a replay */
    uint8_t mode;    /* enum seal_mode */
    uint32_t credit; /* what the called side may have in flight towards the caller */
    uint8_t epoch_count; /* 1 or 2: the psks the caller would take, newest first */
    uint32_t epochs[HANDSHAKE_EPOCHS_MAX];
};

struct answer {
    uint64_t instance;
    uint8_t mode;
    uint32_t credit;
    uint32_t index; /* how the caller is to name the session; sealed, for a changed bit of it would
                       make a session that only one side has */
};

/* The table for the suite byte of a received packet, or NULL; and the byte of a table. */
const struct seal_crypto *handshake_crypto(const struct seal_crypto *crypto, uint8_t suite);
uint8_t handshake_suite(const struct seal_crypto *crypto);

/* Begins a handshake of this program's protocol. As noise_init(). */
int handshake_init(struct noise *noise, const struct seal_crypto *crypto, bool is_caller,
                   const uint8_t *static_private, const uint8_t *static_public,
                   const uint8_t *remote_static);

/* Caller: writes HELLO_BYTES. 0 or -1. */
int hello_write(struct noise *noise, uint32_t sender_index, const struct hello *hello,
                uint8_t *packet);
/* Called side, in this order. Cheap: length, version, the keyed hash under |own_public|; gives the
 * suite and the caller's session index. */
int hello_check(const struct seal_crypto *crypto, const uint8_t *own_public, const uint8_t *packet,
                size_t length, uint8_t *suite, uint32_t *sender_index);
/* One key exchange: who it claims to be from is then in noise->remote_static. */
int hello_read_key(struct noise *noise, const uint8_t *packet);
/* Another one, and it is from who it claims to be. */
int hello_read(struct noise *noise, const uint8_t *packet, struct hello *hello);

/* Called side: writes ANSWER_BYTES. */
int answer_packet_write(struct noise *noise, const uint8_t *psk, uint32_t epoch,
                        uint32_t receiver_index, const struct answer *answer, uint8_t *packet);
/* Caller: what an ANSWER says in clear. 0, or -1 when it is none. */
int answer_peek(const uint8_t *packet, size_t length, uint32_t *receiver_index, uint32_t *epoch);
int answer_read(struct noise *noise, const uint8_t *psk, const uint8_t *packet,
                struct answer *answer);

#endif
