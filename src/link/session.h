/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One agreed pair of keys of a link: seals and opens packets. Which session is used when is
 * link_handshake.c's business; packet numbers are the link's (one space through all its sessions).
 */
#ifndef LINK_SESSION_H
#define LINK_SESSION_H

#include "link/noise.h"
#include "link/packet.h"

struct session {
    const struct seal_crypto *crypto;
    enum seal_mode mode;
    struct seal_cipher *send, *receive;
    uint32_t local_index;  /* how the peer names it to us */
    uint32_t remote_index; /* how we name it to the peer */
    bool is_caller;        /* we began the handshake */
    uint64_t created_ns;
    uint64_t sealed_packets, sealed_bytes;
};

/* From a finished handshake; NULL without memory. */
struct session *session_create(const struct noise *noise, enum seal_mode mode, bool is_caller,
                               uint32_t local_index, uint32_t remote_index, uint64_t now_ns);
void session_destroy(struct session *session);
/* Bytes that sealing adds behind the payload. */
size_t session_tag_bytes(const struct session *session);
/* Seals in place: |packet| has room for the header, then |length| bytes of payload, then the tag.
 * Returns the length of the packet, 0 when it failed. */
size_t session_seal(struct session *session, uint64_t number, uint8_t *packet, size_t length);
/* Opens a sealed packet; the payload is at |*payload|, in |plain| (as large as the packet) or
 * in the packet itself. Returns its length, or SIZE_MAX when it is not genuine. */
size_t session_open(struct session *session, uint64_t number, const uint8_t *packet, size_t length,
                    uint8_t *plain, const uint8_t **payload);
/* Time for new keys: by age, or well before the cipher's limit. */
bool session_is_worn(const struct session *session, uint64_t rekey_after_ns, uint64_t now_ns);
/* Beyond the limit: nothing may be sealed any more. */
bool session_is_spent(const struct session *session);

#endif
