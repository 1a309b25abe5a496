/* SPDX-License-Identifier: BSD-3-Clause */
/* Noise IKpsk2: see the header. Section numbers are those of the Noise specification, revision
 * 34. */
#include "link/noise.h"

#include "base/str.h"

#include <string.h>

enum { SEALED_KEY_BYTES = SEAL_KEY_BYTES + SEAL_TAG_BYTES };

/* A plain memset of memory that dies may be left out by the compiler. */
static void wipe(void *bytes, size_t length)
{
    volatile uint8_t *at = bytes;
    while (length--)
        *at++ = 0;
}

/* HKDF of section 4.3; |third| may be NULL. */
static void noise_hkdf(const struct noise *noise, const uint8_t *material, size_t length,
                       uint8_t *first, uint8_t *second, uint8_t *third)
{
    const struct seal_crypto *crypto = noise->crypto;
    uint8_t temporary[SEAL_HASH_BYTES], one[SEAL_HASH_BYTES];
    static const uint8_t count[3] = {1, 2, 3};
    crypto->hmac(crypto->context, noise->chaining_key, material, length, NULL, 0, temporary);
    crypto->hmac(crypto->context, temporary, NULL, 0, &count[0], 1, one);
    crypto->hmac(crypto->context, temporary, one, sizeof(one), &count[1], 1, second);
    if (third)
        crypto->hmac(crypto->context, temporary, second, SEAL_HASH_BYTES, &count[2], 1, third);
    memcpy(first, one, sizeof(one));
    wipe(temporary, sizeof(temporary));
    wipe(one, sizeof(one));
}

static void noise_mix_hash(struct noise *noise, const void *bytes, size_t length)
{
    noise->crypto->hash(noise->crypto->context, noise->hash, sizeof(noise->hash), bytes, length,
                        noise->hash);
}

static void noise_mix_key(struct noise *noise, const uint8_t *material, size_t length)
{
    noise_hkdf(noise, material, length, noise->chaining_key, noise->key, NULL);
    noise->has_key = true;
    noise->nonce = 0;
}

static void noise_mix_key_and_hash(struct noise *noise, const uint8_t psk[SEAL_KEY_BYTES])
{
    uint8_t middle[SEAL_HASH_BYTES];
    noise_hkdf(noise, psk, SEAL_KEY_BYTES, noise->chaining_key, middle, noise->key);
    noise_mix_hash(noise, middle, sizeof(middle));
    noise->has_key = true;
    noise->nonce = 0;
    wipe(middle, sizeof(middle));
}

static int noise_mix_dh(struct noise *noise, const uint8_t *private_key, const uint8_t *public_key)
{
    uint8_t shared[SEAL_KEY_BYTES];
    int result = noise->crypto->dh(noise->crypto->context, private_key, public_key, shared);
    if (result == 0)
        noise_mix_key(noise, shared, sizeof(shared));
    wipe(shared, sizeof(shared));
    return result;
}

/* Section 9.2: with a psk the ephemeral key goes into the key as well. */
static void noise_mix_ephemeral(struct noise *noise, const uint8_t *public_key)
{
    noise_mix_hash(noise, public_key, SEAL_KEY_BYTES);
    noise_mix_key(noise, public_key, SEAL_KEY_BYTES);
}

static int noise_seal_and_hash(struct noise *noise, const uint8_t *plain, size_t length,
                               uint8_t *sealed)
{
    struct seal_cipher *cipher = noise->crypto->cipher_create(noise->crypto->context, noise->key);
    if (!cipher)
        return -1;
    int result = noise->crypto->seal(cipher, noise->nonce++, noise->hash, sizeof(noise->hash),
                                     plain, length, sealed);
    noise->crypto->cipher_destroy(cipher);
    if (result == 0)
        noise_mix_hash(noise, sealed, length + SEAL_TAG_BYTES);
    return result;
}

static int noise_open_and_hash(struct noise *noise, const uint8_t *sealed, size_t length,
                               uint8_t *plain)
{
    struct seal_cipher *cipher = noise->crypto->cipher_create(noise->crypto->context, noise->key);
    if (!cipher)
        return -1;
    int result = noise->crypto->open(cipher, noise->nonce++, noise->hash, sizeof(noise->hash),
                                     sealed, length, plain);
    noise->crypto->cipher_destroy(cipher);
    if (result == 0)
        noise_mix_hash(noise, sealed, length);
    return result;
}

int noise_init(struct noise *noise, const struct seal_crypto *crypto, bool initiator,
               const uint8_t *static_private, const uint8_t *static_public,
               const uint8_t *remote_static, const void *prologue, size_t prologue_length)
{
    char name[64];
    *noise = (struct noise){.crypto = crypto, .initiator = initiator};
    memcpy(noise->static_private, static_private, SEAL_KEY_BYTES);
    memcpy(noise->static_public, static_public, SEAL_KEY_BYTES);
    size_t length = str_format(name, sizeof(name), "Noise_IKpsk2_25519_%s_SHA256",
                               crypto->cipher_name);
    if (length <= SEAL_HASH_BYTES)
        memcpy(noise->hash, name, length);
    else
        crypto->hash(crypto->context, name, length, NULL, 0, noise->hash);
    memcpy(noise->chaining_key, noise->hash, sizeof(noise->hash));
    noise_mix_hash(noise, prologue, prologue_length);
    if (initiator)
        memcpy(noise->remote_static, remote_static, SEAL_KEY_BYTES);
    noise_mix_hash(noise, initiator ? remote_static : static_public, SEAL_KEY_BYTES);
    uint8_t ephemeral[SEAL_KEY_BYTES];
    crypto->random_bytes(crypto->context, ephemeral, sizeof(ephemeral));
    int result = noise_set_ephemeral(noise, ephemeral);
    wipe(ephemeral, sizeof(ephemeral));
    return result;
}

int noise_set_ephemeral(struct noise *noise, const uint8_t *ephemeral_private)
{
    memcpy(noise->ephemeral_private, ephemeral_private, SEAL_KEY_BYTES);
    return noise->crypto->public_key(noise->crypto->context, ephemeral_private,
                                     noise->ephemeral_public);
}

int noise_write_first(struct noise *noise, const uint8_t *payload, size_t length, uint8_t *message)
{
    memcpy(message, noise->ephemeral_public, SEAL_KEY_BYTES);
    noise_mix_ephemeral(noise, noise->ephemeral_public);
    if (noise_mix_dh(noise, noise->ephemeral_private, noise->remote_static) < 0 ||
        noise_seal_and_hash(noise, noise->static_public, SEAL_KEY_BYTES, message + SEAL_KEY_BYTES) <
            0 ||
        noise_mix_dh(noise, noise->static_private, noise->remote_static) < 0)
        return -1;
    return noise_seal_and_hash(noise, payload, length, message + SEAL_KEY_BYTES + SEALED_KEY_BYTES);
}

int noise_read_first_key(struct noise *noise, const uint8_t *message, size_t length)
{
    if (length < NOISE_FIRST_OVERHEAD)
        return -1;
    memcpy(noise->remote_ephemeral, message, SEAL_KEY_BYTES);
    noise_mix_ephemeral(noise, noise->remote_ephemeral);
    if (noise_mix_dh(noise, noise->static_private, noise->remote_ephemeral) < 0)
        return -1;
    return noise_open_and_hash(noise, message + SEAL_KEY_BYTES, SEALED_KEY_BYTES,
                               noise->remote_static);
}

int noise_read_first_payload(struct noise *noise, const uint8_t *message, size_t length,
                             uint8_t *payload)
{
    size_t offset = SEAL_KEY_BYTES + SEALED_KEY_BYTES;
    if (length < NOISE_FIRST_OVERHEAD || length - NOISE_FIRST_OVERHEAD > NOISE_PAYLOAD_MAX)
        return -1;
    if (noise_mix_dh(noise, noise->static_private, noise->remote_static) < 0)
        return -1;
    return noise_open_and_hash(noise, message + offset, length - offset, payload);
}

int noise_write_second(struct noise *noise, const uint8_t *psk, const uint8_t *payload,
                       size_t length, uint8_t *message)
{
    memcpy(message, noise->ephemeral_public, SEAL_KEY_BYTES);
    noise_mix_ephemeral(noise, noise->ephemeral_public);
    if (noise_mix_dh(noise, noise->ephemeral_private, noise->remote_ephemeral) < 0 ||
        noise_mix_dh(noise, noise->ephemeral_private, noise->remote_static) < 0)
        return -1;
    noise_mix_key_and_hash(noise, psk);
    return noise_seal_and_hash(noise, payload, length, message + SEAL_KEY_BYTES);
}

int noise_read_second(struct noise *noise, const uint8_t *psk, const uint8_t *message,
                      size_t length, uint8_t *payload)
{
    if (length < NOISE_SECOND_OVERHEAD || length - NOISE_SECOND_OVERHEAD > NOISE_PAYLOAD_MAX)
        return -1;
    struct noise trial = *noise;
    memcpy(trial.remote_ephemeral, message, SEAL_KEY_BYTES);
    noise_mix_ephemeral(&trial, trial.remote_ephemeral);
    int result = -1;
    if (noise_mix_dh(&trial, trial.ephemeral_private, trial.remote_ephemeral) == 0 &&
        noise_mix_dh(&trial, trial.static_private, trial.remote_ephemeral) == 0) {
        noise_mix_key_and_hash(&trial, psk);
        result = noise_open_and_hash(&trial, message + SEAL_KEY_BYTES, length - SEAL_KEY_BYTES,
                                     payload);
    }
    if (result == 0)
        *noise = trial;
    wipe(&trial, sizeof(trial));
    return result;
}

int noise_split(const struct noise *noise, struct seal_cipher **send, struct seal_cipher **receive)
{
    const struct seal_crypto *crypto = noise->crypto;
    uint8_t first[SEAL_HASH_BYTES], second[SEAL_HASH_BYTES];
    noise_hkdf(noise, NULL, 0, first, second, NULL);
    struct seal_cipher *to_responder = crypto->cipher_create(crypto->context, first);
    struct seal_cipher *to_initiator = crypto->cipher_create(crypto->context, second);
    wipe(first, sizeof(first));
    wipe(second, sizeof(second));
    if (!to_responder || !to_initiator) {
        if (to_responder)
            crypto->cipher_destroy(to_responder);
        if (to_initiator)
            crypto->cipher_destroy(to_initiator);
        return -1;
    }
    *send = noise->initiator ? to_responder : to_initiator;
    *receive = noise->initiator ? to_initiator : to_responder;
    return 0;
}

void noise_wipe(struct noise *noise)
{
    wipe(noise, sizeof(*noise));
}
