/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-68
 * needs: own-vm
 * pvm_lookup(): the index, and the number there; the buffers stay.
 */
#include "conf_mbox.h"

static void run(void)
{
    int value = -7;
    pvm_insert("look", 4, 80);
    pvm_insert("look", 6, 81);
    MID(pvm_recvinfo("look", 6, 0));
    const int mid = pvm_getrbuf(), sent = pvm_initsend(PvmDataDefault);
    NUM(pvm_lookup("look", -1, &value));
    NUM(value);
    NUM(pvm_lookup("look", 6, &value));
    NUM(value);
    CODE(pvm_lookup("look", 5, &value));
    CODE(pvm_lookup("nosuch", -1, &value));
    CODE(pvm_lookup("", 0, &value));
    CODE(pvm_lookup(NULL, 0, &value));
    CODE(pvm_lookup("look", -2, &value));
    NUM(pvm_lookup("look", 4, NULL));
    NUM(value);
    YES(pvm_getrbuf() == mid);
    YES(pvm_getsbuf() == sent);
    CODE(pvm_putinfo("hollow", sent, 0));
    pvm_setopt(PvmAutoErr, 0); /* the original reports the unpacking inside */
    CODE(pvm_lookup("hollow", 0, &value));
    NUM(value);
    box_halt();
}

CONF_MAIN(run)
