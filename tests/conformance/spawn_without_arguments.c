/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-26
 * argv NULL and an empty argv both give a child with only its name.
 */
#include "conf.h"

static void run(void)
{
    if (pvm_parent() > 0) {
        conf_send_int(pvm_parent(), 1, conf_argc);
        pvm_exit();
        exit(0);
    }
    char *empty[] = {NULL};
    CODE(pvm_spawn(conf_program, NULL, 0, NULL, 1, NULL));
    NUM(conf_take_int(-1, 1));
    CODE(pvm_spawn(conf_program, empty, 0, NULL, 1, NULL));
    NUM(conf_take_int(-1, 1));
}

CONF_MAIN(run)
