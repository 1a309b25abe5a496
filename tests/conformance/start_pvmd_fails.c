/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-19
 * needs: no-vm
 * stderr: ignored
 * A daemon that cannot make its files does not start: PvmCantStart.
 */
#include "conf.h"

static void run(void)
{
    setenv("PVM_TMP", "/dev/null/no-directory", 1);
    CODE(pvm_start_pvmd(0, NULL, 0));
    CODE(pvm_start_pvmd(0, NULL, 1));
}

CONF_MAIN(run)
