/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The handshake Noise_IKpsk2_25519_<cipher>_SHA256 of the Noise Protocol Framework, revision 34:
 *
 *     <- s
 *     -> e, es, s, ss
 *     <- e, ee, se, psk
 *
 * Only this pattern, only these two messages; what is inside their payloads is handshake.h. All
 * functions returning int give 0, or -1 when the message is not genuine or memory is short: then
 * the handshake is over and only noise_wipe() may follow.
 */
#ifndef LINK_NOISE_H
#define LINK_NOISE_H

#include "link/seal.h"

#include <stdbool.h>

enum {
    NOISE_FIRST_OVERHEAD = SEAL_KEY_BYTES + SEAL_KEY_BYTES + SEAL_TAG_BYTES + SEAL_TAG_BYTES,
    NOISE_SECOND_OVERHEAD = SEAL_KEY_BYTES + SEAL_TAG_BYTES,
    NOISE_PAYLOAD_MAX = 128
};

struct noise {
    const struct seal_crypto *crypto;
    bool initiator;
    bool has_key;
    uint64_t nonce;
    uint8_t chaining_key[SEAL_HASH_BYTES];
    uint8_t hash[SEAL_HASH_BYTES];
    uint8_t key[SEAL_KEY_BYTES];
    uint8_t static_private[SEAL_KEY_BYTES];
    uint8_t static_public[SEAL_KEY_BYTES];
    uint8_t ephemeral_private[SEAL_KEY_BYTES];
    uint8_t ephemeral_public[SEAL_KEY_BYTES];
    uint8_t remote_static[SEAL_KEY_BYTES];
    uint8_t remote_ephemeral[SEAL_KEY_BYTES];
};

/* Begins. The initiator names the responder by |remote_static|; the responder passes NULL.
 * Draws the ephemeral key. */
int noise_init(struct noise *noise, const struct seal_crypto *crypto, bool initiator,
               const uint8_t *static_private, const uint8_t *static_public,
               const uint8_t *remote_static, const void *prologue, size_t prologue_length);
/* For the published test vectors only: this ephemeral key instead of the drawn one. */
int noise_set_ephemeral(struct noise *noise, const uint8_t *ephemeral_private);

/* Initiator: message 1, |length| + NOISE_FIRST_OVERHEAD bytes at |message|. */
int noise_write_first(struct noise *noise, const uint8_t *payload, size_t length, uint8_t *message);
/* Responder: opens the sender's static key (remote_static) at the cost of one X25519, so that
 * an unknown key can be dropped here; then the payload, |length| - NOISE_FIRST_OVERHEAD bytes.
 * Both get the whole message. */
int noise_read_first_key(struct noise *noise, const uint8_t *message, size_t length);
int noise_read_first_payload(struct noise *noise, const uint8_t *message, size_t length,
                             uint8_t *payload);
/* Responder: message 2, |length| + NOISE_SECOND_OVERHEAD bytes. */
int noise_write_second(struct noise *noise, const uint8_t *psk, const uint8_t *payload,
                       size_t length, uint8_t *message);
/* Initiator: reads message 2. Works on a copy, so that a forged message does not end the handshake:
 * on -1 |noise| is as before. */
int noise_read_second(struct noise *noise, const uint8_t *psk, const uint8_t *message,
                      size_t length, uint8_t *payload);
/* Both: the ciphers of the two directions, owned by the caller. */
int noise_split(const struct noise *noise, struct seal_cipher **send, struct seal_cipher **receive);
/* Overwrites all secrets. */
void noise_wipe(struct noise *noise);

#endif
