/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-45 API-47
 * 64 MB of doubles in the default encoding, there and back.
 */
#include "conf.h"

enum { COUNT = 8 * 1024 * 1024 };

static void echo(void)
{
    double *data = malloc(COUNT * sizeof *data);
    conf_take(pvm_parent(), 3);
    pvm_upkdouble(data, COUNT, 1);
    pvm_initsend(PvmDataDefault);
    pvm_pkdouble(data, COUNT, 1);
    pvm_send(pvm_parent(), 4);
    free(data);
}

static void run(void)
{
    double *data = malloc(COUNT * sizeof *data);
    int bytes = 0, wrong = 0;
    const int tid = conf_spawn("echo");
    for (int i = 0; i < COUNT; i++)
        data[i] = i * 0.25 - 1e6;
    pvm_initsend(PvmDataDefault);
    CODE(pvm_pkdouble(data, COUNT, 1));
    CODE(pvm_send(tid, 3));
    memset(data, 0, COUNT * sizeof *data);
    pvm_bufinfo(conf_take(tid, 4), &bytes, NULL, NULL);
    CODE(pvm_upkdouble(data, COUNT, 1));
    for (int i = 0; i < COUNT; i++)
        wrong += data[i] != i * 0.25 - 1e6;
    NUM(bytes);
    NUM(wrong);
    free(data);
}

CONF_MAIN(run, {"echo", echo})
