/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-49 API-50
 * Every data type through psend and precv.
 */
#include "conf.h"

#define TRIP(type, kind, ...)                                                                      \
    do {                                                                                           \
        type sent[] = {__VA_ARGS__}, got[4];                                                       \
        int tid = 0, tag = 0, length = 0;                                                          \
        memset(got, 0, sizeof got);                                                                \
        const int n = (int)(sizeof sent / sizeof sent[0]) / (per);                                 \
        const int out = pvm_psend(me, 5, sent, n, kind);                                           \
        const int in = pvm_precv(-1, 5, got, n, kind, &tid, &tag, &length);                        \
        printf("%s: %s %s %s, from %s, tag %d, length %d\n", #kind, conf_name(out), conf_name(in), \
               memcmp(sent, got, sizeof sent) == 0 ? "equal" : "differs",                          \
               tid == me ? "me" : "whom?", tag, length);                                           \
    } while (0)

static void run(void)
{
    const int me = pvm_mytid();
    int per = 1;
    TRIP(char, PVM_BYTE, 1, -2, 3);
    TRIP(short, PVM_SHORT, 1, -2, 3);
    TRIP(int, PVM_INT, 1, -2, 3);
    TRIP(long, PVM_LONG, 1, LONG_MIN, LONG_MAX);
    TRIP(unsigned short, PVM_USHORT, 1, 2, USHRT_MAX);
    TRIP(unsigned, PVM_UINT, 1, 2, UINT_MAX);
    TRIP(unsigned long, PVM_ULONG, 1, 2, ULONG_MAX);
    TRIP(float, PVM_FLOAT, 1.5f, -2, 0);
    TRIP(double, PVM_DOUBLE, 1.5, -2, 0);
    per = 2;
    TRIP(float, PVM_CPLX, 1, 2, 3, 4);
    TRIP(double, PVM_DCPLX, 1, 2, 3, 4);
}

CONF_MAIN(run)
