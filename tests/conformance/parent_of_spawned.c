/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-5
 * A spawned task knows its parent, also after the parent ended.
 */
#include "conf.h"

static void grandchild(void)
{
    const int parent = pvm_parent();
    pvm_send(parent, 1);
    char text[32] = "";
    const int watcher = conf_take_int(-1, 1);
    conf_wait_gone(parent);
    snprintf(text, sizeof text, "%s", pvm_parent() == parent ? "same" : "other");
    conf_send_text(watcher, 2, text);
}

static void child(void)
{
    conf_send_int(pvm_parent(), 1, conf_spawn("grandchild"));
}

static void run(void)
{
    const int tid = conf_spawn("child");
    const int below = conf_take_int(tid, 1);
    conf_send_int(below, 1, pvm_mytid());
    puts(conf_take_text(below, 2));
}

CONF_MAIN(run, {"child", child}, {"grandchild", grandchild})
