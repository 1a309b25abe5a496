/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A link that nobody uses goes to rest: keys, windows and all that a conversation needs are freed,
 * and what must not be forgotten stays in struct rest (numbers, offsets, the address). The next
 * word begins with a handshake, and everything goes on where it stopped: the user notices nothing.
 *
 * Both sides rest by themselves, without a word about it. The side that has something to say again
 * treats its keys as gone a while before the other one may have dropped them: LINK_STALE_NS after
 * it last heard the peer, which is less than LINK_REST_NS after the peer last spoke.
 *
 * Before that the link is tidied once: flows that are drained are ended, credit that was held back
 * for the next packet is told. That costs a packet or two after half a minute, and then none.
 */
#include "link/link.h"

#include "base/mem.h"

#include <string.h>

struct rest {
    uint64_t instance, remote_instance;
    uint64_t hello_number, hello_seen, hello_instance;
    uint64_t next_number, next_heard; /* of packets */
    bool has_path;
    struct mesh_address path;
    bool has_direct;
    struct mesh_address direct;
    struct rtt rtt;
    struct mtu mtu;
    uint64_t control_end, control_limit, control_in_end, control_in_limit;
    uint64_t next_flow_id;
    struct ranges inflows_ended;
    struct outcredit peer_credit;
    uint64_t in_started, in_consumed, in_limit;
    struct link_credit credit;
    uint64_t share_limit, share_sequence;
};

static uint64_t used_ns(const struct live *live)
{
    return MAX_OF(live->received_ns, live->sent_ns);
}

/* Nothing is under way, in either direction, and nobody here holds what came. */
static bool may_rest(struct link *link)
{
    const struct live *live = link->live;
    return !live->calling && live->out_bytes == 0 && live->held_bytes == 0 &&
           live->loss.in_flight_count == 0 && live->outflows.count == 0 &&
           live->inflows.count == 0 && live->acks.due_ns == UINT64_MAX && !link_is_checking(live) &&
           !live->share.is_holding && live->share.wanted == 0 && !live->credit.has_more &&
           !link_has_news(link);
}

static bool may_tidy(const struct live *live)
{
    return live->current && !live->is_tidy && live->loss.in_flight_count == 0 &&
           live->outflows.count + live->inflows.count > 0;
}

uint64_t link_rest_deadline_ns(struct link *link)
{
    const struct live *live = link->live;
    if (may_tidy(live))
        return used_ns(live) + LINK_TIDY_NS;
    return may_rest(link) ? used_ns(live) + LINK_REST_NS : UINT64_MAX;
}

static void rest_fill(struct rest *rest, struct live *live)
{
    *rest = (struct rest){.instance = live->instance,
                          .remote_instance = live->remote_instance,
                          .hello_number = live->hello_number,
                          .hello_seen = live->hello_seen,
                          .hello_instance = live->hello_instance,
                          .next_number = loss_next_number(&live->loss),
                          .next_heard = live->replay.next,
                          .has_path = live->has_path,
                          .path = live->path,
                          .has_direct = live->has_direct,
                          .direct = live->direct,
                          .rtt = live->rtt,
                          .mtu = live->mtu,
                          .control_end = live->control.end,
                          .control_limit = live->control.limit,
                          .control_in_end = live->control_in.delivered,
                          .control_in_limit = live->control_in.limit,
                          .next_flow_id = live->next_flow_id,
                          .inflows_ended = live->inflows_ended,
                          .peer_credit = live->peer_credit,
                          .in_started = live->in_started,
                          .in_consumed = live->in_consumed,
                          .in_limit = live->in_limit,
                          .credit = live->credit,
                          .share_limit = live->share.limit,
                          .share_sequence = live->share.sequence};
    ranges_init(&live->inflows_ended); /* they are the rest's now */
}

void link_rest_restore(struct link *link)
{
    struct rest *rest = link->rest;
    struct live *live = link->live;
    live->instance = rest->instance;
    live->remote_instance = rest->remote_instance;
    live->hello_number = rest->hello_number;
    live->hello_seen = rest->hello_seen;
    live->hello_instance = rest->hello_instance;
    loss_resume(&live->loss, rest->next_number);
    replay_resume(&live->replay, rest->next_heard);
    live->has_path = rest->has_path;
    live->path = rest->path;
    live->has_direct = rest->has_direct;
    live->direct = rest->direct;
    live->rtt = rest->rtt;
    live->mtu = rest->mtu;
    congestion_init(&live->congestion, live->mtu.current);
    outlane_resume(&live->control, rest->control_end, rest->control_limit);
    inlane_resume(&live->control_in, rest->control_in_end, rest->control_in_limit);
    live->next_flow_id = rest->next_flow_id;
    live->inflows_ended = rest->inflows_ended;
    live->peer_credit = rest->peer_credit;
    live->in_started = rest->in_started;
    live->in_consumed = rest->in_consumed;
    live->in_limit = rest->in_limit;
    live->credit = rest->credit;
    /* The peer knows the old share, by its number. */
    live->grant_now = live->share.limit != rest->share_limit;
    live->share.sequence = rest->share_sequence + live->grant_now;
    mem_free(rest);
    link->rest = NULL;
}

void link_rest_fini(struct link *link)
{
    if (!link->rest)
        return;
    ranges_fini(&link->rest->inflows_ended);
    mem_free(link->rest);
    link->rest = NULL;
}

uint64_t link_rest_rtt_ns(const struct link *link)
{
    return link->rest && link->rest->rtt.has_sample ? link->rest->rtt.smoothed_ns : 0;
}

static void link_rest(struct link *link, uint64_t now_ns)
{
    struct rest *rest = mem_alloc(sizeof(*rest));
    if (!rest) {
        link->live->sent_ns = now_ns; /* another time */
        return;
    }
    rest_fill(rest, link->live);
    link_live_destroy(link);
    link->rest = rest;
    credit_run(&link->mesh->credit, now_ns);
}

/* Ends what is drained, tells what waited for a packet to go along with. */
static void link_tidy(struct link *link, uint64_t now_ns)
{
    struct live *live = link->live;
    struct list *node;
    live->is_tidy = true;
    while ((node = list_first(&live->lazy_notices))) {
        list_remove(node);
        list_push_back(&live->notices, node);
    }
    link_flows_retire(link, (unsigned)live->outflows.count, now_ns);
}

bool link_rest_expire(struct link *link, uint64_t now_ns)
{
    if (now_ns < link_rest_deadline_ns(link))
        return false;
    if (may_tidy(link->live)) {
        link_tidy(link, now_ns);
        return false;
    }
    link_rest(link, now_ns);
    return link->live == NULL;
}

bool link_is_stale(const struct link *link, uint64_t now_ns)
{
    const struct live *live = link->live;
    return live->loss.in_flight_count == 0 && now_ns > live->received_ns + LINK_STALE_NS;
}
