/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-33 DMN-22
 * A spawned task that never joins can be watched and killed too.
 */
#include "conf.h"

static void silent(void)
{
    const double limit_s = conf_now_s() + CONF_RECEIVE_LIMIT_S;
    while (conf_now_s() < limit_s)
        conf_pause_ms(50);
}

static void run(void)
{
    int tid = conf_spawn("silent");
    CODE(pvm_notify(PvmTaskExit, 7, 1, &tid));
    CODE(pvm_pstat(tid));
    CODE(pvm_kill(tid));
    YES(conf_take_int(-1, 7) == tid);
    CODE(pvm_pstat(tid));
}

CONF_MAIN(run, {"silent", silent})
