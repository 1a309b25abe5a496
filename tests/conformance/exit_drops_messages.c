/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-2
 * Messages waiting at pvm_exit are gone; buffers of the task remain usable.
 */
#include "conf.h"

static void run(void)
{
    int value = 0;
    conf_send_int(pvm_mytid(), 1, 11);
    conf_send_int(pvm_mytid(), 2, 22);
    conf_take(-1, 2);
    const int kept = pvm_initsend(PvmDataDefault);
    pvm_pkint(&(int){33}, 1, 1);
    CODE(pvm_exit());
    pvm_mytid();
    MID(pvm_nrecv(-1, -1));
    pvm_setsbuf(kept);
    CODE(pvm_send(pvm_mytid(), 3));
    conf_take(-1, 3);
    CODE(pvm_upkint(&value, 1, 1));
    NUM(value);
}

CONF_MAIN(run)
