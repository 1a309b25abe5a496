/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: CONV-3 API-61
 * Automatic printing: 0 silent, 1 prints, other values act like 1.
 */
#include "conf.h"

static void attempt(int value)
{
    pvm_setopt(PvmAutoErr, value);
    printf("AutoErr %d now %d\n", value, pvm_getopt(PvmAutoErr));
    conf_errors_begin();
    pvm_freebuf(-1);
    conf_errors_end("printed");
}

static void run(void)
{
    pvm_mytid();
    CODE(pvm_getopt(PvmAutoErr));
    attempt(0);
    attempt(1);
    attempt(4);
    attempt(-1);
    attempt(0);
}

CONF_MAIN(run)
