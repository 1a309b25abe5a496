/* SPDX-License-Identifier: BSD-3-Clause */
/* How long to spin is learnt: stops soon when it is in vain, comes back when it would pay. */
#include "libpvm/spin.h"

#include "tap.h"

enum { MOST = 1000 };

static struct spin spin;

static void vain(void)
{
    int waits = 0;
    spin_init(&spin, MOST, false);
    EQUAL(spin_budget(&spin), MOST, "begins with the full budget");
    while (spin_budget(&spin) > 0 && waits < 100) {
        spin_failed(&spin);
        spin_slept(&spin, 10 * MOST);
        waits++;
    }
    OK(waits <= SPIN_HALVINGS + 1, "a few spins in vain end it");
    for (int i = 0; i < 100000; i++)
        spin_slept(&spin, 10 * MOST);
    EQUAL(spin_budget(&spin), 0, "long waits do not bring it back");
}

static void short_waits(void)
{
    vain();
    int waits = 0;
    while (spin_budget(&spin) == 0 && waits++ < 100)
        spin_slept(&spin, MOST / 2);
    EQUAL(waits, SPIN_NEAR_FIRST, "a few short waits do");
    EQUAL(spin_budget(&spin), MOST, "with the full budget");
    spin_paid(&spin, MOST / 2);
    EQUAL(spin_budget(&spin), MOST, "which stays when it pays");
    spin_failed(&spin);
    EQUAL(spin_budget(&spin), MOST / 2, "then one failure does not end it");
    spin_paid(&spin, 10);
    EQUAL(spin_budget(&spin), MOST, "and success doubles it");
}

/* More tasks than cores: every wait is short because the waiter sleeps, every spin is in vain. */
static void crowd(void)
{
    int spun = 0;
    spin_init(&spin, MOST, false);
    for (int i = 0; i < 10000; i++) {
        if (spin_budget(&spin) > 0) {
            spun++;
            spin_failed(&spin);
        }
        spin_slept(&spin, MOST / 10);
    }
    OK(spun <= 5 + 8 + 10000 / SPIN_NEAR_MAX, "trials become rare");
    int waits = 0;
    while (spin_budget(&spin) == 0 && waits <= SPIN_NEAR_MAX) {
        spin_slept(&spin, MOST / 10);
        waits++;
    }
    OK(waits <= SPIN_NEAR_MAX, "but never end");
}

static void fixed(void)
{
    spin_init(&spin, MOST, true);
    for (int i = 0; i < 100; i++)
        spin_failed(&spin);
    EQUAL(spin_budget(&spin), MOST, "a fixed budget stays");
    spin_init(&spin, 0, true);
    spin_paid(&spin, 5);
    EQUAL(spin_budget(&spin), 0, "also none");
}

static void scale(void)
{
    spin_init(&spin, MOST, false);
    spin_failed(&spin);
    spin_scale(&spin, 3 * MOST);
    EQUAL(spin_budget(&spin), 3 * MOST / 2, "another rate of the clock keeps the part");
    spin_paid(&spin, 1);
    EQUAL(spin_budget(&spin), 3 * MOST, "of another whole");
}

int main(void)
{
    TEST(vain);
    TEST(short_waits);
    TEST(crowd);
    TEST(fixed);
    TEST(scale);
    return tap_done();
}
