/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-41 API-42
 * bufinfo, getminfo and setminfo with 0, negative, unknown ids and NULL places.
 */
#include "conf.h"

static void run(void)
{
    struct pvmminfo info = {0};
    int bytes = -9, tag = -9, tid = -9;
    pvm_mytid();
    CODE(pvm_bufinfo(0, &bytes, &tag, &tid));
    CODE(pvm_bufinfo(-1, &bytes, &tag, &tid));
    CODE(pvm_bufinfo(555, &bytes, &tag, &tid));
    printf("%d %d %d\n", bytes, tag, tid);
    CODE(pvm_getminfo(0, &info));
    CODE(pvm_getminfo(-1, &info));
    CODE(pvm_getminfo(555, &info));
    CODE(pvm_setminfo(0, &info));
    CODE(pvm_setminfo(-1, &info));
    CODE(pvm_setminfo(555, &info));
    const int mid = pvm_mkbuf(PvmDataDefault);
    CODE(pvm_bufinfo(mid, NULL, NULL, NULL));
    CODE(pvm_bufinfo(mid, &bytes, &tag, &tid));
    printf("%d %d\n", bytes, tag);
    YES(tid == pvm_mytid());
}

CONF_MAIN(run)
