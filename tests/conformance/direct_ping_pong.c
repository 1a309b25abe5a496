/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-61 API-47 API-51
 * Messages of growing size over a direct route come back unchanged and in order.
 */
#include "conf.h"

static void echo(void)
{
    static char data[300000];
    pvm_setopt(PvmRoute, PvmRouteDirect);
    for (;;) {
        int bytes, tag;
        pvm_bufinfo(conf_take(pvm_parent(), -1), &bytes, &tag, NULL);
        if (tag == 0)
            return;
        pvm_upkbyte(data, bytes, 1);
        pvm_initsend(PvmDataRaw);
        pvm_pkbyte(data, bytes, 1);
        pvm_send(pvm_parent(), tag);
    }
}

static void run(void)
{
    static char data[300000], back[300000];
    pvm_setopt(PvmRoute, PvmRouteDirect);
    const int tid = conf_spawn("echo");
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (char)(i * 7 + i / 256);
    for (int size = 0, tag = 1; size <= 300000; size = size * 3 + 1, tag++) {
        int bytes = -1;
        pvm_initsend(PvmDataRaw);
        pvm_pkbyte(data, size, 1);
        pvm_send(tid, tag);
        pvm_bufinfo(conf_take(tid, tag), &bytes, NULL, NULL);
        pvm_upkbyte(back, bytes, 1);
        printf("%d: %s\n", size, bytes == size && !memcmp(data, back, size) ? "same" : "differs");
    }
    conf_signal(tid, 0);
}

CONF_MAIN(run, {"echo", echo})
