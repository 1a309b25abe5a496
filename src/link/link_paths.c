/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Where the peer is: addresses of it, proved by a challenge before they are used (RFC 9000 section
 * 8.2), followed when the peer moves, searched when the one in use seems dead. "Through that relay"
 * is an address too (link_relay.c). Direct ones are always better: a relayed path is left as soon
 * as a direct one works, and taken only when the peer keeps coming that way or our own search found
 * nothing else.
 */
#include "link/link.h"

#include <string.h>

enum { CHECK_SENT_MAX = 3, SEARCH_FIRST_TRIES = 16, MOVES_BURST = 3 };
#define CHECK_INTERVAL_MIN_NS UINT64_C(50000000)
#define FOLLOW_PATIENCE_MIN_NS UINT64_C(50000000)
#define FOLLOW_PATIENCE_MAX_NS UINT64_C(1000000000)
#define MOVE_INTERVAL_NS UINT64_C(500000000)
#define SEARCH_INTERVAL_NS UINT64_C(100000000)
#define SEARCH_LATER_INTERVAL_NS UINT64_C(500000000)
#define SEARCH_SILENT_INTERVAL_NS UINT64_C(5000000000)
#define SEARCH_RELAYS_AFTER_NS UINT64_C(250000000)
#define DIRECT_INTERVAL_NS UINT64_C(5000000000)

static void candidate_add(const struct mesh_address **candidates, size_t *count,
                          const struct mesh_address *address)
{
    for (size_t i = 0; i < *count; i++) {
        if (mesh_address_is_same(candidates[i], address))
            return;
    }
    candidates[(*count)++] = address;
}

/* The path in use, if it is direct; where the peer was last; what the caller named. */
static size_t direct_candidates(const struct link *link, const struct mesh_address **candidates)
{
    const struct live *live = link->live;
    size_t count = 0;
    if (live->has_path && !mesh_address_is_via(&live->path))
        candidate_add(candidates, &count, &live->path);
    if (live->has_direct)
        candidate_add(candidates, &count, &live->direct);
    for (size_t i = 0; i < link->address_count; i++)
        candidate_add(candidates, &count, &link->addresses[i]);
    return count;
}

_Static_assert(LINK_CANDIDATES_MAX >= MESH_ADDRESSES_MAX + 2 + LINK_RELAYS_MAX,
               "path, direct, addresses, relays");

size_t link_candidates(const struct link *link, const struct mesh_address **candidates)
{
    const struct live *live = link->live;
    size_t count = direct_candidates(link, candidates);
    if (live->has_path)
        candidate_add(candidates, &count, &live->path);
    else if (live->answering && count < LINK_CANDIDATES_MAX - LINK_RELAYS_MAX)
        candidate_add(candidates, &count, &live->answering->to);
    for (size_t i = 0; i < live->relay_count && count < LINK_CANDIDATES_MAX; i++)
        candidate_add(candidates, &count, &live->relays[i]);
    return count;
}

/* A direct path ends all that is being tried, a relayed one only what is relayed. */
static void checks_stop(struct live *live, bool all)
{
    for (size_t i = 0; i < LINK_CHECKS_MAX; i++) {
        if (all || mesh_address_is_via(&live->checks[i].address))
            live->checks[i].is_active = false;
    }
}

/* RFC 9000 section 9.4: another path, other properties. */
static void path_properties_init(struct link *link, uint64_t now_ns)
{
    struct live *live = link->live;
    size_t less = mesh_address_is_via(&live->path) ? RELAY_OVERHEAD_BYTES : 0;
    rtt_init(&live->rtt);
    mtu_init(&live->mtu, MTU_BASE - less, link->mesh->config.datagram_bytes_max - less);
    congestion_init(&live->congestion, live->mtu.current);
    pacer_init(&live->pacer, now_ns);
}

/* What is in flight went the other way, perhaps nowhere. */
static void path_retry_in_flight(struct link *link, uint64_t now_ns)
{
    struct live *live = link->live;
    congestion_moved(&live->congestion, now_ns);
    live->loss.probe_count = 0;
    live->loss.last_sent_ns = now_ns;
    if (live->loss.in_flight_count)
        live->probes = LINK_PROBES_PER_TIMEOUT;
}

void link_set_path(struct link *link, const struct mesh_address *path, uint64_t now_ns)
{
    struct live *live = link->live;
    bool is_via = mesh_address_is_via(path);
    checks_stop(live, !is_via);
    live->search_ns = UINT64_MAX;
    live->elsewhere_ns = 0;
    if (!is_via) {
        live->has_direct = true;
        live->direct = *path;
    }
    if (live->has_path && mesh_address_is_same(&live->path, path))
        return;
    bool is_first = !live->has_path;
    bool is_same_host = memcmp(live->path.ip, path->ip, sizeof(path->ip)) == 0;
    live->has_path = true;
    live->path = *path;
    if (is_first && !is_via)
        return;
    live->moves_ns = MAX_OF(live->moves_ns, now_ns) + MOVE_INTERVAL_NS;
    list_remove(&live->relay_wait);
    live->direct_ns = now_ns + DIRECT_INTERVAL_NS;
    if (!is_same_host || is_via) /* only the port: RFC 9000 section 9.4 lets us keep all */
        path_properties_init(link, now_ns);
    if (is_first)
        return;
    path_retry_in_flight(link, now_ns);
    event_queue(&link->session_event);
    if (is_via)
        log_line(link->mesh->config.log, LOG_LEVEL_INFO, "link %llx: now through a relay",
                 (unsigned long long)link->peer);
    else
        log_line(link->mesh->config.log, LOG_LEVEL_INFO, "link %llx: new address, port %u",
                 (unsigned long long)link->peer, (unsigned)path->port);
    link_wake(link);
}

/* ---- challenges ---- */

bool link_is_checking(const struct live *live)
{
    for (size_t i = 0; i < LINK_CHECKS_MAX; i++) {
        if (live->checks[i].is_active)
            return true;
    }
    return false;
}

void link_check_path(struct link *link, const struct mesh_address *address)
{
    struct live *live = link->live;
    const struct seal_crypto *crypto = link->mesh->config.crypto;
    struct path_check *unused = NULL;
    for (size_t i = 0; i < LINK_CHECKS_MAX; i++) {
        struct path_check *check = &live->checks[i];
        if (!check->is_active)
            unused = check;
        else if (mesh_address_is_same(&check->address, address))
            return;
    }
    if (!unused)
        return;
    *unused = (struct path_check){.is_active = true, .send_now = true, .address = *address};
    crypto->random_bytes(crypto->context, unused->token, sizeof(unused->token));
    link_wake(link);
}

void link_path_proved(struct link *link, const uint8_t *token, uint64_t now_ns)
{
    struct live *live = link->live;
    for (size_t i = 0; i < LINK_CHECKS_MAX; i++) {
        const struct path_check *check = &live->checks[i];
        if (!check->is_active || !check->sent ||
            memcmp(check->token, token, sizeof(check->token)) != 0)
            continue;
        struct mesh_address proved = check->address;
        /* A relay that answers late, after the direct way has worked, is of no use. */
        if (mesh_address_is_via(&proved) && !mesh_address_is_via(&live->path) &&
            live->search_ns == UINT64_MAX && live->elsewhere_ns == 0)
            return;
        link_set_path(link, &proved, now_ns);
        return;
    }
}

size_t link_pull_path(struct link *link, struct mesh_address *to, uint8_t *bytes, uint64_t now_ns)
{
    struct live *live = link->live;
    if (live->respond_now) {
        live->respond_now = false;
        *to = live->respond_to;
        return link_pull_token(link, FRAME_PATH_RESPONSE, live->respond_token, bytes, now_ns);
    }
    for (size_t i = 0; i < LINK_CHECKS_MAX; i++) {
        struct path_check *check = &live->checks[i];
        if (!check->is_active || !check->send_now)
            continue;
        check->send_now = false;
        check->sent++;
        check->next_ns = now_ns + MAX_OF(rtt_probe_timeout_ns(&live->rtt), CHECK_INTERVAL_MIN_NS);
        *to = check->address;
        return link_pull_token(link, FRAME_PATH_CHALLENGE, check->token, bytes, now_ns);
    }
    return 0;
}

/* ---- the peer moves ---- */

/*
 * Where two can reach each other in more than one way (two daemons of one machine always can),
 * both may have looked for another way at the same time and found different ones; if both followed
 * at once, each would go to where the other has just left, for ever. So when it has moved several
 * times in short order the one with the greater key follows late: by then the other has come, or
 * really is elsewhere. From a relayed path to a direct one both follow at once, the other way
 * round both late: the peer may be about to come back.
 */
static bool follows_at_once(const struct link *link, const struct mesh_address *from,
                            uint64_t now_ns)
{
    const struct live *live = link->live;
    bool is_via = mesh_address_is_via(&live->path);
    if (is_via != mesh_address_is_via(from))
        return is_via;
    return live->moves_ns < now_ns + MOVES_BURST * MOVE_INTERVAL_NS ||
           memcmp(link->mesh->public_key, link->public_key, SEAL_KEY_BYTES) < 0;
}

void link_follow_path(struct link *link, const struct mesh_address *from, uint64_t now_ns)
{
    struct live *live = link->live;
    if (mesh_address_is_via(from)) {
        live->heard_via = true;
        live->via = *from;
    }
    if (mesh_address_is_same(from, &live->path)) {
        live->elsewhere_ns = 0;
        return;
    }
    if (live->elsewhere_ns == 0)
        live->elsewhere_ns = MAX_OF(now_ns, (uint64_t)1);
    uint64_t patience_ns = MAX_OF(FOLLOW_PATIENCE_MIN_NS, 2 * rtt_probe_timeout_ns(&live->rtt));
    if (follows_at_once(link, from, now_ns) ||
        now_ns - live->elsewhere_ns >= MIN_OF(patience_ns, FOLLOW_PATIENCE_MAX_NS))
        link_check_path(link, from);
}

/* ---- the path seems dead ---- */

/* Direct addresses and relays in turn; the relay that the peer uses first. */
static void search_next(struct link *link, uint64_t now_ns)
{
    const struct mesh_address *candidates[LINK_CANDIDATES_MAX];
    struct live *live = link->live;
    struct mesh_address via;
    unsigned try = live->search_count++;
    size_t count = direct_candidates(link, candidates);
    bool relays = now_ns - live->received_ns >= SEARCH_RELAYS_AFTER_NS;
    /* Of the direct ones the first is the path itself, which probes are sent on anyway. */
    size_t first = count && mesh_address_is_same(candidates[0], &live->path) ? 1 : 0;
    bool has_direct = count > first;
    if (has_direct && (!relays || try % 2 == 0))
        link_check_path(link, candidates[first + (relays ? try / 2 : try) % (count - first)]);
    if (!relays || (has_direct && try % 2 == 0))
        return;
    if (live->heard_via && !mesh_address_is_same(&live->via, &live->path)) {
        live->heard_via = false;
        link_check_path(link, &live->via);
    } else if (link_next_relay(link, &via) && !mesh_address_is_same(&via, &live->path)) {
        link_check_path(link, &via);
    }
}

static uint64_t search_interval_ns(const struct link *link)
{
    if (link->state == LINK_SILENT)
        return SEARCH_SILENT_INTERVAL_NS;
    return link->live->search_count < SEARCH_FIRST_TRIES ? SEARCH_INTERVAL_NS
                                                         : SEARCH_LATER_INTERVAL_NS;
}

void link_search_path(struct link *link, uint64_t now_ns)
{
    struct live *live = link->live;
    if (live->search_ns != UINT64_MAX || !live->current)
        return;
    live->search_count = 0;
    live->search_ns = now_ns;
}

void link_try_direct(struct link *link, uint64_t now_ns)
{
    const struct mesh_address *candidates[LINK_CANDIDATES_MAX];
    struct live *live = link->live;
    if (!link_relay_works(link)) { /* it went away itself: no need to wait for time-outs */
        live->ping_now |= live->loss.in_flight_count == 0;
        link_search_path(link, now_ns);
    }
    if (now_ns < live->direct_ns)
        return;
    live->direct_ns = now_ns + DIRECT_INTERVAL_NS;
    size_t count = direct_candidates(link, candidates);
    for (size_t i = 0; i < count; i++)
        link_check_path(link, candidates[i]);
}

void link_expire_paths(struct link *link, uint64_t now_ns)
{
    struct live *live = link->live;
    for (size_t i = 0; i < LINK_CHECKS_MAX; i++) {
        struct path_check *check = &live->checks[i];
        if (!check->is_active || check->send_now || now_ns < check->next_ns)
            continue;
        check->send_now = true;
        check->is_active = check->sent < CHECK_SENT_MAX;
    }
    if (now_ns < live->search_ns)
        return;
    bool is_asking = live->loss.in_flight_count || live->ping_now;
    bool works = live->loss.probe_count == 0 &&
                 (!mesh_address_is_via(&live->path) || link_relay_works(link));
    if (works || !is_asking) {
        live->search_ns = UINT64_MAX;
        return;
    }
    search_next(link, now_ns);
    live->search_ns = now_ns + search_interval_ns(link);
}

uint64_t link_paths_deadline_ns(const struct link *link)
{
    const struct live *live = link->live;
    uint64_t at_ns = live->search_ns;
    for (size_t i = 0; i < LINK_CHECKS_MAX; i++) {
        if (live->checks[i].is_active && !live->checks[i].send_now)
            at_ns = MIN_OF(at_ns, live->checks[i].next_ns);
    }
    return at_ns;
}
