/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A worker: items in, results out. It ends with its leader: the next leader starts workers of its
 * own, and does again what was in the hands of this one.
 */
#include "farm.h"

#include <pvm3.h>

static void do_items(int leader, int item_ms)
{
    int count = 0, item;
    pvm_upkint(&count, 1, 1);
    while (count-- > 0 && pvm_upkint(&item, 1, 1) >= 0) {
        int answer[2] = {item, work(item, item_ms)};
        pvm_initsend(PvmDataDefault);
        pvm_pkint(answer, 2, 1);
        pvm_send(leader, TAG_RESULT);
    }
}

int worker_main(int item_ms)
{
    int leader = pvm_parent();
    pvm_notify(PvmTaskExit, TAG_TASK_END, 1, &leader);
    while (pvm_recv(-1, -1) > 0) {
        int bytes, tag, from;
        pvm_bufinfo(pvm_getrbuf(), &bytes, &tag, &from);
        if (tag == TAG_GO || tag == TAG_TASK_END)
            break;
        if (tag == TAG_ITEMS && from == leader)
            do_items(leader, item_ms);
    }
    pvm_exit();
    return 0;
}
