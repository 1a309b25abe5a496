/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-46
 * stderr: ignored
 * Unknown conversions, a misplaced %+, wrong encodings; items before the error stay packed.
 */
#include "conf.h"

static void length(void)
{
    int bytes = -1;
    pvm_bufinfo(pvm_getsbuf(), &bytes, NULL, NULL);
    printf("length %d\n", bytes);
}

static void run(void)
{
    CODE(pvm_packf("%d", 1));
    CODE(pvm_packf("%+", 99));
    MID(pvm_getsbuf());
    CODE(pvm_packf("%+", PvmDataDefault));
    length();
    CODE(pvm_packf("%d %q", 1)), length();
    CODE(pvm_packf("%%")), length();
    CODE(pvm_packf("%d %", 2)), length();
    CODE(pvm_packf("no items at all")), length();
    CODE(pvm_packf("")), length();
    CODE(pvm_packf(" %+", PvmDataDefault)), length();
    CODE(pvm_packf("%d%+", 3, PvmDataDefault)), length();
    CODE(pvm_packf("a%db%dc", 1, 2)), length();
    CODE(pvm_packf("%-1d", &(int){1})), length();
    CODE(pvm_packf("%i", 1)), length();
    CODE(pvm_packf("%u", 1)), length();
    CODE(pvm_packf("%hhd", 1)), length();
    CODE(pvm_packf("%lud", 1L)), length();
}

CONF_MAIN(run)
