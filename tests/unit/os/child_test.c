/* SPDX-License-Identifier: BSD-3-Clause */
/* Children: found, started, watched, heard to the end (API-30, API-31). */
#include "os/child.h"

#include "base/str.h"
#include "os/spawn.h"
#include "tap.h"
#include "until.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

static struct loop *loop;
static struct pid_watcher *pids;
static struct children *children;
static char *tmp;

struct seen {
    char output[256 * 1024];
    size_t length;
    int ends_of_file;
    int exits;
    int wait_status;
    bool output_after_exit;
};
static struct seen seen;

static void got_output(void *context, uint64_t ticket, struct slice bytes)
{
    (void)context;
    (void)ticket;
    if (seen.exits)
        seen.output_after_exit = true;
    if (bytes.length == 0)
        seen.ends_of_file++;
    else if (seen.length + bytes.length < sizeof(seen.output))
        memcpy(seen.output + seen.length, bytes.data, bytes.length), seen.length += bytes.length;
}

static void got_exited(void *context, uint64_t ticket, uint32_t pid, int wait_status)
{
    (void)context;
    (void)ticket;
    (void)pid;
    seen.exits++;
    seen.wait_status = wait_status;
}

static bool has_exited(void *context)
{
    (void)context;
    return seen.exits > 0;
}

static char error[CHILD_ERROR_BYTES];

static enum child_result start(const char *file, const char *const *argv, const char *directory,
                               const char *const *environment)
{
    struct child_request request = {.file = file,
                                    .search = "/nowhere:/bin:/usr/bin",
                                    .argv = argv,
                                    .directory = directory,
                                    .environment = environment};
    uint32_t pid;
    seen = (struct seen){0};
    error[0] = '\0';
    return child_start(children, 7, &request, &pid, error);
}

static enum child_result start_script(const char *script, const char *directory,
                                      const char *const *environment)
{
    const char *argv[] = {"-c", script, NULL};
    return start("sh", argv, directory, environment);
}

static void test_output_and_status(void)
{
    EQUAL(start_script("echo out; echo err >&2; exit 3", NULL, NULL), CHILD_STARTED, "a child");
    OK(until(loop, has_exited, NULL), "ends");
    OK(WIFEXITED(seen.wait_status) && WEXITSTATUS(seen.wait_status) == 3, "with its status");
    SAME_TEXT(seen.output, "out\nerr\n", "output and errors come through one pipe");
    EQUAL(seen.ends_of_file, 1, "one end of file");
    OK(!seen.output_after_exit, "before the exit");
}

static void test_much_output(void)
{
    EQUAL(start_script("yes 0123456789abcde | head -c 200000", NULL, NULL), CHILD_STARTED,
          "a child that prints a lot and ends at once");
    OK(until(loop, has_exited, NULL), "ends");
    EQUAL(seen.length, 200000, "nothing of it is lost");
}

static void test_surroundings(void)
{
    static const char *const environment[] = {"PVMEPID=12", "HOME=/over", NULL};
    const char *script = "pwd; echo $PVMEPID $HOME; cat; ls /proc/self/fd 2>/dev/null | wc -l; "
                         "trap - TERM; kill -TERM $$";
    setenv("HOME", "/before", 1);
    int extra = dup(1); /* without close-on-exec: must not reach the child */
    EQUAL(start_script(script, "/usr", environment), CHILD_STARTED, "a child in /usr");
    OK(until(loop, has_exited, NULL), "ends by the signal it sends itself");
    close(extra);
    OK(WIFSIGNALED(seen.wait_status) && WTERMSIG(seen.wait_status) == SIGTERM, "SIGTERM works");
    OK(strncmp(seen.output, "/usr\n12 /over\n", 14) == 0,
       "its directory, its variables over ours, an empty stdin");
    if (access("/proc/self/fd", R_OK) == 0)
        SAME_TEXT(seen.output + 14, "4\n", "three descriptors and the listing's own");
}

enum { MANY_DESCRIPTORS = 300 };

/* The child begins in our table of descriptors: it must not change it, and must keep nothing. */
static void test_many_descriptors(void)
{
    const char *script = "ls /proc/self/fd 2>/dev/null | wc -l; kill -PIPE $$; echo ignored";
    int extra[MANY_DESCRIPTORS];
    size_t standing = 0;
    for (size_t i = 0; i < MANY_DESCRIPTORS; i++)
        extra[i] = dup(STDERR_FILENO); /* without close-on-exec */
    for (int round = 0; round < 3; round++) {
        EQUAL(start_script(script, NULL, NULL), CHILD_STARTED, "a child beside 300 descriptors");
        OK(until(loop, has_exited, NULL), "ends");
    }
    for (size_t i = 0; i < MANY_DESCRIPTORS; i++)
        standing += fcntl(extra[i], F_GETFD) == 0 && close(extra[i]) == 0;
    EQUAL(standing, MANY_DESCRIPTORS, "ours are all still there");
    OK(WIFSIGNALED(seen.wait_status) && WTERMSIG(seen.wait_status) == SIGPIPE,
       "a signal that we ignore is none that the child ignores");
    if (access("/proc/self/fd", R_OK) == 0)
        SAME_TEXT(seen.output, "4\n", "it has three descriptors and the listing's own");
}

static size_t descriptors_open(void)
{
    size_t count = 0;
    for (int fd = 0; fd < 1024; fd++)
        count += fcntl(fd, F_GETFD) >= 0;
    return count;
}

/* Whether they start or not, the end of a child leaves us as we were. */
static void test_descriptors_return(void)
{
    EQUAL(start_script("exit 0", NULL, NULL), CHILD_STARTED, "a first child");
    OK(until(loop, has_exited, NULL), "ends");
    const size_t before = descriptors_open();
    bool all = true;
    for (int i = 0; i < 20; i++) {
        all = all && start_script("exit 0", NULL, NULL) == CHILD_STARTED;
        all = all && until(loop, has_exited, NULL) && seen.ends_of_file == 1;
        all = all && start("no-such-program", NULL, NULL, NULL) == CHILD_NO_FILE;
    }
    OK(all, "twenty more come and go, and see their pipe closed");
    EQUAL(descriptors_open(), before, "and leave no descriptor");
}

static void test_directory_that_is_not(void)
{
    EQUAL(start_script("pwd", "/no/such/place", NULL), CHILD_STARTED, "a directory that is not");
    OK(until(loop, has_exited, NULL) && seen.length > 0, "is silently not entered (API-28)");
}

static void write_file(const char *path, const char *text, mode_t mode)
{
    FILE *file = fopen(path, "w");
    fputs(text, file);
    fclose(file);
    chmod(path, mode);
}

static void test_files(void)
{
    char path[128], found[4096];
    EQUAL(start("no-such-program", NULL, NULL, NULL), CHILD_NO_FILE, "a program that is nowhere");
    OK(strstr(error, "no-such-program") != NULL, "is named in the words");
    EQUAL(start("/bin", NULL, NULL, NULL), CHILD_NO_FILE, "a directory is no program");
    snprintf(path, sizeof(path), "%s/plain", tmp);
    write_file(path, "echo hello\n", 0644);
    EQUAL(start(path, NULL, NULL, NULL), CHILD_NO_FILE, "nor is a file that is not executable");
    snprintf(path, sizeof(path), "%s/broken", tmp);
    write_file(path, "#!/no/such/interpreter\n", 0755);
    EQUAL(start(path, NULL, NULL, NULL), CHILD_STARTED, "a file that cannot be executed");
    OK(until(loop, has_exited, NULL) && strstr(seen.output, "cannot execute: No such file"),
       "says so in its output");
    OK(WIFEXITED(seen.wait_status) && WEXITSTATUS(seen.wait_status) == 127, "and ends (API-26)");
    snprintf(path, sizeof(path), "%s/script", tmp);
    write_file(path, "#!/bin/sh\necho $0\n", 0755);
    EQUAL(chdir(tmp), 0, "from its directory");
    EQUAL(start("./script", NULL, "/", NULL), CHILD_STARTED, "a relative file starts");
    OK(until(loop, has_exited, NULL) && strstr(seen.output, "/script\n"),
       "although the child goes elsewhere");
    EQUAL(chdir("/"), 0, "back");
    EQUAL(spawn_find("script", "", found, sizeof(found)), -1, "an empty path finds nothing");
    EQUAL(spawn_find("", "/bin", found, sizeof(found)), -1, "nor does an empty name");
    snprintf(path, sizeof(path), "/nowhere::%s", tmp);
    EQUAL(spawn_find("script", path, found, sizeof(found)), 0, "empty places are passed over");
}

static void test_pause(void)
{
    EQUAL(start_script("echo one", NULL, NULL), CHILD_STARTED, "a child");
    child_pause(children, 7, true);
    uint64_t limit_ns = clock_now_ns() + 300000000;
    while (clock_now_ns() < limit_ns && !seen.length && !seen.exits)
        usleep(50000),
            loop_before_sleep(loop, until_check,
                              &(struct until){.loop = loop, .holds = has_exited}),
            loop_run(loop);
    EQUAL(seen.length + (size_t)seen.exits, 0, "paused: nothing comes, not even its end");
    child_pause(children, 7, false);
    OK(until(loop, has_exited, NULL), "resumed, it comes to its end");
    SAME_TEXT(seen.output, "one\n", "after its output");
}

static void test_background_child_keeps_pipe(void)
{
    EQUAL(start_script("sleep 30 & echo $!", NULL, NULL), CHILD_STARTED,
          "a child that leaves one of its own with the pipe");
    OK(until(loop, has_exited, NULL), "its end is not held up");
    int left = atoi(seen.output);
    OK(left > 1 && kill(left, SIGKILL) == 0, "the one left is ended by the test");
}

static void test_signals(void)
{
    struct child_request request = {
        .file = "sleep", .search = "/bin:/usr/bin", .argv = (const char *const[]){"30", NULL}};
    uint32_t pid;
    seen = (struct seen){0};
    EQUAL(child_start(children, 9, &request, &pid, error), CHILD_STARTED, "a sleeping child");
    OK(!child_signal(children, (uint32_t)getpid(), 0), "other processes are none of ours");
    OK(child_signal(children, pid, SIGTERM), "a child can be signalled");
    OK(until(loop, has_exited, NULL), "and ends");
    OK(!child_signal(children, pid, SIGTERM), "afterwards its number is not used");
    EQUAL(children_signal_all(children, 0), 0, "none runs");
}

/* In a process of its own, since limits do not come back; root knows no limit of processes. */
static void test_limits(void)
{
    static const struct {
        int what;
        rlim_t limit;
        const char *words;
    } limits[] = {{RLIMIT_NPROC, 0, "no more processes"}, {RLIMIT_NOFILE, 3, "of this daemon"}};
    for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
        pid_t pid = fork();
        if (pid == 0) {
            const struct rlimit limit = {limits[i].limit, limits[i].limit};
            bool refused = setrlimit(limits[i].what, &limit) == 0 &&
                           (geteuid() != 0 || setuid(65534) == 0) &&
                           start("true", NULL, NULL, NULL) == CHILD_NO_RESOURCES;
            _exit(refused && strstr(error, limits[i].words) ? 0 : 1);
        }
        int status = -1;
        OK(waitpid(pid, &status, 0) == pid && status == 0, "a limit that is reached is named");
    }
}

static void everything(void)
{
    children = children_create(loop, pids,
                               &(struct child_handler){.output = got_output, .exited = got_exited});
    TEST(test_output_and_status);
    TEST(test_much_output);
    TEST(test_surroundings);
    TEST(test_many_descriptors);
    TEST(test_descriptors_return);
    TEST(test_directory_that_is_not);
    TEST(test_files);
    TEST(test_pause);
    TEST(test_background_child_keeps_pipe);
    TEST(test_signals);
    TEST(test_limits);
    children_destroy(children);
}

int main(void)
{
    tmp = private_directory();
    signal(SIGPIPE, SIG_IGN); /* as in the daemon; children must not inherit it */
    loop = loop_create();
    pids = pid_watcher_create(loop, NULL);
    everything();
    pid_watcher_refuse_pidfd(pids);
    printf("# again by SIGCHLD\n");
    everything();
    loop_destroy(loop);
    pid_watcher_destroy(pids);
    remove_tree(tmp);
    return tap_done();
}
