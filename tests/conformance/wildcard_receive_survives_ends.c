/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-51 D15
 * A wildcard receive does not end because some task ended; the next message ends it.
 */
#include "conf.h"

static void quick(void)
{
}

static void slow(void)
{
    conf_pause_ms(200);
    conf_send_int(pvm_parent(), 5, 55);
}

static void run(void)
{
    const int tid = conf_spawn("slow");
    for (int i = 0; i < 3; i++)
        conf_spawn("quick");
    YES(pvm_recv(-1, -1) > 0);
    int value = 0;
    pvm_upkint(&value, 1, 1);
    NUM(value);
    conf_wait_gone(tid);
    MID(conf_take_within(-1, -1, 0.1));
}

CONF_MAIN(run, {"quick", quick}, {"slow", slow})
