/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: CONV-9 API-47
 * Two tasks send each other 16 MB before either receives: no deadlock.
 */
#include "conf.h"

enum { SIZE_BYTES = 16 * 1024 * 1024 };

static int exchange(int peer)
{
    int bytes = 0;
    char *data = malloc(SIZE_BYTES);
    memset(data, 7, SIZE_BYTES);
    pvm_initsend(PvmDataRaw);
    pvm_pkbyte(data, SIZE_BYTES, 1);
    const int sent = pvm_send(peer, 6);
    pvm_bufinfo(conf_take(peer, 6), &bytes, NULL, NULL);
    free(data);
    return sent == 0 && bytes == SIZE_BYTES;
}

static void peer(void)
{
    conf_send_int(pvm_parent(), 7, exchange(pvm_parent()));
}

static void run(void)
{
    const int tid = conf_spawn("peer");
    YES(exchange(tid));
    YES(conf_take_int(tid, 7));
}

CONF_MAIN(run, {"peer", peer})
