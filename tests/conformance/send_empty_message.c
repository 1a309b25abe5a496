/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-47 API-41
 * Messages without content in each encoding.
 */
#include "conf.h"

static void run(void)
{
    for (int encoding = PvmDataDefault; encoding <= PvmDataInPlace; encoding++) {
        int bytes = -1, tag = -1;
        pvm_initsend(encoding);
        CODE(pvm_send(pvm_mytid(), 10 + encoding));
        pvm_bufinfo(conf_take(-1, -1), &bytes, &tag, NULL);
        printf("%d bytes, tag %d\n", bytes, tag);
        CODE(pvm_upkbyte((char[]){0}, 1, 1));
        CODE(pvm_upkbyte((char[]){0}, 0, 1));
    }
}

CONF_MAIN(run)
