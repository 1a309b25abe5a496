/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-13 CST-14
 * What the task table says of a started, a spawned and a spawned but not enrolled task.
 */
#include "conf.h"

static void enrolled(void)
{
    conf_signal(pvm_parent(), 1);
    conf_take(pvm_parent(), 2);
}

static void silent(void)
{
    const double limit_s = conf_now_s() + CONF_RECEIVE_LIMIT_S;
    while (access(conf_argv[2], F_OK) != 0 && conf_now_s() < limit_s)
        conf_pause_ms(2);
    exit(0);
}

static void show(const char *what, int tid)
{
    int count = -1;
    struct pvmtaskinfo *t = NULL;
    CODE(pvm_tasks(tid, &count, &t));
    if (count != 1)
        conf_fail("%d tasks", count);
    printf("%s: parent %s, flags %x, name '%s', pid %s\n", what,
           t->ti_ptid == 0 ? "none" : t->ti_ptid == pvm_mytid() ? "me" : conf_name(t->ti_ptid),
           (unsigned)t->ti_flag, t->ti_a_out,
           t->ti_pid == getpid() ? "mine" : t->ti_pid > 1 ? "another" : "none");
    YES(t->ti_tid == tid);
    YES(t->ti_host == pvm_tidtohost(tid));
}

static void run(void)
{
    char mark[PATH_MAX];
    close(conf_temporary(mark));
    unlink(mark);
    char *arguments[] = {"silent", mark, NULL};
    int quiet = 0;
    const int tid = conf_spawn("enrolled");
    conf_take(tid, 1);
    CODE(pvm_spawn(conf_program, arguments, PvmTaskDefault, NULL, 1, &quiet));
    show("started", pvm_mytid());
    show("enrolled", tid);
    show("not enrolled", quiet);
    CODE(pvm_pstat(quiet));
    close(open(mark, O_CREAT | O_WRONLY, 0600));
    conf_signal(tid, 2);
    conf_wait_gone(tid);
    conf_wait_gone(quiet);
    unlink(mark);
}

CONF_MAIN(run, {"enrolled", enrolled}, {"silent", silent})
