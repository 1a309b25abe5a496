/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-51
 * Receives by sender leave the other sender's messages queued in their order.
 */
#include "conf.h"

static void sender(void)
{
    const int parent = pvm_parent();
    const int base = conf_take_int(parent, 1);
    for (int i = 0; i < 5; i++)
        conf_send_int(parent, 7, base + i);
    conf_signal(parent, 8);
}

static void run(void)
{
    int tids[2];
    conf_spawn_many("sender", 2, tids);
    for (int i = 0; i < 2; i++) {
        conf_send_int(tids[i], 1, 100 * (i + 1));
        conf_take(tids[i], 8);
    }
    for (int i = 0; i < 3; i++)
        printf("second: %d\n", conf_take_int(tids[1], -1));
    for (int i = 0; i < 5; i++)
        printf("first: %d\n", conf_take_int(tids[0], 7));
    for (int i = 0; i < 2; i++)
        printf("any: %d\n", conf_take_int(-1, -1));
    NUM(pvm_nrecv(-1, -1));
}

CONF_MAIN(run, {"sender", sender})
