/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-39 API-40
 * Set of 0, negative and unknown ids; the previous id is returned.
 */
#include "conf.h"

static void run(void)
{
    MID(pvm_setsbuf(0));
    MID(pvm_setrbuf(0));
    MID(pvm_setsbuf(-1));
    MID(pvm_setrbuf(-1));
    MID(pvm_setsbuf(777));
    MID(pvm_setrbuf(777));
    const int a = pvm_mkbuf(PvmDataDefault), b = pvm_mkbuf(PvmDataDefault);
    MID(pvm_setsbuf(a));
    YES(pvm_setsbuf(b) == a);
    YES(pvm_setsbuf(b) == b);
    YES(pvm_setsbuf(0) == b);
    MID(pvm_getsbuf());
    MID(pvm_setsbuf(777));
    CODE(pvm_bufinfo(a, NULL, NULL, NULL));
    CODE(pvm_freebuf(a));
    CODE(pvm_freebuf(b));
    MID(pvm_setsbuf(a));
}

CONF_MAIN(run)
