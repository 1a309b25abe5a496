/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-63 CST-8
 * An index of one's own choice, and instances from there upwards.
 */
#include "conf_mbox.h"

static void run(void)
{
    NUM(box_put("dir", 1, PvmMboxDirectIndex(5)));
    NUM(box_put("dir", 2, PvmMboxDirectIndex(5) | PvmMboxMultiInstance));
    NUM(box_put("dir", 3, PvmMboxDirectIndex(3) | PvmMboxMultiInstance));
    NUM(box_put("dir", 4, PvmMboxDirectIndex(3) | PvmMboxMultiInstance));
    NUM(box_put("dir", 5, PvmMboxDirectIndex(3) | PvmMboxMultiInstance));
    NUM(box_put("dir", 6, PvmMboxDirectIndex(5)));
    NUM(box_put("dir", 7, 0));
    NUM(PvmMboxDirectIndexOf(PvmMboxDirectIndex(77) | PvmMboxMultiInstance));
    box_list("dir");
}

CONF_MAIN(run)
