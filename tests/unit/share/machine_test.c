/* SPDX-License-Identifier: BSD-3-Clause */
/* Limits of memory and processors as cgroups of both versions say them, in a made-up /proc and
 * /sys. */
#include "share/machine.h"

#include "tap.h"

#include <sched.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char root[] = "/tmp/pvm-machine-XXXXXX";

/* The file with |text|, and the folders it is in. */
static void put(const char *path, const char *text)
{
    char full[512];
    snprintf(full, sizeof(full), "%s%s", root, path);
    for (char *slash = full + strlen(root) + 1; (slash = strchr(slash, '/')); slash++) {
        *slash = '\0';
        mkdir(full, 0700);
        *slash = '/';
    }
    FILE *file = fopen(full, "w");
    if (!file || fputs(text, file) < 0)
        abort();
    fclose(file);
}

static void begin(void)
{
    if (!mkdtemp(root))
        abort();
}

static void end(void)
{
    char command[128];
    snprintf(command, sizeof(command), "rm -rf %s", root);
    if (system(command) != 0)
        abort();
    strcpy(root + strlen(root) - 6, "XXXXXX");
}

static void nothing(void)
{
    begin();
    OK(machine_memory_bytes(root) >= 64 << 20, "no cgroup: the machine's memory");
    EQUAL(machine_cpus_quota(root), UINT32_MAX, "and no quota");
    put("/proc/self/cgroup", "no colon\n:\n::\n0::/not/there\n");
    OK(machine_memory_bytes(root) >= 64 << 20, "groups that are not there");
    EQUAL(machine_cpus_quota(root), UINT32_MAX, "limit nothing");
    end();
}

static void version2(void)
{
    begin();
    put("/proc/self/cgroup", "0::/a/b\n");
    put("/sys/fs/cgroup/a/b/memory.max", "max\n");
    put("/sys/fs/cgroup/a/memory.max", "33554432\n");
    put("/sys/fs/cgroup/a/b/cpu.max", "350000 100000\n");
    put("/sys/fs/cgroup/a/cpu.max", "max 100000\n");
    EQUAL(machine_memory_bytes(root), 33554432, "the limit of a group above counts");
    EQUAL(machine_cpus_quota(root), 3, "whole processors of a quota");
    put("/sys/fs/cgroup/a/cpu.max", "50000 100000\n");
    EQUAL(machine_cpus_quota(root), 1, "at least one");
    end();
}

static void version1(void)
{
    begin();
    put("/proc/self/cgroup", "5:cpu,cpuacct:/x\n4:memory:/on/the/host\n3:cpuset:/\n0::/\n");
    put("/sys/fs/cgroup/memory/memory.limit_in_bytes", "50331648\n");
    put("/sys/fs/cgroup/cpu/x/cpu.cfs_quota_us", "200000\n");
    put("/sys/fs/cgroup/cpu/x/cpu.cfs_period_us", "100000\n");
    put("/sys/fs/cgroup/cpu/cpu.cfs_quota_us", "-1\n");
    put("/sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n");
    EQUAL(machine_memory_bytes(root), 50331648, "in a container the mount is its group");
    EQUAL(machine_cpus_quota(root), 2, "quota and period, -1 is none");
    put("/sys/fs/cgroup/cpu/x/cpu.cfs_period_us", "nonsense\n");
    EQUAL(machine_cpus_quota(root), UINT32_MAX, "what is no number limits nothing");
    end();
}

static void affinity(void)
{
    cpu_set_t before, one;
    sched_getaffinity(0, sizeof(before), &before);
    EQUAL(machine_cpus_affine(), CPU_COUNT(&before), "the processors it may use");
    CPU_ZERO(&one);
    for (int cpu = 0; CPU_COUNT(&one) == 0; cpu++)
        if (CPU_ISSET(cpu, &before))
            CPU_SET(cpu, &one);
    sched_setaffinity(0, sizeof(one), &one);
    EQUAL(machine_cpus_affine(), 1, "as they are now");
    sched_setaffinity(0, sizeof(before), &before);
}

int main(void)
{
    TEST(nothing);
    TEST(version2);
    TEST(version1);
    TEST(affinity);
    return tap_done();
}
