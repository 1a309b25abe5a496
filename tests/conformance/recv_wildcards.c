/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-51 API-41
 * The four combinations of tid and tag wildcards, and what bufinfo then says.
 */
#include "conf.h"

static void show(const char *how, int mid, int from)
{
    int bytes, tag, source;
    pvm_bufinfo(mid, &bytes, &tag, &source);
    printf("%s: tag %d, %d bytes, %s\n", how, tag, bytes,
           source == from ? "from the child" : source == pvm_mytid() ? "from me" : "from whom?");
}

static void child(void)
{
    for (int tag = 1; tag <= 4; tag++)
        conf_send_int(pvm_parent(), tag, tag);
    conf_signal(pvm_parent(), 9);
}

static void run(void)
{
    const int tid = conf_spawn("child");
    conf_take(tid, 9);
    conf_send_text(pvm_mytid(), 2, "mine");
    show("any, any", conf_take(-1, -1), tid);
    show("any, 3", conf_take(-1, 3), tid);
    show("me, any", conf_take(pvm_mytid(), -1), tid);
    show("child, 4", conf_take(tid, 4), tid);
    show("child, any", conf_take(tid, -1), tid);
    MID(pvm_nrecv(-1, -1));
}

CONF_MAIN(run, {"child", child})
