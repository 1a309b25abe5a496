/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-42 CST-4
 * getminfo of sent and received messages in each encoding.
 */
#include "conf.h"

static void show(const char *what, int mid)
{
    struct pvmminfo info;
    memset(&info, 0x55, sizeof info);
    CODE(pvm_getminfo(mid, &info));
    printf("%s: len %d ctx %d tag %d wid %d enc 0x%x crc %d\n", what, info.len, info.ctx, info.tag,
           info.wid, (unsigned)info.enc, info.crc);
    printf("src %s, dst %s\n", info.src == pvm_mytid() ? "me" : info.src == 0 ? "0" : "other",
           info.dst == pvm_mytid() ? "me" : info.dst == 0 ? "0" : "other");
}

static void run(void)
{
    static const int encodings[] = {PvmDataDefault, PvmDataRaw, PvmDataInPlace};
    int value = 5;
    pvm_mytid();
    for (int i = 0; i < 3; i++) {
        const int mid = pvm_initsend(encodings[i]);
        pvm_pkint(&value, 1, 1);
        show("packed", mid);
        pvm_send(pvm_mytid(), 30 + i);
        show("sent", mid);
        show("received", conf_take(-1, 30 + i));
    }
}

CONF_MAIN(run)
