/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: CONV-6 CONV-7
 * needs: no-vm
 * stderr: ignored
 * Without a daemon every call that needs one fails at once with PvmSysErr; the others work.
 */
#include "conf.h"

static void run(void)
{
    struct timeval none = {0, 0};
    int *list;
    struct pvmtaskinfo *tasks;
    const double begin_s = conf_now_s();
    CODE(pvm_mytid());
    NUM(pvm_errno);
    CODE(pvm_parent());
    CODE(pvm_config(NULL, NULL, NULL));
    CODE(pvm_spawn("x", NULL, 0, NULL, 1, NULL));
    CODE(pvm_kill(0x40001));
    CODE(pvm_sendsig(0x40001, 1));
    CODE(pvm_pstat(0x40001));
    CODE(pvm_mstat("x"));
    CODE(pvm_tasks(0, NULL, &tasks));
    CODE(pvm_notify(PvmHostAdd, 1, 1, NULL));
    CODE(pvm_addhosts((char *[]){"x"}, 1, NULL));
    CODE(pvm_delhosts((char *[]){"x"}, 1, NULL));
    CODE(pvm_hostsync(0x40000, &none, &none));
    CODE(pvm_archcode("LINUX64"));
    CODE(pvm_getfds(&list));
    CODE(pvm_siblings(&list));
    CODE(pvm_recv(-1, -1));
    CODE(pvm_nrecv(-1, -1));
    CODE(pvm_trecv(-1, -1, &none));
    CODE(pvm_probe(-1, -1));
    CODE(pvm_psend(0x40001, 1, &none, 1, PVM_BYTE));
    CODE(pvm_precv(-1, -1, &none, 1, PVM_BYTE, NULL, NULL, NULL));
    CODE(pvm_catchout(stdout));
    CODE(pvm_exit());
    YES(conf_now_s() - begin_s < 3);
}

CONF_MAIN(run)
