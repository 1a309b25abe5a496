/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-50
 * Errors of precv leave the message where it is.
 */
#include "conf.h"

static void run(void)
{
    const int me = pvm_mytid();
    char text[8] = "";
    int value = 0;
    CODE(pvm_psend(me, 1, &(int){5}, 1, PVM_INT));
    CODE(pvm_precv(me, 1, text, 4, PVM_STR, NULL, NULL, NULL));
    CODE(pvm_precv(me, 1, text, 4, 12, NULL, NULL, NULL));
    CODE(pvm_precv(me, 1, text, 4, -3, NULL, NULL, NULL));
    CODE(pvm_precv(me, 1, &value, 1, PVM_INT, NULL, NULL, NULL));
    NUM(value);
}

CONF_MAIN(run)
