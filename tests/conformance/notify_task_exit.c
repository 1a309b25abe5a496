/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: NTF-1 NTF-2
 * The notice: its source, length, encoding and content; it comes once.
 */
#include "conf.h"

static void child(void)
{
    conf_take(pvm_parent(), 1);
}

static void run(void)
{
    struct pvmminfo info;
    int tid = conf_spawn("child"), value = 0;
    CODE(pvm_notify(PvmTaskExit, 50, 1, &tid));
    MID(pvm_nrecv(-1, -1));
    conf_signal(tid, 1);
    const int mid = conf_take(-1, 50);
    CODE(pvm_getminfo(mid, &info));
    printf("len %d ctx %d tag %d src %x\n", info.len, info.ctx, info.tag, (unsigned)info.src);
    printf("enc %x\n", (unsigned)info.enc);
    YES(info.dst == pvm_mytid());
    CODE(pvm_upkint(&value, 1, 1));
    YES(value == tid);
    CODE(pvm_upkint(&value, 1, 1));
    MID(conf_take_within(-1, -1, 0.1));
}

CONF_MAIN(run, {"child", child})
