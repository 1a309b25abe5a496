/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-44
 * Strides 2, 3, 0 and negative when packing, by type, as the bytes show.
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
    char bytes[] = "abcdefghijkl";
    short shorts[] = {1, 2, 3, 4, 5, 6};
    int ints[] = {1, 2, 3, 4, 5, 6};
    double doubles[] = {1, 2, 3, 4, 5, 6, 7, 8};
    float floats[] = {1, 2, 3, 4, 5, 6, 7, 8};
    pvm_initsend(PvmDataDefault);
    pvm_pkbyte(bytes, 5, 2), show_padded("bytes by 2", 5);
    pvm_pkbyte(bytes, 3, 0), show_padded("bytes by 0", 3);
    pvm_pkbyte(bytes + 5, 3, -2), show_padded("bytes by -2", 3);
    pvm_pkshort(shorts, 3, 2), show("shorts by 2");
    pvm_pkint(ints, 2, 3), show("ints by 3");
    pvm_pkint(ints + 5, 3, -2), show("ints by -2");
    pvm_pkint(ints + 1, 2, 0), show("ints by 0");
    pvm_pkdouble(doubles, 2, 2), show("doubles by 2");
    pvm_pkcplx(floats, 2, 2), show("cplx by 2");
    pvm_pkcplx(floats + 4, 2, -2), show("cplx by -2");
    pvm_pkdcplx(doubles, 2, 3), show("dcplx by 3");
}

CONF_MAIN(run)
