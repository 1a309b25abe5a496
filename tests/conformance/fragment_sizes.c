/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-61 API-44
 * Messages built with small and large fragment sizes carry all types unharmed.
 */
#include "conf.h"

static void run(void)
{
    static const int sizes[] = {56, 104, 1000, 4080, 100000, 1048576};
    double doubles[100], back[100];
    short shorts[101], shorts_back[101];
    char text[64];
    pvm_mytid();
    for (int i = 0; i < 100; i++)
        doubles[i] = i / 3.0;
    for (int i = 0; i < 101; i++)
        shorts[i] = (short)(i * 321);
    for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
        const int old = pvm_setopt(PvmFragSize, sizes[s]);
        for (int encoding = PvmDataDefault; encoding <= PvmDataRaw; encoding++) {
            int bytes = 0;
            pvm_initsend(encoding);
            pvm_pkshort(shorts, 101, 1);
            pvm_pkstr("in the middle");
            pvm_pkdouble(doubles, 100, 1);
            pvm_send(pvm_mytid(), 1);
            pvm_bufinfo(conf_take(-1, 1), &bytes, NULL, NULL);
            pvm_upkshort(shorts_back, 101, 1);
            pvm_upkstr(text);
            pvm_upkdouble(back, 100, 1);
            printf("%d (before %d), encoding %d: %d bytes, %s\n", sizes[s], old, encoding, bytes,
                   !memcmp(doubles, back, sizeof back) && !strcmp(text, "in the middle") &&
                   !memcmp(shorts, shorts_back, sizeof shorts) ? "same" : "differs");
        }
    }
}

CONF_MAIN(run)
