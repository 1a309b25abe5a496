/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-45 API-47
 * 64 MB packed in place reach the other side as raw data.
 */
#include "conf.h"

enum { COUNT = 16 * 1024 * 1024 };

static void reader(void)
{
    int *data = malloc(COUNT * sizeof *data);
    int wrong = 0;
    conf_take(pvm_parent(), 3);
    pvm_upkint(data, COUNT, 1);
    for (int i = 0; i < COUNT; i++)
        wrong += data[i] != i * 3;
    conf_send_int(pvm_parent(), 4, wrong);
    free(data);
}

static void run(void)
{
    int *data = malloc(COUNT * sizeof *data);
    const int tid = conf_spawn("reader");
    for (int i = 0; i < COUNT; i++)
        data[i] = i * 3;
    MID(pvm_initsend(PvmDataInPlace));
    CODE(pvm_pkint(data, COUNT, 1));
    CODE(pvm_send(tid, 3));
    NUM(conf_take_int(tid, 4));
    free(data);
}

CONF_MAIN(run, {"reader", reader})
