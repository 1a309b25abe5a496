/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-37 API-40
 * stderr: ignored
 * Initsend frees the active send buffer and makes the new one active, unless it fails.
 */
#include "conf.h"

static void run(void)
{
    const int first = pvm_initsend(PvmDataDefault);
    YES(first > 0 && pvm_getsbuf() == first);
    CODE(pvm_pkint(&(int){1}, 1, 1));
    MID(pvm_initsend(7));
    YES(pvm_getsbuf() == first);
    int bytes = -1;
    CODE(pvm_bufinfo(first, &bytes, NULL, NULL));
    NUM(bytes);
    const int second = pvm_initsend(PvmDataRaw);
    YES(second > 0 && pvm_getsbuf() == second);
    CODE(pvm_bufinfo(second, &bytes, NULL, NULL));
    NUM(bytes);
    CODE(pvm_freebuf(second));
    MID(pvm_getsbuf());
}

CONF_MAIN(run)
