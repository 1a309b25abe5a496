/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Adds hosts of this machine to the virtual machine and prints how long pvm_addhosts() took in
 * milliseconds; they are removed again before it ends.
 *
 *   adder COUNT
 */
#include <pvm3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { COUNT_MAX = 1024, NAME_BYTES = 64 };

static double now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static int host_names(char *names[], int max)
{
    struct pvmhostinfo *hosts;
    int count, archs;
    if (pvm_config(&count, &archs, &hosts) < 0)
        return -1;
    for (int i = 1; i < count && i <= max; i++)
        names[i - 1] = strdup(hosts[i].hi_name);
    return count;
}

int main(int argc, char **argv)
{
    static char *names[COUNT_MAX];
    static char *local[COUNT_MAX];
    static int results[COUNT_MAX];
    const int count = argc > 1 ? atoi(argv[1]) : 1;
    if (count < 1 || count > COUNT_MAX || pvm_mytid() < 0)
        return fputs("usage: adder COUNT\n", stderr), 2;
    for (int i = 0; i < count; i++)
        local[i] = "local";
    const double start = now_ms();
    const int added = pvm_addhosts(local, count, results);
    const double end = now_ms();
    const int present = host_names(names, COUNT_MAX);
    if (added != count || present != count + 1) {
        int failed = 0;
        while (failed < count - 1 && results[failed] > 0)
            failed++;
        fprintf(stderr, "adder: %d of %d added, first failure %d, %d hosts are there\n", added,
                count, results[failed], present);
        pvm_delhosts(names, present > 1 ? present - 1 : 0, results);
        return 1;
    }
    printf("%.3f\n", end - start);
    pvm_delhosts(names, present - 1, results);
    pvm_exit();
    return 0;
}
