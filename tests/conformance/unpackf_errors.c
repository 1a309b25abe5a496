/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-46
 * Unpackf: unknown conversions, %+, the message's end.
 */
#include "conf.h"

static void run(void)
{
    int a = 0, b = 0;
    pvm_initsend(PvmDataDefault);
    pvm_pkint((int[]){1, 2, 3, 4}, 4, 1);
    pvm_send(pvm_mytid(), 1);
    conf_take(-1, 1);
    CODE(pvm_unpackf("%+", 0));
    CODE(pvm_unpackf("%d %q", &a, &b));
    NUM(a);
    CODE(pvm_unpackf("%%"));
    CODE(pvm_unpackf("plain"));
    CODE(pvm_unpackf("%d", &b));
    NUM(b);
    CODE(pvm_unpackf("%d%d%d", &a, &b, &a));
    printf("%d %d\n", a, b);
    CODE(pvm_unpackf("%d", &a));
}

CONF_MAIN(run)
