/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Calling and answering, and the sessions that come of it: see link.h.
 *
 * Both sides may call at once. Then the call of the side with the smaller public key stands: that
 * side ignores the other's HELLO, the other drops its own and answers. The called side uses the
 * new session only after a packet in it proved that the caller has the answer (key confirmation,
 * as WireGuard does). The session before stays for receiving until three probe timeouts after the
 * peer was seen to use the new one.
 */
#include "link/link.h"

#include "base/mem.h"

#include <string.h>

enum {
    CALL_BACKOFF_MAX = 5,
    CALL_ROUNDS_SINGLE = 2,
    CALL_ROUNDS_SOON = 16,
    REKEY_SENT_MAX = 10, /* HELLOs for new keys while the old ones work */
    HELLO_TOKENS_MAX = 2048,
    HELLO_TOKENS_PER_SECOND = 2000
};
#define CALL_INTERVAL_NS UINT64_C(100000000)
#define CALL_STAGGER_NS UINT64_C(30000000) /* between the candidate addresses */
#define CALL_INTERVAL_SOON_NS UINT64_C(500000000)
#define CALL_INTERVAL_MAX_NS UINT64_C(2000000000)
#define CALL_RELAYS_AFTER_NS UINT64_C(250000000)
#define CALL_RENEW_NS UINT64_C(5000000000)
#define ANSWER_HOLD_NS UINT64_C(300000000)
#define REKEY_PAUSE_NS UINT64_C(5000000000)

/* A free index; 0 when memory is short. */
static uint32_t session_index(struct link *link)
{
    struct mesh *mesh = link->mesh;
    uint32_t index = 0;
    while (index == 0 || map_get(&mesh->sessions, index))
        mesh->config.crypto->random_bytes(mesh->config.crypto->context, (uint8_t *)&index,
                                          sizeof(index));
    return map_put(&mesh->sessions, index, link) < 0 ? 0 : index;
}

static void link_session_destroy(struct link *link, struct session **session)
{
    if (!*session)
        return;
    map_remove(&link->mesh->sessions, (*session)->local_index);
    session_destroy(*session);
    *session = NULL;
}

void link_calling_stop(struct link *link)
{
    struct calling *calling = link->live->calling;
    if (!calling)
        return;
    map_remove(&link->mesh->sessions, calling->local_index);
    noise_wipe(&calling->noise);
    mem_free(calling);
    link->live->calling = NULL;
}

void link_answering_stop(struct link *link)
{
    struct answering *answering = link->live->answering;
    if (!answering)
        return;
    link_session_destroy(link, &answering->session);
    mem_free(answering);
    link->live->answering = NULL;
}

void link_sessions_drop(struct link *link)
{
    link_session_destroy(link, &link->live->current);
    link_session_destroy(link, &link->live->previous);
    link->live->previous_until_ns = UINT64_MAX;
}

void link_sessions_fini(struct link *link)
{
    link_calling_stop(link);
    link_answering_stop(link);
    link_sessions_drop(link);
}

/* ---- calling ---- */

static int calling_prepare(struct link *link, struct calling *calling)
{
    const struct mesh *mesh = link->mesh;
    struct hello hello = {.from = link->self,
                          .to = link->peer,
                          .instance = link->live->instance,
                          .number = ++link->live->hello_number,
                          .mode = (uint8_t)mesh->config.mode,
                          .credit = (uint32_t)MIN_OF(link->live->share.limit, (uint64_t)UINT32_MAX),
                          .epoch_count = link->previous_psk ? 2 : 1,
                          .epochs = {link->psk_epoch, link->previous_psk_epoch}};
    calling->crypto = mesh->config.crypto;
    if (handshake_init(&calling->noise, calling->crypto, true, mesh->config.private_key,
                       mesh->public_key, link->public_key) < 0)
        return -1;
    return hello_write(&calling->noise, calling->local_index, &hello, calling->packet);
}

void link_call(struct link *link, uint64_t now_ns)
{
    struct live *live = link->live;
    const struct mesh_address *candidates[LINK_CANDIDATES_MAX];
    if (live->calling || (live->current && now_ns < live->calling_pause_ns) ||
        (live->answering && !live->answering->hold_is_over) ||
        link_candidates(link, candidates) == 0)
        return;
    struct calling *calling = mem_calloc(1, sizeof(*calling));
    uint32_t index = calling ? session_index(link) : 0;
    if (!index) {
        mem_free(calling);
        live->retry_ns = now_ns + LINK_RETRY_NS;
        return;
    }
    calling->local_index = index;
    calling->send_now = true;
    calling->next_ns = UINT64_MAX;
    live->calling = calling;
    if (calling_prepare(link, calling) < 0) {
        link_calling_stop(link);
        live->retry_ns = now_ns + LINK_RETRY_NS;
        return;
    }
    link_wake(link);
}

/* The direct way may be dead: from now on the call goes through others too. */
static void calling_pick_relays(struct link *link, const struct calling *calling, uint64_t now_ns)
{
    struct live *live = link->live;
    live->relay_count = 0;
    if (now_ns - calling->first_sent_ns < CALL_RELAYS_AFTER_NS ||
        (live->current && live->search_ns == UINT64_MAX))
        return;
    while (live->relay_count < LINK_RELAYS_MAX &&
           link_next_relay(link, &live->relays[live->relay_count]))
        live->relay_count++;
}

/* Round the candidates with a short stagger, then again with backoff; a little apart for each
 * link, so that a hundred hosts started at once do not stay in step. */
static uint64_t calling_interval_ns(const struct link *link, const struct calling *calling)
{
    if (calling->candidate != 0)
        return CALL_STAGGER_NS;
    /* Each interval twice: losses come in bursts. */
    unsigned backoff = MIN_OF((calling->round - 1) / 2, (unsigned)CALL_BACKOFF_MAX);
    uint64_t interval_ns = MIN_OF(CALL_INTERVAL_NS << backoff, calling->round < CALL_ROUNDS_SOON
                                                                   ? CALL_INTERVAL_SOON_NS
                                                                   : CALL_INTERVAL_MAX_NS);
    return interval_ns + interval_ns / 1024 * (link->live->instance & 0xff);
}

/* From the third round on each candidate is asked twice. */
static void calling_next(struct calling *calling, size_t candidate_count)
{
    size_t turns = calling->round < CALL_ROUNDS_SINGLE ? 1 : 2;
    if (++calling->candidate < turns * candidate_count)
        return;
    calling->candidate = 0;
    calling->round++;
}

/* The called side may have forgotten that it answered this HELLO, which is old to it then. */
static void calling_renew(struct link *link, struct calling *calling, uint64_t now_ns)
{
    if (now_ns - calling->made_ns < CALL_RENEW_NS)
        return;
    struct calling made = *calling;
    if (calling_prepare(link, &made) == 0) {
        made.made_ns = now_ns;
        *calling = made;
    }
    noise_wipe(&made.noise);
}

static size_t calling_pull(struct link *link, struct mesh_address *to, uint8_t *bytes,
                           uint64_t now_ns)
{
    const struct mesh_address *candidates[LINK_CANDIDATES_MAX];
    struct calling *calling = link->live->calling;
    calling->send_now = false;
    if (calling->sent++ == 0)
        calling->first_sent_ns = calling->made_ns = now_ns;
    if (calling->candidate == 0) {
        calling_pick_relays(link, calling, now_ns);
        calling_renew(link, calling, now_ns);
    }
    size_t count = link_candidates(link, candidates);
    if (count == 0)
        return 0;
    if (calling->has_extra) {
        *to = calling->extra;
        calling->has_extra = false;
    } else {
        *to = *candidates[calling->candidate % count];
        calling_next(calling, count);
    }
    calling->next_ns = now_ns + calling_interval_ns(link, calling);
    if (!link->live->current && link->live->out_bytes)
        link_asks(link, now_ns);
    memcpy(bytes, calling->packet, HELLO_BYTES);
    return HELLO_BYTES;
}

size_t link_pull_handshake(struct link *link, struct mesh_address *to, uint8_t *bytes,
                           uint64_t now_ns)
{
    struct live *live = link->live;
    if (live->answering && live->answering->send_now) {
        live->answering->send_now = false;
        live->answering->sent++;
        *to = live->answering->to;
        memcpy(bytes, live->answering->packet, ANSWER_BYTES);
        return ANSWER_BYTES;
    }
    if (live->calling && live->calling->send_now)
        return calling_pull(link, to, bytes, now_ns);
    return 0;
}

/* A note that waited long for its session is of no use any more. */
static void link_drop_old_notes(struct link *link, uint64_t now_ns)
{
    struct live *live = link->live;
    struct list *node;
    while ((node = list_first(&live->notes)) &&
           now_ns - LIST_ENTRY(node, struct note, node)->since_ns >= LINK_NOTE_AGE_NS)
        link_note_drop(live);
}

void link_expire_handshake(struct link *link, uint64_t now_ns)
{
    struct live *live = link->live;
    if (!live->current) {
        link_drop_old_notes(link, now_ns);
        link_drop_old_passings(link, now_ns);
    }
    if (live->calling && !live->current && !link_has_news(link))
        link_calling_stop(link); /* what it was for is too old by now */
    if (live->calling && now_ns >= live->calling->next_ns) {
        live->calling->send_now = true;
        live->calling->next_ns = UINT64_MAX;
        if (live->current && live->calling->sent >= REKEY_SENT_MAX) {
            link_calling_stop(link);
            live->calling_pause_ns = now_ns + REKEY_PAUSE_NS;
        }
    }
    if (live->answering && now_ns - live->answering->created_ns >= ANSWER_HOLD_NS)
        live->answering->hold_is_over = true;
}

uint64_t link_handshake_deadline_ns(const struct link *link)
{
    const struct live *live = link->live;
    uint64_t at_ns = UINT64_MAX;
    if (live->calling && !live->calling->send_now)
        at_ns = live->calling->next_ns;
    if (live->answering && !live->answering->hold_is_over && !live->current)
        at_ns = MIN_OF(at_ns, live->answering->created_ns + ANSWER_HOLD_NS);
    return at_ns;
}

/* ---- a session is agreed ---- */

struct agreement {
    struct session *session;
    uint64_t remote_instance;
    uint32_t credit;
    uint32_t epoch;
};

static void link_install(struct link *link, const struct agreement *agreed,
                         const struct mesh_address *from, uint64_t now_ns)
{
    struct live *live = link->live;
    struct mesh_counters *counters = &link->mesh->counters;
    if (link->state == LINK_CLOSED) {
        link_input(link, LINK_RENEWAL, NULL);
    } else if (live->remote_instance && live->remote_instance != agreed->remote_instance) {
        /* Packets of the old state must never meet the new one. */
        link_session_destroy(link, &live->previous);
        link_session_destroy(link, &live->current);
        link_renew(link, now_ns);
    }
    counters->handshakes++;
    counters->rekeys += live->current != NULL;
    link_session_destroy(link, &live->previous);
    live->previous = live->current;
    live->previous_until_ns = UINT64_MAX;
    live->current = agreed->session;
    live->remote_instance = agreed->remote_instance;
    if (live->credit.sequence == 0)
        live->credit.limit = MAX_OF((uint64_t)agreed->credit, (uint64_t)CREDIT_FLOOR);
    if (agreed->epoch == link->psk_epoch) {
        mem_free(link->previous_psk);
        link->previous_psk = NULL;
    }
    link_set_path(link, from, now_ns);
    live->received_ns = now_ns;
    live->asking_ns = 0;
    link_input(link, LINK_LIFE, NULL);
    event_queue(&link->session_event);
    log_line(link->mesh->config.log, LOG_LEVEL_DEBUG,
             "link %llx: keys agreed, psk %u, called by %s", (unsigned long long)link->peer,
             (unsigned)agreed->epoch, agreed->session->is_caller ? "us" : "them");
    link_wake(link);
}

void link_confirm(struct link *link, const struct mesh_address *from, uint64_t now_ns)
{
    struct answering *answering = link->live->answering;
    struct agreement agreed = {answering->session, answering->remote_instance, answering->credit,
                               answering->epoch};
    uint64_t trip_ns = answering->sent == 1 ? now_ns - answering->created_ns : 0;
    link_install(link, &agreed, from, now_ns);
    struct live *live = link->live;
    mem_free(live->answering);
    live->answering = NULL;
    if (trip_ns && !live->rtt.has_sample)
        rtt_sample(&live->rtt, trip_ns, 0);
    live->previous_until_ns = now_ns + link_previous_ns(live);
    link_calling_stop(link);
}

static const uint8_t *link_psk(const struct link *link, uint32_t epoch)
{
    if (epoch == link->psk_epoch)
        return link->psk;
    if (link->previous_psk && epoch == link->previous_psk_epoch)
        return link->previous_psk;
    return NULL;
}

void mesh_receive_answer(struct mesh *mesh, const struct mesh_address *from, const uint8_t *packet,
                         size_t length, uint64_t now_ns)
{
    uint32_t receiver_index, epoch;
    struct answer answer;
    if (answer_peek(packet, length, &receiver_index, &epoch) < 0) {
        mesh->counters.dropped_malformed++;
        return;
    }
    struct link *link = map_get(&mesh->sessions, receiver_index);
    struct calling *calling = link && link->live ? link->live->calling : NULL;
    const uint8_t *psk = link ? link_psk(link, epoch) : NULL;
    if (!calling || calling->local_index != receiver_index || !psk) {
        mesh->counters.dropped_unknown++;
        return;
    }
    if (answer_read(&calling->noise, psk, packet, &answer) < 0 ||
        answer.mode != mesh->config.mode) {
        mesh->counters.dropped_unsealed++;
        return;
    }
    struct session *session = session_create(&calling->noise, mesh->config.mode, true,
                                             receiver_index, answer.index, now_ns);
    if (!session) {
        link_calling_stop(link);
        link->live->retry_ns = now_ns + LINK_RETRY_NS;
        return;
    }
    uint64_t trip_ns = calling->sent == 1 ? now_ns - calling->first_sent_ns : 0;
    noise_wipe(&calling->noise);
    mem_free(calling); /* its index is the session's now */
    link->live->calling = NULL;
    struct agreement agreed = {session, answer.instance, answer.credit, epoch};
    link_install(link, &agreed, from, now_ns);
    if (trip_ns && !link->live->rtt.has_sample)
        rtt_sample(&link->live->rtt, trip_ns, 0);
    link->live->ping_now = true; /* the proof that the other side waits for */
    link_answering_stop(link);
}

/* ---- answering ---- */

/* The newest of our psks that the caller takes too. */
static const uint8_t *link_common_psk(const struct link *link, const struct hello *hello,
                                      uint32_t *epoch)
{
    const uint32_t own[] = {link->psk_epoch, link->previous_psk_epoch};
    size_t count = link->previous_psk ? 2 : 1;
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < hello->epoch_count; j++) {
            if (own[i] == hello->epochs[j]) {
                *epoch = own[i];
                return link_psk(link, own[i]);
            }
        }
    }
    return NULL;
}

static int link_answer(struct link *link, struct noise *noise, const struct hello *hello,
                       uint32_t caller_index, const struct mesh_address *from, uint64_t now_ns)
{
    struct live *live = link->live;
    const struct mesh *mesh = link->mesh;
    uint32_t epoch = 0;
    const uint8_t *psk = link_common_psk(link, hello, &epoch);
    if (!psk)
        return -1;
    struct answering *answering = mem_calloc(1, sizeof(*answering));
    uint32_t index = answering ? session_index(link) : 0;
    struct answer answer = {live->instance, (uint8_t)mesh->config.mode,
                            (uint32_t)MIN_OF(live->share.limit, (uint64_t)UINT32_MAX), index};
    if (!index ||
        answer_packet_write(noise, psk, epoch, caller_index, &answer, answering->packet) < 0)
        goto failed;
    answering->session = session_create(noise, mesh->config.mode, false, index, caller_index,
                                        now_ns);
    if (!answering->session)
        goto failed;
    answering->remote_instance = hello->instance;
    answering->number = hello->number;
    answering->credit = hello->credit;
    answering->epoch = epoch;
    answering->to = *from;
    answering->send_now = true;
    answering->created_ns = now_ns;
    link_answering_stop(link);
    live->answering = answering;
    live->hello_instance = hello->instance;
    live->hello_seen = hello->number;
    link_wake(link);
    return 0;

failed:
    if (index)
        map_remove(&link->mesh->sessions, index);
    mem_free(answering);
    return -1;
}

/* Calls cross: true when ours stands. Then the caller gets it at the address it called from. */
static bool link_call_stands(struct link *link, const struct mesh_address *from)
{
    struct calling *calling = link->live->calling;
    if (!calling)
        return false;
    if (memcmp(link->mesh->public_key, link->public_key, SEAL_KEY_BYTES) > 0) {
        link_calling_stop(link);
        return false;
    }
    if (!calling->has_extra && !calling->send_now) {
        calling->has_extra = calling->send_now = true;
        calling->extra = *from;
        link_wake(link);
    }
    return true;
}

/* HELLO |number| came again, from the instance that is known. */
static void link_hello_again(struct link *link, uint64_t number, const struct mesh_address *from)
{
    struct answering *answering = link->live->answering;
    if (number != link->live->hello_seen || !answering) {
        link->mesh->counters.dropped_replayed++;
        return;
    }
    answering->to = *from;
    answering->send_now = true;
    link_wake(link);
}

static void link_receive_hello(struct link *link, struct noise *noise, const struct hello *hello,
                               uint32_t caller_index, const struct mesh_address *from,
                               uint64_t now_ns)
{
    struct mesh *mesh = link->mesh;
    struct live *live = link_live(link, now_ns);
    if (!live)
        return;
    if (hello->instance == live->hello_instance && hello->number <= live->hello_seen) {
        link_hello_again(link, hello->number, from);
        return;
    }
    if (link_call_stands(link, from))
        return;
    if (link_answer(link, noise, hello, caller_index, from, now_ns) < 0)
        mesh->counters.dropped_unknown++;
}

static bool mesh_takes_hello(struct mesh *mesh, uint64_t now_ns)
{
    uint64_t earned = (now_ns - mesh->hello_tokens_ns) / (1000000000u / HELLO_TOKENS_PER_SECOND);
    if (earned) {
        mesh->hello_tokens = MIN_OF(mesh->hello_tokens + earned, (uint64_t)HELLO_TOKENS_MAX);
        mesh->hello_tokens_ns = now_ns;
    }
    if (mesh->hello_tokens == 0)
        return false;
    mesh->hello_tokens--;
    return true;
}

static bool mesh_knows_key(const struct mesh *mesh, const uint8_t *public_key)
{
    const struct link *link = map_get(&mesh->keys, mesh_key_prefix(public_key));
    return link && memcmp(link->public_key, public_key, SEAL_KEY_BYTES) == 0;
}

/* The hash that ends a HELLO is of all of it: the same hash, the same packet. */
static struct hello_known *mesh_hello_known(struct mesh *mesh, const uint8_t *packet,
                                            uint64_t *hash)
{
    memcpy(hash, packet + HELLO_BYTES - HELLO_MAC_BYTES, sizeof(*hash));
    return &mesh->hellos[*hash % HELLOS_KNOWN];
}

/* True when it was answered before and the link has not changed since. */
static bool mesh_hello_again(struct mesh *mesh, const uint8_t *packet,
                             const struct mesh_address *from)
{
    uint64_t hash;
    const struct hello_known *known = mesh_hello_known(mesh, packet, &hash);
    struct link *link = hash && known->hash == hash ? map_get(&mesh->links, known->peer) : NULL;
    if (!link || link->state == LINK_DEAD || !link->live ||
        link->live->hello_instance != known->instance || link->live->hello_seen != known->number)
        return false;
    link_hello_again(link, known->number, from);
    return true;
}

static void mesh_hello_remember(struct mesh *mesh, const uint8_t *packet, const struct link *link)
{
    uint64_t hash;
    struct hello_known *known = mesh_hello_known(mesh, packet, &hash);
    if (link->live)
        *known = (struct hello_known){.hash = hash,
                                      .peer = link->peer,
                                      .instance = link->live->hello_instance,
                                      .number = link->live->hello_seen};
}

void mesh_receive_hello(struct mesh *mesh, const struct mesh_address *from, const uint8_t *packet,
                        size_t length, uint64_t now_ns)
{
    struct noise noise;
    struct hello hello;
    uint8_t suite;
    uint32_t caller_index;
    struct mesh_counters *counters = &mesh->counters;
    if (hello_check(mesh->config.crypto, mesh->public_key, packet, length, &suite, &caller_index) <
        0) {
        if (length == HELLO_BYTES)
            counters->dropped_unsealed++;
        else
            counters->dropped_malformed++;
        return;
    }
    if (mesh_hello_again(mesh, packet, from))
        return;
    const struct seal_crypto *crypto = handshake_crypto(mesh->config.crypto, suite);
    if (!crypto || !mesh_takes_hello(mesh, now_ns)) {
        counters->dropped_unknown++;
        return;
    }
    if (handshake_init(&noise, crypto, false, mesh->config.private_key, mesh->public_key, NULL) <
            0 ||
        hello_read_key(&noise, packet) < 0) {
        counters->dropped_unsealed++;
    } else if (!mesh_knows_key(mesh, noise.remote_static)) {
        counters->dropped_unknown++;
    } else if (hello_read(&noise, packet, &hello) < 0) {
        counters->dropped_unsealed++;
    } else {
        struct link *link = map_get(&mesh->links, hello.from);
        if (!link || link->state == LINK_DEAD || hello.to != link->self ||
            hello.mode != mesh->config.mode ||
            memcmp(link->public_key, noise.remote_static, SEAL_KEY_BYTES) != 0)
            counters->dropped_unknown++;
        else
            link_receive_hello(link, &noise, &hello, caller_index, from, now_ns);
        if (link && link->live && link->live->answering && link->live->hello_seen == hello.number &&
            link->live->hello_instance == hello.instance)
            mesh_hello_remember(mesh, packet, link);
    }
    noise_wipe(&noise);
}
