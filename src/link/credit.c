/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Receive credit: see the header.
 *
 * The charges follow what Linux counts against SO_RCVBUF (skb->truesize, net/core/skbuff.c): a
 * small datagram takes one 512 or 1024 byte block plus a struct sk_buff, an Ethernet frame a 2 KiB
 * block, and a large one, reassembled or of page fragments, up to twice its bytes. Only three
 * quarters of the buffer are given out: the kernel gives memory back in lumps of up to a quarter
 * (udp_rmem_release), and acknowledgements and handshakes need no credit.
 */
#include "link/credit.h"

#define QUANTUM_NS UINT64_C(5000000)      /* a turn while others wait */
#define IDLE_NS UINT64_C(20000000)        /* without data: the grant is taken back */
#define RETURN_NS_MAX UINT64_C(200000000) /* unconfirmed that long: the peer is gone or silent */

/* Sizes of datagrams, and what they cost. */
static const struct {
    size_t bytes;
    uint64_t charge;
} charge_steps[] = {{CREDIT_FLOOR_BYTES, CREDIT_FLOOR}, {512, 1280}, {1536, 2560}};

enum { LARGE_FACTOR = 2, LARGE_EXTRA = 768 };

uint64_t credit_charge(size_t datagram_bytes)
{
    for (size_t i = 0; i < ARRAY_LEN(charge_steps); i++) {
        if (datagram_bytes <= charge_steps[i].bytes)
            return charge_steps[i].charge;
    }
    return (uint64_t)LARGE_FACTOR * datagram_bytes + LARGE_EXTRA;
}

size_t credit_room(uint64_t charge)
{
    size_t last = ARRAY_LEN(charge_steps) - 1;
    if (charge >= credit_charge(charge_steps[last].bytes + 1))
        return (size_t)MIN_OF((charge - LARGE_EXTRA) / LARGE_FACTOR, (uint64_t)SIZE_MAX);
    for (size_t i = last + 1; i-- > 0;) {
        if (charge >= charge_steps[i].charge)
            return charge_steps[i].bytes;
    }
    return 0;
}

void credit_init(struct credit *credit, size_t receive_buffer_bytes)
{
    uint64_t buffer = MAX_OF((uint64_t)receive_buffer_bytes, (uint64_t)CREDIT_BUDGET_MIN);
    *credit = (struct credit){.budget = buffer - buffer / 4};
    list_init(&credit->waiting);
    list_init(&credit->holding);
    list_init(&credit->changed);
    list_init(&credit->returns);
    credit->standing = credit->budget;
    (void)credit_set_peers(credit, 1);
}

/* Steps, so that one peer more or less seldom changes every share. */
static uint64_t standing_of(uint64_t budget, size_t count)
{
    if (count <= 1)
        return budget;
    uint64_t share = budget / 2 / count;
    if (share < 4096) {
        /* Small datagrams are what such a share is for: it may take the whole budget. */
        share = budget / count;
        return share >= 2560 ? 2560 : share >= 1280 ? 1280 : CREDIT_FLOOR;
    }
    uint64_t standing = 4096;
    while (standing * 2 <= share)
        standing *= 2;
    return standing;
}

bool credit_set_peers(struct credit *credit, size_t count)
{
    uint64_t before = credit->standing;
    credit->standing = standing_of(credit->budget, count);
    uint64_t given = credit->standing * MAX_OF(count, (size_t)1);
    uint64_t pool = given < credit->budget ? credit->budget - given : 0;
    /* Not all of very many peers speak at once: a quarter is for those who do. */
    if (count > 1)
        pool = MAX_OF(pool, credit->budget / 4);
    credit->available += (int64_t)pool - (int64_t)credit->pool;
    credit->pool = pool;
    return credit->standing != before;
}

void credit_share_init(struct credit_share *share, const struct credit *credit)
{
    *share = (struct credit_share){.limit = credit->standing, .sequence = 1};
    list_init(&share->node);
    list_init(&share->changed);
    list_init(&share->returns);
}

static void share_tell(struct credit *credit, struct credit_share *share)
{
    uint64_t limit = credit->standing + share->granted;
    if (limit == share->limit)
        return;
    share->limit = limit;
    share->sequence++;
    list_remove(&share->changed);
    list_push_back(&credit->changed, &share->changed);
}

void credit_share_refresh(struct credit *credit, struct credit_share *share)
{
    share_tell(credit, share);
}

static void share_returned(struct credit *credit, struct credit_share *share)
{
    if (share->returning == 0)
        return;
    credit->available += (int64_t)share->returning;
    share->returning = 0;
    list_remove(&share->returns);
}

void credit_share_fini(struct credit *credit, struct credit_share *share)
{
    share_returned(credit, share);
    credit->available += (int64_t)share->granted;
    share->granted = 0;
    list_remove(&share->node);
    list_remove(&share->changed);
}

/* Leaves the holder |keep| of its grant; it is free once the peer has confirmed. */
static void share_reduce(struct credit *credit, struct credit_share *share, uint64_t keep,
                         uint64_t now_ns)
{
    if (share->granted <= keep)
        return;
    list_remove(&share->returns);
    list_push_back(&credit->returns, &share->returns);
    share->returning += share->granted - keep;
    share->granted = keep;
    share_tell(credit, share);
    share->returning_sequence = share->sequence;
    share->returning_ns = now_ns;
    if (keep == 0) {
        list_remove(&share->node);
        share->is_holding = false;
    }
}

static void share_give(struct credit *credit, struct credit_share *share, uint64_t amount,
                       uint64_t now_ns)
{
    credit->available -= (int64_t)amount;
    share->granted += amount;
    if (!share->is_holding) {
        list_remove(&share->node);
        list_push_back(&credit->holding, &share->node);
        share->is_holding = true;
        share->used_ns = now_ns;
    }
    share->since_ns = now_ns;
    share_tell(credit, share);
}

void credit_want(struct credit *credit, struct credit_share *share, uint64_t amount,
                 uint64_t now_ns)
{
    share->wanted = amount > credit->standing ? amount - credit->standing : 0;
    if (share->wanted == 0) {
        if (share->is_holding)
            share_reduce(credit, share, 0, now_ns);
        else
            list_remove(&share->node);
        return;
    }
    if (!share->is_holding && list_is_empty(&share->node) && credit->pool > 0)
        list_push_back(&credit->waiting, &share->node);
}

void credit_used(struct credit_share *share, uint64_t now_ns)
{
    share->used_ns = now_ns;
}

void credit_confirmed(struct credit *credit, struct credit_share *share, uint64_t sequence,
                      uint64_t now_ns)
{
    if (share->returning && sequence >= share->returning_sequence) {
        share_returned(credit, share);
        credit_run(credit, now_ns);
    }
}

static size_t list_count(const struct list *head)
{
    size_t count = 0;
    for (const struct list *node = head->next; node != head; node = node->next)
        count++;
    return count;
}

/* What each of those who hold or wait may keep: 0 = they take turns. */
static uint64_t credit_fair(const struct credit *credit)
{
    size_t count = list_count(&credit->holding) + list_count(&credit->waiting);
    uint64_t fair = count ? credit->pool / count : credit->pool;
    return fair >= CREDIT_GRANT_MIN ? fair : 0;
}

static void credit_take_back(struct credit *credit, uint64_t fair, uint64_t now_ns)
{
    LIST_EACH(node, next, &credit->holding)
    {
        struct credit_share *share = LIST_ENTRY(node, struct credit_share, node);
        if (now_ns - share->used_ns >= IDLE_NS) {
            share->wanted = 0;
            share_reduce(credit, share, 0, now_ns);
            continue;
        }
        if (list_is_empty(&credit->waiting) || share->granted <= fair ||
            now_ns - share->since_ns < QUANTUM_NS)
            continue;
        share_reduce(credit, share, fair, now_ns);
        if (share->used_ns <= share->since_ns)
            share->wanted = 0; /* its turn came when it had no use for it any more */
        if (!share->is_holding && share->wanted)
            list_push_back(&credit->waiting, &share->node);
    }
}

static void credit_hand_out(struct credit *credit, uint64_t fair, uint64_t now_ns)
{
    uint64_t most = MAX_OF(fair, (uint64_t)CREDIT_GRANT_MIN);
    struct list *node;
    while ((node = list_first(&credit->waiting)) && credit->available > 0) {
        struct credit_share *share = LIST_ENTRY(node, struct credit_share, node);
        uint64_t amount = MIN_OF(MAX_OF(share->wanted, (uint64_t)CREDIT_GRANT_MIN), most);
        amount = MIN_OF(amount, credit->pool);
        if ((int64_t)amount > credit->available)
            return;
        share_give(credit, share, amount, now_ns);
    }
    /* Nobody waits: what is left goes to those who can use it. */
    LIST_EACH(holder, next, &credit->holding)
    {
        struct credit_share *share = LIST_ENTRY(holder, struct credit_share, node);
        if (credit->available < CREDIT_GRANT_MIN)
            return;
        if (share->wanted >= share->granted + CREDIT_GRANT_MIN)
            share_give(credit, share,
                       MIN_OF(share->wanted - share->granted, (uint64_t)credit->available), now_ns);
    }
}

/* A peer that does not confirm: its packets have long arrived or never will. */
static void credit_expire_returns(struct credit *credit, uint64_t now_ns)
{
    LIST_EACH(node, next, &credit->returns)
    {
        struct credit_share *share = LIST_ENTRY(node, struct credit_share, returns);
        if (now_ns - share->returning_ns < RETURN_NS_MAX)
            return;
        share_returned(credit, share);
    }
}

void credit_run(struct credit *credit, uint64_t now_ns)
{
    credit_expire_returns(credit, now_ns);
    uint64_t fair = credit_fair(credit);
    credit_take_back(credit, fair, now_ns);
    credit_hand_out(credit, fair, now_ns);
}

uint64_t credit_deadline_ns(const struct credit *credit)
{
    uint64_t deadline_ns = UINT64_MAX;
    bool others_wait = !list_is_empty(&credit->waiting);
    uint64_t fair = credit_fair(credit);
    if (!list_is_empty(&credit->returns)) {
        const struct list *oldest = credit->returns.next;
        deadline_ns = LIST_ENTRY(oldest, struct credit_share, returns)->returning_ns +
                      RETURN_NS_MAX;
    }
    for (const struct list *node = credit->holding.next; node != &credit->holding;
         node = node->next) {
        const struct credit_share *share = LIST_ENTRY(node, struct credit_share, node);
        deadline_ns = MIN_OF(deadline_ns, share->used_ns + IDLE_NS);
        if (others_wait && share->granted > fair)
            deadline_ns = MIN_OF(deadline_ns, share->since_ns + QUANTUM_NS);
    }
    return deadline_ns;
}

struct credit_share *credit_next_changed(struct credit *credit)
{
    struct list *node = list_first(&credit->changed);
    if (!node)
        return NULL;
    list_remove(node);
    return LIST_ENTRY(node, struct credit_share, changed);
}
