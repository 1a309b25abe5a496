/* SPDX-License-Identifier: BSD-3-Clause */
/* Limits of memory and processors: see the header. Files and formats: cgroups(7),
 * Documentation/admin-guide/cgroup-v1 and cgroup-v2.rst of Linux. */
#include "share/machine.h"

#include "base/check.h"
#include "base/str.h"

#include <fcntl.h>
#include <sched.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysinfo.h>
#include <unistd.h>

enum { PATH_BYTES = 4096, FILE_BYTES = 16384 };

/* The beginning of a small file as text; false when it cannot be read. */
static bool file_read(const char *path, char *text, size_t size_bytes)
{
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    size_t length = 0;
    ssize_t got;
    while (length < size_bytes - 1 && (got = read(fd, text + length, size_bytes - 1 - length)) > 0)
        length += (size_t)got;
    close(fd);
    text[length] = '\0';
    return length > 0;
}

/* The first number of a file; "max", nothing and below zero are "no limit". */
static uint64_t number_read(const char *folder, const char *file, const char **rest)
{
    static _Thread_local char text[128];
    char path[PATH_BYTES + 64];
    if (rest)
        *rest = "";
    str_format(path, sizeof(path), "%s/%s", folder, file);
    if (!file_read(path, text, sizeof(text)))
        return UINT64_MAX;
    char *end;
    const long long value = strtoll(text, &end, 10);
    if (rest)
        *rest = end;
    return end == text || value < 0 ? UINT64_MAX : (uint64_t)value;
}

/* ---- the cgroups of this process ---- */

/* |name| is one of the comma list |names| of |length| bytes. */
static bool list_has(const char *names, size_t length, const char *name)
{
    const size_t wanted = strlen(name);
    for (size_t at = 0; at < length;) {
        const char *comma = memchr(names + at, ',', length - at);
        const size_t part = comma ? (size_t)(comma - names) - at : length - at;
        if (part == wanted && memcmp(names + at, name, part) == 0)
            return true;
        at += part + 1;
    }
    return false;
}

/* Smallest of |limit_of(folder)| for the cgroup |group| under |mount| and all above it. Inside of a
 * container without a namespace of its own the group's path is the host's and not there; the mount
 * then is the container's group. */
static uint64_t lowest_above(const char *mount, const char *group,
                             uint64_t (*limit_of)(const char *folder))
{
    char folder[PATH_BYTES];
    if (str_format(folder, sizeof(folder), "%s%s", mount, group) >= sizeof(folder) - 1)
        return UINT64_MAX;
    const size_t top = strlen(mount);
    uint64_t lowest = UINT64_MAX;
    for (;;) {
        const uint64_t limit = limit_of(folder);
        lowest = MIN_OF(lowest, limit);
        char *slash = strrchr(folder, '/');
        if (strlen(folder) <= top || !slash)
            return lowest;
        *slash = '\0';
        if (strlen(folder) < top)
            return lowest;
    }
}

/* The lowest limit of |controller| over all hierarchies; |of1| and |of2| read it from a folder of
 * version 1 and 2. */
static uint64_t cgroup_limit(const char *root, const char *controller,
                             uint64_t (*of1)(const char *), uint64_t (*of2)(const char *))
{
    char text[FILE_BYTES], path[PATH_BYTES], mount[PATH_BYTES];
    uint64_t lowest = UINT64_MAX;
    str_format(path, sizeof(path), "%s/proc/self/cgroup", root);
    if (!file_read(path, text, sizeof(text)))
        return lowest;
    char *saved = NULL;
    for (char *line = strtok_r(text, "\n", &saved); line; line = strtok_r(NULL, "\n", &saved)) {
        /* number:controllers:path */
        const char *names = strchr(line, ':');
        const char *group = names ? strchr(names + 1, ':') : NULL;
        if (!group)
            continue;
        names++;
        const size_t length = (size_t)(group - names);
        group++;
        uint64_t limit = UINT64_MAX;
        if (length == 0) {
            str_format(mount, sizeof(mount), "%s/sys/fs/cgroup", root);
            limit = lowest_above(mount, group, of2);
        } else if (list_has(names, length, controller)) {
            str_format(mount, sizeof(mount), "%s/sys/fs/cgroup/%s", root, controller);
            limit = lowest_above(mount, group, of1);
        }
        lowest = MIN_OF(lowest, limit);
    }
    return lowest;
}

/* ---- memory ---- */

static uint64_t memory_of1(const char *folder)
{
    return number_read(folder, "memory.limit_in_bytes", NULL);
}

static uint64_t memory_of2(const char *folder)
{
    return number_read(folder, "memory.max", NULL);
}

uint64_t machine_memory_bytes(const char *root)
{
    struct sysinfo info;
    const uint64_t all = sysinfo(&info) == 0 ? (uint64_t)info.totalram * info.mem_unit
                                             : UINT64_C(1) << 30;
    const uint64_t limit = cgroup_limit(root, "memory", memory_of1, memory_of2);
    return MIN_OF(all, limit);
}

/* ---- processors ---- */

unsigned machine_cpus_affine(void)
{
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof(set), &set) == 0)
        return (unsigned)MAX_OF(CPU_COUNT(&set), 1);
    /* More than 1024 of them do not fit the set. */
    const long online = sysconf(_SC_NPROCESSORS_ONLN);
    return online > 0 ? (unsigned)online : 1;
}

static uint64_t quota_of(uint64_t quota_us, uint64_t period_us)
{
    if (quota_us == UINT64_MAX || period_us == UINT64_MAX || period_us == 0)
        return UINT64_MAX;
    const uint64_t whole = quota_us / period_us;
    return MAX_OF(whole, UINT64_C(1));
}

static uint64_t quota_of1(const char *folder)
{
    return quota_of(number_read(folder, "cpu.cfs_quota_us", NULL),
                    number_read(folder, "cpu.cfs_period_us", NULL));
}

static uint64_t quota_of2(const char *folder)
{
    const char *rest;
    const uint64_t quota_us = number_read(folder, "cpu.max", &rest);
    const long long period_us = strtoll(rest, NULL, 10);
    return quota_of(quota_us, period_us > 0 ? (uint64_t)period_us : UINT64_MAX);
}

unsigned machine_cpus_quota(const char *root)
{
    const uint64_t lowest = cgroup_limit(root, "cpu", quota_of1, quota_of2);
    return (unsigned)MIN_OF(lowest, (uint64_t)UINT32_MAX);
}
