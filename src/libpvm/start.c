/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * pvm_start_pvmd() (API-19): finds the daemon's program, starts it apart from this process, reads
 * the path of its socket from the line it prints, and enrols.
 */
#include "base/mem.h"
#include "base/str.h"
#include "libpvm/api.h"
#include "libpvm/find.h"
#include "libpvm/xport.h"

#include "pvm3.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef PATH_MAX
#define PATH_MAX 4096
#endif

enum { LINE_BYTES = 1024, START_WAIT_S = 30 };

/* ---- where the program is ---- */

static bool is_program(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 && S_ISREG(status.st_mode) && access(path, X_OK) == 0;
}

/* |directory| and |rest| as a path, if a program is there. */
static bool try_path(char *path, const char *directory, const char *rest)
{
    return str_format(path, PATH_MAX, "%s%s", directory, rest) < PATH_MAX - 1 && is_program(path);
}

static bool beside(char *path, const char *file)
{
    static const char *const places[] = {"/pvmd", "/../pvmd/pvmd", "/../bin/pvmd",
                                         "/../../bin/pvmd", "/../lib/pvmd"};
    char directory[PATH_MAX];
    if (str_copy(directory, sizeof(directory), file) < 0)
        return false;
    char *slash = strrchr(directory, '/');
    if (!slash)
        return false;
    *slash = '\0';
    for (size_t i = 0; i < ARRAY_LEN(places); i++)
        if (try_path(path, directory, places[i]))
            return true;
    return false;
}

/* Where the system has no such link (only Linux and its kin do), readlink() just fails. */
static bool beside_program(char *path)
{
    char self[PATH_MAX];
    const ssize_t length = readlink("/proc/self/exe", self, sizeof(self) - 1);
    if (length <= 0)
        return false;
    self[length] = '\0';
    return beside(path, self);
}

#ifdef PLATFORM_LINUX
static bool beside_library(char *path)
{
    Dl_info info;
    if (dladdr((void *)(uintptr_t)&pvm_start_pvmd, &info) == 0 || !info.dli_fname)
        return false;
    char real[PATH_MAX];
    return beside(path, realpath(info.dli_fname, real) ? real : info.dli_fname);
}
#else
/* Nothing that all systems have tells where a library came from. */
static bool beside_library(char *path)
{
    (void)path;
    return false;
}
#endif

static bool in_search_path(char *path)
{
    const char *search = getenv("PATH");
    while (search && *search) {
        const size_t length = strcspn(search, ":");
        char directory[PATH_MAX];
        if (length > 0 && length < sizeof(directory)) {
            memcpy(directory, search, length);
            directory[length] = '\0';
            if (try_path(path, directory, "/pvmd"))
                return true;
        }
        search += length;
        search += *search == ':';
    }
    return false;
}

/* The first that is there; what the user named is not passed over for another. */
static int find_program(char path[PATH_MAX])
{
    const char *given = getenv("PVM_DPATH"), *root = getenv("PVM_ROOT");
    if (given && *given) {
        str_copy(path, PATH_MAX, given);
        return is_program(path) ? 0 : PvmCantStart;
    }
    if (root && *root && (try_path(path, root, "/lib/pvmd") || try_path(path, root, "/bin/pvmd")))
        return 0;
    if (beside_program(path) || beside_library(path) || in_search_path(path))
        return 0;
    return PvmCantStart;
}

/* ---- the start ---- */

static int open_null(int flags)
{
    return open("/dev/null", flags | O_CLOEXEC);
}

/* In the grandchild: nothing of the starter's is kept but what it prints to. */
static void become_daemon(const char *program, char **argv, int output)
{
    const int in = open_null(O_RDONLY), error = open_null(O_WRONLY);
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    sigemptyset(&ignore.sa_mask);
    sigaction(SIGINT, &ignore, NULL);
    sigaction(SIGQUIT, &ignore, NULL);
    sigaction(SIGTSTP, &ignore, NULL);
    if (in >= 0 && error >= 0 && dup2(in, STDIN_FILENO) >= 0 && dup2(output, STDOUT_FILENO) >= 0 &&
        dup2(error, STDERR_FILENO) >= 0)
        execv(program, argv);
    _exit(127);
}

/* Starts the program in a grandchild, so that it is nobody's zombie. The read end of its output,
 * or -1. */
static int launch(const char *program, char **argv)
{
    int pipe_ends[2];
    if (pipe(pipe_ends) < 0)
        return -1;
    fcntl(pipe_ends[0], F_SETFD, FD_CLOEXEC);
    fcntl(pipe_ends[1], F_SETFD, FD_CLOEXEC);
    const pid_t child = fork();
    if (child == 0) {
        const pid_t grandchild = fork();
        if (grandchild == 0)
            become_daemon(program, argv, pipe_ends[1]);
        _exit(grandchild < 0);
    }
    close(pipe_ends[1]);
    int status = -1;
    if (child > 0)
        while (waitpid(child, &status, 0) < 0 && errno == EINTR)
            continue;
    if (child < 0 || status != 0) {
        close(pipe_ends[0]);
        return -1;
    }
    return pipe_ends[0];
}

/* The first line of what the daemon prints. 0, or -1: none came. */
static int read_line(int descriptor, char line[LINE_BYTES])
{
    const int64_t deadline_ns = task_now_ns() + (int64_t)START_WAIT_S * 1000000000;
    size_t length = 0;
    while (length < LINE_BYTES - 1) {
        const int64_t left_ns = deadline_ns - task_now_ns();
        struct pollfd poller = {.fd = descriptor, .events = POLLIN};
        if (left_ns <= 0)
            return -1;
        if (poll(&poller, 1, (int)(left_ns / 1000000) + 1) <= 0)
            continue;
        const ssize_t got = read(descriptor, line + length, 1);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0 || line[length] == '\n')
            break;
        length++;
    }
    line[length] = '\0';
    return length > 0 ? 0 : -1;
}

/* argv[0] is the program's name, the caller's arguments follow. */
static int start_program(int argc, char **argv, char line[LINE_BYTES])
{
    char program[PATH_MAX];
    if (find_program(program) < 0)
        return PvmCantStart;
    char **args = mem_calloc((size_t)argc + 2, sizeof(*args));
    if (!args)
        return PvmNoMem;
    args[0] = program;
    for (int i = 0; i < argc; i++)
        args[i + 1] = argv[i];
    const int output = launch(program, args);
    mem_free(args);
    if (output < 0)
        return PvmCantStart;
    const int status = read_line(output, line);
    close(output);
    return status < 0 ? PvmCantStart : 0;
}

/* ---- the call ---- */

/* A daemon of this virtual machine listens. A socket that nobody listens at is what a killed one
 * left. */
static bool is_there(void)
{
    struct find find;
    find_daemon(&find);
    for (size_t i = 0; i < find.count; i++) {
        struct xport *xport = xport_unix_connect(find.paths[i]);
        if (xport) {
            xport->ops->close(xport);
            return true;
        }
    }
    return false;
}

/* Hosts of the hostfile that are still being tried; 0 = all have had their chance. */
static int starting_count(void)
{
    struct message request = {.type = TM_STARTING};
    return task_done(client_request(task_client(), &request));
}

/* Asks after 1, 2, 4, 8, 8... seconds; news that come meanwhile are taken in. */
static int wait_for_hosts(void)
{
    int seconds = 1, status;
    while ((status = starting_count()) > 0) {
        const int64_t deadline_ns = task_now_ns() + (int64_t)seconds * 1000000000;
        do
            status = task_wait(deadline_ns);
        while (status > 0);
        if (status < 0)
            return status;
        seconds = MIN_OF(seconds * 2, 8);
    }
    return status;
}

static int start_pvmd(int argc, char **argv, int block)
{
    char line[LINE_BYTES];
    if (argc < 0 || (argc > 0 && !argv))
        return PvmBadParam;
    if (is_there())
        return PvmDupHost;
    int status = start_program(argc, argv, line);
    if (status < 0)
        return status;
    if (setenv("PVMSOCK", line, 1) < 0)
        return PvmNoMem;
    status = task_enrol();
    if (status < 0)
        return status;
    return block ? wait_for_hosts() : 0;
}

int pvm_start_pvmd(int argc, char **argv, int block)
{
    lock_enter();
    return api_leave("pvm_start_pvmd", start_pvmd(argc, argv, block));
}
