/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-39
 * A buffer looked at with setrbuf and set back for sending takes more data behind its old
 * content; the original loses that.
 */
#include "conf.h"

static void run(void)
{
    const int me = pvm_mytid();
    int values[4] = {-1, -1, -1, -1}, bytes = 0;
    const int mid = pvm_initsend(PvmDataDefault);
    pvm_pkint((int[]){1, 2}, 2, 1);
    pvm_setrbuf(mid);
    CODE(pvm_upkint(values, 1, 1));
    NUM(values[0]);
    pvm_setsbuf(mid);
    CODE(pvm_pkint(&(int){3}, 1, 1));
    CODE(pvm_send(me, 1));
    pvm_bufinfo(conf_take(me, 1), &bytes, NULL, NULL);
    NUM(bytes);
    pvm_upkint(values, bytes / 4, 1);
    printf("%d %d %d\n", values[0], values[1], values[2]);
}

CONF_MAIN(run)
