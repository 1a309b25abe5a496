/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Sealing with one pair of keys: see the header.
 *
 * Limits: RFC 9001 appendix B.1.1 allows AES-GCM 2^23 packets of 2^14 bytes under one key. Ours
 * may be four times as long, so packets and bytes are both counted; new keys are asked for at half
 * of each. Against forgery the limit is 2^52 (B.1.2): out of reach for datagrams within the life
 * of a key.
 */
#include "link/session.h"

#include "base/mem.h"
#include "wire/rw.h"

#include <string.h>

#define SESSION_PACKETS_MAX ((uint64_t)1 << 23)
#define SESSION_BYTES_MAX ((uint64_t)1 << 37)

struct session *session_create(const struct noise *noise, enum seal_mode mode, bool is_caller,
                               uint32_t local_index, uint32_t remote_index, uint64_t now_ns)
{
    struct session *session = mem_calloc(1, sizeof(*session));
    if (!session)
        return NULL;
    *session = (struct session){.crypto = noise->crypto,
                                .mode = mode,
                                .local_index = local_index,
                                .remote_index = remote_index,
                                .is_caller = is_caller,
                                .created_ns = now_ns};
    if (noise_split(noise, &session->send, &session->receive) < 0) {
        mem_free(session);
        return NULL;
    }
    return session;
}

void session_destroy(struct session *session)
{
    if (!session)
        return;
    session->crypto->cipher_destroy(session->send);
    session->crypto->cipher_destroy(session->receive);
    mem_free(session);
}

size_t session_tag_bytes(const struct session *session)
{
    return session->mode == SEAL_OFF ? 0 : SEAL_TAG_BYTES;
}

size_t session_seal(struct session *session, uint64_t number, uint8_t *packet, size_t length)
{
    struct wr wr;
    int result = 0;
    wr_init_fixed(&wr, packet, PACKET_SEALED_HEADER_BYTES);
    wr_u8(&wr, PACKET_SEALED);
    wr_u32(&wr, session->remote_index);
    wr_u64(&wr, number);
    uint8_t *payload = packet + PACKET_SEALED_HEADER_BYTES;
    if (session->mode == SEAL_ENCRYPT)
        result = session->crypto->seal(session->send, number, packet, PACKET_SEALED_HEADER_BYTES,
                                       payload, length, payload);
    else if (session->mode == SEAL_INTEGRITY)
        result = session->crypto->seal(session->send, number, packet,
                                       PACKET_SEALED_HEADER_BYTES + length, payload + length, 0,
                                       payload + length);
    if (result < 0)
        return 0;
    session->sealed_packets++;
    session->sealed_bytes += length;
    return PACKET_SEALED_HEADER_BYTES + length + session_tag_bytes(session);
}

size_t session_open(struct session *session, uint64_t number, const uint8_t *packet, size_t length,
                    uint8_t *plain, const uint8_t **payload)
{
    size_t tag_bytes = session_tag_bytes(session);
    if (length < PACKET_SEALED_HEADER_BYTES + tag_bytes)
        return SIZE_MAX;
    size_t payload_length = length - PACKET_SEALED_HEADER_BYTES - tag_bytes;
    const uint8_t *sealed = packet + PACKET_SEALED_HEADER_BYTES;
    int result = 0;
    *payload = sealed;
    if (session->mode == SEAL_ENCRYPT) {
        *payload = plain;
        result = session->crypto->open(session->receive, number, packet, PACKET_SEALED_HEADER_BYTES,
                                       sealed, payload_length + tag_bytes, plain);
    } else if (session->mode == SEAL_INTEGRITY) {
        result = session->crypto->open(session->receive, number, packet, length - tag_bytes,
                                       sealed + payload_length, tag_bytes, plain);
    }
    return result < 0 ? SIZE_MAX : payload_length;
}

bool session_is_worn(const struct session *session, uint64_t rekey_after_ns, uint64_t now_ns)
{
    /* The called side waits a little longer, so that both do not begin at once. */
    uint64_t after_ns = rekey_after_ns;
    if (!session->is_caller)
        after_ns += rekey_after_ns / 8;
    return (rekey_after_ns && now_ns - session->created_ns >= after_ns) ||
           session->sealed_packets >= SESSION_PACKETS_MAX / 2 ||
           session->sealed_bytes >= SESSION_BYTES_MAX / 2;
}

bool session_is_spent(const struct session *session)
{
    return session->sealed_packets >= SESSION_PACKETS_MAX ||
           session->sealed_bytes >= SESSION_BYTES_MAX;
}
