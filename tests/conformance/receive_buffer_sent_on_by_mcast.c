/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-39 API-48
 * A received message forwarded to several tasks by mcast without unpacking it.
 */
#include "conf.h"

static void child(void)
{
    char text[32] = "";
    conf_take(pvm_parent(), 4);
    pvm_upkstr(text);
    conf_send_text(pvm_parent(), 5, text);
}

static void run(void)
{
    int tids[2];
    conf_spawn_many("child", 2, tids);
    conf_send_text(pvm_mytid(), 1, "passed on");
    pvm_setsbuf(conf_take(-1, 1));
    CODE(pvm_mcast(tids, 2, 4));
    puts(conf_take_text(tids[0], 5));
    puts(conf_take_text(tids[1], 5));
}

CONF_MAIN(run, {"child", child})
