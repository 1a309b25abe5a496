/* SPDX-License-Identifier: BSD-3-Clause */
/* The process in front of a new host: when it ends, and that the daemon sees its end. */
#include "pvmd/starting.h"

#include "tap.h"

#include <poll.h>
#include <signal.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

enum { WAIT_MS = 10000 };

static int out[2];  /* stdout of what is started; we are the starter */
static int told[2]; /* the daemon: 'b' = begins, 'e' = saw the end of who stood in front of it */

/* What the daemon does behind it: says |words|, then waits for the end of the other side. */
static pid_t start(bool is_held, const char *words)
{
    if (pipe(out) < 0 || pipe(told) < 0)
        return -1;
    char byte = 0;
    pid_t pid = fork();
    if (pid != 0) {
        close(out[1]);
        close(told[1]);
        return read(told[0], &byte, 1) == 1 && byte == 'b' ? pid : -1;
    }
    dup2(out[1], STDOUT_FILENO);
    close(out[0]);
    close(out[1]);
    close(told[0]);
    int fd = starting_fork(is_held);
    if (fd < 0)
        _exit(9);
    close(STDOUT_FILENO);
    (void)!write(told[1], "b", 1);
    for (; *words; words++)
        starting_say(fd, (enum starting_word)*words);
    if (read(fd, &byte, 1) <= 0) /* also with an error: what was said was not read */
        (void)!write(told[1], "e", 1);
    _exit(0);
}

static bool daemon_saw_the_end(void)
{
    char byte = 0;
    struct pollfd look = {.fd = told[0], .events = POLLIN};
    bool saw = poll(&look, 1, WAIT_MS) == 1 && read(told[0], &byte, 1) == 1 && byte == 'e';
    close(told[0]);
    return saw;
}

static bool is_running(pid_t pid, int ms)
{
    for (; ms > 0; ms -= 10) {
        if (waitpid(pid, NULL, WNOHANG) != 0)
            return false;
        poll(NULL, 0, 10);
    }
    return true;
}

static int exit_of(pid_t pid)
{
    int status = 0;
    return waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void test_not_held(void)
{
    pid_t pid = start(false, "s");
    EQUAL(exit_of(pid), 0, "it ends when the daemon stands");
    OK(daemon_saw_the_end(), "which sees that");
    close(out[0]);
    pid = start(false, "");
    close(out[0]);
    OK(is_running(pid, 200), "its stdout does not matter");
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    daemon_saw_the_end();
}

static void test_held(void)
{
    pid_t pid = start(true, "s");
    OK(is_running(pid, 200), "one that is held waits for more than that");
    close(out[0]);
    EQUAL(exit_of(pid), 1, "when nobody reads what it prints it ends");
    OK(daemon_saw_the_end(), "and the daemon sees that");
    pid = start(true, "sh");
    EQUAL(exit_of(pid), 0, "when the daemon is a host it ends in order");
    daemon_saw_the_end();
    close(out[0]);
    pid = start(true, "s");
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    OK(daemon_saw_the_end(), "the daemon sees also that it was killed");
    close(out[0]);
}

int main(void)
{
    TEST(test_not_held);
    TEST(test_held);
    return tap_done();
}
