/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Reaching a peer through another: see "Paths" in mesh.h. Three roles meet here.
 *
 * The one whose direct way fails puts its sealed datagrams into RELAY frames to a relay, naming
 * the peer by its key. The relay passes each on in a RELAYED frame, naming the sender, and cannot
 * read it. The peer takes it as a datagram that came from the address "through the relay" and
 * answers to there. So a relayed path is an address like any other, and is checked, followed and
 * left like one.
 *
 * The frames ask for acknowledgement and are never sent again: the congestion control of the
 * relay's own links bounds what is passed on, the two ends repeat what is lost (as RFC 9221 does).
 * What waits is little and soon too old. A datagram is relayed once: frames of either kind that
 * come through a relay are dropped, and a relay passes on over direct paths only, so nothing can
 * go round.
 */
#include "link/link.h"

#include "base/mem.h"

#include <string.h>

enum {
    PASSINGS_MAX = 32, /* waiting at one link */
    PASSING_PROBES_MAX = 3
};
#define PASSING_BYTES_MAX ((size_t)128 * 1024)       /* the same in bytes */
#define PASSING_MESH_BYTES_MAX ((size_t)4096 * 1024) /* and over all links */
#define PASSING_AGE_NS UINT64_C(1000000000)

/* A datagram out of a RELAYED frame, handled after the packet that it came in. */
struct relayed {
    struct list node; /* in mesh.relayed */
    struct mesh_address via;
    uint8_t name[FRAME_NAME_BYTES];
    uint32_t length;
    uint8_t bytes[];
};

/* ---- addresses that are relays ---- */

/* RFC 6666: the discard prefix, where no datagram ever comes from; and the relay's id. */
static const uint8_t via_prefix[8] = {1};

struct mesh_address mesh_address_via(const struct link *relay)
{
    struct mesh_address address = {.port = 0};
    memcpy(address.ip, via_prefix, sizeof(via_prefix));
    for (unsigned i = 0; i < 8; i++)
        address.ip[8 + i] = (uint8_t)(relay->peer >> (56 - 8 * i));
    return address;
}

static struct link *mesh_relay(const struct mesh *mesh, const struct mesh_address *via)
{
    uint64_t peer = 0;
    for (unsigned i = 0; i < 8; i++)
        peer = peer << 8 | via->ip[8 + i];
    return map_get(&mesh->links, peer);
}

struct link *link_relay(const struct link *link)
{
    const struct live *live = link->live;
    if (!live || !live->has_path || !mesh_address_is_via(&live->path))
        return NULL;
    return mesh_relay(link->mesh, &live->path);
}

/* Only a member passes on, only for a member, and only over a direct path. */
static bool link_may_pass(const struct link *link)
{
    const struct live *live = link->live;
    return link->psk_epoch != 0 && !link_is_over(link) &&
           !(live && live->has_path && mesh_address_is_via(&live->path)) &&
           !(live && live->loss.probe_count >= PASSING_PROBES_MAX);
}

static bool link_is_relay(const struct link *link)
{
    return link->live && link->live->current && link->state == LINK_UP && link_may_pass(link);
}

bool link_relay_works(const struct link *link)
{
    const struct link *relay = link_relay(link);
    return relay && link_is_relay(relay);
}

size_t link_relay_room(const struct link *link)
{
    const struct link *relay = link_relay(link);
    return relay && relay->live ? relay->live->mtu.current - RELAY_OVERHEAD_BYTES
                                : MTU_BASE - RELAY_OVERHEAD_BYTES;
}

/* ---- choosing ---- */

static bool is_before(const struct relay_rank *a, const struct relay_rank *b)
{
    return a->rtt_ns != b->rtt_ns ? a->rtt_ns < b->rtt_ns : a->peer < b->peer;
}

bool link_next_relay(struct link *link, struct mesh_address *via)
{
    const struct mesh *mesh = link->mesh;
    struct relay_rank *last = &link->live->relay_rank;
    struct relay_rank best = {UINT64_MAX, UINT64_MAX};
    const struct link *found = NULL;
    for (size_t i = 0; i < mesh->links.count; i++) {
        const struct link *other = mesh->links.entries[i].value;
        if (other == link || !link_is_relay(other) ||
            memcmp(other->public_key, link->public_key, SEAL_KEY_BYTES) == 0)
            continue;
        struct relay_rank rank = {other->live->rtt.smoothed_ns, other->peer};
        if (is_before(last, &rank) && is_before(&rank, &best)) {
            best = rank;
            found = other;
        }
    }
    *last = found ? best : (struct relay_rank){0};
    if (found)
        *via = mesh_address_via(found);
    return found != NULL;
}

/* ---- passing on ---- */

static void passing_drop(struct live *live, struct passing *passing)
{
    list_remove(&passing->node);
    live->passing_count--;
    live->passing_bytes -= passing->length + RELAY_OVERHEAD_BYTES;
    live->link->mesh->passing_bytes -= passing->length + RELAY_OVERHEAD_BYTES;
    mem_free(passing);
}

static struct passing *passing_first(const struct live *live)
{
    struct list *node = list_first(&live->passings);
    return node ? LIST_ENTRY(node, struct passing, node) : NULL;
}

static bool live_takes_passing(const struct live *live, size_t length)
{
    return live->passing_count < PASSINGS_MAX &&
           live->passing_bytes + length <= PASSING_BYTES_MAX &&
           live->link->mesh->passing_bytes + length <= PASSING_MESH_BYTES_MAX &&
           length + RELAY_OVERHEAD_BYTES <= live->mtu.current;
}

/* Queues a datagram at |link|; what does not fit is dropped and counted. */
static void link_pass(struct link *link, enum frame_type type, const uint8_t *name,
                      const uint8_t *bytes, size_t length, uint64_t now_ns)
{
    struct live *live = link_live(link, now_ns);
    struct passing *passing = live && live_takes_passing(live, length)
                                  ? mem_alloc(sizeof(*passing) + length)
                                  : NULL;
    if (!passing) {
        link->mesh->counters.relay_dropped++;
        return;
    }
    *passing = (struct passing){.since_ns = now_ns, .type = type, .length = (uint32_t)length};
    memcpy(passing->name, name, FRAME_NAME_BYTES);
    memcpy(passing->bytes, bytes, length);
    list_push_back(&live->passings, &passing->node);
    live->passing_count++;
    live->passing_bytes += length + RELAY_OVERHEAD_BYTES;
    link->mesh->passing_bytes += length + RELAY_OVERHEAD_BYTES;
    link_wake(link);
}

bool link_relay_is_full(struct link *link)
{
    struct link *relay = link_relay(link);
    if (!relay || !relay->live || relay->live->passing_count < PASSINGS_MAX / 4)
        return false;
    list_remove(&link->live->relay_wait);
    list_push_back(&relay->live->relay_waiters, &link->live->relay_wait);
    return true;
}

static void wake_waiters(struct live *live)
{
    struct list *node;
    while ((node = list_first(&live->relay_waiters))) {
        list_remove(node);
        link_wake(LIST_ENTRY(node, struct live, relay_wait)->link);
    }
}

void link_relay_send(struct link *link, const struct mesh_address *via, const uint8_t *bytes,
                     size_t length, uint64_t now_ns)
{
    struct mesh *mesh = link->mesh;
    struct link *relay = mesh_relay(mesh, via);
    if (!relay || !link_is_relay(relay)) {
        mesh->counters.relay_dropped++;
        return;
    }
    link_pass(relay, FRAME_RELAY, link->public_key, bytes, length, now_ns);
}

void link_drop_old_passings(struct link *link, uint64_t now_ns)
{
    struct live *live = link->live;
    struct passing *passing;
    while ((passing = passing_first(live)) &&
           (now_ns - passing->since_ns >= PASSING_AGE_NS ||
            (live->current && passing->length + RELAY_OVERHEAD_BYTES > live->mtu.current))) {
        link->mesh->counters.relay_dropped++;
        passing_drop(live, passing);
    }
}

bool link_fill_passings(struct link *link, struct wr *wr, uint64_t now_ns)
{
    struct live *live = link->live;
    struct mesh_counters *counters = &link->mesh->counters;
    struct passing *passing;
    bool any = false;
    link_drop_old_passings(link, now_ns);
    while ((passing = passing_first(live)) &&
           wr->capacity - wr->length >= FRAME_RELAY_OVERHEAD_MAX + passing->length) {
        frame_encode_relay(wr, passing->type, passing->name, passing->bytes, passing->length);
        if (passing->type == FRAME_RELAYED) {
            counters->forwarded_datagrams++;
            counters->forwarded_bytes += passing->length;
        } else {
            counters->relayed_out++;
        }
        passing_drop(live, passing);
        any = true;
    }
    if (live->passing_count < PASSINGS_MAX / 4)
        wake_waiters(live);
    return any;
}

void link_relay_init(struct live *live)
{
    list_init(&live->passings);
    list_init(&live->relay_waiters);
    list_init(&live->relay_wait);
}

void link_relay_fini(struct live *live)
{
    struct passing *passing;
    while ((passing = passing_first(live)))
        passing_drop(live, passing);
    wake_waiters(live);
    list_remove(&live->relay_wait);
}

/* ---- what comes ---- */

static bool looks_like_packet(const uint8_t *bytes, uint64_t length)
{
    return length >= PACKET_SEALED_HEADER_BYTES && bytes[0] >= PACKET_HELLO &&
           bytes[0] <= PACKET_SEALED;
}

static void relay_forward(struct link *from, const struct frame_relay *relay, uint64_t now_ns)
{
    struct mesh *mesh = from->mesh;
    struct link *to = map_get(&mesh->keys, mesh_key_prefix(relay->name));
    if (!to || to == from || !link_may_pass(to) || !link_may_pass(from) ||
        !looks_like_packet(relay->bytes, relay->length)) {
        mesh->counters.relay_dropped++;
        return;
    }
    link_pass(to, FRAME_RELAYED, from->public_key, relay->bytes, (size_t)relay->length, now_ns);
}

static void relayed_queue(struct link *relay, const struct frame_relay *frame)
{
    struct mesh *mesh = relay->mesh;
    struct relayed *relayed = NULL;
    if (link_may_pass(relay) && looks_like_packet(frame->bytes, frame->length))
        relayed = mem_alloc(sizeof(*relayed) + (size_t)frame->length);
    if (!relayed) {
        mesh->counters.relay_dropped++;
        return;
    }
    *relayed = (struct relayed){.via = mesh_address_via(relay), .length = (uint32_t)frame->length};
    memcpy(relayed->name, frame->name, FRAME_NAME_BYTES);
    memcpy(relayed->bytes, frame->bytes, relayed->length);
    list_init(&relayed->node);
    list_push_back(&mesh->relayed, &relayed->node);
}

void link_take_relay(struct link *link, enum frame_type type, const struct frame_relay *frame,
                     const struct mesh_address *from, uint64_t now_ns)
{
    if (mesh_address_is_via(from)) /* relayed once already */
        link->mesh->counters.relay_dropped++;
    else if (type == FRAME_RELAY)
        relay_forward(link, frame, now_ns);
    else
        relayed_queue(link, frame);
}

/* The relay says whose it is; who sealed it shows when it is opened. A HELLO names its sender only
 * inside. */
static bool relayed_is_of(const struct mesh *mesh, const struct relayed *relayed)
{
    if (relayed->bytes[0] == PACKET_HELLO)
        return true;
    struct rd rd = rd_init(relayed->bytes, relayed->length);
    (void)(relayed->bytes[0] == PACKET_SEALED ? rd_u8(&rd) : rd_u32(&rd));
    const struct link *link = map_get(&mesh->sessions, rd_u32(&rd));
    return link && memcmp(link->public_key, relayed->name, FRAME_NAME_BYTES) == 0;
}

void mesh_receive_relayed(struct mesh *mesh, uint64_t now_ns)
{
    struct list *node;
    while ((node = list_first(&mesh->relayed))) {
        struct relayed *relayed = LIST_ENTRY(node, struct relayed, node);
        list_remove(node);
        if (relayed_is_of(mesh, relayed)) {
            mesh->counters.relayed_in++;
            mesh_receive_packet(mesh, &relayed->via, relayed->bytes, relayed->length, now_ns);
        } else {
            mesh->counters.relay_dropped++;
        }
        mem_free(relayed);
    }
}
