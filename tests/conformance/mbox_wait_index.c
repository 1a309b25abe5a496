/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-64 CST-8
 * One waits for an index, another for any from one on.
 */
#include "conf_mbox.h"

static void run(void)
{
    box_start(2);
    box_tell(0, "get", "wi", 3, PvmMboxWaitForInfo);
    box_tell(1, "get", "wi", 2, PvmMboxWaitForInfo | PvmMboxFirstAvail);
    CODE(box_put("wi", 1, 0));
    MID(conf_take_within(-1, 2, 0.3));
    CODE(box_put("wi", 4, PvmMboxDirectIndex(4)));
    box_hear(1, "any from 2");
    MID(conf_take_within(-1, 2, 0.3));
    CODE(box_put("wi", 3, PvmMboxDirectIndex(3)));
    box_hear(0, "index 3");
    box_end_all(2);
}

CONF_MAIN(run, {"worker", box_worker})
