/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-50 API-51
 * Precv with wildcards takes the oldest and reports who and what; the rest stays queued.
 */
#include "conf.h"

static void child(void)
{
    for (int tag = 1; tag <= 4; tag++)
        pvm_psend(pvm_parent(), tag, &(int){tag * 11}, 1, PVM_INT);
}

static void run(void)
{
    const int tid = conf_spawn("child");
    int value, from, tag, length;
    static const int wanted[] = {-1, 3, -1, -1};
    conf_take(tid, 4);
    pvm_psend(pvm_mytid(), 5, &(int){55}, 1, PVM_INT);
    for (int i = 0; i < 4; i++) {
        CODE(pvm_precv(-1, wanted[i], &value, 1, PVM_INT, &from, &tag, &length));
        printf("%d, tag %d, length %d, from %s\n", value, tag, length,
               from == tid ? "child" : from == pvm_mytid() ? "me" : "whom?");
    }
}

CONF_MAIN(run, {"child", child})
