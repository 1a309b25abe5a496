/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-61 API-31
 * What options a spawned task starts with; nothing of the parent's local ones is inherited.
 */
#include "conf.h"

static void child(void)
{
    pvm_initsend(PvmDataDefault);
    for (int what = 1; what <= PvmNoReset; what++) {
        if (what == PvmPollType || what == PvmPollTime)
            continue;
        pvm_pkint(&(int){pvm_getopt(what)}, 1, 1);
    }
    pvm_send(pvm_parent(), 1);
}

static void run(void)
{
    pvm_setopt(PvmRoute, PvmRouteDirect);
    pvm_setopt(PvmFragSize, 1000);
    pvm_setopt(PvmAutoErr, 0);
    conf_spawn("child");
    conf_take(-1, 1);
    for (int what = 1; what <= PvmNoReset; what++) {
        int value = -99;
        if (what == PvmPollType || what == PvmPollTime)
            continue;
        pvm_upkint(&value, 1, 1);
        printf("option %d: %d\n", what, value);
    }
}

CONF_MAIN(run, {"child", child})
