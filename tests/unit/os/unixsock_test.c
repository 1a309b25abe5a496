/* SPDX-License-Identifier: BSD-3-Clause */
/* The tasks' socket: long paths, who may connect, no descriptors left. */
#include "os/unixsock.h"

#include "tap.h"
#include "until.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

static char *tmp;
static char error[512];

static int connect_in(const char *directory)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "sock"};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    if (chdir(directory) < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
        close(fd);
        fd = -1;
    }
    return fd;
}

static enum unixsock_result accept_one(int listener, int *fd, uint32_t *pid, uint32_t *uid)
{
    uint64_t limit_ns = clock_now_ns() + UINT64_C(5000000000);
    enum unixsock_result result;
    while ((result = unixsock_accept(listener, fd, pid, uid)) == UNIXSOCK_NONE &&
           clock_now_ns() < limit_ns)
        usleep(1000);
    return result;
}

static void test_connect(void)
{
    char deep[512], before[512], after[512];
    struct stat st;
    snprintf(deep, sizeof(deep), "%s/%0100d", tmp, 1);
    mkdir(deep, 0700);
    snprintf(deep + strlen(deep), sizeof(deep) - strlen(deep), "/%0100d", 2);
    mkdir(deep, 0700);
    OK(getcwd(before, sizeof(before)) != NULL, "somewhere");
    int listener = unixsock_listen(deep, error, sizeof(error));
    OK(listener >= 0, "listens below a path that sun_path cannot hold");
    OK(getcwd(after, sizeof(after)) && strcmp(before, after) == 0, "and is back where it was");
    snprintf(after, sizeof(after), "%s/sock", deep);
    EQUAL(lstat(after, &st) == 0 ? st.st_mode & 0777 : 0, 0600, "the socket is private");

    int fd;
    uint32_t pid, uid;
    EQUAL(unixsock_accept(listener, &fd, &pid, &uid), UNIXSOCK_NONE, "nobody waits");
    int client = connect_in(deep);
    OK(client >= 0, "a process connects");
    EQUAL(accept_one(listener, &fd, &pid, &uid), UNIXSOCK_ACCEPTED, "and is taken");
    OK(pid == 0 || pid == (uint32_t)getpid(), "with its process number");
    EQUAL(uid, geteuid(), "and its user");
    OK(fcntl(fd, F_GETFL) & O_NONBLOCK, "non-blocking");
    OK(fcntl(fd, F_GETFD) & FD_CLOEXEC, "and not for children");
    close(fd);
    close(client);
    close(listener);
    EQUAL(unixsock_listen(deep, error, sizeof(error)), -1, "a name in use");
    OK(strstr(error, "Address already in use") != NULL, "is refused with words");
    EQUAL(unixsock_listen("/no/such", error, sizeof(error)), -1, "a directory that is not");
    if (chdir("/") < 0)
        printf("# cannot go back\n");
}

static void test_stranger(void)
{
    if (geteuid() != 0) {
        SKIP("another user", "needs root to become another user");
        return;
    }
    char directory[512], path[600];
    snprintf(directory, sizeof(directory), "%s/open", tmp);
    mkdir(directory, 0755);
    chmod(tmp, 0755);
    chmod(directory, 0755);
    int listener = unixsock_listen(directory, error, sizeof(error)), fd = -1;
    uint32_t pid, uid;
    snprintf(path, sizeof(path), "%s/sock", directory);
    chmod(path, 0666);
    pid_t child = fork();
    if (child == 0) {
        char byte;
        if (setgid(65534) < 0 || setuid(65534) < 0)
            _exit(2);
        int client = connect_in(directory);
        _exit(client >= 0 && read(client, &byte, 1) == 0 ? 0 : 1);
    }
    EQUAL(accept_one(listener, &fd, &pid, &uid), UNIXSOCK_STRANGER, "another user is refused");
    EQUAL(uid, 65534, "by name");
    int status;
    waitpid(child, &status, 0);
    EQUAL(status, 0, "and its connection is closed");
    close(listener);
}

static void test_no_descriptors(void)
{
    char directory[512];
    snprintf(directory, sizeof(directory), "%s/few", tmp);
    mkdir(directory, 0700);
    int listener = unixsock_listen(directory, error, sizeof(error)), fd = -1;
    int client = connect_in(directory);
    struct rlimit before, few;
    getrlimit(RLIMIT_NOFILE, &before);
    few = before;
    few.rlim_cur = (rlim_t)client + 1;
    setrlimit(RLIMIT_NOFILE, &few);
    uint32_t pid, uid;
    EQUAL(accept_one(listener, &fd, &pid, &uid), UNIXSOCK_EXHAUSTED, "no descriptor is left");
    setrlimit(RLIMIT_NOFILE, &before);
    EQUAL(accept_one(listener, &fd, &pid, &uid), UNIXSOCK_ACCEPTED,
          "when there is one again, who waited is taken");
    close(fd);
    close(client);
    close(listener);
}

int main(void)
{
    tmp = private_directory();
    TEST(test_connect);
    TEST(test_stranger);
    TEST(test_no_descriptors);
    remove_tree(tmp);
    return tap_done();
}
