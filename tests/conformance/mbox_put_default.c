/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-63 CST-8
 * The first entry of a class stands at index 0; its owner may replace it.
 */
#include "conf_mbox.h"

static void run(void)
{
    CODE(box_put("def", 1, PvmMboxDefault));
    NUM(box_get("def", 0, 0));
    CODE(box_put("def", 2, PvmMboxDefault));
    NUM(box_get("def", 0, 0));
    box_list("def");
    CODE(box_put("def", 3, PvmMboxOverWritable));
    box_list("def");
}

CONF_MAIN(run)
