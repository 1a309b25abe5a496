/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-61 API-69
 * needs: own-vm
 * Who does not want to be reset is on a list, which is a mailbox class.
 */
#include "conf_mbox.h"

static void run(void)
{
    int *tids = NULL, count = -1;
    CODE(pvm_getnoresets(&tids, &count));
    NUM(count);
    CODE(pvm_setopt(PvmNoReset, 1));
    NUM(pvm_setopt(PvmNoReset, 4));
    NUM(pvm_getopt(PvmNoReset));
    CODE(pvm_getnoresets(&tids, &count));
    NUM(count);
    YES(tids[0] == pvm_mytid());
    box_list(PVMNORESETCLASS);
    NUM(pvm_setopt(PvmNoReset, 0));
    CODE(pvm_getnoresets(&tids, &count));
    NUM(count);
    CODE(pvm_getnoresets(NULL, &count));
    CODE(pvm_getnoresets(&tids, NULL));
    box_halt();
}

CONF_MAIN(run)
