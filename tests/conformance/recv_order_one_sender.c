/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-56 API-51
 * One task sends 2,000 messages with many tags; a wildcard receive yields them in send order.
 */
#include "conf.h"

enum { COUNT = 2000 };

static void sender(void)
{
    const int parent = pvm_parent();
    for (int i = 0; i < COUNT; i++)
        conf_send_int(parent, i % 7, i);
}

static void run(void)
{
    const int tid = conf_spawn("sender");
    int wrong = 0;
    for (int i = 0; i < COUNT; i++) {
        int bytes, tag, source;
        pvm_bufinfo(conf_take(-1, -1), &bytes, &tag, &source);
        int value = -1;
        pvm_upkint(&value, 1, 1);
        wrong += value != i || tag != i % 7 || source != tid || bytes != 4;
    }
    NUM(wrong);
}

CONF_MAIN(run, {"sender", sender})
