/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-51 API-52 API-53 API-54
 * Tids that are no task's and tags below -1 match nothing; they are no errors.
 */
#include "conf.h"

static void run(void)
{
    struct timeval none = {0, 0};
    pvm_mytid();
    MID(pvm_nrecv(-2, 1));
    MID(pvm_nrecv(0, 1));
    MID(pvm_nrecv(pvm_mytid(), -2));
    MID(pvm_nrecv(0x40000000, 1));
    MID(pvm_nrecv((int)0x80000000, 1));
    MID(pvm_probe(-2, 1));
    MID(pvm_probe(0, 1));
    MID(pvm_probe(pvm_mytid(), -2));
    MID(pvm_trecv(-2, 1, &none));
    MID(pvm_trecv(pvm_mytid(), -2, &none));
}

CONF_MAIN(run)
