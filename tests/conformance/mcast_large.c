/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-48
 * A 5 MB multicast to three tasks arrives whole at each.
 */
#include "conf.h"

enum { COUNT = 5 * 1024 * 1024 / 4 };

static void child(void)
{
    int *data = malloc(COUNT * sizeof *data), wrong = 0, bytes = 0;
    pvm_bufinfo(conf_take(pvm_parent(), 1), &bytes, NULL, NULL);
    pvm_upkint(data, COUNT, 1);
    for (int i = 0; i < COUNT; i++)
        wrong += data[i] != i * 5;
    conf_send_int(pvm_parent(), 2, bytes == COUNT * 4 ? wrong : -1);
    free(data);
}

static void run(void)
{
    int tids[3];
    int *data = malloc(COUNT * sizeof *data);
    conf_spawn_many("child", 3, tids);
    for (int i = 0; i < COUNT; i++)
        data[i] = i * 5;
    pvm_initsend(PvmDataRaw);
    pvm_pkint(data, COUNT, 1);
    CODE(pvm_mcast(tids, 3, 1));
    for (int i = 0; i < 3; i++)
        NUM(conf_take_int(tids[i], 2));
    free(data);
}

CONF_MAIN(run, {"child", child})
