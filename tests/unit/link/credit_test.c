/* SPDX-License-Identifier: BSD-3-Clause */
/* Receive credit: never more than the buffer, turns for all, nothing lost for ever. */
#include "link/credit.h"
#include "tap.h"

#define MS UINT64_C(1000000)
enum { BUFFER = 212992, PEERS = 200 };

static uint64_t total(const struct credit_share *shares, size_t count)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += shares[i].limit + shares[i].returning;
    return sum;
}

static void charges(void)
{
    bool good = true;
    for (size_t bytes = 1; bytes < 70000; bytes++) {
        good &= credit_charge(bytes) >= credit_charge(bytes - 1);
        good &= credit_room(credit_charge(bytes)) >= bytes;
        good &= credit_charge(credit_room(credit_charge(bytes))) <= credit_charge(bytes);
    }
    OK(good, "charge and room are each other's inverse");
    OK(credit_charge(CREDIT_FLOOR_BYTES) == CREDIT_FLOOR, "the floor is one small datagram");
    EQUAL(credit_room(CREDIT_FLOOR - 1), 0, "less is none");
}

static void few_peers(void)
{
    struct credit credit;
    struct credit_share share;
    credit_init(&credit, BUFFER);
    credit_share_init(&share, &credit);
    EQUAL(share.limit, BUFFER - BUFFER / 4, "one peer has it all");
    OK(credit_set_peers(&credit, 3), "with three peers");
    credit_share_refresh(&credit, &share);
    OK(share.limit >= 16384 && share.limit <= BUFFER / 6, "each has a standing share");
    OK(credit_next_changed(&credit) == &share && !credit_next_changed(&credit), "and is told");
    credit_want(&credit, &share, 1 << 20, 0);
    credit_run(&credit, 0);
    OK(share.limit > 80000 && share.limit <= BUFFER - BUFFER / 4, "who asks alone gets the rest");
    credit_share_fini(&credit, &share);
    OK(credit.available == (int64_t)credit.pool, "and leaves it behind");
}

static void many_peers(void)
{
    struct credit credit;
    static struct credit_share shares[PEERS];
    static uint64_t turns[PEERS];
    bool bounded = true;
    credit_init(&credit, BUFFER);
    credit_set_peers(&credit, PEERS);
    for (size_t i = 0; i < PEERS; i++) {
        credit_share_init(&shares[i], &credit);
        credit_want(&credit, &shares[i], 1 << 20, 0);
    }
    for (uint64_t now_ns = 0; now_ns < 4000 * MS; now_ns += MS) {
        struct credit_share *changed;
        credit_run(&credit, now_ns);
        while ((changed = credit_next_changed(&credit)))
            credit_confirmed(&credit, changed, changed->sequence, now_ns);
        for (size_t i = 0; i < PEERS; i++) {
            if (shares[i].is_holding)
                credit_used(&shares[i], now_ns + 1);
            turns[i] += shares[i].is_holding;
        }
        bounded &= total(shares, PEERS) <= BUFFER;
    }
    OK(bounded, "all together never have more than the buffer");
    uint64_t least = UINT64_MAX, most = 0;
    for (size_t i = 0; i < PEERS; i++) {
        least = MIN_OF(least, turns[i]);
        most = MAX_OF(most, turns[i]);
    }
    OK(least > 0 && most <= 3 * least, "all have their turns");
    for (size_t i = 0; i < PEERS; i++)
        credit_share_fini(&credit, &shares[i]);
    EQUAL(credit.available, credit.pool, "nothing is lost");
    EQUAL(credit_deadline_ns(&credit), UINT64_MAX, "and no timer runs");
}

static void idle_and_silent(void)
{
    struct credit credit;
    struct credit_share share;
    credit_init(&credit, BUFFER);
    credit_set_peers(&credit, 100);
    credit_share_init(&share, &credit);
    uint64_t standing = share.limit;
    credit_want(&credit, &share, 1 << 20, 0);
    credit_run(&credit, 0);
    OK(share.limit > standing, "granted");
    EQUAL(credit_deadline_ns(&credit), 20 * MS, "looked at again after a while");
    credit_run(&credit, 20 * MS);
    EQUAL(share.limit, standing, "not used: taken back");
    OK(credit.available < (int64_t)credit.pool, "but not free before the peer knows");
    credit_run(&credit, 219 * MS);
    OK(credit.available < (int64_t)credit.pool, "which may take long");
    credit_run(&credit, credit_deadline_ns(&credit));
    EQUAL(credit.available, credit.pool, "not for ever");
    credit_want(&credit, &share, 1 << 20, 300 * MS);
    credit_run(&credit, 300 * MS);
    credit_want(&credit, &share, 0, 310 * MS);
    EQUAL(share.limit, standing, "given back");
    credit_confirmed(&credit, &share, share.sequence - 1, 311 * MS);
    OK(credit.available < (int64_t)credit.pool, "an old confirmation is none");
    credit_confirmed(&credit, &share, share.sequence, 312 * MS);
    EQUAL(credit.available, credit.pool, "confirmed, it is free");
    credit_share_fini(&credit, &share);
}

int main(void)
{
    TEST(charges);
    TEST(few_peers);
    TEST(many_peers);
    TEST(idle_and_silent);
    return tap_done();
}
