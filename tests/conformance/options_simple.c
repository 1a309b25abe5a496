/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-61
 * Options with checked values: each setting returns the old value; a refused one changes nothing.
 */
#include "conf.h"

static void run(void)
{
    pvm_mytid();
    CODE(pvm_setopt(PvmRoute, PvmRouteDirect));
    CODE(pvm_setopt(PvmRoute, 0));
    CODE(pvm_setopt(PvmRoute, 4));
    CODE(pvm_setopt(PvmRoute, PvmDontRoute));
    CODE(pvm_setopt(PvmRoute, PvmAllowDirect));
    CODE(pvm_setopt(PvmFragSize, 51));
    CODE(pvm_setopt(PvmFragSize, 52));
    CODE(pvm_setopt(PvmFragSize, 1048576));
    CODE(pvm_setopt(PvmFragSize, 1048577));
    CODE(pvm_setopt(PvmFragSize, -1));
    CODE(pvm_setopt(PvmFragSize, 4080));
    CODE(pvm_setopt(PvmTraceOptions, 0));
    CODE(pvm_setopt(PvmTraceOptions, PvmTraceTime));
    CODE(pvm_setopt(PvmTraceOptions, 4));
    CODE(pvm_setopt(PvmTraceOptions, PvmTraceFull));
    CODE(pvm_setopt(PvmTraceBuffer, 1000));
    CODE(pvm_setopt(PvmTraceBuffer, 0));
    CODE(pvm_setopt(PvmShowTids, 0));
    CODE(pvm_setopt(PvmShowTids, 5));
    CODE(pvm_setopt(PvmShowTids, 1));
    CODE(pvm_setopt(PvmResvTids, 7));
    CODE(pvm_setopt(PvmResvTids, 0));
    CODE(pvm_setopt(PvmDebugMask, 0));
    CODE(pvm_setopt(PvmPollType, 1));
    CODE(pvm_setopt(PvmPollTime, 1));
    CODE(pvm_setopt(PvmSelfOutputContext, 1));
    CODE(pvm_setopt(PvmSelfTraceContext, 1));
    CODE(pvm_setopt(0, 1));
    CODE(pvm_setopt(26, 1));
    CODE(pvm_setopt(-3, 1));
}

CONF_MAIN(run)
