/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-44 API-45
 * Extreme values of every type through a message in each encoding come back equal.
 */
#include "conf.h"

#define TRIP(type, name, ...)                                                                      \
    do {                                                                                           \
        type sent[] = {__VA_ARGS__}, got[sizeof sent / sizeof sent[0]];                            \
        const int n = (int)(sizeof sent / sizeof sent[0]);                                         \
        memset(got, 0, sizeof got);                                                                \
        pvm_initsend(encoding);                                                                    \
        const int packed = pvm_pk##name(sent, n, 1);                                               \
        pvm_send(pvm_mytid(), 1);                                                                  \
        conf_take(-1, 1);                                                                          \
        const int unpacked = pvm_upk##name(got, n, 1);                                             \
        printf("%s: %s %s %s\n", #name, conf_name(packed), conf_name(unpacked),                    \
               memcmp(sent, got, sizeof sent) == 0 ? "equal" : "differs");                         \
    } while (0)

static void run(void)
{
    for (int encoding = PvmDataDefault; encoding <= PvmDataInPlace; encoding++) {
        printf("encoding %d\n", encoding);
        TRIP(char, byte, 0, 1, 127, -128, -1);
        TRIP(short, short, 0, 1, -1, SHRT_MAX, SHRT_MIN);
        TRIP(unsigned short, ushort, 0, 1, 0x8000, USHRT_MAX);
        TRIP(int, int, 0, 1, -1, INT_MAX, INT_MIN);
        TRIP(unsigned, uint, 0, 1, 0x80000000u, UINT_MAX);
        TRIP(long, long, 0, 1, 0x7fffffff);
        TRIP(unsigned long, ulong, 0, 1, 0xffffffffu);
        TRIP(float, float, 0, -0.0f, 1e38f, 1e-45f, -1.5f);
        TRIP(double, double, 0, -0.0, 1e308, 5e-324, -1.5);
    }
}

CONF_MAIN(run)
