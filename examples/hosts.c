/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Shows the hosts of the virtual machine and how far each one's clock is from ours.
 *
 * With arguments it adds those hosts first: `hosts host2 "host3 ep=/opt/bin"`.
 */
#include <pvm3.h>

#include <stdio.h>
#include <sys/time.h>

static void add(char **names, int count)
{
    int codes[64];
    int fits = count < 64 ? count : 64;

    if (pvm_addhosts(names, fits, codes) == fits)
        return;
    for (int i = 0; i < fits; i++)
        if (codes[i] < 0)
            printf("%s was not added (code %d)\n", names[i], codes[i]);
}

int main(int argc, char **argv)
{
    int count, formats;
    struct pvmhostinfo *hosts;

    if (pvm_mytid() < 0)
        return 1;
    if (argc > 1)
        add(argv + 1, argc - 1);
    if (pvm_config(&count, &formats, &hosts) < 0)
        return 1;
    printf("%d hosts, %d data formats\n", count, formats);
    for (int i = 0; i < count; i++) {
        struct timeval clock, apart = {0, 0};
        pvm_hostsync(hosts[i].hi_tid, &clock, &apart);
        printf("%-24s t%-8x %-10s speed %-6d clock %+.6f s\n", hosts[i].hi_name, hosts[i].hi_tid,
               hosts[i].hi_arch, hosts[i].hi_speed, (double)apart.tv_sec + apart.tv_usec * 1e-6);
    }
    pvm_exit();
    return 0;
}
