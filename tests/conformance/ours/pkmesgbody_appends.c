/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-43
 * pkmesgbody joins bodies of one encoding without a mark between them; what is packed behind
 * them goes out too, while the original loses it.
 */
#include "conf.h"

static void run(void)
{
    int values[6] = {0}, bytes = 0;
    const int part = pvm_mkbuf(PvmDataDefault);
    pvm_setsbuf(part);
    pvm_pkint((int[]){1, 2}, 2, 1);
    const int mid = pvm_mkbuf(PvmDataDefault);
    pvm_setsbuf(mid);
    pvm_pkint(&(int){0}, 1, 1);
    CODE(pvm_pkmesgbody(part));
    CODE(pvm_pkmesgbody(part));
    pvm_pkint(&(int){9}, 1, 1);
    CODE(pvm_bufinfo(mid, &bytes, NULL, NULL));
    NUM(bytes);
    CODE(pvm_freebuf(part));
    CODE(pvm_send(pvm_mytid(), 1));
    conf_take(-1, 1);
    CODE(pvm_upkint(values, 6, 1));
    for (int i = 0; i < 6; i++)
        printf("%d ", values[i]);
    printf("\n");
}

CONF_MAIN(run)
