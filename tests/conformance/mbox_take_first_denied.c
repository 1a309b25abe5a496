/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-64 CST-8
 * The first that is available decides, also when it may not be taken and a later one might.
 */
#include "conf_mbox.h"

static void run(void)
{
    box_start(1);
    NUM(box_put("ftd", 10, PvmMboxMultiInstance));
    box_do(0, "put", "ftd", 11, PvmMboxMultiInstance);
    NUM(box_put("ftd", 12, PvmMboxMultiInstance | PvmMboxOverWritable));
    box_do(0, "get", "ftd", 0, PvmMboxFirstAvail | PvmMboxReadAndDelete);
    box_do(0, "get", "ftd", 1, PvmMboxFirstAvail | PvmMboxReadAndDelete);
    box_do(0, "get", "ftd", 1, PvmMboxFirstAvail | PvmMboxReadAndDelete);
    box_list("ftd");
    box_end_all(1);
}

CONF_MAIN(run, {"worker", box_worker})
