/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-50
 * A message longer or shorter than the place: what is stored and the length reported.
 */
#include "conf.h"

static void attempt(int sent, int room)
{
    int values[8], length = -1;
    for (int i = 0; i < 8; i++)
        values[i] = 10 + i;
    pvm_psend(pvm_mytid(), 1, values, sent, PVM_INT);
    memset(values, 0, sizeof values);
    const int code = pvm_precv(-1, 1, values, room, PVM_INT, NULL, NULL, &length);
    printf("sent %d, room %d: %s, length %d:", sent, room, conf_name(code), length);
    for (int i = 0; i < 8; i++)
        printf(" %d", values[i]);
    printf("\n");
}

static void run(void)
{
    attempt(4, 4);
    attempt(6, 3);
    attempt(2, 6);
    attempt(0, 4);
    attempt(4, 0);
    attempt(1, 8);
    MID(pvm_nrecv(-1, -1));
}

CONF_MAIN(run)
