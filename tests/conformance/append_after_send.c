/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-47
 * A buffer that was sent takes more data; what the second send then carries.
 */
#include "conf.h"

static void run(void)
{
    const int me = pvm_mytid();
    for (int encoding = PvmDataDefault; encoding <= PvmDataRaw; encoding++) {
        int values[4] = {-1, -1, -1, -1}, bytes = 0;
        const int mid = pvm_initsend(encoding);
        pvm_pkint(&(int){1}, 1, 1);
        CODE(pvm_send(me, 1));
        CODE(pvm_pkint(&(int){2}, 1, 1));
        CODE(pvm_bufinfo(mid, &bytes, NULL, NULL));
        NUM(bytes);
        CODE(pvm_send(me, 2));
        conf_take(me, 1);
        CODE(pvm_upkint(values, 1, 1));
        pvm_bufinfo(conf_take(me, 2), &bytes, NULL, NULL);
        NUM(bytes);
        pvm_upkint(values + 1, bytes / 4, 1);
        printf("%d %d %d\n", values[0], values[1], values[2]);
    }
}

CONF_MAIN(run)
