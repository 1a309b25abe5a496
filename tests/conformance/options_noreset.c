/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-61
 * PvmNoReset needs a joined task; it is remembered and can be taken back.
 */
#include "conf.h"

static void run(void)
{
    CODE(pvm_setopt(PvmNoReset, 1));
    pvm_mytid();
    CODE(pvm_getopt(PvmNoReset));
    CODE(pvm_setopt(PvmNoReset, 1));
    CODE(pvm_getopt(PvmNoReset));
    CODE(pvm_setopt(PvmNoReset, 0));
    CODE(pvm_getopt(PvmNoReset));
}

CONF_MAIN(run)
