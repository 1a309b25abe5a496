/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * All the links of one daemon: datagrams in, datagrams out, and above them for each peer one
 * ordered control lane and many ordered flows. The only header of this layer that its users need.
 *
 * Pure: no socket, no clock, no random source. The shell feeds datagrams (mesh_receive), pulls
 * datagrams (mesh_pull), takes what happened (mesh_next_event) and asks when to come back
 * (mesh_deadline). Time is |now_ns|, monotonic. The keys, the handshake and what protects what:
 * link/seal.h; packets and frames byte by byte: docs/protocol-link.md; decisions D5 and D6.
 *
 * A peer is named by an id that the caller chooses (the core's host epoch: a host that left and
 * came back is another peer). Control messages are delivered to the peer in order, exactly once,
 * as long as the peer lives, with priority over flows. A note is one small message that is sealed
 * and sent once: it may be lost, and is never acknowledged. A flow is named by (source,
 * destination) as 32-bit numbers and carries frames (1..MESH_FRAME_BYTES_MAX bytes each) in order,
 * exactly once; flows of a link share it fairly and know nothing of each other. Nothing is ordered
 * between lanes.
 *
 * A link that is quiet stays quiet: nothing is sent to find out whether the peer lives (that is
 * detect's), and MESH_DOWN comes only to who has something unacknowledged, or said goodbye. A link
 * that nobody used for a minute keeps little more than its numbers; the next word begins with a new
 * handshake, of which the user sees nothing but MESH_SESSION.
 *
 * Paths. A peer that cannot be reached directly is reached through others that can (D5): the
 * sealed datagrams for it go, inside sealed packets, to a third daemon that has links to both,
 * which passes them on and cannot read them. The mesh tries this by itself when the direct way
 * fails, and goes back when it works again.
 *
 * Credit. A receiver bounds what it holds: per flow MESH_FLOW_WINDOW_BYTES may be unconsumed
 * (mesh_flow_consume gives credit back), and over all peers what may be in flight stays below the
 * real receive buffer of the socket (receive_buffer_bytes), see link/credit.h.
 */
#ifndef LINK_MESH_H
#define LINK_MESH_H

#include "base/buf.h"
#include "base/log.h"
#include "link/seal.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    MESH_FRAME_BYTES_MAX = 128 * 1024,
    MESH_HEAD_BYTES_MAX = 31,
    MESH_CONTROL_BYTES_MAX = 16 * 1024 * 1024, /* one control message */
    MESH_DATAGRAM_BYTES_MIN = 640,             /* a note fits */
    MESH_DATAGRAM_BYTES_MAX = 65507,
    MESH_FLOW_WINDOW_BYTES = 1024 * 1024,     /* received and not yet consumed, per flow */
    MESH_PEER_WINDOW_BYTES = 8 * 1024 * 1024, /* the same over all flows of a peer */
    MESH_ADDRESSES_MAX = 8,
    MESH_NOTE_BYTES_MAX = 512,
    MESH_NOTES_WAITING = 4, /* per peer without a session */
    MESH_TOMBSTONE_BYTES_MAX = 64
};

/* Where a datagram goes or comes from: IPv6, or IPv4 mapped into it (RFC 4291 section 2.5.5.2). */
struct mesh_address {
    uint8_t ip[16];
    uint16_t port;     /* host byte order */
    uint32_t scope_id; /* for link-local IPv6, else 0 */
};

struct mesh_config {
    const struct seal_crypto *crypto;    /* the primitives: OpenSSL in life, a toy in simulations */
    uint8_t private_key[SEAL_KEY_BYTES]; /* X25519, of this start of the daemon */
    enum seal_mode mode;                 /* encrypt, integrity, off */
    size_t receive_buffer_bytes;         /* what the socket really has (SO_RCVBUF as read back) */
    size_t datagram_bytes_max;           /* never send larger ones; path discovery goes up to it.
                                       * MESH_DATAGRAM_BYTES_MIN..MESH_DATAGRAM_BYTES_MAX */
    uint64_t dead_after_ns;              /* no sign of life for this long while the peer owes an
                                       * answer: MESH_DOWN; 0 = never */
    uint64_t rekey_after_ns;             /* 1 hour in life */
    const struct log_sink *log;
};

struct mesh_peer_config {
    uint64_t peer; /* the caller's id */
    uint64_t self; /* what the peer calls us: its id for this daemon */
    uint8_t public_key[SEAL_KEY_BYTES];
    uint8_t psk[SEAL_KEY_BYTES];          /* of the virtual machine; zeros while joining */
    uint32_t psk_epoch;                   /* which psk; 0 while joining */
    const struct mesh_address *addresses; /* candidates, best first; none: wait to be called */
    size_t address_count;
};

enum mesh_event_kind {
    MESH_UP,         /* the first handshake is through, or the peer shows life after MESH_DOWN */
    MESH_DOWN,       /* the peer gave no sign of life for dead_after_ns, or said goodbye */
    MESH_CONTROL,    /* one control message: payload */
    MESH_FLOW_FRAME, /* one frame of flow (source, destination): payload */
    MESH_FLOW_ACKED, /* the peer has |bytes| more of what we wrote to the flow: room again */
    MESH_FLOW_RESET, /* the peer gave the flow up: what was not delivered is lost */
    MESH_NOTE,       /* one note: payload */
    MESH_TOMBSTONE,  /* the peer's guardian says that its daemon is dead */
    MESH_SESSION /* a new session stands, or the path changed: tombstones have to be made anew */
};

struct mesh_event {
    enum mesh_event_kind kind;
    uint64_t peer;
    uint32_t source;
    uint32_t destination;
    uint64_t bytes;
    const char *reason;   /* of MESH_DOWN: static text */
    struct slice payload; /* the receiver of the event drops it */
};

/* Counters for the console, the log and the tests; totals since the start. */
struct mesh_counters {
    uint64_t datagrams_in, datagrams_out, bytes_in, bytes_out;
    uint64_t packets_lost, packets_lost_spurious, probe_timeouts;
    uint64_t handshakes, rekeys;
    uint64_t dropped_malformed;       /* too short, unknown type, frames that do not decode */
    uint64_t dropped_unsealed;        /* authentication failed: wrong key, changed bit */
    uint64_t dropped_replayed;        /* replay window */
    uint64_t dropped_unknown;         /* unknown session, unknown key in a handshake */
    uint64_t relayed_in, relayed_out; /* our own datagrams that went through another daemon */
    uint64_t forwarded_datagrams, forwarded_bytes; /* those of others that we passed on */
    uint64_t relay_dropped; /* of both: no way, no room, too old, not allowed */
    uint64_t held_bytes;    /* now: written and unacknowledged plus received and unconsumed */
    uint64_t held_bytes_max;
    uint64_t flows; /* now: flows of both directions that have state */
};

struct mesh;

/* NULL without memory. The config is copied; crypto and log must outlive the mesh. */
struct mesh *mesh_create(const struct mesh_config *config, uint64_t now_ns);
void mesh_destroy(struct mesh *mesh);
const uint8_t *mesh_public_key(const struct mesh *mesh);

/* 0; -1 without memory or when the peer exists. No packet is sent before there is something to
 * say. */
int mesh_peer_add(struct mesh *mesh, const struct mesh_peer_config *config, uint64_t now_ns);
/* A changed psk: used from the next handshake on, which starts now; the session in use stays valid
 * until the new one stands. The previous psk is accepted for the time of one handshake. */
void mesh_peer_set_psk(struct mesh *mesh, uint64_t peer, const uint8_t *psk, uint32_t epoch,
                       uint64_t now_ns);
/* Forgets the peer at once, sending a sealed goodbye if |say_goodbye|. Unknown peers are ignored.
 * Events of the peer that are still queued are dropped. */
void mesh_peer_remove(struct mesh *mesh, uint64_t peer, bool say_goodbye, uint64_t now_ns);
bool mesh_peer_is_up(const struct mesh *mesh, uint64_t peer);
/* Round trip estimate, 0 when unknown. */
uint64_t mesh_peer_rtt_ns(const struct mesh *mesh, uint64_t peer);
/* True when the peer is reached through another: *|relay| is that one. */
bool mesh_peer_relay(const struct mesh *mesh, uint64_t peer, uint64_t *relay);
/* Bytes of control and flow data not yet acknowledged by the peer. */
uint64_t mesh_peer_unacked_bytes(const struct mesh *mesh, uint64_t peer);

/* Queues one control message (copied). 0; -1 unknown peer, no memory, or too long. Never blocks. */
int mesh_send_control(struct mesh *mesh, uint64_t peer, const void *bytes, size_t length,
                      uint64_t now_ns);
/* Sends one note of 1..MESH_NOTE_BYTES_MAX bytes (copied) as soon as may be, under no window.
 * Without a session it begins a handshake and waits for it; of those that wait the last
 * MESH_NOTES_WAITING stay. 0; -1 unknown peer, bad length, no memory. */
int mesh_send_note(struct mesh *mesh, uint64_t peer, const void *bytes, size_t length,
                   uint64_t now_ns);
/* The tombstone for |peer|: a sealed packet that says "the daemon that made this is dead", to be
 * sent by the guardian when that is so. Its number is one that no other packet ever has, so it can
 * be made while the daemon lives; it is good until the session changes (MESH_SESSION says so).
 * Writes at most MESH_TOMBSTONE_BYTES_MAX bytes and the address, returns the length; 0 = there is
 * no session, or the peer is reached through another, which the guardian cannot ask. */
size_t mesh_tombstone(struct mesh *mesh, uint64_t peer, struct mesh_address *to, uint8_t *bytes);
/* Queues one frame on the flow, taking a reference to |frame|. 0; -1 unknown peer, bad length, no
 * memory. Always accepted above that: the caller keeps itself to MESH_FLOW_WINDOW_BYTES by counting
 * MESH_FLOW_ACKED. */
int mesh_flow_write(struct mesh *mesh, uint64_t peer, uint32_t source, uint32_t destination,
                    struct slice frame, uint64_t now_ns);
/* The same for a frame whose first |head_length| (at most MESH_HEAD_BYTES_MAX) bytes, copied, lie
 * apart from the others: nothing else is copied before it is put into a datagram. */
int mesh_flow_write_headed(struct mesh *mesh, uint64_t peer, uint32_t source, uint32_t destination,
                           const void *head, size_t head_length, struct slice body,
                           uint64_t now_ns);
/* The receiver is done with |bytes| of frames it took from this flow: the sender gets credit. */
void mesh_flow_consume(struct mesh *mesh, uint64_t peer, uint32_t source, uint32_t destination,
                       uint64_t bytes, uint64_t now_ns);
/* Gives up an incoming flow (nobody will consume): the sender drops what it holds and is told. */
void mesh_flow_reset(struct mesh *mesh, uint64_t peer, uint32_t source, uint32_t destination,
                     uint64_t now_ns);

/* Feeds one datagram. Never fails: what is wrong only counts. */
void mesh_receive(struct mesh *mesh, const struct mesh_address *from, const uint8_t *bytes,
                  size_t length, uint64_t now_ns);
/* The network said that |to| cannot be reached (ICMP): only starts a probe. */
void mesh_unreachable(struct mesh *mesh, const struct mesh_address *to, uint64_t now_ns);
/* Writes the next datagram to send into |bytes| (capacity MESH_DATAGRAM_BYTES_MAX) and returns its
 * length, or 0 when nothing may be sent now. Call until 0 after any other call. */
size_t mesh_pull(struct mesh *mesh, struct mesh_address *to, uint8_t *bytes, uint64_t now_ns);
/* Takes the oldest event; false when there is none. */
bool mesh_next_event(struct mesh *mesh, struct mesh_event *event);
/* When mesh_expire() must be called next; UINT64_MAX = not before something else happens. */
uint64_t mesh_deadline(const struct mesh *mesh);
void mesh_expire(struct mesh *mesh, uint64_t now_ns);

const struct mesh_counters *mesh_counters(const struct mesh *mesh);

#endif
