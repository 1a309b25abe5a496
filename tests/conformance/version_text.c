/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-20 CST-3
 * The version as text and as header constants.
 */
#include "conf.h"

static void run(void)
{
    puts(pvm_version());
    puts(PVM_VER);
    printf("%d %d %d\n", PVM_MAJOR_VERSION, PVM_MINOR_VERSION, PVM_PATCH_VERSION);
}

CONF_MAIN(run)
