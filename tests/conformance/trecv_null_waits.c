/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-53
 * A NULL time means for ever: the call returns when the message comes.
 */
#include "conf.h"

static void child(void)
{
    conf_pause_ms(150);
    conf_send_int(pvm_parent(), 5, 50);
}

static void run(void)
{
    int value = 0;
    conf_spawn("child");
    MID(pvm_trecv(-1, 5, NULL));
    pvm_upkint(&value, 1, 1);
    NUM(value);
}

CONF_MAIN(run, {"child", child})
