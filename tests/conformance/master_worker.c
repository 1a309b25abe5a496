/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-26 API-48 API-51
 * The usual farm: work handed out to whoever is free, results gathered, workers told to stop.
 */
#include "conf.h"

enum { WORKERS = 4, JOBS = 400 };

static void worker(void)
{
    for (;;) {
        int tag = 0, job = 0;
        pvm_bufinfo(conf_take(pvm_parent(), -1), NULL, &tag, NULL);
        if (tag == 3)
            return;
        pvm_upkint(&job, 1, 1);
        pvm_initsend(PvmDataDefault);
        pvm_packf("%d%d", job, job * job);
        pvm_send(pvm_parent(), 2);
    }
}

static void run(void)
{
    int tids[WORKERS], next = 0;
    long sum = 0;
    conf_spawn_many("worker", WORKERS, tids);
    for (; next < WORKERS; next++)
        conf_send_int(tids[next], 1, next);
    for (int done = 0; done < JOBS; done++) {
        int from = 0, job = 0, square = 0;
        pvm_bufinfo(conf_take(-1, 2), NULL, NULL, &from);
        pvm_unpackf("%d%d", &job, &square);
        sum += square - job;
        if (next < JOBS)
            conf_send_int(from, 1, next++);
    }
    pvm_initsend(PvmDataDefault);
    CODE(pvm_mcast(tids, WORKERS, 3));
    NUM(sum);
    for (int i = 0; i < WORKERS; i++)
        conf_wait_gone(tids[i]);
    MID(pvm_nrecv(-1, -1));
}

CONF_MAIN(run, {"worker", worker})
