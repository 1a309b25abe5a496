/* SPDX-License-Identifier: BSD-3-Clause */
/* The guardian: what it ends when a daemon dies, what it leaves alone when that ended in order. */
#include "pvmd/guardian.h"

#include "os/clock.h"
#include "tap.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char tmp[] = "/tmp/pvm-unit-XXXXXX";

static bool wait_gone(const char *path)
{
    uint64_t limit_ns = clock_now_ns() + UINT64_C(10000000000);
    struct stat st;
    while (lstat(path, &st) == 0 && clock_now_ns() < limit_ns)
        usleep(2000);
    return lstat(path, &st) < 0;
}

/* A stand-in for a daemon: opens its directory, starts a guardian and a task, says the task's pid.
 */
static pid_t start_daemon(bool in_order, const char *task_script, int pids_fd)
{
    pid_t daemon = fork();
    if (daemon != 0)
        return daemon;
    struct host_dir dir;
    struct guardian guardian;
    char error[DIR_ERROR_BYTES];
    if (dir_open(&dir, tmp, "vm", "n", error) != DIR_OK || dir_claim_here(&dir, false) < 0 ||
        guardian_start(&guardian, &dir, false) < 0)
        _exit(1);
    setenv("PVMSOCK", dir.sock_path, 1);
    setenv("PVMEPID", "1", 1);
    pid_t task = fork();
    if (task == 0) {
        setsid();
        execl("/bin/sh", "sh", "-c", task_script, (char *)NULL);
        _exit(127);
    }
    guardian_tell(&guardian, task, true);
    if (write(pids_fd, &task, sizeof(task)) != (ssize_t)sizeof(task))
        _exit(1);
    if (in_order) {
        guardian_tell(&guardian, task, false);
        kill(task, SIGKILL);
        waitpid(task, NULL, 0);
        dir_remove(&dir, false);
        guardian_finish(&guardian);
        _exit(0);
    }
    for (;;)
        pause();
}

static bool runs(pid_t pid)
{
    uint64_t limit_ns = clock_now_ns() + UINT64_C(5000000000);
    while (kill(pid, 0) == 0 && clock_now_ns() < limit_ns) {
        char path[64], text[512] = "";
        snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
        FILE *file = fopen(path, "r");
        size_t got = file ? fread(text, 1, sizeof(text) - 1, file) : 0;
        if (file)
            fclose(file);
        if (got && strstr(text, ") Z "))
            return false; /* nobody collects it here */
        usleep(5000);
    }
    return kill(pid, 0) == 0;
}

static void test_crash(const char *script, const char *what)
{
    int pipe_fds[2];
    pid_t task = 0;
    char path[128];
    if (pipe(pipe_fds) < 0)
        return;
    pid_t daemon = start_daemon(false, script, pipe_fds[1]);
    OK(read(pipe_fds[0], &task, sizeof(task)) == (ssize_t)sizeof(task), "a daemon with a task");
    kill(daemon, SIGKILL);
    waitpid(daemon, NULL, 0);
    snprintf(path, sizeof(path), "%s/pvm-%u", tmp, (unsigned)geteuid());
    OK(wait_gone(path), "killed, its directory goes");
    OK(!runs(task), what);
    close(pipe_fds[0]);
    close(pipe_fds[1]);
}

static void test_order(void)
{
    int pipe_fds[2];
    pid_t task = 0;
    int status = 1;
    if (pipe(pipe_fds) < 0)
        return;
    pid_t daemon = start_daemon(true, "sleep 60", pipe_fds[1]);
    OK(read(pipe_fds[0], &task, sizeof(task)) == (ssize_t)sizeof(task), "a daemon with a task");
    waitpid(daemon, &status, 0);
    EQUAL(status, 0, "that ends in order waits for its guardian");
    struct host_dir dir;
    char error[DIR_ERROR_BYTES];
    EQUAL(dir_open(&dir, tmp, "vm", "n", error), DIR_OK, "and another can start at once");
    dir_remove(&dir, false);
    dir_close(&dir);
    close(pipe_fds[0]);
    close(pipe_fds[1]);
}

int main(void)
{
    OK(mkdtemp(tmp) != NULL, "a private directory");
    signal(SIGPIPE, SIG_IGN);
    test_crash("sleep 60", "so does the task");
    test_crash("trap '' TERM; sleep 60 & wait; sleep 60", "even one that ignores SIGTERM");
    test_order();
    rmdir(tmp);
    return tap_done();
}
