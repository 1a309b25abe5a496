/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-39 API-47
 * A received 8 MB message set as send buffer goes on through a chain of tasks unchanged.
 */
#include "conf.h"

enum { COUNT = 2 * 1024 * 1024 };

static void relay(void)
{
    const int next = conf_take_int(pvm_parent(), 1);
    const int old = pvm_setsbuf(conf_take(-1, 2));
    pvm_send(next, 2);
    pvm_setsbuf(old);
}

static void run(void)
{
    int tids[3], bytes = 0, wrong = 0;
    int *data = malloc(COUNT * sizeof *data);
    conf_spawn_many("relay", 3, tids);
    for (int i = 0; i < 3; i++)
        conf_send_int(tids[i], 1, i < 2 ? tids[i + 1] : pvm_mytid());
    for (int i = 0; i < COUNT; i++)
        data[i] = i ^ 77;
    pvm_initsend(PvmDataDefault);
    pvm_pkint(data, COUNT, 1);
    CODE(pvm_send(tids[0], 2));
    memset(data, 0, COUNT * sizeof *data);
    pvm_bufinfo(conf_take(tids[2], 2), &bytes, NULL, NULL);
    NUM(bytes);
    CODE(pvm_upkint(data, COUNT, 1));
    for (int i = 0; i < COUNT; i++)
        wrong += data[i] != (i ^ 77);
    NUM(wrong);
    free(data);
}

CONF_MAIN(run, {"relay", relay})
