/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * libcrypto behind the table of link/seal.h: see crypto.h.
 *
 * Algorithms are fetched once and contexts keep their key schedule, because in OpenSSL 3 a fetch
 * costs more than sealing a small packet (crypto(7), "Performance").
 */
#include "crypto/crypto.h"

#include "base/check.h"
#include "base/mem.h"

#include <openssl/evp.h>
#include <openssl/rand.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>
#if defined(__linux__) && defined(__aarch64__)
#include <asm/hwcap.h>
#include <sys/auxv.h>
#endif

enum { NONCE_BYTES = 12, HMAC_BLOCK_BYTES = 64 };

struct seal_cipher {
    EVP_CIPHER_CTX *seal;
    EVP_CIPHER_CTX *open;
    bool nonce_is_little_endian;
};

struct crypto_suite {
    struct seal_crypto table;
    EVP_CIPHER *cipher;
    bool nonce_is_little_endian; /* Noise 12.3 and 12.4: ChaChaPoly little, AESGCM big */
};

static EVP_MD *sha256;
static EVP_MD_CTX *digest_context;
static struct crypto_suite suites[2];

static void openssl_random_bytes(void *context, uint8_t *bytes, size_t length)
{
    /* Without randomness no key may be made; there is nothing sensible to go on with. */
    CHECK(length <= INT_MAX && RAND_priv_bytes(bytes, (int)length) == 1);
}

static int openssl_public_key(void *context, const uint8_t *private_key, uint8_t *public_key)
{
    size_t length = SEAL_KEY_BYTES;
    EVP_PKEY *key = EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, NULL, private_key,
                                                 SEAL_KEY_BYTES);
    int result = key && EVP_PKEY_get_raw_public_key(key, public_key, &length) == 1 ? 0 : -1;
    EVP_PKEY_free(key);
    return result;
}

static int openssl_dh(void *context, const uint8_t *private_key, const uint8_t *public_key,
                      uint8_t *shared)
{
    size_t length = SEAL_KEY_BYTES;
    EVP_PKEY *own = EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, NULL, private_key,
                                                 SEAL_KEY_BYTES);
    EVP_PKEY *other = EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, NULL, public_key,
                                                  SEAL_KEY_BYTES);
    EVP_PKEY_CTX *derive = own ? EVP_PKEY_CTX_new(own, NULL) : NULL;
    /* EVP_PKEY_derive fails when the shared secret is all zeros (RFC 7748 section 6.1). */
    int result = derive && other && EVP_PKEY_derive_init(derive) == 1 &&
                         EVP_PKEY_derive_set_peer(derive, other) == 1 &&
                         EVP_PKEY_derive(derive, shared, &length) == 1 && length == SEAL_KEY_BYTES
                     ? 0
                     : -1;
    EVP_PKEY_CTX_free(derive);
    EVP_PKEY_free(other);
    EVP_PKEY_free(own);
    return result;
}

struct part {
    const void *bytes;
    size_t length;
};

static void openssl_digest(const struct part *parts, size_t count, uint8_t *digest)
{
    int ok = EVP_DigestInit_ex2(digest_context, sha256, NULL);
    for (size_t i = 0; i < count && ok == 1; i++) {
        if (parts[i].length)
            ok = EVP_DigestUpdate(digest_context, parts[i].bytes, parts[i].length);
    }
    /* SHA-256 in memory does not fail; a wrong digest would be worse than an end. */
    CHECK(ok == 1 && EVP_DigestFinal_ex(digest_context, digest, NULL) == 1);
}

static void openssl_hash(void *context, const void *a, size_t a_length, const void *b,
                         size_t b_length, uint8_t *digest)
{
    const struct part parts[] = {{a, a_length}, {b, b_length}};
    openssl_digest(parts, ARRAY_LEN(parts), digest);
}

/* RFC 2104, written out: a key of 32 bytes is shorter than the block. */
static void openssl_hmac(void *context, const uint8_t *key, const void *a, size_t a_length,
                         const void *b, size_t b_length, uint8_t *mac)
{
    uint8_t inner_pad[HMAC_BLOCK_BYTES], outer_pad[HMAC_BLOCK_BYTES], inner[SEAL_HASH_BYTES];
    for (size_t i = 0; i < HMAC_BLOCK_BYTES; i++) {
        uint8_t byte = i < SEAL_HASH_BYTES ? key[i] : 0;
        inner_pad[i] = byte ^ 0x36;
        outer_pad[i] = byte ^ 0x5c;
    }
    const struct part first[] = {{inner_pad, sizeof(inner_pad)}, {a, a_length}, {b, b_length}};
    openssl_digest(first, ARRAY_LEN(first), inner);
    const struct part second[] = {{outer_pad, sizeof(outer_pad)}, {inner, sizeof(inner)}};
    openssl_digest(second, ARRAY_LEN(second), mac);
    OPENSSL_cleanse(inner_pad, sizeof(inner_pad));
    OPENSSL_cleanse(outer_pad, sizeof(outer_pad));
}

static void openssl_cipher_destroy(struct seal_cipher *cipher)
{
    if (!cipher)
        return;
    EVP_CIPHER_CTX_free(cipher->seal);
    EVP_CIPHER_CTX_free(cipher->open);
    mem_free(cipher);
}

static struct seal_cipher *openssl_cipher_create(void *context, const uint8_t *key)
{
    const struct crypto_suite *suite = context;
    struct seal_cipher *cipher = mem_calloc(1, sizeof(*cipher));
    if (!cipher)
        return NULL;
    cipher->nonce_is_little_endian = suite->nonce_is_little_endian;
    cipher->seal = EVP_CIPHER_CTX_new();
    cipher->open = EVP_CIPHER_CTX_new();
    if (!cipher->seal || !cipher->open ||
        EVP_EncryptInit_ex2(cipher->seal, suite->cipher, key, NULL, NULL) != 1 ||
        EVP_DecryptInit_ex2(cipher->open, suite->cipher, key, NULL, NULL) != 1) {
        openssl_cipher_destroy(cipher);
        return NULL;
    }
    return cipher;
}

/* Four zero bytes, then the counter. */
static void nonce_encode(const struct seal_cipher *cipher, uint64_t nonce, uint8_t *bytes)
{
    memset(bytes, 0, NONCE_BYTES);
    for (unsigned i = 0; i < 8; i++) {
        unsigned shift = 8 * (cipher->nonce_is_little_endian ? i : 7 - i);
        bytes[4 + i] = (uint8_t)(nonce >> shift);
    }
}

static int openssl_seal(struct seal_cipher *cipher, uint64_t nonce, const void *ad,
                        size_t ad_length, const uint8_t *plain, size_t length, uint8_t *sealed)
{
    uint8_t iv[NONCE_BYTES];
    int count = 0;
    if (length > INT_MAX || ad_length > INT_MAX)
        return -1;
    nonce_encode(cipher, nonce, iv);
    if (EVP_EncryptInit_ex2(cipher->seal, NULL, NULL, iv, NULL) != 1 ||
        (ad_length && EVP_EncryptUpdate(cipher->seal, NULL, &count, ad, (int)ad_length) != 1) ||
        (length && EVP_EncryptUpdate(cipher->seal, sealed, &count, plain, (int)length) != 1) ||
        EVP_EncryptFinal_ex(cipher->seal, sealed + length, &count) != 1 ||
        EVP_CIPHER_CTX_ctrl(cipher->seal, EVP_CTRL_AEAD_GET_TAG, SEAL_TAG_BYTES, sealed + length) !=
            1)
        return -1;
    return 0;
}

static int openssl_open(struct seal_cipher *cipher, uint64_t nonce, const void *ad,
                        size_t ad_length, const uint8_t *sealed, size_t length, uint8_t *plain)
{
    uint8_t iv[NONCE_BYTES], tag[SEAL_TAG_BYTES], none[SEAL_TAG_BYTES];
    int count = 0;
    if (length < SEAL_TAG_BYTES || length > INT_MAX || ad_length > INT_MAX)
        return -1;
    length -= SEAL_TAG_BYTES;
    memcpy(tag, sealed + length, sizeof(tag));
    nonce_encode(cipher, nonce, iv);
    if (EVP_DecryptInit_ex2(cipher->open, NULL, NULL, iv, NULL) != 1 ||
        EVP_CIPHER_CTX_ctrl(cipher->open, EVP_CTRL_AEAD_SET_TAG, SEAL_TAG_BYTES, tag) != 1 ||
        (ad_length && EVP_DecryptUpdate(cipher->open, NULL, &count, ad, (int)ad_length) != 1) ||
        (length && EVP_DecryptUpdate(cipher->open, plain, &count, sealed, (int)length) != 1) ||
        EVP_DecryptFinal_ex(cipher->open, none, &count) != 1)
        return -1;
    return 0;
}

static bool cpu_has_aes(void)
{
#if defined(__x86_64__) || defined(__i386__)
    return __builtin_cpu_supports("aes") && __builtin_cpu_supports("pclmul");
#elif defined(__linux__) && defined(__aarch64__)
    return (getauxval(AT_HWCAP) & (HWCAP_AES | HWCAP_PMULL)) == (HWCAP_AES | HWCAP_PMULL);
#elif defined(__ARM_FEATURE_AES) || defined(__POWER8_VECTOR__) || defined(__s390x__)
    return true;
#else
    return false;
#endif
}

static int suite_init(struct crypto_suite *suite, const char *cipher_name, const char *algorithm,
                      bool nonce_is_little_endian)
{
    suite->cipher = EVP_CIPHER_fetch(NULL, algorithm, NULL);
    suite->nonce_is_little_endian = nonce_is_little_endian;
    suite->table = (struct seal_crypto){
        .context = suite,
        .cipher_name = cipher_name,
        .random_bytes = openssl_random_bytes,
        .dh = openssl_dh,
        .public_key = openssl_public_key,
        .hash = openssl_hash,
        .hmac = openssl_hmac,
        .cipher_create = openssl_cipher_create,
        .cipher_destroy = openssl_cipher_destroy,
        .seal = openssl_seal,
        .open = openssl_open,
    };
    return suite->cipher ? 0 : -1;
}

/* Once per process; what was fetched stays. */
static bool openssl_prepare(void)
{
    static bool tried, ready;
    if (tried)
        return ready;
    tried = true;
    sha256 = EVP_MD_fetch(NULL, "SHA2-256", NULL);
    digest_context = EVP_MD_CTX_new();
    ready = sha256 && digest_context &&
            suite_init(&suites[0], "AESGCM", "AES-256-GCM", false) == 0 &&
            suite_init(&suites[1], "ChaChaPoly", "ChaCha20-Poly1305", true) == 0;
    suites[0].table.alternative = &suites[1].table;
    suites[1].table.alternative = &suites[0].table;
    return ready;
}

const struct seal_crypto *crypto_openssl(void)
{
    if (!openssl_prepare())
        return NULL;
    return &suites[cpu_has_aes() ? 0 : 1].table;
}

const struct seal_crypto *crypto_openssl_with(const char *cipher_name)
{
    if (!openssl_prepare())
        return NULL;
    for (size_t i = 0; i < ARRAY_LEN(suites); i++) {
        if (strcmp(suites[i].table.cipher_name, cipher_name) == 0)
            return &suites[i].table;
    }
    return NULL;
}
