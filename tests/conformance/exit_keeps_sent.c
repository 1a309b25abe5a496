/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-2 API-47
 * What a task sent before it left is delivered.
 */
#include "conf.h"

static void leaves(void)
{
    for (int i = 0; i < 300; i++)
        conf_send_int(pvm_parent(), 1, i);
    pvm_exit();
}

static void run(void)
{
    int wrong = 0;
    const int tid = conf_spawn("leaves");
    conf_wait_gone(tid);
    for (int i = 0; i < 300; i++)
        wrong += conf_take_int(tid, 1) != i;
    NUM(wrong);
    MID(pvm_nrecv(-1, -1));
}

CONF_MAIN(run, {"leaves", leaves})
