/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * From a message to frames (API-47 to API-49): each send takes the next sequence of its pair
 * (decision D4) and shares the fragments with the outbox; a multicast is one message with a list of
 * pairs.
 */
#include "base/mem.h"
#include "client/state.h"

#include <string.h>

enum { MCAST_ENTRIES_MAX = 5000 }; /* a list and a message head fit one frame */
_Static_assert(4 + MCAST_ENTRIES_MAX * MCAST_ENTRY_BYTES + MESSAGE_HEAD_BYTES <=
                   FRAME_BODY_BYTES_MAX,
               "the first frame of a multicast holds its whole list");

enum { TRACE_TID = -1111, TRACE_CODE = -2222, OPTION_RESERVED_TIDS = 11 };

static struct message_head head_of(const struct client *client, const struct msg *msg, int tag)
{
    const bool in_place = msg->encoding == ENCODING_IN_PLACE;
    return (struct message_head){
        .encoding = in_place ? client->config.signature : msg->encoding,
        .tag = tag,
        .context = (uint32_t)client->thread->context,
        .wait_id = (uint32_t)msg->wait_id,
        .length = msg->length,
    };
}

/* Many small pieces, or pieces of the program's memory that will not stay. */
static bool must_gather(const struct client *client, const struct msg *msg)
{
    size_t small = 0;
    for (size_t i = 0; i < msg->fragment_count; i++) {
        const struct fragment *fragment = &msg->fragments[i];
        if (fragment->kind == FRAGMENT_IN_PLACE && client->config.copy_in_place)
            return true;
        small += fragment->slice.length <= MSG_COPIED_BYTES;
    }
    return small > 2;
}

/* The same body in better pieces; NULL without memory. */
static struct msg *gather(const struct client *client, const struct msg *msg)
{
    struct msg *gathered = msg_create(NULL, msg->encoding);
    if (gathered &&
        msg_append_body(gathered, msg, MSG_COPIED_BYTES, !client->config.copy_in_place) < 0) {
        msg_destroy(gathered);
        return NULL;
    }
    return gathered;
}

/* Frames of at most FRAME_BODY_BYTES_MAX; the first has |first_room| bytes for data. A frame is
 * never made of two fragments, so that nothing is copied. With |put| false they are only
 * counted. */
static size_t cut(struct client *client, const struct msg *msg, struct frame_header *header,
                  const struct message_head *head, struct slice list, bool put)
{
    size_t frames = 0, left = msg->length, index = 0, offset = 0;
    size_t room = FRAME_BODY_BYTES_MAX - MESSAGE_HEAD_BYTES - list.length;
    do {
        struct slice data = {0};
        while (index < msg->fragment_count && offset == msg->fragments[index].slice.length) {
            index++;
            offset = 0;
        }
        if (index < msg->fragment_count) {
            const struct slice *piece = &msg->fragments[index].slice;
            const size_t length = MIN_OF(piece->length - offset, room);
            /* A list with much data behind it goes alone: what follows stays whole fragments. */
            if (frames == 0 && list.length && length < piece->length - offset)
                data = (struct slice){0};
            else if (put)
                data = slice_part(*piece, offset, length);
            else
                data.length = length;
            offset += data.length;
            left -= data.length;
        }
        if (put) {
            header->flags = (uint8_t)((frames == 0 ? FRAME_FIRST : 0) |
                                      (left == 0 ? FRAME_LAST : 0));
            const bool is_small = data.length > 0 && msg->first.kind == FRAGMENT_SMALL &&
                                  msg->fragments == &msg->first;
            out_put(&client->out, header, frames == 0 ? head : NULL,
                    frames == 0 ? list : (struct slice){0}, data, is_small);
        }
        frames++;
        room = FRAME_BODY_BYTES_MAX;
    } while (left > 0);
    return frames;
}

/* ---- as frames ---- */

static int frames_send(struct client *client, const struct msg *msg, uint64_t sequence, int tid,
                       const struct message_head *head)
{
    struct msg *gathered = NULL;
    if (must_gather(client, msg)) {
        gathered = gather(client, msg);
        if (!gathered)
            return CLIENT_PvmNoMem;
        msg = gathered;
    }
    struct frame_header header = {.kind = FRAME_DATA,
                                  .source = (uint32_t)client->identity.tid,
                                  .destination = (uint32_t)tid,
                                  .sequence = sequence};
    const struct slice none = {0};
    int status = 0;
    if (out_reserve(&client->out, cut(client, msg, &header, head, none, false)) < 0)
        status = CLIENT_PvmNoMem;
    else
        cut(client, msg, &header, head, none, true);
    msg_destroy(gathered);
    return status;
}

/* ---- by a route ---- */

enum { PIECES_ON_STACK = 16 };

/* Gives |parcel| the body of |msg| and hands it over. As client_routes.send. */
static int parcel_send(struct client *client, void *route, struct parcel *parcel,
                       const struct msg *msg)
{
    const struct client_routes *routes = &client->config.routes;
    parcel->length = msg->length;
    if (msg->fragment_count <= 1 && !msg->first.slice.buf) {
        parcel->bytes = msg->fragment_count ? msg->first.slice.data : msg->small;
        return routes->send(routes->context, route, parcel);
    }
    struct slice some[PIECES_ON_STACK], *pieces = some;
    if (msg->fragment_count > PIECES_ON_STACK &&
        !(pieces = mem_alloc(msg->fragment_count * sizeof(*pieces))))
        return CLIENT_PvmNoMem;
    for (size_t i = 0; i < msg->fragment_count; i++)
        pieces[i] = msg->fragments[i].slice;
    parcel->pieces = pieces;
    parcel->piece_count = msg->fragment_count;
    const int status = routes->send(routes->context, route, parcel);
    if (pieces != some)
        mem_free(pieces);
    return status;
}

static struct parcel parcel_of(const struct message_head *head, int party, uint64_t sequence)
{
    return (struct parcel){.tag = head->tag,
                           .context = head->context,
                           .encoding = head->encoding,
                           .wait_id = head->wait_id,
                           .party = (uint32_t)party,
                           .sequence = sequence};
}

/* Asks for a route when there is enough to say (docs/datapath.md). */
static void want_route(struct client *client, struct peer *peer, int tid, size_t length)
{
    enum { LARGE_BYTES = 16 * 1024 };
    const struct client_routes *routes = &client->config.routes;
    if (!routes->wanted || (peer->sent == 0 && length < LARGE_BYTES))
        return;
    const struct client_identity *identity = &client->identity;
    if (!peer->route_wanted && tid != identity->tid &&
        ((tid ^ identity->tid) & (int)TID_HOST) == 0) {
        peer->route_wanted = true;
        routes->wanted(routes->context, tid);
    }
    if (!client->daemon_route_wanted) {
        client->daemon_route_wanted = true;
        routes->wanted(routes->context, identity->daemon_tid);
    }
}

int client_set_route(struct client *client, int tid, void *route)
{
    if (tid == client->identity.daemon_tid) {
        client->daemon_route = route;
        return 0;
    }
    struct peer *peer = peer_get(client, tid);
    if (!peer)
        return CLIENT_PvmNoMem;
    peer->route = route;
    return 0;
}

/* ---- one message to one task ---- */

static void peer_sent(struct peer *peer)
{
    peer->sent++;
    peer->has_ended = peer->was_told = false; /* whoever is asked may answer */
}

/* The next message of the pair, by the best way there is. */
static int send_to(struct client *client, struct peer *peer, const struct msg *msg, int tid,
                   const struct message_head *head)
{
    int status = 0;
    void *route = peer->route ? peer->route : client->daemon_route;
    if (!peer->route)
        want_route(client, peer, tid, msg->length);
    if (route) {
        struct parcel parcel = parcel_of(head, peer->route ? 0 : tid, peer->sent + 1);
        status = parcel_send(client, route, &parcel, msg);
    }
    if (status == 0)
        status = frames_send(client, msg, peer->sent + 1, tid, head);
    if (status < 0)
        return status;
    peer_sent(peer);
    return 0;
}

int send_msg(struct client *client, struct msg *msg, int tid, int tag)
{
    struct peer *peer = peer_get(client, tid);
    if (!peer)
        return CLIENT_PvmNoMem;
    const struct message_head head = head_of(client, msg, tag);
    const int status = send_to(client, peer, msg, tid, &head);
    if (status == 0) {
        msg->tag = tag;
        msg->context = client->thread->context;
        msg->destination = tid;
        queue_changed(&client->queue, msg);
    }
    return status;
}

int client_send(struct client *client, int tid, int tag)
{
    /* An event of the user's own for the tracer: nobody traces. */
    if (tid == TRACE_TID && tag == TRACE_CODE)
        return 0;
    if ((!tid_is_task(tid) || tag < 0) && !opts_value(client, OPTION_RESERVED_TIDS))
        return CLIENT_PvmBadParam;
    struct msg *msg = bufs_find(client, client->thread->send_mid);
    if (!msg)
        return CLIENT_PvmNoBuf;
    if (client->identity.tid == 0)
        return CLIENT_PvmSysErr;
    return send_msg(client, msg, tid, tag);
}

/* ---- multicast ---- */

static void tids_sort(uint32_t *tids, size_t count)
{
    /* Heap sort: no recursion, no allocation, no qsort() of the system whose order could differ. */
    for (size_t end = count, root = count / 2; end > 1;) {
        if (root > 0) {
            root--;
        } else {
            end--;
            const uint32_t last = tids[end];
            tids[end] = tids[0];
            tids[0] = last;
        }
        const uint32_t value = tids[root];
        size_t hole = root;
        for (size_t child = 2 * hole + 1; child < end; child = 2 * hole + 1) {
            if (child + 1 < end && tids[child + 1] > tids[child])
                child++;
            if (tids[child] <= value)
                break;
            tids[hole] = tids[child];
            hole = child;
        }
        tids[hole] = value;
    }
}

/* The set of |tids| without this task itself, sorted; *set is the caller's to free. */
static int mcast_set(const struct client *client, const int *tids, size_t count, uint32_t **set,
                     size_t *set_count)
{
    *set = mem_calloc(count, sizeof(**set));
    if (!*set)
        return CLIENT_PvmNoMem;
    size_t kept = 0;
    for (size_t i = 0; i < count; i++)
        if (tids[i] != client->identity.tid)
            (*set)[kept++] = (uint32_t)tids[i];
    tids_sort(*set, kept);
    size_t distinct = 0;
    for (size_t i = 0; i < kept; i++)
        if (distinct == 0 || (*set)[distinct - 1] != (*set)[i])
            (*set)[distinct++] = (*set)[i];
    *set_count = distinct;
    return 0;
}

/* Everything that can fail for one batch, before any sequence is taken. */
static int mcast_prepare(struct client *client, const uint32_t *set, size_t count,
                         struct slice *list)
{
    for (size_t i = 0; i < count; i++)
        if (!peer_get(client, (int)set[i]))
            return CLIENT_PvmNoMem;
    struct buf *buf = buf_create(4 + count * MCAST_ENTRY_BYTES);
    if (!buf)
        return CLIENT_PvmNoMem;
    *list = (struct slice){.buf = buf, .data = buf->data, .length = buf->capacity};
    struct wr wr;
    wr_init_fixed(&wr, buf->data, list->length);
    wr_u32(&wr, (uint32_t)count);
    for (size_t i = 0; i < count; i++) {
        wr_u32(&wr, set[i]);
        wr_u64(&wr, peer_get(client, (int)set[i])->sent + 1);
    }
    CHECK(!wr.bad);
    return 0;
}

/* The batch as one parcel to the daemon, the list its first piece. As client_routes.send. */
static int mcast_parcel(struct client *client, const struct msg *msg, struct slice list,
                        const struct message_head *head)
{
    if (!client->daemon_route)
        return 0;
    struct msg *whole = msg_create(NULL, msg->encoding);
    int status = CLIENT_PvmNoMem;
    if (whole && msg_append_slice(whole, list) == 0 &&
        msg_append_body(whole, msg, 0, true) == 0) {
        struct parcel parcel = parcel_of(head, 0, client->multicasts + 1);
        parcel.is_mcast = true;
        status = parcel_send(client, client->daemon_route, &parcel, whole);
    }
    msg_destroy(whole);
    return status;
}

static int mcast_frames(struct client *client, const struct msg *msg, struct slice *list,
                        const struct message_head *head)
{
    struct frame_header header = {.kind = FRAME_MCAST,
                                  .source = (uint32_t)client->identity.tid,
                                  .sequence = client->multicasts + 1};
    if (out_reserve(&client->out, cut(client, msg, &header, head, *list, false)) < 0)
        return CLIENT_PvmNoMem;
    cut(client, msg, &header, head, *list, true);
    *list = (struct slice){0};
    return 1;
}

static int mcast_batch(struct client *client, const struct msg *msg, const uint32_t *set,
                       size_t count, const struct message_head *head)
{
    struct slice list;
    int status = mcast_prepare(client, set, count, &list);
    if (status < 0)
        return status;
    status = mcast_parcel(client, msg, list, head);
    if (status == 0)
        status = mcast_frames(client, msg, &list, head);
    slice_drop(&list);
    if (status < 0)
        return status;
    client->multicasts++;
    for (size_t i = 0; i < count; i++)
        peer_get(client, (int)set[i])->sent++;
    return 0;
}

/* Sends to those of |set| who have a route of their own: one body, lent to each. Returns how many
 * are left, moved to the front. */
static size_t mcast_routed(struct client *client, const struct msg *msg, uint32_t *set,
                           size_t count, const struct message_head *head)
{
    size_t left = 0;
    for (size_t i = 0; i < count; i++) {
        struct peer *peer = peer_get(client, (int)set[i]);
        int status = 0;
        if (peer && !peer->route)
            want_route(client, peer, (int)set[i], msg->length);
        if (peer && peer->route) {
            struct parcel parcel = parcel_of(head, 0, peer->sent + 1);
            status = parcel_send(client, peer->route, &parcel, msg);
        }
        if (status == 1)
            peer->sent++;
        else
            set[left++] = set[i];
    }
    return left;
}

static int mcast_send(struct client *client, const struct msg *msg, uint32_t *set, size_t count,
                      int tag)
{
    const struct message_head head = head_of(client, msg, tag);
    struct msg *gathered = NULL;
    if (must_gather(client, msg)) {
        gathered = gather(client, msg);
        if (!gathered)
            return CLIENT_PvmNoMem;
        msg = gathered;
    }
    int status = 0;
    count = mcast_routed(client, msg, set, count, &head);
    for (size_t done = 0; done < count && status == 0; done += MCAST_ENTRIES_MAX)
        status = mcast_batch(client, msg, set + done,
                             MIN_OF(count - done, (size_t)MCAST_ENTRIES_MAX), &head);
    msg_destroy(gathered);
    return status;
}

int client_mcast(struct client *client, const int *tids, int count, int tag)
{
    struct msg *msg = bufs_find(client, client->thread->send_mid);
    if (!msg)
        return CLIENT_PvmNoBuf;
    if (count < 0 || (tag < 0 && !opts_value(client, OPTION_RESERVED_TIDS)))
        return CLIENT_PvmBadParam;
    for (int i = 0; i < count; i++)
        if (!tid_is_task(tids[i]))
            return CLIENT_PvmBadParam;
    if (count == 0)
        return 0;
    if (client->identity.tid == 0)
        return CLIENT_PvmSysErr;
    uint32_t *set;
    size_t set_count;
    int status = mcast_set(client, tids, (size_t)count, &set, &set_count);
    if (status < 0)
        return status;
    status = mcast_send(client, msg, set, set_count, tag);
    mem_free(set);
    if (status == 0) {
        queue_changed(&client->queue, msg);
        msg->tag = tag;
        msg->context = client->thread->context;
        msg->destination = client->identity.tid | (int)TID_GROUP;
        queue_changed(&client->queue, msg);
    }
    return status;
}

/* Who has a route takes the items where they are; else they are copied into a message. */
static int psend_bytes(struct client *client, int tid, int tag, const void *items, size_t length)
{
    struct peer *peer = peer_get(client, tid);
    if (!peer)
        return CLIENT_PvmNoMem;
    if (peer->route) {
        const struct parcel parcel = {.tag = tag,
                                      .context = (uint32_t)client->thread->context,
                                      .encoding = client->config.signature,
                                      .sequence = peer->sent + 1,
                                      .bytes = items ? items : (const uint8_t *)"",
                                      .length = length};
        const struct client_routes *routes = &client->config.routes;
        const int status = routes->send(routes->context, peer->route, &parcel);
        if (status == 1)
            peer_sent(peer);
        if (status != 0)
            return status < 0 ? status : 0;
    }
    struct msg *msg = msg_create(&client->pool, client->config.signature);
    if (!msg)
        return CLIENT_PvmNoMem;
    int status = msg_append(msg, items, length) < 0 ? CLIENT_PvmNoMem : 0;
    if (status == 0) {
        const struct message_head head = head_of(client, msg, tag);
        status = send_to(client, peer, msg, tid, &head);
    }
    msg_destroy(msg);
    return status;
}

int client_psend(struct client *client, int tid, int tag, const void *items, int count, int type)
{
    const int item_type = pack_type_of(type);
    if (item_type == CLIENT_TYPES)
        return CLIENT_PvmNotImpl;
    if (item_type < 0)
        return CLIENT_PvmBadParam;
    if ((!tid_is_task(tid) || tag < 0) && !opts_value(client, OPTION_RESERVED_TIDS))
        return CLIENT_PvmBadParam;
    if (client->identity.tid == 0)
        return CLIENT_PvmSysErr;
    if (count < 0)
        return CLIENT_PvmBadParam;
    const size_t size = pack_native_size((enum client_type)item_type);
    if ((size_t)count > MSG_BODY_BYTES_MAX / size)
        return CLIENT_PvmOverflow;
    return psend_bytes(client, tid, tag, items, (size_t)count * size);
}
