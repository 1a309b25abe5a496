/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What seals a link: the primitives it needs, as a table the program supplies.
 *
 * Two tables exist: OpenSSL's libcrypto (crypto/crypto.h), and a toy for simulations that is fast,
 * repeats by its seed, and protects nothing (link/toycrypto.h). The handshake itself is
 * link/noise.h.
 */
#ifndef LINK_SEAL_H
#define LINK_SEAL_H

#include <stddef.h>
#include <stdint.h>

enum { SEAL_KEY_BYTES = 32, SEAL_HASH_BYTES = 32, SEAL_TAG_BYTES = 16 };

/* What protects packets: encryption; a tag over plain text; nothing (loopback only). */
enum seal_mode { SEAL_ENCRYPT, SEAL_INTEGRITY, SEAL_OFF };

/* An AEAD with its key prepared (key schedule done once per session). */
struct seal_cipher;

struct seal_crypto {
    void *context;
    const char *cipher_name; /* "AESGCM" or "ChaChaPoly": goes into the Noise protocol name */
    /* The same primitives with the other cipher, for peers whose CPU prefers that one; or NULL. The
     * caller of a handshake chooses, the called side follows if it has the cipher. */
    const struct seal_crypto *alternative;
    /* Fills |bytes| with random bytes fit for keys. */
    void (*random_bytes)(void *context, uint8_t *bytes, size_t length);
    /* X25519. Returns 0, or -1 when the result would be all zeros (RFC 7748 section 6.1). */
    int (*dh)(void *context, const uint8_t private_key[SEAL_KEY_BYTES],
              const uint8_t public_key[SEAL_KEY_BYTES], uint8_t shared[SEAL_KEY_BYTES]);
    /* The public key of |private_key|. */
    int (*public_key)(void *context, const uint8_t private_key[SEAL_KEY_BYTES],
                      uint8_t public_key[SEAL_KEY_BYTES]);
    /* SHA-256 of the concatenation of two parts (either may be empty). */
    void (*hash)(void *context, const void *a, size_t a_length, const void *b, size_t b_length,
                 uint8_t digest[SEAL_HASH_BYTES]);
    /* HMAC-SHA-256 (RFC 2104) with a 32-byte key over two parts. */
    void (*hmac)(void *context, const uint8_t key[SEAL_HASH_BYTES], const void *a, size_t a_length,
                 const void *b, size_t b_length, uint8_t mac[SEAL_HASH_BYTES]);
    /* NULL without memory. */
    struct seal_cipher *(*cipher_create)(void *context, const uint8_t key[SEAL_KEY_BYTES]);
    void (*cipher_destroy)(struct seal_cipher *cipher);
    /* Seals |length| bytes at |plain| to |length| + SEAL_TAG_BYTES at |sealed| (may be the same
     * place). |nonce| is the 64-bit counter of Noise section 5.1. 0 or -1. */
    int (*seal)(struct seal_cipher *cipher, uint64_t nonce, const void *ad, size_t ad_length,
                const uint8_t *plain, size_t length, uint8_t *sealed);
    /* Opens |length| bytes (tag included) to |length| - SEAL_TAG_BYTES at |plain| (may be the same
     * place). -1 when it was not sealed with this key, nonce and ad. */
    int (*open)(struct seal_cipher *cipher, uint64_t nonce, const void *ad, size_t ad_length,
                const uint8_t *sealed, size_t length, uint8_t *plain);
};

#endif
