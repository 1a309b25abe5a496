/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-25
 * Export and unexport edit PVM_EXPORT; duplicates, absences and empty names are ignored.
 */
#include "conf.h"

static void show(void)
{
    const char *value = getenv("PVM_EXPORT");
    printf("  %s\n", value ? value : "(unset)");
}

static void run(void)
{
    show();
    CODE(pvm_export("")), show();
    CODE(pvm_export("ONE")), show();
    CODE(pvm_export("TWO")), show();
    CODE(pvm_export("ONE")), show();
    CODE(pvm_export("ON")), show();
    CODE(pvm_unexport("TW")), show();
    CODE(pvm_unexport("ONE")), show();
    CODE(pvm_unexport("ABSENT")), show();
    CODE(pvm_unexport("ON")), show();
    CODE(pvm_unexport("TWO")), show();
    CODE(pvm_unexport("TWO")), show();
    CODE(pvm_export("NEW")), show();
}

CONF_MAIN(run)
