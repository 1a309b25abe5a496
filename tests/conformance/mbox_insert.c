/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-68
 * needs: own-vm
 * pvm_insert(): the next free index, or one that nobody has, the owner neither.
 */
#include "conf_mbox.h"

static void run(void)
{
    NUM(pvm_insert("ins", -1, 70));
    NUM(pvm_insert("ins", -1, 71));
    NUM(pvm_insert("ins", 5, 72));
    CODE(pvm_insert("ins", 5, 73));
    CODE(pvm_insert("ins", 0, 74));
    NUM(pvm_insert("ins", -1, 75));
    CODE(pvm_insert("", 0, 1));
    CODE(pvm_insert(NULL, 0, 1));
    CODE(pvm_insert("ins", -2, 1));
    box_list("ins");
    NUM(box_get("ins", 5, 0));
    box_halt();
}

CONF_MAIN(run)
