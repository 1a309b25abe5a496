/* SPDX-License-Identifier: BSD-3-Clause */
/* HELLO and ANSWER: see the header. */
#include "link/handshake.h"

#include "base/check.h"
#include "wire/rw.h"

#include <string.h>

static const char prologue[] = "PVM link 1";
static const char mac_label[] = "PVM link hello";

static const struct {
    const char *cipher_name;
    uint8_t suite;
} suites[] = {{"AESGCM", 1}, {"ChaChaPoly", 2}, {"Toy", 255}};

uint8_t handshake_suite(const struct seal_crypto *crypto)
{
    for (size_t i = 0; i < ARRAY_LEN(suites); i++) {
        if (strcmp(suites[i].cipher_name, crypto->cipher_name) == 0)
            return suites[i].suite;
    }
    return 0;
}

const struct seal_crypto *handshake_crypto(const struct seal_crypto *crypto, uint8_t suite)
{
    if (handshake_suite(crypto) == suite)
        return crypto;
    if (crypto->alternative && handshake_suite(crypto->alternative) == suite)
        return crypto->alternative;
    return NULL;
}

int handshake_init(struct noise *noise, const struct seal_crypto *crypto, bool is_caller,
                   const uint8_t *static_private, const uint8_t *static_public,
                   const uint8_t *remote_static)
{
    return noise_init(noise, crypto, is_caller, static_private, static_public, remote_static,
                      prologue, sizeof(prologue) - 1);
}

static void hello_mac(const struct seal_crypto *crypto, const uint8_t *called_public,
                      const uint8_t *packet, uint8_t *mac)
{
    uint8_t key[SEAL_HASH_BYTES];
    crypto->hash(crypto->context, mac_label, sizeof(mac_label) - 1, called_public, SEAL_KEY_BYTES,
                 key);
    crypto->hmac(crypto->context, key, packet, HELLO_BYTES - HELLO_MAC_BYTES, NULL, 0, mac);
}

static void hello_encode(struct wr *wr, const struct hello *hello)
{
    wr_u64(wr, hello->from);
    wr_u64(wr, hello->to);
    wr_u64(wr, hello->instance);
    wr_u64(wr, hello->number);
    wr_u8(wr, hello->mode);
    wr_u32(wr, hello->credit);
    wr_u8(wr, hello->epoch_count);
    for (size_t i = 0; i < HANDSHAKE_EPOCHS_MAX; i++)
        wr_u32(wr, i < hello->epoch_count ? hello->epochs[i] : 0);
}

int hello_write(struct noise *noise, uint32_t sender_index, const struct hello *hello,
                uint8_t *packet)
{
    uint8_t payload[HELLO_PAYLOAD_BYTES], mac[SEAL_HASH_BYTES];
    struct wr header, body;
    wr_init_fixed(&header, packet, HELLO_HEADER_BYTES);
    wr_u8(&header, PACKET_HELLO);
    wr_u8(&header, PACKET_VERSION);
    wr_u8(&header, handshake_suite(noise->crypto));
    wr_u8(&header, 0);
    wr_u32(&header, sender_index);
    wr_init_fixed(&body, payload, sizeof(payload));
    hello_encode(&body, hello);
    CHECK(!header.bad && !body.bad && body.length == sizeof(payload));
    if (noise_write_first(noise, payload, sizeof(payload), packet + HELLO_HEADER_BYTES) < 0)
        return -1;
    hello_mac(noise->crypto, noise->remote_static, packet, mac);
    memcpy(packet + HELLO_BYTES - HELLO_MAC_BYTES, mac, HELLO_MAC_BYTES);
    return 0;
}

/* Without an early end: the time taken must not tell how many bytes were right. */
static bool mac_is_same(const uint8_t *a, const uint8_t *b)
{
    uint8_t difference = 0;
    for (size_t i = 0; i < HELLO_MAC_BYTES; i++)
        difference |= a[i] ^ b[i];
    return difference == 0;
}

int hello_check(const struct seal_crypto *crypto, const uint8_t *own_public, const uint8_t *packet,
                size_t length, uint8_t *suite, uint32_t *sender_index)
{
    uint8_t mac[SEAL_HASH_BYTES];
    struct rd rd = rd_init(packet, length);
    if (length != HELLO_BYTES || rd_u8(&rd) != PACKET_HELLO || rd_u8(&rd) != PACKET_VERSION)
        return -1;
    *suite = rd_u8(&rd);
    (void)rd_u8(&rd);
    *sender_index = rd_u32(&rd);
    hello_mac(crypto, own_public, packet, mac);
    return mac_is_same(mac, packet + HELLO_BYTES - HELLO_MAC_BYTES) ? 0 : -1;
}

int hello_read_key(struct noise *noise, const uint8_t *packet)
{
    return noise_read_first_key(noise, packet + HELLO_HEADER_BYTES,
                                HELLO_BYTES - HELLO_HEADER_BYTES - HELLO_MAC_BYTES);
}

int hello_read(struct noise *noise, const uint8_t *packet, struct hello *hello)
{
    uint8_t payload[HELLO_PAYLOAD_BYTES];
    if (noise_read_first_payload(noise, packet + HELLO_HEADER_BYTES,
                                 HELLO_BYTES - HELLO_HEADER_BYTES - HELLO_MAC_BYTES, payload) < 0)
        return -1;
    struct rd rd = rd_init(payload, sizeof(payload));
    hello->from = rd_u64(&rd);
    hello->to = rd_u64(&rd);
    hello->instance = rd_u64(&rd);
    hello->number = rd_u64(&rd);
    hello->mode = rd_u8(&rd);
    hello->credit = rd_u32(&rd);
    hello->epoch_count = rd_u8(&rd);
    for (size_t i = 0; i < HANDSHAKE_EPOCHS_MAX; i++)
        hello->epochs[i] = rd_u32(&rd);
    bool valid = rd_done(&rd) && hello->instance != 0 && hello->mode <= SEAL_OFF &&
                 hello->epoch_count >= 1 && hello->epoch_count <= HANDSHAKE_EPOCHS_MAX;
    return valid ? 0 : -1;
}

int answer_packet_write(struct noise *noise, const uint8_t *psk, uint32_t epoch,
                        uint32_t receiver_index, const struct answer *answer, uint8_t *packet)
{
    uint8_t payload[ANSWER_PAYLOAD_BYTES];
    struct wr header, body;
    wr_init_fixed(&header, packet, ANSWER_HEADER_BYTES);
    wr_u8(&header, PACKET_ANSWER);
    wr_u8(&header, PACKET_VERSION);
    wr_u8(&header, handshake_suite(noise->crypto));
    wr_u8(&header, 0);
    wr_u32(&header, receiver_index);
    wr_u32(&header, epoch);
    wr_init_fixed(&body, payload, sizeof(payload));
    wr_u64(&body, answer->instance);
    wr_u8(&body, answer->mode);
    wr_u32(&body, answer->credit);
    wr_u32(&body, answer->index);
    CHECK(!header.bad && !body.bad);
    return noise_write_second(noise, psk, payload, sizeof(payload), packet + ANSWER_HEADER_BYTES);
}

int answer_peek(const uint8_t *packet, size_t length, uint32_t *receiver_index, uint32_t *epoch)
{
    struct rd rd = rd_init(packet, length);
    if (length != ANSWER_BYTES || rd_u8(&rd) != PACKET_ANSWER || rd_u8(&rd) != PACKET_VERSION)
        return -1;
    (void)rd_u16(&rd);
    *receiver_index = rd_u32(&rd);
    *epoch = rd_u32(&rd);
    return 0;
}

int answer_read(struct noise *noise, const uint8_t *psk, const uint8_t *packet,
                struct answer *answer)
{
    uint8_t payload[ANSWER_PAYLOAD_BYTES];
    if (noise_read_second(noise, psk, packet + ANSWER_HEADER_BYTES,
                          ANSWER_BYTES - ANSWER_HEADER_BYTES, payload) < 0)
        return -1;
    struct rd rd = rd_init(payload, sizeof(payload));
    answer->instance = rd_u64(&rd);
    answer->mode = rd_u8(&rd);
    answer->credit = rd_u32(&rd);
    answer->index = rd_u32(&rd);
    return answer->instance != 0 && answer->mode <= SEAL_OFF ? 0 : -1;
}
