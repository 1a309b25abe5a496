/* SPDX-License-Identifier: BSD-3-Clause */
/* The toy primitives behave like real ones where the protocol can tell; the handshake on them. */
#include "link/noise.h"
#include "link/toycrypto.h"
#include "tap.h"

static void primitives(void)
{
    const struct seal_crypto *a = toycrypto_create(1), *b = toycrypto_create(2);
    uint8_t keys[2][32], publics[2][32], shared[2][32], digest[2][32];
    a->random_bytes(a->context, keys[0], 32);
    b->random_bytes(b->context, keys[1], 32);
    OK(memcmp(keys[0], keys[1], 32) != 0, "two seeds, two keys");
    a->public_key(a->context, keys[0], publics[0]);
    b->public_key(b->context, keys[1], publics[1]);
    OK(a->dh(a->context, keys[0], publics[1], shared[0]) == 0 &&
           b->dh(b->context, keys[1], publics[0], shared[1]) == 0 &&
           memcmp(shared[0], shared[1], 32) == 0,
       "both sides agree on a secret");
    memset(publics[0], 0, 32);
    EQUAL(a->dh(a->context, keys[0], publics[0], shared[0]), -1, "zeros are refused");
    a->hash(a->context, "ab", 2, "c", 1, digest[0]);
    b->hash(b->context, "a", 1, "bc", 2, digest[1]);
    OK(memcmp(digest[0], digest[1], 32) == 0, "where the parts are cut does not matter");
    a->hmac(a->context, keys[0], "abc", 3, NULL, 0, digest[0]);
    a->hmac(a->context, keys[1], "abc", 3, NULL, 0, digest[1]);
    OK(memcmp(digest[0], digest[1], 32) != 0, "the key matters");
    toycrypto_destroy(a);
    toycrypto_destroy(b);
    toycrypto_destroy(NULL);
}

static void sealing(void)
{
    const struct seal_crypto *crypto = toycrypto_create(3);
    uint8_t key[32] = {1}, other[32] = {2}, plain[77] = {3}, sealed[93], opened[77];
    struct seal_cipher *cipher = crypto->cipher_create(crypto->context, key);
    struct seal_cipher *wrong = crypto->cipher_create(crypto->context, other);
    crypto->seal(cipher, 5, "ad", 2, plain, sizeof(plain), sealed);
    OK(crypto->open(cipher, 5, "ad", 2, sealed, sizeof(sealed), opened) == 0 &&
           memcmp(plain, opened, sizeof(plain)) == 0,
       "sealed and opened");
    EQUAL(crypto->open(wrong, 5, "ad", 2, sealed, sizeof(sealed), opened), -1, "another key");
    EQUAL(crypto->open(cipher, 6, "ad", 2, sealed, sizeof(sealed), opened), -1, "another nonce");
    EQUAL(crypto->open(cipher, 5, "aD", 2, sealed, sizeof(sealed), opened), -1, "another header");
    EQUAL(crypto->open(cipher, 5, "ad", 2, sealed, 15, opened), -1, "too short");
    bool found = true;
    for (size_t bit = 0; bit < 8 * sizeof(sealed); bit++) {
        sealed[bit / 8] ^= (uint8_t)(1u << bit % 8);
        found &= crypto->open(cipher, 5, "ad", 2, sealed, sizeof(sealed), opened) < 0;
        sealed[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    OK(found, "every changed bit is found");
    crypto->cipher_destroy(cipher);
    crypto->cipher_destroy(wrong);
    toycrypto_destroy(crypto);
}

static void handshake(void)
{
    const struct seal_crypto *crypto = toycrypto_create(4);
    struct noise caller, called;
    uint8_t keys[2][32], publics[2][32], psk[32] = {9}, message[128], read[32];
    struct seal_cipher *send[2], *receive[2];
    for (unsigned i = 0; i < 2; i++) {
        crypto->random_bytes(crypto->context, keys[i], 32);
        crypto->public_key(crypto->context, keys[i], publics[i]);
    }
    noise_init(&caller, crypto, true, keys[0], publics[0], publics[1], "p", 1);
    noise_init(&called, crypto, false, keys[1], publics[1], NULL, "p", 1);
    noise_write_first(&caller, (const uint8_t *)"one", 3, message);
    EQUAL(noise_read_first_key(&called, message, 10), -1, "a message cut short is refused");
    noise_init(&called, crypto, false, keys[1], publics[1], NULL, "p", 1);
    OK(noise_read_first_key(&called, message, 3 + NOISE_FIRST_OVERHEAD) == 0 &&
           noise_read_first_payload(&called, message, 3 + NOISE_FIRST_OVERHEAD, read) == 0 &&
           memcmp(read, "one", 3) == 0,
       "the first message is read");
    noise_write_second(&called, psk, (const uint8_t *)"two", 3, message);
    psk[0] ^= 1;
    EQUAL(noise_read_second(&caller, psk, message, 3 + NOISE_SECOND_OVERHEAD, read), -1,
          "not with another psk");
    psk[0] ^= 1;
    OK(noise_read_second(&caller, psk, message, 3 + NOISE_SECOND_OVERHEAD, read) == 0 &&
           memcmp(read, "two", 3) == 0,
       "but with the right one, afterwards");
    noise_split(&caller, &send[0], &receive[0]);
    noise_split(&called, &send[1], &receive[1]);
    crypto->seal(send[0], 0, NULL, 0, (const uint8_t *)"x", 1, message);
    EQUAL(crypto->open(receive[1], 0, NULL, 0, message, 17, read), 0, "caller to called");
    EQUAL(crypto->open(receive[0], 0, NULL, 0, message, 17, read), -1, "not the other way");
    for (unsigned i = 0; i < 2; i++) {
        crypto->cipher_destroy(send[i]);
        crypto->cipher_destroy(receive[i]);
    }
    noise_init(&called, crypto, false, keys[1], publics[1], NULL, "q", 1);
    noise_init(&caller, crypto, true, keys[0], publics[0], publics[1], "p", 1);
    noise_write_first(&caller, NULL, 0, message);
    EQUAL(noise_read_first_key(&called, message, NOISE_FIRST_OVERHEAD), -1, "another prologue");
    noise_wipe(&caller);
    noise_wipe(&called);
    toycrypto_destroy(crypto);
}

int main(void)
{
    TEST(primitives);
    TEST(sealing);
    TEST(handshake);
    return tap_done();
}
