/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Frames in, messages out in the order they were sent (decision D4): fragments are put together per
 * (sender, sequence), whole messages wait until those before them have come, and a notice of an end
 * waits for the last message of the task it is about (promise 1).
 */
#include "base/mem.h"
#include "client/state.h"

#include <string.h>

static struct peer *peer_create(struct client *client, int tid)
{
    struct peer *peer = mem_calloc(1, sizeof(*peer));
    if (!peer)
        return NULL;
    peer->next = 1;
    list_init(&peer->pending);
    list_init(&peer->notices);
    if (map_put(&client->peers, (uint32_t)tid, peer) < 0) {
        mem_free(peer);
        return NULL;
    }
    return peer;
}

struct peer *peer_lookup(struct client *client, int tid)
{
    struct peer *peer = map_get(&client->peers, (uint32_t)tid);
    if (!peer && !(peer = peer_create(client, tid)))
        return NULL;
    client->recent_tid = tid;
    client->recent = peer;
    return peer;
}

static void list_destroy(struct list *head)
{
    LIST_EACH(node, following, head)
    msg_destroy(LIST_ENTRY(node, struct msg, link));
}

void peers_clear(struct client *client)
{
    for (size_t i = 0; i < client->peers.count; i++) {
        struct peer *peer = client->peers.entries[i].value;
        list_destroy(&peer->pending);
        list_destroy(&peer->notices);
        mem_free(peer);
    }
    client->recent = NULL;
    map_fini(&client->peers);
    map_init(&client->peers);
    map_fini(&client->lost_hosts);
    map_init(&client->lost_hosts);
}

void peer_ended(struct client *client, int tid)
{
    struct peer *peer = map_get(&client->peers, (uint32_t)tid);
    if (!peer)
        return;
    peer->sent = 0;
    peer->is_watched = false;
    peer->has_ended = true;
    peer->is_over = true;
}

int client_watch(struct client *client, int tid)
{
    if (!tid_is_task(tid) || tid == client->identity.tid || client->identity.tid == 0)
        return 0;
    struct peer *peer = peer_get(client, tid);
    if (!peer)
        return CLIENT_PvmNoMem;
    if (peer->is_watched || peer->has_ended)
        return 0;
    const uint32_t subject = (uint32_t)tid;
    struct message message = {.type = TM_NOTIFY,
                              .tm_notify = {.what = 1,
                                            .context = TID_CONTEXT_CONTROL,
                                            .tag = TAG_CONTROL_TASKEXIT,
                                            .count = 1,
                                            .tids = {.count = 1, .items = &subject}}};
    const int status = request_queue(client, &message);
    peer->is_watched = status == 0;
    return status;
}

int client_end(struct client *client, int tid, bool again)
{
    struct peer *peer = map_get(&client->peers, (uint32_t)tid);
    if (!peer || !(again ? peer->was_told : peer->has_ended))
        return 0;
    peer->has_ended = false;
    peer->was_told = true;
    return map_get(&client->lost_hosts, (uint32_t)tid & TID_HOST) ? CLIENT_PvmHostFail
                                                                  : CLIENT_PvmNoTask;
}

/* ---- order ---- */

/* The pending message |sequence|, or NULL. The last is asked first: in order is the rule. */
static struct msg *pending_find(const struct peer *peer, uint64_t sequence)
{
    for (struct list *node = peer->pending.prev; node != &peer->pending; node = node->prev) {
        struct msg *msg = LIST_ENTRY(node, struct msg, link);
        if (msg->sequence == sequence)
            return msg;
        if (msg->sequence < sequence)
            return NULL;
    }
    return NULL;
}

static void pending_insert(struct peer *peer, struct msg *msg)
{
    struct list *before = peer->pending.prev;
    while (before != &peer->pending &&
           LIST_ENTRY(before, struct msg, link)->sequence > msg->sequence)
        before = before->prev;
    list_insert_between(&msg->link, before, before->next);
}

/* Whatever has its turn is delivered: messages in sequence, then notices they held back. Sequence 0
 * (a sender that does not number) has its turn at once. */
static void peer_advance(struct client *client, struct peer *peer)
{
    while (!list_is_empty(&peer->pending)) {
        struct msg *msg = LIST_ENTRY(list_first(&peer->pending), struct msg, link);
        if (!msg->is_complete || msg->sequence > peer->next)
            break;
        if (msg->sequence == peer->next)
            peer->next++;
        list_remove(&msg->link);
        if (msg->is_torn) {
            client->stats.messages_torn++;
            msg_destroy(msg);
        } else {
            match_deliver(client, msg);
        }
    }
    while (!list_is_empty(&peer->notices)) {
        struct msg *notice = LIST_ENTRY(list_first(&peer->notices), struct msg, link);
        if (notice->sequence >= peer->next)
            break;
        list_remove(&notice->link);
        match_deliver(client, notice);
    }
}

/* ---- fragments ---- */

/* A small body in a large shared buffer would keep all of that from being freed. */
static int body_append(struct msg *msg, struct slice body)
{
    if (body.length == 0)
        return 0;
    if (body.length <= MSG_COPIED_BYTES && body.buf && body.buf->capacity / 4 > body.length)
        return msg_append(msg, body.data, body.length);
    return msg_append_slice(msg, body);
}

static struct msg *msg_from_head(struct client *client, const struct message_head *head, int source)
{
    struct msg *msg = msg_create(&client->pool, head->encoding);
    if (!msg)
        return NULL;
    /* Nobody sends it; a message marked so would be read as memory of our own. */
    if (msg->encoding == ENCODING_IN_PLACE)
        msg->encoding = client->config.signature;
    msg->tag = head->tag;
    msg->context = (int)head->context;
    msg->wait_id = (int)head->wait_id;
    msg->length_due = (uint32_t)head->length;
    msg->source = source;
    msg->destination = client->identity.tid;
    return msg;
}

static int frame_bad(struct client *client)
{
    client->stats.frames_bad++;
    return 0;
}

static void msg_tear(struct msg *msg)
{
    msg_clear(msg);
    msg->is_torn = true;
}

static void frame_appended(struct client *client, struct peer *peer, struct msg *msg, bool is_last)
{
    if (msg->length > msg->length_due || (is_last && msg->length != msg->length_due))
        msg_tear(msg);
    if (!is_last)
        return;
    msg->is_complete = true;
    peer_advance(client, peer);
}

static int first_frame(struct client *client, struct peer *peer, const struct frame *frame)
{
    struct rd rd = rd_init(frame->body.data, frame->body.length);
    struct message_head head;
    if (message_head_read(&rd, &head) < 0 || pending_find(peer, frame->sequence))
        return frame_bad(client);
    struct msg *msg = msg_from_head(client, &head, (int)frame->source);
    if (!msg)
        return CLIENT_PvmNoMem;
    msg->sequence = frame->sequence;
    struct slice rest = slice_part(frame->body, MESSAGE_HEAD_BYTES,
                                   frame->body.length - MESSAGE_HEAD_BYTES);
    const int status = body_append(msg, rest);
    slice_drop(&rest);
    if (status < 0) {
        msg_destroy(msg);
        return CLIENT_PvmNoMem;
    }
    pending_insert(peer, msg);
    frame_appended(client, peer, msg, frame->flags & FRAME_LAST);
    return 0;
}

static int later_frame(struct client *client, struct peer *peer, const struct frame *frame)
{
    struct msg *msg = pending_find(peer, frame->sequence);
    if (!msg || msg->is_complete)
        return frame_bad(client);
    const struct msg_mark mark = msg_mark(msg);
    if (!msg->is_torn && body_append(msg, frame->body) < 0) {
        msg_rollback(msg, mark);
        return CLIENT_PvmNoMem;
    }
    frame_appended(client, peer, msg, frame->flags & FRAME_LAST);
    return 0;
}

/* The tid came again: another task, whose messages count from one. */
static void peer_begin(struct peer *peer)
{
    list_destroy(&peer->pending);
    list_init(&peer->pending);
    peer->next = 1;
    peer->is_over = peer->has_ended = peer->was_told = false;
}

/* Something came from |tid|: of a host that lives, so, and of a task that may be another than the
 * one of that tid before. */
static struct peer *peer_heard(struct client *client, int tid, uint64_t sequence)
{
    struct peer *peer = peer_get(client, tid);
    if (!peer)
        return NULL;
    if (peer->is_over && sequence == 1)
        peer_begin(peer);
    if (client->lost_hosts.count > 0)
        map_remove(&client->lost_hosts, (uint32_t)tid & TID_HOST);
    return peer;
}

static int feed_data(struct client *client, const struct frame *frame)
{
    struct peer *peer = peer_heard(client, (int)frame->source, frame->sequence);
    if (!peer)
        return CLIENT_PvmNoMem;
    if (frame->sequence != 0 && frame->sequence < peer->next) {
        client->stats.duplicates += frame->flags & FRAME_FIRST ? 1 : 0;
        return 0;
    }
    return frame->flags & FRAME_FIRST ? first_frame(client, peer, frame)
                                      : later_frame(client, peer, frame);
}

/* ---- whole messages ---- */

static struct msg *msg_from_parcel(struct client *client, int source, const struct parcel *parcel)
{
    /* A message in place would be read as memory of our own. */
    const uint32_t encoding = parcel->encoding == ENCODING_IN_PLACE ? client->config.signature
                                                                    : parcel->encoding;
    struct msg *msg = msg_create(&client->pool, encoding);
    if (!msg)
        return NULL;
    msg->tag = parcel->tag;
    msg->context = (int)parcel->context;
    msg->wait_id = (int)parcel->wait_id;
    msg->source = source;
    msg->destination = client->identity.tid;
    msg->sequence = parcel->sequence;
    msg->time = parcel->time;
    msg->is_complete = true;
    int status = 0;
    if (parcel->bytes)
        status = msg_append(msg, parcel->bytes, parcel->length);
    for (size_t i = 0; i < parcel->piece_count && status == 0; i++)
        if (parcel->pieces[i].length > 0)
            status = msg_append_slice(msg, parcel->pieces[i]);
    if (status == 0)
        return msg;
    msg_destroy(msg);
    return NULL;
}

int client_feed_parcel(struct client *client, int source, const struct parcel *parcel)
{
    struct peer *peer = peer_heard(client, source, parcel->sequence);
    if (!peer)
        return CLIENT_PvmNoMem;
    if (parcel->length > MSG_BODY_BYTES_MAX)
        return frame_bad(client);
    if (parcel->sequence != 0 &&
        (parcel->sequence < peer->next || pending_find(peer, parcel->sequence))) {
        client->stats.duplicates++;
        return 0;
    }
    struct msg *msg = msg_from_parcel(client, source, parcel);
    if (!msg)
        return CLIENT_PvmNoMem;
    if (parcel->sequence == peer->next && list_is_empty(&peer->pending) &&
        list_is_empty(&peer->notices)) {
        peer->next++;
        match_deliver(client, msg);
        return 0;
    }
    pending_insert(peer, msg);
    peer_advance(client, peer);
    return 0;
}

/* Nothing more comes from |peer|: what is whole is delivered, the gaps are jumped, notices wait
 * no more. */
static void peer_end(struct client *client, struct peer *peer)
{
    while (!list_is_empty(&peer->pending)) {
        struct msg *msg = LIST_ENTRY(list_first(&peer->pending), struct msg, link);
        if (!msg->is_complete)
            msg_tear(msg);
        msg->is_complete = true;
        if (msg->sequence > peer->next)
            peer->next = msg->sequence;
        peer_advance(client, peer);
    }
    peer->next = UINT64_MAX;
    peer_advance(client, peer);
    list_destroy(&peer->notices);
}

/* A host is gone. Its number, and so the tids of its tasks, may come again with another: their
 * pairs then start anew, so the records go. */
static void host_end(struct client *client, uint32_t host)
{
    /* Without memory the reason is forgotten, nothing else. */
    map_put(&client->lost_hosts, host, client);
    client->recent = NULL;
    for (size_t i = client->peers.count; i > 0; i--) {
        const struct map_entry entry = client->peers.entries[i - 1];
        if (((uint32_t)entry.key & TID_HOST) != host)
            continue;
        peer_end(client, entry.value);
        map_remove(&client->peers, entry.key);
        mem_free(entry.value);
    }
}

static int feed_abort(struct client *client, const struct frame *frame)
{
    if (!(frame->source & (TID_LOCAL | TID_GROUP)) && frame->sequence == 0) {
        host_end(client, frame->source & TID_HOST);
        if (client->lost)
            client->lost(client->lost_argument, (int)(frame->source & TID_HOST));
        return 0;
    }
    struct peer *peer = peer_get(client, (int)frame->source);
    if (!peer)
        return CLIENT_PvmNoMem;
    if (frame->sequence < peer->next)
        return 0;
    struct msg *msg = pending_find(peer, frame->sequence);
    if (msg && msg->is_complete)
        return frame_bad(client);
    if (!msg) {
        msg = msg_create(&client->pool, 0);
        if (!msg)
            return CLIENT_PvmNoMem;
        msg->sequence = frame->sequence;
        pending_insert(peer, msg);
    }
    msg_tear(msg);
    msg->is_complete = true;
    peer_advance(client, peer);
    return 0;
}

static int feed_notice(struct client *client, const struct frame *frame)
{
    struct rd rd = rd_init(frame->body.data, frame->body.length);
    const int subject = (int)rd_u32(&rd);
    const uint64_t after = rd_u64(&rd);
    struct message_head head;
    if (!rd_ok(&rd) || message_head_read(&rd, &head) < 0 || head.length != rd_left(&rd))
        return frame_bad(client);
    struct peer *peer = peer_get(client, subject);
    struct msg *notice = peer ? msg_from_head(client, &head, (int)TID_DAEMON) : NULL;
    if (!notice || msg_append(notice, rd.at, rd_left(&rd)) < 0) {
        msg_destroy(notice);
        return CLIENT_PvmNoMem;
    }
    notice->sequence = after;
    if (after >= peer->next) {
        client->stats.notices_held++;
        list_push_back(&peer->notices, &notice->link);
        return 0;
    }
    match_deliver(client, notice);
    return 0;
}

int client_feed(struct client *client, const struct frame *frame)
{
    switch (frame->kind) {
    case FRAME_CONTROL:
        return request_answered(client, &frame->body);
    case FRAME_DATA:
        return feed_data(client, frame);
    case FRAME_NOTICE:
        return feed_notice(client, frame);
    case FRAME_ABORT:
        return feed_abort(client, frame);
    case FRAME_MCAST:
        break; /* daemons deal it out as DATA */
    }
    return frame_bad(client);
}
