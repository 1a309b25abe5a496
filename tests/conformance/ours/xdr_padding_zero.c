/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-45 D9
 * The padding of byte arrays and strings is zero, as XDR has it, and not what memory held.
 */
#include "conf.h"

static void show(const char *what)
{
    static char bytes[256];
    int length = 0;
    pvm_send(pvm_mytid(), 1);
    pvm_precv(-1, 1, bytes, sizeof bytes, PVM_BYTE, NULL, NULL, &length);
    conf_hex(what, bytes, length);
    pvm_initsend(PvmDataDefault);
}

static void run(void)
{
    pvm_initsend(PvmDataDefault);
    pvm_pkbyte("\1", 1, 1), show("1 byte");
    pvm_pkbyte("\1\2\3\4\5\6", 6, 1), show("6 bytes");
    pvm_pkbyte("\1\2\3\4\5\6", 3, 2), show("3 bytes by 2");
    pvm_pkstr(""), show("empty string");
    pvm_pkstr("word"), show("word");
}

CONF_MAIN(run)
