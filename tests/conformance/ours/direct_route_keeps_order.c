/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-56 QRK-1 D4
 * A large message just before a direct route opens is not overtaken by the next one.
 */
#include "conf.h"

enum { ROUNDS = 10, BIG_BYTES = 8 * 1024 * 1024 };

static void child(void)
{
    char *big = calloc(1, BIG_BYTES);
    const int parent = pvm_parent();
    pvm_initsend(PvmDataRaw);
    pvm_pkbyte(big, BIG_BYTES, 1);
    pvm_send(parent, 1);
    pvm_setopt(PvmRoute, PvmRouteDirect);
    conf_send_int(parent, 2, 2);
    pvm_setopt(PvmRoute, PvmAllowDirect);
    conf_send_int(parent, 3, 3);
    free(big);
}

static void run(void)
{
    int wrong = 0;
    for (int round = 0; round < ROUNDS; round++) {
        conf_spawn("child");
        for (int want = 1; want <= 3; want++) {
            int tag = 0;
            pvm_bufinfo(conf_take(-1, -1), NULL, &tag, NULL);
            wrong += tag != want;
        }
    }
    NUM(wrong);
}

CONF_MAIN(run, {"child", child})
