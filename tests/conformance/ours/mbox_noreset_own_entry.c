/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-61 QRK-14
 * needs: own-vm
 * Taking PvmNoReset back removes one's own entry, wherever it is; the original asks for index 0.
 */
#include "conf_mbox.h"

static void run(void)
{
    box_start(1);
    int count = 0, *tids;
    box_do(0, "noreset", "", 1, 0);
    CODE(pvm_setopt(PvmNoReset, 1));
    box_list(PVMNORESETCLASS);
    CODE(pvm_setopt(PvmNoReset, 0));
    box_list(PVMNORESETCLASS);
    CODE(pvm_getnoresets(&tids, &count));
    YES(count == 1 && tids[0] == box_workers[0]);
    box_end_all(1);
    box_halt();
}

CONF_MAIN(run, {"worker", box_worker})
