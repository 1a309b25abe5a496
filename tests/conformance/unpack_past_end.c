/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-44
 * Each type unpacked from an exhausted and from a too short message.
 */
#include "conf.h"

static void from(const char *what, int encoding, int ints)
{
    double data[4];
    void *p = data;
    static const int zeros[8];
    const int mid = pvm_mkbuf(encoding);
    pvm_setsbuf(mid);
    pvm_pkint((int *)zeros, ints, 1);
    printf("%s, %d ints:", what, ints);
#define TRY(call) (pvm_setsbuf(mid), pvm_setrbuf(mid), printf(" %s", conf_name(call)))
    TRY(pvm_upkbyte(p, 4 * ints + 1, 1));
    TRY(pvm_upkshort(p, 3, 1));
    TRY(pvm_upkushort(p, 3, 1));
    TRY(pvm_upkint(p, ints + 1, 1));
    TRY(pvm_upkuint(p, ints + 1, 1));
    TRY(pvm_upklong(p, 2, 1));
    TRY(pvm_upkulong(p, 2, 1));
    TRY(pvm_upkfloat(p, ints + 1, 1));
    TRY(pvm_upkdouble(p, 1, 1));
    TRY(pvm_upkcplx(p, 1, 1));
    TRY(pvm_upkdcplx(p, 1, 1));
    TRY(pvm_upkstr(p));
    printf("\n");
    pvm_freebuf(mid);
}

static void run(void)
{
    from("default", PvmDataDefault, 0);
    from("default", PvmDataDefault, 1);
    from("raw", PvmDataRaw, 0);
    from("raw", PvmDataRaw, 1);
}

CONF_MAIN(run)
