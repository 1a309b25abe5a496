/* SPDX-License-Identifier: BSD-3-Clause */
/* The guardian: what it ends and says when a daemon dies or is frozen, what it leaves alone. */
#include "pvmd/guardian.h"

#include "os/clock.h"
#include "tap.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define MS UINT64_C(1000000)

enum { WAIT_MS = 10000, TOMBSTONES = 3 };

static char tmp[] = "/tmp/pvm-unit-XXXXXX";
static int ear = -1; /* where tombstones go */
static uint16_t ear_port;

/* What a stand-in for a daemon does once it has a guardian and a task. */
enum behaviour {
    DAEMON_RUNS,
    DAEMON_ENDS_IN_ORDER,
    DAEMON_RENEWS,    /* its lease, again and again */
    DAEMON_RESIGNS,   /* sees the end of its lease and says so */
    DAEMON_MAKES_ANOTHER_GUARDIAN
};

struct story {
    enum behaviour behaviour;
    const char *script;   /* of the task */
    uint64_t lease_ms;    /* 0 = no lease */
    pid_t daemon;
    pid_t task;
    pid_t guardian;
};

static void nap(unsigned ms)
{
    poll(NULL, 0, (int)ms);
}

static bool wait_gone(const char *path)
{
    uint64_t limit_ns = clock_now_ns() + WAIT_MS * MS;
    struct stat st;
    while (lstat(path, &st) == 0 && clock_now_ns() < limit_ns)
        nap(2);
    return lstat(path, &st) < 0;
}

static bool directory_goes(void)
{
    char path[128];
    snprintf(path, sizeof(path), "%s/pvm-%u", tmp, (unsigned)geteuid());
    return wait_gone(path);
}

/* ---- the daemon's side ---- */

static void tell_all(struct guardian *guardian, pid_t task)
{
    struct guardian_tombstone tombstones[2] = {{.length = 5, .bytes = "gone!"},
                                               {.length = 5, .bytes = "GONE!"}};
    for (size_t i = 0; i < 2; i++) {
        static const uint8_t loopback[16] = {[10] = 255, [11] = 255, [12] = 127, [15] = 1};
        memcpy(tombstones[i].to.ip, loopback, sizeof(loopback));
        tombstones[i].to.port = ear_port;
    }
    guardian_set_tombstones(guardian, tombstones, 2);
    guardian_tell(guardian, task, true);
}

static void end_in_order(struct guardian *guardian, const struct host_dir *dir, pid_t task)
{
    guardian_tell(guardian, task, false);
    kill(task, SIGKILL);
    waitpid(task, NULL, 0);
    dir_remove(dir, false);
    guardian_finish(guardian);
    _exit(0);
}

static void behave(const struct story *story, struct guardian *guardian, const struct host_dir *dir,
                   pid_t task, uint64_t end_ns)
{
    uint64_t lease_ns = story->lease_ms * MS;
    if (story->behaviour == DAEMON_ENDS_IN_ORDER)
        end_in_order(guardian, dir, task);
    if (story->behaviour == DAEMON_MAKES_ANOTHER_GUARDIAN) {
        kill(guardian->pid, SIGKILL);
        waitpid(guardian->pid, NULL, 0);
        if (guardian_restart(guardian) < 0)
            _exit(1);
    }
    for (;;) {
        nap(20);
        if (story->behaviour == DAEMON_RENEWS)
            guardian_set_lease(guardian, clock_now_ns() + lease_ns);
        if (story->behaviour == DAEMON_RESIGNS && clock_now_ns() >= end_ns + 100 * MS)
            guardian_set_lease(guardian, UINT64_MAX);
    }
}

static void daemon_life(const struct story *story, int said)
{
    static struct host_dir dir;
    struct guardian guardian;
    char error[DIR_ERROR_BYTES];
    if (dir_open(&dir, tmp, "vm", "n", error) != DIR_OK || dir_claim_here(&dir, false) < 0 ||
        guardian_start(&guardian, &dir, false) < 0)
        _exit(1);
    setenv("PVMSOCK", dir.sock_path, 1);
    setenv("PVMEPID", "1", 1);
    pid_t pids[2] = {guardian.pid, fork()};
    if (pids[1] == 0) {
        setsid();
        execl("/bin/sh", "sh", "-c", story->script, (char *)NULL);
        _exit(127);
    }
    tell_all(&guardian, pids[1]);
    uint64_t end_ns = clock_now_ns() + story->lease_ms * MS;
    if (story->lease_ms)
        guardian_set_lease(&guardian, end_ns);
    if (write(said, pids, sizeof(pids)) != (ssize_t)sizeof(pids))
        _exit(1);
    behave(story, &guardian, &dir, pids[1], end_ns);
}

static void begin(struct story *story)
{
    int ends[2];
    pid_t pids[2] = {0, 0};
    if (pipe(ends) < 0)
        return;
    story->daemon = fork();
    if (story->daemon == 0)
        daemon_life(story, ends[1]);
    OK(read(ends[0], pids, sizeof(pids)) == (ssize_t)sizeof(pids), "a daemon with a task");
    story->guardian = pids[0];
    story->task = pids[1];
    close(ends[0]);
    close(ends[1]);
}

/* ---- what is seen from outside ---- */

static bool is_zombie(pid_t pid)
{
    char path[64], text[512] = "";
    snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    FILE *file = fopen(path, "r");
    size_t got = file ? fread(text, 1, sizeof(text) - 1, file) : 0;
    if (file)
        fclose(file);
    return got && strstr(text, ") Z "); /* nobody collects it here */
}

static bool runs(pid_t pid)
{
    return kill(pid, 0) == 0 && !is_zombie(pid);
}

static bool ends(pid_t pid)
{
    uint64_t limit_ns = clock_now_ns() + WAIT_MS * MS;
    while (runs(pid) && clock_now_ns() < limit_ns)
        nap(2);
    return !runs(pid);
}

/* How many tombstones of each of the two came within a moment. */
static void hear(int counts[2])
{
    char bytes[64];
    struct pollfd look = {.fd = ear, .events = POLLIN};
    counts[0] = counts[1] = 0;
    while (poll(&look, 1, 200) > 0) {
        ssize_t got = recv(ear, bytes, sizeof(bytes), 0);
        counts[0] += got == 5 && memcmp(bytes, "gone!", 5) == 0;
        counts[1] += got == 5 && memcmp(bytes, "GONE!", 5) == 0;
    }
}

static void expect_tombstones(int wanted, const char *what)
{
    int counts[2];
    hear(counts);
    OK(counts[0] == wanted && counts[1] == wanted, what);
}

static void kill_daemon(const struct story *story)
{
    kill(story->daemon, SIGKILL);
    waitpid(story->daemon, NULL, 0);
}

/* ---- stories ---- */

static void crash(const char *script, const char *what)
{
    struct story story = {.behaviour = DAEMON_RUNS, .script = script};
    begin(&story);
    kill(story.guardian, SIGTERM);
    kill(story.guardian, SIGINT);
    kill(story.guardian, SIGHUP);
    kill_daemon(&story);
    OK(ends(story.task), what);
    OK(directory_goes(), "and its directory goes");
    expect_tombstones(TOMBSTONES, "and everybody was told three times");
}

static void test_crash(void)
{
    crash("sleep 60", "the task of a daemon that was killed ends");
    crash("trap '' TERM; sleep 60 & wait; sleep 60", "even one that ignores SIGTERM");
}

static void test_order(void)
{
    struct story story = {.behaviour = DAEMON_ENDS_IN_ORDER, .script = "sleep 60"};
    struct host_dir dir;
    char error[DIR_ERROR_BYTES];
    int status = 1;
    begin(&story);
    waitpid(story.daemon, &status, 0);
    EQUAL(status, 0, "one that ends in order waits for its guardian");
    EQUAL(dir_open(&dir, tmp, "vm", "n", error), DIR_OK, "and another can start at once");
    dir_remove(&dir, false);
    dir_close(&dir);
    expect_tombstones(0, "and nobody is told that it is dead");
}

static void test_frozen(void)
{
    struct story story = {.behaviour = DAEMON_RUNS, .script = "sleep 60", .lease_ms = 600};
    int status = 0;
    uint64_t begun_ns = clock_now_ns();
    begin(&story);
    kill(story.daemon, SIGSTOP);
    nap(200);
    OK(runs(story.task), "while the lease lasts the task of a stopped daemon runs on");
    OK(ends(story.task), "then it ends");
    OK(clock_now_ns() - begun_ns < 5000 * MS, "not long after");
    OK(ends(story.daemon), "and the daemon");
    waitpid(story.daemon, &status, WNOHANG);
    OK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL, "which is killed");
    OK(directory_goes(), "and its directory goes");
    expect_tombstones(TOMBSTONES, "and everybody was told");
}

static void test_renewed(void)
{
    struct story story = {.behaviour = DAEMON_RENEWS, .script = "sleep 60", .lease_ms = 200};
    begin(&story);
    nap(800);
    OK(runs(story.task), "a lease that is renewed ends nothing");
    kill(story.daemon, SIGSTOP);
    nap(100);
    kill(story.daemon, SIGCONT);
    nap(300);
    OK(runs(story.task) && runs(story.daemon), "nor does a stop that is shorter");
    kill_daemon(&story);
    OK(directory_goes(), "at its end the directory goes");
    expect_tombstones(TOMBSTONES, "and everybody is told");
}

static void test_resigned(void)
{
    struct story story = {.behaviour = DAEMON_RESIGNS, .script = "sleep 60", .lease_ms = 300};
    begin(&story);
    OK(ends(story.task), "at the end of the lease the task ends");
    nap(1000);
    OK(runs(story.daemon), "a daemon that knows of that end lives on");
    expect_tombstones(0, "and nobody is told that it is dead");
    kill_daemon(&story);
    OK(directory_goes(), "at its end the directory goes");
    expect_tombstones(TOMBSTONES, "and everybody is told");
}

static void test_another(void)
{
    struct story story = {.behaviour = DAEMON_MAKES_ANOTHER_GUARDIAN, .script = "sleep 60"};
    begin(&story);
    OK(ends(story.guardian), "the first guardian is killed");
    nap(200);
    kill_daemon(&story);
    OK(ends(story.task), "the second one knows the task");
    OK(directory_goes(), "and the directory");
    expect_tombstones(TOMBSTONES, "and whom to tell");
}

/* The table of processes when they end in any order: whoever runs is in it. */
static void test_many_processes(void)
{
    enum { COUNT = 40 };
    int pipe_fds[2];
    pid_t tasks[COUNT];
    if (pipe(pipe_fds) < 0)
        return;
    pid_t daemon = fork();
    if (daemon == 0) {
        static struct host_dir dir;
        struct guardian guardian;
        char error[DIR_ERROR_BYTES];
        if (dir_open(&dir, tmp, "vm", "n", error) != DIR_OK ||
            guardian_start(&guardian, &dir, false) < 0)
            _exit(1);
        for (int i = 0; i < COUNT; i++) {
            tasks[i] = fork();
            if (tasks[i] == 0) {
                close(guardian.fd); /* as one that executes a program does */
                for (;;)
                    pause();
            }
            guardian_tell(&guardian, tasks[i], true);
        }
        for (int i = 0; i < COUNT; i += 3) {
            guardian_tell(&guardian, tasks[i], false);
            guardian_tell(&guardian, tasks[i], false);
        }
        (void)!write(pipe_fds[1], tasks, sizeof(tasks));
        for (;;)
            pause();
    }
    OK(read(pipe_fds[0], tasks, sizeof(tasks)) == (ssize_t)sizeof(tasks), "a daemon with 40 tasks");
    kill(daemon, SIGKILL);
    waitpid(daemon, NULL, 0);
    OK(directory_goes(), "ends");
    int wrong = 0;
    for (int i = 0; i < COUNT; i++) {
        wrong += runs(tasks[i]) != (i % 3 == 0);
        kill(tasks[i], SIGKILL);
    }
    EQUAL(wrong, 0, "and exactly those that were its own with it");
    close(pipe_fds[0]);
    close(pipe_fds[1]);
}

static void open_ear(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t length = sizeof(address);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ear = socket(AF_INET, SOCK_DGRAM, 0);
    OK(bind(ear, (struct sockaddr *)&address, sizeof(address)) == 0 &&
           getsockname(ear, (struct sockaddr *)&address, &length) == 0,
       "somebody who is to be told");
    ear_port = ntohs(address.sin_port);
}

int main(void)
{
    OK(mkdtemp(tmp) != NULL, "a private directory");
    signal(SIGPIPE, SIG_IGN);
    open_ear();
    TEST(test_crash);
    TEST(test_order);
    TEST(test_frozen);
    TEST(test_renewed);
    TEST(test_resigned);
    TEST(test_another);
    TEST(test_many_processes);
    close(ear);
    rmdir(tmp);
    return tap_done();
}
