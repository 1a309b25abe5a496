/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-51 API-56
 * Receives by tag pick the oldest of that tag, whatever else is queued before it.
 */
#include "conf.h"

static void sender(void)
{
    const int parent = pvm_parent();
    for (int i = 0; i < 12; i++)
        conf_send_int(parent, 10 + i % 3, i);
    conf_signal(parent, 99);
}

static void run(void)
{
    const int tid = conf_spawn("sender");
    conf_take(tid, 99);
    for (int tag = 12; tag >= 10; tag--)
        for (int i = 0; i < 4; i++)
            printf("tag %d: %d\n", tag, conf_take_int(-1, tag));
    NUM(pvm_nrecv(-1, -1));
}

CONF_MAIN(run, {"sender", sender})
