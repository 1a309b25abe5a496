/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-68
 * needs: own-vm
 * pvm_delete(): the index.
 */
#include "conf_mbox.h"

static void run(void)
{
    box_start(1);
    pvm_insert("gone", 3, 1);
    NUM(pvm_delete("gone", 3));
    CODE(pvm_delete("gone", 3));
    CODE(pvm_delete("gone", -1));
    CODE(pvm_delete("", 0));
    CODE(pvm_delete(NULL, 0));
    box_do(0, "put", "gone", 1, 0);
    CODE(pvm_delete("gone", 0));
    CODE(pvm_insert("gone", 0, 1));
    NUM(pvm_insert("gone", -1, 2));
    box_list("gone");
    box_end_all(1);
    box_halt();
}

CONF_MAIN(run, {"worker", box_worker})
