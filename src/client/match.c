/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Delivered messages and who takes them (API-51 to API-55): the oldest match, by source, tag and
 * context, or by a function of the program.
 */
#include "client/state.h"

#include <string.h>

void match_clear(struct client *client)
{
    LIST_EACH(node, following, &client->queue.messages)
    bufs_release(client, LIST_ENTRY(node, struct msg, link));
}

/* The notices of client_watch(): for this layer alone. */
static bool is_own_notice(const struct msg *msg)
{
    return msg->context == TID_CONTEXT_CONTROL && msg->tag == TAG_CONTROL_TASKEXIT &&
           msg->source == (int)TID_DAEMON;
}

static void own_notice(struct client *client, struct msg *msg)
{
    int tid;
    if (unpack_items(client, msg, CLIENT_INT, &tid, 1, 1) == 0)
        peer_ended(client, tid);
    msg_destroy(msg);
}

/* True when the hook dealt with |msg|, which is then freed. The program's active buffers are as
 * before. */
static bool hook_takes(struct client *client, struct msg *msg)
{
    if (!client->hook ||
        (msg->context < TID_CONTEXT_SYSTEM_MIN || msg->context > TID_CONTEXT_CONTROL))
        return false;
    const int mid = bufs_give_mid(client, msg);
    if (mid < 0)
        return false;
    const int send_mid = client->thread->send_mid, receive_mid = client->thread->receive_mid;
    client->thread->send_mid = 0;
    client->thread->receive_mid = mid;
    msg->is_reading = true;
    const bool taken = client->hook(client->hook_argument, mid, msg->context, msg->tag);
    struct msg *left = bufs_find(client, client->thread->send_mid);
    if (left)
        bufs_release(client, left);
    client->thread->send_mid = send_mid;
    client->thread->receive_mid = receive_mid;
    if (taken)
        bufs_release(client, msg);
    else
        msg->is_reading = false;
    return taken;
}

void match_deliver(struct client *client, struct msg *msg)
{
    if (is_own_notice(msg))
        own_notice(client, msg);
    else if (hook_takes(client, msg))
        return;
    else if (handlers_are_idle(&client->handlers))
        queue_push(&client->queue, msg);
    else
        handlers_deliver(client, msg);
}

int client_match_default(const struct client *client, int mid, int tid, int tag)
{
    const struct msg *msg = bufs_find(client, mid);
    return msg && queue_matches(msg, tid, tag, client->thread->context);
}

/* Asks the program's function about each message: 1 takes it at once, more is a rank, the
 * highest wins and the earliest among equals. */
static struct msg *find_ranked(struct client *client, int tid, int tag, int *error)
{
    struct msg *best = NULL;
    int best_rank = 0;
    LIST_EACH(node, following, &client->queue.messages)
    {
        struct msg *msg = LIST_ENTRY(node, struct msg, link);
        const int mid = bufs_give_mid(client, msg);
        const int rank = mid < 0 ? mid : client->matcher(mid, tid, tag);
        if (rank < 0) {
            *error = rank;
            return NULL;
        }
        if (rank == 1)
            return msg;
        if (rank > best_rank) {
            best_rank = rank;
            best = msg;
        }
    }
    return best;
}

/* The message to take, or NULL and *error (0 = none waits). */
static struct msg *match_find(struct client *client, int tid, int tag, int *error)
{
    *error = 0;
    if (client->matcher)
        return find_ranked(client, tid, tag, error);
    return queue_find(&client->queue, tid, tag, client->thread->context);
}

/* A message that was only looked at (pvm_probe) and made active still waits: it is not freed. */
static void receive_buffer_free(struct client *client)
{
    struct msg *active = bufs_find(client, client->thread->receive_mid);
    client->thread->receive_mid = 0;
    if (active && !active->is_queued)
        bufs_release(client, active);
}

int client_receive(struct client *client, int tid, int tag)
{
    receive_buffer_free(client);
    int error;
    struct msg *msg = match_find(client, tid, tag, &error);
    if (!msg)
        return error;
    const int mid = bufs_give_mid(client, msg);
    if (mid < 0)
        return mid;
    queue_take(&client->queue, msg);
    msg_rewind(msg);
    msg->is_reading = true;
    if (client->thread->send_mid == mid)
        client->thread->send_mid = 0;
    thread_take(client, mid);
    client->thread->receive_mid = mid;
    return mid;
}

int client_probe(struct client *client, int tid, int tag)
{
    int error;
    struct msg *msg = match_find(client, tid, tag, &error);
    return msg ? bufs_give_mid(client, msg) : error;
}

int client_precv(struct client *client, int tid, int tag, void *items, int count, int type,
                 int *source, int *found_tag, int *length)
{
    const int item_type = pack_type_of(type);
    if (item_type == CLIENT_TYPES)
        return CLIENT_PvmNotImpl;
    if (item_type < 0 || count < 0)
        return CLIENT_PvmBadParam;
    int error;
    struct msg *msg = match_find(client, tid, tag, &error);
    if (!msg)
        return error;
    queue_take(&client->queue, msg);
    const size_t room = (size_t)count * pack_native_size((enum client_type)item_type);
    msg_rewind(msg);
    msg_read(msg, items, MIN_OF(room, msg->length));
    if (source)
        *source = msg->source;
    if (found_tag)
        *found_tag = msg->tag;
    if (length)
        *length = (int)msg->length;
    bufs_release(client, msg);
    return 1;
}

client_matcher_f client_set_matcher(struct client *client, client_matcher_f matcher)
{
    const client_matcher_f previous = client->matcher;
    client->matcher = matcher;
    return previous;
}

void client_set_hook(struct client *client, client_hook_f hook, void *argument)
{
    client->hook = hook;
    client->hook_argument = argument;
}

void client_set_lost(struct client *client, client_lost_f lost, void *argument)
{
    client->lost = lost;
    client->lost_argument = argument;
}

int client_getcontext(const struct client *client)
{
    return client->thread->context;
}

int client_setcontext(struct client *client, int context)
{
    const int previous = client->thread->context;
    client->thread->context = context;
    return previous;
}
