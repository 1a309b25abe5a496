/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-64 API-67
 * Who ended while waiting takes nothing.
 */
#include "conf_mbox.h"

static void run(void)
{
    box_start(1);
    box_tell(0, "get", "we", 0, PvmMboxWaitForInfo | PvmMboxReadAndDelete);
    MID(conf_take_within(-1, 2, 0.2));
    box_end(0);
    CODE(box_put("we", 5, PvmMboxOverWritable));
    box_list("we");
    NUM(box_get("we", 0, 0));
    box_end_all(1);
}

CONF_MAIN(run, {"worker", box_worker})
