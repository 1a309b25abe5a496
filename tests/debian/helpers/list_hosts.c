/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Prints the names of the hosts of the virtual machine.  Used by run.py; no test of its own.
 */
#include <stdio.h>

#include <pvm3.h>

int main(void)
{
    struct pvmhostinfo *table;
    int hosts = 0;
    if (pvm_config(&hosts, NULL, &table) < 0)
        return 1;
    for (int i = 0; i < hosts; i++)
        printf("%s\n", table[i].hi_name);
    pvm_exit();
    return 0;
}
