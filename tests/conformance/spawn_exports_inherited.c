/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-25 API-31
 * Exported variables pass on to grandchildren without another pvm_export.
 */
#include "conf.h"

static void grandchild(void)
{
    int source;
    pvm_bufinfo(conf_take(-1, 1), NULL, NULL, &source);
    conf_send_text(source, 2, getenv("CONF_VALUE") ? getenv("CONF_VALUE") : "(unset)");
}

static void child(void)
{
    conf_send_int(pvm_parent(), 3, conf_spawn("grandchild"));
}

static void run(void)
{
    setenv("CONF_VALUE", "handed down", 1);
    pvm_export("CONF_VALUE");
    const int tid = conf_take_int(conf_spawn("child"), 3);
    conf_signal(tid, 1);
    puts(conf_take_text(tid, 2));
}

CONF_MAIN(run, {"child", child}, {"grandchild", grandchild})
