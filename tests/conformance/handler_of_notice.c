/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-58 NTF-2 API-2
 * stderr: ignored
 * Notices go to handlers like other messages; the one of one's own end, during pvm_exit.
 */
#include "conf.h"

static int tid, notices;

static int ended(int mid)
{
    int who = 0;
    (void)mid;
    pvm_upkint(&who, 1, 1);
    printf("end of the %s\n", who == tid ? "child" : who == pvm_mytid() ? "task itself" : "other");
    notices++;
    return 0;
}

static void child(void)
{
    conf_take(pvm_parent(), 1);
}

static void run(void)
{
    int me = pvm_mytid();
    pvm_addmhf(-1, 5, -1, ended);
    tid = conf_spawn("child");
    CODE(pvm_notify(PvmTaskExit, 5, 1, &tid));
    CODE(pvm_notify(PvmTaskExit, 6, 1, &tid));
    conf_signal(tid, 1);
    NUM(conf_take_int(-1, 6) == tid);
    conf_signal(me, 99);
    conf_take(me, 99);
    NUM(notices);
    CODE(pvm_notify(PvmTaskExit, 5, 1, &me));
    CODE(pvm_notify(PvmTaskExit, 6, 1, &me));
    CODE(pvm_exit());
    NUM(notices);
    YES(pvm_mytid() != me);
    MID(pvm_nrecv(-1, -1));
}

CONF_MAIN(run, {"child", child})
