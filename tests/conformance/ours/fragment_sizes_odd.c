/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-61 API-44
 * Fragment sizes that are no multiple of 8 carry the default encoding too; the original says
 * "Malloc failed" for them.
 */
#include "conf.h"

static void run(void)
{
    static const int sizes[] = {52, 53, 54, 55, 61, 1001};
    double doubles[100], back[100];
    for (int i = 0; i < 100; i++)
        doubles[i] = i / 3.0;
    for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
        int bytes = 0;
        pvm_setopt(PvmFragSize, sizes[s]);
        pvm_initsend(PvmDataDefault);
        const int code = pvm_pkdouble(doubles, 100, 1);
        pvm_send(pvm_mytid(), 1);
        pvm_bufinfo(conf_take(-1, 1), &bytes, NULL, NULL);
        pvm_upkdouble(back, 100, 1);
        printf("%d: %s, %d bytes, %s\n", sizes[s], conf_name(code), bytes,
               memcmp(doubles, back, sizeof back) == 0 ? "same" : "differs");
    }
}

CONF_MAIN(run)
