/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-65
 * Deleting gives the index; flags mean nothing there.
 */
#include "conf_mbox.h"

static void run(void)
{
    NUM(box_put("del", 1, PvmMboxDirectIndex(6)));
    NUM(box_put("del", 2, PvmMboxDirectIndex(9)));
    CODE(pvm_delinfo("del", 0, 0));
    CODE(pvm_delinfo("del", 0, PvmMboxFirstAvail));
    CODE(pvm_delinfo("del", -1, 0));
    CODE(pvm_delinfo("", 6, 0));
    CODE(pvm_delinfo(NULL, 6, 0));
    CODE(pvm_delinfo("nosuch", 6, 0));
    NUM(pvm_delinfo("del", 6, PvmMboxWaitForInfo));
    CODE(pvm_delinfo("del", 6, 0));
    NUM(pvm_delinfo("del", 9, 0));
    box_list("del");
}

CONF_MAIN(run)
