/* SPDX-License-Identifier: BSD-3-Clause */
/* Enrolment and its refusals, a daemon that dies or misbehaves, leaving and coming back, fork,
 * signals. */
#include "fake.h"

#include "pvm3.h"

#include <errno.h>
#include <sys/time.h>
#include <time.h>

static struct capture capture;

/* Enrols, answers TM_EXIT and TM_PSTAT, gives data back. */
static void serve_well(struct fake_link *link)
{
    struct message message;
    fake_hear(link);
    fake_enrolled(link, PROTOCOL_TASK_VERSION, 0);
    while ((message = fake_hear(link)).type != MESSAGE_NONE)
        if (message.type == TM_EXIT || message.type == TM_PSTAT)
            fake_done(link, message.tm_done.wait, 0);
}

static void life(void)
{
    struct fake fake;
    int value = 5, back = 0;
    fake_start(&fake, serve_well);
    const int tid = pvm_mytid();
    EQUAL(tid, FAKE_TID, "the daemon gives the tid");
    EQUAL(pvm_mytid(), tid, "which stays");
    EQUAL(pvm_parent(), PvmNoParent, "nobody spawned us");
    pvm_initsend(PvmDataDefault);
    pvm_pkint(&value, 1, 1);
    EQUAL(pvm_send(tid, 3), 0, "to itself");
    OK(pvm_recv(-1, 3) > 0, "and back");
    pvm_upkint(&back, 1, 1);
    EQUAL(back, 5, "whole");
    EQUAL(pvm_pstat(tid), 0, "a request");
    EQUAL(pvm_exit(), 0, "leaves");
    EQUAL(pvm_exit(), 0, "twice is fine");
    EQUAL(pvm_mytid(), tid + 1, "and comes back as another");
    int *fds = NULL;
    OK(pvm_getfds(&fds) == 1 && fds[0] > 2, "the descriptor of the link");
    pvm_exit();
    fake_stop(&fake);
}

/* Four megabytes to itself: the daemon gives back as it takes, so both sides are full at once. */
static void both_full(void)
{
    struct fake fake;
    static int body[1 << 20];
    fake_start(&fake, serve_well);
    const int tid = pvm_mytid();
    pvm_initsend(PvmDataRaw);
    pvm_pkint(body, 1 << 20, 1);
    int sent = 0;
    for (int i = 0; i < 5; i++)
        sent += pvm_send(tid, i) == 0;
    EQUAL(sent, 5, "sending reads meanwhile what comes");
    int bytes = 0, whole = 0;
    for (int i = 0; i < 5; i++) {
        pvm_bufinfo(pvm_recv(-1, i), &bytes, NULL, NULL);
        whole += bytes == (int)sizeof(body);
    }
    EQUAL(whole, 5, "and nothing is lost");
    pvm_exit();
    fake_stop(&fake);
}

static void serve_no_room(struct fake_link *link)
{
    fake_hear(link);
    fake_enrolled(link, PROTOCOL_TASK_VERSION, PvmOutOfRes);
}

static void serve_other_version(struct fake_link *link)
{
    fake_hear(link);
    fake_enrolled(link, PROTOCOL_TASK_VERSION + 9, 0);
}

static void serve_nothing(struct fake_link *link)
{
    fake_hear(link);
}

static void serve_nonsense(struct fake_link *link)
{
    static const char garbage[64] =
        "this is no frame at all, nor is it the beginning of one.......";
    fake_hear(link);
    if (write(link->xport->ops->descriptor(link->xport), garbage, sizeof(garbage)) < 0)
        return;
}

static void refusal(void (*serve)(struct fake_link *), int code, const char *words)
{
    struct fake fake;
    fake_start(&fake, serve);
    capture_begin(&capture);
    const int status = pvm_mytid();
    const char *text = capture_end(&capture);
    EQUAL(status, code, "not enrolled");
    EQUAL(pvm_errno, code, "and pvm_errno says so");
    OK(strstr(text, words) != NULL, words);
    fake_stop(&fake);
}

static void refusals(void)
{
    refusal(serve_no_room, PvmSysErr, "the daemon refused: no room");
    refusal(serve_other_version, PvmBadVersion, "speaks another version");
    refusal(serve_nothing, PvmSysErr, "pvm_mytid(): Can't contact local daemon");
    refusal(serve_nonsense, PvmSysErr, "pvm_mytid(): Can't contact local daemon");
    setenv("PVMSOCK", "/nonexistent/sock", 1);
    capture_begin(&capture);
    const int status = pvm_mytid();
    OK(status == PvmSysErr && strstr(capture_end(&capture), "/nonexistent/sock: No such file"),
       "no daemon: the path is named");
    unsetenv("PVMSOCK");
}

/* Says goodbye in the middle of a request. */
static void serve_then_die(struct fake_link *link)
{
    fake_hear(link);
    fake_enrolled(link, PROTOCOL_TASK_VERSION, 0);
    fake_hear(link);
}

static void lost_daemon(void)
{
    struct fake fake;
    pvm_setopt(PvmAutoErr, 0);
    fake_start(&fake, serve_then_die);
    pvm_mytid();
    EQUAL(pvm_pstat(FAKE_TID), PvmSysErr, "a request that the daemon takes with it");
    fake_stop(&fake);
    fake_start(&fake, serve_then_die);
    pvm_mytid();
    pvm_notify(PvmTaskExit, 1, 1, &(int){0x40099});
    EQUAL(pvm_recv(-1, -1), PvmSysErr, "a receive that can have no end but this");
    fake_stop(&fake);
    EQUAL(pvm_nrecv(-1, -1), PvmSysErr, "later calls find no daemon");
    EQUAL(pvm_exit(), PvmSysErr, "nor can one leave what is gone");
    fake_start(&fake, serve_well);
    OK(pvm_mytid() > 0, "with a new daemon all is well");
    EQUAL(pvm_exit(), 0, "to the end");
    fake_stop(&fake);
    pvm_setopt(PvmAutoErr, 1);
}

static volatile sig_atomic_t alarms;

static void on_alarm(int signal)
{
    (void)signal;
    alarms++;
}

static void time_outs(void)
{
    struct fake fake;
    struct timespec before, after;
    const struct itimerval often = {{0, 10000}, {0, 10000}}, never = {{0, 0}, {0, 0}};
    fake_start(&fake, serve_well);
    pvm_mytid();
    const struct sigaction action = {.sa_handler = on_alarm};
    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &often, NULL);
    clock_gettime(CLOCK_MONOTONIC, &before);
    struct timeval wait = {0, 200000};
    EQUAL(pvm_trecv(-1, -1, &wait), 0, "nothing came in time");
    clock_gettime(CLOCK_MONOTONIC, &after);
    setitimer(ITIMER_REAL, &never, NULL);
    const double seconds = (double)(after.tv_sec - before.tv_sec) +
                           (double)(after.tv_nsec - before.tv_nsec) / 1e9;
    OK(seconds >= 0.2 && alarms > 3, "signals do not shorten a wait");
    wait = (struct timeval){0, 0};
    EQUAL(pvm_trecv(-1, -1, &wait), 0, "zero looks once");
    wait = (struct timeval){-1, 0};
    EQUAL(pvm_trecv(-1, -1, &wait), 0, "below zero too");
    EQUAL(pvm_nrecv(-1, -1), 0, "as nrecv does");
    pvm_exit();
    fake_stop(&fake);
}

static void forks(void)
{
    struct fake fake;
    fake_start(&fake, serve_well);
    const int tid = pvm_mytid();
    fflush(stdout);
    const pid_t child = fork();
    if (child == 0) {
        /* The daemon serves one at a time: the child must not use, or end, its parent's link. */
        pvm_exit();
        _exit(0);
    }
    int status = -1;
    waitpid(child, &status, 0);
    EQUAL(status, 0, "a child of fork is no task");
    EQUAL(pvm_pstat(tid), 0, "and its parent's link works on");
    pvm_exit();
    fake_stop(&fake);
}

static void leave_from_handler(int signal)
{
    (void)signal;
    _exit(pvm_exit() == 0 ? 7 : 8);
}

static void handlers(void)
{
    struct fake fake;
    fake_start(&fake, serve_well);
    fflush(stdout);
    const pid_t child = fork();
    if (child == 0) {
        pvm_mytid();
        signal(SIGTERM, leave_from_handler);
        kill(getppid(), SIGUSR1);
        pvm_recv(-1, -1);
        _exit(9);
    }
    sigset_t set;
    int got, status = -1;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigwait(&set, &got);
    kill(child, SIGTERM);
    waitpid(child, &status, 0);
    OK(WIFEXITED(status) && WEXITSTATUS(status) == 7,
       "pvm_exit from a handler of SIGTERM in a receive");
    fake_stop(&fake);
}

int main(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigprocmask(SIG_BLOCK, &set, NULL);
    unsetenv("PVM_EXPORT");
    unsetenv("PVMEPID");
    TEST(life);
    TEST(both_full);
    TEST(refusals);
    TEST(lost_daemon);
    TEST(time_outs);
    TEST(forks);
    TEST(handlers);
    return tap_done();
}
