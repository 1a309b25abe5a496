/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-56
 * Small messages before and after a 20 MB one keep their places.
 */
#include "conf.h"

enum { BIG_BYTES = 20 * 1024 * 1024 };

static void sender(void)
{
    const int parent = pvm_parent();
    char *big = calloc(1, BIG_BYTES);
    conf_send_int(parent, 1, 1);
    pvm_initsend(PvmDataRaw);
    pvm_pkbyte(big, BIG_BYTES, 1);
    pvm_send(parent, 2);
    conf_send_int(parent, 3, 3);
    free(big);
}

static void run(void)
{
    conf_spawn("sender");
    for (int i = 0; i < 3; i++) {
        int bytes, tag;
        pvm_bufinfo(conf_take(-1, -1), &bytes, &tag, NULL);
        printf("tag %d with %d bytes\n", tag, bytes);
    }
}

CONF_MAIN(run, {"sender", sender})
