/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-63
 * A message that was received, in part read, can be put: whole.
 */
#include "conf_mbox.h"

static void run(void)
{
    int value = 0;
    box_put("rcv", 41, 0);
    MID(pvm_recvinfo("rcv", 0, 0));
    CODE(pvm_upkint(&value, 1, 1));
    CODE(pvm_putinfo("rcv2", pvm_getrbuf(), 0));
    NUM(box_get("rcv2", 0, 0));
    conf_send_int(pvm_mytid(), 9, 42);
    conf_take(-1, 9);
    CODE(pvm_putinfo("rcv3", pvm_getrbuf(), 0));
    NUM(box_get("rcv3", 0, 0));
}

CONF_MAIN(run)
