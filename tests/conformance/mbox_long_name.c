/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-63 API-66
 * A name of 2000 characters.
 */
#include "conf_mbox.h"

static void run(void)
{
    char name[2001];
    int count = 0;
    struct pvmmboxinfo *classes;
    memset(name, 'n', 2000);
    name[2000] = 0;
    NUM(box_put(name, 5, 0));
    NUM(box_get(name, 0, 0));
    CODE(pvm_getmboxinfo("nnnn", &count, &classes));
    NUM(count);
    NUM(strlen(classes[0].mi_name));
}

CONF_MAIN(run)
