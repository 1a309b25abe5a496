/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-61
 * The rules for the output and trace sinks of children.
 */
#include "conf.h"

static void run(void)
{
    const int me = pvm_mytid();
    CODE(pvm_setopt(PvmOutputCode, 7));
    CODE(pvm_setopt(PvmOutputTid, me + 1));
    CODE(pvm_setopt(PvmOutputTid, -1));
    CODE(pvm_setopt(PvmOutputTid, me));
    YES(pvm_getopt(PvmOutputTid) == me);
    CODE(pvm_setopt(PvmOutputCode, 7));
    CODE(pvm_setopt(PvmOutputContext, 3));
    CODE(pvm_getopt(PvmOutputCode));
    CODE(pvm_getopt(PvmOutputContext));
    YES(pvm_setopt(PvmOutputTid, 0) == me);
    CODE(pvm_getopt(PvmOutputTid));
    CODE(pvm_getopt(PvmOutputCode));
    CODE(pvm_getopt(PvmOutputContext));
    CODE(pvm_setopt(PvmTraceTid, me + 1));
    CODE(pvm_setopt(PvmTraceTid, me));
    CODE(pvm_setopt(PvmTraceCode, 9));
    CODE(pvm_setopt(PvmTraceContext, 4));
    YES(pvm_setopt(PvmTraceTid, 0) == me);
    CODE(pvm_getopt(PvmTraceCode));
}

CONF_MAIN(run)
