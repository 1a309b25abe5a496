/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-44
 * Strings from empty to 200,000 characters, across fragments, in both encodings.
 */
#include "conf.h"

static void run(void)
{
    static char text[200001], back[200001];
    static const int sizes[] = {0, 1, 3, 4, 100, 4071, 4072, 4073, 4076, 4080, 9000, 200000};
    for (int encoding = PvmDataDefault; encoding <= PvmDataRaw; encoding++) {
        for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
            int bytes = 0;
            for (int at = 0; at < sizes[i]; at++)
                text[at] = (char)('a' + at % 26);
            text[sizes[i]] = 0;
            pvm_initsend(encoding);
            pvm_pkstr(text);
            pvm_pkint(&(int){sizes[i]}, 1, 1);
            pvm_send(pvm_mytid(), 1);
            pvm_bufinfo(conf_take(-1, 1), &bytes, NULL, NULL);
            const int code = pvm_upkstr(back);
            int behind = -1;
            pvm_upkint(&behind, 1, 1);
            printf("%d: %s, %d bytes, %s\n", sizes[i], conf_name(code), bytes,
                   strcmp(text, back) == 0 && behind == sizes[i] ? "same" : "differs");
        }
    }
}

CONF_MAIN(run)
