/* SPDX-License-Identifier: BSD-3-Clause */
/* Processes found by their environment. */
#include "os/proctable.h"

#include "os/spawn.h"

#include "base/mem.h"
#include "tap.h"
#include "until.h"

#include <signal.h>
#include <sys/wait.h>

static pid_t seen;

static void found(void *context, pid_t pid)
{
    (void)context;
    seen = pid;
}

static size_t find(const char *first, const char *second)
{
    const char *const marks[2] = {first, second};
    seen = 0;
    return proctable_find(marks, found, NULL);
}

static void test_environment_lists(void)
{
    char *const base[] = {(char[]){"A=1"}, (char[]){"B=2"}, (char[]){"AB=3"}, NULL};
    const char *const first[] = {"B=new", "C=4", NULL}, *const second[] = {"C=5", NULL};
    const char *const *const lists[] = {first, second, NULL};
    const char *const without[] = {"AB", NULL};
    char **got = spawn_environment(base, lists, 3, without);
    SAME_TEXT(got[0], "A=1", "what nobody changes stays");
    SAME_TEXT(got[1], "B=new", "a later value replaces");
    SAME_TEXT(got[2], "C=5", "the last one wins");
    OK(got[3] == NULL, "what is left out is not there");
    mem_free(got);
}

int main(void)
{
    TEST(test_environment_lists);
    if (access("/proc/self/environ", R_OK) < 0) {
        SKIP("processes by environment", "no /proc");
        return tap_done();
    }
    char mark[64], name[32];
    snprintf(mark, sizeof(mark), "PVMSOCK=/tmp/unit-%ld/sock", (long)getpid());
    snprintf(name, sizeof(name), "sleep");
    char *argv[] = {name, (char[]){"60"}, NULL};
    char *environment[] = {mark, (char[]){"PVMEPID=5"}, NULL};
    struct spawn_plan plan = {.path = "/bin/sleep",
                              .argv = argv,
                              .environment = environment,
                              .stdin_fd = -1,
                              .stdout_fd = -1,
                              .stderr_fd = -1};
    pid_t pid = 0;
    EQUAL(spawn_process(&plan, &pid), 0, "a process with two marks");
    /* vfork(2) lets the parent go on a moment before exec() has put the environment in place. */
    uint64_t limit_ns = clock_now_ns() + UINT64_C(5000000000);
    while (find(mark, "PVMEPID=") == 0 && clock_now_ns() < limit_ns)
        usleep(1000);
    EQUAL(find(mark, "PVMEPID="), 1, "is found by a whole one and a prefix");
    EQUAL(seen, pid, "by its number");
    EQUAL(find(mark, "PVMCTX="), 0, "not when a mark is missing");
    mark[strlen(mark) - 1] = '\0';
    EQUAL(find(mark, "PVMEPID="), 0, "nor by a part of a value");
    OK(proctable_runs(pid), "it runs");
    kill(pid, SIGKILL);
    siginfo_t info;
    waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT);
    OK(!proctable_runs(pid), "one that only waits to be collected does not");
    waitpid(pid, NULL, 0);
    OK(!proctable_runs(pid), "nor does one that is gone");
    plan.path = "/no/such/program";
#if defined(__SANITIZE_THREAD__)
    SKIP("a failing exec is told by its errno", "the thread sanitizer makes a fork of vfork");
#else
    OK(spawn_process(&plan, &pid) != 0, "a failing exec is told by its errno");
#endif
    return tap_done();
}
