/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-42
 * setminfo changes ctx, tag, wid, src and dst but neither len, enc nor crc; send overwrites two.
 */
#include "conf.h"

static void show(const char *what, int mid)
{
    struct pvmminfo info;
    pvm_getminfo(mid, &info);
    printf("%s: len %d ctx %d tag %d wid %d enc 0x%x crc %d src %d dst %d\n", what, info.len,
           info.ctx, info.tag, info.wid, (unsigned)info.enc, info.crc,
           info.src == pvm_mytid() ? -1 : info.src, info.dst == pvm_mytid() ? -1 : info.dst);
}

static void run(void)
{
    struct pvmminfo set = {.len = 99, .ctx = 11, .tag = 12, .wid = 13, .enc = 14, .crc = 15,
                           .src = 16, .dst = 17};
    pvm_mytid();
    const int mid = pvm_initsend(PvmDataDefault);
    pvm_pkint(&(int){1}, 1, 1);
    show("before", mid);
    CODE(pvm_setminfo(mid, &set));
    show("after", mid);
    CODE(pvm_send(pvm_mytid(), 50));
    show("sent", mid);
    show("received", conf_take(-1, 50));
}

CONF_MAIN(run)
