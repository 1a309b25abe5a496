/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One link to one peer, seen from inside the layer. Users of the layer read mesh.h only.
 *
 * A link has two parts. What is always there (struct link) is small: a daemon knows every host,
 * and talks to few. All that a conversation needs (struct live) exists from the first thing said
 * or heard until nothing was said or heard for a minute. The code is in files by occasion:
 *   link.c            life, state table, timers
 *   link_handshake.c  calling, answering, sessions
 *   link_receive.c    a sealed packet comes in
 *   link_send.c       a packet goes out
 *   link_paths.c      addresses of the peer, proved before they are used
 *   link_relay.c      reaching a peer through another
 *   link_rest.c       a link that nobody uses for a minute
 *   link_flows.c      flows of both directions, acknowledgement of what packets carried
 */
#ifndef LINK_LINK_H
#define LINK_LINK_H

#include "base/heap.h"
#include "base/map.h"
#include "link/acks.h"
#include "link/congestion.h"
#include "link/credit.h"
#include "link/events.h"
#include "link/handshake.h"
#include "link/inlane.h"
#include "link/mesh.h"
#include "link/mtu.h"
#include "link/outlane.h"
#include "link/pacer.h"
#include "link/replay.h"
#include "link/session.h"

enum {
    CONTROL_UNIT_BYTES_MAX = MESH_CONTROL_BYTES_MAX + 1, /* one byte before the message: its kind */
    CONTROL_WINDOW_BYTES = 2 * CONTROL_UNIT_BYTES_MAX,
    LINK_FLOWS_MAX = 65536, /* per peer and direction */
    LINK_NOTES_MAX = 64,    /* waiting with a session: only while memory is short */
    LINK_RELAYS_MAX = 3,    /* tried at a time */
    LINK_CHECKS_MAX = 4,    /* addresses that are being proved */
    LINK_CANDIDATES_MAX = MESH_ADDRESSES_MAX + 2 + LINK_RELAYS_MAX,
    RELAY_OVERHEAD_BYTES = PACKET_OVERHEAD_BYTES + FRAME_RELAY_OVERHEAD_MAX,
    LINK_PROBES_PER_TIMEOUT = 2 /* RFC 9002 section 6.2.4 */
};

#define LINK_PREVIOUS_MIN_NS UINT64_C(1000000000)
#define LINK_FLOW_IDLE_NS UINT64_C(5000000000) /* a drained flow is forgotten after that */
/* Since the peer was last heard: at the first drained flows are ended, at the second keys are no
 * longer used for something new, at the third all that can be is forgotten: see link_rest.c. */
#define LINK_TIDY_NS UINT64_C(30000000000)
#define LINK_STALE_NS UINT64_C(50000000000)
#define LINK_REST_NS UINT64_C(60000000000)
#define LINK_NOTE_AGE_NS UINT64_C(2000000000) /* what waits for a session any longer is dropped */
#define LINK_PROBE_INTERVAL_MAX_NS UINT64_C(2000000000)
#define LINK_RETRY_NS UINT64_C(10000000) /* after memory was short */

/* X(state): the table of what happens when is in link.c. */
#define LINK_STATES(X) X(FRESH) X(UP) X(SILENT) X(CLOSED) X(DEAD)
enum link_state {
#define LINK_STATE_ENUM(name) LINK_##name,
    LINK_STATES(LINK_STATE_ENUM)
#undef LINK_STATE_ENUM
        LINK_STATE_COUNT
};

enum link_input {
    LINK_LIFE,
    LINK_SILENCE,
    LINK_GOODBYE,
    LINK_RENEWAL,
    LINK_DEATH, /* a tombstone */
    LINK_INPUT_COUNT
};

/* A handshake that we began. */
struct calling {
    struct noise noise;
    const struct seal_crypto *crypto;
    uint32_t local_index;
    uint8_t packet[HELLO_BYTES];
    bool send_now;
    bool has_extra; /* the next HELLO goes to |extra|: the peer was just heard from there */
    struct mesh_address extra;
    unsigned sent;    /* how often */
    unsigned round;   /* of all candidates, */
    size_t candidate; /* the next of them */
    uint64_t first_sent_ns;
    uint64_t made_ns; /* |packet| */
    uint64_t next_ns;
};

/* A handshake that the peer began: our answer, until the peer proves that it has it. */
struct answering {
    struct session *session;
    uint64_t remote_instance;
    uint64_t number;
    uint32_t credit; /* what the peer lets us have in flight */
    uint32_t epoch;
    uint8_t packet[ANSWER_BYTES];
    struct mesh_address to;
    bool send_now;
    unsigned sent;
    bool hold_is_over; /* we waited long enough for the proof before calling ourselves */
    uint64_t created_ns;
};

/* Proving that the peer is at an address. */
struct path_check {
    bool is_active;
    bool send_now;
    struct mesh_address address;
    uint8_t token[8];
    unsigned sent;
    uint64_t next_ns;
};

/* A note that waits to be sent. */
struct note {
    struct list node; /* in live.notes */
    uint64_t since_ns;
    uint32_t length;
    uint8_t bytes[];
};

/* How good a relay is, the best first. */
struct relay_rank {
    uint64_t rtt_ns, peer;
};

/* A datagram that waits to go along in a packet of the link. */
struct passing {
    struct list node; /* in live.passings */
    uint64_t since_ns;
    enum frame_type type;
    uint8_t name[FRAME_NAME_BYTES];
    uint32_t length;
    uint8_t bytes[];
};

struct outflow {
    struct outlane lane;
    struct link *link;
    struct list active; /* in live.active while it may have something to send */
    struct list idle;   /* in live.idle while all is acknowledged */
    struct list ending; /* in live.ending while a FLOW_END is to be sent */
    int64_t deficit;    /* of deficit round robin (Shreedhar and Varghese 1996) */
    bool is_ended;      /* no more writes; gone when the FLOW_END is acknowledged */
    bool is_dead;       /* only queued events keep it */
    uint64_t idle_since_ns;
    uint64_t acked_bytes; /* not yet told */
    struct event_node acked_event, reset_event;
};

struct inflow {
    struct inlane lane;
    struct list notice; /* in live.notices or live.lazy_notices: credit, or the reset */
    bool is_reset;
};

/* Sender's view of the credit at the peer. */
struct link_credit {
    uint64_t limit, sequence;
    uint64_t want_sequence;
    uint64_t want_told; /* the amount last asked for; 0 = nothing */
    bool want_now;
    bool has_more; /* the peer granted more than the standing share */
};

struct live {
    struct link *link;
    uint64_t instance, remote_instance; /* the latter 0 = unknown */
    uint64_t hello_number;              /* of our next HELLO */
    uint64_t hello_seen;                /* of the peer's last one, within |hello_instance| */
    uint64_t hello_instance;
    struct session *current, *previous;
    uint64_t previous_until_ns; /* UINT64_MAX until the peer uses |current| */
    struct calling *calling;
    struct answering *answering;
    uint64_t calling_pause_ns; /* no new call before */

    struct replay replay;
    struct acks acks;
    struct loss loss;
    struct rtt rtt;
    struct congestion congestion;
    struct pacer pacer;
    struct mtu mtu;

    bool has_path;
    struct mesh_address path;
    bool has_direct; /* |direct|: where the peer was reached last without a relay */
    struct mesh_address direct;
    struct path_check checks[LINK_CHECKS_MAX];
    uint64_t search_ns;    /* the path seems dead: when to try another; UINT64_MAX = it does not */
    unsigned search_count; /* tried since */
    uint64_t moves_ns;     /* goes ahead of the time by MOVE_INTERVAL_NS with each move */
    uint64_t direct_ns;    /* not before is the direct way tried from a relayed path */
    bool heard_via;        /* |via|: through which relay the peer was heard last */
    struct mesh_address via;
    struct mesh_address relays[LINK_RELAYS_MAX]; /* that a call goes through too */
    size_t relay_count;
    struct relay_rank relay_rank; /* of the relay tried last */
    struct list relay_wait;       /* in live.relay_waiters of our relay, while that has no room */
    struct list relay_waiters;    /* struct live of those that wait for us */
    struct list passings;         /* datagrams to go along, oldest first */
    unsigned passing_count;
    size_t passing_bytes;  /* with what is around them */
    bool passing_first;    /* before flows, in the next packet */
    uint64_t elsewhere_ns; /* since when the peer writes from another address; 0 = it does not */
    bool respond_now;      /* a PATH_RESPONSE is due */
    struct mesh_address respond_to;
    uint8_t respond_token[8];

    struct list notes; /* oldest first */
    unsigned note_count;
    struct outlane control;
    struct inlane control_in;
    bool control_notice;
    struct map outflows;      /* by id */
    struct map outflow_pairs; /* by (source, destination): the one that takes writes */
    struct map inflows, inflow_pairs;
    struct ranges inflows_ended;
    uint64_t next_flow_id;
    struct list active, idle, ending, notices, lazy_notices;
    struct outcredit peer_credit;
    uint64_t in_started, in_consumed, in_limit; /* the same for what comes in */
    bool peer_notice;
    uint64_t held_bytes; /* see mesh_counters */
    uint64_t out_bytes;  /* written and not acknowledged */

    struct link_credit credit;
    struct credit_share share;
    bool grant_now;

    unsigned probes; /* packets to send whatever the windows say */
    bool ping_now;
    uint64_t pace_ns;     /* when the pacer lets the next packet go; UINT64_MAX = not waiting */
    uint64_t retry_ns;    /* memory was short: try again then */
    uint64_t received_ns; /* last genuine packet */
    uint64_t sent_ns;     /* last sealed packet */
    bool is_tidy;         /* nothing to tidy since the peer was last heard */
    uint64_t asking_ns;   /* since when an answer is due; 0 = none is */
};

struct link {
    struct mesh *mesh;
    uint64_t peer, self;
    uint8_t public_key[SEAL_KEY_BYTES];
    uint8_t psk[SEAL_KEY_BYTES];
    uint32_t psk_epoch;
    uint8_t *previous_psk; /* SEAL_KEY_BYTES, until a handshake with the new one stands; or NULL */
    uint32_t previous_psk_epoch;
    struct mesh_address *addresses;
    size_t address_count;
    enum link_state state;
    struct live *live; /* NULL until something is said or heard, and while at rest */
    struct rest *rest; /* what stays of |live| while the link is at rest, else NULL */
    struct list ready; /* in mesh.ready while a pull is worth a try */
    struct heap_node timer;
    struct event_node up_event, down_event, session_event, tombstone_event;
};

/* A goodbye whose link is gone already. */
struct parting {
    struct list node;
    struct mesh_address to;
    size_t length;
    uint8_t packet[64];
};

/* A HELLO that was answered. It comes once more from each address of the caller, and again when the
 * answer is late: a machine with too much to do must not do a key exchange for each of these. */
enum { HELLOS_KNOWN = 256 };
struct hello_known {
    uint64_t hash; /* of the packet, under our public key; 0 = none */
    uint64_t peer;
    uint64_t instance;
    uint64_t number;
};

struct mesh {
    struct mesh_config config;
    uint8_t public_key[SEAL_KEY_BYTES];
    struct mesh_counters counters;
    struct map links;    /* by peer id */
    struct map keys;     /* by the first bytes of the public key: some link that has it */
    struct map sessions; /* by local index */
    struct heap timers;
    struct heap_node credit_timer;
    struct list ready, events, partings, relayed;
    size_t passing_bytes; /* of all links */
    struct credit credit;
    uint64_t hello_tokens, hello_tokens_ns; /* bounds the work that callers can cause */
    struct hello_known hellos[HELLOS_KNOWN]; /* the last of each hash */
};

/* link.c */
struct link *link_create(struct mesh *mesh, const struct mesh_peer_config *config);
void link_destroy(struct link *link);
/* Sessions, flows and all that is under way. */
void link_live_destroy(struct link *link);
/* The live part, made if need be; NULL without memory. */
struct live *link_live(struct link *link, uint64_t now_ns);
/* Feeds the state table, which queues the events. |reason| goes with a MESH_DOWN. */
void link_input(struct link *link, enum link_input input, const char *reason);
/* The peer lost its state: ours starts anew, the keys stay. */
void link_renew(struct link *link, uint64_t now_ns);
/* After a goodbye: nothing of the conversation is kept. */
void link_close(struct link *link, uint64_t now_ns);
/* Puts the link into the queue of those that mesh_pull() asks. */
void link_wake(struct link *link);
/* Sets the link's timer by all that is due. */
void link_schedule(struct link *link);
/* Does what is due. */
void link_expire(struct link *link, uint64_t now_ns);
void link_asks(struct link *link, uint64_t now_ns);
/* Nothing is said to the peer and nothing is heard of it. */
static inline bool link_is_over(const struct link *link)
{
    return link->state == LINK_CLOSED || link->state == LINK_DEAD;
}
/* Queues a note, dropping the oldest when there are too many. -1 without memory. */
int link_note(struct link *link, const void *bytes, size_t length, uint64_t now_ns);
/* Drops the oldest note. */
void link_note_drop(struct live *live);
/* How long the former session still receives: what is on its way, and a tombstone that could not
 * yet be made anew. */
static inline uint64_t link_previous_ns(const struct live *live)
{
    return MAX_OF(3 * rtt_probe_timeout_ns(&live->rtt), LINK_PREVIOUS_MIN_NS);
}
/* Bytes held for the peer changed; the second for those written and not acknowledged. */
void link_hold(struct link *link, uint64_t more_bytes, uint64_t less_bytes);
void link_out(struct link *link, uint64_t more_bytes, uint64_t less_bytes);
void event_init(struct event_node *event, enum mesh_event_kind kind, struct link *link,
                void *owner);
void event_queue(struct event_node *event);
bool mesh_address_is_same(const struct mesh_address *a, const struct mesh_address *b);
uint64_t mesh_key_prefix(const uint8_t *public_key);

/* link_handshake.c */
void link_call(struct link *link, uint64_t now_ns);
void link_calling_stop(struct link *link);
void link_answering_stop(struct link *link);
/* All sessions and handshakes go. */
void link_sessions_fini(struct link *link);
/* The sessions that are in use go. */
void link_sessions_drop(struct link *link);
void mesh_receive_hello(struct mesh *mesh, const struct mesh_address *from, const uint8_t *packet,
                        size_t length, uint64_t now_ns);
void mesh_receive_answer(struct mesh *mesh, const struct mesh_address *from, const uint8_t *packet,
                         size_t length, uint64_t now_ns);
/* A genuine packet came in the session of |answering|: it is the current one from now on. */
void link_confirm(struct link *link, const struct mesh_address *from, uint64_t now_ns);
/* The handshake packet to send now; 0 = none. */
size_t link_pull_handshake(struct link *link, struct mesh_address *to, uint8_t *bytes,
                           uint64_t now_ns);
void link_expire_handshake(struct link *link, uint64_t now_ns);
uint64_t link_handshake_deadline_ns(const struct link *link);

/* link_paths.c */
/* Where a HELLO may go, best first; at most LINK_CANDIDATES_MAX. */
size_t link_candidates(const struct link *link, const struct mesh_address **candidates);
void link_set_path(struct link *link, const struct mesh_address *path, uint64_t now_ns);
void link_check_path(struct link *link, const struct mesh_address *address);
bool link_is_checking(const struct live *live);
/* The peer sent a challenge's token back. */
void link_path_proved(struct link *link, const uint8_t *token, uint64_t now_ns);
/* The newest packet of the peer came from |from|. */
void link_follow_path(struct link *link, const struct mesh_address *from, uint64_t now_ns);
/* The path seems dead: look for another until the peer is heard. */
void link_search_path(struct link *link, uint64_t now_ns);
/* From a relayed path, now and then, whether the direct way works again. */
void link_try_direct(struct link *link, uint64_t now_ns);
/* Challenges and responses: length of the datagram, 0 = none. */
size_t link_pull_path(struct link *link, struct mesh_address *to, uint8_t *bytes, uint64_t now_ns);
void link_expire_paths(struct link *link, uint64_t now_ns);
uint64_t link_paths_deadline_ns(const struct link *link);

/* link_relay.c */
/* No datagram comes from port 0: such an address stands for "through that peer". */
static inline bool mesh_address_is_via(const struct mesh_address *address)
{
    return address->port == 0;
}
struct mesh_address mesh_address_via(const struct link *relay);
/* The link through which the path goes; NULL when it is direct, or the relay is no peer any more.
 * */
struct link *link_relay(const struct link *link);
bool link_relay_works(const struct link *link);
/* The largest datagram that goes through the relay. */
size_t link_relay_room(const struct link *link);
/* True when too much waits at the relay: the link is woken when there is room. */
bool link_relay_is_full(struct link *link);
/* The next best relay after the one before; false at the end, then from the best again. */
bool link_next_relay(struct link *link, struct mesh_address *via);
/* |bytes|, a datagram for |link|'s peer, goes through |via|, or is dropped. */
void link_relay_send(struct link *link, const struct mesh_address *via, const uint8_t *bytes,
                     size_t length, uint64_t now_ns);
/* Datagrams that are to go along in a packet of |link|. True when any did. */
bool link_fill_passings(struct link *link, struct wr *wr, uint64_t now_ns);
void link_drop_old_passings(struct link *link, uint64_t now_ns);
void link_take_relay(struct link *link, enum frame_type type, const struct frame_relay *frame,
                     const struct mesh_address *from, uint64_t now_ns);
void link_relay_init(struct live *live);
void link_relay_fini(struct live *live);
/* Handles the datagrams that RELAYED frames brought. */
void mesh_receive_relayed(struct mesh *mesh, uint64_t now_ns);

/* mesh.c */
void mesh_receive_packet(struct mesh *mesh, const struct mesh_address *from, const uint8_t *bytes,
                         size_t length, uint64_t now_ns);

/* link_receive.c */
void mesh_receive_sealed(struct mesh *mesh, const struct mesh_address *from, const uint8_t *packet,
                         size_t length, uint64_t now_ns);
/* Handles what is lost by now. */
void link_detect_losses(struct link *link, uint64_t now_ns);

/* link_send.c */
size_t link_pull(struct link *link, struct mesh_address *to, uint8_t *bytes, uint64_t now_ns);
/* A packet with nothing but |token|, that is not remembered; 0 when it could not be made. */
size_t link_pull_token(struct link *link, enum frame_type type, const uint8_t *token,
                       uint8_t *bytes, uint64_t now_ns);
/* A sealed GOODBYE; 0 when there is no session. */
size_t link_goodbye(struct link *link, uint8_t *bytes);
/* A sealed TOMBSTONE of ourselves; 0 when there is no session. */
size_t link_tombstone(struct link *link, uint8_t *bytes);

bool link_has_news(struct link *link);

/* link_rest.c */
uint64_t link_rest_deadline_ns(struct link *link);
/* True when the link went to rest: there is no live part any more. */
bool link_rest_expire(struct link *link, uint64_t now_ns);
/* Fills the new live part from the rest, which ends. */
void link_rest_restore(struct link *link);
void link_rest_fini(struct link *link);
uint64_t link_rest_rtt_ns(const struct link *link);
/* The peer may have gone to rest: the keys are not to be used for anything new. */
bool link_is_stale(const struct link *link, uint64_t now_ns);

/* link_flows.c */
int link_flows_write(struct link *link, uint32_t source, uint32_t destination, const void *head,
                     size_t head_length, struct slice body);
void link_flows_consume(struct link *link, uint32_t source, uint32_t destination, uint64_t bytes);
void link_flows_reset(struct link *link, uint32_t source, uint32_t destination);
void link_flows_fini(struct link *link);
/* Frames about flows: whether they may be applied; and their effect (-1 without memory). */
bool link_flow_data_check(struct link *link, const struct frame_data *data);
int link_flow_data_take(struct link *link, const struct frame_data *data);
void link_flow_limit(struct link *link, uint64_t lane, uint64_t limit);
void link_flow_was_reset(struct link *link, uint64_t lane);
int link_flow_end(struct link *link, uint64_t lane, uint64_t end);
/* Credit for the control lane after a message was taken. */
void link_control_consumed(struct link *link, uint64_t bytes);
/* Puts drained flows that nobody used for long into live->ending, looking at |most| of them. */
void link_flows_retire(struct link *link, unsigned most, uint64_t now_ns);
void link_packet_acked(struct link *link, struct sent_packet *packet, uint64_t now_ns);
void link_items_lost(struct link *link, const struct sent_item *items, uint32_t count);
void link_packet_free(struct sent_packet *packet);
void link_items_release(const struct sent_item *items, uint32_t count);
/* The owner of an event that was taken or dropped. */
void outflow_event_done(struct outflow *flow);
void outflow_wake(struct outflow *flow);

#endif
