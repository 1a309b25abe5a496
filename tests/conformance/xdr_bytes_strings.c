/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-44 API-45
 * The received bytes of strings of every length class in the default and the raw encoding.
 */
#include "conf.h"

static void show(int encoding, const char *text)
{
    static char bytes[256];
    int length = 0;
    pvm_initsend(encoding);
    CODE(pvm_pkstr((char *)text));
    pvm_send(pvm_mytid(), 1);
    pvm_precv(-1, 1, bytes, sizeof bytes, PVM_BYTE, NULL, NULL, &length);
    const int used = 4 + (int)strlen(text) + 1;
    conf_hex(text, bytes, used);
    printf("and %d bytes of padding\n", length - used);
}

static void run(void)
{
    for (int encoding = PvmDataDefault; encoding <= PvmDataRaw; encoding++) {
        show(encoding, "");
        show(encoding, "a");
        show(encoding, "abc");
        show(encoding, "abcd");
        show(encoding, "gr\xc3\xbc\xc3\x9f");
    }
}

CONF_MAIN(run)
