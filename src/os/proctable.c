/* SPDX-License-Identifier: BSD-3-Clause */
/* Processes by their environment: see the header. proc(5). */
#include "os/proctable.h"

#include "base/str.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ENVIRONMENT_BYTES_MAX = 256 * 1024 };

/* Reads a file of /proc/|pid|; returns its length, or -1. */
static ssize_t read_proc(pid_t pid, const char *name, char *bytes, size_t size_bytes)
{
    char path[64];
    str_format(path, sizeof(path), "/proc/%ld/%s", (long)pid, name);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    size_t length = 0;
    ssize_t got;
    while (length < size_bytes && (got = read(fd, bytes + length, size_bytes - length)) > 0)
        length += (size_t)got;
    close(fd);
    return (ssize_t)length;
}

/* 'R', 'Z' and so on; 0 when there is no such process or no /proc. */
static char process_state(pid_t pid)
{
    char text[512];
    ssize_t length = read_proc(pid, "stat", text, sizeof(text) - 1);
    if (length <= 0)
        return 0;
    text[length] = '\0';
    const char *after_name = strrchr(text, ')');
    return after_name && after_name[1] == ' ' ? after_name[2] : 0;
}

bool proctable_runs(pid_t pid)
{
    if (kill(pid, 0) < 0 && errno == ESRCH)
        return false;
    char state = process_state(pid);
    return state != 'Z' && state != 'X';
}

static bool has_mark(const char *environment, size_t length, const char *mark)
{
    size_t mark_length = strlen(mark);
    bool is_prefix = mark_length > 0 && mark[mark_length - 1] == '=';
    for (const char *at = environment; at < environment + length;) {
        const char *end = memchr(at, '\0', (size_t)(environment + length - at));
        if (!end)
            return false;
        if (strncmp(at, mark, mark_length) == 0 && (is_prefix || at[mark_length] == '\0'))
            return true;
        at = end + 1;
    }
    return false;
}

static pid_t pid_of(const char *name)
{
    char *end;
    long pid = strtol(name, &end, 10);
    return name[0] >= '1' && name[0] <= '9' && *end == '\0' ? (pid_t)pid : 0;
}

size_t proctable_find(const char *const marks[2], void (*found)(void *context, pid_t pid),
                      void *context)
{
    DIR *listing = opendir("/proc");
    char *environment = malloc(ENVIRONMENT_BYTES_MAX);
    size_t count = 0;
    struct dirent *entry;
    while (listing && environment && (entry = readdir(listing))) {
        pid_t pid = pid_of(entry->d_name);
        if (pid == 0 || pid == getpid())
            continue;
        ssize_t length = read_proc(pid, "environ", environment, ENVIRONMENT_BYTES_MAX);
        if (length > 0 && has_mark(environment, (size_t)length, marks[0]) &&
            has_mark(environment, (size_t)length, marks[1]) && proctable_runs(pid)) {
            count++;
            found(context, pid);
        }
    }
    free(environment);
    if (listing)
        closedir(listing);
    return count;
}
