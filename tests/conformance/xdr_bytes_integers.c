/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-44 API-45
 * The received bytes of every integer type in the default encoding.
 */
#include "conf.h"

static void show_padded(const char *what, int used)
{
    static char bytes[256];
    int length = 0;
    pvm_send(pvm_mytid(), 1);
    pvm_precv(-1, 1, bytes, sizeof bytes, PVM_BYTE, NULL, NULL, &length);
    conf_hex(what, bytes, used);
    printf("and %d bytes of padding\n", length - used);
    pvm_initsend(PvmDataDefault);
}

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
    pvm_pkbyte("\x01\x80\xff", 3, 1), show_padded("byte", 3);
    pvm_pkbyte("\x01\x80\xff\x7f\x33", 5, 1), show_padded("byte", 5);
    pvm_pkshort((short[]){1, -1, SHRT_MIN, SHRT_MAX}, 4, 1), show("short");
    pvm_pkushort((unsigned short[]){1, 0x7fff}, 2, 1), show("ushort");
    pvm_pkint((int[]){1, -1, INT_MIN, INT_MAX, 0x12345678}, 5, 1), show("int");
    pvm_pkuint((unsigned[]){1, 0x80000000u, UINT_MAX}, 3, 1), show("uint");
    pvm_pklong((long[]){0, 1, 0x7fffffff}, 3, 1), show("long");
    pvm_pkulong((unsigned long[]){0, 1, 0xffffffffu}, 3, 1), show("ulong");
    pvm_pkshort(NULL, 0, 1), show("nothing");
}

CONF_MAIN(run)
