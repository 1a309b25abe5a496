/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-61
 * needs: own-vm
 * When the entry is gone the option cannot be taken back without an error.
 */
#include "conf_mbox.h"

static void run(void)
{
    NUM(pvm_mytid() > 0);
    NUM(pvm_setopt(PvmNoReset, 1));
    NUM(pvm_delinfo(PVMNORESETCLASS, 0, 0));
    CODE(pvm_setopt(PvmNoReset, 0));
    NUM(pvm_getopt(PvmNoReset));
    NUM(pvm_setopt(PvmNoReset, 1));
    CODE(pvm_exit());
    NUM(pvm_getopt(PvmNoReset));
    NUM(pvm_mytid() > 0);
    box_list(PVMNORESETCLASS);
    NUM(pvm_getopt(PvmNoReset));
    box_halt();
}

CONF_MAIN(run)
