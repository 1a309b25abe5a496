/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-63 CST-8
 * Instances take the lowest index that is free, also one that became free.
 */
#include "conf_mbox.h"

static void run(void)
{
    for (int i = 0; i < 4; i++)
        NUM(box_put("multi", i, PvmMboxMultiInstance));
    NUM(pvm_delinfo("multi", 1, 0));
    NUM(box_put("multi", 10, PvmMboxMultiInstance));
    NUM(box_put("multi", 11, PvmMboxMultiInstance | PvmMboxOverWritable));
    NUM(box_put("multi", 12, 0));
    NUM(box_get("multi", 0, 0));
    NUM(box_get("multi", 1, 0));
    box_list("multi");
}

CONF_MAIN(run)
