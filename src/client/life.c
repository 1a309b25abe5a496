/* SPDX-License-Identifier: BSD-3-Clause */
/* Birth, enrolment and end of the library of one task; error texts; the data signature of this
 * machine. */
#include "base/mem.h"
#include "client/state.h"

#include <string.h>

const char *client_error_text(int code)
{
    switch (code) {
#define ERROR_CASE(name, number, text)                                                             \
    case number:                                                                                   \
        return text;
        ERROR_TABLE(ERROR_CASE)
#undef ERROR_CASE
    default:
        return NULL;
    }
}

/* CST-15: three bits of log2(size) and two of byte order for short, int and long; format and
 * byte order for float and double. */
uint32_t client_signature_native(void)
{
    const uint16_t probe = 1;
    uint8_t first;
    memcpy(&first, &probe, 1);
    const uint32_t order = first ? 0 : 3;
    const uint32_t long_log2 = sizeof(long) == 8 ? 3 : 2;
    return (1u | order << 3) | (2u | order << 3) << 5 | (long_log2 | order << 3) << 10 |
           (1u | order << 4) << 15 | (2u | order << 4) << 21;
}

struct client *client_create(const struct client_config *config)
{
    struct client *client = mem_calloc(1, sizeof(*client));
    if (!client)
        return NULL;
    client->config = *config;
    client->thread = &client->main_thread;
    client->pool.room = config->routes.room;
    client->pool.context = config->routes.context;
    map_init(&client->peers);
    map_init(&client->requests);
    map_init(&client->lost_hosts);
    queue_init(&client->queue);
    handlers_init(&client->handlers);
    client->identity.parent = CLIENT_PvmNoParent;
    client->identity.host_name = "";
    opts_init(client);
    return client;
}

static void enrol_forget(struct client *client)
{
    mem_free(client->enrol_error);
    client->enrol_error = NULL;
    client->enrol_status = 0;
    client->enrol_pending = false;
}

void client_own_bodies(struct client *client)
{
    for (size_t mid = 1; mid < client->mid_capacity; mid++) {
        struct msg *msg = client->mids[mid];
        for (size_t i = 0; msg && i < msg->fragment_count; i++) {
            struct slice *slice = &msg->fragments[i].slice;
            if (!slice->buf || !slice->buf->release)
                continue;
            const struct slice copy = slice_copy(slice->data, slice->length);
            if (!copy.buf)
                continue;
            slice_drop(slice);
            *slice = copy;
            msg->fragments[i].kind = FRAGMENT_SHARED;
        }
    }
}

void client_leave(struct client *client)
{
    match_clear(client);
    handlers_drop_staged(&client->handlers);
    peers_clear(client);
    requests_clear(client);
    out_clear(&client->out);
    enrol_forget(client);
    client->multicasts = 0;
    client->daemon_route = NULL;
    client->daemon_route_wanted = false;
    client->identity.tid = 0;
    client->identity.daemon_tid = 0;
    client->identity.parent = CLIENT_PvmNoParent;
}

void client_destroy(struct client *client)
{
    if (!client)
        return;
    client_leave(client);
    for (size_t mid = 1; mid < client->mid_capacity; mid++)
        if (client->mids[mid])
            bufs_release(client, client->mids[mid]);
    msg_pool_clear(&client->pool);
    mem_free(client->mids);
    mem_free(client->free_mids);
    mem_free(client->out.items);
    mem_free(client->host_name);
    client_clear_handlers(client);
    map_fini(&client->peers);
    map_fini(&client->requests);
    map_fini(&client->lost_hosts);
    mem_free(client);
}

int client_enrol(struct client *client, uint32_t pid, uint64_t cookie, const char *name)
{
    const struct message message = {
        .type = TM_ENROL,
        .tm_enrol =
            {
                .version = PROTOCOL_TASK_VERSION,
                .signature = client->config.signature,
                .pid = pid,
                .cookie = cookie,
                .name = name ? name : "",
            },
    };
    enrol_forget(client);
    const int status = request_queue(client, &message);
    client->enrol_pending = status == 0;
    return status;
}

static int enrol_refused(struct client *client, int status, const char *error)
{
    char *copy = mem_strdup(error ? error : "");
    if (!copy)
        return CLIENT_PvmNoMem;
    client->enrol_pending = false;
    mem_free(client->enrol_error);
    client->enrol_error = copy;
    client->enrol_status = status;
    return 0;
}

int life_enrolled(struct client *client, const struct wire_tm_enrolled *answer)
{
    if (!client->enrol_pending) {
        client->stats.frames_bad++;
        return 0;
    }
    if (answer->status < 0)
        return enrol_refused(client, answer->status, answer->error);
    if (answer->version != PROTOCOL_TASK_VERSION)
        return enrol_refused(client, CLIENT_PvmBadVersion, "the daemon speaks another version");
    if (!tid_is_task((int)answer->tid))
        return enrol_refused(client, CLIENT_PvmSysErr,
                             "the daemon gave a number that is no task's");
    char *host_name = mem_strdup(answer->host_name ? answer->host_name : "");
    if (!host_name)
        return CLIENT_PvmNoMem;
    mem_free(client->host_name);
    client->host_name = host_name;
    client->enrol_pending = false;
    client->enrol_status = 1;
    struct client_identity *identity = &client->identity;
    identity->tid = (int)answer->tid;
    identity->parent = answer->parent ? answer->parent : CLIENT_PvmNoParent;
    identity->daemon_tid = (int)answer->daemon_tid;
    identity->host_name = host_name;
    const struct wire_sink nowhere = {0};
    identity->output = answer->sinks.count > 0 ? answer->sinks.items[0] : nowhere;
    identity->trace = answer->sinks.count > 1 ? answer->sinks.items[1] : nowhere;
    opts_inherit(client);
    return 0;
}

int client_enrolled(struct client *client, const char **error)
{
    if (error)
        *error = client->enrol_error ? client->enrol_error : "";
    return client->enrol_status;
}

const struct client_identity *client_identity(const struct client *client)
{
    return &client->identity;
}

struct client_stats client_stats(const struct client *client)
{
    struct client_stats stats = client->stats;
    stats.messages_queued = client->queue.count;
    return stats;
}
