/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The OpenSSL table: published vectors of each primitive and of the handshake, and two meshes that
 * run on it.
 *
 * Handshake vectors: cacophony (Haskell implementation of Noise, public domain),
 * vectors/cacophony.txt, github.com/haskell-cryptography/cacophony, commit
 * 36c1e5c3a799342b226547ce9fdb3579ab60ccd3, entries Noise_IKpsk2_25519_AESGCM_SHA256 and
 * Noise_IKpsk2_25519_ChaChaPoly_SHA256.
 */
#include "net.h"
#include "tap.h"

#include "base/str.h"
#include "crypto/crypto.h"
#include "link/noise.h"

static size_t from_hex(uint8_t *bytes, const char *hex)
{
    size_t length = strlen(hex) / 2;
    CHECK(str_from_hex(bytes, length, hex) == 0);
    return length;
}

static bool is_hex(const uint8_t *bytes, size_t length, const char *hex)
{
    uint8_t wanted[256];
    return from_hex(wanted, hex) == length && memcmp(bytes, wanted, length) == 0;
}

struct vector_message {
    const char *payload, *ciphertext;
};

static const char prologue_hex[] = "4a6f686e2047616c74";
static const char psk_hex[] = "54686973206973206d7920417573747269616e20706572737065637469766521";
static const char caller_static_hex[] =
    "e61ef9919cde45dd5f82166404bd08e38bceb5dfdfded0a34c8df7ed542214d1";
static const char caller_ephemeral_hex[] =
    "893e28b9dc6ca8d611ab664754b8ceb7bac5117349a4439a6b0569da977c464a";
static const char called_public_hex[] =
    "31e0303fd6418d2f8c0e78b91f22e8caed0fbe48656dcf4767e4834f701b8f62";
static const char called_static_hex[] =
    "4a3acbfdb163dec651dfa3194dece676d437029c62a408b4c5ea9114246e4893";
static const char called_ephemeral_hex[] =
    "bbdb4cdbd309f1a1f2e1456967fe288cadd6f712d65dc7b7793d5e63da6b375b";

static const struct vector_message aesgcm_messages[6] = {
    {"4c756477696720766f6e204d69736573",
     "ca35def5ae56cec33dc2036731ab14896bc4c75dbb07a61f879f8e3afa4c79445a1baf339186d7867062b0dd31f5"
     "de322d370165d217939b2b7ed9e2bae7840458ea65c2ce1554e0e8077fe7334c4bd514c658fd04d97b86d216f58f"
     "59714a7e24144155045c8f36bed85a2cb0fd9af7"},
    {"4d757272617920526f746862617264",
     "95ebc60d2b1fa672c1f46a8aa265ef51bfe38e7ccb39ec5be34069f1448088432fe8d675e949799d2a968211a66c"
     "c7ba2b0f4cad8eda3c2bd37eae737bbf88"},
    {"462e20412e20486179656b", "38cbf3835c78b7802df0dd0d9640ff8575debd0cb61cfb52590da1"},
    {"4361726c204d656e676572", "ffc365ff6955fc66c5d809b31ac995f812c5770bd29f0df12f0ffd"},
    {"4a65616e2d426170746973746520536179",
     "a7f2828174c4ead2491ffeb77c41c890fd1229ee36f23ccb9066a795daff1cad6b"},
    {"457567656e2042f6686d20766f6e2042617765726b",
     "3b86963d5c0e6e3b4153d77153836606393eefc4e5e6dae97796552d1265839ee3825cb80c"},
};

static const struct vector_message chachapoly_messages[6] = {
    {"4c756477696720766f6e204d69736573",
     "ca35def5ae56cec33dc2036731ab14896bc4c75dbb07a61f879f8e3afa4c79442ec9b09893d0f510791784c10cbc"
     "959f25b1766e0def6e301d14fbca1c7790ac829b8b3674f5f649a5f0e98479662cbfbf2b2c47cd4b09fcd266cd29"
     "d7cb675f1808849707847840f6d178ec4d3733aa"},
    {"4d757272617920526f746862617264",
     "95ebc60d2b1fa672c1f46a8aa265ef51bfe38e7ccb39ec5be34069f1448088439a1b3cebf680b2c74217fcb5eba4"
     "ff58a9468cd90c4aca6194f57479b379a7"},
    {"462e20412e20486179656b", "a8fde7a0accec190cd306c5950d4fd8e04a205ec288aa747d8b347"},
    {"4361726c204d656e676572", "59caddd9984a3bbe24c4fb31a2bd455b7eba3fa0980674b1a3a5f9"},
    {"4a65616e2d426170746973746520536179",
     "3b9bfebd210c22ba0cff9de79b4007d7a552fffbf92616881faa8a883e25b80258"},
    {"457567656e2042f6686d20766f6e2042617765726b",
     "f37512df1043d564d7c46ac85c53d3b6a9a05724bc297e7142808f217561651217fe85b782"},
};

static void start_side(struct noise *noise, const struct seal_crypto *crypto, bool is_caller)
{
    uint8_t prologue[32], private_key[32], public_key[32], called[32], ephemeral[32];
    size_t prologue_length = from_hex(prologue, prologue_hex);
    from_hex(private_key, is_caller ? caller_static_hex : called_static_hex);
    from_hex(called, called_public_hex);
    from_hex(ephemeral, is_caller ? caller_ephemeral_hex : called_ephemeral_hex);
    crypto->public_key(crypto->context, private_key, public_key);
    noise_init(noise, crypto, is_caller, private_key, public_key, is_caller ? called : NULL,
               prologue, prologue_length);
    noise_set_ephemeral(noise, ephemeral);
}

static void handshake_vector(const struct seal_crypto *crypto,
                             const struct vector_message *messages)
{
    struct noise caller, called;
    uint8_t psk[32], payload[64], message[256], read[256];
    struct seal_cipher *send[2], *receive[2];
    from_hex(psk, psk_hex);
    start_side(&caller, crypto, true);
    start_side(&called, crypto, false);
    size_t length = from_hex(payload, messages[0].payload);
    size_t sealed = length + NOISE_FIRST_OVERHEAD;
    OK(noise_write_first(&caller, payload, length, message) == 0 &&
           is_hex(message, sealed, messages[0].ciphertext),
       "the first message is the published one");
    OK(noise_read_first_key(&called, message, sealed) == 0 &&
           memcmp(called.remote_static, caller.static_public, SEAL_KEY_BYTES) == 0,
       "it names its sender");
    OK(noise_read_first_payload(&called, message, sealed, read) == 0 &&
           memcmp(read, payload, length) == 0,
       "and can be read");
    length = from_hex(payload, messages[1].payload);
    sealed = length + NOISE_SECOND_OVERHEAD;
    OK(noise_write_second(&called, psk, payload, length, message) == 0 &&
           is_hex(message, sealed, messages[1].ciphertext),
       "the second message is the published one");
    message[40] ^= 1;
    OK(noise_read_second(&caller, psk, message, sealed, read) < 0, "changed, it is refused");
    message[40] ^= 1;
    OK(noise_read_second(&caller, psk, message, sealed, read) == 0 &&
           memcmp(read, payload, length) == 0,
       "as it was, it can still be read");
    noise_split(&caller, &send[0], &receive[0]);
    noise_split(&called, &send[1], &receive[1]);
    for (unsigned i = 2; i < 6; i++) {
        unsigned side = i % 2;
        length = from_hex(payload, messages[i].payload);
        crypto->seal(send[side], i / 2 - 1, NULL, 0, payload, length, message);
        OK(is_hex(message, length + SEAL_TAG_BYTES, messages[i].ciphertext), "a transport message");
        OK(crypto->open(receive[1 - side], i / 2 - 1, NULL, 0, message, length + SEAL_TAG_BYTES,
                        read) == 0 &&
               memcmp(read, payload, length) == 0,
           "opened by the other side");
    }
    for (unsigned i = 0; i < 2; i++) {
        crypto->cipher_destroy(send[i]);
        crypto->cipher_destroy(receive[i]);
    }
}

static void noise_vectors(void)
{
    handshake_vector(crypto_openssl_with("AESGCM"), aesgcm_messages);
    handshake_vector(crypto_openssl_with("ChaChaPoly"), chachapoly_messages);
}

static void tables(void)
{
    const struct seal_crypto *crypto = crypto_openssl();
    OK(crypto && crypto->alternative && crypto->alternative->alternative == crypto,
       "there are two tables");
    OK(crypto_openssl_with("none") == NULL, "and no third");
}

/* FIPS 180-2 appendix B.1, RFC 4231 test cases 1 and 2 (their keys end in zeros here). */
static void hashes(void)
{
    const struct seal_crypto *crypto = crypto_openssl();
    uint8_t digest[32], key[32] = {0};
    crypto->hash(crypto->context, "a", 1, "bc", 2, digest);
    OK(is_hex(digest, 32, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
       "SHA-256 of abc, in two parts");
    memset(key, 0x0b, 20);
    crypto->hmac(crypto->context, key, "Hi ", 3, "There", 5, digest);
    OK(is_hex(digest, 32, "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"),
       "HMAC, RFC 4231 case 1");
    memset(key, 0, sizeof(key));
    memcpy(key, "Jefe", 4);
    crypto->hmac(crypto->context, key, "what do ya want for nothing?", 28, NULL, 0, digest);
    OK(is_hex(digest, 32, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"),
       "HMAC, RFC 4231 case 2");
}

/* RFC 7748 section 6.1: Bob's keys, and Alice's public one. */
static void key_exchange(void)
{
    const struct seal_crypto *crypto = crypto_openssl();
    uint8_t bob[32], other_public[32], shared[32], public_key[32];
    from_hex(bob, "5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb");
    from_hex(other_public, "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a");
    OK(crypto->public_key(crypto->context, bob, public_key) == 0 &&
           is_hex(public_key, 32,
                  "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f"),
       "the public key of RFC 7748");
    OK(crypto->dh(crypto->context, bob, other_public, shared) == 0 &&
           is_hex(shared, 32, "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742"),
       "the shared secret of RFC 7748");
    memset(other_public, 0, sizeof(other_public));
    EQUAL(crypto->dh(crypto->context, bob, other_public, shared), -1,
          "a public key of small order is refused");
}

static void sealing(void)
{
    static const char *const names[] = {"AESGCM", "ChaChaPoly"};
    uint8_t key[32] = {1, 2, 3}, plain[100] = {4}, sealed[116], opened[100];
    for (unsigned i = 0; i < 2; i++) {
        const struct seal_crypto *crypto = crypto_openssl_with(names[i]);
        struct seal_cipher *cipher = crypto->cipher_create(crypto->context, key);
        crypto->seal(cipher, 7, "head", 4, plain, sizeof(plain), sealed);
        OK(crypto->open(cipher, 7, "head", 4, sealed, sizeof(sealed), opened) == 0 &&
               memcmp(opened, plain, sizeof(plain)) == 0,
           names[i]);
        EQUAL(crypto->open(cipher, 8, "head", 4, sealed, sizeof(sealed), opened), -1, "nonce");
        EQUAL(crypto->open(cipher, 7, "Head", 4, sealed, sizeof(sealed), opened), -1, "header");
        EQUAL(crypto->open(cipher, 7, "head", 4, sealed, 15, opened), -1, "too short");
        bool all_refused = true;
        for (size_t bit = 0; bit < 8 * sizeof(sealed); bit++) {
            sealed[bit / 8] ^= (uint8_t)(1u << bit % 8);
            all_refused &= crypto->open(cipher, 7, "head", 4, sealed, sizeof(sealed), opened) < 0;
            sealed[bit / 8] ^= (uint8_t)(1u << bit % 8);
        }
        OK(all_refused, "every changed bit is found");
        memcpy(sealed, plain, sizeof(plain));
        crypto->seal(cipher, 9, NULL, 0, sealed, sizeof(plain), sealed);
        OK(crypto->open(cipher, 9, NULL, 0, sealed, sizeof(sealed), sealed) == 0 &&
               memcmp(sealed, plain, sizeof(plain)) == 0,
           "in place");
        crypto->seal(cipher, 10, "only", 4, plain, 0, sealed);
        OK(crypto->open(cipher, 10, "only", 4, sealed, SEAL_TAG_BYTES, opened) == 0, "header only");
        crypto->cipher_destroy(cipher);
    }
}

/* Each side prefers another cipher: the caller's is used. */
static void meshes(void)
{
    static const char *const names[3][2] = {
        {"AESGCM", "AESGCM"}, {"ChaChaPoly", "ChaChaPoly"}, {"ChaChaPoly", "AESGCM"}};
    for (unsigned round = 0; round < 3; round++) {
        struct net net;
        net_init(&net, 2, 1);
        for (unsigned i = 0; i < 2; i++) {
            struct mesh_config config = net_config(&net, i);
            config.crypto = crypto_openssl_with(names[round][i]);
            config.crypto->random_bytes(config.crypto->context, config.private_key, 32);
            net_start(&net, i, &config);
        }
        net_join(&net, 0, 1);
        net.loss_ppm = net.repeat_ppm = net.flip_ppm = 50000;
        for (unsigned i = 0; i < 100; i++)
            net_write(&net, 0, 1, 1, 10000, i);
        net_say(&net, 1, 0, "hello");
        OK(net_await(&net, &net.nodes[1].frames, 100, 20 * SECOND), "frames over real seals");
        OK(net_await(&net, &net.nodes[0].controls, 1, SECOND), "control over real seals");
        OK(mesh_counters(net.nodes[1].mesh)->dropped_unsealed > 0, "changed bits were found");
        struct mesh_address to;
        uint8_t tombstone[MESH_TOMBSTONE_BYTES_MAX];
        size_t length = mesh_tombstone(net.nodes[0].mesh, net_id(1), &to, tombstone);
        tombstone[length - 1] ^= 1;
        mesh_receive(net.nodes[1].mesh, &net.nodes[0].address, tombstone, length, net.now_ns);
        tombstone[length - 1] ^= 1;
        net_run(&net, 0);
        EQUAL(net.nodes[1].tombstones, 0, "a changed tombstone is none");
        mesh_receive(net.nodes[1].mesh, &net.nodes[0].address, tombstone, length, net.now_ns);
        net_run(&net, 0);
        EQUAL(net.nodes[1].tombstones, 1, "the genuine one is");
        net_fini(&net);
    }
    EQUAL(buf_live_count(), 0, "no buffer is left");
}

int main(void)
{
    TEST(tables);
    TEST(noise_vectors);
    TEST(hashes);
    TEST(key_exchange);
    TEST(sealing);
    TEST(meshes);
    return tap_done();
}
