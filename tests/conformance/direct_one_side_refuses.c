/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-61 API-47
 * One side asks for direct routes, the other forbids them: messages still pass.
 */
#include "conf.h"

static void echo(void)
{
    CODE(pvm_setopt(PvmRoute, PvmDontRoute));
    for (int i = 0; i < 50; i++)
        conf_send_int(pvm_parent(), 2, conf_take_int(pvm_parent(), 1) * 2);
}

static void run(void)
{
    CODE(pvm_setopt(PvmRoute, PvmRouteDirect));
    const int tid = conf_spawn("echo");
    int wrong = 0;
    for (int i = 0; i < 50; i++) {
        conf_send_int(tid, 1, i);
        wrong += conf_take_int(tid, 2) != 2 * i;
    }
    NUM(wrong);
}

CONF_MAIN(run, {"echo", echo})
