/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-64 CST-8
 * Who waits to take gets and removes.
 */
#include "conf_mbox.h"

static void run(void)
{
    box_start(1);
    box_tell(0, "get", "wt", 0, PvmMboxWaitForInfo | PvmMboxReadAndDelete);
    CODE(box_put("wt", 5, PvmMboxOverWritable));
    box_hear(0, "taken");
    box_list("wt");
    CODE(box_get("wt", 0, 0));
    box_end_all(1);
}

CONF_MAIN(run, {"worker", box_worker})
