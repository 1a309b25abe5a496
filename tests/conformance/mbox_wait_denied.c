/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-64 CST-8
 * Waiting ends with what is there, also when it may not be taken.
 */
#include "conf_mbox.h"

static void run(void)
{
    box_start(1);
    CODE(box_put("wd", 1, 0));
    box_do(0, "get", "wd", 0, PvmMboxWaitForInfo | PvmMboxReadAndDelete);
    box_tell(0, "get", "wd", 1, PvmMboxWaitForInfo | PvmMboxReadAndDelete | PvmMboxFirstAvail);
    CODE(box_put("wd", 2, PvmMboxMultiInstance));
    box_hear(0, "not mine");
    box_list("wd");
    box_end_all(1);
}

CONF_MAIN(run, {"worker", box_worker})
