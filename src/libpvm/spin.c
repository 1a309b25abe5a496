/* SPDX-License-Identifier: BSD-3-Clause */
/* The estimate of how long to spin: see the header. */
#include "libpvm/spin.h"

#include "base/check.h"

void spin_init(struct spin *spin, uint64_t most, bool is_fixed)
{
    *spin = (struct spin){
        .most = most, .budget = most, .needed = SPIN_NEAR_FIRST, .is_fixed = is_fixed};
}

void spin_scale(struct spin *spin, uint64_t most)
{
    if (spin->most)
        spin->budget = spin->budget * most / spin->most;
    spin->most = most;
}

uint64_t spin_budget(const struct spin *spin)
{
    return spin->is_fixed ? spin->most : spin->budget;
}

void spin_paid(struct spin *spin, uint64_t time)
{
    const uint64_t wanted = 2 * MAX_OF(time, spin->budget);
    spin->budget = MIN_OF(wanted, spin->most);
    spin->needed = SPIN_NEAR_FIRST;
    spin->is_trial = false;
}

void spin_failed(struct spin *spin)
{
    spin->near = 0;
    spin->budget /= 2;
    if (spin->is_trial || spin->budget < spin->most >> SPIN_HALVINGS)
        spin->budget = 0;
    spin->is_trial = false;
}

void spin_slept(struct spin *spin, uint64_t time)
{
    if (spin->budget > 0 || time > SPIN_NEAR_TIMES * spin->most)
        return;
    if (++spin->near < spin->needed)
        return;
    spin->is_trial = true;
    spin->near = 0;
    spin->needed = MIN_OF(spin->needed * 2, (unsigned)SPIN_NEAR_MAX);
    spin->budget = spin->most;
}
