/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-63 CST-8
 * The last index that flags can say; instances go on behind it.
 */
#include "conf_mbox.h"

static void run(void)
{
    NUM(box_put("last", 1, PvmMboxDirectIndex(2097151)));
    NUM(box_put("last", 2, PvmMboxDirectIndex(2097151) | PvmMboxMultiInstance));
    NUM(box_put("last", 3, PvmMboxDirectIndex(2097151) | PvmMboxMultiInstance));
    NUM(box_get("last", 2097152, 0));
    NUM(box_put("minus", 4, -1));
    box_list("last");
    box_list("minus");
}

CONF_MAIN(run)
