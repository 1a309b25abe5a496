/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-63 API-64 API-41
 * Source, tag, wait id, encoding and length of a message from a mailbox.
 */
#include "conf_mbox.h"

static void run(void)
{
    box_start(1);
    struct pvmminfo info;
    box_do(0, "put", "fld", 5, 0);
    int mid = pvm_recvinfo("fld", 0, 0);
    CODE(pvm_getminfo(mid, &info));
    YES(info.src == box_workers[0]);
    printf("len %d ctx %d tag %d wid %d enc %x crc %d\n", info.len, info.ctx, info.tag, info.wid,
           (unsigned)info.enc, info.crc);
    mid = pvm_initsend(PvmDataDefault);
    pvm_pkstr("five");
    pvm_getminfo(mid, &info);
    info.tag = 55;
    info.wid = 66;
    pvm_setminfo(mid, &info);
    CODE(pvm_putinfo("tagged", mid, 0));
    YES(pvm_getsbuf() == mid);
    mid = pvm_recvinfo("tagged", 0, 0);
    CODE(pvm_getminfo(mid, &info));
    YES(info.src == pvm_mytid());
    printf("len %d tag %d wid %d enc %x dst %d\n", info.len, info.tag, info.wid,
           (unsigned)info.enc, info.dst);
    box_end_all(1);
}

CONF_MAIN(run, {"worker", box_worker})
