/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: CONV-2
 * Success leaves pvm_errno as it was.
 */
#include "conf.h"

static void run(void)
{
    pvm_mytid();
    pvm_setopt(PvmAutoErr, 0);
    CODE(pvm_freebuf(-1));
    NUM(pvm_errno);
    MID(pvm_initsend(0));
    CODE(pvm_pkint(&(int){1}, 1, 1));
    CODE(pvm_send(pvm_mytid(), 1));
    conf_take(-1, 1);
    NUM(pvm_errno);
    CODE(pvm_setrbuf(4242));
    NUM(pvm_errno);
}

CONF_MAIN(run)
