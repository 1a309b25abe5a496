/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-41 API-45
 * An in-place buffer reports 0 bytes before it is sent; the receiver sees the whole length.
 */
#include "conf.h"

static void run(void)
{
    int values[10] = {0}, bytes = -1, tag = -1, tid = -1;
    const int mid = pvm_initsend(PvmDataInPlace);
    pvm_pkint(values, 10, 1);
    pvm_bufinfo(mid, &bytes, &tag, &tid);
    NUM(bytes);
    CODE(pvm_send(pvm_mytid(), 1));
    pvm_bufinfo(conf_take(-1, 1), &bytes, &tag, &tid);
    printf("%d bytes, tag %d\n", bytes, tag);
    YES(tid == pvm_mytid());
}

CONF_MAIN(run)
