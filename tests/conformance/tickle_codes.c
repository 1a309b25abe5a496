/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-23
 * The debugging door: counts out of range, reading the debug mask, unknown functions.
 */
#include "conf.h"

int pvm_tickle(int narg, int *args, int *nresp, int *resp);

static void run(void)
{
    int args[12] = {5}, count = -1, answer[16] = {0};
    CODE(pvm_tickle(0, args, &count, answer));
    CODE(pvm_tickle(11, args, &count, answer));
    CODE(pvm_tickle(1, args, &count, answer));
    printf("%d values, first %d\n", count, answer[0]);
    args[0] = 9999;
    CODE(pvm_tickle(1, args, &count, answer));
    NUM(count);
}

CONF_MAIN(run)
