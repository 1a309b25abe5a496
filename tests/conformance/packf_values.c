/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-46
 * Each conversion of packf with values and pointers, read back by unpackf.
 */
#include "conf.h"

static void run(void)
{
    char c = 'q', c2 = 0;
    short h = -3, h2 = 0;
    int d = -70000, d2 = 0;
    long l = 123456, l2 = 0;
    float f = 1.25f, f2 = 0;
    double g = -1e100, g2 = 0;
    float x[2] = {1, 2}, x2[2] = {0};
    double z[2] = {3, 4}, z2[2] = {0};
    char text[32] = "";
    CODE(pvm_packf("%+ %c %hd %d %ld %f %lf %x %lx %s", PvmDataDefault, c, h, d, l, f, g, x, z,
                   "words"));
    CODE(pvm_send(pvm_mytid(), 1));
    conf_take(-1, 1);
    CODE(pvm_unpackf("%c %hd %d %ld %f %lf %x %lx %s", &c2, &h2, &d2, &l2, &f2, &g2, x2, z2, text));
    printf("%c %d %d %ld %g %g %g,%g %g,%g %s\n", c2, h2, d2, l2, f2, g2, x2[0], x2[1], z2[0],
           z2[1], text);
    CODE(pvm_unpackf("%d", &d2));
}

CONF_MAIN(run)
