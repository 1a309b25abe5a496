/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-66 CONV-11
 * The list is the library's; results that are not wanted, nothing that matches.
 */
#include "conf_mbox.h"

static void run(void)
{
    int count = -1;
    struct pvmmboxinfo *classes = NULL;
    box_put("mem", 1, 0);
    CODE(pvm_getmboxinfo("nosuch", &count, &classes));
    NUM(count);
    CODE(pvm_getmboxinfo("mem", NULL, &classes));
    printf("%s %d\n", classes[0].mi_name, classes[0].mi_nentries);
    CODE(pvm_getmboxinfo("mem", &count, NULL));
    NUM(count);
    CODE(pvm_getmboxinfo("mem", NULL, NULL));
}

CONF_MAIN(run)
