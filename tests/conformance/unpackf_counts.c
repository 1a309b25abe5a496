/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-46
 * Unpackf with counts, strides, stars and the unsigned modifier.
 */
#include "conf.h"

static void run(void)
{
    int ints[8] = {0};
    unsigned short us[2] = {0};
    short hs[2] = {0};
    unsigned long ul = 0;
    char bytes[8] = {0};
    pvm_packf("%+%6d%2hd%2hd%d%5c", PvmDataDefault, (int[]){1, 2, 3, 4, 5, 6}, (short[]){-1, 5},
              (short[]){-1, 5}, -1, "bytes");
    pvm_send(pvm_mytid(), 1);
    conf_take(-1, 1);
    CODE(pvm_unpackf("%2d", ints));
    CODE(pvm_unpackf("%2.2d", ints + 2));
    CODE(pvm_unpackf("%*.*d", 2, -1, ints + 7));
    for (int i = 0; i < 8; i++)
        printf("%d ", ints[i]);
    printf("\n");
    CODE(pvm_unpackf("%2uhd", us));
    printf("%d %d\n", us[0], us[1]);
    CODE(pvm_unpackf("%2hd", hs));
    printf("%d %d\n", hs[0], hs[1]);
    CODE(pvm_unpackf("%uld", &ul));
    printf("%lu\n", ul);
    CODE(pvm_unpackf("%*c", 5, bytes));
    puts(bytes);
}

CONF_MAIN(run)
