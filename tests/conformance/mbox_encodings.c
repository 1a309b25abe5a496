/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-63 API-64
 * Default and raw messages of several kinds come back as they were packed.
 */
#include "conf_mbox.h"

static void run(void)
{
    static const int encodings[] = {PvmDataDefault, PvmDataRaw};
    for (int i = 0; i < 2; i++) {
        double real = 2.5;
        short few[3] = {1, -2, 3};
        char text[16] = "";
        pvm_initsend(encodings[i]);
        pvm_pkdouble(&real, 1, 1);
        pvm_pkstr("hello");
        pvm_pkshort(few, 3, 1);
        CODE(pvm_putinfo("enc", pvm_getsbuf(), 0));
        real = 0;
        memset(few, 0, sizeof few);
        MID(pvm_recvinfo("enc", 0, 0));
        CODE(pvm_upkdouble(&real, 1, 1));
        CODE(pvm_upkstr(text));
        CODE(pvm_upkshort(few, 3, 1));
        printf("%g %s %d %d %d\n", real, text, few[0], few[1], few[2]);
        CODE(pvm_upkshort(few, 1, 1));
    }
}

CONF_MAIN(run)
