/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-44 API-45
 * The received bytes of every type packed in place: the raw form.
 */
#include "conf.h"

static void show(const char *what)
{
    static char bytes[256];
    int length = 0;
    CODE(pvm_send(pvm_mytid(), 1));
    pvm_precv(-1, 1, bytes, sizeof bytes, PVM_BYTE, NULL, NULL, &length);
    conf_hex(what, bytes, length);
    pvm_initsend(PvmDataInPlace);
}

static void run(void)
{
    short shorts[] = {1, -1};
    int ints[] = {1, -1};
    long longs[] = {1, -1};
    float floats[] = {1, -2.5f};
    double doubles[] = {1, -2.5};
    pvm_initsend(PvmDataInPlace);
    CODE(pvm_pkbyte("\x01\x80\xff", 3, 1)), show("byte");
    CODE(pvm_pkshort(shorts, 2, 1)), show("short");
    CODE(pvm_pkushort((unsigned short *)shorts, 2, 1)), show("ushort");
    CODE(pvm_pkint(ints, 2, 1)), show("int");
    CODE(pvm_pkuint((unsigned *)ints, 2, 1)), show("uint");
    CODE(pvm_pklong(longs, 2, 1)), show("long");
    CODE(pvm_pkulong((unsigned long *)longs, 2, 1)), show("ulong");
    CODE(pvm_pkfloat(floats, 2, 1)), show("float");
    CODE(pvm_pkdouble(doubles, 2, 1)), show("double");
    CODE(pvm_pkcplx(floats, 1, 1)), show("cplx");
    CODE(pvm_pkdcplx(doubles, 1, 1)), show("dcplx");
    CODE(pvm_pkint(ints, 0, 1)), show("nothing");
    show("empty");
}

CONF_MAIN(run)
