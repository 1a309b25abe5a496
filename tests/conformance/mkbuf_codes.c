/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-36 API-40
 * Which encodings mkbuf takes; a new buffer is not made active.
 */
#include "conf.h"

static void run(void)
{
    MID(pvm_mkbuf(PvmDataDefault));
    MID(pvm_mkbuf(PvmDataRaw));
    MID(pvm_mkbuf(PvmDataInPlace));
    MID(pvm_mkbuf(3));
    MID(pvm_mkbuf(PvmDataTrace));
    MID(pvm_mkbuf(5));
    MID(pvm_mkbuf(-1));
    MID(pvm_mkbuf(0x10000000));
    MID(pvm_getsbuf());
    MID(pvm_getrbuf());
}

CONF_MAIN(run)
