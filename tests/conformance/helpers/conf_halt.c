/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Stops the virtual machine by pvm_halt, surviving the SIGTERM that goes to every task.
 * Used by machine.py; no test of its own.
 */
#include "../conf.h"

static void run(void)
{
    signal(SIGTERM, SIG_IGN);
    pvm_setopt(PvmAutoErr, 0);
    if (pvm_mytid() < 0)
        exit(1);
    exit(pvm_halt() == 0 ? 0 : 1);
}

CONF_MAIN(run)
