/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-39 API-51
 * A server loop: receive, pack the answer, send to the sender; a thousand times.
 */
#include "conf.h"

static void server(void)
{
    for (;;) {
        int value = 0, from = 0, tag = 0;
        pvm_bufinfo(conf_take(-1, -1), NULL, &tag, &from);
        if (tag == 9)
            return;
        pvm_upkint(&value, 1, 1);
        pvm_initsend(PvmDataDefault);
        pvm_pkint(&(int){value + 1}, 1, 1);
        pvm_send(from, tag);
    }
}

static void run(void)
{
    const int tid = conf_spawn("server");
    int value = 0;
    for (int i = 0; i < 1000; i++) {
        conf_send_int(tid, 1 + i % 3, value);
        value = conf_take_int(tid, 1 + i % 3);
    }
    NUM(value);
    conf_signal(tid, 9);
}

CONF_MAIN(run, {"server", server})
