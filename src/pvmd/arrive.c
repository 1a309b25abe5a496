/* SPDX-License-Identifier: BSD-3-Clause */
/* Bringing an answer with a join token: see the header. */
#include "pvmd/arrive.h"

#include "base/str.h"
#include "crypto/crypto.h"
#include "link/mesh.h"
#include "os/clock.h"
#include "os/loop.h"
#include "os/udp.h"
#include "pvmd/address.h"

#include <string.h>

struct arrival {
    const struct config *config;
    const struct host_answer *answer;
    struct loop *loop;
    struct loop_timer *timer;
    struct udp *udp;
    struct mesh *mesh;
    uint64_t until_ns;
    bool is_ended;
    int result;
    char *error;
};

static void end(struct arrival *arrival, const char *words)
{
    arrival->is_ended = true;
    arrival->result = words ? -1 : 0;
    if (words)
        str_copy(arrival->error, CONFIG_ERROR_BYTES, words);
    loop_stop(arrival->loop);
}

static void nobody_answered(struct arrival *arrival, const char *what)
{
    const uint64_t expires_s = arrival->config->token.expires_s;
    const uint64_t now_s = clock_wall_us() / 1000000;
    char words[CONFIG_ERROR_BYTES];
    if (now_s > expires_s)
        str_format(words, sizeof(words), "%s: the token expired %llu s ago by this machine's clock",
                   what, (unsigned long long)(now_s - expires_s));
    else
        str_format(words, sizeof(words),
                   "%s: is the token used, expired or damaged, or the master gone or out of reach?",
                   what);
    end(arrival, words);
}

static void got_message(struct arrival *arrival, const struct slice *bytes)
{
    struct arena arena;
    struct message message;
    char words[CONFIG_ERROR_BYTES];
    arena_init(&arena);
    if (message_decode(bytes->data, bytes->length, &arena, &message) == 0 &&
        message.type == DM_REJOINED) {
        const struct wire_dm_rejoined *answer = &message.dm_rejoined;
        if (memcmp(answer->public_key.bytes, arrival->answer->public_key, WIRE_KEY_BYTES) != 0) {
            end(arrival, "the token was used by another daemon");
        } else if (answer->status < 0) {
            str_format(words, sizeof(words), "the master does not take this host: %s",
                       answer->error);
            end(arrival, words);
        } else {
            end(arrival, NULL);
        }
    }
    arena_fini(&arena);
}

static void take_events(struct arrival *arrival)
{
    struct mesh_event happened;
    while (mesh_next_event(arrival->mesh, &happened)) {
        if (!arrival->is_ended && happened.kind == MESH_CONTROL)
            got_message(arrival, &happened.payload);
        else if (!arrival->is_ended && happened.kind == MESH_DOWN)
            nobody_answered(arrival, "the master ended the link without an answer");
        slice_drop(&happened.payload);
    }
}

static void flush(struct arrival *arrival)
{
    uint8_t *place;
    size_t length = 1;
    while (length > 0) {
        while ((place = udp_place(arrival->udp)) != NULL) {
            struct mesh_address to;
            length = mesh_pull(arrival->mesh, &to, place, clock_now_ns());
            if (length == 0)
                break;
            struct net_address address = address_from_mesh(&to);
            udp_add(arrival->udp, &address, length);
        }
        if (!udp_flush(arrival->udp))
            return;
    }
}

static bool turn(void *context)
{
    struct arrival *arrival = context;
    take_events(arrival);
    flush(arrival);
    uint64_t at_ns = mesh_deadline(arrival->mesh);
    loop_timer_set(arrival->timer, at_ns < arrival->until_ns ? at_ns : arrival->until_ns);
    return false;
}

static void timer_ready(void *context)
{
    struct arrival *arrival = context;
    uint64_t now_ns = clock_now_ns();
    if (mesh_deadline(arrival->mesh) <= now_ns)
        mesh_expire(arrival->mesh, now_ns);
    if (!arrival->is_ended && now_ns >= arrival->until_ns)
        nobody_answered(arrival, "the master did not answer");
}

static void got_datagram(void *context, const struct net_address *from, uint8_t *bytes,
                         size_t length)
{
    struct arrival *arrival = context;
    struct mesh_address address = address_to_mesh(from);
    mesh_receive(arrival->mesh, &address, bytes, length, clock_now_ns());
}

static void got_unreachable(void *context, const struct net_address *to)
{
    struct arrival *arrival = context;
    struct mesh_address address = address_to_mesh(to);
    mesh_unreachable(arrival->mesh, &address, clock_now_ns());
}

static void socket_turned(void *context)
{
    (void)context; /* before each sleep all is looked at */
}

static int send_answer(struct arrival *arrival)
{
    const struct host_answer *answer = arrival->answer;
    struct message message = {.type = DM_ARRIVED};
    struct wr wr;
    message.dm_arrived = (struct wire_dm_arrived){
        .version = answer->protocol,
        .epoch = arrival->config->join.epoch,
        .arch = answer->arch,
        .signature = answer->signature,
        .addresses = {.count = answer->address_count, .items = answer->addresses}};
    memcpy(message.dm_arrived.public_key.bytes, answer->public_key, WIRE_KEY_BYTES);
    wr_init(&wr);
    message_encode(&wr, &message);
    int result = wr.bad ? -1
                        : mesh_send_control(arrival->mesh, arrival->config->join.master_epoch,
                                            wr.bytes, wr.length, clock_now_ns());
    wr_fini(&wr);
    return result;
}

static int make_link(struct arrival *arrival, const struct log_sink *log)
{
    const struct join_args *join = &arrival->config->join;
    struct mesh_address addresses[ANSWER_ADDRESSES_MAX];
    struct mesh_config config = {.crypto = crypto_openssl(),
                                 .mode = arrival->config->seal,
                                 .receive_buffer_bytes = udp_receive_buffer_bytes(arrival->udp),
                                 .datagram_bytes_max = UDP_DATAGRAM_BYTES_MAX,
                                 .log = log};
    struct mesh_peer_config peer = {.peer = join->master_epoch,
                                    .self = arrival->config->token.id,
                                    .addresses = addresses};
    memcpy(config.private_key, arrival->config->token.private_key, sizeof(config.private_key));
    memcpy(peer.public_key, join->master_key, sizeof(peer.public_key));
    for (size_t i = 0; i < join->master_address_count; i++)
        if (address_from_wire(&join->master_addresses[i], &addresses[peer.address_count]) == 0)
            peer.address_count++;
    arrival->mesh = config.crypto ? mesh_create(&config, clock_now_ns()) : NULL;
    if (!arrival->mesh || mesh_peer_add(arrival->mesh, &peer, clock_now_ns()) < 0)
        return -1;
    return send_answer(arrival);
}

static int begin(struct arrival *arrival, const struct log_sink *log)
{
    struct udp_config config = {.loopback_only = arrival->config->loopback_only};
    struct udp_handler handler = {
        .context = arrival, .datagram = got_datagram, .unreachable = got_unreachable};
    arrival->loop = loop_create();
    arrival->timer = arrival->loop ? loop_timer_open(arrival->loop, timer_ready, arrival) : NULL;
    if (!arrival->timer) {
        str_copy(arrival->error, CONFIG_ERROR_BYTES, "the system gives no event loop");
        return -1;
    }
    arrival->udp = udp_open(&config, arrival->error, CONFIG_ERROR_BYTES);
    if (!arrival->udp)
        return -1;
    if (udp_start(arrival->udp, arrival->loop, &handler, socket_turned) == 0 &&
        make_link(arrival, log) == 0)
        return 0;
    str_copy(arrival->error, CONFIG_ERROR_BYTES, "no memory for a link to the master");
    return -1;
}

int arrive(const struct config *config, const struct host_answer *answer,
           const struct log_sink *log, char error[CONFIG_ERROR_BYTES])
{
    struct arrival arrival = {.config = config,
                              .answer = answer,
                              .until_ns = clock_now_ns() + TOKEN_ANSWER_S * UINT64_C(1000000000),
                              .result = -1,
                              .error = error};
    if (begin(&arrival, log) == 0) {
        loop_before_sleep(arrival.loop, turn, &arrival);
        loop_run(arrival.loop);
        mesh_peer_remove(arrival.mesh, config->join.master_epoch, true, clock_now_ns());
        flush(&arrival);
    }
    if (arrival.mesh)
        mesh_destroy(arrival.mesh);
    udp_close(arrival.udp);
    if (arrival.timer)
        loop_timer_close(arrival.timer);
    if (arrival.loop)
        loop_destroy(arrival.loop);
    return arrival.result;
}
