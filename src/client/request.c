/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Requests to the daemon and their answers, tied by a wait number. Each request has one record here
 * from client_request() until its answer is taken, it is forgotten, or the connection is gone.
 */
#include "base/mem.h"
#include "client/state.h"

#include <string.h>

enum {
    SPAWN_COUNT_MAX = 262143, /* local part of a tid */
    HOSTS_MAX = 4095,
    NOTIFY_TASK_EXIT = 1,
    NOTIFY_HOST_DELETE = 2,
    NOTIFY_HOST_ADD = 3,
    NOTIFY_ROUTE_ADD = 4,
    NOTIFY_ROUTE_DELETE = 5,
    NOTIFY_CANCEL = 256,
    OPTION_RESERVED_TIDS = 11
};

struct request {
    bool is_answered;
    struct slice answer;
};

int request_queue(struct client *client, const struct message *message)
{
    struct wr wr;
    wr_init(&wr);
    message_encode(&wr, message);
    struct slice body = {0};
    if (!wr.bad && wr.length <= FRAME_CONTROL_BYTES_MAX)
        body = slice_copy(wr.bytes, wr.length);
    const bool too_long = !wr.bad && wr.length > FRAME_CONTROL_BYTES_MAX;
    wr_fini(&wr);
    if (too_long)
        return CLIENT_PvmBadParam;
    if (!body.buf || out_reserve(&client->out, 1) < 0) {
        slice_drop(&body);
        return CLIENT_PvmNoMem;
    }
    const struct frame_header header = {
        .kind = FRAME_CONTROL, .source = (uint32_t)client->identity.tid, .destination = TID_DAEMON};
    out_put(&client->out, &header, NULL, body, (struct slice){0}, false);
    return 0;
}

/* Messages of a task that the daemon does not answer, and so without a wait number. */
static bool has_answer(enum message_type type)
{
    return type != TM_SIGNAL && type != TM_NOTIFY && type != TM_ENROL && type != TM_ATTACH &&
           type != TM_PEER && type != TM_GONE && type != TM_WAKE;
}

static void request_destroy(struct request *request)
{
    if (!request)
        return;
    slice_drop(&request->answer);
    mem_free(request);
}

int client_request(struct client *client, struct message *message)
{
    if (!has_answer(message->type))
        return request_queue(client, message);
    struct request *request = mem_calloc(1, sizeof(*request));
    if (!request)
        return CLIENT_PvmNoMem;
    int wait = client->last_wait;
    do
        wait = wait == INT32_MAX ? 1 : wait + 1;
    while (map_get(&client->requests, (uint64_t)wait));
    /* Every such message begins with its wait number. */
    message->tm_done.wait = (uint32_t)wait;
    int status = map_put(&client->requests, (uint64_t)wait, request) < 0 ? CLIENT_PvmNoMem : 0;
    if (status == 0) {
        status = request_queue(client, message);
        if (status < 0)
            map_remove(&client->requests, (uint64_t)wait);
    }
    if (status < 0) {
        request_destroy(request);
        return status;
    }
    client->last_wait = wait;
    return wait;
}

int request_answered(struct client *client, const struct slice *body)
{
    struct arena arena;
    struct message message;
    arena_init(&arena);
    if (message_decode(body->data, body->length, &arena, &message) < 0) {
        arena_fini(&arena);
        client->stats.frames_bad++;
        return 0;
    }
    int status = 0;
    if (message.type == TM_ENROLLED) {
        status = life_enrolled(client, &message.tm_enrolled);
    } else if (has_answer(message.type)) {
        struct request *request = map_get(&client->requests, message.tm_done.wait);
        if (request && !request->is_answered) {
            request->answer = slice_copy(body->data, body->length);
            request->is_answered = request->answer.buf != NULL;
            status = request->is_answered ? 0 : CLIENT_PvmNoMem;
        }
    }
    arena_fini(&arena);
    return status;
}

int client_answer(struct client *client, int wait, struct arena *arena, struct message *answer)
{
    struct request *request = wait > 0 ? map_get(&client->requests, (uint64_t)wait) : NULL;
    if (!request)
        return CLIENT_PvmSysErr;
    if (!request->is_answered)
        return 0;
    if (message_decode(request->answer.data, request->answer.length, arena, answer) < 0)
        return CLIENT_PvmNoMem; /* it was decoded once when it came */
    client_forget(client, wait);
    return 1;
}

void client_forget(struct client *client, int wait)
{
    if (wait > 0)
        request_destroy(map_remove(&client->requests, (uint64_t)wait));
}

void requests_clear(struct client *client)
{
    for (size_t i = 0; i < client->requests.count; i++)
        request_destroy(client->requests.entries[i].value);
    map_fini(&client->requests);
    map_init(&client->requests);
}

static struct wire_texts texts_of(char *const *texts)
{
    struct wire_texts list = {.count = 0, .items = (const char *const *)texts};
    while (texts && texts[list.count])
        list.count++;
    return list;
}

int client_spawn(struct client *client, const char *file, char *const *argv, int flags,
                 const char *where, int count, char *const *environment)
{
    if (count < 1 || count > SPAWN_COUNT_MAX || !file)
        return CLIENT_PvmBadParam;
    struct wire_sink sinks[2];
    client_child_sinks(client, sinks);
    struct message message = {
        .type = TM_SPAWN,
        .tm_spawn =
            {
                .file = file,
                .flags = (uint32_t)flags,
                .where = where ? where : "",
                .count = (uint32_t)count,
                .argv = texts_of(argv),
                .environment = texts_of(environment),
                .context = (uint32_t)client->thread->context,
                .sinks = {.count = 2, .items = sinks},
            },
    };
    return client_request(client, &message);
}

static int hosts_check(char *const *names, int count)
{
    if (count < 1 || count > HOSTS_MAX || !names)
        return CLIENT_PvmBadParam;
    for (int i = 0; i < count; i++)
        if (!names[i])
            return CLIENT_PvmBadParam;
    return 0;
}

int client_addhosts(struct client *client, char *const *names, int count)
{
    if (hosts_check(names, count) < 0)
        return CLIENT_PvmBadParam;
    struct message message = {
        .type = TM_ADDHOSTS,
        .tm_addhosts = {.hosts = {.count = (size_t)count, .items = (const char *const *)names}},
    };
    return client_request(client, &message);
}

int client_delhosts(struct client *client, char *const *names, int count)
{
    if (hosts_check(names, count) < 0)
        return CLIENT_PvmBadParam;
    struct message message = {
        .type = TM_DELHOSTS,
        .tm_delhosts = {.hosts = {.count = (size_t)count, .items = (const char *const *)names}},
    };
    return client_request(client, &message);
}

int client_mstat(struct client *client, const char *host)
{
    if (!host || !*host)
        return CLIENT_PvmBadParam;
    struct message message = {.type = TM_MSTAT, .tm_mstat = {.host = host}};
    return client_request(client, &message);
}

int client_pstat(struct client *client, int tid)
{
    if (!tid_is_task(tid))
        return CLIENT_PvmBadParam;
    struct message message = {.type = TM_PSTAT, .tm_pstat = {.tid = (uint32_t)tid}};
    return client_request(client, &message);
}

int client_sendsig(struct client *client, int tid, int signal)
{
    if (!tid_is_task(tid))
        return CLIENT_PvmBadParam;
    struct message message = {.type = TM_SIGNAL,
                              .tm_signal = {.tid = (uint32_t)tid, .signal = signal}};
    return client_request(client, &message);
}

/* NTF-2 to NTF-5: what each kind wants of |count| and |tids|. */
static int notify_check(int what, int count, const int *tids)
{
    switch (what) {
    case NOTIFY_HOST_ADD:
    case NOTIFY_ROUTE_ADD:
        return 0;
    case NOTIFY_TASK_EXIT:
    case NOTIFY_HOST_DELETE:
    case NOTIFY_ROUTE_DELETE:
        if (count < 1 || !tids)
            return CLIENT_PvmBadParam;
        for (int i = 0; what != NOTIFY_HOST_DELETE && i < count; i++)
            if (!tid_is_task(tids[i]))
                return CLIENT_PvmBadParam;
        return 0;
    default:
        return CLIENT_PvmBadParam;
    }
}

/* Every message goes by the daemon: no route is ever added, and one asked about is gone at once. */
static int notify_route(struct client *client, int what, int tag, int count, const int *tids)
{
    for (int i = 0; what == NOTIFY_ROUTE_DELETE && i < count; i++) {
        int status;
        struct msg *msg = bufs_make(client, 0, &status);
        if (!msg)
            return status;
        const int body[2] = {tids[i], -1};
        status = pack_items(client, msg, CLIENT_INT, body, 2, 1);
        if (status < 0) {
            msg_destroy(msg);
            return status;
        }
        msg->tag = tag;
        msg->context = client->thread->context;
        msg->destination = client->identity.tid;
        match_deliver(client, msg);
    }
    return 0;
}

int client_notify(struct client *client, int what, int tag, int count, const int *tids)
{
    if (tag < 0 && !opts_value(client, OPTION_RESERVED_TIDS))
        return CLIENT_PvmBadParam;
    const int kind = what & ~NOTIFY_CANCEL;
    if (notify_check(kind, count, tids) < 0)
        return CLIENT_PvmBadParam;
    if (kind == NOTIFY_ROUTE_ADD || kind == NOTIFY_ROUTE_DELETE)
        return notify_route(client, what, tag, count, tids);
    const bool has_tids = kind != NOTIFY_HOST_ADD;
    struct message message = {
        .type = TM_NOTIFY,
        .tm_notify =
            {
                .what = what,
                .context = (uint32_t)client->thread->context,
                .tag = tag,
                .count = count,
                .tids = {.count = has_tids ? (size_t)count : 0, .items = (const uint32_t *)tids},
            },
    };
    return client_request(client, &message);
}
