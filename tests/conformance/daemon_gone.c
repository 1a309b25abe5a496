/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: CONV-10
 * needs: own-vm
 * stderr: ignored
 * After the machine stopped under a joined task the next calls fail with PvmSysErr.
 */
#include "conf.h"

static void run(void)
{
    signal(SIGTERM, SIG_IGN);
    pvm_mytid();
    pvm_initsend(PvmDataDefault);
    CODE(pvm_halt());
    CODE(pvm_config(NULL, NULL, NULL));
    CODE(pvm_send(0x40001, 1));
    CODE(pvm_nrecv(-1, -1));
    CODE(pvm_spawn("x", NULL, 0, NULL, 1, NULL));
    CODE(pvm_pstat(0x40001));
    CODE(pvm_pkint(&(int){1}, 1, 1));
}

CONF_MAIN(run)
