/* SPDX-License-Identifier: BSD-3-Clause */
/* The table of handlers and the calling of them: see the header. */
#include "client/handlers.h"

#include "base/mem.h"
#include "client/state.h"

enum { ANY = -1, NO_ROW = -1 };

/* Numbers below it stand for the library's own messages in the control context. As ever they are in
 * the way of handlers that would want these messages, and can be deleted; that ends nothing, since
 * the library sees its messages before any handler does. */
static const int system_tags[] = {0, 1, 2, 3, 5, 7, 8, 6, 11}; /* from TAG_CONTROL_FIRST */

struct handler {
    int source; /* each -1 = any */
    int tag;
    int context;
    client_handler_f function; /* NULL = of the system, or free */
    bool is_used;
    int next_free; /* row, NO_ROW = none */
};

void handlers_init(struct handlers *handlers)
{
    *handlers = (struct handlers){.free_row = NO_ROW};
    list_init(&handlers->staged);
}

void handlers_drop_staged(struct handlers *handlers)
{
    LIST_EACH(node, following, &handlers->staged)
    msg_destroy(LIST_ENTRY(node, struct msg, link));
}

/* ---- the table ---- */

static int row_add(struct handlers *handlers, const struct handler *handler)
{
    int row = handlers->free_row;
    if (row != NO_ROW) {
        handlers->free_row = handlers->rows[row].next_free;
    } else {
        if (handlers->count == INT32_MAX ||
            mem_grow((void **)&handlers->rows, &handlers->capacity, handlers->count + 1,
                     sizeof(*handlers->rows)) < 0)
            return CLIENT_PvmNoMem;
        row = (int)handlers->count++;
    }
    handlers->rows[row] = *handler;
    handlers->rows[row].is_used = true;
    if (handler->function)
        handlers->live++;
    return row;
}

/* The rows of the system come first. 0 or PvmNoMem. */
static int rows_begin(struct handlers *handlers)
{
    if (handlers->rows)
        return 0;
    if (mem_grow((void **)&handlers->rows, &handlers->capacity, ARRAY_LEN(system_tags) + 1,
                 sizeof(*handlers->rows)) < 0)
        return CLIENT_PvmNoMem;
    for (size_t i = 0; i < ARRAY_LEN(system_tags); i++) {
        const struct handler system = {.source = ANY,
                                       .tag = TAG_CONTROL_FIRST + system_tags[i],
                                       .context = TID_CONTEXT_CONTROL};
        row_add(handlers, &system); /* there is room */
    }
    return 0;
}

static bool fields_overlap(int left, int right)
{
    return left == right || left == ANY || right == ANY;
}

static bool overlap(const struct handler *left, const struct handler *right)
{
    return fields_overlap(left->source, right->source) && fields_overlap(left->tag, right->tag) &&
           fields_overlap(left->context, right->context);
}

int client_add_handler(struct client *client, int source, int tag, int context,
                       client_handler_f function)
{
    struct handlers *handlers = &client->handlers;
    const struct handler wanted = {
        .source = source, .tag = tag, .context = context, .function = function};
    if (!function)
        return CLIENT_PvmBadParam;
    if (rows_begin(handlers) < 0)
        return CLIENT_PvmNoMem;
    for (size_t i = 0; i < handlers->count; i++)
        if (handlers->rows[i].is_used && overlap(&handlers->rows[i], &wanted))
            return CLIENT_PvmExists;
    return row_add(handlers, &wanted);
}

int client_delete_handler(struct client *client, int handler)
{
    struct handlers *handlers = &client->handlers;
    if (handler < 0)
        return CLIENT_PvmBadParam;
    if (rows_begin(handlers) < 0)
        return CLIENT_PvmNoMem;
    if ((size_t)handler >= handlers->count || !handlers->rows[handler].is_used)
        return CLIENT_PvmNotFound;
    if (handlers->rows[handler].function)
        handlers->live--;
    handlers->rows[handler] = (struct handler){.next_free = handlers->free_row};
    handlers->free_row = handler;
    return 0;
}

void client_clear_handlers(struct client *client)
{
    struct handlers *handlers = &client->handlers;
    mem_free(handlers->rows);
    handlers->rows = NULL;
    handlers->count = handlers->capacity = handlers->live = 0;
    handlers->free_row = NO_ROW;
}

int client_handler_fields(const struct client *client, int handler, int *source, int *tag,
                          int *context)
{
    if (handler < 0 || (size_t)handler >= client->handlers.count)
        return CLIENT_PvmNotFound;
    const struct handler *row = &client->handlers.rows[handler];
    *source = row->source;
    *tag = row->tag;
    *context = row->context;
    return row->is_used;
}

bool client_has_handlers(const struct client *client)
{
    return !handlers_are_idle(&client->handlers);
}

/* Who wants |msg|, or NULL. No two do, since handlers do not overlap. */
static client_handler_f handler_of(const struct handlers *handlers, const struct msg *msg)
{
    for (size_t i = 0; i < handlers->count; i++) {
        const struct handler *row = &handlers->rows[i];
        if (row->function && queue_matches(msg, row->source, row->tag, row->context))
            return row->function;
    }
    return NULL;
}

/* ---- delivery ---- */

void handlers_deliver(struct client *client, struct msg *msg)
{
    struct handlers *handlers = &client->handlers;
    if (list_is_empty(&handlers->staged) && !handler_of(handlers, msg))
        queue_push(&client->queue, msg);
    else
        list_push_back(&handlers->staged, &msg->link);
}

/* A handler has |msg| as the active receive buffer, no send buffer, and its context. What is active
 * otherwise comes back; what the handler left active for sending is freed, and the message, unless
 * the handler did it. */
static int run_one(struct client *client, struct msg *msg, client_handler_f function,
                   client_call_f call)
{
    const int mid = bufs_give_mid(client, msg);
    if (mid < 0)
        return mid;
    struct client_thread *thread = client->thread;
    const struct client_thread before = *thread;
    struct list still_here; /* whoever frees the message unlinks it */
    list_init(&still_here);
    list_remove(&msg->link);
    list_push_back(&still_here, &msg->link);
    thread->send_mid = 0;
    thread->receive_mid = mid;
    thread->context = msg->context;
    msg_rewind(msg);
    msg->is_reading = true;
    call(function, mid, msg->context);
    client->thread = thread;
    struct msg *left = bufs_find(client, thread->send_mid);
    if (left)
        bufs_release(client, left);
    if (!list_is_empty(&still_here))
        bufs_release(client, msg);
    thread->context = before.context;
    thread->send_mid = bufs_find(client, before.send_mid) ? before.send_mid : 0;
    thread->receive_mid = bufs_find(client, before.receive_mid) ? before.receive_mid : 0;
    return 0;
}

static void call_plainly(client_handler_f function, int mid, int context)
{
    (void)context;
    function(mid);
}

/* Nobody is to handle |msg| (any more). */
static void pass(struct client *client, struct msg *msg)
{
    list_remove(&msg->link);
    if (client->handlers.is_overtaken)
        queue_push_late(&client->queue, msg);
    else
        queue_push(&client->queue, msg);
}

/* While a handler runs: what nobody is to handle is received as ever. 1 or 0 = nothing of that. */
static int pass_others(struct client *client)
{
    struct handlers *handlers = &client->handlers;
    bool is_behind = false, is_any = false;
    LIST_EACH(node, following, &handlers->staged)
    {
        struct msg *msg = LIST_ENTRY(node, struct msg, link);
        if (handler_of(handlers, msg)) {
            is_behind = true;
            continue;
        }
        pass(client, msg);
        handlers->is_overtaken |= is_behind;
        is_any = true;
    }
    return is_any;
}

int client_run_handlers(struct client *client, client_call_f call)
{
    struct handlers *handlers = &client->handlers;
    int status = 0;
    bool is_any = false;
    if (handlers->is_running)
        return pass_others(client);
    handlers->is_running = true;
    while (status == 0 && !list_is_empty(&handlers->staged)) {
        struct msg *msg = LIST_ENTRY(list_first(&handlers->staged), struct msg, link);
        const client_handler_f function = handler_of(handlers, msg);
        if (function)
            status = run_one(client, msg, function, call ? call : call_plainly);
        else
            pass(client, msg);
        is_any |= status == 0;
    }
    handlers->is_running = false;
    if (list_is_empty(&handlers->staged))
        handlers->is_overtaken = false;
    return status < 0 ? status : is_any;
}
