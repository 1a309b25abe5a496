/* SPDX-License-Identifier: BSD-3-Clause */
/* Toy primitives for simulations: see the header. */
#include "link/toycrypto.h"

#include "base/mem.h"
#include "base/rng.h"

#include <string.h>

enum { LANES = 4 };

struct seal_cipher {
    uint64_t key[LANES];
};

struct toycrypto {
    struct seal_crypto table;
    struct rng rng;
};

static const uint64_t toy_odd[LANES] = {0x9e3779b97f4a7c15u, 0xd6e8feb86659fd93u,
                                        0xc2b2ae3d27d4eb4fu, 0x165667b19e3779f9u};

static uint64_t toy_load(const uint8_t *bytes)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < 8; i++)
        value |= (uint64_t)bytes[i] << (8 * i);
    return value;
}

static void toy_store(uint8_t *bytes, uint64_t value)
{
    for (unsigned i = 0; i < 8; i++)
        bytes[i] = (uint8_t)(value >> (8 * i));
}

/* A bijection of |state| for each |word| and of |word| for each |state|: one changed word, and with
 * it every single changed bit, always changes the result. */
static uint64_t toy_step(uint64_t state, uint64_t word)
{
    state = (state ^ word) * 0x9fb21c651e98df25u;
    return state ^ state >> 32;
}

static void toy_absorb(uint64_t lanes[LANES], const void *data, size_t length)
{
    const uint8_t *at = data;
    size_t left = length;
    for (; left >= 32; at += 32, left -= 32) {
        for (unsigned i = 0; i < LANES; i++)
            lanes[i] = toy_step(lanes[i], toy_load(at + 8 * i));
    }
    for (unsigned lane = 0; left > 0; lane++) {
        uint8_t word[8] = {0};
        size_t part = left < 8 ? left : 8;
        memcpy(word, at, part);
        lanes[lane] = toy_step(lanes[lane], toy_load(word));
        at += part;
        left -= part;
    }
    for (unsigned i = 0; i < LANES; i++)
        lanes[i] = toy_step(lanes[i], length + i);
}

/* Every lane into every other. */
static void toy_finish(uint64_t lanes[LANES])
{
    for (unsigned round = 0; round < 3; round++) {
        for (unsigned i = 0; i < LANES; i++)
            lanes[(i + 1) % LANES] = toy_step(lanes[(i + 1) % LANES], lanes[i]);
    }
}

static void toy_random_bytes(void *context, uint8_t *bytes, size_t length)
{
    struct toycrypto *toy = context;
    for (size_t i = 0; i < length; i += 8) {
        uint8_t word[8];
        toy_store(word, rng_next(&toy->rng));
        memcpy(bytes + i, word, length - i < 8 ? length - i : 8);
    }
}

/* (a * G) * b = (b * G) * a modulo 2^64: all a key exchange must do here. Odd numbers only, so that
 * the product never vanishes and different keys stay different. */
static int toy_dh(void *context, const uint8_t *private_key, const uint8_t *public_key,
                  uint8_t *shared)
{
    uint64_t all = 0;
    for (unsigned i = 0; i < LANES; i++) {
        uint64_t product = (toy_load(private_key + 8 * i) | 1) * toy_load(public_key + 8 * i);
        all |= product;
        toy_store(shared + 8 * i, product);
    }
    return all ? 0 : -1;
}

static int toy_public_key(void *context, const uint8_t *private_key, uint8_t *public_key)
{
    for (unsigned i = 0; i < LANES; i++)
        toy_store(public_key + 8 * i, (toy_load(private_key + 8 * i) | 1) * toy_odd[i]);
    return 0;
}

static void toy_digest(uint64_t lanes[LANES], const void *a, size_t a_length, const void *b,
                       size_t b_length, uint8_t *digest)
{
    uint8_t joint[256];
    if (a_length + b_length <= sizeof(joint)) { /* the cut between the parts must not matter */
        if (a_length)
            memcpy(joint, a, a_length);
        if (b_length)
            memcpy(joint + a_length, b, b_length);
        toy_absorb(lanes, joint, a_length + b_length);
    } else {
        toy_absorb(lanes, a, a_length);
        toy_absorb(lanes, b, b_length);
    }
    toy_finish(lanes);
    for (unsigned i = 0; i < LANES; i++)
        toy_store(digest + 8 * i, lanes[i]);
}

static void toy_hash(void *context, const void *a, size_t a_length, const void *b, size_t b_length,
                     uint8_t *digest)
{
    uint64_t lanes[LANES];
    memcpy(lanes, toy_odd, sizeof(lanes));
    toy_digest(lanes, a, a_length, b, b_length, digest);
}

static void toy_hmac(void *context, const uint8_t *key, const void *a, size_t a_length,
                     const void *b, size_t b_length, uint8_t *mac)
{
    uint64_t lanes[LANES];
    for (unsigned i = 0; i < LANES; i++)
        lanes[i] = ~toy_odd[i];
    toy_absorb(lanes, key, SEAL_HASH_BYTES);
    toy_digest(lanes, a, a_length, b, b_length, mac);
}

static struct seal_cipher *toy_cipher_create(void *context, const uint8_t *key)
{
    struct seal_cipher *cipher = mem_alloc(sizeof(*cipher));
    if (!cipher)
        return NULL;
    for (unsigned i = 0; i < LANES; i++)
        cipher->key[i] = toy_step(toy_odd[i], toy_load(key + 8 * i));
    return cipher;
}

static void toy_cipher_destroy(struct seal_cipher *cipher)
{
    mem_free(cipher);
}

static void toy_tag(const struct seal_cipher *cipher, uint64_t nonce, const void *ad,
                    size_t ad_length, const uint8_t *plain, size_t length, uint8_t *tag)
{
    uint64_t lanes[LANES];
    for (unsigned i = 0; i < LANES; i++)
        lanes[i] = toy_step(cipher->key[i], nonce);
    toy_absorb(lanes, ad, ad_length);
    toy_absorb(lanes, plain, length);
    toy_finish(lanes);
    toy_store(tag, lanes[0]);
    toy_store(tag + 8, lanes[1]);
}

static int toy_seal(struct seal_cipher *cipher, uint64_t nonce, const void *ad, size_t ad_length,
                    const uint8_t *plain, size_t length, uint8_t *sealed)
{
    if (length && plain != sealed)
        memmove(sealed, plain, length);
    toy_tag(cipher, nonce, ad, ad_length, sealed, length, sealed + length);
    return 0;
}

static int toy_open(struct seal_cipher *cipher, uint64_t nonce, const void *ad, size_t ad_length,
                    const uint8_t *sealed, size_t length, uint8_t *plain)
{
    uint8_t tag[SEAL_TAG_BYTES];
    if (length < SEAL_TAG_BYTES)
        return -1;
    size_t plain_length = length - SEAL_TAG_BYTES;
    toy_tag(cipher, nonce, ad, ad_length, sealed, plain_length, tag);
    if (memcmp(tag, sealed + plain_length, sizeof(tag)) != 0)
        return -1;
    if (plain_length && plain != sealed)
        memmove(plain, sealed, plain_length);
    return 0;
}

const struct seal_crypto *toycrypto_create(uint64_t seed)
{
    struct toycrypto *toy = mem_alloc(sizeof(*toy));
    if (!toy)
        return NULL;
    rng_seed(&toy->rng, seed);
    toy->table = (struct seal_crypto){
        .context = toy,
        .cipher_name = "Toy",
        .random_bytes = toy_random_bytes,
        .dh = toy_dh,
        .public_key = toy_public_key,
        .hash = toy_hash,
        .hmac = toy_hmac,
        .cipher_create = toy_cipher_create,
        .cipher_destroy = toy_cipher_destroy,
        .seal = toy_seal,
        .open = toy_open,
    };
    return &toy->table;
}

void toycrypto_destroy(const struct seal_crypto *crypto)
{
    if (crypto)
        mem_free(crypto->context);
}
