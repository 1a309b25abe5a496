/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-51 API-59
 * A program that never touches contexts sees none of the messages the system sends itself.
 */
#include "conf.h"

static void child(void)
{
}

static void run(void)
{
    int tids[5];
    conf_spawn_many("child", 5, tids);
    for (int i = 0; i < 5; i++)
        conf_wait_gone(tids[i]);
    CODE(pvm_getcontext());
    MID(conf_take_within(-1, -1, 0.1));
    MID(pvm_probe(-1, -1));
}

CONF_MAIN(run, {"child", child})
