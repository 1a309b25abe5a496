/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-39
 * What is packed behind a received message goes out after its old content; the original
 * loses the old content.
 */
#include "conf.h"

static void run(void)
{
    const int me = pvm_mytid();
    int values[4] = {0}, bytes = 0;
    conf_send_int(me, 1, 41);
    pvm_setsbuf(conf_take(me, 1));
    CODE(pvm_pkint(&(int){42}, 1, 1));
    CODE(pvm_bufinfo(pvm_getsbuf(), &bytes, NULL, NULL));
    NUM(bytes);
    CODE(pvm_send(me, 3));
    pvm_bufinfo(conf_take(me, 3), &bytes, NULL, NULL);
    NUM(bytes);
    CODE(pvm_upkint(values, 2, 1));
    printf("%d %d\n", values[0], values[1]);
}

CONF_MAIN(run)
