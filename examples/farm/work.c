/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The work: put yours here. It must give the same result for the same item whenever and wherever it
 * is done, because what was in the hands of a lost worker is done again.
 *
 * Ours: how many steps of "halve it, or three times it and one" lead from a number to 1. That takes
 * no time, so it also waits: a farm that survives losses is easier to watch when there is time to
 * lose something.
 */
#include "farm.h"

#include <time.h>

int work(int item, int item_ms)
{
    struct timespec pause = {item_ms / 1000, item_ms % 1000 * 1000000L};
    nanosleep(&pause, NULL);
    int steps = 0;
    for (unsigned long long n = (unsigned long long)item + 1; n != 1; steps++)
        n = n % 2 == 0 ? n / 2 : 3 * n + 1;
    return steps;
}
