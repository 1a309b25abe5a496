/* SPDX-License-Identifier: BSD-3-Clause */
/* Limits of the machine: see the header. */
#include "os/limits.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

enum {
    MEMORY_GUESS_BYTES = 1 << 30,
    HEAP_KEPT_BYTES = 16 << 20,
    HEAP_STEP_BYTES = 1 << 20 /* taken at a time; what is larger is mapped by itself */
};

static struct rlimit files_before;
static bool files_raised;

#ifdef PLATFORM_LINUX
/* The number in a one-line file, or UINT64_MAX ("max", missing). */
static uint64_t read_number(const char *path)
{
    char text[64];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return UINT64_MAX;
    ssize_t got = read(fd, text, sizeof(text) - 1);
    close(fd);
    if (got <= 0)
        return UINT64_MAX;
    text[got] = '\0';
    if (text[0] < '0' || text[0] > '9')
        return UINT64_MAX;
    return strtoull(text, NULL, 10);
}
#endif

void limits_keep_heap(void)
{
#ifdef __GLIBC__
    mallopt(M_TRIM_THRESHOLD, HEAP_KEPT_BYTES);
    mallopt(M_MMAP_THRESHOLD, HEAP_STEP_BYTES);
    mallopt(M_TOP_PAD, HEAP_STEP_BYTES);
#endif
}

uint64_t limits_memory_bytes(void)
{
    uint64_t bytes = MEMORY_GUESS_BYTES;
#ifdef _SC_PHYS_PAGES
    long pages = sysconf(_SC_PHYS_PAGES);
    long page_bytes = sysconf(_SC_PAGESIZE);
    if (pages > 0 && page_bytes > 0)
        bytes = (uint64_t)pages * (uint64_t)page_bytes;
#endif
#ifdef PLATFORM_LINUX
    /* Inside a container both stand at the root of the mount, cgroups(7). */
    static const char *const paths[] = {"/sys/fs/cgroup/memory.max",
                                        "/sys/fs/cgroup/memory/memory.limit_in_bytes"};
    for (int i = 0; i < 2; i++) {
        uint64_t limit = read_number(paths[i]);
        bytes = limit < bytes ? limit : bytes;
    }
#endif
    return bytes;
}

uint64_t limits_raise_files(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return 0;
    if (!files_raised)
        files_before = limit;
    if (limit.rlim_cur < limit.rlim_max) {
        struct rlimit raised = {.rlim_cur = limit.rlim_max, .rlim_max = limit.rlim_max};
        if (setrlimit(RLIMIT_NOFILE, &raised) == 0) {
            files_raised = true;
            limit = raised;
        }
    }
    return (uint64_t)limit.rlim_cur;
}

void limits_restore_files(void)
{
    if (files_raised)
        setrlimit(RLIMIT_NOFILE, &files_before);
}
