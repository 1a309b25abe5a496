/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-68 API-63
 * Entries of both kinds of calls are the same entries.
 */
#include "conf_mbox.h"

static void run(void)
{
    int value = 0;
    box_put("mix", 31, PvmMboxDirectIndex(2));
    NUM(pvm_lookup("mix", -1, &value));
    NUM(value);
    NUM(pvm_insert("mix", -1, 32));
    NUM(box_get("mix", 0, 0));
    CODE(box_put("mix", 33, 0));
    NUM(pvm_lookup("mix", 0, &value));
    NUM(value);
    NUM(pvm_delete("mix", 2));
    NUM(pvm_delinfo("mix", 0, 0));
}

CONF_MAIN(run)
